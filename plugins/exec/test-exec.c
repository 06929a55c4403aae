/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Programs as plain children, through the commands: what a host sees. */
#include "plugins/exec/test-host.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SH "{'path':'/bin/sh','arg':['-c','"

static void test_ends(void **state)
{
        struct test_host *h = *state;

        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        assert_run(h, SH "exit 3']}", "{'exited':true,'exitcode':3}");
        assert_run(h, SH "kill -9 $$']}", "{'exited':true,'signal':9}");
        assert_run(h, "{'path':'sleep','arg':['0.05']}", "{'exited':true,'exitcode':0}");
}

/* All modes of §1; "out" and "err" as base64, and in merged mode in the order in which they came. */
static void test_capture(void **state)
{
        static const struct {
                const char *mode, *status;
        } modes[] = {
                {"'none'", "{'exited':true,'exitcode':0}"},
                {"false", "{'exited':true,'exitcode':0}"},
                {"'stdout'", "{'exited':true,'exitcode':0,'out-data':'YWM=','out-truncated':false}"},
                {"'stderr'", "{'exited':true,'exitcode':0,'err-data':'Yg==','err-truncated':false}"},
                {"'separated'", "{'exited':true,'exitcode':0,'out-data':'YWM=','out-truncated':false,"
                                "'err-data':'Yg==','err-truncated':false}"},
                {"true", "{'exited':true,'exitcode':0,'out-data':'YWM=','out-truncated':false,"
                         "'err-data':'Yg==','err-truncated':false}"},
                {"'merged'", "{'exited':true,'exitcode':0,'out-data':'YWJj','out-truncated':false}"},
        };
        struct test_host *h = *state;

        for (unsigned round = 0; round < 20; round++)
                for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
                        g_autofree char *args = g_strdup_printf(
                                SH "printf a; printf b >&2; printf c'],'capture-output':%s}", modes[i].mode);

                        assert_run(h, args, modes[i].status);
                }
        assert_run(h, "{'path':'true','capture-output':true}", "{'exited':true,'exitcode':0}");
        assert_refused(h, "{'path':'true','capture-output':'bogus'}",
                       "Parameter 'capture-output' does not accept value 'bogus'");
}

static void test_record_is_told_once(void **state)
{
        struct test_host *h = *state;
        int64_t pid = test_host_exec(h, "{'path':'true'}");
        g_autofree char *message = g_strdup_printf("PID %d does not exist", (int) pid);

        assert_status(h, pid, "{'exited':true,'exitcode':0}");
        assert_null(test_host_call(h, "guest-exec-status", json_pack("{s:I}", "pid", (json_int_t) pid)));
        assert_string_equal(h->error->message, message);
        assert_null(test_host_call(h, "guest-exec-status", json_pack("{s:i}", "pid", 0)));
        assert_string_equal(h->error->message, "PID 0 does not exist");
        assert_null(test_host_call(h, "tenon-exec-terminate", json_pack("{s:i}", "pid", -1)));
        assert_string_equal(h->error->message, "PID -1 does not exist");
}

static void test_input(void **state)
{
        struct test_host *h = *state;
        g_autofree char *large = g_strnfill(4000000, 'A'), *args = NULL, *back = NULL;
        json_t *status;

        assert_run(h, "{'path':'cat','input-data':'aGVsbG8gd29ybGQhCg==','capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'aGVsbG8gd29ybGQhCg==','out-truncated':false}");
        assert_run(h, "{'path':'cat','input-data':'','capture-output':true}",
                   "{'exited':true,'exitcode':0}");
        assert_run(h, "{'path':'cat','capture-output':true}", "{'exited':true,'exitcode':0}");
        assert_refused(h, "{'path':'cat','input-data':'*bad*'}", "Base64 data contains invalid characters");
        /* More than any pipe holds, and a reader that also writes; then one that does not read at all. */
        args = g_strdup_printf("{'path':'cat','capture-output':true,'input-data':'%s'}", large);
        status = test_host_wait(h, test_host_exec(h, args));
        assert_string_equal(json_string_value(json_object_get(status, "out-data")), large);
        json_decref(status);
        back = g_strdup_printf("{'path':'true','input-data':'%s'}", large);
        assert_run(h, back, "{'exited':true,'exitcode':0}");
}

