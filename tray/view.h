/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the tray shows, as a function of what the agent's service says: JSON in, texts out. No bus, no clock,
 * no files.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

enum tn_tray_state {
        TN_TRAY_STOPPED, /* the agent does not run */
        TN_TRAY_WELL,
        TN_TRAY_ATTENTION,
};

/* Something that needs attention. @id stays the same as long as it is the same thing. */
struct tn_tray_thing {
        char *id, *title, *text;
        bool urgent;
        bool lasting; /* needs attention until it is gone; the others until they were seen */
};

struct tn_tray_view {
        enum tn_tray_state state;
        char *headline;     /* "Tenon: all is well" */
        char *tooltip;      /* a few lines, plain text */
        GPtrArray *things;  /* struct tn_tray_thing, most important first */
        GPtrArray *summary; /* char *: "Machine: …" */
};

/* How much of what the agent says is shown. */
#define TN_TRAY_THINGS_MAX 12
#define TN_TRAY_TEXT_MAX   160 /* characters of a line */

/* @facts maps the interfaces of org.tenon.Agent1 to their properties; its member "shutdown" is the fact of
 * that name and when it came ("at"), if one did. NULL: the agent does not run. @seen is the set of ids that
 * the user has looked at; NULL: none. */
struct tn_tray_view *tn_tray_view_new(const json_t *facts, GHashTable *seen);
void tn_tray_view_free(struct tn_tray_view *view);
