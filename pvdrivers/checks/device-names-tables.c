/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* fstab, crypttab, and root= and resume= of the kernel's command line. */
#include <string.h>

#include "pvdrivers/checks/device-names.h"
#include "pvdrivers/devname.h"
#include "pvdrivers/textfile.h"

static bool has_option(const char *options, const char *option)
{
        g_auto(GStrv) words = g_strsplit(options, ",", -1);

        return g_strv_contains((const char *const *) words, option);
}

/* systemd waits for each file system of fstab and then goes into emergency mode; for swap it waits only. */
static enum tn_verdict fstab_verdict(char **words)
{
        const char *options = g_strv_length(words) > 3 ? words[3] : "";

        if (has_option(options, "noauto"))
                return TN_VERDICT_READY;
        if (has_option(options, "nofail") || g_str_equal(words[2], "swap"))
                return TN_VERDICT_LOSS;
        return TN_VERDICT_FATAL;
}

static unsigned read_fstab(struct tn_check_context *context)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, "etc/fstab");
        unsigned found = 0;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                g_auto(GStrv) words = tn_textfile_words(line->text);
                enum tn_verdict verdict;
                struct tn_check *check;

                if (g_strv_length(words) < 3 || !tn_device_names_changes(context, words[0]))
                        continue;
                verdict = fstab_verdict(words);
                if (verdict == TN_VERDICT_READY)
                        continue;
                check = tn_device_names_add(context, verdict, "etc/fstab", line->number, words[0]);
                check->fixable = true;
                json_object_set_new(check->data, "mount-point", json_string(words[1]));
                found++;
        }
        return found;
}

/* NAME DEVICE KEY OPTIONS */
static unsigned read_crypttab(struct tn_check_context *context)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, "etc/crypttab");
        unsigned found = 0;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                g_auto(GStrv) words = tn_textfile_words(line->text);
                const char *options = g_strv_length(words) > 3 ? words[3] : "";

                if (g_strv_length(words) < 2 || !tn_device_names_changes(context, words[1]) ||
                    has_option(options, "noauto"))
                        continue;
                tn_device_names_add(context,
                                    has_option(options, "nofail") || has_option(options, "swap")
                                            ? TN_VERDICT_LOSS
                                            : TN_VERDICT_FATAL,
                                    "etc/crypttab", line->number, words[1])
                        ->fixable = true;
                found++;
        }
        return found;
}

unsigned tn_device_names_tables(struct tn_check_context *context)
{
        return read_fstab(context) + read_crypttab(context);
}

static unsigned add_option(struct tn_check_context *context, enum tn_verdict verdict, const char *options,
                           const char *key, const char *file, unsigned line)
{
        g_autofree char *value = tn_check_option(options, key), *word = NULL;
        struct tn_check *check;

        if (!value || !tn_device_names_changes(context, value))
                return 0;
        word = g_strdup_printf("%s=%s", key, value);
        check = tn_device_names_add(context, verdict, file, line, value);
        json_object_set_new(check->data, "option", json_string(word));
        return 1;
}

/* Lines of the files that the boot loader's configuration is made from. */
static unsigned read_defaults(struct tn_check_context *context)
{
        static const char *const files[] = {"etc/default/grub", "etc/kernel/cmdline", "etc/default/zipl"};
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, files[i]);

                for (guint j = 0; j < lines->len; j++) {
                        const struct tn_line *line = lines->pdata[j];
                        g_autofree char *text = g_strdelimit(g_strdup(line->text), "\"'", ' ');

                        found += add_option(context, TN_VERDICT_LOSS, text, "root", files[i], line->number);
                        found += add_option(context, TN_VERDICT_LOSS, text, "resume", files[i],
                                            line->number);
                }
        }
        return found;
}

/* What the initramfs resumes from: it waits for that disk, then goes on. */
static unsigned read_resume(struct tn_check_context *context)
{
        static const char file[] = "etc/initramfs-tools/conf.d/resume";
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, file);
        unsigned number = 0;
        g_autofree char *device = tn_textfile_setting(lines, "RESUME", &number);

        if (!device || !tn_device_names_changes(context, device))
                return 0;
        tn_device_names_add(context, TN_VERDICT_LOSS, file, number, device);
        return 1;
}

static const char *root_remedy(const struct tn_check_context *context)
{
        return tn_check_like(context->env, "fedora") || tn_check_like(context->env, "rhel")
                       ? "; write the new root= by: grubby --update-kernel=ALL --args=root=UUID=…"
                       : "; then make the boot loader's configuration anew (update-grub, grub-mkconfig or "
                         "extlinux)";
}

unsigned tn_device_names_options(struct tn_check_context *context)
{
        const struct tn_boot *boot = context->boot;
        unsigned found = 0;

        for (guint i = 0; i < boot->entries->len; i++) {
                const struct tn_boot_entry *entry = boot->entries->pdata[i];
                enum tn_verdict verdict = entry == boot->chosen ? TN_VERDICT_FATAL : TN_VERDICT_LOSS;

                if (add_option(context, verdict, entry->options, "root", entry->file, entry->line)) {
                        struct tn_check *check = context->plan->checks
                                                         ->pdata[context->plan->checks->len - 1];
                        g_autofree char *remedy = g_strdup(check->remedy);

                        tn_check_set_remedy(check, "%s%s", remedy, root_remedy(context));
                        found++;
                }
                found += add_option(context, TN_VERDICT_LOSS, entry->options, "resume", entry->file,
                                    entry->line);
        }
        if (boot->entries->len == 0) {
                g_autofree char *running = tn_env_read_line(context->env, "proc/cmdline");

                found += add_option(context, TN_VERDICT_FATAL, running ? running : "", "root",
                                    "proc/cmdline", 1);
        }
        return found + read_defaults(context) + read_resume(context);
}
