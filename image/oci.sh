# What archives of images are made of (OCI image layout), below "$image/oci". Sourced.

# Prints the digest of what stdin holds, and keeps it under that name.
blob() {
    local file digest
    file=$(mktemp -p "$image/oci/blobs/sha256")
    cat >"$file"
    digest=$(sha256sum <"$file")
    chmod 644 "$file"
    mv "$file" "$image/oci/blobs/sha256/${digest%% *}"
    printf 'sha256:%s' "${digest%% *}"
}
size() { stat -c %s "$image/oci/blobs/sha256/${1#sha256:}"; }
descriptor() { # MEDIATYPE DIGEST
    jq -nc --arg type "application/vnd.oci.image.$1" --arg digest "$2" --argjson size "$(size "$2")" \
        '{mediaType: $type, digest: $digest, size: $size}'
}

# The same files give the same image.
pack() { tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - .; }

# name_image DESCRIPTOR MORE: writes what names the image, whose descriptor gets MORE. Once it has its tag for a name and once
# its digest, under which manifests of a release ask for it: an archive that is imported, rather than pulled, has no other
# names than these.
name_image() {
    jq -nc --argjson image "$1" --argjson more "$2" --arg name "$name" '{
        schemaVersion: 2, manifests: [($name, ($name | sub(":[^:/]*$"; "")) + "@" + $image.digest) as $name | $image + $more + {
            annotations: {"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": ($name | split(":") | last)}
        }]
    }' >"$image/oci/index.json"
    echo '{"imageLayoutVersion": "1.0.0"}' >"$image/oci/oci-layout"
}
