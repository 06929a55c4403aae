/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Checks on a machine made of files, with clocks that a test moves: measuring, being due, hanging,
 * recovering. A hall: a group of tests for each type of check, all on the same machine.
 */
#define _GNU_SOURCE
#include "plugins/health/test-support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/health/bus-link.h"
#include "plugins/health/checks.h"

struct scene {
        struct stage *stage;
        struct health_checks *checks;
        struct health_bus *bus;
        unsigned changes, rearms;
};

static void on_changed(const struct health_check *check, enum health_severity before, void *data)
{
        ((struct scene *) data)->changes++;
}

static void on_rearm(void *data)
{
        ((struct scene *) data)->rearms++;
}

static struct scene *open_scene(void **state)
{
        struct scene *scene = g_new0(struct scene, 1);

        scene->stage = *state;
        scene->bus = health_bus_new();
        scene->checks = health_checks_new(&scene->stage->host, scene->bus,
                                          (struct health_checks_events){on_changed, on_rearm, scene});
        return scene;
}

static void close_scene(struct scene *scene)
{
        health_checks_free(scene->checks);
        health_bus_free(scene->bus);
        g_free(scene);
}

/* A member of the check @name, borrowed while the caller holds *keep. */
static json_t *get(const struct scene *scene, const char *name, const char *member, json_t **keep)
{
        json_t *row;
        size_t i;

        *keep = health_checks_to_json(scene->checks);
        json_array_foreach(*keep, i, row) if (g_str_equal(json_string_value(json_object_get(row, "name")),
                                                          name)) return json_object_get(row, member);
        fail_msg("there is no check %s", name);
        return NULL;
}

static void expect(const struct scene *scene, const char *name, const char *member, const char *text)
{
        json_t *keep;
        const char *got = json_string_value(get(scene, name, member, &keep));

        if (!got || !strstr(got, text))
                fail_msg("%s of %s is '%s', not '%s'", member, name, got ? got : "(none)", text);
        json_decref(keep);
}

static double value_of(const struct scene *scene, const char *name)
{
        json_t *keep;
        double value = json_number_value(get(scene, name, "value", &keep));

        json_decref(keep);
        return value;
}

/* Time passes until the next turn is due, and it is taken; seconds that it was. */
static uint64_t next_turn(struct scene *scene)
{
        uint64_t next = health_checks_next(scene->checks), before = scene->stage->monotonic_usec;

        assert_true(next != 0);
        if (next > before) {
                scene->stage->realtime_usec += next - before;
                scene->stage->monotonic_usec = next;
        }
        health_checks_turn(scene->checks);
        return (scene->stage->monotonic_usec - before) / G_USEC_PER_SEC;
}

static void set_memory(struct stage *stage, unsigned available)
{
        g_autofree char *text = g_strdup_printf("MemTotal: 1000 kB\nMemAvailable: %u kB\n", available);

        stage_write(stage, "proc/meminfo", text);
}

static void test_nothing_but_the_loop(void **state)
{
        struct scene *scene = open_scene(state);

        assert_int_equal(next_turn(scene), 0);
        expect(scene, "loop", "state", "ok");
        expect(scene, "loop", "by", "event");
        assert_int_equal(health_checks_next(scene->checks), 0); /* and nothing is due any more */
        close_scene(scene);
}

static void test_a_row_of_bad_ones_and_back(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check m", "type", "memory-available", "warning", "10", "critical", "3", "in-a-row",
                  "3", "interval-ms", "20000", "required", "yes", NULL);
        set_memory(stage, 20);
        scene = open_scene(state);
        assert_int_equal(next_turn(scene), 0);
        expect(scene, "m", "result", "critical");
        expect(scene, "m", "state", "ok");
        assert_null(health_checks_culprit(scene->checks));
        next_turn(scene);
        assert_int_equal(scene->changes, 0);
        assert_int_equal(next_turn(scene), 20);
        expect(scene, "m", "state", "critical");
        expect(scene, "m", "reason", "2 % of the memory is left");
        assert_string_equal(health_checks_culprit(scene->checks)->name, "m");
        assert_int_equal(scene->changes, 1);
        set_memory(stage, 900);
        next_turn(scene);
        expect(scene, "m", "state", "ok");
        assert_null(health_checks_culprit(scene->checks));
        assert_int_equal(scene->changes, 2);
        assert_true(value_of(scene, "m") == 90.0);
        close_scene(scene);
}

