/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which modules the administrator does not want, and where that is written. */
#pragma once

#include <glib.h>

#include "lib/env.h"

/* Name of a module → where it is forbidden: "/etc/modprobe.d/x.conf" or "kernel command line". Free with
 * g_hash_table_unref(). */
GHashTable *tn_blacklist_read(const struct tn_env *env);
