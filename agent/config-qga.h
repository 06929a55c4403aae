/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * qemu-ga's configuration in Tenon's words: its group [general] is accepted in any configuration file, and
 * its file is read where Tenon has no settings of its own. Source: man qemu-ga(8).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "agent/config.h"

#define TN_CONFIG_QGA_GROUP "general"
#define TN_CONFIG_QGA_FILE  "/etc/qemu/qemu-ga.conf"

/* Where a key of [general] goes. *ret_value, to be freed, is NULL when the key has nothing to say (a switch
 * that is off). False with @error for a key that qemu-ga does not have either. */
bool tn_config_qga_translate(const char *key, const char *value, const char **ret_group,
                             const char **ret_key, char **ret_value, GError **error);

/* The settings in force in qemu-ga's format, as its --dump-conf prints them. Free with g_free(). */
char *tn_config_qga_dump(const struct tn_config *config);