/* What the fact says must not change with each measurement. */
static void test_fact_is_calm(void **state)
{
        struct stage *stage = *state;
        json_auto_t *first = NULL, *second = NULL;
        struct scene *scene;

        stage_set(stage, "check m", "type", "memory-available", "warning", "10", NULL);
        set_memory(stage, 500);
        scene = open_scene(state);
        next_turn(scene);
        first = health_checks_to_fact(scene->checks);
        set_memory(stage, 400);
        next_turn(scene);
        second = health_checks_to_fact(scene->checks);
        assert_true(json_equal(first, second));
        assert_int_equal(json_array_size(json_object_get(first, "problems")), 0);
        close_scene(scene);
}

static void test_fact_has_remedies(void **state)
{
        struct stage *stage = *state;
        json_auto_t *fact = NULL;
        struct scene *scene;

        stage_set(stage, "check m", "type", "memory-available", "warning", "10", "in-a-row", "1", NULL);
        set_memory(stage, 50);
        scene = open_scene(state);
        next_turn(scene);
        fact = health_checks_to_fact(scene->checks);
        assert_int_equal(json_array_size(json_object_get(fact, "problems")), 1);
        assert_string_equal(json_string_value(json_array_get(json_object_get(fact, "remedies"), 0)),
                            "look at what needs so much: top -o %MEM; or give the machine more memory");
        close_scene(scene);
}

static void test_due_times_coincide(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check a", "type", "memory-available", "interval-ms", "10000", NULL);
        stage_set(stage, "check b", "type", "memory-available", "interval-ms", "30000", NULL);
        set_memory(stage, 500);
        stage->monotonic_usec += 3 * G_USEC_PER_SEC; /* 1003 */
        scene = open_scene(state);
        next_turn(scene);
        for (unsigned i = 0; i < 6; i++)
                next_turn(scene);
        /* 1010, 1020 (both), 1030, … : six turns, one minute. */
        assert_int_equal(stage->monotonic_usec, START_USEC + 60 * G_USEC_PER_SEC);
        close_scene(scene);
}

static void test_other_kernel_numbers(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check load", "type", "load", "warning", "100", "critical", "400", "in-a-row", "1",
                  NULL);
        stage_set(stage, "check io", "type", "io-pressure", "warning", "40", "critical", "80", "stall",
                  "full", "in-a-row", "1", NULL);
        stage_set(stage, "check mem", "type", "memory-pressure", "warning", "40", NULL);
        stage_set(stage, "check files", "type", "file-handles", "warning", "90", "in-a-row", "1", NULL);
        stage_write(stage, "proc/loadavg", "6.00 0.00 0.00 1/1 1\n");
        stage_write(stage, "sys/devices/system/cpu/online", "0-1\n");
        stage_write(stage, "proc/pressure/io", "some avg10=99.00 total=1\nfull avg10=85.50 total=1\n");
        stage_write(stage, "proc/sys/fs/file-nr", "950 0 1000\n");
        scene = open_scene(state);
        next_turn(scene);
        expect(scene, "load", "state", "warning");
        expect(scene, "load", "message", "the load is 6.00 on 2 processors, 300 % for each");
        expect(scene, "io", "state", "critical");
        expect(scene, "io", "message", "all tasks waited for I/O");
        assert_true(value_of(scene, "io") == 85.5);
        expect(scene, "files", "state", "warning");
        /* No PSI: unknown at once, with what would help. */
        expect(scene, "mem", "state", "unknown");
        expect(scene, "mem", "message", "CONFIG_PSI");
        expect(scene, "mem", "by", "interval");
        close_scene(scene);
}

static bool is_measured(void *data)
{
        json_t *keep;
        bool measured = get(data, "fs", "result", &keep) != NULL;

        json_decref(keep);
        return measured;
}

