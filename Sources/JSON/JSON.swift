/// A JSON value that can be read, changed in a few places, and written back without touching the rest.
///
/// This room holds the project's JSON and nothing else. It is our own because what we rewrite is not ours: runc's
/// `state.json` holds unsigned 64-bit numbers (RLIM_INFINITY, 18446744073709551615). jansson (2.14) refuses those as
/// "too big integer", reads them as doubles at best, and writes 0.1 back as 0.10000000000000001; FoundationEssentials
/// costs the shim 0.6 MB. So numbers stay the text that they were, and members keep their order.
package indirect enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The number's text, as it stood in the document.
    case number(String)
    case string(String)
    case array([JSON])
    case object(Object)

    package static func integer(_ value: some FixedWidthInteger) -> JSON { .number(String(value)) }

    /// The members of an object, in the order of the document.
    package struct Object: Equatable, Sendable {
        package private(set) var members: [Member]

        package struct Member: Equatable, Sendable {
            package let key: String
            package var value: JSON
        }

        package init() {
            members = []
        }

        init(members: [Member]) {
            self.members = members
        }

        /// A member by name; of several with one name the last, as Go's reader takes it. Setting nil removes.
        package subscript(key: String) -> JSON? {
            get { members.last { $0.key == key }?.value }
            set {
                guard let newValue else {
                    members.removeAll { $0.key == key }
                    return
                }
                if let index = members.lastIndex(where: { $0.key == key }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(key: key, value: newValue))
                }
            }
        }
    }
}

// MARK: - Typed reading

extension JSON {
    /// A member of an object. Nil, too, where this is no object. Setting it where there is none makes one.
    package subscript(key: String) -> JSON? {
        get { object?[key] }
        set {
            var changed = object ?? Object()
            // Free the old value first, so that the change is made in place.
            self = .null
            changed[key] = newValue
            self = .object(changed)
        }
    }

    package var object: Object? {
        if case .object(let object) = self { object } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var string: String? {
        if case .string(let string) = self { string } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// The number, if it is a whole one that fits.
    package func integer<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) -> Integer? {
        if case .number(let text) = self { Integer(text) } else { nil }
    }

    /// The strings of an array of strings; what is no string is left out.
    package var strings: [String] { array?.compactMap(\.string) ?? [] }

    /// The members of an object whose values are strings.
    package var stringMap: [String: String] {
        var map: [String: String] = [:]
        for member in object?.members ?? [] { map[member.key] = member.value.string }
        return map
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Object(members: elements.map { Object.Member(key: $0, value: $1) }))
    }
}
