/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The gate: first the log, then the record on disk, then it closes; and it closes without a disk, too. */
#include "plugins/health/test-support.h"

#include <string.h>
#include <sys/stat.h>

#include "plugins/health/gate.h"

static struct health_gate *open_gate(struct stage *stage)
{
        g_autofree char *folder = stage_path(stage, "var/lib/tenon");

        assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
        stage_set(stage, "agent", "statedir", "/var/lib/tenon", NULL);
        stage_write(stage, "proc/sys/kernel/random/boot_id", "b00t\n");
        return health_gate_new(&stage->host, NULL);
}

static bool is_closed(void *data)
{
        return json_is_false(json_object_get(stage_fact(data, "health-gate"), "feed"));
}

static json_t *read_record(const struct stage *stage)
{
        g_autofree char *path = stage_path(stage, "var/lib/tenon/health-gate.json");

        return json_load_file(path, 0, NULL);
}

static bool is_recorded_open(void *data)
{
        json_auto_t *record = read_record(data);

        return json_is_true(json_object_get(record, "feed"));
}

static void expect_reason(const struct stage *stage, const char *reason)
{
        assert_string_equal(json_string_value(json_object_get(stage_fact(stage, "health-gate"), "reason")),
                            reason);
}

static void test_open_at_first(void **state)
{
        struct health_gate *gate = open_gate(*state);

        assert_true(json_is_true(json_object_get(stage_fact(*state, "health-gate"), "feed")));
        expect_reason(*state, "");
        assert_int_equal(json_integer_value(json_object_get(stage_fact(*state, "health-gate"), "since")),
                         1800000000);
        health_gate_free(gate);
}

/* A fault is told at once, and changes nothing else. */
static void test_fault_is_told(void **state)
{
        struct health_gate *gate = open_gate(*state);

        health_gate_set_fault(gate, g_strdup("check s cannot work"));
        assert_string_equal(json_string_value(json_object_get(stage_fact(*state, "health-gate"), "fault")),
                            "check s cannot work");
        assert_false(is_closed(*state));
        health_gate_set_fault(gate, NULL);
        assert_null(json_object_get(stage_fact(*state, "health-gate"), "fault"));
        health_gate_free(gate);
}

static void test_closes_after_the_record(void **state)
{
        struct stage *stage = *state;
        struct health_gate *gate = open_gate(stage);
        json_auto_t *record = NULL;

        g_string_truncate(stage->story, 0);
        stage_pass(stage, 5);
        health_gate_set(gate, "db", "check db is critical: gone");
        assert_false(is_closed(stage)); /* the record is being written */
        assert_string_equal(stage->story->str,
                            "log the watchdog is not to be fed any more: check db is critical: gone\n");
        loop_until_true(is_closed, stage);
        assert_contains(stage->story->str, "fact health-gate\n");
        expect_reason(stage, "check db is critical: gone");
        record = read_record(stage);
        assert_true(json_is_false(json_object_get(record, "feed")));
        assert_string_equal(json_string_value(json_object_get(record, "culprit")), "db");
        assert_string_equal(json_string_value(json_object_get(record, "reason")),
                            "check db is critical: gone");
        assert_string_equal(json_string_value(json_object_get(record, "boot-id")), "b00t");
        assert_int_equal(json_integer_value(json_object_get(record, "time")), 1800000005);
        health_gate_free(gate);
}

static void test_opens_at_once(void **state)
{
        struct stage *stage = *state;
        struct health_gate *gate = open_gate(stage);

        health_gate_set(gate, "db", "why");
        loop_until_true(is_closed, stage);
        health_gate_set(gate, NULL, NULL);
        assert_false(is_closed(stage));
        expect_reason(stage, "");
        loop_until_true(is_recorded_open, stage);
        health_gate_free(gate);
}

/* It is well again before the record is on disk: it never closes, and the disk says so in the end. */
static void test_opens_while_being_recorded(void **state)
{
        struct stage *stage = *state;
        struct health_gate *gate = open_gate(stage);

        health_gate_set(gate, "db", "why");
        health_gate_set(gate, NULL, NULL);
        loop_until_true(is_recorded_open, stage);
        loop_for(50);
        assert_false(is_closed(stage));
        health_gate_free(gate);
}

static void test_closes_without_a_disk(void **state)
{
        struct stage *stage = *state;
        struct health_gate *gate = open_gate(stage);

        stage_set(stage, "agent", "statedir", "/no/such/folder", NULL);
        health_gate_set(gate, "db", "why");
        loop_until_true(is_closed, stage);
        assert_contains(stage->log->str, "the state of the gate is not on disk");
        health_gate_free(gate);
        stage_set(stage, "agent", "statedir", "", NULL);
        gate = health_gate_new(&stage->host, NULL);
        health_gate_set(gate, "db", "why");
        assert_true(is_closed(stage)); /* nothing to wait for */
        health_gate_free(gate);
}

static void test_nothing_changes_twice(void **state)
{
        struct stage *stage = *state;
        struct health_gate *gate = open_gate(stage);
        unsigned changes;

        health_gate_set(gate, NULL, NULL);
        health_gate_set(gate, "db", "why");
        loop_until_true(is_closed, stage);
        changes = stage->fact_changes;
        stage_pass(stage, 100);
        health_gate_set(gate, "db", "another text");
        assert_int_equal(stage->fact_changes, changes);
        expect_reason(stage, "why");
        health_gate_set(gate, "web", "the next one"); /* closed all the while, for another reason */
        expect_reason(stage, "the next one");
        assert_true(is_closed(stage));
        health_gate_free(gate);
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                on_stage(test_open_at_first),
                on_stage(test_fault_is_told),
                on_stage(test_closes_after_the_record),
                on_stage(test_opens_at_once),
                on_stage(test_opens_while_being_recorded),
                on_stage(test_closes_without_a_disk),
                on_stage(test_nothing_changes_twice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
