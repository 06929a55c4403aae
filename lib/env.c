/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Rooted file access and the real clocks and CPUID. The surprising thing: openat2() is used only for
 * recorded roots; on the real root plain openat() is right, because sysfs is made of symbolic links and
 * a seccomp filter may not know openat2().
 */
#define _GNU_SOURCE
#include "lib/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "lib/clock-call.h"
#include "lib/error.h"
#include "lib/fd.h"

static bool system_cpuid(const struct tn_env *env, uint32_t leaf, uint32_t subleaf, struct tn_cpuid *ret)
{
        (void) env;
#if defined(__x86_64__) || defined(__i386__)
        if (__get_cpuid_max(leaf & 0x80000000U, NULL) == 0)
                return false;
        __cpuid_count(leaf, subleaf, ret->eax, ret->ebx, ret->ecx, ret->edx);
        return true;
#else
        (void) leaf;
        (void) subleaf;
        (void) ret;
        return false;
#endif
}

static bool no_cpuid(const struct tn_env *env, uint32_t leaf, uint32_t subleaf, struct tn_cpuid *ret)
{
        (void) env;
        (void) leaf;
        (void) subleaf;
        (void) ret;
        return false;
}

static uint64_t system_now_usec(const struct tn_env *env, clockid_t clock)
{
        struct timespec ts = {0};

        (void) env;
        (void) clock_gettime(clock, &ts); /* fails only for a clock that does not exist */
        return (uint64_t) ts.tv_sec * G_USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static bool system_set_realtime(const struct tn_env *env, uint64_t usec, GError **error)
{
        struct tn_clock_answer answer;
        int errnum = tn_clock_ask(TN_CLOCK_SET, (int64_t) usec, &answer);

        (void) env;
        if (errnum != 0)
                return tn_error_errno(error, errnum, "Failed to set time to guest");
        return true;
}

static bool refuse_set_realtime(const struct tn_env *env, uint64_t usec, GError **error)
{
        (void) env;
        (void) usec;
        return tn_error_set(error, TN_ERROR_UNSUPPORTED, "a recorded machine has no clock to set");
}

bool tn_env_init_system(struct tn_env *env, struct tn_log *log, GError **error)
{
        struct utsname uts;
        int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return tn_error_errno(error, errno, "open /");
        *env = (struct tn_env){
                .root_fd = fd,
                .machine = g_strdup(uname(&uts) == 0 ? uts.machine : "unknown"),
                .cpuid = system_cpuid,
                .now_usec = system_now_usec,
                .set_realtime = system_set_realtime,
                .log = log,
        };
        return true;
}

bool tn_env_init_root(struct tn_env *env, const char *path, GError **error)
{
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return tn_error_errno(error, errno, "open %s", path);
        *env = (struct tn_env){
                .root_fd = fd,
                .recorded = true,
                .machine = g_strdup("unknown"),
                .cpuid = no_cpuid,
                .now_usec = system_now_usec,
                .set_realtime = refuse_set_realtime,
        };
        return true;
}

void tn_env_deinit(struct tn_env *env)
{
        if (env->machine)
                close(env->root_fd);
        g_clear_pointer(&env->machine, g_free);
}

static int open_quiet(const struct tn_env *env, const char *path, int flags)
{
        struct open_how how = {.flags = (uint64_t) (flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT};

        if (!env->recorded)
                return openat(env->root_fd, path, flags | O_CLOEXEC);
        return (int) syscall(SYS_openat2, env->root_fd, path, &how, sizeof how);
}

int tn_env_open(const struct tn_env *env, const char *path, int flags, GError **error)
{
        int fd = open_quiet(env, path, flags);

        if (fd < 0)
                (void) tn_error_errno(error, errno, "open /%s", path);
        return fd;
}

bool tn_env_read(const struct tn_env *env, const char *path, char **ret, size_t *ret_len, GError **error)
{
        tn_autofd int fd = tn_env_open(env, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
                                       error); /* no fifo holds us */
        g_autofree char *buffer = NULL;
        size_t size = 4096, used = 0;

        if (fd < 0)
                return false;
        buffer = g_malloc(size);
        for (;;) {
                ssize_t n = read(fd, buffer + used, size - used - 1);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "read /%s", path);
                if (n == 0)
                        break;
                used += (size_t) n;
                if (used > TN_ENV_READ_MAX)
                        return tn_error_set(error, TN_ERROR_LIMIT, "/%s is larger than %d bytes", path,
                                            TN_ENV_READ_MAX);
                if (size - used < 1024)
                        buffer = g_realloc(buffer, size *= 2);
        }
        buffer[used] = '\0';
        if (ret_len)
                *ret_len = used;
        *ret = g_steal_pointer(&buffer);
        return true;
}

char *tn_env_read_line(const struct tn_env *env, const char *path)
{
        g_autofree char *text = NULL;

        if (!tn_env_read(env, path, &text, NULL, NULL))
                return NULL;
        text[strcspn(text, "\n")] = '\0';
        g_strstrip(text);
        return *text ? g_steal_pointer(&text) : NULL;
}

bool tn_env_read_int64(const struct tn_env *env, const char *path, int64_t *ret)
{
        g_autofree char *line = tn_env_read_line(env, path);
        char *end;
        int64_t value;

        if (!line)
                return false;
        errno = 0;
        value = g_ascii_strtoll(line, &end, g_str_has_prefix(line, "0x") ? 16 : 10);
        if (errno || end == line || *end)
                return false;
        *ret = value;
        return true;
}

bool tn_env_exists(const struct tn_env *env, const char *path)
{
        tn_autofd int fd = open_quiet(env, path, O_PATH);

        return fd >= 0;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

char **tn_env_list(const struct tn_env *env, const char *path)
{
        g_autoptr(GPtrArray) names = NULL;
        int fd = open_quiet(env, path, O_RDONLY | O_DIRECTORY);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                tn_fd_close(&fd);
                return NULL;
        }
        names = g_ptr_array_new_with_free_func(g_free);
        for (struct dirent *entry; (entry = readdir(dir));)
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        closedir(dir);
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

char *tn_env_readlink(const struct tn_env *env, const char *path)
{
        char target[4096];
        tn_autofd int fd = open_quiet(env, path, O_PATH | O_NOFOLLOW);
        ssize_t n;

        if (fd < 0)
                return NULL;
        n = readlinkat(fd, "", target, sizeof target);
        return n > 0 && (size_t) n < sizeof target ? g_strndup(target, (size_t) n) : NULL;
}

char *tn_env_readlink_name(const struct tn_env *env, const char *path)
{
        g_autofree char *target = tn_env_readlink(env, path);

        return target ? g_path_get_basename(target) : NULL;
}
