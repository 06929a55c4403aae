/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A guest that is reached through libvirt, which keeps the agent's port to itself. Its libraries are looked
 * for when they are needed, so this program neither links nor needs them.
 */
#pragma once

#include <glib.h>

#include "host/guest.h"

struct tn_libvirt;

/* @uri NULL: libvirt's own default. */
struct tn_libvirt *tn_libvirt_open(const char *uri, const char *domain, GError **error);
/* Their data is a struct tn_libvirt. */
extern const struct tn_guest_ops tn_libvirt_ops;
