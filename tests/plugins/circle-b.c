/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One half of a circle of 'after'. */
#include "tenon/plugin.h"

static const char *const after[] = {"circle-a", NULL};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "circle-b",
        .summary = "Waits for circle-a",
        .after = after,
};
