/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Settings. The configuration has checked them; the numbers here are for a host that knows none. */
#include "plugins/freeze/settings.h"

#include "plugins/freeze/hooks.h"

#define GROUP "freeze"

static unsigned number(struct tenon_host *host, const char *key, unsigned fallback)
{
        const char *text = host->config(host, GROUP, key);

        return text ? (unsigned) g_ascii_strtoull(text, NULL, 10) : fallback;
}

unsigned freeze_settings_timeout_ms(struct tenon_host *host)
{
        return number(host, "timeout-ms", 60000);
}

unsigned freeze_settings_hook_limit_ms(struct tenon_host *host)
{
        return number(host, "hook-timeout-ms", 30000);
}

char **freeze_settings_exclude(struct tenon_host *host)
{
        const char *text = host->config(host, GROUP, "exclude");
        g_auto(GStrv) words = g_strsplit_set(text ? text : "", ",;", -1);
        GStrvBuilder *builder = g_strv_builder_new();
        char **globs;

        for (size_t i = 0; words[i]; i++)
                if (*g_strstrip(words[i]))
                        g_strv_builder_add(builder, words[i]);
        globs = g_strv_builder_end(builder);
        g_strv_builder_unref(builder);
        return globs;
}

GPtrArray *freeze_settings_hooks(struct tenon_host *host)
{
        return freeze_hooks_new(host->env, host->config(host, GROUP, "qga-hook"),
                                host->config(host, GROUP, "hook-directory"),
                                freeze_settings_hook_limit_ms(host));
}
