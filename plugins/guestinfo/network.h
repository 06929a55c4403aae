/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is remembered of the network between two questions. */
#pragma once

#include "lib/env.h"

struct tn_network;

/* Remembers nothing yet. NULL where the kernel would not tell of changes (a recorded machine, no netlink):
 * then every answer is made anew. */
struct tn_network *tn_network_new(const struct tn_env *env);
/* NULL is fine. */
void tn_network_free(struct tn_network *network);
