/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Adds the health of drives to an answer of guest-get-disks that is otherwise finished. */
#pragma once

#include <jansson.h>

#include "lib/env.h"
#include "tenon/plugin.h"

struct tn_worker;
struct tn_smart; /* which entries want it, and of which drive */

struct tn_smart *tn_smart_new(void);
void tn_smart_free(struct tn_smart *smart);
/* @entry is of the whole disk at @syspath. Nothing happens unless that is an NVMe drive. */
void tn_smart_want(struct tn_smart *smart, const struct tn_env *env, const char *syspath, json_t *entry);

/* Answers @call with @reply, at once or when the drives have answered; drives that do not, and all of them
 * without @worker, are told without. Takes @smart and @reply. */
void tn_smart_reply(struct tn_smart *smart, struct tn_worker *worker, struct tenon_host *host,
                    struct tenon_call *call, json_t *reply);
