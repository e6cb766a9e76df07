# Ends a node as a power cut does, and starts it again with what is on its disk: /run is empty, and the kernel, which is
# the machine's, shows another boot id.
. "$here/boot.sh"
. "$here/end.sh"
name=${1:-}
require_up "$name" >/dev/null
end_node
boot "$name"
say "$name is up again"
