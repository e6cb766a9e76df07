# Runs a command inside the node, with a clean environment and the caller's stdin, stdout and stderr.
. "$here/inside.sh"
require_up "${1:-}" >/dev/null
inside "$@"
