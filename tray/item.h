/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The icon in the tray, org.kde.StatusNotifierItem. It waits for a tray as long as there is none. */
#pragma once

#include "lib/bus.h"
#include "tray/view.h"

struct tn_tray_item;

/* @icon_path: where hosts look for our icons first. @activate is a click. NULL when the path is taken. @bus
 * outlives the item. */
struct tn_tray_item *tn_tray_item_new(struct tn_bus *bus, const char *icon_path,
                                      void (*activate)(void *data), void *data);
void tn_tray_item_free(struct tn_tray_item *item);
/* Tells the tray only what is different. @palette is the end of the icons' names: "", "-on-dark". Static. */
void tn_tray_item_set(struct tn_tray_item *item, const struct tn_tray_view *view, const char *palette);
