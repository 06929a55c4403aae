/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The pure halves of the checks: text of the kernel's in, numbers out. False: the text is not what it should
 * be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The avg10 of the line "some" or "full" of a file of /proc/pressure. */
bool health_parse_pressure(const char *text, const char *stall, double *ret_percent);
/* MemAvailable and MemTotal of /proc/meminfo, in KiB. */
bool health_parse_memory(const char *text, uint64_t *ret_available, uint64_t *ret_total);
/* The first average of /proc/loadavg. */
bool health_parse_load(const char *text, double *ret_load);
/* How many numbers are in a list such as "0-3,8"; 0: it is none. */
unsigned health_count_cpus(const char *list);
/* Used and largest number of file handles, /proc/sys/fs/file-nr. */
bool health_parse_handles(const char *text, uint64_t *ret_used, uint64_t *ret_max);

enum health_mount {
        HEALTH_MOUNT_NONE, /* nothing is mounted there */
        HEALTH_MOUNT_WRITABLE,
        HEALTH_MOUNT_READ_ONLY,
};
/* What mountinfo says of the mount point @path; of several at the same place the uppermost. */
struct health_mount_search {
        const char *path;
        enum health_mount found;
};
struct tn_mountinfo;
/* For tn_mountinfo_read(); @data is the search. */
void health_consider_mount(const struct tn_mountinfo *mount, void *data);

/* What statvfs(3) tells, as it is handed from one process to the other. */
struct health_space {
        uint64_t blocks, free, available; /* free for root, available for others */
        uint64_t files, files_free;       /* 0: this file system does not count them */
};
/* Percent used as df(1) has it, of blocks or of inodes, whichever is more. */
double health_space_used(const struct health_space *space, bool *ret_inodes);
