/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Free room on the file systems that are to be written to. */
#define _GNU_SOURCE
#include "pvdrivers/room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/error.h"
#include "lib/fd.h"

#define SPARE_BYTES                                                                                         \
        (4ULL << 20) /* left over on each file system: the rest of the guest lives on it, too               \
                      */
#define SPARE_FILES 16

struct need {
        dev_t device;
        char *folder; /* the first one on this file system, for messages */
        int fd;
        uint64_t bytes;
        uint64_t files;
        GString *what;
};

struct tn_room {
        const struct tn_env *env;
        GPtrArray *needs;
};

static void need_free(void *data)
{
        struct need *need = data;

        tn_fd_close(&need->fd);
        g_string_free(need->what, TRUE);
        g_free(need->folder);
        g_free(need);
}

struct tn_room *tn_room_new(const struct tn_env *env)
{
        struct tn_room *room = g_new0(struct tn_room, 1);

        room->env = env;
        room->needs = g_ptr_array_new_with_free_func(need_free);
        return room;
}

void tn_room_free(struct tn_room *room)
{
        if (!room)
                return;
        g_ptr_array_unref(room->needs);
        g_free(room);
}

/* The nearest folder above @path that is there. */
static int open_existing(const struct tn_env *env, const char *path, char **ret_folder)
{
        g_autofree char *folder = g_path_get_dirname(path);

        for (;;) {
                int fd = tn_env_open(env, folder, O_RDONLY | O_DIRECTORY, NULL);
                char *above;

                if (fd >= 0 || g_str_equal(folder, ".")) {
                        *ret_folder = g_steal_pointer(&folder);
                        return fd;
                }
                above = g_path_get_dirname(folder);
                g_free(folder);
                folder = above;
        }
}

static struct need *find_need(struct tn_room *room, const char *path)
{
        g_autofree char *folder = NULL;
        tn_autofd int fd = open_existing(room->env, path, &folder);
        struct need *need;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return NULL;
        for (guint i = 0; i < room->needs->len; i++) {
                need = g_ptr_array_index(room->needs, i);
                if (need->device == st.st_dev)
                        return need;
        }
        need = g_new0(struct need, 1);
        *need = (struct need){.device = st.st_dev,
                              .folder = g_steal_pointer(&folder),
                              .fd = tn_fd_steal(&fd),
                              .what = g_string_new(NULL)};
        g_ptr_array_add(room->needs, need);
        return need;
}

void tn_room_need(struct tn_room *room, const char *path, uint64_t bytes, unsigned files, const char *what)
{
        struct need *need = find_need(room, path);

        if (!need)
                return;
        need->bytes += bytes;
        need->files += files;
        if (!strstr(need->what->str, what))
                g_string_append_printf(need->what, "%s%s", need->what->len ? ", " : "", what);
}

static double mebibytes(uint64_t bytes)
{
        return (double) bytes / (1 << 20);
}

static bool check_need(const struct need *need, GError **error)
{
        const char *folder = g_str_equal(need->folder, ".") ? "" : need->folder;
        struct statvfs fs;
        uint64_t free_bytes;

        if (fstatvfs(need->fd, &fs) < 0)
                return tn_error_errno(error, errno, "ask how full the file system of /%s is", folder);
        if (fs.f_flag & ST_RDONLY)
                return tn_error_set(
                        error, TN_ERROR_DENIED,
                        "the file system of /%s is mounted read-only; nothing was changed. Mount it "
                        "read-write (mount -o remount,rw) and try again",
                        folder);
        free_bytes = (uint64_t) fs.f_bavail * fs.f_frsize;
        if (free_bytes < need->bytes + SPARE_BYTES)
                return tn_error_set(
                        error, TN_ERROR_LIMIT,
                        "not enough room: the file system of /%s needs %.1f MiB (%s) and has %.1f MiB "
                        "free; nothing was changed. Remove what is not needed, such as old kernels",
                        folder, mebibytes(need->bytes + SPARE_BYTES), need->what->str,
                        mebibytes(free_bytes));
        /* btrfs and FAT count no files. */
        if (fs.f_files && fs.f_favail < need->files + SPARE_FILES)
                return tn_error_set(
                        error, TN_ERROR_LIMIT,
                        "not enough room: the file system of /%s needs %u free inodes (%s) and has "
                        "%u; nothing was changed",
                        folder, (unsigned) need->files + SPARE_FILES, need->what->str,
                        (unsigned) fs.f_favail);
        return true;
}

bool tn_room_check(struct tn_room *room, GError **error)
{
        for (guint i = 0; i < room->needs->len; i++)
                if (!check_need(g_ptr_array_index(room->needs, i), error))
                        return false;
        return true;
}

uint64_t tn_room_size(const struct tn_env *env, const char *path)
{
        tn_autofd int fd = tn_env_open(env, path, O_PATH, NULL);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t) st.st_size : 0;
}
