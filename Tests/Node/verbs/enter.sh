# A shell inside the node, for a person.
. "$here/inside.sh"
require_up "${1:-}" >/dev/null
inside "$1" bash --login
