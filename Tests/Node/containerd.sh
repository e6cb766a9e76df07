# Starting and ending a node's containerd. Sourced.
. "$here/inside.sh"

start_containerd() {
    local name=$1
    # The shell ends at once, so that containerd is a child of the node's PID 1.
    inside "$name" bash -c 'exec containerd "$@" >>/var/log/containerd.log 2>&1 & echo $! >/run/containerd.pid' \
        containerd $(cat "$(state_of "$name")/containerd-options")
    await 120 serving "$name" || {
        tail -n 40 "$(state_of "$name")/log/containerd.log" >&2
        fail "containerd of $name does not answer; its log ends as above"
    }
}

# The CRI plugin begins a moment after the rest. This is its call ListContainers, with an empty message.
serving() {
    local socket
    socket=$("$here/node" socket "$1")
    printf '\0\0\0\0\0' | curl -s --max-time 20 --include --http2-prior-knowledge --unix-socket "$socket" \
        --data-binary @- -H 'content-type: application/grpc' -H 'te: trailers' \
        http://containerd/runtime.v1.RuntimeService/ListContainers 2>/dev/null | grep -qai 'grpc-status: 0'
}

# CRI learns of images by events, a little later. This is its call ListImages, with an empty message.
known_images() {
    local socket
    socket=$("$here/node" socket "$1")
    printf '\0\0\0\0\0' | curl -s --http2-prior-knowledge --unix-socket "$socket" --data-binary @- \
        -H 'content-type: application/grpc' -H 'te: trailers' \
        http://containerd/runtime.v1.ImageService/ListImages | grep -aoE 'zeropod\.test/[a-z]+:1' | sort -u
}

stop_containerd() {
    inside "$1" bash -c 'read -r pid </run/containerd.pid && kill "$pid" && while kill -0 "$pid"; do sleep 0.02; done' \
        2>/dev/null || true
}
