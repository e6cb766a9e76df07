# Shared by the node's verbs: where things are, how they speak, and what belongs to a node. Sourced, never run.
set -euo pipefail
shopt -s nullglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${ZEROPOD_NODE_BUILD:-$(cd "$here/../.." && pwd)/build/node}
generations=(2.1 1.7)
# What is made or downloaded once is kept outside the checkout, under names that tell what it was made of: the next checkout
# on this machine has it, too.
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/zeropod
made=$cache/node
# What is made of Debian packages: a root file system for each, one with systemd, and what the images have.
roots=("${generations[@]}" 2.1-systemd apps)

say() { printf 'node: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# A node's name is part of paths and of cgroup names.
check_name() {
    [[ ${1:-} =~ ^[a-z0-9][a-z0-9.-]{0,40}$ ]] || fail "a node needs a name of a-z, 0-9, '.' and '-', not '${1:-}'"
}

# Workers of `make test` have nodes side by side, whose names differ outside of the tests.
worker=${ZEROPOD_TEST_WORKER:+-worker$ZEROPOD_TEST_WORKER}

state_of() { printf '%s/%s%s' "$build" "$1" "$worker"; }

# The node's PID 1, seen from outside; fails when the node is not up. The start time guards against a pid used again.
pid_of() {
    local pid started state
    state=$(state_of "$1")
    read -r pid started 2>/dev/null <"$state/pid" || return 1
    [[ $(start_time "$pid") == "$started" ]] || return 1
    printf '%s' "$pid"
}

# Field 22 of stat, counted from behind the command name, which may hold blanks. Nothing for a process that ended, even
# if nobody has reaped it.
start_time() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} == Z ]] || printf '%s' "${fields[19]}"
}

require_up() {
    check_name "${1:-}"
    pid_of "$1" || fail "$1 is not up"
}

# Every cgroup hierarchy of this machine: its mount point and options, one a line.
hierarchies() {
    awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5, $(i + 1), $(i + 3) }' /proc/self/mountinfo
}

# The directories of the node's cgroup, one in each hierarchy. Its name says which checkout the node belongs to.
cgroups_of() {
    local checkout mount
    read -r checkout _ < <(cksum <<<"$build")
    hierarchies | while read -r mount _; do printf '%s/zeropod-node.%s.%s%s\n' "$mount" "$checkout" "$1" "$worker"; done
}

existing_cgroups() {
    local directory
    for directory in $(cgroups_of "$1"); do [[ ! -d $directory ]] || printf '%s\n' "$directory"; done
}

gone() { [[ -z $(start_time "$1") ]]; }

# Runs until the command succeeds, or fails after so many seconds.
await() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}
