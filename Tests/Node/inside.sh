# How to run something in a node's namespaces and cgroups. Sourced.

# inside NAME COMMAND...
inside() {
    local pid
    pid=$(require_up "$1")
    (
        join_cgroups "$1"
        shift
        exec nsenter --target "$pid" --mount --pid --net --uts --ipc --cgroup --root --wd \
            /usr/bin/env -i PATH=/opt/zeropod/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
    )
}

# A group that hands controllers to its children holds no process itself: its processes are in `init`.
join_cgroups() {
    local directory
    for directory in $(cgroups_of "$1"); do
        [[ ! -d $directory/init ]] || directory=$directory/init
        echo "$BASHPID" >"$directory/cgroup.procs"
    done
}
