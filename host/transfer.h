/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Contents of a file between a guest's agent and a function or a descriptor, in pieces. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/guest.h"

/* Divides by 3; as base64 it is below the 4 MiB of a string over libvirt and its 10 MiB of a reply. */
#define TN_TRANSFER_PIECE (1536 * 1024)

/* Takes a piece, and knows how much there was; false with @error ends it. */
typedef bool (*tn_transfer_sink)(const void *bytes, size_t len, uint64_t sum, void *data, GError **error);

/* At most @max bytes of the guest's file @path. */
bool tn_transfer_get(struct tn_guest *guest, const char *path, uint64_t max, tn_transfer_sink sink,
                     void *data, GError **error);
/* Gives @bytes of it; *ret_len 0 is the end. */
typedef bool (*tn_transfer_source)(void *bytes, size_t size, size_t *ret_len, void *data, GError **error);
bool tn_transfer_put(struct tn_guest *guest, const char *path, tn_transfer_source source, void *data,
                     GError **error);
