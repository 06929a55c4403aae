/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What is remembered over a reset and a restart: one small JSON file in the state directory. Writing may
 * block on a sick disk, so a child does it.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct tn_env;
struct watchdog_record;

/* Reads @directory/watchdog.json; one that is missing or broken is empty. */
struct watchdog_record *watchdog_record_new(const struct tn_env *env, const char *directory);
void watchdog_record_free(struct watchdog_record *record);

/* The members; borrowed, to be changed and then saved. See record.c for what they are. */
json_t *watchdog_record_get(struct watchdog_record *record);
/* The id of this boot. Borrowed. */
const char *watchdog_record_boot(const struct watchdog_record *record);
/* Whether the member @key is an object or text of this boot. */
bool watchdog_record_is_now(struct watchdog_record *record, const char *key);

typedef void (*watchdog_record_saved)(bool ok, void *data);
/* Writes it, to the disk itself. @done (may be NULL) runs on the loop, once, within a few seconds; a later
 * save takes the place of one under way. */
void watchdog_record_save(struct watchdog_record *record, watchdog_record_saved done, void *data);
/* The same, waiting for it no longer than a second: for the end of the agent. */
void watchdog_record_flush(struct watchdog_record *record);
