/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Runs a fuzz target over the files of a folder: what fuzzing once found stays found. Each file is also
 * tried cut off at several lengths. An empty folder is a failure, for it would test nothing.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define CUTS 16

static void run_file(const char *path)
{
        g_autofree char *bytes = NULL;
        size_t len;

        if (!g_file_get_contents(path, &bytes, &len, NULL))
                g_error("read %s", path);
        for (size_t i = 1; i <= CUTS; i++) {
                /* A copy of exactly this size, so that a sanitizer sees each byte too many; never NULL. */
                size_t size = len * i / CUTS;
                g_autofree uint8_t *copy = g_malloc(MAX(size, 1));

                memcpy(copy, bytes, size);
                (void) LLVMFuzzerTestOneInput(copy, size);
        }
}

int main(int argc, char **argv)
{
        g_autoptr(GDir) dir = argc == 2 ? g_dir_open(argv[1], 0, NULL) : NULL;
        const char *name;
        unsigned count = 0;

        for (; dir && (name = g_dir_read_name(dir)); count++) {
                g_autofree char *path = g_build_filename(argv[1], name, NULL);

                run_file(path);
        }
        printf("%u inputs\n", count);
        return count > 0 ? 0 : 1;
}
