/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What only the caller of tenonctl can find out about devices: who has a port open. */
#pragma once

#include "lib/env.h"

/* "qemu-ga (pid 312)" for a process other than the agent that has the node at @path open; NULL when nobody
 * has, or when it is not for us to see (only root may look at others' descriptors). Free with g_free(). */
char *tn_device_owner(const struct tn_env *env, const char *path);
