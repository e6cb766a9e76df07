# What the virtual machines share: Debian's kernels and packages, unpacked and not installed, below build/vm. Sourced.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/Node/common.sh
# ARCH=arm64 has a machine of that processor, with what `make shim criu node-checks ARCH=arm64` made.
[[ -z ${ARCH:-} ]] || export ZEROPOD_NODE_ARCHITECTURE=$ARCH
. "$here/packages.sh"
case $architecture in
amd64) directory=$PWD/build/vm qemu=qemu-system-x86_64 qemu_package=qemu-system-x86 console=ttyS0 machine=(-cpu max) ;;
# What is seen of its processor is what Debian's kernels of all ages know.
arm64) directory=$PWD/build/vm-arm64 qemu=qemu-system-aarch64 qemu_package=qemu-system-arm console=ttyAMA0 machine=(-machine virt -cpu cortex-a72) ;;
*) directory=$PWD/build/vm qemu='' ;;
esac
limit=${VM_TIMEOUT:-900}
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

# Two workers of `make test` may want the same kernel.
locked() {
    local lock
    exec {lock}>"$directory/.lock"
    flock "$lock"
    "$@"
    exec {lock}>&-
}

install_packages() {
    local missing=()
    command -v "$qemu" >/dev/null || missing+=("$qemu_package")
    command -v cpio >/dev/null || missing+=(cpio)
    command -v depmod >/dev/null || missing+=(kmod)
    command -v mke2fs >/dev/null || missing+=(e2fsprogs)
    ((${#missing[@]})) || return 0
    echo "installing with apt: ${missing[*]}"
    [[ $EUID == 0 ]] || fail "this needs root"
    .ci/apt update
    apt-cache show "$qemu_package" >/dev/null 2>&1 || skip "there is no package $qemu_package"
    .ci/apt install "${missing[@]}"
}

suite_of_kernel() {
    case ${KERNEL%+*} in
    5.10) echo bullseye ;;
    6.1) echo bookworm ;;
    6.12) echo trixie ;;
    sid) echo sid ;;
    *) fail "KERNEL is $KERNEL, and not 5.10, 6.1, 6.12 or sid, or one of these with +selinux" ;;
    esac
}

# apt with the lists of one suite for the machine's processor, beside this machine's own.
apt_of() {
    local lists=$directory/apt/$1 tool=$2
    shift 2
    "$tool" -qq -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" -o APT::Sandbox::User=root -o Acquire::Retries=5 -o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts=- \
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

# Unpacks Debian packages into build/vm/NAME, without installing them. $1: suite, $2: NAME, others: packages.
unpack_packages() {
    local suite=$1 target=$directory/$2 package
    shift 2
    [[ ! -d $target ]] || return 0
    echo "downloading $* of $suite"
    rm -rf "$target".*
    mkdir -p "$target.download"
    (cd "$target.download" && apt_of "$suite" apt-get download "$@") || fail "cannot download $* of $suite"
    for package in "$target.download"/*.deb; do dpkg-deb -x "$package" "$target.new"; done
    rm -rf "$target.download"
    mv "$target.new" "$target"
}

# The names of packages that a package depends on and that match a pattern. $1: suite, $2: package, $3: pattern.
dependencies() { apt_of "$1" apt-cache depends "$2" | sed -n "s/.*Depends: \($3\)$/\1/p"; }

# Sets `kernel`, the directory of the unpacked kernel, `vmlinuz` and `modules` in it.
unpack_kernel() {
    local suite package
    suite=$(suite_of_kernel)
    kernel=$directory/kernel-${KERNEL%+*}
    if [[ ! -d $kernel ]]; then
        update_lists "$suite"
        package=$(dependencies "$suite" "linux-image-$architecture" 'linux-image-[0-9].*' | head -n 1)
        [[ $package ]] || fail "there is no kernel in $suite"
        # In sid they are several: the kernel is in one, and its modules are in another.
        unpack_packages "$suite" "${kernel##*/}" "$package" $(dependencies "$suite" "$package" 'linux-\(base\|binary\|modules\)-[0-9].*')
    fi
    modules=$(compgen -G "$kernel/lib/modules/*" || compgen -G "$kernel/usr/lib/modules/*")
    vmlinuz=$(compgen -G "$kernel/boot/vmlinuz-*" || compgen -G "$modules/vmlinuz")
    [[ -e $modules/modules.dep ]] || depmod -b "${modules%/lib/modules/*}" "${modules##*/}"
}

# Copies modules, with those that they need, uncompressed into a directory, and names them in the order of loading. What
# a kernel has not as a module is in another one, or lacks when it is used: nft_counter is in nf_tables since 5.18.
# $1: directory, others: names.
copy_modules() {
    local target=$1 name file
    shift
    mkdir -p "$target"
    for name; do
        modprobe -d "${modules%/lib/modules/*}" -S "${modules##*/}" --show-depends "$name" 2>/dev/null || true
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
    timeout --foreground "$limit" "$qemu" -accel tcg,tb-size=512 "${machine[@]}" -nodefaults -no-reboot -nographic \
        -serial stdio -monitor none -kernel "$vmlinuz" "$@" </dev/null 2>&1 | stdbuf -oL tr -d '\r'
}

initramfs() { (cd "$1" && find . | cpio --quiet -o -H newc) | gzip -1; }
