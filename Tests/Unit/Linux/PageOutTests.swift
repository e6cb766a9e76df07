import Testing

@testable import Linux

@Suite struct PageOutTests {
    @Test func onlyMemoryThatIsInNoFileIsPagedOut() {
        let maps = """
            55d0c0000000-55d0c0001000 r--p 00000000 fe:00 1234                       /usr/bin/server
            55d0c0001000-55d0c0002000 rw-p 00001000 fe:00 1234                       /usr/bin/server
            55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]
            7f0000000000-7f0000200000 rw-s 00000000 00:01 99                         /dev/zero (deleted)
            7f0000200000-7f0000400000 rw-s 00000000 fe:00 77                         /var/lib/data file
            7f0000400000-7f0000401000 ---p 00000000 00:00 0
            7ffc00000000-7ffc00004000 r--p 00000000 00:00 0                          [vvar]
            7ffc00004000-7ffc00005000 r-xp 00000000 00:00 0                          [vdso]
            nonsense
            """
        #expect(
            PageOut.memory(of: maps) == [
                0x55d0_c000_1000..<0x55d0_c000_2000, 0x55d0_c100_0000..<0x55d0_c102_1000,
                0x7f00_0000_0000..<0x7f00_0020_0000, 0x7f00_0040_0000..<0x7f00_0040_1000,
            ])
    }
}
