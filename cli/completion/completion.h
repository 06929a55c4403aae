/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of verbs as completion of a shell. Runs while Tenon is built. */
#pragma once

#include <glib.h>

#include "cli/verbs.h"

void tn_completion_bash(GString *out);
void tn_completion_zsh(GString *out);
void tn_completion_fish(GString *out);
/* The table itself, for tests: an array of objects. */
void tn_completion_json(GString *out);

/* Calls @func for each verb and each one below it; @path is "drivers plan". */
typedef void (*tn_completion_func)(GString *out, const char *path, const struct tn_verb *verb);
void tn_completion_each(GString *out, tn_completion_func func);
/* The same for each option that there is, once for each name. Of one name all must take the same. */
typedef void (*tn_completion_option_func)(GString *out, const struct tn_option *option);
void tn_completion_each_option(GString *out, tn_completion_option_func func);
/* The names of @verbs with @between them. */
void tn_completion_names(GString *out, const struct tn_verb *verbs, const char *between);
/* @text with a backslash before each of @special. */
void tn_completion_quote(GString *out, const char *text, const char *special);
