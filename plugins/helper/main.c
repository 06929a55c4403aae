/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-system-helper: does one thing for the agent that the agent's sandbox forbids, and ends; with the
 * argument open-files it opens files until the agent has had enough. Started by the agent with systemd-run;
 * see tenon-system-helper(8). Runs as root, and becomes the user before it touches a user's files.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "plugins/helper/open.h"
#include "plugins/helper/serve.h"

#define REQUEST_MAX (8 * 1024 * 1024) /* bytes */

static GString *read_request(FILE *file)
{
        GString *request = g_string_new(NULL);
        char buffer[4096];
        size_t n;

        while ((n = fread(buffer, 1, sizeof buffer, file)) > 0 && request->len <= REQUEST_MAX)
                g_string_append_len(request, buffer, (gssize) n);
        return request;
}

static int answer_request(const struct tn_env *env)
{
        g_autoptr(GString) request = read_request(stdin);
        g_autofree char *answer = tn_serve_answer(env, tn_user_find, request->str,
                                                  MIN(request->len, REQUEST_MAX));

        return fputs(answer, stdout) < 0 || fflush(stdout) != 0;
}

static int open_files(const struct tn_env *env)
{
        if (tn_open_serve(env, STDIN_FILENO))
                return 0;
        perror("tenon-system-helper: standard input");
        return 1;
}

int main(int argc, char **argv)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (argc > 2 || (argc == 2 && strcmp(argv[1], "open-files") != 0)) {
                fputs("usage: tenon-system-helper [open-files]; see tenon-system-helper(8)\n", stderr);
                return 2;
        }
        (void) umask(077);
        if (!tn_env_init_system(&env, NULL, &error)) {
                fprintf(stderr, "tenon-system-helper: %s\n", error->message);
                return 1;
        }
        status = argc == 2 ? open_files(&env) : answer_request(&env);
        tn_env_deinit(&env);
        return status;
}
