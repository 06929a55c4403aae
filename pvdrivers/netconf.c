/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The list, and the two formats of one line each: ifupdown and udev rules. */
#include "pvdrivers/netconf.h"

#include <string.h>

#include "pvdrivers/textfile.h"

#define ITEMS_MAX 512

static void free_item(void *data)
{
        struct tn_netconf *item = data;

        g_free(item->interface);
        g_free(item->mac);
        g_free(item->file);
        g_free(item);
}

/* "lo", VLANs, aliases, and what by its name is no card. */
static bool is_virtual(const char *name)
{
        static const char *const prefixes[] = {"br-", "virbr", "docker", "veth",  "bond", "team", "tun",
                                               "tap", "wg",    "vlan",   "dummy", "lxc",  "lxd",  "ppp"};

        if (strcmp(name, "lo") == 0 || strchr(name, '.') || strchr(name, ':') || strchr(name, '@'))
                return true;
        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
                if (g_str_has_prefix(name, prefixes[i]))
                        return true;
        return g_str_has_prefix(name, "br") && g_ascii_isdigit(name[2]);
}

void tn_netconf_add(struct tn_netconf_list *list, const char *system, const char *interface, const char *mac,
                    const char *file, unsigned line, bool pin)
{
        struct tn_netconf *item;

        if (list->items->len >= ITEMS_MAX || (!interface && !mac) || (interface && is_virtual(interface)))
                return;
        item = g_new(struct tn_netconf, 1);
        *item = (struct tn_netconf){
                .system = system,
                .interface = g_strdup(interface),
                .mac = mac ? g_ascii_strdown(mac, -1) : NULL,
                .file = g_strdup(file),
                .line = line,
                .pin = pin,
        };
        g_ptr_array_add(list->items, item);
}

GPtrArray *tn_netconf_lines(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        bool denied;
        GPtrArray *lines = tn_textfile_try(env, path, &denied);

        if (denied && !list->denied)
                list->denied = g_strdup(path);
        return lines;
}

/* Stanzas that build on cards. */
static bool is_layer(const char *text)
{
        static const char *const words[] = {"bridge", "bond-", "bond_", "vlan", "pre-up ip link add",
                                            "ovs_"};

        for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
                if (g_str_has_prefix(text, words[i]) && !g_str_has_prefix(text, "bond-master"))
                        return true;
        return false;
}

static void read_interfaces(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_netconf_lines(list, env, path);
        guint stanza = G_MAXUINT; /* index of the item of the stanza under way */

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                g_auto(GStrv) words = tn_textfile_words(line->text);

                if (g_strv_length(words) >= 3 && g_str_equal(words[0], "iface")) {
                        guint before = list->items->len;

                        tn_netconf_add(list, "ifupdown", words[1], NULL, path, line->number, false);
                        stanza = list->items->len > before ? before : G_MAXUINT;
                } else if (stanza != G_MAXUINT && is_layer(line->text)) {
                        g_ptr_array_remove_index(list->items, stanza);
                        stanza = G_MAXUINT;
                }
        }
}

void tn_netconf_interfaces(struct tn_netconf_list *list, const struct tn_env *env)
{
        g_autoptr(GPtrArray) paths = tn_textfile_glob(env, "etc/network/interfaces.d/*");

        read_interfaces(list, env, "etc/network/interfaces");
        for (guint i = 0; i < paths->len; i++)
                read_interfaces(list, env, paths->pdata[i]);
}

/* The value of KEY=="value" or NAME="value" in a udev rule, or NULL. */
static char *rule_value(const char *text, const char *key)
{
        const char *at = strstr(text, key);

        if (!at)
                return NULL;
        at += strlen(key);
        return g_strndup(at, strcspn(at, "\""));
}

void tn_netconf_rules(struct tn_netconf_list *list, const struct tn_env *env)
{
        g_autoptr(GPtrArray) paths = tn_textfile_glob(env, "etc/udev/rules.d/*net*.rules");

        for (guint i = 0; i < paths->len; i++) {
                g_autoptr(GPtrArray) lines = tn_netconf_lines(list, env, paths->pdata[i]);

                for (guint j = 0; j < lines->len; j++) {
                        const struct tn_line *line = lines->pdata[j];
                        g_autofree char *mac = rule_value(line->text, "ATTR{address}==\"");
                        g_autofree char *name = rule_value(line->text, "NAME=\"");

                        if (mac && name)
                                tn_netconf_add(list, "udev", name, mac, paths->pdata[i], line->number, true);
                }
        }
}

struct tn_netconf_list *tn_netconf_read(const struct tn_env *env)
{
        struct tn_netconf_list *list = g_new0(struct tn_netconf_list, 1);

        list->items = g_ptr_array_new_with_free_func(free_item);
        tn_netconf_netplan(list, env);
        tn_netconf_keyfile(list, env);
        tn_netconf_networkd(list, env);
        tn_netconf_ifcfg(list, env);
        tn_netconf_interfaces(list, env);
        tn_netconf_rules(list, env);
        return list;
}

const struct tn_netconf *tn_netconf_find_pin(const struct tn_netconf_list *list, const char *interface)
{
        for (guint i = 0; i < list->items->len; i++) {
                const struct tn_netconf *item = list->items->pdata[i];

                if (item->pin && g_strcmp0(item->interface, interface) == 0)
                        return item;
        }
        return NULL;
}

void tn_netconf_free(struct tn_netconf_list *list)
{
        if (!list)
                return;
        g_ptr_array_unref(list->items);
        g_free(list->denied);
        g_free(list);
}
