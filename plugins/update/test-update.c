/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The plugin against a host that takes notes: the fact follows the file, checks come one at a time, what the
 * host announces is kept, and nothing installs where systemd does not run. No program is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/json-file.h"
#include "lib/names.h"
#include "tenon/plugin.h"

#define FOLDER "/var/lib/tenon/" TN_UPDATE_FOLDER

struct stage {
        struct tenon_host host;
        struct tn_env env;
        char *dir;
        json_t *fact;
        unsigned facts, runs, replies, failures;
        tenon_child_done done;
        void *done_data;
        char *argv, *failure;
        json_t *reply;
};

static struct stage *stage;

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        if (g_str_equal(group, "agent") && g_str_equal(key, "statedir"))
                return "/var/lib/tenon";
        return NULL;
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        assert_string_equal(name, "update");
        json_decref(stage->fact);
        stage->fact = value;
        stage->facts++;
}

static void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
}

static bool fake_run(struct tenon_host *host, const char *const *argv, unsigned deadline_ms,
                     tenon_child_done done, void *data, GError **error)
{
        g_free(stage->argv);
        stage->argv = g_strjoinv(" ", (char **) argv);
        stage->runs++;
        stage->done = done;
        stage->done_data = data;
        return true;
}

static void fake_reply(struct tenon_call *call, json_t *value)
{
        json_decref(stage->reply);
        stage->reply = value;
        stage->replies++;
}

static void fake_fail(struct tenon_call *call, GError *error)
{
        g_free(stage->failure);
        stage->failure = g_strdup(error->message);
        stage->failures++;
        g_error_free(error);
}

static const struct tenon_command *command(const char *name)
{
        for (const struct tenon_command *row = tenon_plugin.commands; row->name; row++)
                if (g_str_equal(row->name, name))
                        return row;
        fail_msg("no command %s", name);
        return NULL;
}

static void write_result(const char *status, const char *version)
{
        json_auto_t *value = json_pack("{s:s, s:s, s:[]}", "status", status, "version", version, "problems");

        assert_true(tn_json_file_write(&stage->env, FOLDER, TN_UPDATE_RESULT, value, NULL));
}

/* Turns the loop until @counter has reached @wanted. */
static void loop_until(const unsigned *counter, unsigned wanted)
{
        gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

        while (*counter < wanted && g_get_monotonic_time() < deadline)
                if (!g_main_context_iteration(NULL, FALSE))
                        g_usleep(1000);
        assert_int_equal(*counter, wanted);
}

static void turn(void)
{
        while (g_main_context_iteration(NULL, FALSE))
                ;
}

static int set_up(void **state)
{
        g_autofree char *lib = NULL;

        stage = g_new0(struct stage, 1);
        stage->dir = g_dir_make_tmp("tn-update-XXXXXX", NULL);
        lib = g_build_filename(stage->dir, "var/lib/tenon", NULL);
        assert_int_equal(g_mkdir_with_parents(lib, 0755), 0);
        assert_true(tn_env_init_root(&stage->env, stage->dir, NULL));
        stage->host = (struct tenon_host){.env = &stage->env,
                                          .root_fd = stage->env.root_fd,
                                          .config = fake_config,
                                          .fact_set = fake_fact_set,
                                          .log = fake_log,
                                          .run = fake_run,
                                          .reply = fake_reply,
                                          .fail = fake_fail};
        return 0;
}

static int tear_down(void **state)
{
        char *argv[] = {(char *) "/bin/rm", (char *) "-r", stage->dir, NULL};

        if (stage->host.data)
                tenon_plugin.stop(&stage->host);
        assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL));
        tn_env_deinit(&stage->env);
        json_decref(stage->fact);
        json_decref(stage->reply);
        g_free(stage->argv);
        g_free(stage->failure);
        g_free(stage->dir);
        g_free(stage);
        return 0;
}

static void start(void)
{
        assert_true(tenon_plugin.start(&stage->host, NULL));
        turn();
}

static void end_run(int exit_status, bool timed_out)
{
        struct tenon_child_result result = {
                .exit_status = exit_status, .timed_out = timed_out, .output = "what it said"};

        stage->done(&stage->host, &result, stage->done_data);
}

static void fact_follows_the_file(void **state)
{
        write_result("current", TN_VERSION);
        start();
        assert_int_equal(stage->facts, 1);
        assert_int_equal(stage->runs, 0); /* nothing to be asked again */
        write_result("out-of-date", TN_VERSION);
        loop_until(&stage->facts, 2);
        assert_string_equal(json_string_value(json_object_get(stage->fact, "status")), "out-of-date");
        write_result("out-of-date", TN_VERSION); /* no news */
        g_usleep(20000);
        turn();
        assert_int_equal(stage->facts, 2);
}

