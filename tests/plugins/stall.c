/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* For the watchdog's tests in guests: blocks the agent's main loop, which no plugin may do, and sets the
 * fact by which the plugin health stops the feeding, in its place. */
#include <unistd.h>

#include "tenon/plugin.h"

static json_t *run_block(struct tenon_host *host, json_t *args, GError **error)
{
        sleep((unsigned) json_integer_value(json_object_get(args, "seconds")));
        return json_object();
}

static json_t *run_gate(struct tenon_host *host, json_t *args, GError **error)
{
        host->fact_set(host, "health-gate", json_incref(args));
        return json_object();
}

static const struct tenon_command commands[] = {
        {.name = "test-block",
         .args = "seconds:int",
         .summary = "Blocks the main loop",
         .category = TENON_CATEGORY_INFO,
         .run = run_block},
        {.name = "test-gate",
         .args = "feed:bool,reason:str?",
         .summary = "Says whether the guest is healthy",
         .category = TENON_CATEGORY_INFO,
         .run = run_gate},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "stall",
        .summary = "Misbehaves on request",
        .commands = commands,
};
