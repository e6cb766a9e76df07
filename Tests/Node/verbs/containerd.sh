# Ends or starts a node's containerd while its shims and containers live on: what an upgrade of containerd looks like.
. "$here/containerd.sh"
require_up "${1:-}" >/dev/null
case ${2:-} in
start) start_containerd "$1" ;;
stop) stop_containerd "$1" ;;
*) fail "containerd: start or stop" ;;
esac
