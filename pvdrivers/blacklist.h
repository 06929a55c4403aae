/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which modules the administrator does not want, and where that is written. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

struct tn_blacklist_entry {
        char *where;   /* "/etc/modprobe.d/x.conf" or "kernel command line" */
        bool absolute; /* also when asked for by name: an `install` line, module_blacklist= */
};

/* Name of a module → struct tn_blacklist_entry. Free with g_hash_table_unref(). */
GHashTable *tn_blacklist_read(const struct tn_env *env);
