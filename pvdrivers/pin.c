/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Pins for interface names. */
#include "pvdrivers/pin.h"

#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "pvdrivers/textfile.h"

#define NAME_MAX_LEN          15  /* IFNAMSIZ without its NUL */
#define PERMANENT_MATCH_SINCE 245 /* systemd; alternative names came with the same version */

static bool has_name_letters(const char *name)
{
        static const char allowed[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-.:";

        return *name && strspn(name, allowed) == strlen(name);
}

static bool check_name(const char *name, GError **error)
{
        if (!has_name_letters(name) || strlen(name) > NAME_MAX_LEN || strcmp(name, ".") == 0 ||
            strcmp(name, "..") == 0)
                return tn_error_set(error, TN_ERROR_INVALID, "'%s' is no name of a network interface", name);
        return true;
}

static bool check_mac(const char *mac, GError **error)
{
        size_t i;

        for (i = 0; mac[i]; i++)
                if (i % 3 == 2 ? mac[i] != ':' : !g_ascii_isxdigit(mac[i]))
                        break;
        if (mac[i] || i != 17 || g_str_equal(mac, "00:00:00:00:00:00"))
                return tn_error_set(error, TN_ERROR_INVALID, "'%s' is no MAC address of a network card",
                                    mac);
        return true;
}

/* 0: cannot be told. */
static int systemd_version(const struct tn_env *env)
{
        static const char *const folders[] = {"usr/lib/systemd", "lib/systemd", "usr/lib64/systemd",
                                              "usr/lib/x86_64-linux-gnu/systemd",
                                              "usr/lib/aarch64-linux-gnu/systemd"};

        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
                g_auto(GStrv) names = tn_env_list(env, folders[i]);

                for (char **name = names; name && *name; name++)
                        if (g_str_has_prefix(*name, "libsystemd-shared-"))
                                return atoi(*name + strlen("libsystemd-shared-"));
        }
        return 0;
}

static bool has_systemd_udev(const struct tn_env *env)
{
        return tn_env_exists(env, "usr/lib/systemd/network/99-default.link") ||
               tn_env_exists(env, "lib/systemd/network/99-default.link");
}

static bool has_other_udev(const struct tn_env *env)
{
        return tn_env_exists(env, "sbin/udevd") || tn_env_exists(env, "usr/sbin/udevd") ||
               tn_env_exists(env, "lib/udev/rules.d") || tn_env_exists(env, "usr/lib/udev/rules.d");
}

/* Lines for the names that 99-default.link, which no longer counts for this card, gives it beside its own.
 * Not by AlternativeNamesPolicy=: on other hardware that may find the very name that another card is to
 * have, and then one of them does not get it. */
static char *alternative_names(const struct tn_env *env, const char *name)
{
        static const char *const keys[] = {"E:ID_NET_NAME_FROM_DATABASE", "E:ID_NET_NAME_ONBOARD",
                                           "E:ID_NET_NAME_SLOT", "E:ID_NET_NAME_PATH"};
        g_autofree char *index_path = g_strdup_printf("sys/class/net/%s/ifindex", name);
        g_autofree char *index = tn_env_read_line(env, index_path);
        g_autofree char *path = g_strdup_printf("run/udev/data/n%s", index ? index : "");
        g_autoptr(GPtrArray) lines = tn_textfile_read(env, path);
        GString *text = g_string_new(NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                g_autofree char *other = tn_textfile_setting(lines, keys[i], NULL);
                g_autofree char *line = g_strdup_printf("AlternativeName=%s\n", other);

                if (other && has_name_letters(other) && strcmp(other, name) != 0 && !strstr(text->str, line))
                        g_string_append(text, line);
        }
        return g_string_free(text, FALSE);
}

/* Older versions know no permanent address; then the kind of device keeps VLANs and bridges out, which have
 * the address of the card below them. */
static char *link_text(const struct tn_env *env, const char *name, const char *mac)
{
        int version = systemd_version(env);
        bool old = version && version < PERMANENT_MATCH_SINCE;
        g_autofree char *others = old ? g_strdup("") : alternative_names(env, name);

        return g_strdup_printf(
                "# Written by `tenonctl drivers prepare`: the interface keeps its name on other "
                "hardware.\n# `tenonctl drivers undo` removes this file.\n[Match]\n%s=%s\n\n"
                "[Link]\nName=%s\n%s",
                old ? "Type=ether\nMACAddress" : "PermanentMACAddress", mac, name, others);
}

static char *rule_text(const char *name, const char *mac)
{
        return g_strdup_printf(
                "# Written by `tenonctl drivers prepare`: the interface keeps its name on other "
                "hardware.\nSUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", "
                "ATTR{address}==\"%s\", ATTR{type}==\"1\", NAME=\"%s\"\n",
                mac, name);
}

bool tn_pin_make(const struct tn_env *env, const char *name, const char *mac, char **ret_path,
                 char **ret_text, GError **error)
{
        g_autofree char *lower = g_ascii_strdown(mac, -1);

        if (!check_name(name, error) || !check_mac(lower, error))
                return false;
        if (has_systemd_udev(env)) {
                *ret_path = g_strdup_printf("etc/systemd/network/" TN_PIN_LINK_PREFIX "%s.link", name);
                *ret_text = link_text(env, name, lower);
                return true;
        }
        if (has_other_udev(env)) {
                *ret_path = g_strdup_printf("etc/udev/rules.d/70-tenon-%s.rules", name);
                *ret_text = rule_text(name, lower);
                return true;
        }
        return tn_error_set(
                error, TN_ERROR_UNSUPPORTED,
                "this guest has no udev, which would give %s its name; name it in your own network "
                "configuration",
                name);
}
