/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin with a command whose signature is malformed: none of its commands may appear. It was started, so
 * its stop function must be called, which says so in the log. */
#include "tenon/plugin.h"

static json_t *run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_object();
}

static void stop(struct tenon_host *host)
{
        host->log(host, 5, "bad-signature was stopped");
}

static const struct tenon_command commands[] = {
        {.name = "test-fine", .args = "", .summary = "Is fine", .category = TENON_CATEGORY_INFO, .run = run},
        {.name = "test-odd",
         .args = "id:integer",
         .summary = "Is not",
         .category = TENON_CATEGORY_INFO,
         .run = run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "bad-signature",
        .summary = "Malformed",
        .stop = stop,
        .commands = commands,
};
