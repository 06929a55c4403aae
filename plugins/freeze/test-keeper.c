/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A freeze always ends: deadlines, hanging system calls, and the death of each process that takes part. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/freeze/test-support.h"

#define MARKER "run/state/qga.state.isfrozen"

static char *report_text(struct world *world, const char *key)
{
        return g_strdup(
                json_string_value(json_object_get(world_ask(world, "tenon-get-freeze-report", NULL), key)));
}

static void assert_thawed_by(struct world *world, const char *expected)
{
        g_autofree char *why = NULL;

        world_wait_state(world, "thawed");
        why = report_text(world, "thawed-by");
        assert_string_equal(why, expected);
        assert_int_equal(fake_frozen(world->fake), 0);
}

static bool wait_frozen(const struct fake *fake, int count, unsigned ms)
{
        for (gint64 end = g_get_monotonic_time() + ms * 1000; g_get_monotonic_time() < end; usleep(2000))
                if (fake_frozen(fake) == count)
                        return true;
        return false;
}

static void test_deadline_thaws(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_set(world, "freeze", "timeout-ms", "2500");
        world_start(world);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
        world_turn(world, 100);
        assert_int_equal(fake_frozen(world->fake), 3);
        world_wait_state(world, "thawed");
        world_turn(world, 20);
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 0);
        assert_thawed_by(world, "deadline");
        assert_non_null(strstr(world->log->str, "thawed without the host: deadline"));
        world_stop(world);
}

static void test_deadline_while_flushing(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_set(world, "freeze", "timeout-ms", "400");
        fake_find(world->fake, "/data")->hang_flush = true;
        world_start(world);
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "400 ms"));
        fake_find(world->fake, "/data")->hang_flush = false;
        world_turn(world, 50);
        g_autofree char *frozen = fake_notes(world->fake, "freeze");
        assert_string_equal(frozen, ""); /* the worker that came back did not begin to freeze */
        world_stop(world);
}

/* / comes last, so two are frozen when it hangs. */
static void test_hanging_freeze(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct fake_fs *root = fake_find(world->fake, "/");
        struct answer *freeze;

        world_set(world, "freeze", "timeout-ms", "200");
        root->hang_freeze = true;
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        assert_true(wait_frozen(world->fake, 2, 1000));
        world_wait(world, freeze);
        assert_non_null(freeze->error);
        assert_non_null(strstr(freeze->error->message, "given back / (freezing)"));
        assert_int_equal(fake_frozen(world->fake), 0); /* the other two */
        assert_string_equal(json_string_value(world_ask(world, "guest-fsfreeze-status", NULL)), "frozen");
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-thaw", NULL), "given back /"));
        assert_non_null(strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "under way"));
        root->hang_freeze = false; /* now it is frozen, and nobody waits for it any more */
        world_wait_state(world, "thawed");
        world_turn(world, 20);
        assert_int_equal(world->fake->n_notes, 9);
        assert_thawed_by(world, "deadline");
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 0);
        root->hang_freeze = false;
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
        world_stop(world);
}

static void test_thaw_while_a_freeze_hangs(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct fake_fs *root = fake_find(world->fake, "/");
        struct answer *freeze, *thaw;

        world_set(world, "freeze", "timeout-ms", "1500");
        root->hang_freeze = true;
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        assert_true(wait_frozen(world->fake, 2, 1000));
        thaw = world_call(world, "guest-fsfreeze-thaw", NULL);
        world_wait_state(world, "thawing");
        assert_true(wait_frozen(world->fake, 0, 1000));
        assert_false(thaw->done);
        root->hang_freeze = false;
        world_wait(world, thaw);
        assert_int_equal(json_integer_value(thaw->value), 3);
        world_wait(world, freeze);
        assert_string_equal(freeze->error->message, "thawed before everything was frozen");
        assert_thawed_by(world, "request");
        world_stop(world);
}

static void test_hanging_thaw_holds_up_nobody_else(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct fake_fs *root = fake_find(world->fake, "/"); /* thawed first */
        struct answer *thaw;

        world_set(world, "freeze", "timeout-ms", "500");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        root->hang_thaw = true;
        thaw = world_call(world, "guest-fsfreeze-thaw", NULL);
        world_wait(world, thaw);
        assert_non_null(thaw->error);
        assert_non_null(strstr(thaw->error->message, "given back / (thawing)"));
        world_turn(world, 300);
        assert_int_equal(fake_frozen(world->fake), 1);
        root->hang_thaw = false;
        assert_thawed_by(world, "request");
        world_stop(world);
}

