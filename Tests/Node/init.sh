#!/bin/bash
# PID 1 of a node, started by verbs/up.sh in fresh mount, pid, net, uts, ipc and cgroup namespaces: mounts what a
# machine has mounted, turns the root file system into /, sets up the network, and then only reaps.
# NAME, GENERATION, BIN, MOUNTS, CGROUP, SYSTEMD, ROOT and PAUSE come from the environment.
. "$(dirname "$(readlink -f "$0")")/common.sh"
state=$(state_of "$NAME")

# This is still the machine's /proc, so it tells the pid by which `down` will find us.
read -r pid _ </proc/self/stat
printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$state/pid.new"
# Whole from the first moment: who waits takes half of it for a node that has ended.
mv "$state/pid.new" "$state/pid"

mount_root() {
    [[ ! -e $state/booted ]] || REBOOTED=yes
    mkdir -p "$state"/{root,upper,work,containerd,zeropod,log}
    mount -t overlay -o "lowerdir=$ROOT,upperdir=$state/upper,workdir=$state/work" "node.$NAME" "$state/root"
    cd "$state/root"
    mkdir -p old var/lib/{containerd,zeropod} etc/{cni/net.d,containerd/conf.d}
    chmod 700 var/lib/zeropod "$state/zeropod"
    # Not in the overlay: containerd's snapshots are overlays themselves, and those do not stack.
    mount --bind "$state/containerd" var/lib/containerd
    mount --bind "$state/zeropod" var/lib/zeropod
    mount --bind "$state/log" var/log
    mkdir -p var/log/pods
    MOUNTS+=${BIN:+$BIN:/opt/zeropod/bin$'\n'}
    # Libraries of the daemon, beside the programs as an installation has them.
    [[ -z $BIN || ! -d $BIN/../lib ]] || MOUNTS+=$BIN/../lib:/opt/zeropod/lib
    local mount mounts source target
    readarray -t mounts < <(printf '%s' "$MOUNTS")
    for mount in "${mounts[@]}"; do
        IFS=: read -r source target <<<"$mount"
        mkdir -p ".$target"
        mount --bind -o ro "$source" ".$target"
    done
    [[ -e $state/booted ]] || install_files
    touch "$state/booted"
}

# What an installation leaves on the disk; what is done to it afterwards outlives a reboot.
install_files() {
    cp "$here/conf/10-bridge.conflist" etc/cni/net.d/
    cp "$here/conf/containerd-$GENERATION.toml" etc/containerd/config.toml
    [[ ! -e ${BIN:-}/../criu/criu ]] || install -m 755 "$BIN/../criu/criu" usr/sbin/criu
    install -m 755 "$here/conf/recording-runc" usr/local/bin/recording-runc
    # Tests would otherwise wait most of their time.
    mkdir -p etc/zeropod
    printf 'shortest-idle = 100ms\nlongest-start = 5s\nsleeps-per-minute = 100000\n' >etc/zeropod/node.conf
    printf '127.0.0.1 localhost\n::1 localhost\n' >etc/hosts
    : >etc/resolv.conf
    echo "$NAME" >etc/hostname
}

mount_system() {
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount -t bpf bpf sys/fs/bpf
    mount --rbind /dev dev
    mount --make-rslave dev
    mount -t tmpfs -o mode=1777 shm dev/shm
    mount -t tmpfs -o mode=755 run run
    mount -t tmpfs -o mode=1777 tmp tmp
    "mount_cgroup_$CGROUP"
    [[ -z ${REBOOTED:-} ]] || show_another_boot
}

# The kernel is still that of the machine.
show_another_boot() {
    cat proc/sys/kernel/random/uuid >run/boot-id
    mount --bind run/boot-id proc/sys/kernel/random/boot_id
}

# The same hierarchies at the same places as on this machine; the cgroup namespace shows each from the node's group on.
mount_cgroup_v1() {
    local mount type options
    mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
    hierarchies | while read -r mount type options; do
        mkdir -p ".$mount"
        if [[ $type == cgroup ]]; then
            mount -t cgroup -o "$(cgroup_options "$options")" cgroup ".$mount"
        else
            mount -t cgroup2 cgroup2 ".$mount"
        fi
    done
}

# Of a hierarchy's options those that say which one it is.
cgroup_options() {
    local option options=()
    for option in ${1//,/ }; do
        case $option in
        name=*) options+=(none "$option") ;;
        rw | ro | xattr | clone_children | release_agent=*) ;;
        *) options+=("$option") ;;
        esac
    done
    (IFS=, && echo "${options[*]}")
}

mount_cgroup_v2() {
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mkdir -p sys/fs/cgroup/init
    local controllers
    # The file is empty, without an end of line even, where version 1 has all of them.
    read -ra controllers <sys/fs/cgroup/cgroup.controllers || true
    await 60 hand_over_controllers
    # On a machine whose controllers are all taken by version 1.
    [[ " ${controllers[*]} " == *' cpu '* ]] || install -m 755 "$here/conf/runc-without-limits" usr/local/sbin/runc
}

# A group that hands controllers to its children may hold no process itself: we move one level down. The shell that
# started us may need another moment to be gone.
hand_over_controllers() {
    echo 1 >sys/fs/cgroup/init/cgroup.procs
    ((!${#controllers[@]})) || echo "${controllers[*]/#/+}" >sys/fs/cgroup/cgroup.subtree_control
} 2>/dev/null

enter_root() {
    pivot_root . old
    umount -l /old
    rmdir /old
    cd /
    # As systemd leaves it: mounts of containers with shared propagation work.
    mount --make-rshared /
}

# The node is a router: pods on a bridge behind it, and beyond a veth a namespace `client`, which stands for everybody
# who is not on the node.
set_up_network() {
    hostname "$NAME"
    ip link set lo up
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
    echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
    ip netns add client
    ip netns exec client sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
    ip link add client0 type veth peer name eth0 netns client
    ip address add 10.99.0.1/24 dev client0
    ip address add fd00:99::1/64 dev client0
    ip link set client0 up
    ip -n client link set lo up
    ip -n client address add 10.99.0.2/24 dev eth0
    ip -n client address add fd00:99::2/64 dev eth0
    ip -n client link set eth0 up
    ip -n client route add default via 10.99.0.1
    ip -n client route add default via fd00:99::1
}

# No more of it than runc wants: scopes and slices, asked for over D-Bus. It takes the cgroup that it starts in for the
# root of all, so that has to be the hierarchy's; what is run from outside stays in `init`.
become_systemd() {
    printf '[Unit]\nWants=dbus.socket\n' >/etc/systemd/system/node.target
    echo 1 >/sys/fs/cgroup/cgroup.procs
    exec env -i container=test-node PATH="$PATH" /usr/lib/systemd/systemd --unit=node.target --log-target=null
}

mount_root
mount_system
cp "$PAUSE" run/pause
enter_root
set_up_network
touch /run/ready
[[ -z $SYSTEMD ]] || become_systemd
exec /run/pause
