/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The command table. A tree rather than a hash, so that guest-info and `tenonctl` list it sorted. */
#include "agent/command.h"

#include "agent/signature.h"
#include "lib/error.h"

struct tn_commands {
        GTree *tree; /* name → struct tn_command */
};

static int compare(gconstpointer a, gconstpointer b, void *data)
{
        return g_strcmp0(a, b);
}

struct tn_commands *tn_commands_new(void)
{
        struct tn_commands *commands = g_new0(struct tn_commands, 1);

        commands->tree = g_tree_new_full(compare, NULL, NULL, g_free);
        return commands;
}

void tn_commands_free(struct tn_commands *commands)
{
        if (!commands)
                return;
        g_tree_destroy(commands->tree);
        g_free(commands);
}

static bool check(const struct tn_commands *commands, const struct tenon_command *desc, GError **error)
{
        const struct tn_command *taken = tn_commands_find(commands, desc->name);

        if (taken)
                return tn_error_set(error, TN_ERROR_BUSY, "command %s is already provided by %s", desc->name,
                                    taken->owner);
        if (!desc->args || !tn_signature_valid(desc->args))
                return tn_error_set(error, TN_ERROR_INVALID, "command %s: the signature \"%s\" is malformed",
                                    desc->name, desc->args ? desc->args : "");
        if (!desc->run == !desc->start)
                return tn_error_set(error, TN_ERROR_INVALID, "command %s needs either run or start",
                                    desc->name);
        if ((unsigned) desc->category >= _TENON_CATEGORY_MAX)
                return tn_error_set(error, TN_ERROR_INVALID, "command %s: category %d is unknown",
                                    desc->name, (int) desc->category);
        return true;
}

bool tn_commands_add(struct tn_commands *commands, const char *owner, struct tenon_host *host,
                     const struct tenon_command *table, GError **error)
{
        for (const struct tenon_command *desc = table; desc && desc->name; desc++) {
                struct tn_command *command;

                if (!check(commands, desc, error)) {
                        tn_commands_remove(commands, owner);
                        return false;
                }
                command = g_new0(struct tn_command, 1);
                *command = (struct tn_command){.desc = desc, .host = host, .owner = owner};
                g_tree_insert(commands->tree, (char *) desc->name, command);
        }
        return true;
}

struct removal {
        const char *owner;
        GPtrArray *names;
};

static gboolean collect(void *name, void *value, void *data)
{
        const struct tn_command *command = value;
        struct removal *removal = data;

        if (g_strcmp0(command->owner, removal->owner) == 0)
                g_ptr_array_add(removal->names, name);
        return FALSE;
}

void tn_commands_remove(struct tn_commands *commands, const char *owner)
{
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        struct removal removal = {owner, names};

        g_tree_foreach(commands->tree, collect, &removal);
        for (guint i = 0; i < names->len; i++)
                g_tree_remove(commands->tree, g_ptr_array_index(names, i));
}

const struct tn_command *tn_commands_find(const struct tn_commands *commands, const char *name)
{
        return g_tree_lookup(commands->tree, name);
}

struct visit {
        void (*func)(const struct tn_command *command, void *data);
        void *data;
};

static gboolean visit_one(void *name, void *value, void *data)
{
        const struct visit *visit = data;

        visit->func(value, visit->data);
        return FALSE;
}

void tn_commands_foreach(const struct tn_commands *commands,
                         void (*func)(const struct tn_command *command, void *data), void *data)
{
        struct visit visit = {func, data};

        g_tree_foreach(commands->tree, visit_one, &visit);
}
