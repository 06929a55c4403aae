/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Transactions and their undo, in a folder that stands for a machine; cut off after each of their steps. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "detect/test-folder.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/names.h"
#include "pvdrivers/transaction.h"
#include "pvdrivers/undo.h"

struct machine {
        char *root;
        struct tn_env env;
};

static int setup(void **state)
{
        struct machine *machine = g_new0(struct machine, 1);

        machine->root = folder_new();
        assert_true(tn_env_init_root(&machine->env, machine->root, NULL));
        folder_put(machine->root, "etc/fstab", "/dev/sda1 / ext4\n");
        folder_put(machine->root, "etc/modules", "# none\n");
        folder_put(machine->root, "boot/initrd.img", "old image");
        *state = machine;
        return 0;
}

static int teardown(void **state)
{
        struct machine *machine = *state;

        tn_env_deinit(&machine->env);
        folder_free(machine->root);
        g_free(machine);
        return 0;
}

static int compare(gconstpointer a, gconstpointer b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Names, contents, modes and times of all files in a folder. */
static void list(const char *root, const char *path, GString *out)
{
        g_autofree char *whole = g_build_filename(root, path, NULL);
        g_autoptr(GDir) dir = g_dir_open(whole, 0, NULL);
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        const char *name;

        while (dir && (name = g_dir_read_name(dir)))
                g_ptr_array_add(names, g_strdup(name));
        g_ptr_array_sort(names, compare);
        for (guint i = 0; i < names->len; i++) {
                g_autofree char *below = g_build_filename(path, g_ptr_array_index(names, i), NULL);
                g_autofree char *full = g_build_filename(root, below, NULL), *text = NULL;
                struct stat st;

                assert_int_equal(lstat(full, &st), 0);
                (void) g_file_get_contents(full, &text, NULL, NULL);
                g_string_append_printf(out, "%s %o %ld.%ld %s\n", below, st.st_mode,
                                       (long) st.st_mtim.tv_sec, st.st_mtim.tv_nsec, text ? text : "");
                if (S_ISDIR(st.st_mode))
                        list(root, below, out);
        }
}

static char *photograph(const struct machine *machine)
{
        GString *out = g_string_new(NULL);

        list(machine->root, "etc", out);
        list(machine->root, "boot", out);
        return g_string_free(out, FALSE);
}

static void build_image(const struct machine *machine, const struct tn_transaction *transaction)
{
        g_autofree char *temp = tn_transaction_temp(transaction, "boot/initrd.img");

        folder_put(machine->root, temp, "new image");
}

/* All that prepare does, cut off after @steps of its steps. */
static struct tn_transaction *run(const struct machine *machine, unsigned steps)
{
        json_auto_t *about = json_pack("{s:s}", "target", "kvm");
        struct tn_transaction *transaction = tn_transaction_begin(&machine->env, about, NULL);

        assert_non_null(transaction);
        for (unsigned step = 0; step < steps; step++)
                switch (step) {
                case 0:
                        assert_true(tn_transaction_keep(transaction, "boot/initrd.img", NULL));
                        break;
                case 1:
                        assert_true(tn_transaction_write(transaction, "etc/fstab", "UUID=1 / ext4\n", 14,
                                                         0644, NULL));
                        break;
                case 2:
                        assert_true(tn_transaction_write(transaction, "etc/new/deep/x.link", "x\n", 2, 0640,
                                                         NULL));
                        break;
                case 3:
                        assert_true(tn_transaction_write(transaction, "etc/modules", "", 0, 0644, NULL));
                        break;
                case 4:
                        build_image(machine, transaction);
                        break;
                case 5:
                        assert_true(tn_transaction_swap(transaction, "boot/initrd.img", NULL));
                        break;
                default:
                        assert_true(tn_transaction_commit(transaction, NULL));
                }
        return transaction;
}

static char *contents(const struct machine *machine, const char *path)
{
        g_autofree char *whole = g_build_filename(machine->root, path, NULL);
        char *text = NULL;

        return g_file_get_contents(whole, &text, NULL, NULL) ? text : g_strdup("absent");
}

static void assert_contents(const struct machine *machine, const char *path, const char *wanted)
{
        g_autofree char *text = contents(machine, path);

        assert_string_equal(text, wanted);
}

static void test_undo_restores_all(void **state)
{
        struct machine *machine = *state;
        g_autofree char *before = photograph(machine), *after = NULL, *again = NULL;
        const struct tn_undo_options options = {0};
        json_auto_t *result = NULL;
        GError *error = NULL;

        tn_transaction_free(run(machine, 7));
        assert_contents(machine, "etc/fstab", "UUID=1 / ext4\n");
        assert_contents(machine, "boot/initrd.img", "new image");
        assert_contents(machine, "etc/modules", "");
        after = photograph(machine);
        assert_string_not_equal(before, after);
        result = tn_undo_run(&machine->env, &options, NULL, &error);
        assert_null(error);
        assert_int_equal(json_array_size(json_object_get(result, "restored")), 4);
        again = photograph(machine);
        assert_string_equal(before, again);
        assert_null(tn_undo_run(&machine->env, &options, NULL, &error));
        assert_int_equal(error->code, TN_ERROR_NOT_FOUND);
        g_clear_error(&error);
}

/* The next one to come takes back what was cut off, wherever that was. */
static void test_interrupted(void **state)
{
        struct machine *machine = *state;
        g_autofree char *before = photograph(machine);

        for (unsigned steps = 0; steps < 7; steps++) {
                g_autofree char *after = NULL, *image = NULL;

                tn_transaction_free(run(machine, steps));
                image = contents(machine, "boot/initrd.img");
                assert_true(g_str_equal(image, "old image") || g_str_equal(image, "new image"));
                assert_true(tn_undo_recover(&machine->env, NULL, NULL, NULL));
                after = photograph(machine);
                assert_string_equal(before, after);
        }
}

/* A journal whose last line is only half there, and one that is gone while its copies are not. */
static void test_torn_journal(void **state)
{
        struct machine *machine = *state;
        g_autofree char *before = photograph(machine), *after = NULL, *path = NULL;
        struct tn_transaction *transaction = run(machine, 6);
        g_auto(GStrv) left = NULL;
        FILE *file;

        path = g_strdup_printf("%s" TN_PATH_PREPARED "/%s/journal", machine->root,
                               tn_transaction_id(transaction));
        tn_transaction_free(transaction);
        file = fopen(path, "a");
        fputs("{\"record\": \"comm", file);
        fclose(file);
        assert_true(tn_undo_recover(&machine->env, NULL, NULL, NULL));
        after = photograph(machine);
        assert_string_equal(before, after);
        tn_transaction_free(run(machine, 0));
        left = tn_transaction_list(&machine->env);
        g_free(path);
        path = g_strdup_printf("%s" TN_PATH_PREPARED "/%s/journal", machine->root, left[0]);
        assert_int_equal(unlink(path), 0);
        assert_true(tn_undo_recover(&machine->env, NULL, NULL, NULL));
        g_strfreev(left);
        left = tn_transaction_list(&machine->env);
        assert_null(left[0]);
}

/* Cut off within the undo: done again, to the end. */
static void test_interrupted_undo(void **state)
{
        struct machine *machine = *state;
        g_autofree char *before = photograph(machine), *after = NULL;
        struct tn_transaction *transaction = run(machine, 7);

        assert_true(tn_transaction_mark_undo(transaction, false, NULL));
        tn_transaction_free(transaction);
        assert_true(tn_undo_recover(&machine->env, NULL, NULL, NULL));
        after = photograph(machine);
        assert_string_equal(before, after);
}

static void test_changed_by_others(void **state)
{
        struct machine *machine = *state;
        struct tn_undo_options options = {0};
        json_auto_t *result = NULL;
        GError *error = NULL;

        tn_transaction_free(run(machine, 7));
        folder_put(machine->root, "etc/fstab", "somebody was here\n");
        assert_null(tn_undo_run(&machine->env, &options, NULL, &error));
        assert_int_equal(error->code, TN_ERROR_DENIED);
        assert_non_null(strstr(error->message, "/etc/fstab;"));
        g_clear_error(&error);
        assert_contents(machine, "boot/initrd.img", "new image");
        options.force = true;
        result = tn_undo_run(&machine->env, &options, NULL, &error);
        assert_non_null(result);
        assert_contents(machine, "etc/fstab", "/dev/sda1 / ext4\n");
}

/* An interrupted one leaves alone what somebody else changed. */
static void test_recovery_respects_others(void **state)
{
        struct machine *machine = *state;

        tn_transaction_free(run(machine, 4));
        folder_put(machine->root, "etc/fstab", "somebody was here\n");
        assert_true(tn_undo_recover(&machine->env, NULL, NULL, NULL));
        assert_contents(machine, "etc/fstab", "somebody was here\n");
        assert_contents(machine, "etc/modules", "# none\n");
        assert_contents(machine, "etc/new/deep/x.link", "absent");
}

/* A second prepare, which writes one of the first one's files again. */
static struct tn_transaction *begin_again(const struct machine *machine)
{
        json_auto_t *about = json_pack("{s:s}", "target", "xen");
        struct tn_transaction *transaction = tn_transaction_begin(&machine->env, about, NULL);

        assert_true(tn_transaction_write(transaction, "etc/fstab", "third\n", 6, 0644, NULL));
        return transaction;
}

static struct tn_transaction *run_again(const struct machine *machine)
{
        struct tn_transaction *transaction = begin_again(machine);

        assert_true(tn_transaction_commit(transaction, NULL));
        return transaction;
}

static void test_stack(void **state)
{
        struct machine *machine = *state;
        struct tn_undo_options options = {0};
        json_auto_t *first = NULL, *second = NULL, *list = NULL;

        tn_transaction_free(run(machine, 7));
        tn_transaction_free(run_again(machine));
        list = tn_undo_list(&machine->env);
        assert_int_equal(json_array_size(list), 2);
        first = tn_undo_run(&machine->env, &options, NULL, NULL);
        assert_int_equal(json_integer_value(json_object_get(first, "left")), 1);
        assert_contents(machine, "etc/fstab", "UUID=1 / ext4\n");
        second = tn_undo_run(&machine->env, &options, NULL, NULL);
        assert_int_equal(json_integer_value(json_object_get(second, "left")), 0);
        assert_contents(machine, "etc/fstab", "/dev/sda1 / ext4\n");
}

static void cut_off_undo(struct tn_transaction *transaction, bool force)
{
        assert_true(tn_transaction_mark_undo(transaction, force, NULL));
        tn_transaction_free(transaction);
}

/* `undo`, which undoes @undone and leaves @left. The files that it restored. */
static json_t *undo(const struct machine *machine, const struct tn_undo_options *options, size_t undone,
                    json_int_t left)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *result = tn_undo_run(&machine->env, options, NULL, &error);

        if (!result)
                fail_msg("%s", error->message);
        assert_int_equal(json_array_size(json_object_get(result, "undone")), undone);
        assert_int_equal(json_integer_value(json_object_get(result, "left")), left);
        return json_incref(json_object_get(result, "restored"));
}

