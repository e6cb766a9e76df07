/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What processes hold open is kept by the shim, which takes a copy of each descriptor while they stand still, and hands it
 * back: the very same kernel object. So nothing of it is in the images but a name. A dump writes "//kept/" and the place
 * below /proc where the object is found; the shim takes a copy from there, and writes the number of its own descriptor
 * instead: "//kept/17". A restore takes number 17 out of the shim's descriptor table. The kernel gives no path two slashes,
 * so no container can have a file of such a name.
 *
 * Only with KEPT in the environment: without it CRIU makes images that stand for themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "types.h"
#include "crtools.h"
#include "cr_options.h"
#include "common/compiler.h"
#include "files.h"
#include "files-reg.h"
#include "fdstore.h"
#include "file-ids.h"
#include "fs-magic.h"
#include "image.h"
#include "imgset.h"
#include "kept.h"
#include "log.h"
#include "memfd.h"
#include "parasite.h"
#include "proc_parse.h"
#include "protobuf.h"
#include "pstree.h"
#include "rst_info.h"
#include "servicefd.h"
#include "shmem.h"
#include "util.h"
#include "xmalloc.h"
#include "images/fdinfo.pb-c.h"
#include "images/regfile.pb-c.h"

#undef LOG_PREFIX
#define LOG_PREFIX "kept: "

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

bool kept_is_on(void) { return getenv("KEPT") != NULL; }

/*
 * An epoll goes on as it is if all that it watches does. A signalfd is watched by the queue of the task that has added
 * it, and a pidfd belongs to a process that ends: with those CRIU makes the epoll anew.
 */
static bool epoll_is_kept(pid_t pid, int fd, int depth)
{
	char path[64], line[256], link[PATH_MAX];
	bool kept = true;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (kept && fgets(line, sizeof(line), file)) {
		ssize_t length;
		int watched;

		if (sscanf(line, "tfd: %d", &watched) != 1)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, watched);
		length = readlink(path, link, sizeof(link) - 1);
		/* Closed under this number, and open under another one or in another process. */
		if (length < 0)
			continue;
		link[length] = 0;
		if (strstr(link, "[signalfd]") || strstr(link, "[pidfd]") || !strncmp(link, "/proc/", 6) ||
		    !strncmp(link, "pidfd:", 6))
			kept = false;
		else if (strstr(link, "[eventpoll]"))
			/* The kernel nests no deeper than four (fs/eventpoll.c, EP_MAX_NESTS). */
			kept = depth < 5 && epoll_is_kept(pid, watched, depth + 1);
	}
	fclose(file);
	return kept;
}

bool is_kept(int lfd, const struct fd_parms *p)
{
	char link[64];

	if (!kept_is_on())
		return false;
	switch (p->fs_type) {
	/* Of the pid namespace that ends with the processes. */
	case PROC_SUPER_MAGIC:
	case PID_FS_MAGIC:
	case NSFS_MAGIC:
		return false;
	case ANON_INODE_FS_MAGIC:
		if (read_fd_link(lfd, link, sizeof(link)) < 0)
			return false;
		/* The first three belong to the process or to its memory; CRIU knows the third, and refuses the others. */
		if (strstr(link, "[io_uring]") || strstr(link, "[userfaultfd]") || strstr(link, "[pidfd]") ||
		    strstr(link, "[signalfd]"))
			return false;
		return !strstr(link, "[eventpoll]") || epoll_is_kept(p->pid, p->fd, 0);
	}
	/* Memory, which is what shall go. */
	if (S_ISREG(p->stat.st_mode) && is_memfd(p->stat.st_dev))
		return false;
	/* Terminals, too: a container that one controls the shim has refused by now. */
	return true;
}

static int write_kept(u32 id, const struct fd_parms *p, char *name)
{
	FileEntry fe = FILE_ENTRY__INIT;
	RegFileEntry rfe = REG_FILE_ENTRY__INIT;

	rfe.id = id;
	rfe.name = name;
	rfe.flags = p->flags;
	rfe.pos = p->pos;
	rfe.fown = (FownEntry *)&p->fown;
	fe.type = FD_TYPES__REG;
	fe.id = id;
	fe.reg = &rfe;
	return pb_write_one(img_from_set(glob_imgset, CR_FD_FILES), &fe, PB_FILE);
}

static int dump_kept(int lfd, u32 id, const struct fd_parms *p)
{
	char name[64];

	snprintf(name, sizeof(name), "//kept/%d/fd/%d", p->pid, p->fd);
	return write_kept(id, p, name);
}

const struct fdtype_ops kept_dump_ops = {
	.type = FD_TYPES__REG,
	.dump = dump_kept,
};

/*
 * Mappings, executables, working and root directories have objects of their own. CRIU would share that of any open
 * descriptor of the same inode, whatever that may be used for; so their identities are told apart by a mount number that
 * no mount has.
 */
