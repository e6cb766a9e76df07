# A root file system of a Debian, and a shell in it as on a machine of its own. Sourced after Tests/Node/packages.sh, with
# `root` naming the directory, which is removed at the end.

# The groups that a node of a checkout in `copy` made are removed too, if it was ended before it could.
remove_root() {
    local directory
    if [[ -n ${copy:-} ]]; then
        for directory in $(build=$copy/build/node cgroups_of '*'); do
            find $directory -depth -type d -exec rmdir {} \; 2>/dev/null || true
        done
    fi
    rm -rf --one-file-system "$root" "$root.list" "$root.log"
}

# SUITE PACKAGE,…: what is required of every Debian, and these.
make_bare_root() {
    rm -rf --one-file-system "$root"
    mkdir -p "${root%/*}"
    trap remove_root EXIT
    sources "$1" >"$root.list"
    unpack --mode=root --variant=minbase --aptopt='Acquire::Retries "3"' --include="$2" "$1" "$root" \
        "$root.list" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        fail "no root file system of $1; see above"
    }
}

# Runs a command line in mount and pid namespaces that end with it. `toolchain` is seen as /opt/swift, if it is set. The root
# is moved to /, rather than entered by chroot, after which the kernel refuses namespaces inside.
enter() {
    unshare --mount --pid --fork --ipc --uts --kill-child --propagation private bash -euc '
        path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        if [[ -n $1 ]]; then
            mkdir -p "$0/opt/swift"
            mount --bind -o ro "$1" "$0/opt/swift"
            path+=:/opt/swift/usr/bin
        fi
        mount --rbind "$0" "$0"
        cd "$0"
        mount -t proc proc proc
        mount --rbind /sys sys
        mount --rbind /dev dev
        mount -t tmpfs -o mode=1777 tmp tmp
        mount -t tmpfs -o mode=755 run run
        mount --move . /
        exec chroot . /usr/bin/env -i HOME=/root TERM=dumb PATH="$path" /bin/bash -c "$2"
    ' "$root" "${toolchain:-}" "$1"
}
