// libcriu for Swift: its notifications carry no context, so the calls that notify are wrapped here.
#pragma once

#include <criu/criu.h>
#include <stdbool.h>

/// Called at each step of a dump or restore, on the thread that asked for it.
/// `script` is the name CRIU gives the step (criu/action-scripts.c), `pid` the container's init where it is known.
/// Any answer but zero makes CRIU give up and undo what it has done.
typedef int (*zp_criu_notify)(void *context, const char *script, int pid);

/// criu_local_dump. Zero, or a negative errno.
int zp_criu_dump(criu_opts *options, zp_criu_notify notify, void *context);

/// criu_local_restore. The pid of the restored init, or a negative errno.
int zp_criu_restore(criu_opts *options, zp_criu_notify notify, void *context);
