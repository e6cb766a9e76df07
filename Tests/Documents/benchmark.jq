# The README's table of docs/benchmark.json. What each row is called there, and which it is.
[
    ["wake, connect to first byte, ms: busybox httpd", "wake/httpd"],
    ["nginx", "wake/nginx"],
    ["redis", "wake/redis"],
    ["python", "wake/python"],
    ["256 MB touched", "wake/256MB"],
    ["1 GB touched", "wake/1GB"],
    ["python with 2,000 open files", "wake/2000-files"],
    ["python with 200 open connections", "wake/200-connections"],
    ["1 GB, all of it read after the wake", "touch/1GB"],
    ["a request in the middle of a checkpoint, ms; control: a wake of runc", "wake/during-checkpoint"],
    ["sleep, decision to processes gone, ms: httpd", "sleep/httpd"],
    ["256 MB touched", "sleep/256MB"],
    ["python with 200 open connections", "sleep/200-connections"],
    ["CreateContainer and StartContainer, ms", "start"],
    ["exec into a sleeping container; control: a running one, ms", "exec-asleep"],
    ["awake: latency of redis, µs", "awake/latency"],
    ["awake: throughput of redis, requests a second", "awake/throughput"],
    ["awake: one stream, MB/s", "awake/stream"],
    ["shim, private dirty memory, kB: sandbox only", "shim-private/sandbox"],
    ["container running", "shim-private/running"],
    ["container asleep", "shim-private/asleep"],
    ["shim, resident, asleep, kB", "shim-rss/asleep"],
    ["threads, asleep (the shim's and its stand-in's)", "threads/asleep"],
    ["wake-ups of the shim in 60 s, asleep", "wakeups/asleep"],
    ["awake and idle", "wakeups/idle"],
    ["shim's file, kB", "binary-size"],
    ["500 sleeping pods, 50 of them woken at once, all served: ms each", "density/500"]
] as $titles

# Two digits of what is small, three of what is large, and otherwise no fractions.
| def number:
    if . >= 10000 then (. / 100 | round) * 100
    elif . >= 10 then round
    elif . >= 1 then (. * 10 | round) / 10
    elif . >= 0.1 then (. * 100 | round) / 100
    else (. * 1000 | round) / 1000 end;
  def ratio: if . >= 1 then (. * 100 | round) / 100 else number end;
  def cell: if . == null then "–" elif .min == .max then "\(.median | number)"
    else "\(.median | number) (\(.min | number)–\(.max | number))" end;
  def dash: if . == null then "–" else ratio end;

. as $rows
| [$titles[] | .[1] as $name | select(all($rows[]; .name != $name)) | $name] as $missing
| if $missing != [] then "no row \($missing | join(", ")): 'sudo make bench' measures all\n" | halt_error(1) else . end
| ["| | ours: median (min–max) | control: median (min–max) | ratio of the medians |", "|---|---|---|---|"]
  + [$titles[] | . as [$title, $name] | $rows[] | select(.name == $name)
    | "| \($title) | \(.ours | cell) | \(.control | cell) | \(.ratio | dash) |"]
| .[]
