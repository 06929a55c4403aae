/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A program of the administrator's. Its exit status is that of monitoring plugins: 0 ok, 1 warning, 2
 * critical, all else unknown; the first line that it prints is the reason. It runs in a transient systemd
 * unit, outside of our sandbox. One that is missing, not trusted, killed or late is unknown, so it closes
 * nothing.
 */
#include <string.h>

#include "lib/env.h"
#include "lib/hooks.h"
#include "lib/outside.h"
#include "plugins/health/check.h"

#define UNIT_GRACE_MS 1000 /* systemd ends the unit so much after we have given up on it */

static char *first_line(const char *output)
{
        g_autofree char *valid = g_utf8_make_valid(output, -1);

        valid[strcspn(valid, "\r\n")] = '\0';
        return g_strdup(*valid ? valid : "it printed nothing");
}

static void on_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct health_check *check = data;
        g_autofree char *line = first_line(result->output);
        const char *path = health_check_setting(check, "path");

        (void) host;
        if (result->timed_out)
                health_check_result(check, HEALTH_UNKNOWN, "%s took longer than timeout-ms and was killed",
                                    path);
        else if (result->signal)
                health_check_result(check, HEALTH_UNKNOWN, "%s was ended by signal %d", path,
                                    result->signal);
        /* What systemd-run says when it could not start the unit at all. */
        else if (result->exit_status == HEALTH_WARNING && g_str_has_prefix(line, "Failed to "))
                health_check_result(check, HEALTH_UNKNOWN, "%s: %s", path, line);
        else if (result->exit_status < HEALTH_OK || result->exit_status > HEALTH_CRITICAL)
                health_check_result(check, HEALTH_UNKNOWN, "%s ended with status %d: %s", path,
                                    result->exit_status, line);
        else
                health_check_result(check, (enum health_severity) result->exit_status, "%s", line);
}

static char *fault(struct tenon_host *host, const char *group)
{
        const char *path = host->config(host, group, "path");
        struct tn_hook *hook = tn_hooks_find(host->env, path);
        char *text = !hook           ? g_strdup_printf("%s is missing or not executable", path)
                     : hook->refused ? g_strdup_printf("%s is not run: it %s", path, hook->refused)
                                     : NULL;

        tn_hook_free(hook);
        return text;
}

static void measure(struct health_check *check)
{
        const char *path = health_check_setting(check, "path");
        unsigned timeout_ms = (unsigned) (check->deadline_usec / 1000) - HEALTH_GRACE_MS;
        g_autofree char *wrong = fault(check->host, check->group);
        const char *argv[] = {path, NULL};
        g_auto(GStrv) full = tn_outside_argv(check->host->env, argv, timeout_ms + UNIT_GRACE_MS);
        g_autoptr(GError) error = NULL;

        if (wrong)
                health_check_result(check, HEALTH_UNKNOWN, "%s", wrong);
        else if (!check->host->run(check->host, (const char *const *) full, timeout_ms, on_done, check,
                                   &error))
                health_check_result(check, HEALTH_UNKNOWN, "%s", error->message);
}

const struct health_type health_type_script = {
        .name = "script",
        .remedy = "what it printed says why; the program is",
        .remedy_of = "path",
        .measure = measure,
        .fault = fault,
};
