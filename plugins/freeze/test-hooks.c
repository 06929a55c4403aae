/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Hooks around a freeze: order, failures, and that what was begun is always thawed. */
#include <string.h>
#include <sys/stat.h>

#include "plugins/freeze/test-support.h"

static void assert_notes(struct world *world, const char *expected)
{
        g_autofree char *notes = world_hook_notes(world);

        assert_string_equal(notes, expected);
}

static const char *hook_result(struct world *world, size_t index, const char *key)
{
        json_t *hooks = json_object_get(world_ask(world, "tenon-get-freeze-report", NULL), "hooks");

        return json_string_value(json_object_get(json_array_get(hooks, index), key));
}

static void test_order(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *qga = g_strdup_printf("%s/hooks/sub-qga", world->root);

        world_add_hook(world, "10-a", "");
        world_add_hook(world, "20-b", "");
        world_add_hook(world, "sub-qga", "");
        world_set(world, "freeze", "qga-hook", qga);
        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
        assert_notes(world, "sub-qga freeze 10-a freeze 20-b freeze sub-qga freeze");
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 3);
        assert_notes(world, "sub-qga freeze 10-a freeze 20-b freeze sub-qga freeze "
                            "sub-qga thaw 20-b thaw 10-a thaw sub-qga thaw");
        assert_string_equal(hook_result(world, 0, "freeze"), "ok");
        assert_string_equal(hook_result(world, 0, "thaw"), "ok");
        world_stop(world);
}

static void test_hooks_run_while_nothing_is_frozen(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *freeze;

        world_add_hook(world, "10-a", "sleep 0.5");
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        world_turn(world, 50);
        assert_int_equal(world->fake->n_notes, 0);
        assert_string_equal(json_string_value(world_ask(world, "guest-fsfreeze-status", NULL)), "thawed");
        world_wait(world, freeze);
        world_ask(world, "guest-fsfreeze-thaw", NULL);
        assert_string_equal(world->states->str, "thawed hooks freezing frozen thawing thawed ");
        world_stop(world);
}

static void test_failing_freeze_hook(void **state)
{
        g_autoptr(world_t) world = world_new();
        const char *message;

        world_add_hook(world, "10-a", "");
        world_add_hook(world, "20-b", "test $1 = thaw || { echo database is busy; exit 3; }");
        world_add_hook(world, "30-c", "");
        world_start(world);
        message = world_ask_failing(world, "guest-fsfreeze-freeze", NULL);
        assert_non_null(strstr(message, "20-b: exit status 3: database is busy"));
        assert_notes(world, "10-a freeze 20-b freeze 20-b thaw 10-a thaw");
        assert_int_equal(world->fake->n_notes, 0);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 0);
        assert_string_equal(hook_result(world, 1, "freeze"), "exit status 3");
        assert_null(hook_result(world, 2, "freeze"));
        world_stop(world);
}

static void test_freeze_hook_without_end(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_set(world, "freeze", "hook-timeout-ms", "150");
        world_add_hook(world, "10-a", "test $1 = thaw || sleep 1000");
        world_start(world);
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "10-a: timed out"));
        assert_notes(world, "10-a freeze 10-a thaw");
        world_stop(world);
}

static void test_failing_thaw_hook_changes_nothing(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_add_hook(world, "10-a", "");
        world_add_hook(world, "20-b", "test $1 = freeze");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 3);
        assert_notes(world, "10-a freeze 20-b freeze 20-b thaw 10-a thaw");
        assert_string_equal(hook_result(world, 1, "thaw"), "exit status 1");
        assert_non_null(strstr(world->log->str, "thaw hook"));
        world_stop(world);
}

static void test_failing_freeze_runs_thaw_hooks(void **state)
{
        g_autoptr(world_t) world = world_new();

        fake_find(world->fake, "/")->freeze_error = EIO;
        world_add_hook(world, "10-a", "");
        world_start(world);
        assert_non_null(
                strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "failed to freeze /"));
        assert_notes(world, "10-a freeze 10-a thaw");
        world_stop(world);
}

static void test_deadline_runs_thaw_hooks(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_set(world, "freeze", "timeout-ms", "150");
        world_add_hook(world, "10-a", "");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        world_wait_state(world, "thawed");
        while (world->running)
                world_turn(world, 10);
        assert_notes(world, "10-a freeze 10-a thaw");
        world_stop(world);
}

static void test_untrusted_hook_fails_the_freeze(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *inner = g_strdup_printf("%s%s/hooks/20-b", world->root, world->root);

        world_add_hook(world, "10-a", "");
        world_add_hook(world, "20-b", "");
        assert_int_equal(chmod(inner, 0777), 0);
        world_start(world);
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "chmod go-w"));
        assert_notes(world, "10-a freeze 10-a thaw");
        world_stop(world);
}

static void test_too_many_hooks(void **state)
{
        g_autoptr(world_t) world = world_new();

        for (int i = 0; i < 65; i++) {
                g_autofree char *name = g_strdup_printf("%02d-hook", i);

                world_add_hook(world, name, "");
        }
        world_start(world);
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "more than the 64"));
        assert_int_equal(world->fake->n_notes, 0);
        world_stop(world);
}

static void test_hook_that_cannot_be_started(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *outer = g_strdup_printf("%s/hooks/10-a", world->root);

        world_add_hook(world, "10-a", "");
        assert_int_equal(chmod(outer, 0644), 0);
        world_start(world);
        assert_non_null(
                strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "Permission denied"));
        assert_notes(world, "");
        world_stop(world);
}

static void test_thaw_while_freeze_hooks_run(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *freeze;

        world_add_hook(world, "10-a", "sleep 0.1");
        world_add_hook(world, "20-b", "");
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 0);
        world_wait(world, freeze);
        assert_string_equal(freeze->error->message, "thawed before anything was frozen");
        assert_notes(world, "10-a freeze 10-a thaw");
        assert_int_equal(world->fake->n_notes, 0);
        world_stop(world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_hooks_run_while_nothing_is_frozen),
                cmocka_unit_test(test_failing_freeze_hook),
                cmocka_unit_test(test_freeze_hook_without_end),
                cmocka_unit_test(test_failing_thaw_hook_changes_nothing),
                cmocka_unit_test(test_failing_freeze_runs_thaw_hooks),
                cmocka_unit_test(test_deadline_runs_thaw_hooks),
                cmocka_unit_test(test_untrusted_hook_fails_the_freeze),
                cmocka_unit_test(test_too_many_hooks),
                cmocka_unit_test(test_hook_that_cannot_be_started),
                cmocka_unit_test(test_thaw_while_freeze_hooks_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