enum { for_reading = 1 << 30, for_writing = 1 << 29 };

static int dump_kept_path(int lfd, u32 *id, struct fd_parms *p, int use, char *name)
{
	struct statfs fs;

	if (!kept_is_on() || (!fstatfs(lfd, &fs) && fs.f_type == PROC_SUPER_MAGIC)) {
		if (!fd_id_generate_special(p, id))
			return 0;
		p->fs_type = kept_is_on() ? PROC_SUPER_MAGIC : fs.f_type;
		return dump_one_reg_file(lfd, *id, p);
	}
	p->mnt_id |= use;
	return fd_id_generate_special(p, id) ? write_kept(*id, p, name) : 0;
}

static pid_t mapping_pid;

void kept_mappings_of(pid_t pid) { mapping_pid = pid; }

int dump_kept_mapping(int lfd, u32 *id, struct fd_parms *p, unsigned long start, unsigned long end, unsigned int flags)
{
	char name[96];
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	snprintf(name, sizeof(name), "//kept/%d/map_files/%lx-%lx", mapping_pid, start, end);
	p->flags = writes ? O_RDWR : O_RDONLY;
	return dump_kept_path(lfd, id, p, writes ? for_writing : for_reading, name);
}

int dump_kept_link(int lfd, u32 *id, struct fd_parms *p, pid_t pid, const char *link)
{
	char name[64];

	snprintf(name, sizeof(name), "//kept/%d/%s", pid, link);
	p->flags = O_RDONLY;
	return dump_kept_path(lfd, id, p, for_reading, name);
}

/*
 * What a mapping has and CRIU does not give back, told by a line of smaps: a seal (mseal), a lock of what is touched
 * only (MLOCK_ONFAULT), a memory protection key. Without these the memory would be weaker or larger than it was.
 */
bool mapping_is_lost(const char *line)
{
	const char *what = NULL;

	if (!kept_is_on())
		return false;
	if (!strncmp(line, "ProtectionKey:", 14)) {
		/* Key 0 is everybody's. */
		if (atoi(line + 14) > 0)
			what = "has a memory protection key";
	} else if (strstr(line, " sl")) {
		what = "is sealed (mseal)";
	} else if (strstr(line, " mt")) {
		what = "has memory tags (PROT_MTE)";
	} else if (strstr(line, " lf")) {
		what = "is locked on fault (MLOCK_ONFAULT)";
	}
	if (what)
		pr_err("A mapping of %d %s, which cannot be given back\n", mapping_pid, what);
	return what != NULL;
}

/* What a process has and CRIU does not give back, as the process itself has told; nobody else can. */
bool task_is_lost(const struct parasite_dump_misc *misc, pid_t pid)
{
	const char *session = getenv("KEPT_SESSION_KEYRING");

	if (!kept_is_on())
		return false;
	if (misc->mdwe > 0)
		pr_err("Process %d refuses writable code (PR_SET_MDWE), which cannot be given back\n", pid);
	else if (session && misc->session_keyring > 0 && misc->session_keyring != atoi(session))
		pr_err("Process %d has a session keyring of its own, which cannot be given back\n", pid);
	else
		return false;
	return true;
}

/*
 * Where the kernel withholds CAP_SYS_RESOURCE, limits of another user's process can be read all the same: /proc has them,
 * in the order of their numbers (fs/proc/base.c, lnames).
 */
int read_limit(pid_t pid, int resource, struct rlimit64 *limit)
{
	char path[32], line[128], soft[32], hard[32];
	FILE *file;
	int row, found = -1;

	if (!syscall(__NR_prlimit64, pid, resource, NULL, limit))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	/* The first row has the titles. A name takes 25 columns and a blank. */
	for (row = -1; fgets(line, sizeof(line), file); row++) {
		if (row != resource || strlen(line) < 26 || sscanf(line + 26, "%31s %31s", soft, hard) != 2)
			continue;
		limit->rlim_cur = strcmp(soft, "unlimited") ? strtoull(soft, NULL, 10) : RLIM64_INFINITY;
		limit->rlim_max = strcmp(hard, "unlimited") ? strtoull(hard, NULL, 10) : RLIM64_INFINITY;
		found = 0;
	}
	fclose(file);
	return found;
}

/*
 * Segments of System V shared memory are the IPC namespace's, which is kept, contents and all. So a process only has to
 * attach them again, for which CRIU wants to know of them.
 */
int collect_kept_segments(void)
{
	struct shmid_ds segment;
	struct shm_info usage;
	int index, last;

	if (!kept_is_on())
		return 0;
	last = shmctl(0, SHM_INFO, (struct shmid_ds *)&usage);
	for (index = 0; index <= last; index++) {
		int id = shmctl(index, SHM_STAT, &segment);

		if (id >= 0 && collect_sysv_shmem(id, segment.shm_segsz))
			return -1;
	}
	return 0;
}

