/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What CRIU cannot do from when it begins to read what processes have. A dump does none of it. A process that gets CRIU to
 * do something else, by what it has it read, could start no programs, speak with nobody but the processes, mount nothing, and
 * reach no part of the kernel that few programs need. A call that is denied fails with EPERM, and the dump with it.
 *
 * The kernel lets nobody who has a filter read those of others or suspend them (PTRACE_SECCOMP_GET_FILTER,
 * PTRACE_O_SUSPEND_SECCOMP), so CRIU has done that before.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/compiler.h"
#include "kept.h"
#include "log.h"

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filter knows calls of x86-64 and arm64"
#endif

/* Calls of x32 have this bit. */
#define OTHER_NUMBERS 0x40000000

static const unsigned int denied[] = {
	/* Other programs. */
	__NR_execve, __NR_execveat,
	/* Others than the processes. */
	__NR_connect, __NR_accept, __NR_accept4, __NR_socketpair,
	/* File systems and namespaces. */
	__NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, __NR_move_mount, __NR_fsopen, __NR_fsconfig, __NR_fsmount,
	__NR_fspick, __NR_mount_setattr, __NR_unshare, __NR_quotactl, __NR_swapon, __NR_swapoff, __NR_nfsservctl,
	/* The kernel. */
	__NR_init_module, __NR_finit_module, __NR_delete_module, __NR_kexec_load, __NR_kexec_file_load, __NR_reboot,
	__NR_bpf, __NR_perf_event_open, __NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register, __NR_userfaultfd,
	__NR_syslog, __NR_acct, __NR_fanotify_init,
#ifdef __x86_64__
	__NR_iopl, __NR_ioperm, __NR_modify_ldt,
#endif
	/* Keys. */
	__NR_keyctl, __NR_add_key, __NR_request_key,
	/* What the whole node has. */
	__NR_settimeofday, __NR_clock_settime, __NR_adjtimex, __NR_clock_adjtime, __NR_sethostname, __NR_setdomainname,
};

int filter_dump(void)
{
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_filter deny = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	const struct sock_filter begin[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 1, 0),
		deny,
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_NUMBERS, 0, 1),
		deny,
	};
	/*
	 * CRIU makes sockets of one kind, by which the processes come to it: of others a datagram could be sent to anybody, without
	 * connect. The kernel takes the arguments as int, so half of each is looked at. SOCK_CLOEXEC is above the type.
	 */
	const struct sock_filter end[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 1, 0),
		allow,
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
		deny,
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_SEQPACKET, 0, 1),
		allow,
		deny,
	};
	struct sock_filter code[ARRAY_SIZE(begin) + 2 * ARRAY_SIZE(denied) + ARRAY_SIZE(end)];
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };
	struct sock_filter *next = code;
	unsigned int i;

	if (!kept_is_on())
		return 0;
	for (i = 0; i < ARRAY_SIZE(begin); i++)
		*next++ = begin[i];
	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i], 0, 1);
		*next++ = deny;
	}
	for (i = 0; i < ARRAY_SIZE(end); i++)
		*next++ = end[i];
	/* The flag: before 5.16 the kernel makes a process with a filter slower than it is (Speculative Store Bypass). */
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program)) {
		pr_perror("Can't filter the calls of a dump");
		return -1;
	}
	return 0;
}
