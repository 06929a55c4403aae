/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Base64 (RFC 4648, section 4) in pieces and as a whole. The decoder is strict about alphabet, padding and
 * length, but line ends between the characters mean nothing: Proxmox sends them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that @len bytes become, without a final NUL. */
#define TN_BASE64_SIZE(len)  (((len) + 2) / 3 * 4)
/* Bytes that @len characters become at most, whatever an earlier piece left open. */
#define TN_BASE64_BYTES(len) (((len) + 3) / 4 * 3)

/* Writes TN_BASE64_SIZE(len) characters, no NUL, and returns their number. A text made in pieces needs
 * pieces whose length divides by 3, but for the last. */
size_t tn_base64_encode(const void *bytes, size_t len, char *out);

/* The same at the end of @out. */
void tn_base64_append(GString *out, const void *bytes, size_t len);

/* Where a text that comes in pieces stands. Zero-initialise. */
struct tn_base64_decoder {
        uint32_t bits;    /* of the open group */
        unsigned digits;  /* of the open group */
        unsigned padding; /* '=' in the open group */
        bool ended;       /* a padded group was the last */
};

/* Decodes one piece into @out, which has room for TN_BASE64_BYTES(len). */
bool tn_base64_decode_piece(struct tn_base64_decoder *decoder, const char *text, size_t len, uint8_t *out,
                            size_t *ret_len, GError **error);
/* False with @error when the text ended within a group: it was cut off, or lacks its padding. */
bool tn_base64_decode_end(const struct tn_base64_decoder *decoder, GError **error);

/* Is all of this base64, and how many bytes will it be? Keeps nothing. */
bool tn_base64_check(const char *text, size_t len, size_t *ret_bytes, GError **error);
/* The whole text at once. Free with g_free(). */
bool tn_base64_decode(const char *text, size_t len, uint8_t **ret, size_t *ret_len, GError **error);
