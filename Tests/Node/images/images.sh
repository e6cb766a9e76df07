# The images that tests run, as one archive in docker's format: zeropod.test/{pause,busybox,nginx,redis,python,holder}:1.
# The applications share one layer of Debian packages, so the archive stays small and is unpacked once. Sourced.

app_packages=(base-files busybox-static nginx redis-server python3)

images_archive() {
    local contents
    contents=$(cat "$here"/images/* <(printf '%s\n' "${app_packages[@]}") | sha256sum)
    printf '%s/images/%s.tar' "$build" "${contents:0:8}"
}

make_images() {
    local archive
    archive=$(images_archive)
    [[ -f $archive ]] && return
    say "making the images from Debian packages"
    rm -rf "$build/images"
    mkdir -p "$build/images"
    bootstrap "$build/images/debian" trixie extract "$(IFS=, && echo "${app_packages[*]}")"
    fill_layers
    write_images
    tar -C "$build/images/archive" -cf "$archive.partial" .
    mv "$archive.partial" "$archive"
    rm -r "$build/images"/{layers,archive}
}

# What the layers hold: one directory each.
fill_layers() {
    local layers=$build/images/layers debian=$build/images/debian
    mkdir -p "$layers"/{pause,busybox/{bin,tmp,srv,root},nginx/{etc/nginx,srv},python/{usr/bin,tmp},holder}
    compile pause "$layers/pause/pause"
    # A node's PID 1 has the same work to do.
    cp "$layers/pause/pause" "$build/images/pause"
    compile holder "$layers/holder/holder"
    cp "$debian/usr/bin/busybox" "$layers/busybox/bin/"
    "$debian/usr/bin/busybox" --list | grep -vx busybox |
        while read -r applet; do ln -s busybox "$layers/busybox/bin/$applet"; done
    cp "$here/images/nginx.conf" "$layers/nginx/etc/nginx/"
    echo 'hello from nginx' >"$layers/nginx/srv/index.html"
    cp "$here/images/server.py" "$layers/python/usr/bin/"
    # Run once, so that Python's compiled modules are in the image and no container writes them.
    mount -t tmpfs tmpfs "$debian/tmp"
    cp "$here/images/server.py" "$debian/tmp/"
    chroot "$debian" python3 /tmp/server.py --warm
    umount "$debian/tmp"
    local root
    for root in "$layers/busybox" "$debian"; do
        mkdir -p "$root"/{etc,srv}
        echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
        echo 'root:x:0:' >"$root/etc/group"
    done
    rm -rf "$debian"/usr/share/{doc,man,locale,perl5,zoneinfo} "$debian"/usr/lib/x86_64-linux-gnu/{gconv,perl*} \
        "$debian"/var/{lib/dpkg,lib/apt,cache/apt} "$debian"/dev/*
    mv "$debian" "$layers/debian"
}

compile() { cc -static -O2 -Wall -Werror -o "$2" "$here/images/$1.c"; }

write_images() {
    local archive=$build/images/archive
    mkdir "$archive"
    echo '[]' >"$archive/manifest.json"
    image pause '{"Entrypoint": ["/pause"]}' pause
    image holder '{"Entrypoint": ["/holder"]}' holder
    image busybox '{"Cmd": ["sh"]}' busybox
    image nginx '{"Cmd": ["nginx"]}' debian nginx
    image redis '{"Cmd": ["redis-server", "--bind", "* -::*", "--protected-mode", "no", "--save", ""]}' debian
    image python '{"Cmd": ["python3", "/usr/bin/server.py"]}' debian python
}

# image NAME CONFIG LAYER...
image() {
    local archive=$build/images/archive name=$1 config=$2 layer digest
    local files=() digests=()
    shift 2
    for layer; do
        [[ -f $archive/$layer.tar ]] ||
            tar -C "$build/images/layers/$layer" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
                -cf "$archive/$layer.tar" .
        digest=$(sha256sum <"$archive/$layer.tar")
        files+=("$layer.tar")
        digests+=("sha256:${digest%% *}")
    done
    jq -n --argjson config "$config" '{
        architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: $ARGS.positional},
        config: ({Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]} + $config)
    }' --args "${digests[@]}" >"$archive/$name.json"
    jq --arg name "$name" '. + [{
        Config: ($name + ".json"), RepoTags: ["zeropod.test/" + $name + ":1"], Layers: $ARGS.positional
    }]' "$archive/manifest.json" --args "${files[@]}" >"$archive/manifest.new"
    mv "$archive/manifest.new" "$archive/manifest.json"
}
