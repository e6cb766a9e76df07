import Commands
import TestNode

/// What containerd is told, as everybody who listens to it hears it.
extension Check {
    static let events = [
        Check("100 instant exits: create, start, exit, delete, each once and in this order") { setup in
            let rounds = 100
            let heard = try await setup.events(until: "/tasks/delete", times: rounds, deadline: .seconds(240)) {
                """
                seq \(rounds) | xargs -P 4 -I N timeout 60 \
                    ctr -n k8s.io run --rm --runtime \(setup.shimName) zeropod.test/busybox:1 checked-N true
                """
            }
            for round in 1...rounds {
                let own = heard.filter { $0.contains("\"checked-\(round)\"") || $0.hasSuffix("checked-\(round)") }
                try expect(
                    "events of \(round)", own.compactMap { $0.split(separator: " ").first },
                    ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"])
            }
        },
        Check("pause, resume and exec are told, an exec's exit before the init's") { setup in
            let heard = try await setup.events(until: "/tasks/delete", times: 1, deadline: .seconds(240)) {
                let ctr = "ctr -n k8s.io"
                return """
                    \(ctr) run -d --runtime \(setup.shimName) zeropod.test/busybox:1 checked-1 sleep 1000
                    \(ctr) tasks pause checked-1
                    \(ctr) tasks resume checked-1
                    \(ctr) tasks exec --exec-id brief checked-1 true
                    \(ctr) tasks exec -d --exec-id long checked-1 sleep 1000
                    \(ctr) tasks kill -s KILL checked-1
                    until \(ctr) tasks list | grep -q 'checked-1 .*STOPPED'; do sleep 0.05; done
                    \(ctr) tasks delete checked-1 || true
                    \(ctr) containers delete checked-1
                    """
            }
            let topics = heard.compactMap { $0.split(separator: " ").first.map { $0.dropFirst("/tasks/".count) } }
            try expect(
                "events", topics,
                [
                    "create", "start", "paused", "resumed", "exec-added", "exec-started", "exit", "exec-added",
                    "exec-started", "exit", "exit", "delete",
                ])
            let exits = heard.filter { $0.hasPrefix("/tasks/exit") }
            try expect("the second exit is the exec's", exits[1].contains("\"long\""))
        },
        Check("init is killed while execs start, 10 times: nothing of them comes after its exit") { setup in
            let heard = try await setup.events(until: "/tasks/delete", times: 10, deadline: .seconds(240)) {
                let ctr = "ctr -n k8s.io"
                return """
                    for n in {1..10}; do
                        \(ctr) run -d --runtime \(setup.shimName) zeropod.test/busybox:1 checked-$n sleep 1000
                        execs=()
                        for e in 1 2 3; do
                            timeout 60 \(ctr) tasks exec --exec-id exec-$e checked-$n true & execs+=($!)
                        done
                        sleep 0.0$n
                        \(ctr) tasks kill -s KILL checked-$n
                        wait "${execs[@]}"
                        until \(ctr) tasks list | grep -q "checked-$n .*STOPPED"; do sleep 0.05; done
                        \(ctr) tasks delete checked-$n || true
                        \(ctr) containers delete checked-$n
                    done >/dev/null 2>&1
                    """
            }
            for number in 1...10 {
                let own = heard.filter { $0.contains("\"checked-\(number)\"") || $0.hasSuffix("checked-\(number)") }
                let end = own.firstIndex { $0.hasPrefix("/tasks/exit") && $0.contains("\"id\":\"checked-\(number)\"") }
                guard let end else { throw NotSo(description: "no end of \(number) in \(own)") }
                let topics = own[end...].dropFirst().compactMap { $0.split(separator: " ").first }
                try expect("after the end of \(number)", topics, ["/tasks/delete"])
                let (started, ended) = (
                    own.count { $0.hasPrefix("/tasks/exec-started") }, own.count { $0.hasPrefix("/tasks/exit") }
                )
                try expect("ends of execs that started", ended - 1, started)
            }
        },
        Check("want of memory is told before the end") { setup in
            let heard = try await setup.events(until: "/tasks/delete", times: 1, deadline: .seconds(240)) {
                """
                ctr -n k8s.io run --rm --memory-limit 33554432 --runtime \(setup.shimName) \
                    zeropod.test/python:1 checked-1 python3 -c 'b"x" * (1 << 30)' || true
                """
            }
            let topics = heard.compactMap { $0.split(separator: " ").first.map { $0.dropFirst("/tasks/".count) } }
            var told: [Substring] = []
            for topic in topics where told.last != topic { told.append(topic) }
            try expect("events", told, ["create", "start", "oom", "exit", "delete"])
        },
    ]
}

extension Case {
    /// The task events of containers named `checked-…`: a line each, topic first, heard while the script runs and
    /// until an event of that topic has come so often, or a minute later.
    fileprivate func events(
        until topic: String, times: Int, deadline: Duration, _ script: () -> String
    ) async throws -> [String] {
        let listening = """
            ctr events >/tmp/events &
            listener=$!
            trap 'kill $listener' EXIT
            until [[ -s /tmp/events ]]; do ctr namespaces create checked; ctr namespaces remove checked; done >/dev/null
            \(script())
            for try in {1..1200}; do
                (($(grep -c '\(topic) .*checked-' /tmp/events) < \(times))) || break
                sleep 0.05
            done
            grep -o '/tasks/.*checked-.*' /tmp/events
            """
        return try await node.shell(listening, deadline: deadline).lines.map(String.init)
    }
}
