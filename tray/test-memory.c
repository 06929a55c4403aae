/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What was told stays told: over a restart, for as long as it is there, and an hour longer. */
#include "tray/memory.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder, *path;

static int set_up(void **state)
{
        (void) state;
        folder = g_dir_make_tmp("tn-memory-XXXXXX", NULL);
        path = g_build_filename(folder, "new", "told", NULL);
        return folder ? 0 : -1;
}

static int tear_down(void **state)
{
        g_autofree char *inner = g_path_get_dirname(path);

        (void) state;
        (void) g_unlink(path);
        (void) g_rmdir(inner);
        (void) g_rmdir(folder);
        g_free(path);
        g_free(folder);
        return 0;
}

static void keep(struct tn_tray_memory *memory, const char *id, gint64 now)
{
        g_autoptr(GHashTable) present = g_hash_table_new(g_str_hash, g_str_equal);

        if (id)
                g_hash_table_add(present, (char *) id);
        tn_tray_memory_keep(memory, present, now);
}

static void test_restart(void **state)
{
        struct tn_tray_memory *memory = tn_tray_memory_new(path);
        struct stat about;

        (void) state;
        assert_false(tn_tray_memory_was_told(memory, "a b: c"));
        tn_tray_memory_tell(memory, "a b: c", 1000);
        tn_tray_memory_see(memory);
        tn_tray_memory_tell(memory, "d", 1000);
        tn_tray_memory_free(memory);

        assert_int_equal(g_stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        memory = tn_tray_memory_new(path);
        assert_true(tn_tray_memory_was_told(memory, "a b: c"));
        assert_true(tn_tray_memory_was_told(memory, "d"));
        assert_true(g_hash_table_contains(tn_tray_memory_seen(memory), "a b: c"));
        assert_false(g_hash_table_contains(tn_tray_memory_seen(memory), "d"));
        tn_tray_memory_free(memory);
}

static void test_forget(void **state)
{
        struct tn_tray_memory *memory = tn_tray_memory_new(path);

        (void) state;
        tn_tray_memory_tell(memory, "a", 1000);
        tn_tray_memory_see(memory);
        keep(memory, "a", 1000 + 10 * TN_TRAY_FORGET_S);
        assert_true(tn_tray_memory_was_told(memory, "a"));
        keep(memory, NULL, 1000 + TN_TRAY_FORGET_S - 1);
        assert_true(tn_tray_memory_was_told(memory, "a"));
        keep(memory, NULL, 1000 + TN_TRAY_FORGET_S);
        assert_false(tn_tray_memory_was_told(memory, "a"));
        assert_int_equal(g_hash_table_size(tn_tray_memory_seen(memory)), 0);
        tn_tray_memory_free(memory);
}

/* A clock that went back makes nothing last for ever. */
static void test_clock_back(void **state)
{
        struct tn_tray_memory *memory = tn_tray_memory_new(NULL);

        (void) state;
        tn_tray_memory_tell(memory, "a", 1000000);
        keep(memory, NULL, 10);
        assert_false(tn_tray_memory_was_told(memory, "a"));
        tn_tray_memory_free(memory);
}

static void test_limit(void **state)
{
        struct tn_tray_memory *memory = tn_tray_memory_new(NULL);

        (void) state;
        for (int i = 0; i <= TN_TRAY_MEMORY_MAX; i++) {
                g_autofree char *id = g_strdup_printf("%d", i);

                tn_tray_memory_tell(memory, id, 1000 + i);
        }
        assert_false(tn_tray_memory_was_told(memory, "0"));
        assert_true(tn_tray_memory_was_told(memory, "1"));
        assert_true(tn_tray_memory_was_told(memory, "200"));
        tn_tray_memory_free(memory);
}

static void test_rubbish(void **state)
{
        static const char *const texts[] = {
                "",          "x",           "1 told",      "99999999999999999999 told a",
                "-1 told a", "1 told \xff", "\n\n \n  \n", "a told a\n1"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autofree char *inner = g_path_get_dirname(path);
                struct tn_tray_memory *memory;

                (void) g_mkdir_with_parents(inner, 0700);
                assert_true(g_file_set_contents(path, texts[i], -1, NULL));
                memory = tn_tray_memory_new(path);
                assert_false(tn_tray_memory_was_told(memory, "a"));
                tn_tray_memory_tell(memory, "a", 1);
                assert_true(tn_tray_memory_was_told(memory, "a"));
                tn_tray_memory_free(memory);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_forget, set_up, tear_down),
                cmocka_unit_test(test_clock_back),
                cmocka_unit_test(test_limit),
                cmocka_unit_test_setup_teardown(test_rubbish, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
