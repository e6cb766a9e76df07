import Linux
package final class Activator {
    package init(loop: EventLoop, networkNamespace: borrowing Namespace, log: @escaping (String) -> Void = { _ in }) throws(SystemError) {}
    package func register(with: Redirector, slot: UInt32) throws(SystemError) {}
    package func hold(onConnection: @escaping () -> Void) {}
    package func relay(connectTimeout: Instant.Span? = nil) {}
    package func refuse() {}
    package func close() {}
}
