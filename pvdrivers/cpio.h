/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One cpio archive of the "newc" kind (with checksums, too), the only kind that the kernel takes, pushed in
 * pieces of any size. Bytes in, entries out; no I/O.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_cpio_entry {
        const char *name; /* as in the archive, NUL-terminated; borrowed for the call */
        uint32_t mode;    /* as in stat(2) */
        uint32_t size;    /* of the body */
};

/* Where entries go. A false return with @error stops the parser. */
struct tn_cpio_sink {
        bool (*entry)(void *data, const struct tn_cpio_entry *entry, GError **error);
        /* A piece of the body of the last entry. */
        bool (*body)(void *data, const uint8_t *bytes, size_t len, GError **error);
        /* The body is complete; also called where it is empty. Not called for the trailer. */
        bool (*end)(void *data, GError **error);
        void *data;
};

struct tn_cpio;

/* @sink is copied. Names longer than @name_max bytes are an error. */
struct tn_cpio *tn_cpio_new(const struct tn_cpio_sink *sink, uint32_t name_max);
void tn_cpio_free(struct tn_cpio *cpio);
typedef struct tn_cpio tn_cpio_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_cpio_t, tn_cpio_free)

/* Takes bytes up to the end of the archive; *ret_used tells how many. */
bool tn_cpio_push(struct tn_cpio *cpio, const uint8_t *bytes, size_t len, size_t *ret_used, GError **error);
/* The trailer was seen. The next push begins another archive. */
bool tn_cpio_ended(const struct tn_cpio *cpio);
/* Bytes taken since the archive began: where an error is. */
uint64_t tn_cpio_offset(const struct tn_cpio *cpio);
