# Ends a node: its PID 1, and with it every process in its namespaces, whose mounts, links and pins go with them.
name=${1:-}
check_name "$name"

# What is still in the node's cgroups entered them from outside, or is a node that broke down while it was set up.
without_cgroups() {
    local directory pid
    for directory in $(existing_cgroups "$name"); do
        while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done < <(find "$directory" -name cgroup.procs -exec cat {} + 2>/dev/null)
        find "$directory" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done
    [[ -z $(existing_cgroups "$name") ]]
}

if pid=$(pid_of "$name"); then
    kill -KILL "$pid"
    await 240 gone "$pid" || fail "$name: process $pid does not end"
fi
await 120 without_cgroups || fail "$name: cgroups remain: $(existing_cgroups "$name")"
[[ ${2:-} == --keep ]] || rm -rf "$(state_of "$name")"
