/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A question is a constant of its verb; what goes wrong is told in one way for all of them. */
#include "cli/ask.h"

#include "cli/cli.h"
#include "cli/client.h"

int tn_ask(const struct tn_question *question)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *reply = tn_client_ask(tn_cli_socket(), question->command, &error);
        const json_t *value = question->member ? json_object_get(reply, question->member) : reply;

        if (!reply)
                return tn_alone(error, question->alone);
        if (tn_cli_wants_json())
                tn_cli_print_json(value);
        else
                question->print(value);
        return !question->is_well || question->is_well(value) ? TN_EXIT_OK : TN_EXIT_NO;
}

int tn_ask_verb(int argc, char **argv, const struct tn_question *question)
{
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {NULL}};

        return tn_cli_options(&argc, &argv, values) ? tn_ask(question) : TN_EXIT_USAGE;
}
