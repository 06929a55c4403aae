/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What stands in the lists of one modules folder (modules.dep, modules.builtin, …). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

#define TN_KERNEL_SIGNATURE_MARK "~Module signature appended~\n" /* the end of a signed module */

struct kmod_ctx;

struct tn_kernel_index {
        const struct tn_env *env; /* borrowed */
        char *folder;             /* the modules folder, relative to the root; NULL: there is none */
        int fd;                   /* the same, open; -1: there is none */
        GHashTable *paths;        /* name → file below the folder */
        GHashTable *needs;    /* name → files that it needs, as modules.dep has them; may lack a name */
        GHashTable *builtin;  /* set of names */
        GHashTable *options;  /* option → "y" or "m", or NULL: no configuration is kept */
        struct kmod_ctx *ctx; /* NULL where depmod has not made the binary indexes */
};

/* @modules_dir: relative to the root; NULL gives an empty index. Never fails. */
struct tn_kernel_index *tn_kernel_index_new(const struct tn_env *env, const char *modules_dir);
void tn_kernel_index_free(struct tn_kernel_index *index);

/* Options of a file like boot/config-RELEASE, or NULL when there is none. Free with g_hash_table_unref(). */
GHashTable *tn_kernel_index_options(const struct tn_env *env, const char *path);

/* Adds the names of the modules that drive @modalias to @names (of char *), each once. */
void tn_kernel_index_lookup(const struct tn_kernel_index *index, const char *modalias, GPtrArray *names);

/* Does the file below the folder end with a signature? Compressed ones are unpacked by libkmod. */
bool tn_kernel_index_signed(const struct tn_kernel_index *index, const char *file);
