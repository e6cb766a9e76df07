#!/bin/bash
# usage: [ARCH=arm64] [KERNEL="5.10 6.1 6.12 sid 6.1+selinux"] node.sh [APPLICATION:WAY[:NETWORK]...]
# Boots Debian's kernels with the test node's root file system as their disk: containerd, runc, cgroup v2 and nothing of
# this machine's kernel. Containers sleep and wake there, of root and of a user, or are frozen. Prints a table for each
# kernel; the last line reads "N passed, N failed". Without arguments all applications are tried in all ways.
KERNEL=${KERNEL:-5.10 6.1 6.12 sid 6.1+selinux}
. "$(dirname "$(readlink -f "$0")")/common.sh"
. "$here/images/images.sh"
limit=${VM_TIMEOUT:-2400}
node=$here/node
bin=build/bin criu=build/criu/criu checks=.build/debug/virtual-machine-node-checks
[[ -z $foreign ]] || bin=build/$foreign/bin criu=build/$foreign/criu/criu checks=build/$foreign/$checks
disk=$directory/node.img

# The root file system, the programs under test, and the images as containerd keeps them.
make_disk() {
    local root=$directory/node-root state
    state=$("$node" state vm)
    rm -rf "$root" "$disk"
    cp -a "$(root_of 2.1)" "$root"
    mkdir -p "$root"/opt/zeropod "$root"/etc/{cni/net.d,containerd,zeropod} "$root"/usr/lib/modules "$root"/{applications,checks}
    [[ -z $foreign ]] || set_up "$root"
    cp -r "$bin" "$root/opt/zeropod/"
    install -m 755 "$criu" "$root/opt/zeropod/bin/criu"
    sed 's/"type": "bridge"/"type": "network"/' Tests/Node/conf/10-bridge.conflist >"$root/etc/cni/net.d/10-network.conflist"
    cp Tests/VirtualMachine/network "$root/usr/lib/cni/"
    cp Tests/VirtualMachine/containerd.toml "$root/etc/containerd/config.toml"
    echo 'sleeps-per-minute = 1000' >"$root/etc/zeropod/node.conf"
    cp Tests/VirtualMachine/Applications/* Tests/Fidelity/Programs/processes.sh Tests/Node/left-by-pods "$root/applications/"
    cp Tests/VirtualMachine/node-init "$root/"
    echo "$*" >"$root/checks/trials"
    if [[ $foreign ]]; then
        cp "$checks" "$(.ci/cross --where arm64)"/opt/swift-arm64/swift/linux/lib*.so "$root/checks/"
        cp "$(images_archive)" "$root/images.tar"
    else
        cp "$checks" $(ldd "$checks" | awk '$3 ~ "/swift/" { print $3 }') "$root/checks/"
        # Imported once on this machine, which is faster than in there.
        "$node" up vm --containerd 2.1 || fail "no test node to import the images with"
        "$node" containerd vm stop
        mkdir -p "$root/var/lib/containerd"
        cp -a "$state/containerd/." "$root/var/lib/containerd/"
        "$node" down vm
    fi
    # Without what 5.10 does not know.
    mke2fs -q -t ext4 -O ^orphan_file,^metadata_csum_seed -d "$root" -L root "$disk" 2G
    rm -rf "$root"
}

# What packages that are only unpacked have not done, as far as anything here asks for it.
set_up() {
    local users name
    echo '127.0.0.1 localhost' >"$1/etc/hosts"
    touch "$1/etc/resolv.conf"
    for users in passwd group; do cp "$1/usr/share/base-passwd/$users.master" "$1/etc/$users"; done
    for name in iptables ip6tables iptables-save ip6tables-save iptables-restore ip6tables-restore; do
        ln -sf xtables-nft-multi "$1/usr/sbin/$name"
    done
    ln -sf mawk "$1/usr/bin/awk"
}

make_node_initramfs() {
    local root=$directory/node-initramfs
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,new}
    cp "$(root_of 2.1)/usr/bin/busybox" "$root/bin/busybox"
    cp Tests/VirtualMachine/disk-init "$root/init"
    chmod 0755 "$root/init"
    copy_modules "$root/modules" virtio_pci virtio_blk virtio_rng ext4 overlay veth ipvlan bridge br_netfilter sch_ingress \
        cls_bpf nf_tables nft_compat nft_counter xt_comment xt_MASQUERADE iptable_nat ip6table_nat nft_chain_nat unix_diag tcp_diag \
        udp_diag inet_diag netlink_diag af_packet_diag
    initramfs "$root" >"$directory/node-initramfs.gz"
}

# Boots $KERNEL. What it writes stays in memory, so that each has the same disk.
boot() {
    local begin=$SECONDS more=
    # Without a policy, which is enough for processes to have labels.
    [[ $KERNEL != *+selinux ]] || more="security=selinux selinux=1"
    locked unpack_kernel
    make_node_initramfs
    echo "booting Linux ${modules##*/}"
    emulate -m 1536 -smp 1 -initrd "$directory/node-initramfs.gz" -device virtio-rng-pci \
        -drive file="$disk",if=virtio,format=raw,snapshot=on \
        -append "console=$console quiet loglevel=4 mitigations=off panic=-1 $more" |
        tee "$1" | sed -un '/^kernel [0-9]/,/^[0-9]* passed/p' || true
    echo "took $((SECONDS - begin)) s"
}

# summarize LOG: adds what it counted, and writes its results as a table.
summarize() {
    local summary
    summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1) || summary="0 passed, 1 failed"
    [[ $summary != "0 passed"* ]] || echo "Linux $KERNEL ended without a summary, or took longer than $limit s: see $1"
    read -r added _ more _ <<<"${summary/,/}"
    passed=$((passed + added)) failed=$((failed + more))
    awk -F'|' -v name="$KERNEL" -f Tests/VirtualMachine/table.awk "$1" >"${1%.log}.table"
}

[[ $qemu ]] || skip "it is written for amd64 and arm64 only"
[[ -x $criu && -x $bin/containerd-shim-zeropod-v2 ]] || fail "$bin is not complete: make shim criu ${ARCH:+ARCH=$ARCH}"
[[ -x $checks ]] || fail "there is no $checks: make node-checks ${ARCH:+ARCH=$ARCH}"
locked install_packages
[[ -z $foreign ]] || export ZEROPOD_CC="$(dirname "$(readlink -f "$(command -v swiftc)")")/clang --target=aarch64-linux-gnu --sysroot=$(.ci/cross --where arm64) -fuse-ld=lld"
"$node" build 2.1
make_disk "$@"
passed=0 failed=0 tables=()
for KERNEL in $KERNEL; do
    boot "$directory/node-$KERNEL.log"
    summarize "$directory/node-$KERNEL.log"
    tables+=("$directory/node-$KERNEL.table")
done
rm -f "$disk"
cat "${tables[@]}"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
