/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Opens a recorded machine as an environment. The surprising thing: a machine without root/ gets a root
 * file descriptor of something that is no directory, so that every path below it fails to open; the
 * recording's own directory would show cpuid.txt as a file of the machine.
 */
#define _GNU_SOURCE
#include "detect/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define FILE_MAX  (256U * 1024U) /* bytes of cpuid.txt and machine.txt */
#define N_FIELDS  6              /* leaf, subleaf, eax, ebx, ecx, edx */
#define HEX_WIDTH 8

struct leaf {
        uint32_t fields[N_FIELDS];
};

static bool recorded_cpuid(const struct tn_env *env, uint32_t leaf, uint32_t subleaf, struct tn_cpuid *ret)
{
        const GArray *leaves = env->cpuid_data;

        for (unsigned i = 0; i < leaves->len; i++) {
                const uint32_t *f = g_array_index(leaves, struct leaf, i).fields;

                if (f[0] == leaf && f[1] == subleaf) {
                        *ret = (struct tn_cpuid){f[2], f[3], f[4], f[5]};
                        return true;
                }
        }
        return false;
}

static bool parse_hex(const char *text, uint32_t *ret)
{
        uint32_t value = 0;

        if (strlen(text) != HEX_WIDTH)
                return false;
        for (; *text; text++) {
                if (!g_ascii_isxdigit(*text))
                        return false;
                value = value << 4 | (uint32_t) g_ascii_xdigit_value(*text);
        }
        *ret = value;
        return true;
}

static bool parse_leaf(char *line, struct leaf *ret)
{
        struct leaf leaf;
        char *rest = NULL, *word = strtok_r(line, " \t\r", &rest);
        unsigned n = 0;

        for (; word && n < N_FIELDS; word = strtok_r(NULL, " \t\r", &rest))
                if (!parse_hex(word, &leaf.fields[n++]))
                        return false;
        if (word || n < N_FIELDS)
                return false;
        *ret = leaf;
        return true;
}

/* The array of leaves in @text, or NULL. */
static GArray *parse_cpuid(char *text, size_t len, const char *name, GError **error)
{
        g_autoptr(GArray) leaves = g_array_new(FALSE, FALSE, sizeof(struct leaf));
        unsigned number = 0;

        if (strlen(text) != len) {
                (void) tn_error_set(error, TN_ERROR_INVALID,
                                    "%s: is not a text file; record the machine anew", name);
                return NULL;
        }
        for (char *line = text, *next; line; line = next) {
                struct leaf leaf;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                number++;
                line += strspn(line, " \t\r");
                if (*line == '\0' || *line == '#')
                        continue;
                if (!parse_leaf(line, &leaf)) {
                        (void) tn_error_set(
                                error, TN_ERROR_INVALID,
                                "%s:%u: expected six numbers of 8 hexadecimal digits, LEAF SUBLEAF "
                                "EAX EBX ECX EDX",
                                name, number);
                        return NULL;
                }
                g_array_append_val(leaves, leaf);
        }
        return g_steal_pointer(&leaves);
}

/* One of the recording's own files; *ret stays NULL when it is not there. */
static bool read_part(int dir_fd, const char *name, const char *path, char **ret, size_t *ret_len,
                      GError **error)
{
        tn_autofd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        g_autofree char *buffer = NULL;
        size_t used = 0;
        struct stat st;

        if (fd < 0)
                return errno == ENOENT || tn_error_errno(error, errno, "open %s", path);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return tn_error_set(error, TN_ERROR_INVALID, "%s: is not a regular file", path);
        if (st.st_size > FILE_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "%s: is larger than %u bytes", path, FILE_MAX);
        buffer = g_malloc0(FILE_MAX + 1);
        while (used < FILE_MAX) {
                ssize_t n = read(fd, buffer + used, FILE_MAX - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "read %s", path);
                if (n == 0)
                        break;
                used += (size_t) n;
        }
        *ret = g_steal_pointer(&buffer);
        *ret_len = used;
        return true;
}

static bool load_cpuid(int dir_fd, const char *dir, GArray **ret, GError **error)
{
        g_autofree char *path = g_build_filename(dir, "cpuid.txt", NULL), *text = NULL;
        GArray *leaves;
        size_t len = 0;

        if (!read_part(dir_fd, "cpuid.txt", path, &text, &len, error))
                return false;
        leaves = text ? parse_cpuid(text, len, path, error) : g_array_new(FALSE, FALSE, sizeof(struct leaf));
        if (!leaves)
                return false;
        *ret = leaves;
        return true;
}

static bool load_machine(int dir_fd, const char *dir, char **ret, GError **error)
{
        g_autofree char *path = g_build_filename(dir, "machine.txt", NULL), *text = NULL;
        size_t len = 0;

        if (!read_part(dir_fd, "machine.txt", path, &text, &len, error))
                return false;
        if (!text) {
                *ret = g_strdup("unknown");
                return true;
        }
        g_strstrip(text);
        if (*text == '\0' || strlen(text) > 64 ||
            text[strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-.")])
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "%s: expected one word, as `uname -m` prints it", path);
        *ret = g_steal_pointer(&text);
        return true;
}

/* The root directory, or, where there is none, something below which there are no files. */
static int open_root(int dir_fd, const char *dir, bool *ret_is_root, GError **error)
{
        int fd = openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        *ret_is_root = fd >= 0;
        if (fd < 0 && errno == ENOENT)
                fd = open("/dev/null", O_PATH | O_CLOEXEC);
        if (fd < 0)
                (void) tn_error_errno(error, errno, "open %s/root, which must be a directory", dir);
        return fd;
}

/* Below a root that cannot be read at all (no openat2(): Linux before 5.6, a strict seccomp filter) every
 * machine would be bare metal. */
static bool check_root(const struct tn_env *env, const char *dir, GError **error)
{
        tn_autofd int fd = tn_env_open(env, ".", O_PATH, error);

        if (fd < 0)
                g_prefix_error(error, "recorded machines cannot be read on this system: %s/root: ", dir);
        return fd >= 0;
}

bool tn_machine_open(struct tn_env *env, const char *dir, GError **error)
{
        tn_autofd int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        g_autofree char *machine = NULL;
        g_autoptr(GArray) leaves = NULL;
        tn_autofd int root_fd = -1;
        struct tn_env opened;
        bool is_root;

        if (dir_fd < 0)
                return tn_error_errno(error, errno, "open the recorded machine %s", dir);
        if (!load_cpuid(dir_fd, dir, &leaves, error) || !load_machine(dir_fd, dir, &machine, error))
                return false;
        root_fd = open_root(dir_fd, dir, &is_root, error);
        if (root_fd < 0 || !tn_env_init_root(&opened, dir, error))
                return false;
        close(opened.root_fd);
        g_free(opened.machine);
        opened.root_fd = tn_fd_steal(&root_fd);
        opened.machine = g_steal_pointer(&machine);
        opened.cpuid = recorded_cpuid;
        opened.cpuid_data = g_steal_pointer(&leaves);
        if (is_root && !check_root(&opened, dir, error)) {
                tn_machine_close(&opened);
                return false;
        }
        *env = opened;
        return true;
}

void tn_machine_close(struct tn_env *env)
{
        g_array_unref(env->cpuid_data);
        env->cpuid_data = NULL;
        tn_env_deinit(env);
}