static void without_a_check_there_is_no_fact(void **state)
{
        start();
        assert_int_equal(stage->facts, 0);
        assert_int_equal(stage->runs, 0);
}

static void other_version_is_checked_anew(void **state)
{
        write_result("current", "0.0.1");
        start();
        assert_int_equal(stage->runs, 1);
        assert_string_equal(stage->argv, TN_PATH_CTL " update check --json");
}

static void calls_wait_for_the_same_check(void **state)
{
        const struct tenon_command *check = command("tenon-update-check");

        start();
        check->start(&stage->host, NULL, NULL);
        check->start(&stage->host, NULL, NULL);
        assert_int_equal(stage->runs, 1);
        assert_int_equal(stage->replies, 0);
        write_result("out-of-date", TN_VERSION);
        end_run(10, false);
        assert_int_equal(stage->replies, 2);
        assert_string_equal(json_string_value(json_object_get(stage->reply, "status")), "out-of-date");
        check->start(&stage->host, NULL, NULL);
        assert_int_equal(stage->runs, 2);
        end_run(2, false);
        assert_string_equal(stage->failure, "the check ended with exit status 2: what it said");
        check->start(&stage->host, NULL, NULL);
        end_run(-1, true);
        assert_string_equal(stage->failure, "the check did not end within 200 s");
        check->start(&stage->host, NULL, NULL);
        tenon_plugin.stop(&stage->host);
        assert_string_equal(stage->failure, "the agent is stopping");
        assert_int_equal(stage->replies, 2);
}

static void announcement_is_kept_and_checked(void **state)
{
        const struct tenon_command *announce = command("tenon-set-desired-version");
        json_auto_t *args = json_pack("{s:s, s:[s]}", "version", "0.2.0", "revoked", "0.0.9");
        json_auto_t *kept = NULL, *gone = NULL, *nothing = json_pack("{s:s}", "version", "");

        start();
        json_decref(announce->run(&stage->host, args, NULL));
        kept = tn_json_file_read(&stage->env, FOLDER, TN_UPDATE_ANNOUNCED);
        assert_true(json_equal(kept, args));
        assert_int_equal(stage->runs, 1);
        end_run(20, false);
        json_decref(announce->run(&stage->host, args, NULL)); /* said again */
        assert_int_equal(stage->runs, 1);
        json_decref(announce->run(&stage->host, nothing, NULL));
        gone = tn_json_file_read(&stage->env, FOLDER, TN_UPDATE_ANNOUNCED);
        assert_int_equal(json_object_size(gone), 0);
        assert_int_equal(stage->runs, 2);
        assert_true(announce->flags & TENON_COMMAND_CHANGES);
}

static void wrong_announcements_are_refused(void **state)
{
        const struct tenon_command *announce = command("tenon-set-desired-version");
        json_auto_t *version = json_pack("{s:s}", "version", "$(reboot)"), *many = json_object();
        json_auto_t *revoked = json_pack("{s:[s, s]}", "revoked", "1", "x");
        json_t *rows = json_array();
        g_autoptr(GError) first = NULL, second = NULL, third = NULL;

        start();
        assert_null(announce->run(&stage->host, version, &first));
        assert_string_equal(first->message, "'version' is none: '$(reboot)'");
        assert_null(announce->run(&stage->host, revoked, &second));
        assert_string_equal(second->message, "'revoked[1]' is no version");
        for (int i = 0; i < 65; i++)
                json_array_append_new(rows, json_string("1"));
        json_object_set_new(many, "revoked", rows);
        assert_null(announce->run(&stage->host, many, &third));
        assert_int_equal(third->code, TN_ERROR_LIMIT);
        assert_null(tn_json_file_read(&stage->env, FOLDER, TN_UPDATE_ANNOUNCED));
        assert_int_equal(stage->runs, 0);
}

static void installing_needs_systemd(void **state)
{
        const struct tenon_command *install = command("tenon-update-install");

        start();
        install->start(&stage->host, NULL, NULL);
        assert_int_equal(stage->runs, 0);
        assert_non_null(strstr(stage->failure, "tenonctl update install"));
        assert_int_equal(install->category, TENON_CATEGORY_EXEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(fact_follows_the_file, set_up, tear_down),
                cmocka_unit_test_setup_teardown(without_a_check_there_is_no_fact, set_up, tear_down),
                cmocka_unit_test_setup_teardown(other_version_is_checked_anew, set_up, tear_down),
                cmocka_unit_test_setup_teardown(calls_wait_for_the_same_check, set_up, tear_down),
                cmocka_unit_test_setup_teardown(announcement_is_kept_and_checked, set_up, tear_down),
                cmocka_unit_test_setup_teardown(wrong_announcements_are_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(installing_needs_systemd, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
