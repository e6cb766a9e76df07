#!/bin/bash
# Boots Debian's own kernel in a virtual machine and runs virtual-machine-checks in it: the kretprobe, which needs
# kprobes, the redirect on a kernel without tcx, and want of memory in cgroup v2. Prints what was checked; the last line
# reads "N passed, N failed".
#
# Plain emulation: works without /dev/kvm. What was downloaded stays in ~/.cache/zeropod/vm, for the next checkout, too.
set -euo pipefail
cd "$(dirname "$0")/../.."

directory=build/vm downloads=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/zeropod/vm
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

install_packages() {
    local missing=()
    command -v qemu-system-x86_64 >/dev/null || missing+=(qemu-system-x86)
    command -v cpio >/dev/null || missing+=(cpio)
    ((${#missing[@]})) || return 0
    echo "installing with apt: ${missing[*]}"
    [[ $EUID == 0 ]] || fail "this needs root"
    .ci/apt update
    apt-cache show qemu-system-x86 >/dev/null 2>&1 || skip "there is no package qemu-system-x86"
    .ci/apt install "${missing[@]}"
}

download() { (cd "$2" && apt-get -qq -o Acquire::Retries=5 download "$1"); }

# Unpacks a Debian package below its name, without installing it. $1: package, $2: a file in it.
unpack() {
    local root=$downloads/$1
    compgen -G "$root/$2" >/dev/null && return
    echo "downloading $1"
    rm -rf "$root"{,.download,.new}
    mkdir -p "$root.download"
    download "$1" "$root.download" 2>/dev/null || { .ci/apt update && download "$1" "$root.download"; } ||
        fail "cannot download $1"
    dpkg-deb -x "$root.download"/*.deb "$root.new"
    rm -rf "$root.download"
    mv "$root.new" "$root"
}

make_initramfs() {
    local root=$directory/initramfs name
    rm -rf "$root"
    mkdir -p "$root"/{bin,modules,dev}
    cp "$downloads/busybox-static/bin/busybox" "$root/bin/"
    cp Tests/VirtualMachine/init "$root/init"
    cp "$1" "$root/virtual-machine-checks"
    chmod 0755 "$root"/{init,virtual-machine-checks}
    # Not built in, and nobody in there to load them on demand.
    for name in sch_ingress cls_bpf; do
        find "$downloads/$kernel/lib" -name "$name.ko*" -exec cp {} "$root/modules/" \;
    done
    find "$root/modules" -name '*.xz' -exec xz -d {} +
    (cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 >"$directory/initramfs.gz"
}

[[ $(dpkg --print-architecture) == amd64 ]] || skip "it is written for amd64 only"
install_packages
newest_kernel() {
    apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}
kernel=$(newest_kernel) || true
# A new machine may have no lists of packages.
[[ $kernel ]] || { .ci/apt update && kernel=$(newest_kernel) && [[ $kernel ]]; } ||
    fail "Debian's kernel is not among the packages"
unpack "$kernel" 'boot/vmlinuz-*'
unpack busybox-static bin/busybox

make --no-print-directory -C bpf
# The flags of the Makefile, so that both share what is built.
swift build -c release --scratch-path .build/static -Xswiftc -static-executable -Xswiftc -Osize \
    -Xlinker --gc-sections --product virtual-machine-checks 2>&1 | .ci/without-noise || fail "the checks do not build"
make_initramfs .build/static/release/virtual-machine-checks

log=$directory/console.log
timeout --foreground "$limit" qemu-system-x86_64 -accel tcg -cpu max -m 1024 -smp 2 -nodefaults -no-reboot \
    -nographic -serial stdio -monitor none -kernel "$downloads/$kernel"/boot/vmlinuz-* \
    -initrd "$directory/initramfs.gz" -append "console=ttyS0 quiet panic=-1" </dev/null 2>&1 |
    tr -d '\r' | tee "$log" | sed -un '/^kernel [0-9]/,/^[0-9]* passed/p' || true

summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) ||
    fail "it ended without a summary, or took longer than $limit s: see $log"
[[ $summary == *" 0 failed" && $summary != "0 passed"* ]]
