# Root file systems from Debian packages, and the tools this machine needs to make and enter them. Sourced.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# What the scripts call, and the package that has it.
install_tools() {
    local -A package_of=(
        [mmdebstrap]=mmdebstrap [curl]=curl [ip]=iproute2 [jq]=jq [cc]=gcc [unshare]=util-linux [flock]=util-linux
    )
    local missing=() tool
    for tool in "${!package_of[@]}"; do
        command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
    done
    [[ -e /usr/include/stdlib.h ]] || missing+=(libc6-dev)
    [[ -e $keyring ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]})) || return 0
    say "installing with apt: ${missing[*]}"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}" >/dev/null
}

# The mirror this machine is set up with, so that the node's packages come the same way as the machine's own.
mirror() {
    local found
    found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        grep -m1 '/debian/\?$') || found=http://deb.debian.org/debian
    printf '%s' "${found%/}"
}

# One line for sources.list. sid's Release file may be older than it says it is good for; its signature is checked.
source_line() {
    printf 'deb [check-valid-until=no signed-by=%s] %s %s main\n' "$keyring" "$(mirror)" "$1"
}

# debootstrap DIRECTORY SUITE VARIANT PACKAGE,...: a directory appears when it is complete, never before.
bootstrap() {
    local directory=$1 suite=$2 variant=$3 packages=$4
    rm -rf "$directory.partial"
    source_line "$suite" >"$build/sources.list"
    mmdebstrap --quiet --mode=root --variant="$variant" --include="$packages" --aptopt='Acquire::Retries "3"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$suite" "$directory.partial" "$build/sources.list"
    rm "$build/sources.list"
    mv "$directory.partial" "$directory"
}

suite_of() {
    case $1 in
    2.1) echo sid ;;
    1.7) echo trixie ;;
    *) fail "containerd ${1:-?} is not among ${generations[*]}" ;;
    esac
}

root_packages=(
    containerd runc crun criu containernetworking-plugins iptables nftables iproute2 mount curl busybox-static procps
    redis-tools bpftool
)

# The name holds what the root file system was made of, so that another list of packages makes another one.
root_of() {
    local contents
    contents=$(printf '%s\n' "$(suite_of "$1")" "${root_packages[@]}" | sha256sum)
    printf '%s/roots/%s-%s' "$build" "$1" "${contents:0:8}"
}

make_root() {
    local root
    root=$(root_of "$1")
    [[ -d $root ]] && return
    say "making a root file system with containerd $1 (Debian $(suite_of "$1"))"
    rm -rf "$build/roots/$1"-*
    mkdir -p "$build/roots"
    bootstrap "$root" "$(suite_of "$1")" essential "$(IFS=, && echo "${root_packages[*]}")"
}
