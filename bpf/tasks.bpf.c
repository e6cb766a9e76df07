// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * What threads and processes have that CRIU would lose without a word and that /proc does not show. The program runs
 * only when a shim reads the iterator (Linux 5.8): then it visits each thread of the reader's pid namespace once, and
 * writes a record of those that have something. There is one for all pods of a node.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "zeropod.h"

/* The few fields that are read, found at load time where the running kernel has them (CO-RE). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct key {
    int serial;
};
struct cred {
    struct key *session_keyring;
    struct key *process_keyring;
    struct key *thread_keyring;
    void *security;
};
struct pid_namespace;
struct upid {
    int nr;
    struct pid_namespace *ns;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
struct nsproxy {
    void *uts_ns;
    void *ipc_ns;
    void *mnt_ns;
    void *net_ns;
    void *cgroup_ns;
    void *time_ns;
    void *time_ns_for_children;
    void *pid_ns_for_children;
};
struct mm_struct {
    unsigned long def_flags;
};
struct list_head {
    struct list_head *next;
};
struct sem_undo_list {
    struct list_head list_proc;
};
struct sysv_sem {
    struct sem_undo_list *undo_list;
};
struct seccomp_filter {
    struct seccomp_filter *prev;
    void *notif;
};
struct seccomp {
    struct seccomp_filter *filter;
};
struct task_struct {
    struct task_struct *group_leader;
    struct pid *thread_pid;
    struct cred *real_cred;
    struct nsproxy *nsproxy;
    void *fs;
    void *files;
    void *cgroups;
    struct mm_struct *mm;
    struct sysv_sem sysvsem;
    struct seccomp seccomp;
};
struct seq_file;
struct bpf_iter_meta {
    struct seq_file *seq;
};
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};
#pragma clang attribute pop

/* Where in the security blob of credentials landlock keeps its domain, in words from 1 on; 0: nobody can have one. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} landlock SEC(".maps");

enum {
    MOST_SECCOMP_FILTERS = 32,
    /* VM_LOCKED and VM_LOCKONFAULT of <linux/mm.h>. */
    LOCKED = 0x2000 | 0x80000,
};

/*
 * Functions that are not static are looked at by the verifier once, and not for each way that leads to them. They take
 * numbers only (other pointers than the context's since Linux 5.13).
 */
#define ONCE __attribute__((noinline))
#define DIFFERS(one, other, field) (BPF_CORE_READ(one, field) != BPF_CORE_READ(other, field))

static __always_inline __u64 landlock_domain(struct task_struct *task, __u32 word)
{
    __u64 domain = 0;
    if (bpf_core_field_exists(struct cred, security)) {
        __u64 *words = BPF_CORE_READ(task, real_cred, security);
        bpf_probe_read_kernel(&domain, sizeof domain, words + word - 1);
    }
    return domain;
}

/* A domain that the reader has as well comes with being its child. */
ONCE __u32 restriction(__u64 task, __u64 reader)
{
    __u32 zero = 0, *word = bpf_map_lookup_elem(&landlock, &zero);
    if (!word || *word == 0)
        return 0;
    __u64 domain = landlock_domain((void *)task, *word);
    return domain && domain != landlock_domain((void *)reader, *word) ? ZP_LANDLOCK : 0;
}

ONCE __u32 keyrings(__u64 task, __u64 leader)
{
    if (!bpf_core_field_exists(struct cred, session_keyring))
        return 0;
    struct cred *own = BPF_CORE_READ((struct task_struct *)task, real_cred);
    struct cred *common = BPF_CORE_READ((struct task_struct *)leader, real_cred);
    __u32 found = 0;
    if (BPF_CORE_READ(own, thread_keyring))
        found |= ZP_THREAD_KEYRING;
    if (BPF_CORE_READ(own, process_keyring))
        found |= ZP_PROCESS_KEYRING;
    if (DIFFERS(own, common, session_keyring))
        found |= ZP_THREAD_SESSION_KEYRING;
    return found;
}

static __always_inline void *active_pid_namespace(struct task_struct *task)
{
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
    __u32 level = BPF_CORE_READ(pid, level);
    return BPF_CORE_READ(numbers + level, ns);
}