static void test_environment(void **state)
{
        struct test_host *h = *state;
        g_autofree char *text = NULL;
        json_t *status;

        assert_run(h, "{'path':'printenv','env':['A=1','B=x y'],'capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'QT0xCkI9eCB5Cg==','out-truncated':false}");
        assert_run(h, "{'path':'printenv','env':[],'capture-output':true}", "{'exited':true,'exitcode':0}");
        assert_refused(h, "{'path':'true','env':['A']}", "Parameter 'env': 'A' is not NAME=VALUE");
        assert_refused(h, "{'path':'true','env':['=A']}", "Parameter 'env': '=A' is not NAME=VALUE");
        g_setenv("NOTIFY_SOCKET", "/nowhere", TRUE);
        g_setenv("TENON_TEST", "kept", TRUE);
        status = test_host_wait(h, test_host_exec(h, "{'path':'printenv','capture-output':true}"));
        text = test_decode(status, "out-data");
        assert_non_null(strstr(text, "TENON_TEST=kept\n"));
        assert_null(strstr(text, "NOTIFY_SOCKET"));
        json_decref(status);
        g_unsetenv("NOTIFY_SOCKET");
        g_unsetenv("TENON_TEST");
}

static void test_surroundings(void **state)
{
        struct test_host *h = *state;
        g_autofree char *text = NULL, *wanted = NULL, *cwd = g_get_current_dir();
        int64_t pid = test_host_exec(h, SH "pwd; umask; echo $0; ls /proc/self/fd | wc -l; "
                                           "cut -d \\\" \\\" -f 5,6 /proc/$$/stat'],'capture-output':true}");
        json_t *status = test_host_wait(h, pid);

        /* Descriptors: 0, 1, 2 and the directory that ls reads. Group and session are its own. */
        text = test_decode(status, "out-data");
        wanted = g_strdup_printf("%s\n0022\n/bin/sh\n4\n%d %d\n", cwd, (int) pid, (int) pid);
        assert_string_equal(text, wanted);
        json_decref(status);
}

static void test_cwd(void **state)
{
        struct test_host *h = *state;

        assert_run(h, "{'path':'/bin/sh','arg':['-c','pwd'],'cwd':'/proc','capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'L3Byb2MK','out-truncated':false}");
        assert_refused(h, "{'path':'true','cwd':'/nonesuch'}",
                       "Failed to change to directory “/nonesuch”: No such file or directory");
        assert_refused(h, "{'path':'true','cwd':'proc'}", "Parameter 'cwd' must be an absolute path");
}

static void test_user(void **state)
{
        struct test_host *h = *state;
        g_autofree char *text = NULL;
        json_t *status;

        assert_refused(h, "{'path':'true','user':'nonesuch'}", "user 'nonesuch' does not exist");
        if (geteuid() != 0)
                return; /* nobody else may become another */
        status = test_host_wait(
                h, test_host_exec(h, SH "id -un; id -Gn; echo $USER $LOGNAME; pwd'],'user':'daemon',"
                                        "'capture-output':true}"));
        text = test_decode(status, "out-data");
        assert_string_equal(text, "daemon\ndaemon\ndaemon daemon\n/\n");
        json_decref(status);
}

static void test_not_found(void **state)
{
        struct test_host *h = *state;

        test_host_add(h, "etc", S_IFDIR);
        test_host_add(h, "etc/passwd", 0644);
        test_host_add(h, "bin/only-here", 0755);
        assert_refused(h, "{'path':'nonesuch'}",
                       "Failed to execute child process “nonesuch” (No such file or directory)");
        assert_refused(h, "{'path':''}", "Failed to execute child process “” (No such file or directory)");
        assert_refused(h, "{'path':'/etc/passwd'}",
                       "Failed to execute child process “/etc/passwd” (Permission denied)");
        assert_refused(h, "{'path':'/'}", "Failed to execute child process “/” (Permission denied)");
        /* What exec itself refuses, is told, too. */
        assert_refused(h, "{'path':'/bin/only-here'}",
                       "Failed to execute child process “/bin/only-here” (No such file or directory)");
        assert_refused(h, "{'path':'true','arg':['a\\u0000b']}", "Parameter 'arg' has a NUL in it");
}

