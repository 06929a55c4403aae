/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* extlinux and syslinux (Alpine): LABEL blocks with LINUX, INITRD and APPEND; DEFAULT names a label. */
#include <string.h>

#include "pvdrivers/boot-private.h"
#include "pvdrivers/textfile.h"

static const char *const configs[] = {"boot/extlinux.conf", "boot/extlinux/extlinux.conf",
                                      "boot/syslinux/syslinux.cfg"};

/* The text behind @word, whatever its case, or NULL. */
static const char *behind(const char *text, const char *word)
{
        size_t len = strlen(word);

        if (g_ascii_strncasecmp(text, word, len) != 0 || (text[len] != ' ' && text[len] != '\t'))
                return NULL;
        return text + len + strspn(text + len, " \t");
}

static void label_line(struct tn_boot_reader *reader, struct tn_boot_entry *entry, const char *text)
{
        const char *rest;

        if ((rest = behind(text, "linux")) || (rest = behind(text, "kernel"))) {
                tn_boot_set_image(reader, entry, rest);
        } else if ((rest = behind(text, "initrd"))) {
                g_autofree char *paths = g_strdelimit(g_strdup(rest), ",", ' ');

                tn_boot_add_initrds(reader, entry, paths);
        } else if ((rest = behind(text, "append"))) {
                g_free(entry->options);
                entry->options = g_strdup(rest);
        } else if ((rest = behind(text, "menu label"))) {
                g_free(entry->title);
                entry->title = g_strdup(rest);
        }
}

static void choose(struct tn_boot *boot, const char *file, const char *wanted)
{
        for (guint i = 0; wanted && i < boot->entries->len; i++) {
                const struct tn_boot_entry *entry = boot->entries->pdata[i];

                if (g_ascii_strcasecmp(entry->id, wanted) == 0) {
                        tn_boot_choose(boot, entry, "/%s: default %s", file, wanted);
                        return;
                }
        }
        tn_boot_choose(boot, boot->entries->pdata[0], "the first entry of /%s", file);
}

static bool read_config(struct tn_boot_reader *reader, const char *file)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(reader->env, file);
        g_autofree char *wanted = NULL;
        struct tn_boot_entry *entry = NULL;
        const char *rest;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];

                if ((rest = behind(line->text, "label"))) {
                        entry = tn_boot_add(reader, file, line->number);
                        if (entry)
                                entry->id = g_strdup(rest);
                } else if (entry) {
                        label_line(reader, entry, line->text);
                } else if (!wanted && ((rest = behind(line->text, "default")) ||
                                       (rest = behind(line->text, "ontimeout")))) {
                        wanted = g_strdup(rest);
                }
        }
        if (reader->boot->entries->len == 0)
                return false;
        reader->boot->loader = "extlinux";
        choose(reader->boot, file, wanted);
        return true;
}

bool tn_boot_extlinux_read(struct tn_boot_reader *reader)
{
        for (size_t i = 0; i < G_N_ELEMENTS(configs); i++)
                if (read_config(reader, configs[i]))
                        return true;
        return false;
}
