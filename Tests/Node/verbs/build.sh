# Makes what every node needs, once: a root file system for each containerd, and the images that tests run.
# All of it comes from Debian packages; a registry is never asked.
. "$here/packages.sh"
. "$here/images/images.sh"

mkdir -p "$build"
# Two callers may come at once: the second waits here and then finds everything made.
exec {lock}>"$build/.lock"
flock "$lock"
install_tools
for root in "${roots[@]}"; do make_root "$root"; done
make_images
exec {lock}>&-
