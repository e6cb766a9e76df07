import Checkpoint
import Glibc
import Linux

@testable import Linux
@testable import Shim

/// CRIU and what is around it in `Checkpoint`, as far as a container sees of them. A dump asks twice whether it may go on,
/// when the processes stand still and when everything is written, and only then ends them; a restore tells when they are
/// about to run, which is when it cannot fail any more without ending them. A call that is ended fails at its next step.
extension StandInContainer {
    func checkpoint(_ order: CheckpointOrder, _ then: @escaping (Result<WayBack, CheckpointError>) -> Void) {
        func failed(_ error: CheckpointError) {
            letGo()
            order.snapshot.discardImages()
            node.step("dump answers") { then(.failure(error)) }
        }
        node.step("dump stands still") { [self] in
            if let error = obstacle(order, to: "dump stands still") { return failed(error) }
            isSeized = true
            node.step("dump has written") { [self] in
                if let error = obstacle(order, to: "dump has written") { return failed(error) }
                do throws(SystemError) {
                    try Files.makeDirectories(images)
                    try Files.write("memory", to: "\(images)/pages-1.img")
                    if try !order.mayEnd([]) || !order.mayGoOn() { return failed(.givenUp) }
                } catch {
                    return failed(.system(error))
                }
                takeAway()
                // The processes have ended, whatever becomes of its answer.
                let error = node.failing.removeValue(forKey: "dump answers") as? CheckpointError
                if error != nil { isAway = false }
                node.step("dump answers") { [self] in
                    if let error {
                        order.snapshot.discardImages()
                        return then(.failure(error))
                    }
                    then(.success(wayBack(order)))
                }
            }
        }
    }

    private func obstacle(_ order: CheckpointOrder, to step: String) -> CheckpointError? {
        if order.underWay.isEnded { return .interrupted(verb: "dump") }
        if let error = node.failing.removeValue(forKey: step) as? CheckpointError { return error }
        if !processes.contains(order.pid) { return .criu(verb: "dump", code: -3, log: "No process with such pid") }
        return order.mayGoOn() ? nil : .givenUp
    }

    private func wayBack(_ order: CheckpointOrder) -> WayBack {
        WayBack(
            dispositions: SignalDispositions(caught: 1 << UInt64(SIGTERM - 1), blocked: 0),
            lazyMemory: order.mayWakeLazily ? 1 << 30 : 0, placeholder: nil, earliestTimer: { nil },
            prepare: { _, _ throws(SystemError) in }, restore: { [self] in restore($0, $1) }, letGo: {})
    }

    private func restore(
        _ order: RestoreOrder, _ then: @escaping (Result<Restored, CheckpointError>) -> Void
    ) {
        node.step("restore begins") { [self] in
            if !hasImages && !order.underWay.isEnded { node.complain("it is restored from images that are gone") }
            if let error = obstacle(order, to: "restore begins") { return then(.failure(error)) }
            node.step("restore is complete") { [self] in
                if let error = obstacle(order, to: "restore is complete") { return then(.failure(error)) }
                order.aboutToRun()
                isAway = false
                let pid = start()
                order.resuming(pid)
                node.step("restore answers") { [self] in
                    if let error = obstacle(order, to: "restore answers") {
                        end(pid, .signaled(SIGKILL))
                        return then(.failure(.tooLate(error.description)))
                    }
                    then(.success(Restored(pid: pid, pages: order.isLazy ? pages() : nil)))
                }
            }
        }
    }

    private func obstacle(_ order: RestoreOrder, to step: String) -> CheckpointError? {
        if order.underWay.isEnded { return .interrupted(verb: "restore") }
        return node.failing.removeValue(forKey: step) as? CheckpointError
    }

    /// A page server: it ends with all memory brought, or by a failure, or is ended.
    private func pages() -> PagesToCome {
        pagesToCome += 1
        var status: ExitStatus?
        var handler: ((ExitStatus) -> Void)?
        func ended(_ with: ExitStatus) {
            if status != nil { return }
            status = with
            pagesToCome -= 1
            handler.take()?(with)
        }
        node.step("memory has come") { [self] in
            ended(node.failing.removeValue(forKey: "memory has come") == nil ? .exited(0) : .exited(1))
        }
        return PagesToCome(
            end: { [node] in node.step("page server is ended") { ended(.signaled(SIGKILL)) } }, letGo: {},
            whenEnded: { body in if let status { body(status) } else { handler = body } })
    }
}
