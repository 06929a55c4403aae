/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A file that is either the old one or the new one, whatever happens in between. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/env.h"

/* Writes @text to a new file beside @path (relative to the root; its folder must exist), flushes it, renames
 * it over @path and flushes the folder. On failure the old file is untouched and the new one is gone. */
bool tn_replace_file(const struct tn_env *env, const char *path, const char *text, mode_t mode,
                     GError **error);
