/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The one table of commands: wire name → descriptor and the host struct of the plugin that owns it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tenon/plugin.h"

/* Flags that only the agent's own commands have, beside enum tenon_command_flags. */
enum tn_command_flags {
        TN_COMMAND_SYNC = 1 << 16,      /* answers to earlier requests of this connection are dropped */
        TN_COMMAND_DELIMITED = 1 << 17, /* the reply is preceded by the byte 0xFF */
};

struct tn_command {
        const struct tenon_command *desc;
        struct tenon_host *host;
        const char *owner; /* plugin's name, or "agent" */
};

struct tn_commands;

struct tn_commands *tn_commands_new(void);
void tn_commands_free(struct tn_commands *commands);

/* Adds a table, all of it or nothing. Refuses a name that is taken, a signature that is malformed, and a
 * descriptor without exactly one function. @table and @host outlive the registration. */
bool tn_commands_add(struct tn_commands *commands, const char *owner, struct tenon_host *host,
                     const struct tenon_command *table, GError **error);
void tn_commands_remove(struct tn_commands *commands, const char *owner);

/* Borrowed, or NULL. */
const struct tn_command *tn_commands_find(const struct tn_commands *commands, const char *name);
/* Calls @func for each command, names sorted. */
void tn_commands_foreach(const struct tn_commands *commands,
                         void (*func)(const struct tn_command *command, void *data), void *data);
