/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Findings, and questions that several checks ask. */
#include "pvdrivers/checks/check.h"

#include <stdarg.h>
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/textfile.h"

struct tn_check *tn_check_add(struct tn_check_context *context, enum tn_verdict verdict, const char *format,
                              ...)
{
        struct tn_check *check = g_new0(struct tn_check, 1);
        va_list args;

        va_start(args, format);
        check->evidence = g_strdup_vprintf(format, args);
        va_end(args);
        check->id = context->id;
        check->verdict = verdict;
        g_ptr_array_add(context->plan->checks, check);
        return check;
}

void tn_check_set_remedy(struct tn_check *check, const char *format, ...)
{
        va_list args;

        g_free(check->remedy);
        va_start(args, format);
        check->remedy = g_strdup_vprintf(format, args);
        va_end(args);
}

void tn_check_set_kernel(struct tn_check *check, const struct tn_check_kernel *subject)
{
        check->kernel = g_strdup(subject->kernel->release);
        check->fallback = !subject->boots;
}

void tn_check_set_data(struct tn_check *check, json_t *data)
{
        json_decref(check->data);
        check->data = data;
}

char *tn_check_options(const struct tn_check_context *context, char **ret_where)
{
        const struct tn_boot_entry *entry = context->boot->chosen;
        char *running;

        if (entry) {
                *ret_where = g_strdup_printf("/%s line %u", entry->file, entry->line);
                return g_strdup(entry->options);
        }
        running = tn_env_read_line(context->env, "proc/cmdline");
        *ret_where = g_strdup(running ? "/proc/cmdline" : "no command line");
        return running ? running : g_strdup("");
}

char *tn_check_option(const char *options, const char *key)
{
        g_auto(GStrv) words = tn_textfile_words(options);
        size_t len = strlen(key);
        char *found = NULL;

        for (size_t i = 0; words[i]; i++) {
                if (strncmp(words[i], key, len) != 0 || (words[i][len] != '=' && words[i][len] != '\0'))
                        continue;
                g_free(found);
                found = g_strdup(words[i][len] ? words[i] + len + 1 : "");
        }
        return found;
}

bool tn_check_like(const struct tn_env *env, const char *id)
{
        static const char *const files[] = {"etc/os-release", "usr/lib/os-release"};

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
                g_autofree char *own = tn_textfile_read_setting(env, files[i], "ID");
                g_autofree char *like = tn_textfile_read_setting(env, files[i], "ID_LIKE");
                g_auto(GStrv) words = tn_textfile_words(like ? like : "");

                if (own)
                        return g_str_equal(own, id) || g_strv_contains((const char *const *) words, id);
        }
        return false;
}

char *tn_check_join(const GPtrArray *words, const char *separator)
{
        GString *text = g_string_new(NULL);

        for (guint i = 0; i < words->len; i++)
                g_string_append_printf(text, "%s%s", i > 0 ? separator : "", (const char *) words->pdata[i]);
        return g_string_free(text, FALSE);
}
