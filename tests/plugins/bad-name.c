/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin whose name could not stand in a configuration. */
#include "tenon/plugin.h"

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "Bad Name",
        .summary = "Cannot be called",
};
