#!/bin/bash
# Everything that /proc and the scheduler tell of processes: lines of "PID KEY<tab>VALUE", where PID is what the process
# itself takes for its pid. The processes are given by the node's pids.
shopt -s nullglob

# Without a process of its own: there are hundreds of lines, and virtual machines are slow.
say() { printf '%s %s\t%s\n' "$who" "$1" "${2//$'\n'/ }"; }

file() { say "$1" "$(tr '\0\n' '  ' 2>/dev/null <"$place/$1")"; }

of_a_task() {
    local line
    # Who sleeps waits for a page of its program now and then, as it is looked at.
    while IFS=$'\t' read -r name value; do
        say "status $name" "${value/#D (disk sleep)/S (sleeping)}"
    done < <(cat "$place/status")
    for name in comm cgroup oom_score_adj loginuid sessionid attr/current timerslack_ns personality; do file "$name"; done
    say affinity "$(taskset -p "$task" | sed 's/.*: //')"
    say scheduling "$(chrt -p "$task" | sed 's/.*: //')"
    say ioprio "$(ionice -p "$task")"
    for link in "$place"/ns/*; do say "ns ${link##*/}" "$(readlink "$link")"; done
}

# Neighbours that differ in nothing the kernel makes one mapping of, or leaves two.
merged_maps() {
    local range access offset device inode path begin='' end start last what place_in_file
    while read -r range access offset device inode path; do
        start=$((16#${range%-*})) last=$((16#${range#*-}))
        # Memory has no file that it could be the same of. CRIU shares it by memfd, where it had no name.
        [[ $path != *'(deleted)' || $device != 00:01 ]] || inode=0 path=${path#/memfd:}
        # A file goes on where it was left; what has no file has no place in one.
        if [[ $begin && $start == "$end" && "$access $device $inode $path" == "$what" ]] &&
            ((inode == 0 || 16#$offset == place_in_file + start - begin)); then
            end=$last
            continue
        fi
        [[ -z $begin ]] || printf '%x-%x %s %x\n' "$begin" "$end" "$what" "$place_in_file"
        begin=$start end=$last what="$access $device $inode $path" place_in_file=$((16#$offset))
    done < <(cat "$1")
    [[ -z $begin ]] || printf '%x-%x %s %x\n' "$begin" "$end" "$what" "$place_in_file"
}

declare -a memory
for pid; do
    place=/proc/$pid task=$pid
    own=$(awk '/^NSpid/ { print $NF }' "$place/status")
    who=$own
    of_a_task
    for name in limits coredump_filter environ cmdline uid_map gid_map setgroups timens_offsets; do file "$name"; done
    say 'owner of the pid namespace' "$(lsns -nro ONS -t pid -p "$pid")"
    say timers "$(sed "s/pid\.$pid$/pid.$own/" "$place/timers")"
    # Without the numbers of mounts, and without the device of a procfs: that is a new one, as its pid namespace is.
    say mountinfo "$(cut -d' ' -f3- "$place/mountinfo" | sed '/ - proc /s/^[^ ]* //' | sort)"
    for name in exe cwd root; do say "$name" "$(readlink "$place/$name") $(stat -Lc '%d:%i' "$place/$name")"; done
    # Where, how, and what of: neither how much of it is used.
    while read -r range what; do say "maps $range" "$what"; done < <(merged_maps "$place/maps")
    for descriptor in "$place"/fd/*; do
        number=${descriptor##*/}
        link=$(readlink "$descriptor")
        # Those of a procfs and of processes are others, as the processes are: of the same name, in the same place.
        if [[ $link == /proc/* || $link == *pidfd* ]]; then
            say "fd $number" "$link $(stat -Lc %a "$descriptor")"
            say "fdinfo $number" "$(grep -E '^(pos|flags):' "$place/fdinfo/$number")"
            continue
        fi
        inode=$(stat -Lc %i "$descriptor")
        # Memory that has a descriptor is made anew. Those that shared it share it.
        [[ $link != /memfd:* ]] || memory[inode]=${memory[inode]:-memory${#memory[*]}}
        say "fd $number" "$link $(stat -Lc "%d:${memory[inode]:-%i} %a %h" "$descriptor")"
        # An epoll tells what it watches in an order of its own. Locks of descriptions are told with the pid of who took them.
        say "fdinfo $number" "$(sed "s/^ino:.*/ino: ${memory[inode]:-$inode}/; s/\(FLOCK\|OFDLCK\)\( *[A-Z]* *[A-Z]*\) -*[0-9]*/\1\2/" "$place/fdinfo/$number" | sort)"
    done
    for place in "$place"/task/*; do
        task=${place##*/}
        who=$own/$(awk '/^NSpid/ { print $NF }' "$place/status")
        of_a_task
    done
done
