#include "CDataPath.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

// In C because of va_list: a Swift closure that takes one crashes Swift 6.2's compiler on arm64, where it is a structure.

static void (*_Atomic take_text)(const char *text);

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
    char text[4096];
    if (level != LIBBPF_DEBUG && vsnprintf(text, sizeof text, format, arguments) > 0)
        take_text(text);
    return 0;
}

void zp_libbpf_log(void (*take)(const char *text))
{
    take_text = take;
    libbpf_set_print(print);
}
