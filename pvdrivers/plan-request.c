/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Names in, plan out: what tenonctl and tenon-drivers share. */
#include "pvdrivers/plan-request.h"

#include "lib/error.h"

static bool unknown_target(const char *target, GError **error)
{
        g_autoptr(GString) known = g_string_new(NULL);

        for (unsigned i = 0; i < _TN_PV_PLATFORM_MAX; i++)
                g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", tn_catalogue_platform_name(i));
        if (!target)
                return tn_error_set(error, TN_ERROR_INVALID, "name the target, one of %s", known->str);
        return tn_error_set(error, TN_ERROR_INVALID, "no target is called \"%s\"; there are %s", target,
                            known->str);
}

/* Empty words left out; NULL for NULL. Free with g_strfreev(). */
static char **split(const char *devices)
{
        g_auto(GStrv) parts = g_strsplit_set(devices ? devices : "", ", ", -1);
        g_autoptr(GStrvBuilder) words = g_strv_builder_new();

        for (size_t i = 0; parts[i]; i++)
                if (*parts[i])
                        g_strv_builder_add(words, parts[i]);
        return devices ? g_strv_builder_end(words) : NULL;
}

struct tn_plan *tn_plan_request(const struct tn_env *env, const char *target, const char *devices,
                                GPtrArray *mistakes, GError **error)
{
        enum tn_pv_platform platform = target ? tn_catalogue_platform_parse(target) : _TN_PV_PLATFORM_MAX;
        g_autoptr(tn_catalogue_t) catalogue = NULL;
        g_auto(GStrv) names = split(devices);
        const struct tn_plan_options options = {.target = platform, .devices = (const char *const *) names};

        if (platform == _TN_PV_PLATFORM_MAX) {
                unknown_target(target, error);
                return NULL;
        }
        catalogue = tn_catalogue_new(env, mistakes);
        return tn_plan_make(env, catalogue, &options, error);
}
