/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The commands when nothing hangs: replies, order, states, the report. */
#include <string.h>

#include "plugins/freeze/test-support.h"

static const char *status(struct world *world)
{
        return json_string_value(world_ask(world, "guest-fsfreeze-status", NULL));
}

static const char *report_text(struct world *world, const char *key)
{
        return json_string_value(json_object_get(world_ask(world, "tenon-get-freeze-report", NULL), key));
}

static void test_freeze_and_thaw(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *notes = NULL;

        world_start(world);
        assert_string_equal(status(world), "thawed");
        assert_string_equal(report_text(world, "state"), "none");
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
        assert_int_equal(fake_frozen(world->fake), 3);
        assert_string_equal(status(world), "frozen");
        assert_string_equal(report_text(world, "state"), "frozen");
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 3);
        assert_int_equal(fake_frozen(world->fake), 0);
        assert_string_equal(status(world), "thawed");
        assert_string_equal(report_text(world, "thawed-by"), "request");
        notes = fake_notes(world->fake, "");
        assert_string_equal(notes,
                            "flush /data/deep, flush /data, flush /, freeze /data/deep, freeze /data, "
                            "freeze /, thaw /, thaw /data, thaw /data/deep");
        assert_string_equal(world->states->str, "thawed hooks freezing frozen thawing thawed ");
        world_stop(world);
}

static void test_twice_in_a_row(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
                assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 3);
        }
        world_stop(world);
}

static void test_thaw_of_nothing_is_0(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 0);
        world_stop(world);
}

static void test_list(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze-list",
                                                      "{\"mountpoints\": [\"/data\", \"/nowhere\"]}")),
                         1);
        assert_int_equal(fake_find(world->fake, "/data")->frozen, 1);
        assert_int_equal(fake_frozen(world->fake), 1);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 1);
        world_stop(world);
}

static void test_list_without_a_match_stays_thawed(void **state)
{
        g_autoptr(world_t) world = world_new();
        static const char *const lists[] = {"{\"mountpoints\": [\"/nowhere\"]}", "{\"mountpoints\": []}"};

        world_add_hook(world, "10-hook", "");
        world_start(world);
        for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
                assert_int_equal(
                        json_integer_value(world_ask(world, "guest-fsfreeze-freeze-list", lists[i])), 0);
        assert_string_equal(world->states->str, "thawed ");
        assert_int_equal(world->fake->n_notes, 0);
        world_stop(world);
}

static void test_second_freeze_is_busy(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *first;

        fake_find(world->fake, "/")->hang_flush = true;
        world_start(world);
        first = world_call(world, "guest-fsfreeze-freeze", NULL);
        world_wait_state(world, "freezing");
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "under way"));
        fake_find(world->fake, "/")->hang_flush = false;
        world_wait(world, first);
        assert_int_equal(json_integer_value(first->value), 3);
        world_stop(world);
}

static void test_busy_and_unsupported_are_skipped(void **state)
{
        g_autoptr(world_t) world = world_new();

        fake_find(world->fake, "/data")->freeze_error = EBUSY;
        fake_find(world->fake, "/data/deep")->freeze_error = EOPNOTSUPP;
        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 1);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 1);
        world_stop(world);
}

static void test_nothing_can_be_frozen(void **state)
{
        g_autoptr(world_t) world = world_new();

        for (unsigned i = 0; i < world->fake->n_fs; i++)
                world->fake->fs[i].freeze_error = EOPNOTSUPP;
        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 0);
        world_wait_state(world, "thawed");
        assert_null(strstr(world->states->str, "frozen"));
        world_stop(world);
}

static void test_error_thaws_everything(void **state)
{
        g_autoptr(world_t) world = world_new();
        const char *message;

        fake_find(world->fake, "/")->freeze_error = EIO;
        world_start(world);
        message = world_ask_failing(world, "guest-fsfreeze-freeze", NULL);
        assert_string_equal(message, "failed to freeze /: Input/output error");
        assert_int_equal(fake_frozen(world->fake), 0);
        assert_string_equal(status(world), "thawed");
        assert_string_equal(report_text(world, "error"), message);
        assert_string_equal(report_text(world, "thawed-by"), "failed");
        world_stop(world);
}

static void test_unmounted_meanwhile_is_skipped(void **state)
{
        g_autoptr(world_t) world = world_new();

        fake_find(world->fake, "/data")->open_error = ENODEV;
        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 2);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 2);
        world_stop(world);
}

