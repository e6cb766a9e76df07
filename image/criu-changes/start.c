/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What CRIU asks in each of its runs although the answer is known: half a millisecond of a wake, and as much again on a virtual
 * machine, where each of thirty questions to the processor (cpuid) ends in the hypervisor.
 */
#include <linux/rseq.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asm/thread_pointer.h"
#include "kept.h"
#include "kerndat.h"

/*
 * Where libc has registered a restartable sequence, so that restored processes can take that back. CRIU makes a process to read it
 * from outside; without one registered there is nothing to take back.
 */
bool rseq_is_off(void)
{
	char *area = (char *)__criu_thread_pointer() + __rseq_offset;
	unsigned int size = __rseq_size > 32 ? __rseq_size : 32;

	if (!kept_is_on() || !kdat.has_ptrace_get_rseq_conf)
		return false;
	/* The kernel says whether it was this one. */
	if (__rseq_size && syscall(__NR_rseq, area, size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG))
		return false;
	memset(&kdat.libc_rseq_conf, 0, sizeof(kdat.libc_rseq_conf));
	return true;
}
