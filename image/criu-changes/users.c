/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * A container's user namespace is kept, as its mounts, network, IPC, host name and cgroups are, which belong to it: in a new
 * one, which CRIU would make, its root would have no rights over these. So the first process is made in the kept one, and
 * with it its pid namespace, which then belongs there, too. All others are its children.
 *
 * What the restored processes may not do there, CRIU's daemon for user namespaces (usernsd, namespaces.c) does for them: it
 * is outside, and has all rights.
 *
 * Only with KEPT in the environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "types.h"
#include "clone-noasan.h"
#include "common/compiler.h"
#include "fdstore.h"
#include "files.h"
#include "kept.h"
#include "kerndat.h"
#include "linux/mount.h"
#include "log.h"
#include "namespaces.h"
#include "pstree.h"
#include "servicefd.h"
#include "util.h"

#undef LOG_PREFIX
#define LOG_PREFIX "users: "

struct birth {
	int (*body)(void *);
	void *argument;
	int flags;
	pid_t wanted, made;
	int users;
	sigset_t signals;
};

/*
 * Inside nobody may raise a limit, nor set what is beyond one: a nice value, a real-time priority, locked memory. Each process
 * is given its own limits in the end, which are lower. Where this is refused nobody could raise one before either.
 */
static void raise_limits(void)
{
	struct rlimit limit;
	int resource;

	for (resource = 0; resource < RLIM_NLIMITS; resource++) {
		limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
		if (resource == RLIMIT_NOFILE) {
			/* CRIU has raised the soft one as far as it needs, and reckons with it. */
			if (getrlimit(resource, &limit))
				continue;
			limit.rlim_max = max((rlim_t)kdat.sysctl_nr_open, limit.rlim_max);
		}
		if (setrlimit(resource, &limit))
			pr_debug("Limit %d stays\n", resource);
	}
}

/* The keyring has a name among those of its user namespace, and can be joined by it from within alone. */
static int join_session(void)
{
	const char *name = getenv("KEPT_SESSION_NAME"), *number = getenv("KEPT_SESSION_KEYRING");
	long joined;

	if (!name)
		return 0;
	joined = syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (joined < 0)
		pr_perror("Can't join the session keyring %s", name);
	else if (!number || joined != atol(number))
		pr_err("The session keyring %s is %ld now, and was %s\n", name, joined, number ?: "unknown");
	else
		return 0;
	return -1;
}

/* Runs between CRIU, in whose memory it is, and the first process: only who is in a namespace makes what belongs to it. */
static int give_birth(void *argument)
{
	struct birth *birth = argument;

	sigprocmask(SIG_SETMASK, &birth->signals, NULL);
	raise_limits();
	if (setns(birth->users, CLONE_NEWUSER)) {
		pr_perror("Can't enter the kept user namespace");
		return 1;
	}
	if (join_session())
		return 1;
	birth->made = clone3_with_pid_noasan(birth->body, birth->argument, birth->flags, SIGCHLD, birth->wanted);
	if (birth->made < 0)
		pr_perror("Can't make the first process in the kept user namespace");
	return birth->made < 0;
}

/* As clone3_with_pid_noasan. */
int clone_in_kept_users(int (*body)(void *), void *argument, int flags, int exit_signal, pid_t pid)
{
	struct birth birth = { .body = body, .argument = argument, .wanted = pid, .made = -1 };
	int status = -1;
	pid_t between;

	if (!kept_is_on() || !(flags & CLONE_NEWUSER))
		return clone3_with_pid_noasan(body, argument, flags, exit_signal, pid);
	birth.users = inherit_fd_lookup_id("users");
	if (birth.users < 0) {
		pr_err("The processes had a user namespace of their own, and none is given\n");
		errno = EINVAL;
		return -1;
	}
	/* CRIU's child, and not that of the one in between. */
	birth.flags = (flags & ~CLONE_NEWUSER) | CLONE_PARENT;
	/* CRIU takes any end of a child for a failure. What else has ended meanwhile it sees as soon as it hears signals again. */
	if (block_sigmask(&birth.signals, SIGCHLD))
		return -1;
	/* The first process gets the signal of its end from here. */
	between = clone_noasan(give_birth, CLONE_VM | CLONE_VFORK | SIGCHLD, &birth);
	if (between < 0)
		pr_perror("Can't make the process that enters the user namespace");
	else if (waitpid(between, &status, 0) != between || status)
		pr_err("The process that enters the user namespace ended with status %x\n", status);
	close(birth.users);
	if (restore_sigmask(&birth.signals))
		return -1;
	return status ? -1 : birth.made;
}

/*
 * Who has not all of the node's rights may mount a /proc only where another one is seen whole, and the container's is masked.
 * The process opens it, so that it is of its pid namespace, and the daemon mounts it.
 */
static int mount_opened(void *argument, int context, pid_t pid) { return cr_fsmount(context, 0, 0); }

/*
 * Who closes the last descriptor of a mount waits for an RCU grace period. That shall be CRIU, when it ends, and not the process,
 * just before it runs.
 */
static int keep_mount(int mount)
{
	if (kept_is_on() && mount >= 0 && fdstore_add(mount) < 0)
		close_safe(&mount);
	return mount;
}

int mount_kept_proc(void)
{
	int context, mount = -1;

	if (!kept_is_on() || !(root_ns_mask & CLONE_NEWUSER))
		return keep_mount(mount_detached_fs("proc"));
	context = cr_fsopen("proc", 0);
	if (context < 0 || cr_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		pr_perror("Can't open a proc file system");
	else
		mount = userns_call(mount_opened, UNS_FDOUT, NULL, 0, context);
	close_safe(&context);
	return keep_mount(mount);
}

static int open_path(void *path, int fd, pid_t pid) { return open(path, O_RDONLY); }

/* What only the node's root may open. */
int open_from_outside(char *path, int flags)
{
	return kept_is_on() ? userns_call(open_path, UNS_FDOUT, path, strlen(path) + 1, -1) : open(path, flags);
}

struct image {
	int flags, mode;
	char path[NAME_MAX + 1];
};

static int open_named(void *argument, int directory, pid_t pid)
{
	struct image *image = argument;

	return openat(directory, image->path, image->flags, image->mode);
}

/* A number that is no descriptor: the daemon's errno. */
static int why_not(void *argument, int directory, pid_t pid)
{
	int fd = open_named(argument, directory, pid), error = fd < 0 ? errno : EAGAIN;

	close_safe(&fd);
	return error;
}

/* Only the node's root may read images. */
int open_image_from_outside(int directory, const char *path, int flags, int mode)
{
	struct image image = { .flags = flags, .mode = mode };
	int fd = openat(directory, path, flags, mode);

	if (fd >= 0 || errno != EACCES || !kept_is_on() || strlen(path) >= sizeof(image.path))
		return fd;
	strcpy(image.path, path);
	fd = userns_call(open_named, UNS_FDOUT, &image, sizeof(image), directory);
	if (fd < 0)
		errno = userns_call(why_not, 0, &image, sizeof(image), directory);
	return fd;
}

static int take_number(void *number, int fd, pid_t pid)
{
	return syscall(__NR_pidfd_getfd, get_service_fd(KEEPER_FD_OFF), *(int *)number, 0);
}

/* A descriptor out of the shim's table, to which root of a container has no right. */
int take_from_keeper(int number) { return userns_call(take_number, UNS_FDOUT, &number, sizeof(number), -1); }
