/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The code that CRIU runs inside of a process speaks to it over a socket. CRIU would have it connect to a name in the network
 * namespace of the process, where other containers of the pod may connect first and answer in its place. So it makes a pair of
 * sockets, and CRIU takes one of them out of its descriptor table.
 */
#include <sys/syscall.h>

#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_pidfd_getfd
#define __NR_pidfd_getfd 438
#endif

static int take_parasite_end(struct parasite_ctl *ctl)
{
	struct parasite_init_args *args = compel_parasite_args(ctl, struct parasite_init_args);
	int process = syscall(__NR_pidfd_open, ctl->rpid, 0), end = -1;

	if (process >= 0) {
		end = syscall(__NR_pidfd_getfd, process, args->h_addr_len, 0);
		close(process);
	}
	return end;
}
