/// The lines of one picture, with colours, none longer than the terminal is wide.
struct Picture {
    let scene: Scene
    let width: Int
    let height: Int

    private enum Colour: String {
        case bold = "1"
        case dim = "2"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case cyan = "36"
    }

    /// A line is a row of coloured pieces, so that it can be cut without cutting an escape sequence.
    private typealias Piece = (text: String, colour: Colour?)

    var lines: [String] {
        let top: [[Piece]] =
            [[], [(" zeropod ", .bold), (scene.title, .dim)], []] + table + [[]] + shims + [[]]
        let bottom: [[Piece]] = [[], [(" › ", .yellow), (scene.caption, .bold)]]
        // The cursor stands below the last line.
        let room = max(3, height - top.count - bottom.count - 2)
        return (top + story(room) + bottom).map(coloured)
    }

    private var table: [[Piece]] {
        let header: [Piece] = [
            ("   CONTAINER  STATE      PROCESSES     MEMORY    ON DISK  SLEEPS  OVER TIME", .dim)
        ]
        return [header] + scene.actors.map(row)
    }

    private func row(_ actor: Scene.Actor) -> [Piece] {
        [
            ("   " + actor.name.left(11), .bold),
            actor.isAsleep ? ("○ asleep".left(11), .blue) : ("● running".left(11), .green),
            ("\(actor.processes)".right(9), nil),
            (Text.bytes(actor.memory).right(11), nil),
            ((actor.onDisk == 0 ? "–" : Text.bytes(actor.onDisk)).right(11), nil),
            ("\(actor.sleeps)".right(8), nil),
            ("  " + curve(actor.history, columns: max(0, width - 66)), actor.isAsleep ? .blue : .green),
        ]
    }

    private func curve(_ history: [Int], columns: Int) -> String {
        let blocks = Array("▁▂▃▄▅▆▇█")
        let highest = max(history.max() ?? 1, 1)
        return String(history.suffix(columns).map { blocks[$0 * (blocks.count - 1) / highest] })
    }

    private var shims: [[Piece]] {
        scene.actors.map { actor in
            [
                ("   shim of \(actor.name)".left(19), nil),
                (Text.bytes(actor.shimPrivate).right(8), .cyan),
                (" private,", .dim), (Text.bytes(actor.shimResident).right(8), nil), (" resident", .dim),
                (!actor.isAsleep || actor.standIn == 0 ? "" : ", its stand-in \(Text.bytes(actor.standIn))", .dim),
            ]
        } + [
            [
                ("   stock runc shim".left(19), nil), (Text.bytes(scene.stockShim).right(8), nil),
                (" private, for comparison", .dim),
            ]
        ]
    }

    private func story(_ room: Int) -> [[Piece]] {
        scene.events.suffix(room).map { event in
            let colour: Colour? =
                switch event.kind {
                case .sleep: .blue
                case .wake: .yellow
                case .warm: .green
                case .plain: .dim
                }
            return [
                (Text.time(event.seconds).right(8) + "  ", .dim), (event.actor.left(7), .bold),
                (event.what.left(20), colour), (event.took.right(9), .bold), ("  " + event.detail, .dim),
            ]
        }
    }

    private func coloured(_ pieces: [Piece]) -> String {
        var room = width
        return pieces.map { piece in
            let text = piece.text.prefix(room)
            room -= text.count
            guard let colour = piece.colour else { return String(text) }
            return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
        }.joined()
    }
}
