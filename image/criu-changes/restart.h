/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * System calls that the kernel goes on with by a restart block (nanosleep, poll, a futex with a relative timeout). The
 * block is lost with the task, and CRIU lets the call end with EINTR, which no program has to expect: `sleep 1000` would
 * end at every wake. So the call is made again.
 *
 * A nanosleep goes on with what is left of it, which the kernel has written where the program asked for it
 * (kernel/time/hrtimer.c, nanosleep_copyout). Everything else begins its timeout again.
 */
#include <asm/unistd.h>

static void make_call_again(user_regs_struct_t *regs)
{
	if (!user_regs_native(regs)) {
		set_user_reg(regs, ax, -EINTR);
		return;
	}
	if (regs->native.orig_ax == __NR_nanosleep && regs->native.si)
		regs->native.di = regs->native.si;
	if (regs->native.orig_ax == __NR_clock_nanosleep && regs->native.r10)
		regs->native.dx = regs->native.r10;
	regs->native.ax = regs->native.orig_ax;
	/* The length of the instruction `syscall`. */
	regs->native.ip -= 2;
}