static void test_filesystem(void **state)
{
        static const char mounts[] =
                "22 1 0:1 / / %s - ext4 /dev/vda rw\n23 1 0:2 / /data rw - ext4 /dev/vdb rw\n";
        struct stage *stage = *state;
        g_autofree char *writable = g_strdup_printf(mounts, "rw"),
                        *read_only = g_strdup_printf(mounts, "ro");
        struct scene *scene;

        stage_set(stage, "check fs", "type", "filesystem", "path", "/", "warning", "90", "in-a-row", "1",
                  NULL);
        stage_set(stage, "check gone", "type", "filesystem", "path", "/srv/", "in-a-row", "1", NULL);
        stage_set(stage, "check lost", "type", "filesystem", "path", "/data", "in-a-row", "1", NULL);
        stage_write(stage, "proc/1/mountinfo", writable);
        scene = open_scene(state);
        next_turn(scene);
        loop_until_true(is_measured, scene);
        expect(scene, "fs", "message", "/ is ");
        expect(scene, "gone", "state", "critical");
        expect(scene, "gone", "message", "nothing is mounted at /srv");
        loop_for(100); /* there is no folder /data here: the copy tells nothing */
        expect(scene, "lost", "state", "unknown");
        stage_write(stage, "proc/1/mountinfo", read_only);
        next_turn(scene);
        expect(scene, "fs", "state", "critical");
        expect(scene, "fs", "reason", "/ is read-only");
        loop_for(100); /* the other one answers */
        stage_set(stage, "check fs", "writable", "no", NULL);
        next_turn(scene);
        loop_for(100);
        expect(scene, "fs", "message", "full");
        close_scene(scene);
}

static pid_t start_sleeper(struct stage *stage, const char *comm)
{
        g_autofree char *path = NULL, *line = g_strdup_printf("%s\n", comm);
        pid_t pid = fork();

        if (pid == 0) {
                pause();
                _exit(0);
        }
        path = g_strdup_printf("proc/%d/comm", pid);
        stage_write(stage, path, line);
        return pid;
}

static void end_sleeper(struct stage *stage, pid_t pid)
{
        g_autofree char *path = g_strdup_printf("proc/%d/comm", pid), *full = stage_path(stage, path);

        (void) kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        (void) unlink(full);
}

static bool is_critical(void *data)
{
        return health_checks_culprit(((struct scene *) data)->checks) != NULL;
}

static void test_process(void **state)
{
        struct stage *stage = *state;
        pid_t pid = start_sleeper(stage, "dbd");
        g_autofree char *number = g_strdup_printf("%d\n", pid);
        struct scene *scene;

        stage_write(stage, "run/db.pid", number);
        stage_set(stage, "check p", "type", "process", "process", "dbd", "in-a-row", "1", "required", "yes",
                  NULL);
        stage_set(stage, "check f", "type", "process", "pid-file", "/run/db.pid", NULL);
        stage_set(stage, "check both", "type", "process", "pid-file", "/run/db.pid", "process", "other",
                  NULL);
        stage_set(stage, "check none", "type", "process", NULL);
        scene = open_scene(state);
        next_turn(scene);
        expect(scene, "p", "state", "ok");
        expect(scene, "p", "by", "event");
        expect(scene, "f", "result", "ok");
        expect(scene, "both", "result", "critical");
        expect(scene, "both", "message", "is not other");
        expect(scene, "none", "state", "unknown");
        expect(scene, "none", "message", "set process= or pid-file= in [check none]");
        end_sleeper(stage, pid);
        loop_until_true(is_critical, scene); /* without a turn: its end was an event */
        expect(scene, "p", "reason", "no process dbd");
        pid = start_sleeper(stage, "dbd");
        next_turn(scene);
        expect(scene, "p", "state", "ok");
        end_sleeper(stage, pid);
        close_scene(scene);
}

static void make_script(struct stage *stage, mode_t mode)
{
        g_autofree char *path = stage_path(stage, "srv/check"), *folder = stage_path(stage, "srv");

        stage_write(stage, "srv/check", "#!/bin/sh\n");
        assert_int_equal(chmod(path, mode), 0);
        assert_int_equal(chmod(folder, 0755), 0);
}

