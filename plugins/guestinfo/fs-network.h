/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Sizes of file systems that may hang, added to an answer of guest-get-fsinfo that is otherwise finished. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "tenon/plugin.h"

struct tn_worker;

/* Answers @call with @reply, which has one entry for each of @selected, when the sizes are there or the
 * deadline has passed; at once when an earlier question still hangs. Takes @reply. @mounts owns the elements
 * of @selected; both are kept as long as needed. */
void tn_fs_network_reply(struct tn_worker *worker, struct tenon_host *host, struct tenon_call *call,
                         GPtrArray *mounts, GPtrArray *selected, unsigned deadline_ms, json_t *reply);
