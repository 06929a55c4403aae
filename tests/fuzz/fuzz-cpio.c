/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* However the bytes of an archive are cut into pieces, the same entries come out, or the same error at the
 * same place. */
#include <glib.h>

#include "pvdrivers/cpio.h"
#include "tests/fuzz/fuzz.h"

#define NAME_MAX_BYTES 256

struct listing {
        GString *text;
        uint64_t left; /* of the body under way */
};

static bool on_entry(void *data, const struct tn_cpio_entry *entry, GError **error)
{
        struct listing *listing = data;

        listing->left = entry->size;
        g_string_append_printf(listing->text, "%s %o %u\n", entry->name, entry->mode, entry->size);
        return true;
}

static bool on_body(void *data, const uint8_t *bytes, size_t len, GError **error)
{
        struct listing *listing = data;

        g_assert_cmpuint(len, <=, listing->left);
        listing->left -= len;
        return true;
}

static bool on_end(void *data, GError **error)
{
        g_assert_cmpuint(((struct listing *) data)->left, ==, 0);
        return true;
}

static char *list(const uint8_t *data, size_t size, size_t piece)
{
        struct listing listing = {.text = g_string_new(NULL)};
        const struct tn_cpio_sink sink = {on_entry, on_body, on_end, &listing};
        g_autoptr(tn_cpio_t) cpio = tn_cpio_new(&sink, NAME_MAX_BYTES);
        g_autoptr(GError) error = NULL;

        for (size_t at = 0, used; at < size && !tn_cpio_ended(cpio); at += used) {
                if (!tn_cpio_push(cpio, data + at, MIN(piece, size - at), &used, &error))
                        break;
                g_assert_true(used == MIN(piece, size - at) || tn_cpio_ended(cpio));
                if (tn_cpio_ended(cpio))
                        break;
        }
        g_string_append(listing.text, error ? error->message : tn_cpio_ended(cpio) ? "end" : "more");
        return g_string_free(listing.text, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *whole = list(data, size, MAX(size, 1)), *bytes = list(data, size, 1);

        g_assert_cmpstr(whole, ==, bytes);
        return 0;
}