static const struct {
        struct tenon_child_result ending;
        const char *state, *message;
} endings[] = {
        {{.exit_status = 0, .output = "fine\nmore\n"}, "ok", "fine"},
        {{.exit_status = 1, .output = "so so"}, "warning", "so so"},
        {{.exit_status = 2, .output = "broken\n"}, "critical", "broken"},
        {{.exit_status = 2, .output = ""}, "critical", "it printed nothing"},
        {{.exit_status = 3, .output = "?"}, "unknown", "ended with status 3: ?"},
        {{.exit_status = 127, .output = ""}, "unknown", "ended with status 127"},
        {{.exit_status = -1, .signal = 11, .output = ""}, "unknown", "was ended by signal 11"},
        {{.exit_status = -1, .timed_out = true, .output = ""}, "unknown", "took longer than timeout-ms"},
        {{.exit_status = 1, .output = "Failed to start transient service unit: x"},
         "unknown",
         "Failed to start"},
        {{.exit_status = 2, .output = "\xff\xfe bad bytes"}, "critical", "bad bytes"},
};

static void test_script_endings(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        make_script(stage, 0755);
        stage_set(stage, "check s", "type", "script", "path", "/srv/check", "in-a-row", "1", "timeout-ms",
                  "5000", NULL);
        scene = open_scene(state);
        for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
                stage->ending = endings[i].ending;
                next_turn(scene);
                loop_for(20);
                expect(scene, "s", "state", endings[i].state);
                expect(scene, "s", "message", endings[i].message);
        }
        assert_int_equal(stage->programs, G_N_ELEMENTS(endings));
        close_scene(scene);
}

static void expect_fault(struct stage *stage, const char *wanted)
{
        g_autofree char *fault = health_checks_fault(&stage->host);

        if (wanted)
                assert_string_equal(fault, wanted);
        else
                assert_null(fault);
}

static void test_script_that_may_not_run(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check s", "type", "script", "path", "/srv/check", "required", "yes", NULL);
        scene = open_scene(state);
        next_turn(scene);
        expect(scene, "s", "state", "unknown");
        expect(scene, "s", "message", "/srv/check is missing or not executable");
        expect_fault(stage, "the required check s cannot work: /srv/check is missing or not executable");
        make_script(stage, 0777);
        next_turn(scene);
        expect(scene, "s", "message", "is not run: it is writable by others; run: chmod go-w on it");
        assert_int_equal(stage->programs, 0);
        assert_null(health_checks_culprit(scene->checks));
        make_script(stage, 0755);
        expect_fault(stage, NULL);
        close_scene(scene);
}

/* What nobody needs, or nobody wants now, keeps no watchdog from being armed. */
static void test_faults_that_do_not_matter(void **state)
{
        struct stage *stage = *state;

        stage_set(stage, "check s", "type", "script", "path", "/srv/check", "required", "no", NULL);
        expect_fault(stage, NULL);
        stage_set(stage, "check s", "type", "script", "path", "/srv/check", "required", "yes", "enabled",
                  "no", NULL);
        expect_fault(stage, NULL);
}

/* A script that hangs, and is not even ended by its killing: unknown, and no second one is started beside
 * it. */
static void test_script_that_hangs(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        make_script(stage, 0755);
        stage_set(stage, "check s", "type", "script", "path", "/srv/check", "in-a-row", "1", "timeout-ms",
                  "5000", "interval-ms", "10000", NULL);
        stage->hangs = true;
        scene = open_scene(state);
        next_turn(scene);
        expect(scene, "s", "state", "ok");     /* nothing is known yet */
        assert_int_equal(next_turn(scene), 7); /* the timeout and two seconds */
        expect(scene, "s", "state", "unknown");
        expect(scene, "s", "reason", "no answer for 7000 ms");
        for (unsigned i = 0; i < 5; i++)
                next_turn(scene);
        assert_int_equal(stage->programs, 1);
        stage->ending = (struct tenon_child_result){.exit_status = 2, .output = "late"};
        stage_end_programs(stage);
        expect(scene, "s", "state", "unknown"); /* what comes late is not believed */
        stage->hangs = false;
        next_turn(scene);
        loop_for(20);
        assert_int_equal(stage->programs, 2);
        expect(scene, "s", "state", "critical");
        close_scene(scene);
}

