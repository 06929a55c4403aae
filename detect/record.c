/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Records a machine: writes the evidence that was loaded, which is already stripped (filter.c), so that
 * judging the recording sees exactly what judging the machine saw.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/evidence.h"
#include "detect/machine.h"
#include "detect/record.h"
#include "lib/error.h"
#include "lib/fd.h"

int tn_record_directories(int dir_fd, const char *path, GError **error)
{
        g_auto(GStrv) parts = g_strsplit(path, "/", -1);
        int fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        for (char **part = parts; fd >= 0 && *part; part++) {
                tn_autofd int above = fd;

                if (!**part || g_str_equal(*part, "."))
                        fd = tn_fd_steal(&above);
                else if (mkdirat(above, *part, 0755) < 0 && errno != EEXIST)
                        fd = -1;
                else
                        fd = openat(above, *part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0)
                (void) tn_error_errno(error, errno, "make the directory %s", path);
        return fd;
}

bool tn_record_write(int dir_fd, const char *name, const char *text, size_t len, GError **error)
{
        tn_autofd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

        if (fd < 0)
                return tn_error_errno(error, errno, "create %s", name);
        while (len > 0) {
                ssize_t n = write(fd, text, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "write %s", name);
                text += n;
                len -= (size_t) n;
        }
        return true;
}

static bool write_names(int root_fd, const char *path, const char *text, GError **error)
{
        g_auto(GStrv) names = g_strsplit(text, "\n", -1);
        tn_autofd int dir_fd = tn_record_directories(root_fd, path, error);

        for (char **name = names; dir_fd >= 0 && *name; name++) {
                g_autofree char *below = g_build_filename(path, *name, NULL);
                tn_autofd int fd = tn_record_directories(root_fd, below, error);

                if (fd < 0)
                        return false;
        }
        return dir_fd >= 0;
}

static bool write_item(const struct tn_evidence *evidence, enum tn_evidence_item item, int root_fd,
                       GError **error)
{
        const char *path = tn_evidence_path(evidence, item), *text = tn_evidence_text(evidence, item);
        g_autofree char *directory = g_path_get_dirname(path), *name = g_path_get_basename(path);
        tn_autofd int fd = -1;

        if (!tn_evidence_exists(evidence, item))
                return true;
        if (tn_evidence_form(evidence, item) == TN_EVIDENCE_DIRECTORY)
                return write_names(root_fd, path, text, error);
        fd = tn_record_directories(root_fd, directory, error);
        if (fd < 0)
                return false;
        if (tn_evidence_form(evidence, item) == TN_EVIDENCE_LINK)
                return symlinkat(text, fd, name) == 0 ||
                       tn_error_errno(error, errno, "create the link %s", path);
        return tn_record_write(fd, name, text, tn_evidence_len(evidence, item), error);
}

static bool write_cpuid(const struct tn_evidence *evidence, int dir_fd, GError **error)
{
        g_autoptr(GString) text = g_string_new(NULL);
        struct tn_cpuid regs;
        uint32_t leaf;

        for (size_t i = 0; tn_evidence_cpuid_at(evidence, i, &leaf, &regs); i++)
                g_string_append_printf(text, "%08X %08X %08X %08X %08X %08X\n", leaf, 0U, regs.eax, regs.ebx,
                                       regs.ecx, regs.edx);
        return text->len == 0 || tn_record_write(dir_fd, "cpuid.txt", text->str, text->len, error);
}

static bool write_machine(const struct tn_evidence *evidence, int dir_fd, GError **error)
{
        g_autofree char *line = g_strdup_printf("%s\n", tn_evidence_machine(evidence));

        return g_str_equal(line, "unknown\n") ||
               tn_record_write(dir_fd, "machine.txt", line, strlen(line), error);
}

/* The directory at @path, made if need be, refused if it has anything in it. */
static int open_empty(const char *path, GError **error)
{
        tn_autofd int fd = -1;
        g_autoptr(GDir) dir = NULL;

        if (mkdir(path, 0755) < 0 && errno != EEXIST) {
                (void) tn_error_errno(error, errno, "make the directory %s", path);
                return -1;
        }
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                (void) tn_error_errno(error, errno, "open the directory %s", path);
                return -1;
        }
        dir = g_dir_open(path, 0, error);
        if (!dir)
                return -1;
        if (g_dir_read_name(dir)) {
                (void) tn_error_set(error, TN_ERROR_INVALID, "%s is not empty; name a new directory", path);
                return -1;
        }
        return tn_fd_steal(&fd);
}

bool tn_machine_record(const struct tn_env *env, const char *dir, GError **error)
{
        g_autoptr(tn_evidence_t) evidence = tn_evidence_load(env);
        tn_autofd int dir_fd = open_empty(dir, error), root_fd = -1;

        if (dir_fd < 0)
                return false;
        root_fd = tn_record_directories(dir_fd, "root", error);
        if (root_fd < 0)
                return false;
        for (unsigned i = 0; i < _TN_EVIDENCE_MAX; i++)
                if (!write_item(evidence, i, root_fd, error)) {
                        g_prefix_error(error, "record /%s: ", tn_evidence_path(evidence, i));
                        return false;
                }
        return write_cpuid(evidence, dir_fd, error) && write_machine(evidence, dir_fd, error);
}
