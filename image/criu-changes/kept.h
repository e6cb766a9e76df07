/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What zeropod changes in CRIU; the comments in kept.c say what for. */
#ifndef ZEROPOD_KEPT_H
#define ZEROPOD_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct fd_parms;
struct fdtype_ops;
struct file_desc;
struct parasite_dump_misc;

bool kept_is_on(void);

/* The start, in start.c. */
bool rseq_is_off(void);

/* Dump. */
extern const struct fdtype_ops kept_dump_ops;
bool is_kept(int lfd, const struct fd_parms *p);
void kept_mappings_of(pid_t pid);
int dump_kept_mapping(int lfd, uint32_t *id, struct fd_parms *p, unsigned long start, unsigned long end,
		      unsigned int flags);
int dump_kept_link(int lfd, uint32_t *id, struct fd_parms *p, pid_t pid, const char *link);
bool mapping_is_lost(const char *line);
bool task_is_lost(const struct parasite_dump_misc *misc, pid_t pid);
int read_limit(pid_t pid, int resource, struct rlimit64 *limit);
/* In filter.c. */
int filter_dump(void);

/* Restore. */
int collect_kept_segments(void);
int place_keeper(void);
bool kept_fd(const char *name, int *fd);
int restore_kept_owner(struct file_desc *d, int fd);
int open_beneath(int root, const char *path, unsigned int flags);
struct sockaddr_un;
void name_fdstore(struct sockaddr_un *name, unsigned int *length);
void unname_fdstore(const struct sockaddr_un *name);
int make_transport_sender(void);
int transport_sender(void);
int hear_only_sender(int sock);
void transport_name(char *name, size_t size, pid_t pid);

struct page_read;
int see_page(struct page_read *pr, unsigned long address, void *buffer, const void **page);

/* The user namespace, in users.c. */
int clone_in_kept_users(int (*body)(void *), void *argument, int flags, int exit_signal, pid_t pid);
int mount_kept_proc(void);
int open_from_outside(char *path, int flags);
int open_image_from_outside(int directory, const char *path, int flags, int mode);
int take_from_keeper(int number);

#endif
