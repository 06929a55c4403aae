/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A change to a file, as it is planned: nothing has been written yet. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct tn_change {
        char *path;         /* relative to the root */
        char *text;         /* all of the new contents; NULL: those of @source */
        char *source;       /* the file that it becomes a copy of, relative to the root, or NULL */
        char *why;          /* for people: what it is good for */
        GPtrArray *details; /* char *: "/dev/sda1 → UUID=…"; may be empty */
        bool in_initramfs;  /* the images have a copy of this file, or are made by it */
};

/* Takes @path and @text over. Add it to an array of tn_changes_new(). */
struct tn_change *tn_change_new(char *path, char *text, const char *why, bool in_initramfs);
/* A new file @path with the contents of @source. Takes @path over. */
struct tn_change *tn_change_new_copy(char *path, const char *source, const char *why);
/* For struct tn_change. */
GPtrArray *tn_changes_new(void);
/* [{"file", "why", "details": [text], "text" or "copy-of"}]; new reference. */
json_t *tn_changes_to_json(const GPtrArray *changes);
