/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Device events of the buses that a guest agent cares for, by libudev. Nothing is polled. */
#pragma once

#include <stdbool.h>

#include "lib/env.h"

struct tn_hotplug;

/* A device of @subsystem came or changed (@added), or went. */
typedef void (*tn_hotplug_func)(const char *subsystem, const char *sysname, bool added, void *data);

/* NULL where there are no device events (a container, a recorded machine): the caller goes on without. */
struct tn_hotplug *tn_hotplug_new(const struct tn_env *env, tn_hotplug_func func, void *data);
void tn_hotplug_free(struct tn_hotplug *hotplug);
