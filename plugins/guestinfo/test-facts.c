/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The facts on the board: set at the start, renewed when a descriptor speaks, and silence in between. */
#include "plugins/guestinfo/test-support.h"

#include <string.h>
#include <unistd.h>

#include "plugins/guestinfo/watch.h"

static gboolean give_up(gpointer data)
{
        (void) data;
        fail_msg("what was waited for did not come");
        return G_SOURCE_REMOVE;
}

static gboolean set_true(gpointer data)
{
        *(bool *) data = true;
        return G_SOURCE_REMOVE;
}

/* Runs the loop; returns how often it had something to do beside the one that ends it. (GLib wakes itself
 * up once for a new source, with nothing to do.) */
static unsigned run_loop_ms(unsigned ms)
{
        unsigned wakeups = 0;
        bool over = false;

        g_timeout_add(ms, set_true, &over);
        while (!over)
                wakeups += (unsigned) g_main_context_iteration(NULL, TRUE);
        return wakeups - 1;
}

/* Runs the loop until *counter is @value, for which there is plenty of time; returns as run_loop_ms(). */
static unsigned run_loop_until(const unsigned *counter, unsigned value)
{
        guint deadline = g_timeout_add_seconds(10, give_up, NULL);
        unsigned wakeups = 0;

        while (*counter != value)
                wakeups += (unsigned) g_main_context_iteration(NULL, TRUE);
        g_source_remove(deadline);
        return wakeups;
}

static unsigned calls, drains;

static void count_call(void *data)
{
        (void) data;
        calls++;
}

static void drain_pipe(int fd)
{
        char scrap[64];

        drains++;
        assert_true(read(fd, scrap, sizeof scrap) > 0);
}

static void test_watch_gathers(void **state)
{
        struct tn_watch *watch;
        int ends[2];

        (void) state;
        calls = drains = 0;
        assert_int_equal(pipe(ends), 0);
        watch = tn_watch_new(ends[0], G_IO_IN, drain_pipe, count_call, NULL);

        assert_int_equal(run_loop_ms(50), 0); /* silent, asleep */
        for (int i = 0; i < 10; i++)
                assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(run_loop_ms(TN_WATCH_DELAY_MS / 2),
                         1); /* the first event; the others wake nobody */
        assert_int_equal(calls, 0);
        for (int i = 0; i < 10; i++)
                assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(run_loop_until(&calls, 1), 1); /* the timer */
        assert_int_equal(drains, 1);
        assert_int_equal(run_loop_ms(TN_WATCH_DELAY_MS * 3 / 2), 0); /* silent again */

        assert_int_equal(write(ends[1], "x", 1), 1); /* and it hears again */
        assert_int_equal(run_loop_until(&calls, 2), 2);

        /* freed with the timer under way: no call any more */
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(run_loop_ms(20), 1);
        tn_watch_free(watch);
        assert_int_equal(run_loop_ms(TN_WATCH_DELAY_MS * 3 / 2), 0);
        assert_int_equal(calls, 2);
        assert_int_equal(close(ends[0]), -1); /* it was taken over */
        assert_int_equal(close(ends[1]), 0);
}

static void test_recorded_machine(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        machine_add_fixture(machine, "virtio.tree");
        machine_add(machine, "etc/os-release = ID=debian");
        assert_true(tenon_plugin.start(&machine->host, NULL));
        assert_json(json_object_get(machine->facts, "os"), "{\"id\": \"debian\"}");
        assert_int_equal(json_array_size(json_object_get(machine->facts, "filesystems")), 3);
        assert_null(json_object_get(machine->facts, "network"));
        assert_non_null(strstr(machine->log->str, "<7>a recorded machine does not change"));
        assert_non_null(strstr(machine->log->str, "<7>the fact \"network\" is not known"));
        assert_int_equal(run_loop_ms(50), 0);
        tenon_plugin.stop(&machine->host);
        assert_null(machine->host.data);
}

/* Nothing that changes by itself may be in a fact, or there would be something to poll. */
static void test_running_machine(void **state)
{
        g_autoptr(machine_t) machine = machine_running();
        json_t *facts, *network, *filesystems;

        (void) state;
        assert_true(tenon_plugin.start(&machine->host, NULL));
        facts = machine->facts;
        network = json_object_get(facts, "network");
        filesystems = json_object_get(facts, "filesystems");
        assert_reply_type("guest-get-osinfo", json_object_get(facts, "os"));
        assert_reply_type("guest-network-get-interfaces", network);
        assert_reply_type("guest-get-fsinfo", filesystems);
        for (size_t i = 0; i < json_array_size(network); i++)
                assert_null(json_object_get(json_array_get(network, i), "statistics"));
        for (size_t i = 0; i < json_array_size(filesystems); i++)
                assert_null(json_object_get(json_array_get(filesystems, i), "used-bytes"));
        tenon_plugin.stop(&machine->host);
}

static void wait_for_version(struct machine *machine, const char *version)
{
        guint deadline = g_timeout_add_seconds(10, give_up, NULL);

        for (;;) {
                json_t *os = json_object_get(machine->facts, "os");

                if (g_strcmp0(json_string_value(json_object_get(os, "version-id")), version) == 0)
                        break;
                g_main_context_iteration(NULL, TRUE);
        }
        g_source_remove(deadline);
}

/* What an upgrade does, twice: another file takes the place of os-release. */
static void test_upgrade(void **state)
{
        static const char *const versions[] = {"1", "2", "3"};
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        machine->env.recorded = false; /* so that it is watched */
        for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
                g_autofree char *text = g_strdup_printf("ID=x\nVERSION_ID=%s\n", versions[i]);

                machine_write(machine, "usr/lib/os-release", text, strlen(text));
                if (i == 0)
                        assert_true(tenon_plugin.start(&machine->host, NULL));
                wait_for_version(machine, versions[i]);
        }
        tenon_plugin.stop(&machine->host);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_watch_gathers),
                cmocka_unit_test(test_recorded_machine),
                cmocka_unit_test(test_running_machine),
                cmocka_unit_test(test_upgrade),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
