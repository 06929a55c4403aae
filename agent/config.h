/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Configuration: FILE, then FILE.d/(any).conf in the order of their names, each setting checked against the
 * table. The later one wins. A mistake never stops the agent: it is reported with file, group, key and the
 * remedy, the setting keeps its default, and a mistake in [policy] makes the policy `locked`.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/config-table.h"
#include "lib/env.h"

struct tn_config;

/* Reads @path (absolute) and its drop-in folder through @env. A missing file is an empty one unless
 * @required, then NULL with @error. Mistakes inside are kept: tn_config_mistakes(). */
struct tn_config *tn_config_new(const struct tn_env *env, const char *path, bool required, GError **error);
void tn_config_free(struct tn_config *config);
typedef struct tn_config tn_config_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_config_t, tn_config_free)

/* One finished sentence for each mistake, borrowed, NULL-ended. */
const char *const *tn_config_mistakes(const struct tn_config *config);

/* Sets one value as an option of the command line does; stronger than any file. */
bool tn_config_override(struct tn_config *config, const char *group, const char *key, const char *value,
                        GError **error);

/* A default that depends on the machine: only where no file and no option has set the key. @origin, for
 * tn_config_origin(), is copied. */
void tn_config_default(struct tn_config *config, const char *group, const char *key, const char *value,
                       const char *origin);

/* Takes over from @from what no file had set: the command line's words, and defaults of the machine. */
void tn_config_carry_over(struct tn_config *config, const struct tn_config *from);

/* The value as text; the default where nothing is set. NULL only for an unknown key. Borrowed. */
const char *tn_config_get(const struct tn_config *config, const char *group, const char *key);
/* As text, but "" becomes NULL. */
const char *tn_config_get_nonempty(const struct tn_config *config, const char *group, const char *key);
int64_t tn_config_get_int(const struct tn_config *config, const char *group, const char *key);
bool tn_config_get_bool(const struct tn_config *config, const char *group, const char *key);
/* Free with g_strfreev(). */
char **tn_config_get_list(const struct tn_config *config, const char *group, const char *key);

/* The names of the groups [KIND NAME] that are without a mistake, sorted. Free with g_strfreev(). */
char **tn_config_names(const struct tn_config *config, const char *kind);

/* Calls @func for each setting that there is: each row of the table, and for each group with a name and
 * without a mistake the rows of its type. @group is borrowed. */
typedef void (*tn_config_func)(const struct tn_config *config, const char *group,
                               const struct tn_config_key *row, void *data);
void tn_config_foreach(const struct tn_config *config, tn_config_func func, void *data);

/* The file that set this value, "command line", or NULL for a default. Borrowed. */
const char *tn_config_origin(const struct tn_config *config, const char *group, const char *key);