static void test_allow(void **state)
{
        struct test_host *h = *state;

        h->allow = "/bin/sh, echo";
        assert_run(h, SH "exit 4']}", "{'exited':true,'exitcode':4}");
        assert_run(h, "{'path':'echo'}", "{'exited':true,'exitcode':0}");
        assert_null(test_host_call(h, "guest-exec", test_json("{'path':'cat'}")));
        assert_non_null(
                strstr(h->error->message,
                       "/cat is not allowed: it is not in the list 'allow' in the group [exec] of the "
                       "configuration"));
        assert_null(test_host_call(h, "guest-exec", test_json("{'path':'nonesuch'}")));
}

static void test_output_limit(void **state)
{
        struct test_host *h = *state;
        g_autofree char *text = NULL;
        json_t *status;

        h->output_size = "4096";
        status = test_host_wait(h, test_host_exec(h, "{'path':'head','arg':['-c','1000000','/dev/zero'],"
                                                     "'capture-output':true}"));
        assert_true(json_is_true(json_object_get(status, "out-truncated")));
        assert_int_equal(strlen(json_string_value(json_object_get(status, "out-data"))), 5464);
        assert_int_equal(json_integer_value(json_object_get(status, "exitcode")), 0);
        json_decref(status);
        status = test_host_wait(h, test_host_exec(h, "{'path':'head','arg':['-c','4096','/dev/zero'],"
                                                     "'capture-output':true}"));
        assert_true(json_is_false(json_object_get(status, "out-truncated")));
        json_decref(status);
}

static void test_job_limit(void **state)
{
        struct test_host *h = *state;
        int64_t first, second;

        h->max_jobs = "2";
        first = test_host_exec(h, "{'path':'sleep','arg':['30']}");
        second = test_host_exec(h, "{'path':'sleep','arg':['30']}");
        assert_refused(
                h, "{'path':'true'}",
                "2 programs are running; wait for one, or end one (the limit is max-jobs in the group "
                "[exec] of the configuration)");
        json_decref(test_host_call(h, "tenon-exec-terminate",
                                   json_pack("{s:I, s:s}", "pid", (json_int_t) first, "signal", "SIGKILL")));
        assert_status(h, first, "{'exited':true,'signal':9}");
        first = test_host_exec(h, "{'path':'true'}");
        for (unsigned i = 0; i < 200; i++) { /* it ends, and nobody asks */
                g_main_context_iteration(NULL, FALSE);
                g_usleep(1000);
        }
        assert_run(h, "{'path':'true'}", "{'exited':true,'exitcode':0}");
        assert_null(test_host_call(h, "guest-exec-status", json_pack("{s:I}", "pid", (json_int_t) first)));
        assert_non_null(strstr(h->log->str, "was never asked for and is dropped"));
        json_decref(
                test_host_call(h, "tenon-exec-terminate", json_pack("{s:I}", "pid", (json_int_t) second)));
        assert_status(h, second, "{'exited':true,'signal':15}");
}

/* The whole group dies, or the shell's child would hold the pipe. */
static void test_terminate(void **state)
{
        struct test_host *h = *state;
        int64_t pid = test_host_exec(h, SH "sleep 30 & wait'],'capture-output':true}");
        gint64 start = g_get_monotonic_time();

        assert_null(test_host_call(h, "tenon-exec-terminate",
                                   json_pack("{s:I, s:s}", "pid", (json_int_t) pid, "signal", "FOO")));
        assert_string_equal(h->error->message, "Parameter 'signal' does not accept value 'FOO'");
        assert_null(test_host_call(h, "tenon-exec-terminate",
                                   json_pack("{s:I, s:i}", "pid", (json_int_t) pid, "signal", 99)));
        assert_string_equal(h->error->message, "value '99' is invalid for argument signal");
        assert_json_is(
                test_host_call(h, "tenon-exec-terminate", json_pack("{s:I}", "pid", (json_int_t) pid)), "{}",
                __LINE__);
        assert_status(h, pid, "{'exited':true,'signal':15}");
        assert_true(g_get_monotonic_time() - start < 2 * G_USEC_PER_SEC);
        pid = test_host_exec(h, "{'path':'sleep','arg':['30']}");
        json_decref(test_host_call(h, "tenon-exec-terminate",
                                   json_pack("{s:I, s:i}", "pid", (json_int_t) pid, "signal", SIGINT)));
        assert_status(h, pid, "{'exited':true,'signal':2}");
}

