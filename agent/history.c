/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Kept as text: a tenth of the memory that jansson's tree takes. */
#include "agent/history.h"

#include <string.h>

#include "lib/json.h"

struct entry {
        uint64_t usec;
        size_t len;
        char text[];
};

void tn_history_init(struct tn_history *history)
{
        g_queue_init(&history->entries);
        history->bytes = 0;
}

void tn_history_deinit(struct tn_history *history)
{
        g_queue_clear_full(&history->entries, g_free);
        history->bytes = 0;
}

static void drop_oldest(struct tn_history *history)
{
        struct entry *entry = g_queue_pop_head(&history->entries);

        history->bytes -= entry->len;
        g_free(entry);
}

void tn_history_push(struct tn_history *history, uint64_t usec, const json_t *event)
{
        g_autofree char *text = tn_json_line(event);
        size_t len = strlen(text);
        struct entry *entry;

        if (len > TN_HISTORY_BYTES)
                return;
        entry = g_malloc(sizeof *entry + len + 1);
        entry->usec = usec;
        entry->len = len;
        memcpy(entry->text, text, len + 1);
        g_queue_push_tail(&history->entries, entry);
        history->bytes += len;
        while (history->bytes > TN_HISTORY_BYTES || history->entries.length > TN_HISTORY_EVENTS)
                drop_oldest(history);
}

void tn_history_each(const struct tn_history *history, uint64_t usec, tn_history_func func, void *data)
{
        for (const GList *link = history->entries.head; link; link = link->next) {
                const struct entry *entry = link->data;
                json_auto_t *event = entry->usec >= usec ? json_loads(entry->text, 0, NULL) : NULL;

                if (event)
                        func(event, data);
        }
}
