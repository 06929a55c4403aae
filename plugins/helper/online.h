/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * CPUs and memory blocks on- and offline, and sleep, through sysfs. A write may take the kernel seconds
 * (migrating pages, sleeping): only for a process that nobody's heartbeat hangs on.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

struct tn_env;

/* @request {"vcpus": [{"logical-id", "online"}]}. {"processed": number, "stopped-by": text?}, a new
 * reference; an error only when the first one failed. */
json_t *tn_online_set_vcpus(const struct tn_env *env, const json_t *request, GError **error);

/* @request {"mem-blks": [{"phys-index", "online"}]}. An array of GuestMemoryBlockResponse, a new reference.
 */
json_t *tn_online_set_memory_blocks(const struct tn_env *env, const json_t *request, GError **error);

/* @request {"mode": "mem" | "disk" | "hybrid"}. Returns after the guest has woken up. */
json_t *tn_online_sleep(const struct tn_env *env, const json_t *request, GError **error);
