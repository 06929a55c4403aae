/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What to change on the host, in the words of the program that drives it. */
#pragma once

#include <jansson.h>

#include "pvdrivers/catalogue.h"

/* Adds {"host": "libvirt", "change": "…"} for each of @hosts (NULL-ended) that knows how to give the guest
 * the device of @driver. May be empty. New reference. */
json_t *tn_advice_changes(const char *const *hosts, const struct tn_pv_driver *driver);

/* Does it matter for speed, or is it a nicety? */
bool tn_advice_important(enum tn_pv_role role);
