/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The report. Durations are in microseconds; what did not happen is left out. */
#include "plugins/freeze/report.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "plugins/freeze/hooks.h"

static const char *const phase_names[] = {
        [FREEZE_PHASE_WAIT] = "hooks",     [FREEZE_PHASE_OPEN] = "opening",
        [FREEZE_PHASE_FLUSH] = "flushing", [FREEZE_PHASE_FREEZE] = "freezing",
        [FREEZE_PHASE_FROZEN] = "frozen",  [FREEZE_PHASE_THAW] = "thawing",
        [FREEZE_PHASE_THAWED] = "thawed",
};

static const char *const state_names[_FREEZE_STATE_MAX] = {
        [FREEZE_STATE_PENDING] = "not frozen", [FREEZE_STATE_FREEZING] = "freezing",
        [FREEZE_STATE_FROZEN] = "frozen",      [FREEZE_STATE_THAWING] = "thawing",
        [FREEZE_STATE_THAWED] = "thawed",      [FREEZE_STATE_SKIPPED] = "skipped",
        [FREEZE_STATE_FAILED] = "failed",
};

static const char *const why_names[_FREEZE_WHY_MAX] = {
        [FREEZE_WHY_REQUEST] = "request", [FREEZE_WHY_DEADLINE] = "deadline", [FREEZE_WHY_FAILED] = "failed",
        [FREEZE_WHY_SIGNAL] = "signal",   [FREEZE_WHY_ORPHAN] = "orphan",     [FREEZE_WHY_RESCUE] = "rescue",
};

static const struct {
        int error;
        const char *text;
} skip_reasons[] = {
        {EOPNOTSUPP, "the kernel cannot freeze this type; its data were written out"},
        {EBUSY, "somebody else has frozen it"},
        {ENODEV, "is not mounted any more"},
};

const char *freeze_report_why(enum freeze_why why)
{
        return why_names[why];
}

static const char *item_reason(const struct freeze_item *item)
{
        for (size_t i = 0; item->state == FREEZE_STATE_SKIPPED && i < G_N_ELEMENTS(skip_reasons); i++)
                if (skip_reasons[i].error == item->error)
                        return skip_reasons[i].text;
        if (item->error == ESTALE)
                return "no path of the agent's leads to it";
        return item->error ? g_strerror(item->error) : NULL;
}

static void set_usec(json_t *row, const char *key, uint64_t from, uint64_t to)
{
        if (from && to >= from)
                json_object_set_new(row, key, json_integer((json_int_t) (to - from)));
}

static json_t *item_to_json(const struct freeze_board *board, unsigned index)
{
        const struct freeze_item *item = &board->items[index];
        json_t *row = json_object();

        json_object_set_new(row, "mountpoint", tn_json_text(freeze_board_name(board, index)));
        json_object_set_new(row, "order", json_integer(index + 1));
        json_object_set_new(row, "state", json_string(state_names[item->state]));
        tn_json_set_text(row, "reason", item_reason(item));
        if (item->flush_error)
                json_object_set_new(row, "flush-error", json_string(g_strerror(item->flush_error)));
        if (item->thaw_error)
                json_object_set_new(row, "thaw-error", json_string(g_strerror(item->thaw_error)));
        set_usec(row, "flush-usec", 1, 1 + item->flush_usec);
        if (item->state == FREEZE_STATE_PENDING || item->state == FREEZE_STATE_FREEZING)
                return row;
        set_usec(row, "freeze-usec", 1, 1 + item->freeze_usec);
        if (item->state == FREEZE_STATE_THAWED)
                set_usec(row, "frozen-usec", item->frozen_at, item->thawed_at);
        return row;
}

static json_t *skipped_to_json(const struct freeze_plan *plan)
{
        json_t *rows = json_array();

        for (guint i = 0; plan && i < plan->all->len; i++) {
                const struct freeze_fs *fs = g_ptr_array_index(plan->all, i);
                json_t *row;

                if (!fs->why_not)
                        continue;
                row = json_object();
                json_object_set_new(row, "mountpoint", tn_json_text(freeze_fs_name(fs)));
                json_object_set_new(row, "type", tn_json_text(fs->type));
                json_object_set_new(row, "reason", json_string(fs->why_not));
                json_array_append_new(rows, row);
        }
        return rows;
}

json_t *freeze_report_new(const struct freeze_board *board, const struct freeze_plan *plan,
                          const GPtrArray *hooks, const char *error)
{
        json_t *report = json_object(), *items = json_array();

        json_object_set_new(report, "state", json_string(phase_names[board->phase]));
        tn_json_set_text(report, "thawed-by", freeze_report_why((enum freeze_why) board->why));
        tn_json_set_text(report, "error", error);
        json_object_set_new(report, "timeout-ms", json_integer((json_int_t) board->timeout_usec / 1000));
        json_object_set_new(report, "memory-locked", json_boolean(board->lock_error == 0));
        json_object_set_new(report, "thawed", json_integer(freeze_board_thawed(board)));
        set_usec(report, "hooks-usec", board->began_at, board->flush_at);
        set_usec(report, "flush-usec", board->flush_at, board->freeze_at);
        if (board->phase == FREEZE_PHASE_THAWED)
                set_usec(report, "frozen-usec", board->freeze_at, board->thawed_at);
        for (unsigned i = 0; i < board->n_items; i++)
                json_array_append_new(items, item_to_json(board, i));
        json_object_set_new(report, "file-systems", items);
        json_object_set_new(report, "skipped", skipped_to_json(plan));
        json_object_set_new(report, "hooks", freeze_hooks_to_json(hooks));
        return report;
}

char *freeze_report_failure(const struct freeze_board *board)
{
        int failed = freeze_board_find(board, FREEZE_STATE_FAILED);

        if (failed >= 0)
                return g_strdup_printf("failed to freeze %s: %s",
                                       freeze_board_name(board, (unsigned) failed),
                                       item_reason(&board->items[failed]));
        switch ((enum freeze_why) board->why) {
        case FREEZE_WHY_DEADLINE:
                return g_strdup_printf("freezing did not end within %u ms; everything was thawed",
                                       (unsigned) (board->timeout_usec / 1000));
        case FREEZE_WHY_REQUEST:
                return g_strdup("thawed before everything was frozen");
        default:
                return g_strdup("the freezer was ended from outside; everything was thawed");
        }
}

char *freeze_report_hanging(const struct freeze_board *board)
{
        g_autoptr(GString) names = g_string_new(NULL);

        for (unsigned i = 0; i < board->n_items; i++) {
                int state = board->items[i].state;

                if (state == FREEZE_STATE_FREEZING || state == FREEZE_STATE_THAWING ||
                    state == FREEZE_STATE_FROZEN)
                        g_string_append_printf(names, "%s%s (%s)", names->len ? ", " : "",
                                               freeze_board_name(board, i), state_names[state]);
        }
        if (names->len == 0)
                return NULL;
        return g_strdup_printf("the kernel has not given back %s; the rest is thawed, and so will be this "
                               "as soon as it can",
                               names->str);
}