static void test_failing_thaw_is_tried_again(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        fake_find(world->fake, "/data")->thaw_failures = 1;
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-thaw", NULL)), 3);
        assert_int_equal(fake_frozen(world->fake), 0);
        world_stop(world);
}

static void test_hanging_open(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_set(world, "freeze", "timeout-ms", "700");
        fake_find(world->fake, "/data")->hang_open = true;
        world_start(world);
        assert_non_null(
                strstr(world_ask_failing(world, "guest-fsfreeze-freeze", NULL), "nothing was frozen"));
        assert_int_equal(world->fake->n_notes, 0);
        fake_find(world->fake, "/data")->hang_open = false;
        assert_int_equal(json_integer_value(world_ask(world, "guest-fsfreeze-freeze", NULL)), 3);
        world_stop(world);
}

static void test_killed_keeper_is_replaced(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        assert_int_equal(kill(world->fake->opener, SIGKILL), 0);
        assert_thawed_by(world, "rescue");
        world_stop(world);
}

static void test_keeper_killed_while_a_freeze_hangs(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct fake_fs *root = fake_find(world->fake, "/");
        struct answer *freeze;

        world_set(world, "freeze", "timeout-ms", "300");
        root->hang_freeze = true;
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        assert_true(wait_frozen(world->fake, 2, 1000));
        assert_int_equal(kill(world->fake->opener, SIGKILL), 0);
        world_wait(world, freeze);
        assert_non_null(freeze->error);
        assert_thawed_by(world, "rescue"); /* its worker was killed with it, in the middle of the call */
        world_stop(world);
}

static void test_killed_worker(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct fake_fs *root = fake_find(world->fake, "/");
        struct answer *freeze;

        root->hang_freeze = true;
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        assert_true(wait_frozen(world->fake, 2, 1000));
        assert_int_equal(kill(world->fake->freezer, SIGKILL), 0);
        world_wait(world, freeze);
        assert_non_null(freeze->error);
        assert_thawed_by(world, "failed");
        world_stop(world);
}

static void test_stopped_keeper_is_replaced(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_set(world, "freeze", "timeout-ms", "200");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        assert_int_equal(kill(world->fake->opener, SIGSTOP), 0);
        assert_thawed_by(world, "deadline");
        world_stop(world);
}

static void test_terminated_keeper_thaws(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        assert_int_equal(kill(world->fake->opener, SIGTERM), 0);
        assert_thawed_by(world, "signal");
        world_stop(world);
}

static void test_stopping_agent_thaws(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        world_stop(world);
        assert_int_equal(fake_frozen(world->fake), 0);
}

static void test_stopping_agent_answers(void **state)
{
        g_autoptr(world_t) world = world_new();
        struct answer *freeze;

        fake_find(world->fake, "/")->hang_flush = true;
        world_start(world);
        freeze = world_call(world, "guest-fsfreeze-freeze", NULL);
        world_wait_state(world, "freezing");
        world_stop(world);
        assert_true(freeze->done);
        assert_string_equal(freeze->error->message, "the agent is stopping");
        fake_find(world->fake, "/")->hang_flush = false;
        assert_int_equal(fake_frozen(world->fake), 0);
}

/* An agent in a process of its own, which freezes and is killed. */
static void run_doomed_agent(struct world *world)
{
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        for (;;)
                pause();
}

static void test_killed_agent_is_thawed_within_a_second(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *notes = NULL, *marker = g_build_filename(world->root, MARKER, NULL);
        pid_t agent;

        world_write(world, "run/state/x", "");
        world_add_hook(world, "10-a", "");
        world_add_hook(world, "20-b", "");
        agent = fork();
        if (agent == 0)
                run_doomed_agent(world);
        assert_true(wait_frozen(world->fake, 3, 5000));
        assert_int_equal(kill(agent, SIGKILL), 0);
        assert_true(wait_frozen(world->fake, 0, 1000));
        assert_int_equal(waitpid(agent, NULL, 0), agent);
        for (int i = 0; i < 300; i++) {
                g_free(notes);
                notes = world_hook_notes(world);
                if (strlen(notes) >= strlen("10-a freeze 20-b freeze 20-b thaw 10-a thaw"))
                        break;
                usleep(10000);
        }
        assert_string_equal(notes, "10-a freeze 20-b freeze 20-b thaw 10-a thaw");
        assert_false(g_file_test(marker, G_FILE_TEST_EXISTS));
}

