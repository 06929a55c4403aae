/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One small JSON object in a file of its own, for state that programs hand to each other. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"

/* @name in the folder @folder; a '/' at its head means the root of the env. NULL when there is none, or what
 * is there is no object. New reference. */
json_t *tn_json_file_read(const struct tn_env *env, const char *folder, const char *name);
/* Replaces it as a whole, for everybody to read. Makes the folder, but not those above it. */
bool tn_json_file_write(const struct tn_env *env, const char *folder, const char *name, const json_t *value,
                        GError **error);
