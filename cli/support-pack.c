/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The folder beside the output and the tarball of it. The system's tar packs: it is on every distribution,
 * and libarchive would bring libicu, 35 MiB, into every guest for one verb.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/support.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/names.h"
#include "pvdrivers/tool.h"

#define TAR_DEADLINE 120 /* seconds */
#define OPEN_FOLDERS 16

/* Words of this machine that no pattern knows. A host name that says only which distribution this is stays.
 */
static void add_words(struct tn_mask *mask, const struct tn_env *env)
{
        g_autofree char *machine = tn_env_read_line(env, "etc/machine-id");
        g_autofree char *boot = tn_env_read_line(env, "proc/sys/kernel/random/boot_id");
        g_autofree char *name = tn_env_read_line(env, "proc/sys/kernel/hostname");
        g_autofree char *release = NULL, *id = NULL;
        g_auto(GStrv) parts = name ? g_strsplit(name, ".", 2) : NULL;

        tn_mask_word(mask, machine, "<machine id>");
        if (boot) {
                g_auto(GStrv) pieces = g_strsplit(boot, "-", 0);
                g_autofree char *joined = g_strjoinv("", pieces);

                tn_mask_word(mask, joined, "<boot id>");
        }
        (void) tn_env_read(env, "etc/os-release", &release, NULL, NULL);
        if (parts)
                id = g_strdup_printf("\nID=%s\n", parts[0]);
        if (!parts || g_str_equal(parts[0], "localhost") || (release && strstr(release, id)))
                return;
        tn_mask_word(mask, name, "<host name>");
        tn_mask_word(mask, parts[0], "<host name>");
}

bool tn_support_init(struct tn_support *support, const struct tn_env *env, const char *output,
                     struct tn_progress *progress, GError **error)
{
        g_autofree char *dir = g_path_get_dirname(output), *base = g_path_get_basename(output);
        g_autofree char *template = g_build_filename(dir, ".tenon-support-XXXXXX", NULL);
        char *dot = strchr(base, '.');

        (void) umask(077);
        support->env = env;
        support->progress = progress;
        support->contents = json_array();
        support->missing = json_array();
        support->mask = tn_mask_new();
        add_words(support->mask, env);
        if (access(output, F_OK) == 0)
                return tn_error_set(error, TN_ERROR_BUSY, "%s exists; choose another name with --output",
                                    output);
        if (!g_mkdtemp_full(template, 0700))
                return tn_error_errno(error, errno, "make a folder in %s", dir);
        support->stage = g_steal_pointer(&template);
        if (dot && dot > base)
                *dot = '\0';
        support->name = g_steal_pointer(&base);
        support->folder = g_build_filename(support->stage, support->name, NULL);
        if (mkdir(support->folder, 0700) < 0)
                return tn_error_errno(error, errno, "make %s", support->folder);
        return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

void tn_support_deinit(struct tn_support *support)
{
        if (support->stage)
                (void) nftw(support->stage, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
        tn_mask_free(support->mask);
        json_decref(support->contents);
        json_decref(support->missing);
        g_free(support->stage);
        g_free(support->folder);
        g_free(support->name);
        *support = (struct tn_support){0};
}

bool tn_support_add(struct tn_support *support, const char *name, const char *what, const char *text,
                    GError **error)
{
        g_autofree char *path = g_build_filename(support->folder, name, NULL);
        g_autofree char *masked = tn_mask_text(support->mask, text);

        if (!g_file_set_contents_full(path, masked, -1, G_FILE_SET_CONTENTS_NONE, 0600, error))
                return false;
        json_array_append_new(support->contents, json_pack("{s:s, s:s, s:I}", "name", name, "what", what,
                                                           "size", (json_int_t) strlen(masked)));
        return true;
}

/* The bytes are on the disk before the name is. */
static bool place(const char *made, const char *output, GError **error)
{
        tn_autofd int fd = open(made, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
                return tn_error_errno(error, errno, "write %s", made);
        if (renameat2(AT_FDCWD, made, AT_FDCWD, output, RENAME_NOREPLACE) == 0)
                return true;
        if (errno != EINVAL) /* EINVAL: the file system does not know NOREPLACE */
                return tn_error_errno(error, errno, "write %s", output);
        return rename(made, output) == 0 || tn_error_errno(error, errno, "write %s", output);
}

bool tn_support_pack(struct tn_support *support, const char *output, GError **error)
{
        g_autofree char *tar = tn_tool_find(support->env, "tar");
        g_autofree char *stage = g_canonicalize_filename(support->stage, NULL);
        g_autofree char *made = g_build_filename(stage, "report.tar.gz", NULL);
        const char *argv[] = {tar, "--numeric-owner", "-C", stage, "-czf", made, support->name, NULL};

        tn_progress_step(support->progress, "pack", "packing");
        if (!tar)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED, "there is no tar; install the package tar");
        if (!tn_tool_must(tn_tool_run, support->env, argv, TAR_DEADLINE, NULL, NULL, error))
                return false;
        if (tn_support_signal())
                return tn_error_set(error, TN_ERROR_FAILED, "ended by a signal; nothing was written");
        return place(made, output, error);
}
