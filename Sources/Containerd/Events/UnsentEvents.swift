/// Encoded events in the order they are to be sent. Full, it loses the oldest.
struct UnsentEvents {
    struct Item: Equatable {
        let topic: String
        let payload: [UInt8]
    }

    private let limit: Int
    private var items: [Item] = []
    /// The first is being sent: it cannot be lost, or the answer would be taken for the next one's.
    private var isFirstHeld = false

    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }
    var first: Item? { items.first }

    mutating func holdFirst() { isFirstHeld = true }
    mutating func releaseFirst() { isFirstHeld = false }

    /// - Returns: what had to give way.
    mutating func append(_ item: Item) -> Item? {
        items.append(item)
        return items.count > limit ? items.remove(at: isFirstHeld ? 1 : 0) : nil
    }

    mutating func removeFirst() {
        isFirstHeld = false
        if items.isEmpty { return }
        items.removeFirst()
        // Gives the memory of a long queue back.
        if items.isEmpty { items = [] }
    }
}
