/// A program from Debian, as people run it. `Programs/applications` has how it is started, and what its client does:
/// `start/NAME`, `clients/NAME.py`. The image is `Tests/Node/extra/applications`.
struct Application: Sendable, CustomStringConvertible {
    let name: String
    /// As docs/compatibility.md shows it: what it is made of, and what its client has done before the sleep.
    let shown: String
    let atWork: String
    /// What is done in the container before it sleeps, as well.
    var command: [String] = []
    /// It takes memory and gives it back by timers of its own, so where it has memory is not compared.
    var heapMoves = false
    /// Under containerd's profile, which forbids an io_uring.
    var hasSeccomp = false
    /// Part of the reason for which it is frozen, where it is not checkpointed.
    var refusal: String?

    var description: String { name }

    static let all = [
        Application(
            name: "nginx", shown: "nginx, two workers",
            atWork: "kept connections; requests are counted in shared memory"),
        Application(name: "apache", shown: "Apache with mpm_event, two processes", atWork: "kept connections"),
        Application(
            name: "php-fpm", shown: "PHP-FPM with opcache, behind nginx over a unix socket",
            atWork: "kept connections; a count in a locked file"),
        Application(
            name: "redis", shown: "Redis with an append-only file", atWork: "a subscriber; a client blocked in BLPOP"),
        Application(name: "postgres", shown: "PostgreSQL", atWork: "an open transaction", heapMoves: true),
        Application(name: "rabbitmq", shown: "RabbitMQ on Erlang", atWork: "a consumer and a producer"),
        Application(name: "mosquitto", shown: "Mosquitto", atWork: "a subscriber; messages with QoS 1 to the broker"),
        Application(
            name: "gunicorn", shown: "Gunicorn with --preload, two workers with threads",
            atWork: "kept connections; a count in shared memory"),
        Application(name: "celery", shown: "Celery with two processes, and Redis", atWork: "tasks and their results"),
        Application(
            name: "node", shown: "Node.js with a worker thread and a child, with seccomp's RuntimeDefault",
            atWork: "kept connections; a timer of 100 ms in the thread", heapMoves: true, hasSeccomp: true),
        Application(
            name: "node-io-uring", shown: "the same without seccomp, so that it has an io_uring", atWork: "the same",
            heapMoves: true, refusal: "has an io_uring"),
        Application(
            name: "jvm", shown: "OpenJDK 21, after jcmd", atWork: "kept connections",
            command: ["/usr/lib/jvm/java-21-openjdk-amd64/bin/jcmd", "1", "Thread.print"]),
        Application(
            name: "puma", shown: "Puma with --preload, two workers", atWork: "kept connections", heapMoves: true),
        Application(name: "caddy", shown: "Caddy, a server in Go", atWork: "kept connections"),
        Application(
            name: "haproxy", shown: "HAProxy with a master, and a server behind it", atWork: "kept connections"),
        Application(name: "varnish", shown: "Varnish, and a server behind it", atWork: "a cached page"),
        Application(name: "sshd", shown: "OpenSSH's sshd", atWork: "a session without a terminal"),
        Application(
            name: "sshd-terminal", shown: "OpenSSH's sshd", atWork: "a session with a terminal",
            refusal: "a terminal controls"),
        Application(
            name: "supervisord", shown: "supervisord with three children", atWork: "XML-RPC; a child that prints"),
        Application(
            name: "inotify",
            shown: "a thread that waits for inotify, as .NET's FileSystemWatcher has it (python3-watchdog)",
            atWork: "files made awake and asleep"),
    ]
}