static void test_agent_and_keeper_killed(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *notes = NULL, *marker = NULL;
        pid_t agent;

        world_write(world, "run/state/x", "");
        world_add_hook(world, "10-a", "");
        marker = g_build_filename(world->root, MARKER, NULL);
        agent = fork();
        if (agent == 0)
                run_doomed_agent(world);
        assert_true(wait_frozen(world->fake, 3, 5000));
        assert_true(g_file_test(marker, G_FILE_TEST_EXISTS));
        assert_int_equal(kill(agent, SIGSTOP), 0); /* so that it does not rescue */
        assert_int_equal(kill(world->fake->opener, SIGKILL), 0);
        assert_int_equal(kill(agent, SIGKILL), 0);
        assert_int_equal(waitpid(agent, NULL, 0), agent);
        assert_int_equal(fake_frozen(world->fake), 3);
        world_start(world); /* the next agent */
        world_wait_state(world, "thawed");
        assert_int_equal(fake_frozen(world->fake), 0);
        assert_false(g_file_test(marker, G_FILE_TEST_EXISTS));
        world_turn(world, 100);
        notes = world_hook_notes(world);
        assert_string_equal(notes, "10-a freeze 10-a thaw");
        world_stop(world);
}

static void test_marker_comes_and_goes(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *marker = g_build_filename(world->root, MARKER, NULL);
        g_autofree char *text = NULL;

        world_write(world, "run/state/x", "");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        assert_true(g_file_get_contents(marker, &text, NULL, NULL));
        assert_string_equal(text, "this-boot");
        world_ask(world, "guest-fsfreeze-thaw", NULL);
        assert_false(g_file_test(marker, G_FILE_TEST_EXISTS));
        world_stop(world);
}

static void test_marker_is_not_written_to_a_disk(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *marker = g_build_filename(world->root, "data/state/qga.state.isfrozen", NULL);

        world_write(world, "data/state/x", "");
        world_set(world, "agent", "statedir", "/data/state");
        world_start(world);
        world_ask(world, "guest-fsfreeze-freeze", NULL);
        assert_false(g_file_test(marker, G_FILE_TEST_EXISTS));
        world_stop(world);
}

static void test_marker_of_another_boot(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autofree char *marker = g_build_filename(world->root, MARKER, NULL);

        world_write(world, MARKER, "another-boot");
        world_start(world);
        assert_string_equal(world->states->str, "thawed ");
        assert_int_equal(world->fake->n_notes, 0);
        assert_false(g_file_test(marker, G_FILE_TEST_EXISTS));
        world_stop(world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_deadline_thaws),
                cmocka_unit_test(test_deadline_while_flushing),
                cmocka_unit_test(test_hanging_freeze),
                cmocka_unit_test(test_thaw_while_a_freeze_hangs),
                cmocka_unit_test(test_hanging_thaw_holds_up_nobody_else),
                cmocka_unit_test(test_failing_thaw_is_tried_again),
                cmocka_unit_test(test_hanging_open),
                cmocka_unit_test(test_killed_keeper_is_replaced),
                cmocka_unit_test(test_keeper_killed_while_a_freeze_hangs),
                cmocka_unit_test(test_killed_worker),
                cmocka_unit_test(test_stopped_keeper_is_replaced),
                cmocka_unit_test(test_terminated_keeper_thaws),
                cmocka_unit_test(test_stopping_agent_thaws),
                cmocka_unit_test(test_stopping_agent_answers),
                cmocka_unit_test(test_killed_agent_is_thawed_within_a_second),
                cmocka_unit_test(test_agent_and_keeper_killed),
                cmocka_unit_test(test_marker_comes_and_goes),
                cmocka_unit_test(test_marker_is_not_written_to_a_disk),
                cmocka_unit_test(test_marker_of_another_boot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
