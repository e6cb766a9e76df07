# Root file systems from Debian packages, and the tools this machine needs to make and enter them. Sourced.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# What the scripts call, and the package that has it.
install_tools() {
    local -A package_of=(
        [mmdebstrap]=mmdebstrap [curl]=curl [openssl]=openssl [ip]=iproute2 [jq]=jq [cc]=gcc [iptables]=iptables [ethtool]=ethtool [unshare]=util-linux [flock]=util-linux [sysctl]=procps
        # mmdebstrap leaves paths out by it, and does not ask for it.
        [python3]=python3
        # It was part of util-linux, which is everywhere, up to Debian 13.
        [pivot_root]=util-linux-extra
        # A test makes a disk that can encrypt.
        [mke2fs]=e2fsprogs
        # Trials of these two run on this machine (Tests/Unit/ProcessTrials).
        [runc]=runc [busybox]=busybox-static
    )
    local missing=() tool
    for tool in "${!package_of[@]}"; do
        command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
    done
    [[ -e /usr/include/stdlib.h ]] || missing+=(libc6-dev)
    [[ -e $keyring ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]})) || return 0
    say "installing with apt: ${missing[*]}"
    "$here/../../.ci/apt" update
    "$here/../../.ci/apt" install "${missing[@]}"
}

# The mirror this machine is set up with, so that the node's packages come the same way as the machine's own.
mirror() {
    local found
    found=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' | awk '/\/debian\/?$/ && !found++')
    [[ -n $found ]] || found=http://deb.debian.org/debian
    printf '%s' "${found%/}"
}

# Lines for sources.list. sid's Release file may be older than it says it is good for; its signature is checked.
sources() { printf "deb [check-valid-until=no signed-by=$keyring] $(mirror) %s main\n" "$@"; }

# Whose programs nodes and images have. Those of another processor do not run here, so they are only unpacked, and what
# packages would do when they are set up is up to who boots them (Tests/VirtualMachine).
own=$(dpkg --print-architecture)
architecture=${ZEROPOD_NODE_ARCHITECTURE:-$own}
foreign=${architecture#"$own"}

# A root of sid with another suite's packages marked as such, rather than the other way round: what is newer satisfies
# what is older. So criu is always sid's: 4.1 cannot dump a TCP socket on kernels from 6.16 on, which refuse SO_PASSCRED.
packages_of() {
    local system=(
        crun criu containernetworking-plugins iptables nftables iproute2 mount curl busybox-static procps redis-tools
        bpftool wrk
    )
    [[ -z $foreign ]] ||
        system+=(base-files base-passwd bash coreutils dash findutils grep hostname libstdc++6 mawk sed util-linux)
    case $1 in
    2.1) echo containerd runc "${system[@]}" ;;
    2.1-systemd) echo containerd runc systemd dbus "${system[@]}" ;;
    1.7) echo containerd/trixie runc/trixie "${system[@]}" ;;
    apps) echo base-files busybox-static nginx openssl redis-server python3 python3-grpcio python3-websockets ;;
    *) fail "containerd ${1:-?} is not among ${generations[*]}" ;;
    esac
}

# Nodes are whole systems. What the images are made of is only unpacked: no package manager, no essential packages.
variant_of() { [[ $1 == apps || $foreign ]] && echo extract || echo essential; }
suite_of() { [[ $1 == apps ]] && echo trixie || echo sid; }

# The directory's name tells what it was made of, so that another list of packages makes another one, and when: sid moves,
# and a root of a month ago is made anew.
root_of() {
    local contents there
    contents=$(echo "$(suite_of "$1") $(packages_of "$1")${foreign:+ $foreign}" | sha256sum)
    there=("$made/roots/$1-${contents:0:8}-"????????)
    if ((${#there[@]})) && is_young "${there[-1]}"; then
        printf '%s' "${there[-1]}"
    else
        printf '%s/roots/%s-%s-%s' "$made" "$1" "${contents:0:8}" "$(date +%Y%m%d)"
    fi
}

is_young() { ((${1##*-} >= $(date -d '30 days ago' +%Y%m%d))); }

# Other checkouts of this machine may use those that are younger than that.
remove_old_roots() {
    local root
    for root in "$made/roots/$1-"????????-????????; do
        ((${root##*-} >= $(date -d '60 days ago' +%Y%m%d))) || rm -rf "$root"
    done
}

# mmdebstrap in a mount namespace of its own, with which what it mounts goes: where a /proc does not unmount, because
# something that a package has started still uses it, mmdebstrap only warns. dpkg does not wait for the disk after each
# file: a root that is not complete is made again. And without what the caller has open: apt tells dpkg's hooks a descriptor
# by its number, and where that has two digits /bin/sh, dash, takes it for a mistake.
unpack() {
    (
        local descriptor
        for descriptor in /proc/"$BASHPID"/fd/*; do
            descriptor=${descriptor##*/}
            ((descriptor <= 2)) || exec {descriptor}>&-
        done
        exec unshare --mount --propagation private mmdebstrap --dpkgopt=force-unsafe-io "$@"
    )
}

# Made under another name first: a root that is there is complete.
make_root() {
    local root packages sources
    root=$(root_of "$1")
    sources=$root.list
    [[ ! -d $root ]] || return 0
    packages=$(packages_of "$1")
    say "root file system $1, from Debian $(suite_of "$1"): $packages"
    rm -rf "$root-partial"
    remove_old_roots "$1"
    mkdir -p "$made/roots"
    sources trixie sid >"$sources"
    unpack --mode=root --variant="$(variant_of "$1")" --architectures="$architecture" --include="${packages// /,}" \
        --aptopt="APT::Default-Release \"$(suite_of "$1")\"" --aptopt='Acquire::Retries "3"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$(suite_of "$1")" "$root-partial" "$sources" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        fail "no root file system for $1; see above"
    }
    mv "$root-partial" "$root"
    rm "$sources"
}
