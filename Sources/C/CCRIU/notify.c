#include "CCRIU.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

// libcriu calls back on the thread of the call, without an argument of ours.
static _Thread_local zp_criu_notify current_notify;
static _Thread_local void *current_context;

static int forward(char *action, criu_notify_arg_t argument)
{
    return current_notify(current_context, action, criu_notify_pid(argument));
}

static int with_notify(int (*call)(criu_opts *), criu_opts *options, zp_criu_notify notify, void *context)
{
    current_notify = notify;
    current_context = context;
    criu_local_set_notify_cb(options, forward);
    int result = call(options);
    current_notify = NULL;
    current_context = NULL;
    return result;
}

int zp_criu_dump(criu_opts *options, zp_criu_notify notify, void *context)
{
    return with_notify(criu_local_dump, options, notify, context);
}

int zp_criu_restore(criu_opts *options, zp_criu_notify notify, void *context)
{
    return with_notify(criu_local_restore, options, notify, context);
}
