import Linux
import Testing

@Suite struct AddressRangeTests {
    private func contains(_ range: String, _ address: String) throws -> Bool {
        try AddressRange(range).contains(try #require(SocketAddress(address, port: 0)).address)
    }

    @Test(arguments: [
        ("10.0.0.7", "10.0.0.7", "10.0.0.8"), ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("10.0.0.4/31", "10.0.0.5", "10.0.0.6"), ("0.0.0.0/0", "255.0.0.1", "fd00::1"),
        ("0.0.0.0/0", "::ffff:10.0.0.1", "::10.0.0.1"), ("fd00::/8", "fdff::1", "fe00::1"),
        ("fd00::7", "fd00::7", "fd00::8"), ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"),
    ])
    func itHasWhatBeginsWithItsBits(_ range: String, _ inside: String, _ outside: String) throws {
        #expect(try contains(range, inside))
        #expect(try !contains(range, outside))
    }

    @Test func allOfIPv6AreAll() throws {
        #expect(try contains("::/0", "fd00::1") && contains("::/0", "10.0.0.1"))
    }

    @Test func itIsWrittenAsItIsRead() throws {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.7/32", "fd00::/8", "::/0", "fd00::7/128"] {
            #expect(try AddressRange(text).description == text)
        }
        #expect(try AddressRange("10.0.0.7").description == "10.0.0.7/32")
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0", "fd00::/129",
        "fe80::1%eth0", "localhost", " 10.0.0.1", "10.0.0.0/8 ", "10.0.0.0/٨",
    ])
    func whatIsNoneIsNamed(_ text: String) {
        #expect {
            try AddressRange(text)
        } throws: { error in
            (error as? AddressRange.Complaint)?.text
                == "\(text) is neither an address nor a range of addresses, such as 10.0.0.7, 10.0.0.0/8 or fd00::/8"
        }
    }

    /// Either the address is meant, or more than that: which one cannot be told.
    @Test func bitsBehindTheRangeAreNamed() {
        #expect {
            try AddressRange("10.0.0.7/8")
        } throws: { error in
            (error as? AddressRange.Complaint)?.text
                == "10.0.0.7/8 has bits that are not part of the range: 10.0.0.0/8 is meant, or 10.0.0.7"
        }
    }
}
