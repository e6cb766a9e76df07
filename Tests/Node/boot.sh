# Starting a node's cgroups, namespaces and containerd: the part of `up` that a reboot repeats. Sourced.
. "$here/containerd.sh"

make_cgroups() {
    local directory file
    for directory in $(cgroups_of "$name"); do
        mkdir -p "$directory"
        # A new cpuset group is empty and takes no process before it has its parent's share.
        for file in cpus mems; do
            [[ ! -e $directory/cpuset.$file || -e $directory/cgroup.controllers ]] ||
                cat "${directory%/*}/cpuset.$file" >"$directory/cpuset.$file"
        done
    done
}

# The shell between unshare and init.sh ends at once, so that no process in the node's cgroups is outside its namespaces.
start_init() {
    (
        join_cgroups "$name"
        exec setsid unshare --mount --pid --net --uts --ipc --cgroup --propagation private \
            bash -c '"$0" &' "$here/init.sh" </dev/null >"$state/log/init.log" 2>&1
    ) || true
    await 120 settled || true
    ready || {
        cat "$state/log/init.log" >&2
        fail "the namespaces of $name could not be set up; see above"
    }
}

ready() { [[ -e /proc/$(pid_of "$name")/root/run/ready ]]; }
settled() { ready || { [[ -e $state/pid ]] && ! pid_of "$name" >/dev/null; }; }

# With what `up` was told; the state is that of the node's disk.
boot() {
    name=$1
    state=$(state_of "$name")
    . "$state/boot"
    # That of the former boot says nothing of this one.
    rm -f "$state/pid"
    make_cgroups
    start_init
    [[ -z $SYSTEMD ]] || await 120 inside "$name" systemctl is-active --quiet dbus.socket ||
        fail "systemd of $name does not start"
    start_containerd "$name"
}
