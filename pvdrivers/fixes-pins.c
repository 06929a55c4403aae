/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What goes by the name of a card is not looked for: a pin of one that nobody names does no harm. */
#include "pvdrivers/fixes-pins.h"

#include "pvdrivers/cards.h"
#include "pvdrivers/change.h"
#include "pvdrivers/pin.h"

static void pin_card(const struct tn_env *env, const struct tn_card *card, GPtrArray *changes,
                     GPtrArray *notes)
{
        g_autoptr(GError) reason = NULL;
        g_autofree char *old = NULL;
        struct tn_change *change;
        char *path, *text;

        if (!tn_pin_make(env, card->name, card->address, &path, &text, &reason)) {
                g_ptr_array_add(notes, g_strdup(reason->message));
                return;
        }
        if (tn_env_read(env, path, &old, NULL, NULL) && g_str_equal(old, text)) {
                g_free(path);
                g_free(text);
                return;
        }
        change = tn_change_new(path, text, old ? old : "", "the network interface keeps its name", true);
        g_ptr_array_add(change->details,
                        g_strdup_printf("%s is the card with the address %s", card->name, card->address));
        g_ptr_array_add(changes, change);
}

void tn_fixes_pins(const struct tn_env *env, GPtrArray *changes, GPtrArray *notes)
{
        g_autoptr(tn_netconf_list_t) list = tn_netconf_read(env);
        g_autoptr(GPtrArray) cards = tn_cards_find(env, list);

        for (guint i = 0; i < cards->len; i++) {
                const struct tn_card *card = cards->pdata[i];

                if (card->obstacle)
                        g_ptr_array_add(notes, g_strdup(card->obstacle));
                else if (!card->pinned)
                        pin_card(env, card, changes, notes);
        }
}
