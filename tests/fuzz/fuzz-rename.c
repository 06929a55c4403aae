/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* fstab, crypttab, kernel command lines and LVM's list of devices: what is written anew has nothing left to
 * be written anew. Lines of any configuration file have numbers that grow. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "pvdrivers/lvmdevices.h"
#include "pvdrivers/rename.h"
#include "pvdrivers/textfile.h"
#include "tests/fuzz/fuzz.h"

static GPtrArray *texts(void)
{
        return g_ptr_array_new_with_free_func(g_free);
}

static void check_rename(const struct tn_rename_map *map, enum tn_rename_kind kind, const char *text)
{
        g_autoptr(GPtrArray) changes = texts(), unknown = texts(), changes_again = texts(),
                             unknown_again = texts();
        g_autofree char *once = tn_rename_text(map, kind, text, changes, unknown), *twice = NULL;

        g_assert_true((once == NULL) == (changes->len == 0));
        if (once)
                twice = tn_rename_text(map, kind, once, changes_again, unknown_again);
        g_assert_null(twice);
}

static void check_lines(const char *text)
{
        g_autoptr(GPtrArray) lines = tn_textfile_parse(text);
        unsigned last = 0;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];

                g_assert_cmpuint(line->number, >, last);
                last = line->number;
        }
        g_free(tn_textfile_setting(lines, "KEY", NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct tn_rename_map *map;
        g_autofree char *text = g_strndup((const char *) data, size), *lvm = NULL, *lvm_again = NULL;
        g_autoptr(GPtrArray) changes = texts(), changes_again = texts();

        if (!map) {
                const struct tn_env *env = fuzz_root();

                fuzz_root_put("dev/vda1", "", 0);
                fuzz_root_put("dev/disk/by-uuid/x", "", 0);
                fuzz_root_remove("dev/disk/by-uuid/x");
                (void) symlinkat("../../vda1", env->root_fd, "dev/disk/by-uuid/11aa-22bb");
                map = tn_rename_map_new(env);
        }
        check_rename(map, TN_RENAME_FSTAB, text);
        check_rename(map, TN_RENAME_CRYPTTAB, text);
        check_rename(map, TN_RENAME_CMDLINE, text);
        check_rename(map, TN_RENAME_PARTITION, text);
        check_lines(text);
        lvm = tn_lvmdevices_rewrite(text, changes);
        if (lvm)
                lvm_again = tn_lvmdevices_rewrite(lvm, changes_again);
        g_assert_null(lvm_again);
        return 0;
}
