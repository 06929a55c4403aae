/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Nothing is downloaded or unpacked here: whose repositories and keys are trusted is the distribution's
 * affair. The surprising thing: this very program is replaced while it runs, which harms no one, and the
 * agent is started anew by the package's own scripts.
 */
#include "update/install.h"

#include <unistd.h>

#include "lib/error.h"
#include "lib/json.h"
#include "pvdrivers/packages.h"
#include "update/manager.h"
#include "update/packagekit.h"

#define ASK_S 60

static void on_percent(unsigned percent, void *data)
{
        g_autofree char *text = g_strdup_printf("%u %%", percent);

        tn_progress_output(data, "PackageKit", text);
}

static json_t *result_of(const char *by, const char *from, const char *to)
{
        bool changed = to && g_strcmp0(from, to) != 0;
        json_t *result = json_pack("{s:s, s:s}", "state", changed ? "done" : "current", "by", by);

        tn_json_set_text(result, "from", from);
        tn_json_set_text(result, "to", changed ? to : from);
        return result;
}

static json_t *by_packagekit(struct tn_packagekit *kit, const struct tn_update_settings *settings,
                             struct tn_progress *progress, GError **error)
{
        g_autoptr(tn_verdict_t) before = tn_packagekit_ask(kit, settings->package, 0, error);
        g_autofree char *to = NULL;

        if (!before)
                return NULL;
        tn_progress_step(progress, "install", "PackageKit updates %s", settings->package);
        if (!tn_packagekit_update(kit, settings->package, on_percent, progress, &to, error))
                return NULL;
        return result_of("packagekit", before->installed, to);
}

/* What is installed now, or NULL. Free with g_free(). */
static char *installed(const struct tn_env *env, const struct tn_update_manager *request)
{
        g_autoptr(tn_verdict_t) verdict = tn_update_manager_ask(env, request, NULL);

        return verdict ? g_strdup(verdict->installed) : NULL;
}

static json_t *by_manager(const struct tn_env *env, const struct tn_update_settings *settings,
                          struct tn_progress *progress, GError **error)
{
        const struct tn_update_manager request = {settings->manager, settings->package, 0, ASK_S,
                                                  settings->run};
        const char *const names[] = {settings->package, NULL};
        g_autoptr(tn_packages_t) packages = tn_packages_new(env, settings->manager, settings->run, error);
        g_autofree char *before = NULL, *after = NULL;

        if (!packages)
                return NULL;
        before = installed(env, &request);
        if (!before) {
                (void) tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "%s was not installed by %s, which therefore cannot update it",
                                    settings->package, tn_packages_name(packages));
                return NULL;
        }
        tn_progress_step(progress, "install", "%s updates %s", tn_packages_name(packages),
                         settings->package);
        if (!tn_packages_upgrade(packages, names, progress, error))
                return NULL;
        after = installed(env, &request);
        return result_of(tn_packages_name(packages), before, after);
}

json_t *tn_update_install(const struct tn_env *env, const struct tn_update_settings *settings,
                          struct tn_progress *progress, GError **error)
{
        bool packagekit = g_str_equal(settings->manager, "packagekit");
        g_autoptr(tn_packagekit_t) kit = NULL;
        g_autoptr(GError) not_there = NULL;

        if (packagekit || g_str_equal(settings->manager, "auto"))
                kit = tn_packagekit_open(settings->bus, ASK_S * 1000, &not_there);
        if (kit)
                return by_packagekit(kit, settings, progress, error);
        if (packagekit || (not_there && !g_error_matches(not_there, TN_ERROR, TN_ERROR_NOT_FOUND))) {
                g_propagate_error(error, g_steal_pointer(&not_there));
                return NULL;
        }
        if (g_str_equal(settings->manager, "none")) {
                (void) tn_error_set(error, TN_ERROR_DENIED,
                                    "package-manager=none in [update] of tenond.conf: nobody may be asked");
                return NULL;
        }
        if (geteuid() != 0) {
                (void) tn_error_set(
                        error, TN_ERROR_DENIED,
                        "there is no PackageKit to ask, so that only root may install; try sudo");
                return NULL;
        }
        return by_manager(env, settings, progress, error);
}
