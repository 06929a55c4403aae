/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl events: what happens, as it happens, over the control socket. Ends when the agent does. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/since.h"
#include "cli/when.h"
#include "lib/error.h"
#include "lib/json.h"

struct follow {
        gboolean json;
        gint count; /* events still wanted; 0: all */
};

static void append_text(GString *out, const char *key, const char *text)
{
        g_string_append_printf(out, "%s%s=%s", out->len ? " " : "", key, text);
}

/* Members that are no objects: "state=degraded problems=2". */
static char *summarize(const json_t *data)
{
        GString *out = g_string_new(NULL);
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) data, key, value)
        {
                g_autofree char *text = NULL;

                if (json_is_string(value))
                        text = g_strdup(json_string_value(value));
                else if (json_is_array(value))
                        text = g_strdup_printf("%zu", json_array_size(value));
                else if (!json_is_object(value))
                        text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
                if (text)
                        append_text(out, key, text);
        }
        return g_string_free(out, FALSE);
}

static void print_problems(const json_t *data)
{
        json_t *problem;
        size_t i;

        json_array_foreach(json_object_get(data, "problems"), i, problem)
        {
                g_autofree char *text = tn_screen_escape(json_is_string(problem) ? json_string_value(problem)
                                                                                 : "");

                printf("    %s\n", text);
        }
}

static void print_event(const json_t *event)
{
        const json_t *data = json_object_get(event, "data"), *stamp = json_object_get(event, "timestamp");
        const char *bold = tn_screen_get()->color ? "\033[1m" : "";
        g_autofree char *when = tn_when_text((time_t) json_integer_value(json_object_get(stamp, "seconds")));
        g_autofree char *name = tn_screen_escape(tn_cli_text(event, "event"));
        g_autofree char *summary = summarize(data);
        g_autofree char *clean = tn_screen_escape(summary);
        json_int_t dropped = json_integer_value(json_object_get(event, "dropped"));

        if (dropped)
                printf("%" JSON_INTEGER_FORMAT " events were lost: they came faster than they were read\n",
                       dropped);
        printf("%s %s%-24s%s %s\n", when, bold, name, *bold ? "\033[0m" : "", clean);
        print_problems(data);
}

static bool on_event(json_t *event, void *data)
{
        struct follow *follow = data;

        if (!json_object_get(event, "event"))
                return true;
        if (follow->json) {
                g_autofree char *line = tn_json_line(event);

                puts(line);
        } else {
                print_event(event);
        }
        if (fflush(stdout) != 0)
                return false;
        return follow->count == 0 || --follow->count > 0;
}

static json_t *make_request(const char *since, GError **error)
{
        int64_t seconds;

        if (!since)
                return json_pack("{s:s}", "execute", "tenon-watch-events");
        if (!tn_since_parse(since, g_get_real_time() / G_USEC_PER_SEC, &seconds, error))
                return NULL;
        return json_pack("{s:s, s:{s:I}}", "execute", "tenon-watch-events", "arguments", "since",
                         (json_int_t) seconds);
}

int tn_cli_events(int argc, char **argv)
{
        struct follow follow = {0};
        g_autofree char *since = NULL;
        const struct tn_cli_value values[] = {
                {"json", &follow.json}, {"since", &since}, {"count", &follow.count}, {NULL}};
        g_autoptr(GError) error = NULL;
        json_auto_t *request = NULL;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (follow.count < 0) {
                fprintf(stderr, "tenonctl events: --count is 1 or more\n");
                return TN_EXIT_USAGE;
        }
        request = make_request(since, &error);
        if (!request || !tn_client_follow(tn_cli_socket(), request, on_event, &follow, &error))
                return tn_cli_fail(error);
        return TN_EXIT_OK;
}
