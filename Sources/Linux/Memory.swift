import CLinux

/// The C library's allocator.
package enum Memory {
    /// One arena for all threads: each further one would keep memory of its own for good. Call it first.
    package static func useOneArena() {
        _ = mallopt(M_ARENA_MAX, 1)
    }
}
