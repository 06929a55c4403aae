/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A temporary folder for tests: made, filled, judged, removed. All paths are relative to it. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static inline char *folder_new(void)
{
        char *folder = g_dir_make_tmp(NULL, NULL);

        assert_non_null(folder);
        return folder;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

static inline void folder_free(char *folder)
{
        assert_int_equal(nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        g_free(folder);
}

static inline char *folder_path(const char *folder, const char *path)
{
        char *whole = g_build_filename(folder, path, NULL);
        g_autofree char *above = g_path_get_dirname(whole);

        assert_int_equal(g_mkdir_with_parents(above, 0755), 0);
        return whole;
}

static inline void folder_write(const char *folder, const char *path, const char *text, size_t len)
{
        g_autofree char *whole = folder_path(folder, path);

        assert_true(g_file_set_contents(whole, text, (gssize) len, NULL));
}

static inline void folder_put(const char *folder, const char *path, const char *text)
{
        folder_write(folder, path, text, strlen(text));
}

static inline void folder_link(const char *folder, const char *target, const char *path)
{
        g_autofree char *whole = folder_path(folder, path);

        assert_int_equal(symlink(target, whole), 0);
}

static inline void folder_mkdir(const char *folder, const char *path)
{
        g_autofree char *whole = folder_path(folder, path);

        assert_int_equal(mkdir(whole, 0755), 0);
}

/* A process of its own that has a lock of fcntl(2) on a new file, as a package manager has: end it with
 * folder_release(). */
static inline pid_t folder_lock(const char *folder, const char *path)
{
        g_autofree char *whole = folder_path(folder, path);
        int ready[2];
        char byte;
        pid_t pid;

        folder_put(folder, path, "");
        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
                struct flock lock = {.l_type = F_WRLCK};
                int fd = open(whole, O_RDWR);

                (void) alarm(60); /* a test that failed has left it behind */
                _exit(fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "x", 1) != 1 || pause());
        }
        close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return pid;
}

static inline void folder_release(pid_t pid)
{
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Everything in the folder, file names and contents, in one text: for asking what is not in it. */
static inline void folder_dump(const char *path, GString *out)
{
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        const char *name;

        while (dir && (name = g_dir_read_name(dir))) {
                g_autofree char *below = g_build_filename(path, name, NULL), *text = NULL;
                size_t len = 0;

                g_string_append_printf(out, "%s\n", name);
                if (g_file_test(below, G_FILE_TEST_IS_DIR))
                        folder_dump(below, out);
                else if (g_file_get_contents(below, &text, &len, NULL))
                        for (size_t i = 0; i < len; i++)
                                g_string_append_c(out, text[i] ? text[i] : '\n');
        }
}
