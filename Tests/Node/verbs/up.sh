# Starts a node: cgroups, namespaces with init.sh as PID 1, containerd, and the images in it.
. "$here/boot.sh"
. "$here/images/images.sh"
. "$here/packages.sh"

name=${1:-}
check_name "$name"
shift
GENERATION=2.1 BIN='' DEBUG='' MOUNTS='' SYSTEMD=''
CGROUP=$([[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && echo v2 || echo v1)
while (($#)); do
    case $1=${2:-} in
    --containerd=*) GENERATION=$2 && shift ;;
    --bin=?*) BIN=$(readlink -f "$2") && shift ;;
    --mount=/*:/*) MOUNTS+="$2"$'\n' && shift ;;
    --cgroup=v[12]) CGROUP=$2 && shift ;;
    --systemd=*) SYSTEMD=yes CGROUP=v2 ;;
    --debug=*) DEBUG=yes ;;
    *) fail "up: cannot make sense of $*" ;;
    esac
    shift
done
[[ -z $BIN || -d $BIN ]] || fail "--bin: no directory $BIN"
if pid=$(pid_of "$name"); then fail "$name is up already, pid $pid"; fi

state=$(state_of "$name")
[[ -z $SYSTEMD || $GENERATION == 2.1 ]] || fail "--systemd: there is none for containerd $GENERATION"
root=$GENERATION${SYSTEMD:+-systemd}
packages_of "$root" >/dev/null
"$here/node" build "$root"
ROOT=$(root_of "$root") PAUSE=$(pause_program)
import_images() {
    local log=$state/log/import.log
    inside "$name" ctr -n k8s.io images import --local - <"$(images_archive)" >"$log" 2>&1 ||
        fail "the images could not be imported: $(tail -n 3 "$log")"
    await 120 images_known || fail "containerd's CRI does not know the images that were imported"
}

images_known() {
    local known expected
    known=$(known_images "$name" | wc -l)
    expected=$(tar -xOf "$(images_archive)" ./manifest.json | jq length)
    ((known == expected))
}

rm -rf "$state"
mkdir -p "$state/log"
# For when it is started again, too.
echo "${DEBUG:+--log-level debug}" >"$state/containerd-options"
NAME=$name
declare -p NAME GENERATION BIN MOUNTS CGROUP SYSTEMD ROOT PAUSE | sed 's/^declare --/export/' >"$state/boot"
boot "$name"
import_images
say "$name is up: containerd $GENERATION, socket $("$here/node" socket "$name")"
