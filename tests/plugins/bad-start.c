/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin that sets a fact and then does not start: the fact must not outlive it. */
#include "tenon/plugin.h"

static bool start(struct tenon_host *host, GError **error)
{
        host->fact_set(host, "bad-start", json_true());
        g_set_error_literal(error, g_quark_from_string("test"), 1, "the flux is out of capacity");
        return false;
}

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "bad-start",
        .summary = "Does not start",
        .start = start,
};
