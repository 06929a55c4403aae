/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Programs in transient units, against a stand-in for systemd on a private bus. */
#define _GNU_SOURCE
#include "plugins/exec/test-host.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/exec/test-systemd.h"

#define SH "{'path':'/bin/sh','arg':['-c','"

static struct test_systemd systemd;

static void start_systemd(struct test_host *h, enum test_systemd_flaw flaw)
{
        test_host_add(h, "run/systemd/system", S_IFDIR);
        test_systemd_start(&systemd, flaw, h->root);
}

static int tear_down(void **state)
{
        struct test_host *h = *state;

        if (h->host.data)
                tenon_plugin.stop(&h->host);
        if (systemd.bus)
                test_systemd_stop(&systemd);
        return test_host_tear_down(state);
}

static void spin(unsigned ms)
{
        for (gint64 end = g_get_monotonic_time() + (gint64) ms * 1000; g_get_monotonic_time() < end;) {
                g_main_context_iteration(NULL, FALSE);
                g_usleep(1000);
        }
}

static void test_ends(void **state)
{
        struct test_host *h = *state;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        assert_run(h, SH "exit 3']}", "{'exited':true,'exitcode':3}");
        assert_run(h, SH "kill -9 $$']}", "{'exited':true,'signal':9}");
        assert_run(h, "{'path':'sleep','arg':['0.2']}", "{'exited':true,'exitcode':0}");
        spin(100);
        assert_int_equal(test_systemd_count(&systemd, "StartTransientUnit tenon-exec-"), 4);
        assert_int_equal(test_systemd_count(&systemd, "UnrefUnit tenon-exec-"), 4);
        assert_int_equal(test_systemd_count(&systemd, "Subscribe"), 1);
        assert_string_equal(h->log->str, "");
}

static void test_streams(void **state)
{
        static const char command[] = SH "printf a; printf b >&2; printf c'],'capture-output':'%s'}";
        static const char *const modes[][2] = {
                {"none", ""},
                {"stdout", ",'out-data':'YWM=','out-truncated':false"},
                {"stderr", ",'err-data':'Yg==','err-truncated':false"},
                {"separated",
                 ",'out-data':'YWM=','out-truncated':false,'err-data':'Yg==','err-truncated':false"},
                {"merged", ",'out-data':'YWJj','out-truncated':false"},
        };
        struct test_host *h = *state;
        g_autofree char *large = g_strnfill(4000000, 'A'), *args = NULL;
        json_t *status;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
                g_auto(GStrv) parts = g_strsplit(command, "%s", 2);
                g_autofree char *request = g_strconcat(parts[0], modes[i][0], parts[1], NULL);
                g_autofree char *wanted = g_strconcat("{'exited':true,'exitcode':0", modes[i][1], "}", NULL);

                assert_run(h, request, wanted);
        }
        args = g_strdup_printf("{'path':'cat','capture-output':true,'input-data':'%s'}", large);
        status = test_host_wait(h, test_host_exec(h, args));
        assert_string_equal(json_string_value(json_object_get(status, "out-data")), large);
        json_decref(status);
}

static void test_arguments(void **state)
{
        struct test_host *h = *state;
        g_autofree char *text = NULL;
        json_t *status;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        status = test_host_wait(h, test_host_exec(h, "{'path':'echo','arg':['$HOME','$$','%n','a b'],"
                                                     "'capture-output':true}"));
        text = test_decode(status, "out-data");
        assert_string_equal(text, "$HOME $$ %n a b\n");
        json_decref(status);
        /* Replaces all, also what the manager and systemd itself add. */
        assert_run(h, "{'path':'printenv','env':['A=1','B=x y'],'capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'QT0xCkI9eCB5Cg==','out-truncated':false}");
        assert_run(h, "{'path':'printenv','env':[],'capture-output':true}", "{'exited':true,'exitcode':0}");
        assert_run(h, "{'path':'printenv','arg':['MANAGER'],'capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'MQo=','out-truncated':false}");
        assert_run(h, "{'path':'/bin/sh','arg':['-c','pwd'],'cwd':'/proc','capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'L3Byb2MK','out-truncated':false}");
}

static void assert_refused_because(struct test_host *h, const char *args, const char *part)
{
        assert_null(test_host_call(h, "guest-exec", test_json(args)));
        if (!strstr(h->error->message, part))
                fail_msg("%s is not in %s", part, h->error->message);
}

static void test_not_started(void **state)
{
        struct test_host *h = *state;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        test_host_add(h, "bin/only-here", 0755);
        assert_refused_because(
                h, "{'path':'/bin/only-here'}",
                "Failed to execute child process “/bin/only-here” (systemd could not execute it; see "
                "journalctl -u tenon-exec-");
        assert_refused_because(h, "{'path':'true','cwd':'/nonesuch'}", "(cannot change to the directory;");
        assert_refused_because(h, "{'path':'true','user':'nonesuch'}", "(the user does not exist;");
        assert_refused(h, "{'path':'nonesuch'}",
                       "Failed to execute child process “nonesuch” (No such file or directory)");
        /* A program may end with such a number, too. */
        assert_run(h, SH "sleep 0.1; exit 199']}", "{'exited':true,'exitcode':199}");
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
}

