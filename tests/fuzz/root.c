/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The recorded machine of targets that read files. TMPDIR says where its folder is; /dev/shm is quick. */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static struct tn_env env;
static char *folder;

static void remove_tree(const char *path)
{
        GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                g_autofree char *below = g_build_filename(path, name, NULL);

                remove_tree(below);
        }
        if (dir)
                g_dir_close(dir);
        (void) g_remove(path);
}

static void clean_up(void)
{
        tn_env_deinit(&env);
        remove_tree(folder);
        g_free(folder);
}

const struct tn_env *fuzz_root(void)
{
        if (folder)
                return &env;
        folder = g_dir_make_tmp("tenon-fuzz-XXXXXX", NULL);
        if (!folder || !tn_env_init_root(&env, folder, NULL))
                g_error("no folder for a recorded machine");
        atexit(clean_up);
        return &env;
}

static char *place(const char *path)
{
        (void) fuzz_root();
        return g_build_filename(folder, path, NULL);
}

void fuzz_root_put(const char *path, const void *bytes, size_t len)
{
        g_autofree char *full = place(path), *above = g_path_get_dirname(full);
        FILE *file;

        if (!(file = fopen(full, "we"))) {
                g_assert_cmpint(g_mkdir_with_parents(above, 0755), ==, 0);
                file = fopen(full, "we");
        }
        g_assert_nonnull(file);
        g_assert_cmpuint(fwrite(bytes, 1, len, file), ==, len);
        g_assert_cmpint(fclose(file), ==, 0);
}

void fuzz_root_remove(const char *path)
{
        g_autofree char *full = place(path);

        (void) g_remove(full);
}

/* The index of the path that a line "== PATH" names, or -1. */
static int find_path(const uint8_t *line, size_t len, const char *const *paths)
{
        for (int i = 0; len > 3 && memcmp(line, "== ", 3) == 0 && paths[i]; i++)
                if (strlen(paths[i]) == len - 3 && memcmp(line + 3, paths[i], len - 3) == 0)
                        return i;
        return -1;
}

void fuzz_root_unpack(const uint8_t *data, size_t size, const char *const *paths)
{
        const uint8_t *body = NULL, *end = data + size;
        int open = -1;

        for (size_t i = 0; paths[i]; i++)
                fuzz_root_remove(paths[i]);
        for (const uint8_t *at = data, *next; at < end; at = next) {
                const uint8_t *stop = memchr(at, '\n', (size_t) (end - at));
                int index = find_path(at, (size_t) ((stop ? stop : end) - at), paths);

                next = stop ? stop + 1 : end;
                if (index < 0)
                        continue;
                if (open >= 0)
                        fuzz_root_put(paths[open], body, (size_t) (at - body));
                open = index;
                body = next;
        }
        if (open >= 0)
                fuzz_root_put(paths[open], body, (size_t) (end - body));
}
