import Glibc

/// mount(2) and umount(2).
package enum Mounting {
    /// Mounts as containerd describes it: options are flags by name, the owners that files are to have (`uidmap`,
    /// `gidmap`), and data for the file system.
    package static func mount(
        type: String, source: String, target: String, options: [String]
    ) throws(SystemError) {
        var options = options
        let owners = IDMapping(takenFrom: &options)
        var flags: UInt = 0
        var spread: UInt = 0
        var data: [String] = []
        for option in options {
            if let change = flagNames[option] {
                flags = change.set ? flags | change.flag : flags & ~change.flag
            } else if let flag = propagationNames[option] {
                spread = flag
            } else {
                data.append(option)
            }
        }
        if type == "overlay" {
            try OverlayMount(target: target, flags: flags, data: data).mount(owners: owners)
        } else {
            let text = data.joined(separator: ",")
            if Glibc.mount(source, target, type, flags, text) != 0 {
                throw .last("mount(\(type) \(source), \(text))", target)
            }
            if let owners { try IDMapping.mount(target, at: target, try owners.namespace()) }
        }
        if spread != 0, Glibc.mount("", target, "", spread, nil) != 0 { throw .last("mount(propagation)", target) }
        // A bind mount takes over the flags of its source; read-only needs a second call.
        if flags & UInt(MS_BIND) != 0 && flags & UInt(MS_RDONLY) != 0 {
            if Glibc.mount("", target, "", flags | UInt(MS_REMOUNT), nil) != 0 { throw .last("remount", target) }
        }
    }

    private static let propagationNames: [String: UInt] = [
        "shared": UInt(MS_SHARED), "rshared": UInt(MS_SHARED | MS_REC), "slave": UInt(MS_SLAVE),
        "rslave": UInt(MS_SLAVE | MS_REC), "private": UInt(MS_PRIVATE), "rprivate": UInt(MS_PRIVATE | MS_REC),
        "unbindable": UInt(MS_UNBINDABLE), "runbindable": UInt(MS_UNBINDABLE | MS_REC),
    ]

    private static let flagNames: [String: (set: Bool, flag: UInt)] = [
        "ro": (true, UInt(MS_RDONLY)), "rw": (false, UInt(MS_RDONLY)),
        "nosuid": (true, UInt(MS_NOSUID)), "suid": (false, UInt(MS_NOSUID)),
        "nodev": (true, UInt(MS_NODEV)), "dev": (false, UInt(MS_NODEV)),
        "noexec": (true, UInt(MS_NOEXEC)), "exec": (false, UInt(MS_NOEXEC)),
        "noatime": (true, UInt(MS_NOATIME)), "atime": (false, UInt(MS_NOATIME)),
        "relatime": (true, UInt(MS_RELATIME)), "norelatime": (false, UInt(MS_RELATIME)),
        "strictatime": (true, UInt(MS_STRICTATIME)), "nostrictatime": (false, UInt(MS_STRICTATIME)),
        "nodiratime": (true, UInt(MS_NODIRATIME)), "diratime": (false, UInt(MS_NODIRATIME)),
        "sync": (true, UInt(MS_SYNCHRONOUS)), "async": (false, UInt(MS_SYNCHRONOUS)),
        "dirsync": (true, UInt(MS_DIRSYNC)), "remount": (true, UInt(MS_REMOUNT)), "bind": (true, UInt(MS_BIND)),
        "rbind": (true, UInt(MS_BIND) | UInt(MS_REC)), "defaults": (false, 0),
    ]

    /// Detaches every mount on `point`, if there is one.
    package static func unmountAll(_ point: String) throws(SystemError) {
        while umount2(point, Int32(MNT_DETACH)) == 0 {}
        // EINVAL: no mount point (any more). ENOENT: not even a directory.
        if errno != EINVAL && errno != ENOENT { throw .last("umount2", point) }
    }
}
