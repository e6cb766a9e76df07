import CLinux
import Glibc

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

    /// malloc_trim(3): pages of the heap that hold nothing go back to the kernel. So do those that deep calls have left
    /// below the end of the stack.
    package static func giveBack() {
        malloc_trim(0)
        giveBackStack()
    }

    private static func giveBackStack() {
        // Below the first thread's stack the kernel leaves a gap (1 MiB); below others there may be anything.
        guard gettid() == getpid() else { return }
        var here: UInt8 = 0
        withUnsafeMutablePointer(to: &here) { here in
            // The frames from here to the system call are in less than two pages.
            let end = UInt(bitPattern: here) - 2 * UInt(getpagesize())
            // What is not mapped at all is passed over.
            unmap(from: end - deepStack, count: deepStack)
        }
    }

    /// The stack is 132 kB to begin with.
    private static let deepStack: UInt = 256 << 10

    /// Unmaps what this process never writes to of its program file: code, above all. It stays in the page cache, which
    /// all shims share, and the kernel maps it again, sixteen pages at a fault, as it is needed. For when there is
    /// nothing to do for a long time.
    package static func unmapProgram() {
        _ = dl_iterate_phdr(
            { object, _, _ in
                guard let object, let headers = object.pointee.dlpi_phdr else { return 0 }
                for header in UnsafeBufferPointer(start: headers, count: Int(object.pointee.dlpi_phnum))
                where header.p_type == PT_LOAD && header.p_flags & UInt32(PF_W) == 0 {
                    Memory.unmap(from: UInt(object.pointee.dlpi_addr + header.p_vaddr), count: UInt(header.p_memsz))
                }
                // The first object is the program itself; shared libraries, where tests have them, are others' too.
                return 1
            }, nil)
    }

    private static func unmap(from start: UInt, count: UInt) {
        let page = UInt(getpagesize())
        // Whole pages only: the edges may share a page with what is written to.
        let first = (start + page - 1) / page * page
        let end = (start + count) / page * page
        guard first < end, let address = UnsafeMutableRawPointer(bitPattern: first) else { return }
        _ = madvise(address, Int(end - first), MADV_DONTNEED)
    }
}
