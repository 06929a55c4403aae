/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A plugin that waits for hardware: LATER until the root directory has a file named "hardware". */
#include <sys/stat.h>

#include <fcntl.h>

#include "tenon/plugin.h"

static enum tenon_probe probe(struct tenon_host *host)
{
        struct stat st;

        return fstatat(host->root_fd, "hardware", &st, 0) == 0 ? TENON_PROBE_YES : TENON_PROBE_LATER;
}

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "later",
        .summary = "Waits for its hardware",
        .probe = probe,
};