/* Who says it again after an interruption means the same one. */
static void test_interrupted_undo_is_the_one(void **state)
{
        struct machine *machine = *state;
        const struct tn_undo_options options = {0}, all = {.all = true};

        tn_transaction_free(run(machine, 7));
        cut_off_undo(run_again(machine), false);
        json_decref(undo(machine, &options, 1, 1));
        assert_contents(machine, "etc/fstab", "UUID=1 / ext4\n");
        cut_off_undo(run_again(machine), false);
        json_decref(undo(machine, &all, 2, 0));
        assert_contents(machine, "etc/fstab", "/dev/sda1 / ext4\n");
        cut_off_undo(run_again(machine), false);
        json_decref(undo(machine, &options, 1, 0));
        assert_contents(machine, "etc/fstab", "/dev/sda1 / ext4\n");
}

/* What somebody else changed is replaced by an undo that was forced, also by the next one to come. */
/* An interrupted prepare is what `undo` was asked for, too. */
static void test_interrupted_prepare_is_the_one(void **state)
{
        struct machine *machine = *state;
        const struct tn_undo_options options = {0};

        tn_transaction_free(run(machine, 7));
        tn_transaction_free(begin_again(machine));
        json_decref(undo(machine, &options, 1, 1));
        assert_contents(machine, "etc/fstab", "UUID=1 / ext4\n");
}

