/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * struct tn_env is the only door to the machine: where the root directory is, what CPUID and uname say,
 * what the clocks say, where log records go, how a child is started. Production fills it once
 * (tn_env_init_system), tests and `tenonctl detect --machine` fill it from a folder (tn_env_init_root),
 * and no code below knows the difference.
 *
 * Paths are always relative to the root and never begin with '/': tn_env_read(env, "proc/cpuinfo", …).
 * Below a recorded root, symbolic links are resolved inside of it (openat2 RESOLVE_IN_ROOT), so a hostile
 * recording cannot reach the reader's own files.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct tn_log;
struct tn_env;

#define TN_ENV_READ_MAX (1024 * 1024) /* bytes; more is TN_ERROR_LIMIT */

struct tn_cpuid {
        uint32_t eax, ebx, ecx, edx;
};

/* False where the CPU has no CPUID instruction or the recording has not this leaf. */
typedef bool (*tn_env_cpuid_func)(const struct tn_env *env, uint32_t leaf, uint32_t subleaf,
                                  struct tn_cpuid *ret);

struct tn_env {
        int root_fd;   /* directory; owned */
        bool recorded; /* root_fd is not the running system's "/" */
        char *machine; /* uname -m of what is looked at ("x86_64"); owned, never NULL */
        tn_env_cpuid_func cpuid;
        void *cpuid_data; /* owned by who set it */
        /* Microseconds of @clock (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME). */
        uint64_t (*now_usec)(const struct tn_env *env, clockid_t clock);
        /* Sets CLOCK_REALTIME, microseconds since 1970. */
        bool (*set_realtime)(const struct tn_env *env, uint64_t usec, GError **error);
        struct tn_log *log; /* not owned; may be NULL */
};

/* The machine that this process runs on. */
bool tn_env_init_system(struct tn_env *env, struct tn_log *log, GError **error);
/* The root directory at @path and nothing else: no CPUID, `uname -m` "unknown". */
bool tn_env_init_root(struct tn_env *env, const char *path, GError **error);
void tn_env_deinit(struct tn_env *env);

/* A file descriptor (O_CLOEXEC added to @flags), or -1 with @error. */
int tn_env_open(const struct tn_env *env, const char *path, int flags, GError **error);

/* Whole file, NUL-terminated for convenience; *ret_len (may be NULL) counts without that NUL. Works for
 * proc and sysfs files, whose size is unknown beforehand. Free with g_free(). */
bool tn_env_read(const struct tn_env *env, const char *path, char **ret, size_t *ret_len, GError **error);

/* First line without white space at its ends, or NULL when missing, unreadable or empty. */
char *tn_env_read_line(const struct tn_env *env, const char *path);

/* A decimal or 0x-prefixed number in the first line; false when there is none. */
bool tn_env_read_int64(const struct tn_env *env, const char *path, int64_t *ret);

bool tn_env_exists(const struct tn_env *env, const char *path);

/* Names in a directory without "." and "..", sorted; NULL when it cannot be listed. Free: g_strfreev(). */
char **tn_env_list(const struct tn_env *env, const char *path);

/* Target of a symbolic link, or NULL. Free with g_free(). */
char *tn_env_readlink(const struct tn_env *env, const char *path);
/* Last component of the target of a symbolic link, or NULL: what sysfs' driver and subsystem links say. */
char *tn_env_readlink_name(const struct tn_env *env, const char *path);

static inline uint64_t tn_env_monotonic_usec(const struct tn_env *env)
{
        return env->now_usec(env, CLOCK_MONOTONIC);
}
