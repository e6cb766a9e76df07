# What a cluster needs beside Kubernetes itself, from Debian sid: etcd, and the kubectl and kustomize that users have. They
# are unpacked, not installed, and seen by the node at /opt/tools. Sourced after Tests/Node/packages.sh.

tools_root=$made/roots/kubernetes-tools-$(date +%Y%m)

# Two may come at once, as with roots of nodes.
make_tools() (
    mkdir -p "$made/roots"
    exec {lock}>"$made/.lock"
    flock "$lock"
    [[ ! -d $tools_root ]] || exit 0
    say "from Debian sid: etcd-server kubectl kustomize"
    rm -rf "$tools_root-partial"
    sources sid >"$tools_root.list"
    unpack --mode=root --variant=extract --include=etcd-server,kubectl,kustomize --aptopt='Acquire::Retries "3"' \
        sid "$tools_root-partial" "$tools_root.list" >"$tools_root.log" 2>&1 || {
        tail -n 20 "$tools_root.log" >&2
        fail "no root file system with Kubernetes' tools; see above"
    }
    mv "$tools_root-partial" "$tools_root"
)
