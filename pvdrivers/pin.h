/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A network interface keeps its name on other hardware when the name is tied to the MAC address. One file
 * does that for everything that is configured by the name: ifupdown, netplan, NetworkManager, ifcfg files,
 * firewall rules. So none of those is touched.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* What the names of our .link files begin with. */
#define TN_PIN_LINK_PREFIX "10-tenon-"

/* The file that pins @name to the permanent address @mac: a .link file where systemd's udev is, a udev rule
 * where another one is. False with @error when the machine has neither, or for an impossible name or
 * address. */
bool tn_pin_make(const struct tn_env *env, const char *name, const char *mac, char **ret_path,
                 char **ret_text, GError **error);
