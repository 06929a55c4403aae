/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The Boot Loader Specification: a file for each entry. Under GRUB (Fedora, RHEL) options may have
 * $kernelopts of the environment block; under systemd-boot loader.conf has the default, a pattern. Unified
 * kernel images in EFI/Linux are entries of systemd-boot as well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "pvdrivers/boot-private.h"
#include "pvdrivers/pe.h"
#include "pvdrivers/textfile.h"

#define SECTION_TEXT_MAX 4096 /* bytes of .uname and .cmdline */

static int newest_first(gconstpointer a, gconstpointer b)
{
        const struct tn_boot_entry *one = *(struct tn_boot_entry *const *) a,
                                   *two = *(struct tn_boot_entry *const *) b;

        return strverscmp(two->id, one->id);
}

/* $name and ${name} by GRUB's environment block; unknown ones are empty. */
static char *expand(const char *text, const GPtrArray *variables)
{
        GString *out = g_string_new(NULL);

        while (*text) {
                size_t len;
                bool braced = text[0] == '$' && text[1] == '{';
                g_autofree char *name = NULL, *value = NULL;

                if (*text != '$') {
                        g_string_append_c(out, *text++);
                        continue;
                }
                text += braced ? 2 : 1;
                len = strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
                name = g_strndup(text, len);
                value = variables ? tn_textfile_setting(variables, name, NULL) : NULL;
                g_string_append(out, value ?: "");
                text += len + (braced && text[len] == '}');
        }
        return g_string_free(out, FALSE);
}

static void entry_line(struct tn_boot_reader *reader, struct tn_boot_entry *entry, const char *text,
                       const GPtrArray *variables)
{
        size_t len = strcspn(text, " \t");
        g_autofree char *key = g_strndup(text, len),
                        *value = expand(text + len + strspn(text + len, " \t"), variables);

        if (g_str_equal(key, "title")) {
                g_free(entry->title);
                entry->title = g_steal_pointer(&value);
        } else if (g_str_equal(key, "version")) {
                if (tn_kernels_find(reader->kernels, value)) {
                        g_free(entry->release);
                        entry->release = g_steal_pointer(&value);
                }
        } else if (g_str_equal(key, "linux") || g_str_equal(key, "efi")) {
                tn_boot_set_image(reader, entry, value);
        } else if (g_str_equal(key, "initrd")) {
                tn_boot_add_initrds(reader, entry, value);
        } else if (g_str_equal(key, "options")) {
                char *joined = g_strstrip(g_strjoin(" ", entry->options, value, NULL));

                g_free(entry->options);
                entry->options = joined;
        }
}

static void add_file(struct tn_boot_reader *reader, const char *path, const GPtrArray *variables)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(reader->env, path);
        struct tn_boot_entry *entry = tn_boot_add(reader, path, 1);
        g_autofree char *base = g_path_get_basename(path);

        if (!entry)
                return;
        base[strlen(base) - strlen(".conf")] = '\0';
        entry->id = g_steal_pointer(&base);
        for (guint i = 0; i < lines->len; i++)
                entry_line(reader, entry, tn_textfile_at(lines, i)->text, variables);
}

bool tn_boot_bls_add(struct tn_boot_reader *reader, const char *folder, const GPtrArray *variables)
{
        g_autofree char *pattern = g_strdup_printf("%s/*.conf", folder);
        g_autoptr(GPtrArray) paths = tn_textfile_glob(reader->env, pattern);
        guint before = reader->boot->entries->len;

        for (guint i = 0; i < paths->len; i++)
                add_file(reader, paths->pdata[i], variables);
        if (before == 0)
                g_ptr_array_sort(reader->boot->entries, newest_first);
        for (guint i = before; i < reader->boot->entries->len; i++) {
                struct tn_boot_entry *entry = reader->boot->entries->pdata[i];

                g_ptr_array_add(entry->levels, g_strdup_printf("%u\n%s\n%s", i, entry->id,
                                                               entry->title ? entry->title : ""));
        }
        return reader->boot->entries->len > before;
}

