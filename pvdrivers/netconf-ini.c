/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Files with [Groups] and KEY=VALUE: NetworkManager's keyfiles, systemd-networkd; and ifcfg files, which
 * have no groups. */
#include <string.h>

#include "pvdrivers/netconf.h"
#include "pvdrivers/textfile.h"

/* Value of KEY= in [group] (NULL: anywhere), quotes taken away; *ret_line may be NULL. */
static char *get(const GPtrArray *lines, const char *group, const char *key, unsigned *ret_line)
{
        g_autofree char *head = group ? g_strdup_printf("[%s]", group) : NULL;
        g_autoptr(GPtrArray) part = g_ptr_array_new();
        bool inside = group == NULL;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];

                if (head && line->text[0] == '[')
                        inside = g_ascii_strcasecmp(line->text, head) == 0;
                else if (inside)
                        g_ptr_array_add(part, (void *) line);
        }
        return tn_textfile_setting(part, key, ret_line);
}

static bool is_ethernet(const char *type)
{
        return !type || g_str_equal(type, "ethernet") || g_str_equal(type, "802-3-ethernet");
}

static void read_keyfile(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_netconf_lines(list, env, path);
        unsigned number = 1;
        g_autofree char *type = get(lines, "connection", "type", NULL);
        g_autofree char *interface = get(lines, "connection", "interface-name", &number);
        g_autofree char *pattern = interface ? NULL : get(lines, "match", "interface-name", &number);
        g_autofree char *mac = get(lines, "ethernet", "mac-address", NULL);
        g_autofree char *old_mac = mac ? NULL : get(lines, "802-3-ethernet", "mac-address", NULL);
        g_auto(GStrv) patterns = g_strsplit_set(pattern ? pattern : "", ";, ", -1);

        if (!is_ethernet(type))
                return;
        if (interface || mac || old_mac)
                tn_netconf_add(list, "NetworkManager", interface, mac ? mac : old_mac, path, number, false);
        for (size_t i = 0; !interface && patterns[i]; i++)
                if (*patterns[i])
                        tn_netconf_add(list, "NetworkManager", patterns[i], mac, path, number, false);
}

void tn_netconf_keyfile(struct tn_netconf_list *list, const struct tn_env *env)
{
        static const char folder[] = "etc/NetworkManager/system-connections";
        g_auto(GStrv) names = tn_env_list(env, folder);

        if (!names && tn_env_exists(env, folder) && !list->denied)
                list->denied = g_strdup(folder);
        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folder, names[i]);

                if (names[i][0] != '.' && !g_str_has_suffix(names[i], "~"))
                        read_keyfile(list, env, path);
        }
}

/* Is this the name of a device that a .netdev file makes? */
static bool is_made(const struct tn_env *env, const char *name)
{
        g_autoptr(GPtrArray) paths = tn_textfile_glob(env, "etc/systemd/network/*.netdev");

        for (guint i = 0; i < paths->len; i++) {
                g_autoptr(GPtrArray) lines = tn_textfile_read(env, paths->pdata[i]);
                g_autofree char *made = get(lines, "NetDev", "Name", NULL);

                if (made && g_str_equal(made, name))
                        return true;
        }
        return false;
}

static void read_network(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_netconf_lines(list, env, path);
        unsigned number = 1;
        g_autofree char *name = get(lines, "Match", "Name", &number);
        g_autofree char *permanent = get(lines, "Match", "PermanentMACAddress", NULL);
        g_autofree char *mac = permanent ? g_steal_pointer(&permanent)
                                         : get(lines, "Match", "MACAddress", NULL);
        g_auto(GStrv) names = tn_textfile_words(name ? name : "");

        for (size_t i = 0; names[i]; i++)
                if (names[i][0] != '!' && !is_made(env, names[i]))
                        tn_netconf_add(list, "systemd-networkd", names[i], mac, path, number, false);
        if (!name && mac)
                tn_netconf_add(list, "systemd-networkd", NULL, mac, path, number, false);
}

static void read_link(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_netconf_lines(list, env, path);
        unsigned number = 1;
        g_autofree char *permanent = get(lines, "Match", "PermanentMACAddress", NULL);
        g_autofree char *mac = permanent ? g_steal_pointer(&permanent)
                                         : get(lines, "Match", "MACAddress", NULL);
        g_autofree char *name = get(lines, "Link", "Name", &number);

        if (mac && name)
                tn_netconf_add(list, "systemd.link", name, mac, path, number, true);
}

void tn_netconf_networkd(struct tn_netconf_list *list, const struct tn_env *env)
{
        g_autoptr(GPtrArray) networks = tn_textfile_glob(env, "etc/systemd/network/*.network");
        g_autoptr(GPtrArray) links = tn_textfile_glob(env, "etc/systemd/network/*.link");

        for (guint i = 0; i < networks->len; i++)
                read_network(list, env, networks->pdata[i]);
        for (guint i = 0; i < links->len; i++)
                read_link(list, env, links->pdata[i]);
}

/* A file of its own for a bridge, a bond, a VLAN or an address more. */
static bool is_layer(const GPtrArray *lines)
{
        static const char *const keys[] = {"VLAN",        "BRIDGE", "BONDING_MASTER",
                                           "ETHERDEVICE", "TUNNEL", "BONDING_OPTS"};
        g_autofree char *type = get(lines, NULL, "TYPE", NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                g_autofree char *value = get(lines, NULL, keys[i], NULL);

                if (value && *value && !g_str_equal(value, "no") && !g_str_equal(keys[i], "BRIDGE"))
                        return true;
        }
        return type && g_ascii_strcasecmp(type, "Ethernet") != 0;
}

static void read_ifcfg(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        g_autoptr(GPtrArray) lines = tn_netconf_lines(list, env, path);
        unsigned number = 1;
        g_autofree char *device = get(lines, NULL, "DEVICE", &number);
        g_autofree char *mac = get(lines, NULL, "HWADDR", NULL);
        const char *name = strstr(path, "/ifcfg-") + strlen("/ifcfg-");
        bool suse = g_str_has_prefix(path, "etc/sysconfig/network/");

        if (is_layer(lines) || g_str_has_suffix(name, ".bak") || g_str_has_suffix(name, "~") ||
            strstr(name, ".rpm"))
                return;
        /* NetworkManager and wicked take a file without DEVICE for any card, or for the one of its name. */
        if (device || mac || suse)
                tn_netconf_add(list, "ifcfg", device ? device : (suse ? name : NULL), mac, path, number,
                               false);
}

void tn_netconf_ifcfg(struct tn_netconf_list *list, const struct tn_env *env)
{
        static const char *const patterns[] = {"etc/sysconfig/network-scripts/ifcfg-*",
                                               "etc/sysconfig/network/ifcfg-*"};

        for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
                g_autoptr(GPtrArray) paths = tn_textfile_glob(env, patterns[i]);

                for (guint j = 0; j < paths->len; j++)
                        read_ifcfg(list, env, paths->pdata[j]);
        }
}
