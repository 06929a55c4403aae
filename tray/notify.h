/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Desktop notifications, org.freedesktop.Notifications: each thing once. */
#pragma once

#include "lib/bus.h"
#include "tray/memory.h"
#include "tray/view.h"

struct tn_tray_notifier;

/* @opened: the user clicked on a notification. @memory outlives it; to be freed together with @bus, not
 * before. */
struct tn_tray_notifier *tn_tray_notifier_new(struct tn_bus *bus, struct tn_tray_memory *memory,
                                              void (*opened)(void *data), void *data);
void tn_tray_notifier_free(struct tn_tray_notifier *notifier);
/* Tells what @view has and was not told before. What nobody shows is told when there is somebody to show it.
 */
void tn_tray_notifier_update(struct tn_tray_notifier *notifier, const struct tn_tray_view *view);
/* Tells this, now. */
void tn_tray_notifier_say(struct tn_tray_notifier *notifier, const char *title, const char *text);