/* Text of a section, cut at its first NUL or line end, or NULL. */
static char *section_text(int fd, const uint8_t *head, size_t len, const char *name)
{
        struct tn_pe_section section;
        g_autofree char *text = g_malloc0(SECTION_TEXT_MAX + 1);

        if (!tn_pe_find_section(head, len, name, &section) ||
            pread(fd, text, MIN(section.size, SECTION_TEXT_MAX), (off_t) section.offset) <= 0)
                return NULL;
        text[strcspn(text, "\r\n")] = '\0';
        return g_strdup(g_strstrip(text));
}

static void add_unified(struct tn_boot_reader *reader, const char *path)
{
        uint8_t head[TN_PE_HEAD_MAX];
        tn_autofd int fd = tn_env_open(reader->env, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, NULL);
        ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);
        struct tn_boot_entry *entry = n > 0 && tn_pe_check(head, (size_t) n) ? tn_boot_add(reader, path, 1)
                                                                             : NULL;
        char *options;

        if (!entry)
                return;
        entry->id = g_path_get_basename(path);
        entry->release = section_text(fd, head, (size_t) n, ".uname");
        options = section_text(fd, head, (size_t) n, ".cmdline");
        if (options) {
                g_free(entry->options);
                entry->options = options;
        }
        tn_boot_set_image(reader, entry, path);
        g_ptr_array_add(entry->initrds, g_strdup(path));
}

/* loader.conf: `default PATTERN` against file names, with or without .conf. */
static void choose(struct tn_boot_reader *reader, const char *loader_conf)
{
        struct tn_boot *boot = reader->boot;
        g_autoptr(GPtrArray) lines = tn_textfile_read(reader->env, loader_conf);

        for (guint i = 0; i < lines->len; i++) {
                g_auto(GStrv) words = tn_textfile_words(tn_textfile_at(lines, i)->text);

                if (g_strv_length(words) != 2 || !g_str_equal(words[0], "default"))
                        continue;
                for (guint j = 0; j < boot->entries->len; j++) {
                        const struct tn_boot_entry *entry = boot->entries->pdata[j];
                        g_autofree char *whole = g_strdup_printf("%s.conf", entry->id);

                        if (fnmatch(words[1], entry->id, FNM_CASEFOLD) == 0 ||
                            fnmatch(words[1], whole, FNM_CASEFOLD) == 0) {
                                tn_boot_choose(boot, entry, "/%s line %u: default %s", loader_conf,
                                               tn_textfile_at(lines, i)->number, words[1]);
                                return;
                        }
                }
        }
        tn_boot_choose(boot, boot->entries->pdata[0], "the newest entry of the boot loader");
}

bool tn_boot_bls_read(struct tn_boot_reader *reader)
{
        static const char *const roots[] = {"boot", "boot/efi", "efi"};
        const char *configured = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
                g_autofree char *folder = g_strdup_printf("%s/loader/entries", roots[i]);
                g_autofree char *unified = g_strdup_printf("%s/EFI/Linux/*.efi", roots[i]);
                g_autofree char *conf = g_strdup_printf("%s/loader/loader.conf", roots[i]);
                g_autoptr(GPtrArray) images = tn_textfile_glob(reader->env, unified);

                (void) tn_boot_bls_add(reader, folder, NULL);
                for (guint j = 0; j < images->len; j++)
                        add_unified(reader, images->pdata[j]);
                if (!configured && tn_env_exists(reader->env, conf))
                        configured = roots[i];
        }
        if (reader->boot->entries->len == 0)
                return false;
        g_autofree char *conf = g_strdup_printf("%s/loader/loader.conf", configured ?: "boot");

        reader->boot->loader = "systemd-boot";
        choose(reader, conf);
        return true;
}
