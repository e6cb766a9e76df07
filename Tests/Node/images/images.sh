# The images that tests run, as one archive in docker's format: zeropod.test/{pause,busybox,nginx,redis,python,
# peers,holder}:1.
# The applications share one layer of Debian packages, so the archive stays small and is unpacked once. Sourced.

images_archive() {
    local contents
    contents=$({ root_of apps && cat "$here"/images/*; } | sha256sum)
    printf '%s/images/%s.tar' "$made" "${contents:0:8}"
}

# The program of the image pause. A node's PID 1 has the same work to do.
pause_program() { printf '%s.pause' "$(images_archive)"; }

make_images() {
    local archive
    archive=$(images_archive)
    [[ ! -f $archive ]] || return 0
    say "making the images"
    rm -rf "$made/images"/{layers,archive}
    mkdir -p "$made/images"
    find "$made/images" -mtime +60 -delete
    fill_layers
    write_images
    tar -C "$made/images/archive" -cf "$archive.partial" .
    mv "$archive.partial" "$archive"
    rm -rf "$made/images"/{layers,archive}
}

# What the layers hold: one directory each.
fill_layers() {
    local layers=$made/images/layers root
    mkdir -p "$layers"/{pause,holder,busybox/{bin,tmp,root},nginx/{etc/nginx,srv},python/usr/bin,peers/{srv,etc/peers}}
    cp -a "$(root_of apps)" "$layers/debian"
    compile pause "$layers/pause/pause"
    cp "$layers/pause/pause" "$(pause_program)"
    compile holder "$layers/holder/holder"
    cp "$layers/debian/usr/bin/busybox" "$layers/busybox/bin/"
    link_applets "$layers/busybox/bin"
    link_applets "$layers/debian/usr/bin"
    cp "$here/images/nginx.conf" "$layers/nginx/etc/nginx/"
    echo 'hello from nginx' >"$layers/nginx/srv/index.html"
    cp "$here/images/server.py" "$layers/python/usr/bin/"
    cp "$here"/images/{pattern,peers,clients,soak}.py "$layers/peers/srv/"
    cp "$here/images/peers-nginx.conf" "$layers/peers/etc/peers/nginx.conf"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=peers.test \
        -keyout "$layers/peers/etc/peers/key.pem" -out "$layers/peers/etc/peers/certificate.pem" 2>/dev/null
    for root in "$layers"/{busybox,debian}; do
        mkdir -p "$root"/{etc,srv}
        echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
        echo 'root:x:0:' >"$root/etc/group"
    done
    trim_debian "$layers/debian"
}

# busybox under every name that is not taken.
link_applets() {
    "$([[ $foreign ]] || echo "$1/")busybox" --list | while read -r applet; do [[ -e $1/$applet ]] || ln -s busybox "$1/$applet"; done
}

trim_debian() {
    # Run once, so that Python's compiled modules are in the image and no container has to write them.
    if [[ -z $foreign ]]; then
        cp "$here/images/server.py" "$1/tmp/"
        PYTHONDONTWRITEBYTECODE="" chroot "$1" python3 /tmp/server.py --warm
        rm "$1/tmp/server.py"
    fi
    rm -rf "$1"/usr/share/{doc,man,locale,perl5,zoneinfo} "$1"/usr/lib/*-linux-gnu/{gconv,perl*} \
        "$1"/var/{lib/dpkg,lib/apt,cache/apt} "${1:?}"/dev/*
}

# ZEROPOD_CC is a compiler for the processor of the images.
compile() { ${ZEROPOD_CC:-cc} -static -O2 -Wall -Werror -o "$2" "$here/images/$1.c"; }

write_images() {
    local archive=$made/images/archive
    mkdir "$archive"
    echo '[]' >"$archive/manifest.json"
    image pause '{"Entrypoint": ["/pause"]}' pause
    image holder '{"Entrypoint": ["/holder"]}' holder
    image busybox '{"Cmd": ["sh"]}' busybox
    image nginx '{"Cmd": ["nginx"]}' debian nginx
    image redis '{"Cmd": ["redis-server", "--bind", "* -::*", "--protected-mode", "no", "--save", ""]}' debian
    image peers '{"Cmd": ["python3", "/srv/peers.py"]}' debian nginx peers
    image python '{"Cmd": ["python3", "/usr/bin/server.py"]}' debian python
}

# image NAME CONFIG LAYER...
image() {
    local all=${images:-$made/images}
    local archive=$all/archive name=$1 config=$2 layer digest
    local files=() digests=()
    shift 2
    for layer; do
        [[ -f $archive/$layer.tar ]] ||
            tar -C "$all/layers/$layer" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
                -cf "$archive/$layer.tar" .
        digest=$(sha256sum <"$archive/$layer.tar")
        files+=("$layer.tar")
        digests+=("sha256:${digest%% *}")
    done
    jq -n --argjson config "$config" --arg architecture "$architecture" '{
        $architecture, os: "linux", rootfs: {type: "layers", diff_ids: $ARGS.positional},
        config: ({Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]} + $config)
    }' --args "${digests[@]}" >"$archive/$name.json"
    jq --arg name "$name" '. + [{
        Config: ($name + ".json"), RepoTags: ["zeropod.test/" + $name + ":1"], Layers: $ARGS.positional
    }]' "$archive/manifest.json" --args "${files[@]}" >"$archive/manifest.new"
    mv "$archive/manifest.new" "$archive/manifest.json"
}