static void test_interrupted_force(void **state)
{
        struct machine *machine = *state;
        const struct tn_undo_options options = {0};
        json_t *restored;

        cut_off_undo(run(machine, 7), true);
        folder_put(machine->root, "etc/fstab", "somebody was here\n");
        json_decref(undo(machine, &options, 1, 0));
        assert_contents(machine, "etc/fstab", "/dev/sda1 / ext4\n");
        cut_off_undo(run(machine, 7), false);
        folder_put(machine->root, "etc/fstab", "somebody was here\n");
        restored = undo(machine, &options, 1, 0);
        assert_int_equal(json_array_size(restored), 3);
        json_decref(restored);
        assert_contents(machine, "etc/fstab", "somebody was here\n");
}

/* A dry run restores nothing: the earlier prepare finds what the later one wrote. */
static void test_dry_run_of_all(void **state)
{
        struct machine *machine = *state;
        const struct tn_undo_options options = {.all = true, .dry_run = true};
        GError *error = NULL;

        tn_transaction_free(run(machine, 7));
        tn_transaction_free(run_again(machine));
        json_decref(undo(machine, &options, 2, 0));
        assert_contents(machine, "etc/fstab", "third\n");
        folder_put(machine->root, "etc/modules", "somebody was here\n");
        assert_null(tn_undo_run(&machine->env, &options, NULL, &error));
        assert_int_equal(error->code, TN_ERROR_DENIED);
        assert_non_null(strstr(error->message, "prepare wrote: /etc/modules; nothing was undone"));
        g_clear_error(&error);
}

