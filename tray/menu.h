/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The menu, com.canonical.dbusmenu: one flat list of entries. */
#pragma once

#include "lib/bus.h"
#include "tray/view.h"

#define TN_TRAY_MENU_PATH "/MenuBar"

enum tn_tray_action {
        TN_TRAY_NOTHING, /* a line to read, or between two parts */
        TN_TRAY_OPEN_STATUS,
        TN_TRAY_CHECK_UPDATES,
        TN_TRAY_QUIT,
};

typedef void (*tn_tray_act)(enum tn_tray_action action, void *data);

struct tn_tray_menu;

/* NULL when the path is taken. @bus outlives the menu. */
struct tn_tray_menu *tn_tray_menu_new(struct tn_bus *bus, tn_tray_act act, void *data);
void tn_tray_menu_free(struct tn_tray_menu *menu);
/* Tells the host only when something is different. */
void tn_tray_menu_set(struct tn_tray_menu *menu, const struct tn_tray_view *view);
