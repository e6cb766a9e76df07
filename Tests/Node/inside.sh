# How to run something in a node's namespaces. Sourced.

# inside NAME COMMAND...
inside() {
    local pid
    pid=$(require_up "$1")
    shift
    nsenter --target "$pid" --mount --pid --net --uts --ipc --cgroup --root --wd \
        /usr/bin/env -i PATH=/opt/zeropod/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
}