static void test_mode_link_and_attributes(void **state)
{
        struct machine *machine = *state;
        g_autofree char *fstab = g_build_filename(machine->root, "etc/fstab", NULL);
        g_autofree char *link = g_build_filename(machine->root, "etc/link", NULL), *target = NULL;
        const struct tn_undo_options options = {0};
        json_auto_t *about = json_object(), *result = NULL;
        struct tn_transaction *transaction = tn_transaction_begin(&machine->env, about, NULL);
        char value[8] = "";
        struct stat st;
        bool attributes;

        assert_int_equal(chmod(fstab, 0604), 0);
        attributes = setxattr(fstab, "user.tenon", "kept", 4, 0) == 0;
        folder_link(machine->root, "fstab", "etc/link");
        assert_true(tn_transaction_write(transaction, "etc/fstab", "x", 1, 0644, NULL));
        assert_true(tn_transaction_write(transaction, "etc/link", "y", 1, 0644, NULL));
        assert_int_equal(stat(fstab, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0604);
        assert_true(tn_transaction_commit(transaction, NULL));
        tn_transaction_free(transaction);
        result = tn_undo_run(&machine->env, &options, NULL, NULL);
        assert_non_null(result);
        target = g_file_read_link(link, NULL);
        assert_string_equal(target, "fstab");
        assert_int_equal(stat(fstab, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0604);
        if (attributes)
                assert_int_equal(getxattr(fstab, "user.tenon", value, sizeof value), 4);
}

static void test_lock(void **state)
{
        struct machine *machine = *state;
        tn_autofd int lock = tn_transaction_lock(&machine->env, NULL);
        const struct tn_undo_options options = {0};
        GError *error = NULL;

        assert_true(lock >= 0);
        assert_null(tn_undo_run(&machine->env, &options, NULL, &error));
        assert_int_equal(error->code, TN_ERROR_BUSY);
        g_clear_error(&error);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_undo_restores_all, setup, teardown),
                cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_torn_journal, setup, teardown),
                cmocka_unit_test_setup_teardown(test_interrupted_undo, setup, teardown),
                cmocka_unit_test_setup_teardown(test_changed_by_others, setup, teardown),
                cmocka_unit_test_setup_teardown(test_recovery_respects_others, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stack, setup, teardown),
                cmocka_unit_test_setup_teardown(test_interrupted_undo_is_the_one, setup, teardown),
                cmocka_unit_test_setup_teardown(test_interrupted_prepare_is_the_one, setup, teardown),
                cmocka_unit_test_setup_teardown(test_interrupted_force, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dry_run_of_all, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mode_link_and_attributes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
