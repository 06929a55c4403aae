/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The tray program as a whole: what the agent says, shown on the session bus. */
#pragma once

#include <glib.h>

struct tn_tray_settings {
        const char *session_bus; /* address */
        const char *program;     /* our own path, for the terminal */
        const char *icon_path;
        const char *icons;  /* end of the icons' names; NULL: as the desktop is */
        const char *memory; /* file; NULL: none */
};

struct tn_tray;

/* @settings and what it points at outlive it. The loop is ended by the entry Quit, and when another tray
 * program takes our place. */
struct tn_tray *tn_tray_new(const struct tn_tray_settings *settings, GMainLoop *loop);
void tn_tray_free(struct tn_tray *tray);