static void test_what_cannot_be_opened_fails(void **state)
{
        g_autoptr(world_t) world = world_new();

        fake_find(world->fake, "/data")->open_error = EACCES;
        world_start(world);
        assert_string_equal(world_ask_failing(world, "guest-fsfreeze-freeze", NULL),
                            "failed to freeze /data: Permission denied");
        assert_int_equal(world->fake->n_notes, 0);
        world_stop(world);
}

static void test_flush_error_is_only_told(void **state)
{
        g_autoptr(world_t) world = world_new();
        json_t *rows, *row;

        fake_find(world->fake, "/data/deep")->flush_error = EIO;
        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
        rows = json_object_get(world_ask(world, "tenon-get-freeze-report", NULL), "file-systems");
        row = json_array_get(rows, 0);
        assert_string_equal(json_string_value(json_object_get(row, "mountpoint")), "/data/deep");
        assert_string_equal(json_string_value(json_object_get(row, "flush-error")), "Input/output error");
        world_stop(world);
}

static void test_report(void **state)
{
        g_autoptr(world_t) world = world_new();
        json_t *report, *skipped;

        world_set(world, "freeze", "exclude", "/data, /nope");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        world_ask(world, "guest-fsfreeze-thaw", NULL);
        report = world_ask(world, "tenon-get-freeze-report", NULL);
        assert_int_equal(json_integer_value(json_object_get(report, "thawed")), 2);
        assert_true(json_is_integer(json_object_get(report, "flush-usec")));
        assert_true(json_is_integer(json_object_get(report, "frozen-usec")));
        assert_true(json_is_boolean(json_object_get(report, "memory-locked")));
        assert_int_equal(json_array_size(json_object_get(report, "file-systems")), 2);
        skipped = json_object_get(report, "skipped"); /* /run, /data */
        assert_int_equal(json_array_size(skipped), 2);
        assert_string_equal(json_string_value(json_object_get(json_array_get(skipped, 1), "reason")),
                            "excluded by exclude in [freeze]");
        world_stop(world);
}

static void test_check(void **state)
{
        g_autoptr(world_t) world = world_new();
        json_t *rows, *first;

        world_add_hook(world, "10-hook", "");
        world_start(world);
        rows = json_object_get(world_ask(world, "tenon-freeze-check", NULL), "file-systems");
        assert_int_equal(json_array_size(rows), 4);
        first = json_array_get(rows, 0);
        assert_string_equal(json_string_value(json_object_get(first, "mountpoint")), "/data/deep");
        assert_string_equal(json_string_value(json_object_get(first, "verdict")), "freeze");
        assert_int_equal(json_integer_value(json_object_get(first, "order")), 1);
        assert_int_equal(
                json_array_size(json_object_get(world_ask(world, "tenon-freeze-check", NULL), "hooks")), 1);
        assert_int_equal(world->fake->n_notes, 0);
        assert_int_equal(world->fake->opener, 0);
        world_stop(world);
}

static void test_timeout_argument(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        assert_non_null(
                strstr(world_ask_failing(world, "guest-fsfreeze-freeze", "{\"timeout\": 0}"), "1 to 3600"));
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze-list", "{\"timeout\": 3601}"),
                               "1 to 3600"));
        world_ask(world, "guest-fsfreeze-freeze", "{\"timeout\": 7}");
        assert_int_equal(json_integer_value(json_object_get(
                                 world_ask(world, "tenon-get-freeze-report", NULL), "timeout-ms")),
                         7000);
        world_stop(world);
}

static void test_no_mount_table(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_write(world, "proc/1/mountinfo", "");
        world_start(world);
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "mount table"));
        assert_non_null(strstr(world_ask_failing(world, "tenon-freeze-check", NULL), "mount table"));
        world_stop(world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_freeze_and_thaw),
                cmocka_unit_test(test_twice_in_a_row),
                cmocka_unit_test(test_thaw_of_nothing_is_0),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_list_without_a_match_stays_thawed),
                cmocka_unit_test(test_second_freeze_is_busy),
                cmocka_unit_test(test_busy_and_unsupported_are_skipped),
                cmocka_unit_test(test_nothing_can_be_frozen),
                cmocka_unit_test(test_error_thaws_everything),
                cmocka_unit_test(test_unmounted_meanwhile_is_skipped),
                cmocka_unit_test(test_what_cannot_be_opened_fails),
                cmocka_unit_test(test_flush_error_is_only_told),
                cmocka_unit_test(test_report),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_timeout_argument),
                cmocka_unit_test(test_no_mount_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
