import Foundation
import Synchronization

/// Where the demo is seen: on a terminal one picture that is drawn again in place, elsewhere a line for each event.
final class Screen: Sendable {
    let isLive = isatty(STDOUT_FILENO) == 1

    private struct State {
        /// How many lines of the last picture are above the cursor.
        var drawn = 0
        var told = 0
        var caption = ""
        var isClosed = false
    }
    private let state = Mutex(State())

    func show(_ scene: Scene) {
        state.withLock { state in
            guard !state.isClosed else { return }
            if isLive { draw(scene, &state) } else { tell(scene, &state) }
        }
    }

    /// Leaves the last picture where it is and says something below it; no picture is shown after it.
    func close(with text: String) {
        state.withLock { state in
            if isLive && !state.isClosed { write("\u{1b}[?25h\n") }
            state.isClosed = true
            write(text + "\n")
        }
    }

    // MARK: On a terminal

    private func draw(_ scene: Scene, _ state: inout State) {
        let (width, height) = Self.size
        let lines = Picture(scene: scene, width: width, height: height).lines
        // Each line is cleared behind its text, and what is left of a longer picture below it.
        let text = lines.map { $0 + "\u{1b}[0m\u{1b}[K\n" }.joined()
        let back = state.drawn > 0 ? "\u{1b}[\(state.drawn)A\r" : ""
        write("\u{1b}[?25l" + back + text + "\u{1b}[J")
        state.drawn = lines.count
    }

    private static var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    // MARK: In a file or a pipe

    private func tell(_ scene: Scene, _ state: inout State) {
        if scene.caption != state.caption {
            state.caption = scene.caption
            write("-- \(scene.caption)\n")
        }
        for event in scene.events[state.told...] {
            write(
                "\(Text.time(event.seconds).right(7))  \(event.actor.left(6))\(event.what.left(24))"
                    + "\(event.took.right(10))   \(event.detail)\n")
        }
        state.told = scene.events.count
    }

    private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