static void test_terminate(void **state)
{
        struct test_host *h = *state;
        int64_t pid;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        pid = test_host_exec(h, SH "sleep 30 & wait'],'capture-output':true}");
        json_decref(test_host_call(h, "tenon-exec-terminate", json_pack("{s:I}", "pid", (json_int_t) pid)));
        assert_status(h, pid, "{'exited':true,'signal':15}");
        assert_run(h, "{'path':'sleep','arg':['30'],'timeout-ms':50}",
                   "{'exited':true,'signal':15,'timed-out':true}");
        assert_int_equal(test_systemd_count(&systemd, "KillUnit"), 1);
}

static void test_old_systemd(void **state)
{
        struct test_host *h = *state;

        start_systemd(h, TEST_SYSTEMD_OLD);
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        assert_int_equal(test_systemd_count(&systemd, "StartTransientUnit"), 2);
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}"); /* it has learnt */
        assert_int_equal(test_systemd_count(&systemd, "StartTransientUnit"), 3);
}

static void test_lost_signals(void **state)
{
        struct test_host *h = *state;

        start_systemd(h, TEST_SYSTEMD_SILENT);
        assert_run(h, "{'path':'sleep','arg':['0.3']}", "{'exited':true,'exitcode':0}");
}

/* Nothing was started, so the plain way is tried. */
static void test_fall_back(void **state)
{
        static const enum test_systemd_flaw flaws[] = {TEST_SYSTEMD_ABSENT, TEST_SYSTEMD_DENIES};
        struct test_host *h = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(flaws); i++) {
                g_string_truncate(h->log, 0);
                start_systemd(h, flaws[i]);
                assert_run(h, SH "echo a'],'capture-output':true,'input-data':'QQ=='}",
                           "{'exited':true,'exitcode':0,'out-data':'YQo=','out-truncated':false}");
                assert_non_null(strstr(h->log->str, "<4>guest-exec runs without a systemd unit: "));
                test_systemd_stop(&systemd);
                spin(50); /* sees that the bus is gone */
        }
        g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        h->transient_units = "no";
        g_string_truncate(h->log, 0);
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        assert_string_equal(h->log->str, "");
}

/* It was refused for a reason that the host should know; the plain way would hide it. */
static void test_systemd_refuses(void **state)
{
        struct test_host *h = *state;

        start_systemd(h, TEST_SYSTEMD_FAILS);
        assert_refused(h, "{'path':'true'}", "the moon is full");
}

static void test_bus_dies(void **state)
{
        struct test_host *h = *state;
        g_autofree char *wanted = NULL;
        int64_t pid;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        pid = test_host_exec(h, "{'path':'sleep','arg':['30']}");
        wanted = g_strdup_printf("how PID %d ended is not known: the connection to systemd was lost",
                                 (int) pid);
        test_systemd_stop(&systemd);
        spin(100);
        assert_null(test_host_call(h, "guest-exec-status", json_pack("{s:I}", "pid", (json_int_t) pid)));
        assert_string_equal(h->error->message, wanted);
        assert_int_equal(kill((pid_t) pid, SIGKILL), 0);
        start_systemd(h, TEST_SYSTEMD_GOOD); /* and the next one finds the new bus */
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        assert_int_equal(test_systemd_count(&systemd, "StartTransientUnit"), 1);
}

/* The agent is restarted by its own child: what that writes afterwards neither kills nor stops it. */
static void test_outlives_the_agent(void **state)
{
        struct test_host *h = *state;
        g_autofree char *mark = g_build_filename(h->root, "mark", NULL), *args = NULL;

        start_systemd(h, TEST_SYSTEMD_GOOD);
        args = g_strdup_printf(
                SH "sleep 0.3; head -c 5000000 /dev/zero && touch %s'],'capture-output':true}", mark);
        (void) test_host_exec(h, args);
        tenon_plugin.stop(&h->host);
        h->host.data = NULL;
        for (unsigned i = 0; i < 300 && access(mark, F_OK) < 0; i++)
                g_usleep(10000);
        assert_int_equal(access(mark, F_OK), 0);
        assert_int_equal(test_systemd_count(&systemd, "StartTransientUnit tenon-exec-output-"), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_host_set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_ends),
                TEST(test_streams),
                TEST(test_arguments),
                TEST(test_not_started),
                TEST(test_terminate),
                TEST(test_old_systemd),
                TEST(test_lost_signals),
                TEST(test_fall_back),
                TEST(test_systemd_refuses),
                TEST(test_bus_dies),
                TEST(test_outlives_the_agent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
