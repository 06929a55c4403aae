/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Hooks one after the other. A hook is marked as begun before it starts, so that it gets its "thaw" even
 * if it fails, times out, or the agent dies while it runs: it may have stopped a database half way.
 */
#include "plugins/freeze/sequence.h"

#include "plugins/freeze/hooks.h"

static char *describe(const struct tenon_child_result *result)
{
        if (result->timed_out)
                return g_strdup("timed out");
        if (result->signal)
                return g_strdup_printf("signal %d", result->signal);
        return result->exit_status == 0 ? g_strdup("ok")
                                        : g_strdup_printf("exit status %d", result->exit_status);
}

static void end(struct freeze_sequence *sequence, const char *failure)
{
        sequence->done(failure, sequence->data);
}

static void on_freeze_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct freeze_sequence *sequence = data;
        struct freeze_hook *hook = g_ptr_array_index(sequence->hooks, sequence->index++);
        g_autofree char *failure = NULL;

        (void) host;
        hook->freeze_result = describe(result);
        if (result->exit_status == 0) {
                freeze_sequence_freeze(sequence);
                return;
        }
        failure = g_strdup_printf("freeze hook %s: %s%s%.200s", hook->path, hook->freeze_result,
                                  *result->output ? ": " : "", result->output);
        end(sequence, g_strchomp(failure));
}

void freeze_sequence_freeze(struct freeze_sequence *sequence)
{
        g_autoptr(GError) error = NULL;
        g_autofree char *failure = NULL;
        struct freeze_hook *hook;

        if (sequence->cancelled || sequence->index == sequence->hooks->len) {
                end(sequence, sequence->cancelled ? "thawed before anything was frozen" : NULL);
                return;
        }
        hook = g_ptr_array_index(sequence->hooks, sequence->index);
        if (hook->refused) {
                failure = g_strdup_printf("freeze hook %s cannot be trusted: it %s", hook->path,
                                          hook->refused);
                end(sequence, failure);
                return;
        }
        sequence->board->hook_begun[sequence->index] = true;
        if (sequence->host->run(sequence->host, (const char *const *) hook->freeze_argv, hook->deadline_ms,
                                on_freeze_done, sequence, &error))
                return;
        sequence->board->hook_begun[sequence->index] = false;
        failure = g_strdup_printf("freeze hook %s: %s", hook->path, error->message);
        end(sequence, failure);
}

void freeze_sequence_cancel(struct freeze_sequence *sequence)
{
        sequence->cancelled = true;
}

static void on_thaw_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct freeze_sequence *sequence = data;
        struct freeze_hook *hook = g_ptr_array_index(sequence->hooks, sequence->index);

        hook->thaw_result = describe(result);
        if (result->exit_status != 0)
                host->log(host, 4, "thaw hook %s: %s; everything is thawed all the same: %.200s", hook->path,
                          hook->thaw_result, result->output);
        freeze_sequence_thaw(sequence);
}

void freeze_sequence_thaw(struct freeze_sequence *sequence)
{
        for (int i; (i = freeze_hooks_next_thaw(sequence->board)) >= 0;) {
                struct freeze_hook *hook = g_ptr_array_index(sequence->hooks, (guint) i);
                g_autoptr(GError) error = NULL;

                sequence->index = (guint) i;
                if (sequence->host->run(sequence->host, (const char *const *) hook->thaw_argv,
                                        hook->deadline_ms, on_thaw_done, sequence, &error))
                        return;
                hook->thaw_result = g_strdup(error->message);
                sequence->host->log(sequence->host, 4, "thaw hook %s was not run: %s", hook->path,
                                    error->message);
        }
        end(sequence, NULL);
}
