/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which .link file a card gets its settings from. The first one that fits is taken and all others are not,
 * whatever they set (systemd.link(5)): so a file more, with a name and nothing else, takes the MTU of
 * another one away. What cannot be told here (Path=, Property=, …) may fit.
 */
#include <fnmatch.h>
#include <string.h>

#include "pvdrivers/netconf.h"
#include "pvdrivers/pin.h"
#include "pvdrivers/textfile.h"

#define FOLDER "etc/systemd/network"

/* What the kernel may have called an Ethernet card at first. */
static const char *const kernel_names[] = {"eth0", "eth1", "eth2", "eth3", "eth4", "eth5", "eth6", "eth7"};

/* Words of all lines KEY= in [section], which add up; NULL when there is none. Free with g_strfreev(). */
static char **words_of(const GPtrArray *lines, const char *section, const char *key)
{
        g_autoptr(GString) all = NULL;
        bool inside = false;

        for (guint i = 0; i < lines->len; i++) {
                const char *text = tn_textfile_at(lines, i)->text, *value = strchr(text, '=');
                g_autofree char *name = value ? g_strstrip(g_strndup(text, (gsize) (value - text))) : NULL;

                if (*text == '[')
                        inside = g_str_has_prefix(text + 1, section);
                if (!inside || !name || !g_str_equal(name, key))
                        continue;
                all = all ? all : g_string_new(NULL);
                g_string_append_printf(all, " %s", value + 1);
        }
        return all ? tn_textfile_words(all->str) : NULL;
}

/* "00:0C:29:…", "00-0c-29-…" and "000c.29…" are the same. */
static bool same_address(const char *one, const char *two)
{
        for (;; one++, two++) {
                one += strspn(one, ":-.");
                two += strspn(two, ":-.");
                if (g_ascii_tolower(*one) != g_ascii_tolower(*two))
                        return false;
                if (!*one)
                        return true;
        }
}

/* Without such a condition all fit. */
static bool fits_address(char **words, const char *mac)
{
        for (char **word = words; word && *word; word++)
                if (same_address(*word, mac))
                        return true;
        return !words;
}

static bool fits_pattern(char **words, const char *value)
{
        for (char **word = words; word && *word; word++)
                if (**word == '!' || fnmatch(*word, value, 0) == 0)
                        return true;
        return !words;
}

static bool fits_original_name(char **words, const char *interface)
{
        for (size_t i = 0; i < G_N_ELEMENTS(kernel_names); i++)
                if (fits_pattern(words, kernel_names[i]))
                        return true;
        return fits_pattern(words, interface);
}

/* By the name in sysfs, which is ethtool's as well with nearly all drivers. */
static bool fits_driver(const struct tn_env *env, char **words, const char *interface)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s/device/driver", interface);
        g_autofree char *driver = tn_env_readlink_name(env, path);

        return !driver || fits_pattern(words, driver);
}

static bool may_fit(const struct tn_env *env, const GPtrArray *lines, const char *interface, const char *mac)
{
        g_auto(GStrv) driver = words_of(lines, "Match", "Driver");
        g_auto(GStrv) address = words_of(lines, "Match", "MACAddress");
        g_auto(GStrv) permanent = words_of(lines, "Match", "PermanentMACAddress");
        g_auto(GStrv) type = words_of(lines, "Match", "Type");
        g_auto(GStrv) original = words_of(lines, "Match", "OriginalName");
        g_auto(GStrv) name = words_of(lines, "Link", "Name");

        if (lines->len == 0) /* empty, or a link to /dev/null: it hides a file of the distribution's */
                return false;
        if (address || permanent)
                return fits_address(address, mac) && fits_address(permanent, mac);
        if (name && *name && strcmp(*name, interface) != 0) /* the card would be called so */
                return false;
        return fits_pattern(type, "ether") && fits_driver(env, driver, interface) &&
               fits_original_name(original, interface);
}

char *tn_netconf_find_link(const struct tn_env *env, const char *interface, const char *mac)
{
        g_autoptr(GPtrArray) paths = tn_textfile_glob(env, FOLDER "/*.link");
        g_autoptr(GPtrArray) additions = tn_textfile_glob(env, FOLDER "/99-default.link.d/*.conf");

        for (guint i = 0; i < paths->len; i++) {
                g_autoptr(GPtrArray) lines = tn_textfile_read(env, paths->pdata[i]);

                if (!g_str_has_prefix(paths->pdata[i], FOLDER "/" TN_PIN_LINK_PREFIX) &&
                    may_fit(env, lines, interface, mac))
                        return g_strdup(paths->pdata[i]);
        }
        return additions->len > 0 ? g_strdup(additions->pdata[0]) : NULL;
}
