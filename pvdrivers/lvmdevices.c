/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * LVM's devices file. An entry is one line of KEY=VALUE words:
 *   IDTYPE=sys_wwid IDNAME=t10.ATA_QEMU DEVNAME=/dev/sda3 PVID=8Kx… PART=3
 */
#include "pvdrivers/lvmdevices.h"

#include <stdbool.h>
#include <string.h>

/* Value of @key among the words, borrowed, or NULL. */
static const char *find_value(char **words, const char *key)
{
        for (char **word = words; *word; word++)
                if (g_str_has_prefix(*word, key) && (*word)[strlen(key)] == '=')
                        return *word + strlen(key) + 1;
        return NULL;
}

/* The line by device name, or NULL when it stays. */
static char *rewrite_line(const char *line, GPtrArray *changes)
{
        g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
        const char *type = find_value(words, "IDTYPE"), *device = find_value(words, "DEVNAME");
        const char *pvid = find_value(words, "PVID"), *part = find_value(words, "PART");

        /* Device mapper, MD and the like name what is in them, not the hardware. */
        if (!type || !(g_str_equal(type, "sys_wwid") || g_str_equal(type, "sys_serial")) || !device ||
            !pvid || *device != '/' || *pvid == '.')
                return NULL;
        g_ptr_array_add(changes, g_strdup_printf("%s: found by its PVID %s, not by %s", device, pvid, type));
        return g_strdup_printf("IDTYPE=devname IDNAME=%s DEVNAME=%s PVID=%s%s%s", device, device, pvid,
                               part ? " PART=" : "", part ? part : "");
}

static bool is_computed(const char *line)
{
        return g_str_has_prefix(line, "HASH=") || g_str_has_prefix(line, "PRODUCT_UUID=") ||
               g_str_has_prefix(line, "HOSTNAME=");
}

char *tn_lvmdevices_rewrite(const char *text, GPtrArray *changes)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        g_autoptr(GString) out = g_string_new(NULL);
        guint before = changes->len;

        for (char **line = lines; *line; line++) {
                g_autofree char *changed = rewrite_line(*line, changes);

                if (is_computed(*line))
                        continue;
                g_string_append(out, changed ? changed : *line);
                if (line[1])
                        g_string_append_c(out, '\n');
        }
        return changes->len > before ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
