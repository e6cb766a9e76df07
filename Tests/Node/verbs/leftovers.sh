# Lists what should not be there: of a node that is down, anything at all; of one that is up and runs no pods any more,
# what its pods left. Nothing printed and status 0: clean.
. "$here/inside.sh"
name=${1:-}
check_name "$name"

of_the_node() {
    existing_cgroups "$name" | sed 's/^/cgroup /'
    awk -v at="$(state_of "$name")/" 'index($5, at) == 1 { print "mount", $5 }' /proc/self/mountinfo
    [[ ! -e $(state_of "$name")/pid ]] || echo "state $(state_of "$name")"
}

if pid_of "$name" >/dev/null; then
    found=$(inside "$name" bash -c "$(<"$here/left-by-pods")")
else
    found=$(of_the_node)
fi
[[ -z $found ]] || {
    printf '%s\n' "$found"
    exit 1
}
