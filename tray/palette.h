/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which of the icons' palettes fits the desktop, as xdg-desktop-portal tells it, if it runs. */
#pragma once

#include "lib/bus.h"

struct tn_tray_palette;

/* @changed gets the end of the icons' names: "-on-dark", "-on-light", or "" when nobody tells. Static. To be
 * freed together with @bus, not before. */
struct tn_tray_palette *tn_tray_palette_new(struct tn_bus *bus,
                                            void (*changed)(const char *palette, void *data), void *data);
void tn_tray_palette_free(struct tn_tray_palette *palette);
