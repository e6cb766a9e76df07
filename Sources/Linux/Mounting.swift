import Glibc

/// mount(2) and umount(2).
package enum Mounting {
    /// Mounts as containerd describes it: options are flags by name, and data for the file system.
    package static func mount(
        type: String, source: String, target: String, options: [String]
    ) throws(SystemError) {
        var flags: UInt = 0
        var data: [String] = []
        for option in options {
            if let change = flagNames[option] {
                flags = change.set ? flags | change.flag : flags & ~change.flag
            } else {
                data.append(option)
            }
        }
        let text = data.joined(separator: ",")
        if Glibc.mount(source, target, type, flags & ~UInt(propagation), text) != 0 {
            throw .last("mount(\(type) \(source), \(text))", target)
        }
        // A bind mount takes over the flags of its source; read-only needs a second call.
        if flags & UInt(MS_BIND) != 0 && flags & UInt(MS_RDONLY) != 0 {
            if Glibc.mount("", target, "", flags | UInt(MS_REMOUNT), nil) != 0 { throw .last("remount", target) }
        }
    }

    private static let propagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE

    private static let flagNames: [String: (set: Bool, flag: UInt)] = [
        "ro": (true, UInt(MS_RDONLY)), "rw": (false, UInt(MS_RDONLY)),
        "nosuid": (true, UInt(MS_NOSUID)), "suid": (false, UInt(MS_NOSUID)),
        "nodev": (true, UInt(MS_NODEV)), "dev": (false, UInt(MS_NODEV)),
        "noexec": (true, UInt(MS_NOEXEC)), "exec": (false, UInt(MS_NOEXEC)),
        "noatime": (true, UInt(MS_NOATIME)), "relatime": (true, UInt(MS_RELATIME)),
        "sync": (true, UInt(MS_SYNCHRONOUS)), "bind": (true, UInt(MS_BIND)),
        "rbind": (true, UInt(MS_BIND) | UInt(MS_REC)), "defaults": (false, 0),
    ]

    /// Detaches every mount on `point`, if there is one.
    package static func unmountAll(_ point: String) throws(SystemError) {
        while umount2(point, Int32(MNT_DETACH)) == 0 {}
        // EINVAL: no mount point (any more). ENOENT: not even a directory.
        if errno != EINVAL && errno != ENOENT { throw .last("umount2", point) }
    }
}