static void test_frozen_time_does_not_count(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check m", "type", "memory-available", "critical", "10", "in-a-row", "1",
                  "interval-ms", "10000", "required", "yes", NULL);
        set_memory(stage, 900);
        scene = open_scene(state);
        next_turn(scene);
        stage->host.fact_set(&stage->host, "freeze", json_pack("{s:s}", "state", "frozen"));
        set_memory(stage, 1);
        for (unsigned i = 0; i < 30; i++)
                assert_in_range(next_turn(scene), 0, 10);
        expect(scene, "m", "state", "ok");
        stage->host.fact_set(&stage->host, "freeze", json_pack("{s:s}", "state", "thawed"));
        next_turn(scene);
        expect(scene, "m", "state", "critical");
        close_scene(scene);
}

/* The wall clock is set by a day, back and forth: nothing is due earlier or later. */
static void test_clock_steps(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check m", "type", "memory-available", "interval-ms", "10000", NULL);
        set_memory(stage, 900);
        scene = open_scene(state);
        next_turn(scene);
        stage->realtime_usec -= UINT64_C(86400) * G_USEC_PER_SEC;
        assert_int_equal(next_turn(scene), 10);
        stage->realtime_usec += UINT64_C(86400000) * G_USEC_PER_SEC;
        assert_int_equal(next_turn(scene), 10);
        close_scene(scene);
}

static void test_configuration(void **state)
{
        struct stage *stage = *state;
        json_auto_t *rows = NULL;
        struct scene *scene;

        stage_set(stage, "check off", "type", "load", "enabled", "no", NULL);
        stage_set(stage, "check loop", "type", "load", NULL); /* the name is taken, the type is not there */
        scene = open_scene(state);
        rows = health_checks_to_json(scene->checks);
        assert_int_equal(json_array_size(rows), 2);
        expect(scene, "main-loop", "type", "loop");
        close_scene(scene);
        json_decref(rows);
        stage_set(stage, "check loop", "type", "loop", "warning", "7", "enabled", "no", NULL);
        scene = open_scene(state);
        rows = health_checks_to_json(scene->checks);
        assert_int_equal(json_array_size(rows), 0);
        close_scene(scene);
}

static gboolean block_the_loop(void *data)
{
        stage_pass(data, 20);
        return G_SOURCE_REMOVE;
}

/* The loop is measured by its own sleeps; here the clock jumps while a callback runs. */
static void test_blocked_loop(void **state)
{
        struct stage *stage = *state;
        struct scene *scene;

        stage_set(stage, "check l", "type", "loop", "warning", "1000", "critical", "10000", "in-a-row", "1",
                  "required", "yes", NULL);
        scene = open_scene(state);
        next_turn(scene);
        loop_for(20);
        expect(scene, "l", "state", "ok");
        assert_int_equal(health_checks_next(scene->checks), 0);
        g_idle_add(block_the_loop, stage);
        loop_until_true(is_critical, scene);
        expect(scene, "l", "reason", "the main loop was busy for up to 20000 ms");
        next_turn(scene); /* now it is due in its interval, until it is well */
        expect(scene, "l", "state", "ok");
        assert_int_equal(health_checks_next(scene->checks), 0);
        close_scene(scene);
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                on_stage(test_nothing_but_the_loop),
                on_stage(test_a_row_of_bad_ones_and_back),
                on_stage(test_fact_is_calm),
                on_stage(test_fact_has_remedies),
                on_stage(test_due_times_coincide),
                on_stage(test_other_kernel_numbers),
                on_stage(test_filesystem),
                on_stage(test_process),
                on_stage(test_script_endings),
                on_stage(test_script_that_may_not_run),
                on_stage(test_faults_that_do_not_matter),
                on_stage(test_script_that_hangs),
                on_stage(test_frozen_time_does_not_count),
                on_stage(test_clock_steps),
                on_stage(test_configuration),
                on_stage(test_blocked_loop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
