# Where containerd's socket is, for a caller outside the node.
printf '/proc/%s/root/run/containerd/containerd.sock\n' "$(require_up "${1:-}")"
