import Glibc

/// flock(2) on a file made for it, or on a directory. A process that dies lets go of it.
package enum FileLock {
    /// Waits until nobody else holds the lock. It is held as long as the descriptor is open. The file stays: removing
    /// it would let two holders lock two files.
    package static func acquire(_ path: String) throws(SystemError) -> Descriptor {
        try acquire(try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW), path)
    }

    /// The same on a directory that is there.
    package static func acquire(directory path: String) throws(SystemError) -> Descriptor {
        try acquire(try Descriptor.open(path, O_RDONLY | O_DIRECTORY), path)
    }

    private static func acquire(_ file: consuming Descriptor, _ path: String) throws(SystemError) -> Descriptor {
        let number = file.rawValue
        try retrying("flock", path) { flock(number, LOCK_EX) }
        return file
    }

    /// Lets go of it now.
    package static func release(_ lock: borrowing Descriptor) {
        flock(lock.rawValue, LOCK_UN)
    }
}
