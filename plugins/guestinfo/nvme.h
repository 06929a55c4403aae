/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The health of an NVMe drive: its log page 02h, read and told. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"

#define TN_NVME_PAGE_BYTES 512

/* GuestDiskSmart of a page as the drive sent it; pure. New reference. */
json_t *tn_nvme_smart_json(const guint8 page[TN_NVME_PAGE_BYTES]);

/* Asks the controller @name ("nvme0"). May never return. False: no permission, or no such thing. */
bool tn_nvme_read_page(const struct tn_env *env, const char *name, guint8 ret_page[TN_NVME_PAGE_BYTES]);
