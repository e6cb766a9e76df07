# Images that single tests need, each an archive of its own with one layer: nodes that do not ask for them do not pay
# for them. NAME/image.sh says which Debian packages one is made of. Sourced.
. "$here/packages.sh"
. "$here/images/images.sh"

extra_archive() {
    local contents
    contents=$(cat "$here/extra/extra.sh" "$here/extra/$1"/* | sha256sum)
    printf '%s/extra/%s-%s.tar' "$made" "$1" "${contents:0:8}"
}

make_extra() {
    local name=$1 archive images=$made/extra/$1 root option options=()
    archive=$(extra_archive "$name")
    # Debian moves on.
    find "$made/extra" -name '*.tar' -mtime +30 -delete 2>/dev/null || true
    [[ ! -f $archive ]] || return 0
    local packages excluded config
    . "$here/extra/$name/image.sh"
    say "from Debian trixie: $packages"
    rm -rf "$images" "$images"-*.tar
    mkdir -p "$images"/{layers,archive}
    root=$images/layers/$name
    sources trixie >"$images/sources.list"
    for option in doc man locale i18n info lintian perl perl5; do options+=("/usr/share/$option/*"); done
    options+=("${excluded[@]}")
    unpack --mode=root --variant=extract --include="${packages// /,}" "${options[@]/#/--dpkgopt=path-exclude=}" \
        trixie "$root" "$images/sources.list" >"$images.log" 2>&1 || {
        tail -n 20 "$images.log" >&2
        fail "no image $name; see above"
    }
    link_applets "$root/usr/bin"
    fill "$root"
    rm -rf "$root"/var/{lib/dpkg,lib/apt,cache/apt} "${root:?}"/dev/*
    echo '[]' >"$images/archive/manifest.json"
    image "$name" "$config" "$name"
    tar -C "$images/archive" -cf "$archive.partial" .
    mv "$archive.partial" "$archive"
    rm -rf "$images"
}
