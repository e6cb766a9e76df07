# What the virtual machines share: Debian's kernels and packages, unpacked and not installed, below build/vm. Sourced.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/Node/common.sh
. "$here/packages.sh"
directory=$PWD/build/vm
limit=${VM_TIMEOUT:-900}
# That of bookworm, of trixie or of sid.
KERNEL=${KERNEL:-6.1}
mkdir -p "$directory"

fail() {
    echo "virtual machine: $*" >&2
    echo "0 passed, 1 failed"
    exit 1
}

# For machines on which this cannot be run at all.
skip() {
    echo "virtual machine: skipped, $*"
    exit 0
}

install_packages() {
    local missing=()
    command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
    command -v cpio >/dev/null || missing+=(cpio)
    command -v depmod >/dev/null || missing+=(kmod)
    command -v mke2fs >/dev/null || missing+=(e2fsprogs)
    ((${#missing[@]})) || return 0
    echo "installing with apt: ${missing[*]}"
    [[ $EUID == 0 ]] || fail "this needs root"
    .ci/apt update
    apt-cache show qemu-system-x86 >/dev/null 2>&1 || skip "there is no package qemu-system-x86"
    .ci/apt install "${missing[@]}"
}

suite_of_kernel() {
    case $KERNEL in
    6.1) echo bookworm ;;
    6.12) echo trixie ;;
    sid) echo sid ;;
    *) fail "KERNEL is $KERNEL, and not 6.1, 6.12 or sid" ;;
    esac
}

# apt with the lists of one suite, beside the machine's own.
apt_of() {
    local lists=$directory/apt/$1 tool=$2
    shift 2
    "$tool" -qq -o APT::Sandbox::User=root -o Acquire::Retries=5 -o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$lists/lists" -o Dir::Cache="$lists/cache" "$@"
}

update_lists() {
    local lists=$directory/apt/$1
    [[ ! -e $lists/complete ]] || return 0
    mkdir -p "$lists"/{lists,cache/archives}/partial
    sources "$1" >"$lists/sources.list"
    apt_of "$1" apt-get update || fail "the packages of $1 cannot be listed"
    touch "$lists/complete"
}

# Unpacks a Debian package into build/vm/NAME, without installing it. $1: suite, $2: package, $3: NAME.
unpack_package() {
    local target=$directory/$3
    [[ ! -d $target ]] || return 0
    echo "downloading $2 of $1"
    rm -rf "$target".*
    mkdir -p "$target.download"
    (cd "$target.download" && apt_of "$1" apt-get download "$2") || fail "cannot download $2 of $1"
    dpkg-deb -x "$target.download"/*.deb "$target.new"
    rm -rf "$target.download"
    mv "$target.new" "$target"
}

# Sets `kernel`, the directory of the unpacked kernel, `vmlinuz` and `modules` in it.
unpack_kernel() {
    local suite package
    suite=$(suite_of_kernel)
    kernel=$directory/kernel-$KERNEL
    update_lists "$suite"
    package=$(apt_of "$suite" apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' |
        head -n 1)
    [[ $package ]] || fail "there is no kernel in $suite"
    unpack_package "$suite" "$package" "${kernel##*/}"
    modules=$(compgen -G "$kernel/lib/modules/*" || compgen -G "$kernel/usr/lib/modules/*")
    vmlinuz=$(compgen -G "$kernel/boot/vmlinuz-*" || compgen -G "$modules/vmlinuz")
    [[ -e $modules/modules.dep ]] || depmod -b "${modules%/lib/modules/*}" "${modules##*/}"
}

# Copies modules, with those that they need, uncompressed into a directory, and names them in the order of loading.
# $1: directory, others: names.
copy_modules() {
    local target=$1 name file
    shift
    mkdir -p "$target"
    for name; do
        modprobe -d "${modules%/lib/modules/*}" -S "${modules##*/}" --show-depends "$name" 2>/dev/null
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
        case $file in
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -dcq "$file" ;;
        *) cat "$file" ;;
        esac >"$target/$(basename "${file%.ko*}").ko"
        basename "${file%.ko*}.ko"
    done >"$target/order"
}

# Plain emulation: works without /dev/kvm.
emulate() {
    timeout --foreground "$limit" qemu-system-x86_64 -accel tcg,tb-size=512 -cpu max -nodefaults -no-reboot -nographic \
        -serial stdio -monitor none -kernel "$vmlinuz" "$@" </dev/null 2>&1 | stdbuf -oL tr -d '\r'
}

initramfs() { (cd "$1" && find . | cpio --quiet -o -H newc) | gzip -1; }