static void test_timeout(void **state)
{
        struct test_host *h = *state;

        assert_run(h, "{'path':'sleep','arg':['30'],'timeout-ms':50}",
                   "{'exited':true,'signal':15,'timed-out':true}");
        assert_run(h, "{'path':'true','timeout-ms':30000}", "{'exited':true,'exitcode':0}");
        assert_refused(h, "{'path':'true','timeout-ms':0}", "value '0' is invalid for argument timeout-ms");
}

/* Waits for what others write within the grace, and not for ever; who writes on is not killed by it. */
static void test_background(void **state)
{
        struct test_host *h = *state;
        g_autofree char *mark = g_build_filename(h->root, "mark", NULL), *args = NULL;
        gint64 start = g_get_monotonic_time(), took;

        assert_run(h, SH "(sleep 0.2; echo late) & exit 0'],'capture-output':true}",
                   "{'exited':true,'exitcode':0,'out-data':'bGF0ZQo=','out-truncated':false}");
        args = g_strdup_printf(
                SH "(sleep 1.5; echo x; echo y; touch %s) & echo now'],'capture-output':true}", mark);
        start = g_get_monotonic_time();
        assert_run(h, args, "{'exited':true,'exitcode':0,'out-data':'bm93Cg==','out-truncated':false}");
        took = g_get_monotonic_time() - start;
        assert_true(took > 450 * 1000 && took < 1400 * 1000);
        for (unsigned i = 0; i < 300 && access(mark, F_OK) < 0; i++) {
                g_main_context_iteration(NULL, FALSE);
                g_usleep(10000);
        }
        assert_int_equal(access(mark, F_OK), 0);
}

static void test_stop_leaves_it(void **state)
{
        struct test_host *h = *state;
        int64_t pid = test_host_exec(h, "{'path':'sleep','arg':['30']}");

        tenon_plugin.stop(&h->host);
        assert_int_equal(kill((pid_t) pid, 0), 0);
        assert_int_equal(kill((pid_t) pid, SIGKILL), 0);
}

/* More than a piece of either output: the status is a stream, also when its host stops listening. */
static void test_large_outputs(void **state)
{
        static const char big[] =
                "{'path':'sh','arg':['-c','head -c 300001 /dev/zero; head -c 98304 /dev/zero "
                ">&2'],'capture-output':true}";
        struct test_host *h = *state;
        static const struct {
                unsigned cut_after;
                size_t out, err; /* in base64 */
        } rows[] = {{0, 400004, 131072}, {1, 131072, 0}, {4, 400004, 0}, {5, 400004, 131072}};

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                json_t *status;

                h->cut_after = rows[i].cut_after;
                status = test_host_wait(h, test_host_exec(h, big));
                assert_int_equal(json_integer_value(json_object_get(status, "exitcode")), 0);
                assert_int_equal(json_string_length(json_object_get(status, "out-data")), rows[i].out);
                assert_int_equal(json_string_length(json_object_get(status, "err-data")), rows[i].err);
                assert_int_equal(json_is_true(json_object_get(status, "out-truncated")),
                                 rows[i].cut_after == 1);
                json_decref(status);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_host_set_up, test_host_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_large_outputs),  TEST(test_ends),
                TEST(test_capture),        TEST(test_record_is_told_once),
                TEST(test_input),          TEST(test_environment),
                TEST(test_surroundings),   TEST(test_cwd),
                TEST(test_user),           TEST(test_not_found),
                TEST(test_allow),          TEST(test_output_limit),
                TEST(test_job_limit),      TEST(test_terminate),
                TEST(test_timeout),        TEST(test_background),
                TEST(test_stop_leaves_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
