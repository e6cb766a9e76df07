# Makes one of the images in extra/, once, and gives it to a node.
. "$here/containerd.sh"
. "$here/extra/extra.sh"

require_up "${1:-}" >/dev/null
[[ -f $here/extra/${2:-}/image.sh ]] || fail "image: there is no extra image '${2:-}'"
exec {lock}>"$made/.lock"
flock "$lock"
make_extra "$2"
exec {lock}>&-
inside "$1" ctr -n k8s.io images import --local - <"$(extra_archive "$2")" >/dev/null
image_known() { known_images "$1" | grep -qx "zeropod.test/$2:1"; }
await 120 image_known "$@" || fail "containerd's CRI does not know the image that was imported"
