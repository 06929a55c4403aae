/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin built for an ABI that does not exist: must be refused before anything else of it is looked at. */
#include "tenon/plugin.h"

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI + 1,
        .name = "bad-abi",
        .summary = "Of another time",
};
