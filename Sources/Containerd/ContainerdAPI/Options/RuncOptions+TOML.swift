/// Runtime options that are not what they should be.
package struct OptionsError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension RuncOptions {
    /// The options of a runtime whose type containerd does not know: the table `options` of its CRI configuration,
    /// written out again as TOML (containerd, GenerateRuntimeOptions). The keys are those that containerd's
    /// documentation gives for runc; others are ignored, as by the stock shim.
    ///
    /// What containerd writes is flat, one `Key = value` a line. Of TOML no more than that is read.
    package init(toml text: String) throws(OptionsError) {
        self.init()
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            // A table: there is none that concerns runc.
            if line.hasPrefix("[") { return }
            guard let equals = line.firstIndex(of: "=") else {
                throw OptionsError("not a key and a value: \(line)")
            }
            let key = line[..<equals].trimmed.filter { $0 != "\"" && $0 != "'" }
            let value = TOMLValue(key: key, text: line[line.index(after: equals)...].trimmed)
            // containerd's own reader does not look at the case either.
            switch key.lowercased() {
            case "nopivotroot": noPivotRoot = try value.bool()
            case "nonewkeyring": noNewKeyring = try value.bool()
            case "shimcgroup": shimCgroup = try value.string()
            case "iouid": ioUid = try value.number()
            case "iogid": ioGid = try value.number()
            case "binaryname": binaryName = try value.string()
            case "root": root = try value.string()
            case "systemdcgroup": systemdCgroup = try value.bool()
            case "criuimagepath": criuImagePath = try value.string()
            case "criuworkpath": criuWorkPath = try value.string()
            default: break
            }
        }
    }
}

/// What stands after the equals sign, perhaps with a comment behind it.
private struct TOMLValue {
    let key: String
    let text: Substring

    private var wrong: OptionsError { OptionsError("\(key) = \(text)") }

    private var withoutComment: Substring { text.prefix { $0 != "#" }.trimmed }

    func bool() throws(OptionsError) -> Bool {
        switch withoutComment {
        case "true": return true
        case "false": return false
        default: throw wrong
        }
    }

    func number() throws(OptionsError) -> UInt32 {
        guard let number = UInt32(withoutComment.filter { $0 != "_" }) else { throw wrong }
        return number
    }

    /// `"basic"` with escapes, or `'literal'` without: containerd 1.7 writes the first, 2.x the second.
    func string() throws(OptionsError) -> String {
        guard let quote = text.first, quote == "\"" || quote == "'" else { throw wrong }
        var result = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if character == quote {
                let behind = rest.trimmed
                guard behind.isEmpty || behind.hasPrefix("#") else { throw wrong }
                return result
            }
            guard character == "\\" && quote == "\"" else {
                result.append(character)
                continue
            }
            switch rest.popFirst() {
            case "\"": result.append("\"")
            case "\\": result.append("\\")
            // Paths and names have no others.
            default: throw wrong
            }
        }
        throw wrong
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var result = drop { $0.isWhitespace }
        while result.last?.isWhitespace == true { result.removeLast() }
        return result
    }
}
