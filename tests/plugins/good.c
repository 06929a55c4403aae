/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin with nothing wrong. Its constructor leaves a mark in the environment, by which a test sees
 * whether the module was mapped at all. */
#include <stdlib.h>

#include "tenon/plugin.h"

__attribute__((constructor)) static void leave_mark(void)
{
        (void) setenv("TN_TEST_GOOD_WAS_MAPPED", "1", 1);
}

static json_t *run(struct tenon_host *host, json_t *args, GError **error)
{
        const char *word = host->config(host, "plugin good", "word");

        return json_pack("{s:s}", "word", word ? word : "none");
}

static bool start(struct tenon_host *host, GError **error)
{
        host->fact_set(host, "good", json_true());
        return true;
}

static void stop(struct tenon_host *host)
{
        host->log(host, 5, "good was stopped");
}

static const struct tenon_command commands[] = {
        {.name = "test-good",
         .args = "",
         .summary = "Tells a word",
         .category = TENON_CATEGORY_INFO,
         .run = run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "good",
        .summary = "Works",
        .start = start,
        .stop = stop,
        .commands = commands,
};
