/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Opens files for the agent: messages come in on a socket, answers go out with the descriptor. The
 * surprising thing: it waits as long as an open takes. It is the agent that has the patience, or not.
 */
#include "plugins/files/open.h"

#include <jansson.h>
#include <string.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd-pass.h"
#include "lib/fd.h"
#include "lib/file-open.h"
#include "lib/json.h"

#define REQUEST_MAX (64 * 1024) /* bytes; a path has at most 4 KiB */

static int open_file(const struct tn_env *env, const char *text, size_t len, GError **error)
{
        json_auto_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        const char *path = json_string_value(json_object_get(request, "path"));
        const char *mode = json_string_value(json_object_get(request, "mode"));
        bool nofollow = json_is_true(json_object_get(request, "nofollow"));

        if (path)
                return tn_file_open(env, path, mode, nofollow, error);
        tn_error_set(error, TN_ERROR_INVALID, "the request has no path");
        return -1;
}

static bool answer(const struct tn_env *env, int socket, const char *text, size_t len)
{
        g_autoptr(GError) error = NULL;
        tn_autofd int fd = open_file(env, text, len, &error);
        json_auto_t *value = NULL;
        g_autofree char *line = NULL;

        if (fd >= 0)
                value = json_pack("{s:b}", "return", 1);
        else
                value = json_pack("{s:{s:s, s:o}}", "error", "code", tn_error_name(error->code), "message",
                                  tn_json_text(error->message));
        line = tn_json_line(value);
        return tn_fd_pass_send(socket, line, strlen(line), fd);
}

bool tn_open_serve(const struct tn_env *env, int socket)
{
        char text[REQUEST_MAX];
        ssize_t n;

        for (;;) {
                tn_autofd int stray = -1; /* nobody sends us one */

                n = tn_fd_pass_receive(socket, text, sizeof text, &stray);
                if (n <= 0 || !answer(env, socket, text, (size_t) n))
                        return n == 0;
        }
}
