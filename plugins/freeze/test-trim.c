/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* guest-fstrim: results, progress, and that it holds up nothing. */
#include <signal.h>
#include <string.h>

#include "lib/json.h"
#include "plugins/freeze/test-support.h"

static const char *trim_state(struct world *world)
{
        return json_string_value(json_object_get(json_object_get(world->facts, "trim"), "state"));
}

static void assert_json(const json_t *value, const char *expected)
{
        g_autofree char *text = tn_json_line(value);

        assert_string_equal(text, expected);
}

static void test_results(void **state)
{
        g_autoptr(world_t) world = world_new();

        fake_find(world->fake, "/data")->trim_error = EOPNOTSUPP;
        fake_find(world->fake, "/data/deep")->open_error = EACCES;
        world_start(world);
        assert_string_equal(trim_state(world), "idle");
        assert_json(world_ask(world, "guest-fstrim", "{\"minimum\": 8192}"),
                    "{\"paths\": [{\"path\": \"/\", \"trimmed\": 1000, \"minimum\": 8192}, "
                    "{\"path\": \"/data\", \"error\": \"trim not supported\"}, "
                    "{\"path\": \"/data/deep\", \"error\": \"failed to open: Permission denied\"}]}");
        assert_json(json_object_get(world->facts, "trim"),
                    "{\"state\": \"done\", \"done\": 3, \"of\": 3, \"trimmed\": 1000}");
        world_stop(world);
}

static void test_other_errors(void **state)
{
        g_autoptr(world_t) world = world_new();
        json_t *paths;

        fake_find(world->fake, "/")->trim_error = EIO;
        world_start(world);
        paths = json_object_get(world_ask(world, "guest-fstrim", NULL), "paths");
        assert_json(json_array_get(paths, 0),
                    "{\"path\": \"/\", \"error\": \"failed to trim: Input/output error\"}");
        assert_json(json_array_get(paths, 1), "{\"path\": \"/data\", \"trimmed\": 1000, \"minimum\": 4096}");
        assert_non_null(strstr(world_ask_failing(world, "guest-fstrim", "{\"minimum\": -1}"), "negative"));
        world_stop(world);
}

static void test_progress_and_busy(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *trim;

        fake_find(world->fake, "/data")->hang_freeze = true;
        world_start(world);
        trim = world_call(world, "guest-fstrim", NULL);
        for (int i = 0; i < 100 && world->fake->n_notes < 2; i++)
                world_turn(world, 10);
        world_turn(world, 50);
        assert_json(json_object_get(world->facts, "trim"),
                    "{\"state\": \"running\", \"done\": 1, \"of\": 3, \"trimmed\": 1000, "
                    "\"mountpoint\": \"/data\"}");
        assert_non_null(strstr(world_ask_failing(world, "guest-fstrim", NULL), "already"));
        assert_false(trim->done);
        fake_find(world->fake, "/data")->hang_freeze = false;
        world_wait(world, trim);
        assert_int_equal(json_array_size(json_object_get(trim->value, "paths")), 3);
        world_stop(world);
}

static void test_stop_ends_it(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *trim;

        fake_find(world->fake, "/")->hang_freeze = true;
        world_start(world);
        trim = world_call(world, "guest-fstrim", NULL);
        world_stop(world);
        assert_true(trim->done);
        assert_string_equal(trim->error->message, "the agent is stopping");
}

static void test_killed_child(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *trim;
        json_t *paths;

        fake_find(world->fake, "/data")->hang_freeze = true;
        world_start(world);
        trim = world_call(world, "guest-fstrim", NULL);
        for (int i = 0; i < 100 && world->fake->n_notes < 2; i++)
                world_turn(world, 10);
        assert_int_equal(kill(world->fake->opener, SIGKILL), 0);
        world_wait(world, trim);
        paths = json_object_get(trim->value, "paths");
        assert_json(json_array_get(paths, 2),
                    "{\"path\": \"/data/deep\", \"error\": \"failed to trim: ended from outside\"}");
        world_stop(world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_results),           cmocka_unit_test(test_other_errors),
                cmocka_unit_test(test_progress_and_busy), cmocka_unit_test(test_stop_ends_it),
                cmocka_unit_test(test_killed_child),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
