/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What needs attention, and what to do about it: the members "problems" and "remedies" of a fact and of
 * `health`. Two arrays of one length: a text each, and in the second one null where nobody knows a remedy.
 * A reader that knows only "problems" loses nothing else.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Sets both members of @object, empty. */
void tn_problems_init(json_t *object);
/* Adds one to both, which are made when they are not there. @remedy may be NULL. */
void tn_problems_add(json_t *object, const char *remedy, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Adds those of @from, a fact of anybody's: what is no text is left out, a remedy that is missing is null.
 */
void tn_problems_add_all(json_t *object, const json_t *from);
