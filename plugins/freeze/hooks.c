/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Hooks. A hook whose "freeze" was started is owed a "thaw", whatever it answered and whoever is left to
 * run it: the board remembers, the agent runs it, and if the agent is gone, the keeper does.
 */
#include "plugins/freeze/hooks.h"

#include "lib/hooks.h"
#include "lib/json.h"
#include "plugins/freeze/process.h"

static void hook_free(void *data)
{
        struct freeze_hook *hook = data;

        g_free(hook->path);
        g_free(hook->refused);
        g_strfreev(hook->freeze_argv);
        g_strfreev(hook->thaw_argv);
        g_free(hook->freeze_result);
        g_free(hook->thaw_result);
        g_free(hook);
}

static void add(GPtrArray *hooks, const struct tn_env *env, const struct tn_hook *found, unsigned limit_ms)
{
        struct freeze_hook *hook;

        if (hooks->len == FREEZE_HOOKS_MAX) { /* told by failing, rather than left out silently */
                hook = g_ptr_array_index(hooks, FREEZE_HOOKS_MAX - 1);
                g_free(hook->refused);
                hook->refused = g_strdup_printf("is followed by more than the %d that there may be",
                                                FREEZE_HOOKS_MAX);
                return;
        }
        hook = g_new0(struct freeze_hook, 1);
        hook->path = g_strdup(found->path);
        hook->refused = g_strdup(found->refused);
        hook->freeze_argv = tn_hooks_argv(env, found->path, "freeze", limit_ms, &hook->deadline_ms);
        hook->thaw_argv = tn_hooks_argv(env, found->path, "thaw", limit_ms, &hook->deadline_ms);
        g_ptr_array_add(hooks, hook);
}

GPtrArray *freeze_hooks_new(const struct tn_env *env, const char *qga_hook, const char *directory,
                            unsigned limit_ms)
{
        GPtrArray *hooks = g_ptr_array_new_with_free_func(hook_free);
        struct tn_hook *first = qga_hook ? tn_hooks_find(env, qga_hook) : NULL;
        g_autoptr(GPtrArray) listed = directory ? tn_hooks_list(env, directory) : NULL;

        if (first)
                add(hooks, env, first, limit_ms);
        tn_hook_free(first);
        for (guint i = 0; listed && i < listed->len; i++)
                add(hooks, env, g_ptr_array_index(listed, i), limit_ms);
        return hooks;
}

json_t *freeze_hooks_to_json(const GPtrArray *hooks)
{
        json_t *rows = json_array();

        for (guint i = 0; hooks && i < hooks->len; i++) {
                const struct freeze_hook *hook = g_ptr_array_index(hooks, i);
                json_t *row = json_object();

                tn_json_set_text(row, "hook", hook->path);
                tn_json_set_text(row, "refused", hook->refused);
                tn_json_set_text(row, "freeze", hook->freeze_result);
                tn_json_set_text(row, "thaw", hook->thaw_result);
                json_array_append_new(rows, row);
        }
        return rows;
}

int freeze_hooks_next_thaw(struct freeze_board *board)
{
        for (unsigned i = board->n_hooks; i-- > 0;)
                if (board->hook_begun[i] && !atomic_exchange(&board->hook_thawed[i], true))
                        return (int) i;
        return -1;
}

void freeze_hooks_run_orphaned(const GPtrArray *hooks, struct freeze_board *board)
{
        for (int i; (i = freeze_hooks_next_thaw(board)) >= 0;) {
                const struct freeze_hook *hook = g_ptr_array_index(hooks, (guint) i);

                freeze_process_run(hook->thaw_argv, hook->deadline_ms);
        }
}
