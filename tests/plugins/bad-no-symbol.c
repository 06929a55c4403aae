/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A shared module, but no plugin. */
#include <glib.h>

int G_GNUC_UNUSED tenon_plugin_misspelt = 1;
