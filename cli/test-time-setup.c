/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl time setup on made roots. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/time-setup.h"
#include "lib/error.h"

#define CONF "etc/chrony/conf.d/tenon.conf"

struct root {
        struct tn_env env;
        char *dir;
};

static void put(struct root *root, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(root->dir, name, NULL), *folder = g_path_get_dirname(path);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void make_folder(struct root *root, const char *name)
{
        g_autofree char *path = g_build_filename(root->dir, name, NULL);

        assert_int_equal(g_mkdir_with_parents(path, 0755), 0);
}

static int set_up(void **state)
{
        struct root *root = g_new0(struct root, 1);

        root->dir = g_dir_make_tmp("tenon-setup-XXXXXX", NULL);
        *state = root;
        make_folder(root, "etc/modules-load.d");
        return tn_env_init_root(&root->env, root->dir, NULL) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

static int tear_down(void **state)
{
        struct root *root = *state;

        (void) nftw(root->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        tn_env_deinit(&root->env);
        g_free(root->dir);
        g_free(root);
        return 0;
}

static void assert_changes(struct root *root, bool undo, bool dry_run, size_t wanted)
{
        json_auto_t *changes = json_array();

        assert_true(tn_time_setup(&root->env, undo, dry_run, changes, NULL));
        assert_int_equal(json_array_size(changes), wanted);
        if (wanted > 0)
                assert_true(json_is_null(
                        json_object_get(json_array_get(changes, 0), undo ? "after" : "before")));
}

static void assert_fails(struct root *root, bool undo, const char *part)
{
        json_auto_t *changes = json_array();
        g_autoptr(GError) error = NULL;

        assert_false(tn_time_setup(&root->env, undo, false, changes, &error));
        assert_int_equal(json_array_size(changes), 0);
        assert_non_null(strstr(error->message, part));
}

static void test_nothing_to_set_up(void **state)
{
        struct root *root = *state;

        assert_fails(root, false, "no clock of its hypervisor's");
        put(root, "sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
        assert_fails(root, false, "chrony is not installed");
}

static void test_set_up_and_undo(void **state)
{
        struct root *root = *state;
        g_autofree char *text = NULL;
        struct stat st;

        put(root, "sys/class/ptp/ptp1/clock_name", "KVM virtual PTP\n");
        put(root, "dev/ptp_kvm", "");
        make_folder(root, "etc/chrony/conf.d");
        assert_changes(root, false, true, 2);
        assert_false(tn_env_exists(&root->env, CONF)); /* --dry-run */
        assert_changes(root, false, false, 2);
        assert_true(tn_env_read(&root->env, CONF, &text, NULL, NULL));
        assert_non_null(strstr(
                text, "\nrefclock PHC /dev/ptp_kvm poll 2 dpoll -2 offset 0 stratum 2\nmakestep 1 -1\n"));
        assert_int_equal(fstatat(root->env.root_fd, CONF, &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_true(tn_env_exists(&root->env, "etc/modules-load.d/tenon-time.conf"));
        assert_changes(root, false, false, 0); /* again: nothing to do */
        assert_changes(root, true, false, 2);
        assert_false(tn_env_exists(&root->env, CONF));
        assert_false(tn_env_exists(&root->env, "etc/modules-load.d/tenon-time.conf"));
        assert_changes(root, true, false, 0);
}

static void test_files_of_others_are_left_alone(void **state)
{
        struct root *root = *state;
        g_autofree char *text = NULL;

        put(root, "sys/class/ptp/ptp0/clock_name", "hyperv\n");
        put(root, CONF, "server ntp.example\n");
        assert_fails(root, false, "/" CONF " was not written by tenonctl");
        assert_fails(root, true, "/" CONF " was not written by tenonctl");
        assert_true(tn_env_read(&root->env, CONF, &text, NULL, NULL));
        assert_string_equal(text, "server ntp.example\n");
}

#define WITH_ROOT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_ROOT(test_nothing_to_set_up),
                WITH_ROOT(test_set_up_and_undo),
                WITH_ROOT(test_files_of_others_are_left_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