/*
 * Each process that is made has the shim's pidfd beside CRIU's own descriptors, until those are closed: to get it out of the store
 * for each of thousands of files takes longer than all else that is done for them.
 */
int place_keeper(void)
{
	int keeper = kept_is_on() ? inherit_fd_lookup_id("keeper") : -1;

	return keeper < 0 || install_service_fd(KEEPER_FD_OFF, keeper) >= 0 ? 0 : -1;
}

/* True: the name, without its first slash, is of something kept. Its descriptor, or -1. */
bool kept_fd(const char *name, int *fd)
{
	int number;

	if (sscanf(name, "/kept/%d", &number) != 1)
		return false;
	if (!fd)
		return true;
	*fd = take_from_keeper(number);
	if (*fd < 0)
		pr_perror("Can't take descriptor %d", number);
	return true;
}

/* To whom signals about it go is known by a process that has ended meanwhile. */
int restore_kept_owner(struct file_desc *d, int fd)
{
	struct reg_file_info *file;

	if (fd < 0 || d->ops->type != FD_TYPES__REG)
		return fd;
	file = container_of(d, struct reg_file_info, d);
	if (file->rfe->fown->pid && restore_fown(fd, file->rfe->fown)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Files of /proc are all that is still opened by its path. Whoever shares a volume with the container may have put a link
 * in the way meanwhile: none is followed, nor is the container's root ever left.
 */
int open_beneath(int root, const char *path, unsigned int flags)
{
	struct open_how how = {
		.flags = flags & ~O_LARGEFILE,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (!kept_is_on())
		return openat(root, path, flags);
	return syscall(__NR_openat2, root, path, &how, sizeof(how));
}

/*
 * Restored processes hand descriptors to one another over datagram sockets. These have names in a network namespace that is the
 * pod's, where other containers see them, and could send there, or take a name first. So each socket hears a single other one,
 * with which all processes send, and nobody can tell a name before it is taken.
 */
static struct sockaddr_un sender_name;
static socklen_t sender_length;
static int sender_id;

/* Before the first process is made: all have the keys. Without KEPT the processes may get a network namespace of their own,
 * from which that one cannot be reached. */
int make_transport_sender(void)
{
	struct pstree_item *item;
	int sock;

	for_each_pstree_item(item)
		if (getrandom(&rsti(item)->transport_key, sizeof(long), 0) != sizeof(long)) {
			pr_perror("Can't make a name for a transport socket");
			return -1;
		}
	if (!kept_is_on())
		return 0;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sender_name.sun_family = AF_UNIX;
	sender_length = sizeof(sender_name);
	/* Without a path the kernel makes a name that nobody has. */
	if (sock < 0 || bind(sock, (struct sockaddr *)&sender_name, sizeof(sa_family_t)) ||
	    getsockname(sock, (struct sockaddr *)&sender_name, &sender_length)) {
		pr_perror("Can't make the socket that sends descriptors");
		close_safe(&sock);
		return -1;
	}
	sender_id = fdstore_add(sock);
	close(sock);
	return sender_id < 0 ? -1 : 0;
}

/* The caller closes it. */
int transport_sender(void)
{
	return kept_is_on() ? fdstore_get(sender_id) : dup(get_service_fd(TRANSPORT_FD_OFF));
}

/* Comes before its name: there is no moment in which others may send. */
int hear_only_sender(int sock)
{
	if (!kept_is_on() || !connect(sock, (struct sockaddr *)&sender_name, sender_length))
		return 0;
	pr_perror("Can't connect to the socket that sends descriptors");
	return -1;
}

void transport_name(char *name, size_t size, pid_t pid)
{
	snprintf(name, size, "x/crtools-fd-%d-%lx", pid, rsti(pstree_item_by_virt(pid))->transport_key);
}

static mode_t usual_umask;

/*
 * The store of descriptors knows them by their place in its queue, and hears everybody from when it has a name until it is connected
 * to itself. The processes of a pod find each name that there is in its network namespace, so this one is a file of the node, which
 * only root may use.
 */
void name_fdstore(struct sockaddr_un *name, unsigned int *length)
{
	if (!kept_is_on())
		return;
	*length = sizeof(name->sun_family) + 1;
	*length += snprintf(name->sun_path, sizeof(name->sun_path), "/run/criu-fdstore-%d", getpid());
	/* A CRIU that had this pid may have been killed in between. */
	unlink(name->sun_path);
	usual_umask = umask(0177);
}

void unname_fdstore(const struct sockaddr_un *name)
{
	if (!kept_is_on())
		return;
	umask(usual_umask);
	unlink(name->sun_path);
}
