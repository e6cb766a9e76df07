import Foundation

/// Calls back when a person or the system asks the program to end (SIGINT, SIGTERM), which then ends only by itself: what
/// it has started does not end with it.
package struct Interruptions {
    private let sources: [any DispatchSourceSignal]

    package init(_ body: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: body)
            source.resume()
            return source
        }
    }
}
