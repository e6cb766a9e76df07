# Ending a node: its PID 1, and with it every process in its namespaces, whose mounts, links and pins go with them. Sourced.

# What is frozen under cgroups v1 does not end by SIGKILL before it goes on.
thaw() {
    local file
    for file in $(existing_cgroups "$name" | xargs -r -I{} find {} -name freezer.state -o -name cgroup.freeze); do
        if [[ $file == *.state ]]; then echo THAWED >"$file"; else echo 0 >"$file"; fi 2>/dev/null || true
    done
}

# What is still in the node's cgroups entered them from outside, or is a node that broke down while it was set up.
without_cgroups() {
    local directory pid
    for directory in $(existing_cgroups "$name"); do
        while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done < <(find "$directory" -name cgroup.procs -exec cat {} + 2>/dev/null)
        thaw
        find "$directory" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done
    [[ -z $(existing_cgroups "$name") ]]
}

end_node() {
    local pid
    if pid=$(pid_of "$name"); then
        kill -KILL "$pid"
        thaw
        await 240 gone "$pid" || fail "$name: process $pid does not end"
    fi
    await 120 without_cgroups || fail "$name: cgroups remain: $(existing_cgroups "$name")"
}
