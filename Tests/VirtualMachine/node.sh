#!/bin/bash
# Boots Debian's kernel with the test node's root file system as its disk: containerd, runc, cgroup v2 and nothing of
# this machine's kernel. Containers sleep and wake there, of root and of a user, who cannot be checkpointed on every
# kernel that tests run on. The last line reads "N passed, N failed". KERNEL is 6.1, 6.12 or sid.
. "$(dirname "$(readlink -f "$0")")/common.sh"
node=$here/node

# A disk with the root file system, the programs under test, and the images as containerd keeps them.
make_disk() {
    local root=$directory/node-root state
    state=$("$node" state vm)
    rm -rf "$root" "$directory/node.img"
    cp -a "$(root_of 2.1)" "$root"
    mkdir -p "$root"/opt/zeropod "$root"/etc/{cni/net.d,containerd/conf.d} "$root"/usr/lib/modules "$root"/fidelity
    cp -r build/bin "$root/opt/zeropod/"
    install -m 755 build/criu/criu "$root/opt/zeropod/bin/criu"
    cp Tests/Node/conf/10-bridge.conflist "$root/etc/cni/net.d/"
    cp Tests/Node/conf/containerd-2.1.toml "$root/etc/containerd/config.toml"
    cp -r Tests/Fidelity/Programs/. "$root/fidelity/"
    cp Tests/VirtualMachine/{node-init,node-checks} "$root/"
    # Imported once on this machine, which is faster than in there.
    "$node" up vm --containerd 2.1 || fail "no test node to import the images with"
    "$node" containerd vm stop
    mkdir -p "$root/var/lib/containerd"
    cp -a "$state/containerd/." "$root/var/lib/containerd/"
    "$node" down vm
    mke2fs -q -t ext4 -d "$root" -L root "$directory/node.img" 2G
    rm -rf "$root"
}

make_node_initramfs() {
    local root=$directory/node-initramfs
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,new}
    cp "$(command -v busybox || echo "$directory/busybox/usr/bin/busybox")" "$root/bin/busybox"
    cp Tests/VirtualMachine/disk-init "$root/init"
    chmod 0755 "$root/init"
    copy_modules "$root/modules" virtio_pci virtio_blk virtio_rng ext4 overlay veth bridge br_netfilter sch_ingress \
        cls_bpf nf_tables nft_compat xt_comment xt_MASQUERADE iptable_nat ip6table_nat nft_chain_nat unix_diag tcp_diag \
        udp_diag inet_diag netlink_diag af_packet_diag
    initramfs "$root" >"$directory/node-initramfs.gz"
}

[[ $(dpkg --print-architecture) == amd64 ]] || skip "it is written for amd64 only"
[[ -x build/criu/criu && -x build/bin/containerd-shim-zeropod-v2 ]] || fail "build/bin is not complete: make shim criu"
install_packages
"$node" build
unpack_kernel
make_disk
make_node_initramfs

log=$directory/node-$KERNEL.log
echo "booting Linux ${modules##*/}"
emulate -m 1536 -smp 2 -initrd "$directory/node-initramfs.gz" -device virtio-rng-pci \
    -drive file="$directory/node.img",if=virtio,format=raw,cache=unsafe \
    -append "console=ttyS0 quiet loglevel=4 mitigations=off panic=-1" |
    tee "$log" | sed -un '/^kernel [0-9]/,/^[0-9]* passed/p' || true
rm -f "$directory/node.img"
summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) ||
    fail "it ended without a summary, or took longer than $limit s: see $log"
[[ $summary == *" 0 failed" && $summary != "0 passed"* ]]
