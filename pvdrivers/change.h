/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A change to a file, as it is planned: nothing has been written yet. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"

struct tn_change {
        char *path;         /* relative to the root */
        char *text;         /* all of the new contents; NULL: those of @source */
        char *old;          /* the contents that it was made of; empty: there was no file */
        char *source;       /* the file that it becomes a copy of, relative to the root, or NULL */
        char *why;          /* for people: what it is good for */
        GPtrArray *details; /* char *: "/dev/sda1 → UUID=…"; may be empty */
        bool in_initramfs;  /* the images have a copy of this file, or are made by it */
};

/* Takes @path and @text over. Add it to an array of tn_changes_new(). */
struct tn_change *tn_change_new(char *path, char *text, const char *old, const char *why, bool in_initramfs);
/* A new file @path with the contents of @source. Takes @path over. */
struct tn_change *tn_change_new_copy(char *path, const char *source, const char *why);
/* What a change of @path is made of: the file's text, empty when it is not there; NULL with @error when it
 * cannot be read. Free with g_free(). */
char *tn_change_read(const struct tn_env *env, const char *path, GError **error);
/* Is that still what is there? False with @error when somebody else has changed the file meanwhile. */
bool tn_change_check(const struct tn_env *env, const struct tn_change *change, GError **error);
/* For struct tn_change. */
GPtrArray *tn_changes_new(void);
/* [{"file", "why", "details": [text], "text" or "copy-of"}]; new reference. */
json_t *tn_changes_to_json(const GPtrArray *changes);
