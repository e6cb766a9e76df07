import CLinux

/// The C library's allocator.
package enum Memory {
    private static let largeAllocation: Int32 = 128 << 10

    /// Keeps this process small for life. Call it first.
    package static func keepSmall() {
        // Each further arena would keep memory of its own for good, one for each thread there ever was.
        _ = mallopt(M_ARENA_MAX, 1)
        // Left alone, the threshold grows with the largest block that was ever freed, and such blocks then stay in the
        // heap. Fixed, they go back to the kernel at once.
        _ = mallopt(M_MMAP_THRESHOLD, largeAllocation)
    }
}
