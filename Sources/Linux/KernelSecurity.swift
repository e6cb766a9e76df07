/// Security modules that the kernel has switched on.
package enum KernelSecurity {
    /// Whether processes have labels of SELinux, whether it enforces its policy or only reports.
    package static var hasSELinux: Bool { Files.exists("/sys/fs/selinux/enforce") }
}