/* A task that has exited has no namespaces. */
ONCE __u32 namespaces(__u64 task, __u64 leader)
{
    struct nsproxy *own = BPF_CORE_READ((struct task_struct *)task, nsproxy);
    struct nsproxy *common = BPF_CORE_READ((struct task_struct *)leader, nsproxy);
    __u32 found = 0;
    if (!own || !common)
        return 0;
    if (own != common
        && (DIFFERS(own, common, uts_ns) || DIFFERS(own, common, ipc_ns) || DIFFERS(own, common, mnt_ns)
            || DIFFERS(own, common, net_ns) || DIFFERS(own, common, cgroup_ns) || DIFFERS(own, common, time_ns)))
        found |= ZP_THREAD_NAMESPACE;
    if (BPF_CORE_READ(own, pid_ns_for_children) != active_pid_namespace((void *)task)
        || BPF_CORE_READ(own, time_ns_for_children) != BPF_CORE_READ(own, time_ns))
        found |= ZP_CHILDREN_NAMESPACE;
    return found;
}

/* A task that has exited has no files and no working directory. */
ONCE __u32 tables(__u64 number, __u64 leader_number)
{
    struct task_struct *task = (void *)number, *leader = (void *)leader_number;
    __u32 found = 0;
    if (!BPF_CORE_READ(task, nsproxy) || !BPF_CORE_READ(leader, nsproxy))
        return 0;
    if (DIFFERS(task, leader, fs))
        found |= ZP_THREAD_DIRECTORY;
    if (DIFFERS(task, leader, files))
        found |= ZP_THREAD_DESCRIPTORS;
    if (DIFFERS(task, leader, cgroups))
        found |= ZP_THREAD_CGROUPS;
    return found;
}

ONCE __u32 semaphores(__u64 task)
{
    if (!bpf_core_field_exists(struct task_struct, sysvsem))
        return 0;
    struct sem_undo_list *list = BPF_CORE_READ((struct task_struct *)task, sysvsem.undo_list);
    if (!list)
        return 0;
    struct list_head *head = (void *)list + bpf_core_field_offset(struct sem_undo_list, list_proc);
    return BPF_CORE_READ(head, next) != head ? ZP_SEMAPHORES : 0;
}

ONCE __u32 supervision(__u64 task)
{
    if (!bpf_core_field_exists(struct seccomp, filter))
        return 0;
    struct seccomp_filter *filter = BPF_CORE_READ((struct task_struct *)task, seccomp.filter);
    for (int i = 0; i < MOST_SECCOMP_FILTERS && filter; i++) {
        if (BPF_CORE_READ(filter, notif))
            return ZP_SECCOMP_LISTENER;
        filter = BPF_CORE_READ(filter, prev);
    }
    return 0;
}

ONCE __u32 locks(__u64 task)
{
    return BPF_CORE_READ((struct task_struct *)task, mm, def_flags) & LOCKED ? ZP_LOCKS_MEMORY : 0;
}

/* Its process's number where the reader is. */
ONCE int process_of(__u64 leader, __u64 reader)
{
    struct pid *pid = BPF_CORE_READ((struct task_struct *)leader, thread_pid);
    struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
    __u32 level = BPF_CORE_READ((struct task_struct *)reader, thread_pid, level);
    return BPF_CORE_READ(numbers + level, nr);
}

SEC("iter/task")
int zeropod_tasks(struct bpf_iter__task *context)
{
    struct task_struct *pointer = context->task;
    if (!pointer)
        return 0;
    struct task_struct *task = 0;
    /* A number, which functions take. */
    bpf_probe_read_kernel(&task, sizeof task, &pointer);
    __u64 number = (__u64)task, reader = bpf_get_current_task();
    __u64 leader = (__u64)BPF_CORE_READ(task, group_leader);
    /* Threads of the kernel have no memory of their own. */
    if (!BPF_CORE_READ(task, mm))
        return 0;
    struct zp_task found = {};
    found.settings = restriction(number, reader) | keyrings(number, leader) | namespaces(number, leader)
        | tables(number, leader) | semaphores(number) | supervision(number) | locks(number);
    if (found.settings) {
        found.process = process_of(leader, reader);
        bpf_seq_write(context->meta->seq, &found, sizeof found);
    }
    return 0;
}

/* The reader's own security blob, by which it can be told where landlock has its domain. */
SEC("iter/task")
int zeropod_blob(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;
    if (!task || task != (void *)bpf_get_current_task() || !bpf_core_field_exists(struct cred, security))
        return 0;
    __u64 words[ZP_BLOB_WORDS] = {};
    bpf_probe_read_kernel(words, sizeof words, BPF_CORE_READ(task, real_cred, security));
    bpf_seq_write(context->meta->seq, words, sizeof words);
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
