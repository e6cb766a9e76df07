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

# Runs inside. A parent group such as k8s.io stays for the next pod; so do directories that merely sort things.
of_its_pods() {
    shopt -s nullglob
    local file
    ps -eo pid=,args= | awk '$2 ~ /containerd-shim|zeropod-stand-in|(^|\/)(runc|crun|criu)$/ { print "process", $0 }'
    find /sys/fs/cgroup -mindepth 2 -type d -regextype egrep -regex '.*/((cri-containerd-)?[0-9a-f]{64}(\.scope)?|pod[^/.]*)' -printf 'cgroup %p\n'
    awk '$5 ~ "^/run/containerd/io|^/run/netns/cni-|^/var/lib/zeropod/" { print "mount", $5 }' /proc/self/mountinfo
    for file in /run/netns/cni-* /run/containerd/s/* /run/zeropod/s/* /run/containerd/io.containerd.runtime.v2.task/*/*; do
        echo "file $file"
    done
    find /sys/fs/bpf/zeropod -mindepth 2 -printf 'pin %p\n' 2>/dev/null || true
    find /var/lib/zeropod -mindepth 2 -printf 'image %p\n'
    # Those of the node itself, and none that only an open descriptor or a mount keeps.
    lsns --noheadings --output TYPE,NS,PID,COMMAND 2>/dev/null | awk '$1 != "user" && $3 > 1 { print "namespace", $0 }'
    ip -o link show type veth | awk -F': ' '$2 !~ /^client0/ { print "link", $2 }'
}

if pid_of "$name" >/dev/null; then
    found=$(inside "$name" bash -c "$(declare -f of_its_pods); of_its_pods")
else
    found=$(of_the_node)
fi
[[ -z $found ]] || {
    printf '%s\n' "$found"
    exit 1
}
