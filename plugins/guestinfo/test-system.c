/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * All commands on the machine that the test runs on: each answers, and with the fields and types of its
 * declaration. With names of commands as arguments it prints their replies instead; with --wait N it
 * starts the plugin, runs the loop for N seconds and prints the facts and how often it woke up.
 */
#include "plugins/guestinfo/test-support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/json.h"

/* Not every kernel has these. */
static const char *const may_be_missing[] = {"guest-get-memory-blocks", "guest-get-memory-block-info"};

static bool may_fail(const char *command, const GError *error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(may_be_missing); i++)
                if (strcmp(command, may_be_missing[i]) == 0)
                        return g_error_matches(error, TN_ERROR, TN_ERROR_UNSUPPORTED);
        return false;
}

static void test_all_commands(void **state)
{
        g_autoptr(machine_t) machine = machine_running();
        size_t count = 0;

        (void) state;
        for (const struct tenon_command *command = tenon_plugin.commands; command->name;
             command++, count++) {
                assert_int_equal(command->category, TENON_CATEGORY_INFO);
                assert_int_equal(command->flags, 0);
                machine_wait_for(machine, command->name);
                if (machine->reply)
                        assert_reply_type(command->name, machine->reply);
                else if (!may_fail(command->name, machine->error))
                        fail_msg("%s: %s", command->name, machine->error->message);
        }
        assert_int_equal(count, 14);
}

static int print_reply(const char *command)
{
        g_autoptr(machine_t) machine = machine_running();
        json_t *reply = machine_run(machine, command);
        g_autofree char *text = tn_json_pretty(reply);

        json_decref(reply);
        return printf("%s\n", text) < 0;
}

static gboolean quit(gpointer data)
{
        *(bool *) data = true;
        return G_SOURCE_REMOVE;
}

static int wait_for_changes(unsigned seconds)
{
        g_autoptr(machine_t) machine = machine_running();
        unsigned wakeups = 0;
        bool over = false;

        if (!tenon_plugin.start(&machine->host, NULL))
                return 1;
        printf("%u facts set at the start\n", machine->facts_set);
        g_timeout_add_seconds(seconds, quit, &over);
        while (!over) {
                g_main_context_iteration(NULL, TRUE);
                wakeups++;
        }
        printf("%u wakeups, %u facts set in all, log: %s\n", wakeups - 1, machine->facts_set,
               machine->log->str);
        tenon_plugin.stop(&machine->host);
        return 0;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_commands),
        };
        int failed = 0;

        if (argc == 3 && strcmp(argv[1], "--wait") == 0)
                return wait_for_changes((unsigned) atoi(argv[2]));
        for (int i = 1; i < argc; i++)
                failed |= print_reply(argv[i]);
        return argc > 1 ? failed : cmocka_run_group_tests(tests, NULL, NULL);
}
