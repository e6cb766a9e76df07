# What holds of all documents together, and what the programs say of themselves. Sourced by `run`.

no_exception_is_stale() {
    local line status=0
    while read -r line; do
        Tests/Documents/commands "${documents[@]}" | cut -f 3 | grep -qxF "$line" || {
            echo "no document shows: $line"
            status=1
        }
    done < <(grep -vE '^(#|$)' Tests/Documents/exceptions)
    # Each group stands below its reason.
    awk '/^#/ { reason = 1; next } /^$/ { reason = 0; next } !reason { print "without a reason: " $0; bad = 1 } END { exit bad }' \
        Tests/Documents/exceptions && return "$status"
}

targets_exist() {
    local target status=0
    for target in $(grep -ohE '(`|sudo )make [a-z-]+' "${documents[@]}" | sed 's/.* //' | sort -u); do
        grep -qE "^$target:" Makefile || {
            echo "the Makefile has no target $target"
            status=1
        }
    done
    return "$status"
}

verbs() { "$scratch/opt/zeropod/bin/zeropod" --help | grep -oE '^(usage:)? +zeropod [a-z]+' | sed 's/.* //' | sort -u; }

verbs_exist() {
    local verb status=0
    for verb in $(grep -ohE '`(/opt/zeropod/bin/)?zeropod [a-z]+' "${documents[@]}" | sed 's/.* //' | sort -u); do
        verbs | grep -qx "$verb" || {
            echo "there is no zeropod $verb"
            status=1
        }
    done
    return "$status"
}

# The columns of the sample are those of a run.
status_is_as_shown() {
    local shown run
    shown=$(sed -n '/^\$ .*zeropod status/{n;p}' README.md)
    run=$(Tests/Node/node run demo /opt/zeropod/bin/zeropod status | head -n 1)
    [[ -n $run && $(tr -s ' ' <<<"$shown") == "$(tr -s ' ' <<<"$run")" ]] || {
        printf 'shown: %s\nrun:   %s\nmake readme writes it anew\n' "$shown" "$run"
        return 1
    }
}

# A command that does not work, or an exception that nobody shows, is found.
mistakes_are_found() {
    local document=$scratch/broken.md
    printf '```sh\nsudo make demmo\n```\n' >"$document"
    Tests/Documents/run "$document" | tee "$document.said"
    grep '^✘ .*sudo make demmo' "$document.said" && grep -x '0 passed, 1 failed' "$document.said"
}

check "make help" make help
for verb in $(verbs); do check "zeropod $verb --help" "$scratch/opt/zeropod/bin/zeropod" "$verb" --help; done
check "every exception is in a document, and has a reason" no_exception_is_stale
check "a command that does not work is found" mistakes_are_found
check "every make target that is named exists" targets_exist
check "every verb of zeropod that is named exists" verbs_exist
check "README: the columns of zeropod status" status_is_as_shown
check "README: the table is that of docs/benchmark.json" Tests/Documents/readme --check
