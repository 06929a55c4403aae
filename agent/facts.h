/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The board of facts: what the guest knows of itself, as JSON values under short names ("os", "network",
 * "shutdown"). A name belongs to whoever set it first; publishers subscribe to changes.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct tn_facts;

/* @value is NULL when the fact was removed. Borrowed. */
typedef void (*tn_facts_func)(const char *name, const json_t *value, void *data);

struct tn_facts *tn_facts_new(void);
void tn_facts_free(struct tn_facts *facts);

/* Takes ownership of @value, also on failure; NULL removes. A value equal to the present one is no change
 * and wakes nobody. Fails (TN_ERROR_DENIED) when @name is another owner's. */
bool tn_facts_set(struct tn_facts *facts, const char *owner, const char *name, json_t *value,
                  GError **error);
/* Borrowed, or NULL. */
json_t *tn_facts_get(const struct tn_facts *facts, const char *name);
/* Removes all facts of @owner: it was stopped. */
void tn_facts_drop_owner(struct tn_facts *facts, const char *owner);
/* One object with all facts, names sorted. New reference. */
json_t *tn_facts_to_json(const struct tn_facts *facts);

void tn_facts_subscribe(struct tn_facts *facts, tn_facts_func func, void *data);
/* Not from within @func. */
void tn_facts_unsubscribe(struct tn_facts *facts, tn_facts_func func, void *data);
