# Ends a node: its PID 1, and with it every process in its namespaces, whose mounts, links and pins go with them.
name=${1:-}
check_name "$name"

gone() { [[ ! -d /proc/$1 ]]; }
empty() { rm_cgroups && [[ -z $(existing_cgroups) ]]; }
existing_cgroups() { cgroups_of "$name" | while read -r directory; do [[ ! -d $directory ]] || echo "$directory"; done; }
rm_cgroups() {
    existing_cgroups | while read -r directory; do find "$directory" -depth -type d -exec rmdir {} \; ; done 2>/dev/null
    true
}

if pid=$(pid_of "$name"); then
    kill -KILL "$pid"
    await 20 gone "$pid" || fail "$name: process $pid does not end"
fi
await 10 empty || fail "$name: cgroups remain: $(existing_cgroups)"
[[ ${2:-} == --keep ]] || rm -rf "$(state_of "$name")"
