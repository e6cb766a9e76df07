import Linux

/// An annotation that cannot be understood.
package struct AnnotationError: Error, Equatable, Sendable, CustomStringConvertible {
    package let annotation: String
    package let value: String
    /// What is wrong with it, and what would be right.
    package let complaint: String

    package var description: String { "annotation \(annotation) is \"\(value)\": \(complaint)" }
}

/// Reads values of the kinds that zeropod's annotations have. An annotation that is absent is nil.
struct AnnotationReader {
    let annotations: [String: String]
    let prefix: String

    private func value(_ name: String) -> String? { annotations[prefix + name] }

    private func error(_ name: String, _ complaint: String) -> AnnotationError {
        AnnotationError(annotation: prefix + name, value: value(name) ?? "", complaint: complaint)
    }

    func duration(_ name: String) throws(AnnotationError) -> UInt64? {
        guard let text = value(name) else { return nil }
        guard let nanoseconds = GoDuration.parse(text) else {
            throw error(name, "not a duration that is zero or more, such as 30s, 5m or 1h30m")
        }
        return nanoseconds
    }

    /// - Parameters:
    ///   - least: nanoseconds; zero is allowed as well.
    ///   - key: what the node's operator calls that.
    ///   - zero: what zero means.
    func duration(_ name: String, atLeast least: UInt64, _ key: String, zero: String) throws(AnnotationError) -> UInt64?
    {
        guard let duration = try duration(name) else { return nil }
        if duration == 0 || duration >= least { return duration }
        throw error(
            name,
            "less than the \(least / 1_000_000)ms that this node allows (\(key) in \(NodePolicy.file));"
                + " 0 means \(zero)")
    }

    /// As Go's strconv.ParseBool reads it.
    func flag(_ name: String) throws(AnnotationError) -> Bool? {
        guard let text = value(name) else { return nil }
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw error(name, "neither true nor false")
        }
    }

    /// `a,b`: none if it is absent.
    func choices<Choice>(_ name: String, of choices: KeyValuePairs<String, Choice>) throws(AnnotationError) -> [Choice]
    {
        guard let text = value(name) else { return [] }
        var chosen: [Choice] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed) {
            guard let choice = choices.first(where: { $0.key == word }) else {
                throw error(
                    name, "\(word.isEmpty ? "it" : word) is not one of \(choices.map(\.key).joined(separator: ", "))")
            }
            chosen.append(choice.value)
        }
        return chosen
    }

    func wakeTimes(_ name: String) throws(AnnotationError) -> WakeTimes {
        guard let text = value(name) else { return WakeTimes() }
        do throws(CronSchedule.Complaint) { return try WakeTimes(text) } catch { throw self.error(name, error.text) }
    }

    /// `10.0.0.0/8,fd00::7`: none if it is absent.
    func addressRanges(_ name: String, atMost most: Int) throws(AnnotationError) -> Set<AddressRange> {
        guard let text = value(name) else { return [] }
        var ranges: Set<AddressRange> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed) {
            do throws(AddressRange.Complaint) {
                ranges.insert(try AddressRange(word))
            } catch {
                throw self.error(name, word.isEmpty ? "it names nobody, or ends with a comma" : error.text)
            }
        }
        if ranges.count > most { throw error(name, "more than \(most) ranges of addresses") }
        return ranges
    }

    func size(_ name: String) throws(AnnotationError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let size = Int(text), size > 0 else { throw error(name, "not a number of bytes above zero") }
        return size
    }

    /// `a,b,c`
    func names(_ name: String) throws(AnnotationError) -> Set<String>? {
        guard let text = value(name) else { return nil }
        let names = text.split(separator: ",").map(trimmed).filter { !$0.isEmpty }
        if names.isEmpty { throw error(name, "names no container") }
        return Set(names)
    }

    /// The ports of a container.
    struct Ports {
        var tcp: Set<UInt16> = []
        var udp: Set<UInt16> = []
    }

    /// `a=80,81;b=8080,53/udp`: the ports of one container; nil if the map does not mention it.
    ///
    /// All of the map is checked, whichever container asks.
    func portsMap(
        _ name: String, selected: Set<String>?, container: String?, mayHaveUDP: Bool = false
    ) throws(AnnotationError) -> Ports? {
        guard let text = value(name) else { return nil }
        var result: Ports?
        for entry in text.split(separator: ";") where !trimmed(entry).isEmpty {
            let sides = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else {
                throw error(name, "\(trimmed(entry)) is not of the form container=port,port")
            }
            let owner = trimmed(sides[0])
            // The shim sees one container at a time. That a container is unknown it can tell by the other annotation.
            if let selected, !selected.contains(owner) {
                throw error(name, "container \(owner) is unknown: it is not in \(prefix)container-names")
            }
            var ports = (owner == container || container == nil ? result : nil) ?? Ports()
            for word in sides[1].split(separator: ",", omittingEmptySubsequences: false) {
                try add(trimmed(word), to: &ports, of: name, mayHaveUDP)
            }
            if owner == container || container == nil { result = ports }
        }
        return result
    }

    private func add(
        _ word: String, to ports: inout Ports, of name: String, _ mayHaveUDP: Bool
    ) throws(AnnotationError) {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let port = parts.first.flatMap({ UInt16($0) }), port > 0 else {
            throw error(name, "\(word) is not a port between 1 and 65535")
        }
        switch parts.dropFirst().first {
        case nil, "tcp": ports.tcp.insert(port)
        case "udp" where mayHaveUDP: ports.udp.insert(port)
        case "udp": throw error(name, "\(word) cannot be here: only TCP ports can")
        default: throw error(name, "\(word) has a protocol that is neither tcp nor udp")
        }
    }

    private func trimmed(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
