# Ends a node, and removes its state.
. "$here/end.sh"
name=${1:-}
check_name "$name"
end_node
[[ ${2:-} == --keep ]] || rm -rf "$(state_of "$name")"
