import Glibc
import Linux

@testable import Linux
@testable import Runc
@testable import Shim

/// runc, as far as its answers go: each verb ends later, and says then what runc says of a container in that state
/// (libcontainer's container_linux.go: "container not running" of an init that has ended, "container not paused", …).
extension StandInContainer {
    func runc(_ options: Runc.Options) -> RuncCalls {
        RuncCalls(
            options: options,
            create: { [self] streams, then in
                launch("create", then) { [self] () throws(RuncError) in
                    let number = streams.descriptors.map { fcntl($0[0] ?? -1, F_DUPFD_CLOEXEC, 0) } ?? -1
                    if number >= 0 { stdin = SharedDescriptor(Descriptor(owning: number)) }
                    knownInit = start()
                    return knownInit
                }
            },
            start: { [self] then in
                call("start", then) { [self] () throws(RuncError) in try requireInit("start") }
            },
            restore: { [self] _, _, _, then in
                launch("restore", then) { [self] () throws(RuncError) in
                    knownInit = start()
                    return knownInit
                }
            },
            exec: { [self] _, _, then in
                launch("exec", then) { [self] () throws(RuncError) in
                    try requireInit("exec")
                    if standsStill { throw error("exec", "cannot exec in a paused container") }
                    return start()
                }
            },
            kill: { [self] signal, all, then in
                call("kill", then) { [self] () throws(RuncError) in
                    try requireInit("kill")
                    // What stands still under cgroups v1 would not end.
                    if signal == SIGKILL { thaw() }
                    for pid in all ? processes.reversed() : [knownInit] { self.signal(signal, pid) }
                }
            },
            delete: { [self] then in
                call("delete", then) { [self] () throws(RuncError) in
                    if standsStill { thaw() }
                    end(knownInit, .signaled(SIGKILL))
                    knownInit = 0
                }
            },
            pause: { [self] then in
                call("pause", then) { [self] () throws(RuncError) in
                    try requireInit("pause")
                    if standsStill { throw error("pause", "container not running") }
                    freeze()
                }
            },
            resume: { [self] then in
                call("resume", then) { [self] () throws(RuncError) in
                    if !standsStill { throw error("resume", "container not paused") }
                    thaw()
                }
            },
            update: { [self] _, then in
                call("update", then) { [self] () throws(RuncError) in try requireInit("update") }
            },
            updateAsleep: { [self] _, then in
                call("update", then) { [self] () throws(RuncError) in
                    if !isAway { node.complain("a placeholder is shown for a container that has processes") }
                }
            },
            checkpoint: { [self] _, _, _, then in
                call("checkpoint", then) { [self] () throws(RuncError) in
                    try requireInit("checkpoint")
                    if pagesToCome > 0 { node.complain("an image is made of processes whose memory is still to come") }
                }
            },
            adopt: { [self] pid throws(SystemError) in knownInit = pid })
    }

    /// A verb under way. `failing` may have an error for it.
    private func call<Value>(
        _ verb: String, _ then: @escaping Runc.Completion<Value>, _ body: @escaping () throws(RuncError) -> Value
    ) {
        node.step(verb) { [self] in
            if isAway && !["update", "delete"].contains(verb) { node.complain("runc \(verb) without processes") }
            if node.failing.removeValue(forKey: verb) != nil { return then(.failure(error(verb, "no reason"))) }
            then(Result { () throws(RuncError) in try body() })
        }
    }

    /// A verb that leaves a process behind, which may end before runc has.
    private func launch(
        _ verb: String, _ then: @escaping Runc.Completion<pid_t>, _ body: @escaping () throws(RuncError) -> pid_t
    ) {
        let expectation = node.children.expectUnknown()
        call(
            verb,
            { [node] result in
                node.step("\(verb) answers") { withExtendedLifetime(expectation) { then(result) } }
            }, body)
    }

    private func requireInit(_ verb: String) throws(RuncError) {
        if !isKnownInitAlive { throw error(verb, "container not running") }
    }

    private func error(_ verb: String, _ message: String) -> RuncError {
        RuncError(verb, id, message: message, status: .exited(1))
    }
}
