/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Files of KEY=VALUE lines with shell quoting: os-release(5), and logind's records in /run/systemd. */
#pragma once

#include <glib.h>

/* Name (char *) → value (char *), the last assignment of a name wins. Lines that are no assignment are
 * passed over. Never NULL; free with g_hash_table_unref(). */
GHashTable *tn_envfile_parse(const char *text);
