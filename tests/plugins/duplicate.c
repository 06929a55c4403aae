/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin that wants a command that 'good' has already. */
#include "tenon/plugin.h"

static const char *const after[] = {"good", NULL};

static json_t *run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_object();
}

static const struct tenon_command commands[] = {
        {.name = "test-unique",
         .args = "",
         .summary = "Is its own",
         .category = TENON_CATEGORY_INFO,
         .run = run},
        {.name = "test-good", .args = "", .summary = "Is not", .category = TENON_CATEGORY_INFO, .run = run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "duplicate",
        .summary = "Takes what is taken",
        .after = after,
        .commands = commands,
};
