# What a machine that lacks something leads to: one line that names the thing and the way out, before anything is built.
# Sourced by `run`. The commands are those of a copy of the checkout without sources, so that what they make shows.

copy=$scratch/copy
mkdir -p "$copy/Tests"
cp -r Makefile .ci "$copy"
cp -r Tests/Node "$copy/Tests"

# refuses WORDS [COMMAND...]: what the command says, without make's own line, is one line with these words in it.
refuses() {
    local words=$1 said status=0
    shift
    said=$("$@" 2>&1) && status=1
    said=$(grep -v '^make' <<<"$said")
    echo "$said"
    [[ -n $said && $(wc -l <<<"$said") == 1 && $said == *"$words"* && ! -e $copy/.build && ! -e $copy/build/bin ]] || status=1
    rm -rf "$copy"/{.build,build}
    return "$status"
}
demo() { "$@" make -C "$copy" demo; }
privately() { unshare --mount --propagation private bash -ec "$1" "${@:2}"; }

swift_that_says() {
    printf '#!/bin/sh\necho "%s"\nexit %d\n' "$1" "$2" >"$scratch/swift"
    chmod 755 "$scratch/swift"
    demo env SWIFT="$scratch/swift"
}

nobody() { setpriv --reuid=65534 --inh-caps=+dac_read_search --ambient-caps=+dac_read_search "$@"; }

small_disk() {
    privately 'mount -t tmpfs -o size=8m small "$0/small" && cp -r "$0"/copy/. "$0/small" && make -C "$0/small" demo' "$scratch"
}

without_bpf() {
    privately 'grep -v bpf /proc/filesystems >"$0/filesystems"; mount --bind "$0/filesystems" /proc/filesystems
        make -C "$0/copy" demo' "$scratch"
}

on_overlay() {
    privately 'cd "$0/layers" && mkdir -p lower upper work
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work layers "$0/small" && cp -r "$0"/copy/. "$0/small"
        make -C "$0/small" demo' "$scratch"
}

mkdir -p "$scratch"/{small,layers,none}
check "no root: one line" refuses 'needs root: sudo make demo' demo nobody
check "no Swift: one line" refuses 'install Swift 6.2 or later' demo env SWIFT=no-such-swift
check "sudo without the user's PATH: one line" refuses 'sudo env PATH="$PATH" make demo' \
    demo env SUDO_USER=somebody SWIFT=no-such-swift
check "an old Swift: one line" refuses '6.2 or later is needed' swift_that_says 'Swift version 5.9.2 (swift-5.9.2-RELEASE)' 0
check "a Swift that does not start: one line" refuses 'libxml2.so.2' swift_that_says 'cannot open libxml2.so.2' 127
check "no network: one line" refuses "mirror" demo unshare --net
check "a full disk: one line" refuses 'MB free' small_disk
check "an old kernel: one line" refuses '5.9 or later' demo setarch --uname-2.6
check "a kernel without BPF: one line" refuses 'CONFIG_BPF_SYSCALL' without_bpf
check "no control groups: one line" refuses 'no control groups are mounted' \
    privately 'umount -R /sys/fs/cgroup; make -C "$0/copy" demo' "$scratch"
check "inside a container: one line" refuses 'inside a container' demo setpriv --bounding-set=-sys_admin
check "on a container's own file system: one line" refuses 'no overlay' on_overlay

# A machine with one version of control groups is enough.
container_runs() {
    privately "$1"'
        trap "Tests/Node/node down groups" EXIT
        .ci/preflight node
        Tests/Node/node up groups --bin build/bin
        Tests/Node/node run groups ctr -n k8s.io run --rm --runtime io.containerd.zeropod.v2 zeropod.test/busybox:1 one true'
}
check "a machine without control groups of version 1" container_runs \
    'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup'
check "a machine without control groups of version 2" container_runs \
    'for mount in $(awk "/ - cgroup2 / { print \$5 }" /proc/self/mountinfo | grep -v "^/sys/fs/cgroup$"); do umount "$mount"; done'

# A demo that fails, here for want of a shim.
demo_that_fails() {
    local said last
    ! said=$(ZEROPOD_SHIM_DIRECTORY=$scratch/none .build/debug/zeropod-demo 2>&1) || return 1
    echo "$said"
    last=${said##*$'\n'}
    [[ $last == 'demo: '*'failed to resolve runtime path'* && $(wc -l <<<"$said") -le 6 && $said == *build/demo.log* ]] &&
        grep -q 'what the shims logged' build/demo.log
}
check "a demo that fails ends with the line that matters" demo_that_fails

# Nothing is removed through a mount, nor from a node that is up.
clean_keeps() { refuses "$1" privately "$2" "$copy" && [[ -e $scratch/precious/file ]]; }
clean_removes() {
    mkdir -p "$copy"/{build/node/roots,.build}
    make -C "$copy" clean && [[ ! -e $copy/build && ! -e $copy/.build ]]
}
mkdir -p "$scratch/precious"
touch "$scratch/precious/file"
check "make clean: a mount is named" clean_keeps "sudo umount $copy/build/node/roots/x/proc" \
    'mkdir -p "$0/build/node/roots/x/proc"; mount --bind "$0/../precious" "$0/build/node/roots/x/proc"; make -C "$0" clean'
check "make clean: a node that is up is named" clean_keeps 'sudo Tests/Node/node down dev' \
    'mkdir -p "$0/build/node/dev"; set +e; . "$0/Tests/Node/common.sh"; echo "$$ $(start_time $$)" >"$0/build/node/dev/pid"; make -C "$0" clean'
check "make clean" clean_removes

# Also if it was there when the list was made: building comes first.
mount_is_left_over() {
    mkdir -p "$copy/build/"{node,root/proc}
    privately 'cd "$0"; mount --bind /proc build/root/proc; .ci/leftovers list >build/before; ! .ci/leftovers since build/before 0' \
        "$copy" | grep -x "mount $copy/build/root/proc"
}
check "a mount that building leaves is told as left over" mount_is_left_over
