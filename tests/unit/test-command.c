/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of commands: all of a plugin's commands or none, each name once. */
#include "support.h"

#include "agent/command.h"

static json_t *run(struct tenon_host *host, json_t *args, GError **error)
{
        return NULL;
}

static void start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
}

static void append_name(const struct tn_command *command, void *data)
{
        g_string_append_printf(data, "%s/%s ", command->desc->name, command->owner);
}

static void assert_listing(const struct tn_commands *commands, const char *wanted)
{
        g_autoptr(GString) names = g_string_new(NULL);

        tn_commands_foreach(commands, append_name, names);
        assert_string_equal(names->str, wanted);
}

static const struct tenon_command ab[] = {{.name = "b", .args = "", .run = run},
                                          {.name = "a", .args = "x:int", .start = start},
                                          {.name = NULL}};
static const struct tenon_command c[] = {{.name = "c", .args = "", .run = run}, {.name = NULL}};

static void test_add_find_remove(void **state)
{
        struct tn_commands *commands = tn_commands_new();
        struct tenon_host host = {0};
        g_autoptr(GError) error = NULL;

        (void) state;
        assert_true(tn_commands_add(commands, "p", &host, ab, &error));
        assert_true(tn_commands_add(commands, "q", &host, c, &error));
        assert_true(tn_commands_add(commands, "none", &host, NULL, &error));
        assert_listing(commands, "a/p b/p c/q ");
        assert_ptr_equal(tn_commands_find(commands, "b")->desc, &ab[0]);
        assert_ptr_equal(tn_commands_find(commands, "b")->host, &host);
        assert_null(tn_commands_find(commands, "B"));
        assert_null(tn_commands_find(commands, ""));
        tn_commands_remove(commands, "p");
        assert_listing(commands, "c/q ");
        tn_commands_remove(commands, "p");
        assert_true(tn_commands_add(commands, "p", &host, ab, &error));
        tn_commands_free(commands);
        tn_commands_free(NULL);
}

static void test_refused_tables(void **state)
{
        static const struct {
                struct tenon_command table[3];
                int code;
                const char *error;
        } rows[] = {
                {{{.name = "x", .args = "", .run = run}, {.name = "c", .args = "", .run = run}},
                 TN_ERROR_BUSY,
                 "command c is already provided by q"},
                {{{.name = "x", .args = "", .run = run}, {.name = "x", .args = "", .run = run}},
                 TN_ERROR_BUSY,
                 "command x is already provided by p"},
                {{{.name = "x", .args = "id:integer", .run = run}},
                 TN_ERROR_INVALID,
                 "command x: the signature \"id:integer\" is malformed"},
                {{{.name = "x", .run = run}},
                 TN_ERROR_INVALID,
                 "command x: the signature \"\" is malformed"},
                {{{.name = "x", .args = ""}}, TN_ERROR_INVALID, "command x needs either run or start"},
                {{{.name = "x", .args = "", .run = run, .start = start}},
                 TN_ERROR_INVALID,
                 "command x needs either run or start"},
                {{{.name = "x", .args = "", .run = run, .category = _TENON_CATEGORY_MAX}},
                 TN_ERROR_INVALID,
                 "command x: category 10 is unknown"},
        };
        struct tenon_host host = {0};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                struct tn_commands *commands = tn_commands_new();
                GError *error = NULL;

                assert_true(tn_commands_add(commands, "q", &host, c, NULL));
                assert_false(tn_commands_add(commands, "p", &host, rows[i].table, &error));
                assert_error(error, rows[i].code, rows[i].error);
                assert_listing(commands, "c/q "); /* nothing of it stays */
                tn_commands_free(commands);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_add_find_remove),
                cmocka_unit_test(test_refused_tables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
