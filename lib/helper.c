/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Reads one request, looks its operation up, prints one answer. */
#include "lib/helper.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/json.h"

#define REQUEST_MAX (8 * 1024 * 1024) /* bytes */

static json_t *run(const struct tn_helper *helper, const struct tn_env *env, const json_t *request,
                   GError **error)
{
        const char *name = json_string_value(json_object_get(request, "op"));

        for (size_t i = 0; i < helper->count; i++)
                if (g_strcmp0(helper->operations[i].name, name) == 0)
                        return helper->operations[i].run(env, request, helper, error);
        tn_error_set(error, TN_ERROR_INVALID, "the request has no known operation");
        return NULL;
}

char *tn_helper_answer(const struct tn_helper *helper, const struct tn_env *env, const char *text,
                       size_t len)
{
        json_auto_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        g_autoptr(GError) error = NULL;
        json_t *value = run(helper, env, request, &error);
        json_auto_t *answer = json_object();
        g_autofree char *line = NULL;

        if (value)
                json_object_set_new(answer, "return", value);
        else
                json_object_set_new(answer, "error",
                                    json_pack("{s:s, s:o}", "code", tn_error_name(error->code), "message",
                                              tn_json_text(error->message)));
        line = tn_json_line(answer);
        return g_strconcat(line, "\n", NULL);
}

static GString *read_request(FILE *file)
{
        GString *request = g_string_new(NULL);
        char buffer[4096];
        size_t n;

        while ((n = fread(buffer, 1, sizeof buffer, file)) > 0 && request->len <= REQUEST_MAX)
                g_string_append_len(request, buffer, (gssize) n);
        return request;
}

int tn_helper_main(const struct tn_helper *helper, int argc)
{
        g_autoptr(GString) request = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *answer = NULL;
        struct tn_env env;

        if (argc > 1) {
                fprintf(stderr, "usage: %s <REQUEST; see %s(8)\n", helper->program, helper->program);
                return 2;
        }
        (void) umask(077);
        if (!tn_env_init_system(&env, NULL, &error)) {
                fprintf(stderr, "%s: %s\n", helper->program, error->message);
                return 1;
        }
        request = read_request(stdin);
        answer = tn_helper_answer(helper, &env, request->str, MIN(request->len, REQUEST_MAX));
        tn_env_deinit(&env);
        return fputs(answer, stdout) < 0 || fflush(stdout) != 0;
}
