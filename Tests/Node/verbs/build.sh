# Makes what nodes need, once: the images that tests run, and root file systems, those named or all. All of it comes from
# Debian packages; a registry is never asked.
. "$here/packages.sh"
. "$here/images/images.sh"

mkdir -p "$made"
# Two callers may come at once: the second waits here and then finds everything made.
exec {lock}>"$made/.lock"
flock "$lock"
install_tools
(($#)) || set -- "${roots[@]}"
# Side by side: each waits for the mirror a good part of the time. The images are made of `apps`.
makers=()
for root in $(printf '%s\n' "$@" apps | sort -u); do
    make_root "$root" &
    makers+=($!)
done
for maker in "${makers[@]}"; do wait "$maker"; done
make_images
exec {lock}>&-
