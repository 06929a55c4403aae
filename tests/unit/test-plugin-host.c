/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The functions that a plugin may call: what they do, in whose name, and what is left when it is gone. */
#include "support.h"

#include <signal.h>
#include <string.h>

#include "agent/plugin-host.h"

struct fixture {
        struct machine *machine;
        struct tn_config *config;
        struct tn_facts *facts;
        struct tn_plugin_host *owner;
        struct tenon_host *host;
};

static void set_up(struct fixture *f, const char *config)
{
        f->machine = machine_new();
        f->config = config_from(f->machine, config);
        f->facts = tn_facts_new();
        f->owner = tn_plugin_host_new(&f->machine->env, f->config, f->facts, "acme");
        f->host = tn_plugin_host_get(f->owner);
}

static void tear_down(struct fixture *f)
{
        tn_plugin_host_free(f->owner);
        tn_facts_free(f->facts);
        tn_config_free(f->config);
        machine_free(f->machine);
}

static void test_config(void **state)
{
        struct fixture f;

        (void) state;
        set_up(&f, "[plugin acme]\nword=x\nempty=\n[timesync]\nwrite-rtc=0\n");
        assert_string_equal(f.host->config(f.host, "plugin acme", "word"), "x");
        assert_null(f.host->config(f.host, "plugin acme", "empty"));
        assert_null(f.host->config(f.host, "plugin acme", "none"));
        assert_null(f.host->config(f.host, "none", "none"));
        assert_string_equal(f.host->config(f.host, "timesync", "write-rtc"), "no");
        assert_string_equal(f.host->config(f.host, "power", "hook-timeout-ms"), "30000");
        tear_down(&f);
}

static void test_facts(void **state)
{
        struct fixture f;

        (void) state;
        set_up(&f, "");
        f.host->fact_set(f.host, "mine", json_of("1"));
        assert_json(json_incref(f.host->fact_get(f.host, "mine")), "1");
        tn_facts_set(f.facts, "other", "theirs", json_of("2"), NULL);
        f.host->fact_set(f.host, "theirs", json_of("3"));
        assert_json(json_incref(f.host->fact_get(f.host, "theirs")), "2");
        assert_string_equal(machine_logged(f.machine, "theirs"),
                            "3|fact 'theirs' belongs to other, not to acme|TENON_PLUGIN=acme");
        assert_null(f.host->fact_get(f.host, "none"));
        tear_down(&f);
}

static unsigned heard;

static void on_heard(struct tenon_host *host, const char *name, json_t *value)
{
        assert_string_equal(name, "freeze");
        assert_int_equal(value != NULL, host->fact_get(host, "freeze") != NULL);
        heard++;
}

static void test_fact_watch(void **state)
{
        struct fixture f;

        (void) state;
        set_up(&f, "");
        heard = 0;
        f.host->fact_watch(f.host, on_heard);
        f.host->fact_watch(f.host, on_heard); /* one for each plugin */
        tn_facts_set(f.facts, "other", "freeze", json_of("1"), NULL);
        assert_int_equal(heard, 1);
        tn_facts_set(f.facts, "other", "freeze", NULL, NULL);
        assert_int_equal(heard, 2);
        tn_plugin_host_unwatch(f.owner);
        tn_facts_set(f.facts, "other", "freeze", json_of("2"), NULL);
        assert_int_equal(heard, 2);
        tear_down(&f);
}

static void test_config_names(void **state)
{
        struct fixture f;
        g_auto(GStrv) names = NULL;

        (void) state;
        set_up(&f, "[check b]\ntype=load\n[check a]\ntype=load\n");
        names = f.host->config_names(f.host, "check");
        assert_int_equal(g_strv_length(names), 2);
        assert_string_equal(names[0], "a");
        g_strfreev(names);
        names = f.host->config_names(f.host, "none");
        assert_int_equal(g_strv_length(names), 0);
        tear_down(&f);
}

static void test_log(void **state)
{
        struct fixture f;

        (void) state;
        set_up(&f, "");
        f.host->log(f.host, 5, "n is %d", 7);
        assert_string_equal(machine_logged(f.machine, "n is"), "5|n is 7|TENON_PLUGIN=acme");
        f.host->log(f.host, -3, "low");
        f.host->log(f.host, 99, "high");
        assert_string_equal(machine_logged(f.machine, "low"), "3|low|TENON_PLUGIN=acme");
        assert_string_equal(machine_logged(f.machine, "high"), "7|high|TENON_PLUGIN=acme");
        tear_down(&f);
}

struct seen {
        unsigned count;
        struct tenon_host *host;
        int exit_status, signal;
        bool timed_out;
        char output[64];
};

static void on_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct seen *seen = data;

        seen->count++;
        seen->host = host;
        seen->exit_status = result->exit_status;
        seen->signal = result->signal;
        seen->timed_out = result->timed_out;
        g_strlcpy(seen->output, result->output, sizeof seen->output);
}

static void test_run(void **state)
{
        const char *argv[] = {"/bin/sh", "-c", "echo hello; exit 3", NULL};
        const char *slow[] = {"/bin/sleep", "60", NULL};
        const char *none[] = {"/nonexistent", NULL};
        struct seen seen = {0};
        struct fixture f;
        GError *error = NULL;

        (void) state;
        set_up(&f, "");
        assert_true(f.host->run(f.host, argv, 5000, on_done, &seen, &error));
        loop_until(&seen.count, 1);
        assert_ptr_equal(seen.host, f.host);
        assert_int_equal(seen.exit_status, 3);
        assert_string_equal(seen.output, "hello\n");
        assert_true(f.host->run(f.host, slow, 100, on_done, &seen, &error));
        loop_until(&seen.count, 2);
        assert_true(seen.timed_out);
        assert_int_equal(seen.signal, SIGKILL);
        assert_false(f.host->run(f.host, none, 100, on_done, &seen, &error));
        assert_error(error, TN_ERROR_NOT_FOUND, "start /nonexistent: No such file or directory");
        assert_int_equal(seen.count, 2);
        tear_down(&f);
}

/* The plugin's code is unloaded next; nothing may call it any more. */
static void test_free_with_children(void **state)
{
        const char *argv[] = {"/bin/sleep", "60", NULL};
        const char *quick[] = {"/bin/true", NULL};
        struct seen seen = {0};
        struct fixture f;

        (void) state;
        set_up(&f, "");
        for (int i = 0; i < 5; i++) {
                assert_true(f.host->run(f.host, argv, 60000, on_done, &seen, NULL));
                assert_true(f.host->run(f.host, quick, 60000, on_done, &seen, NULL));
        }
        tear_down(&f);
        loop_for(50);
        assert_int_equal(seen.count, 0);
        tn_plugin_host_free(NULL);
}

static void test_surroundings(void **state)
{
        struct fixture f;

        (void) state;
        set_up(&f, "");
        assert_ptr_equal(f.host->env, &f.machine->env);
        assert_int_equal(f.host->root_fd, f.machine->env.root_fd);
        assert_null(f.host->data);
        assert_non_null(f.host->reply);
        assert_non_null(f.host->fail);
        tear_down(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_config),
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_fact_watch),
                cmocka_unit_test(test_config_names),
                cmocka_unit_test(test_log),
                cmocka_unit_test(test_run),
                cmocka_unit_test(test_free_with_children),
                cmocka_unit_test(test_surroundings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
