#!/bin/bash
# usage: [ARCH=arm64] [KERNEL=6.1] run.sh
# Boots Debian's own kernel in a virtual machine and runs virtual-machine-checks in it: the kretprobe, which needs
# kprobes, the redirect on a kernel without tcx, and want of memory in cgroup v2. Prints what was checked; the last line
# reads "N passed, N failed". What was downloaded stays in build/vm.
KERNEL=${KERNEL:-6.1}
. "$(dirname "$(readlink -f "$0")")/common.sh"

make_initramfs() {
    local root=$directory/initramfs
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev}
    cp "$directory"/busybox/*bin/busybox "$directory"/busybox/usr/bin/busybox "$root/bin/" 2>/dev/null || true
    cp Tests/VirtualMachine/init "$root/init"
    cp "$1" "$root/virtual-machine-checks"
    if [[ $foreign ]]; then
        mkdir -p "$root/opt/zeropod/bin"
        cp "build/$foreign"/{bin/zeropod,criu/criu} "$root/opt/zeropod/bin/"
    fi
    chmod 0755 "$root"/{init,virtual-machine-checks}
    # Not built in, and nobody in there to load them on demand.
    copy_modules "$root/modules" sch_ingress cls_bpf
    initramfs "$root" >"$directory/initramfs.gz"
}

unpack_busybox() {
    local suite
    suite=$(suite_of_kernel)
    update_lists "$suite"
    unpack_packages "$suite" busybox busybox-static
}

[[ $qemu ]] || skip "it is written for amd64 and arm64 only"
locked install_packages
locked unpack_kernel
locked unpack_busybox

make --no-print-directory machine-checks ${foreign:+ARCH=$foreign} || fail "the checks do not build"
make_initramfs ${foreign:+build/$foreign/}.build/static/release/virtual-machine-checks

log=$directory/console.log
emulate -m 1024 -smp 2 -initrd "$directory/initramfs.gz" -append "console=$console quiet panic=-1" |
    tee "$log" | sed -un '/^kernel [0-9]/,/^[0-9]* passed/p' || true

summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) ||
    fail "it ended without a summary, or took longer than $limit s: see $log"
[[ -z $foreign ]] || grep -a '^ok  *restore' "$log" || fail "criu does not checkpoint and restore a process there: see $log"
[[ $summary == *" 0 failed" && $summary != "0 passed"* ]]
