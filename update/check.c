/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The sources one after the other. Not being there is no failure of a source, unless the configuration names
 * it; not answering is. PackageKit goes before the package manager's own programs; when it fails, they are
 * asked, for they know the same.
 */
#include "update/check.h"

#include <string.h>

#include "lib/error.h"
#include "lib/json-file.h"
#include "lib/names.h"
#include "update/manager.h"
#include "update/manifest.h"
#include "update/minisign.h"
#include "update/packagekit.h"
#include "update/verdict.h"

static unsigned deadline_s(const struct tn_update_settings *settings)
{
        return settings->deadline_s ? settings->deadline_s : TN_UPDATE_DEADLINE_S;
}

static const char *installed_version(const struct tn_update_settings *settings)
{
        return settings->installed ? settings->installed : TN_VERSION;
}

static char *state_folder(const struct tn_update_settings *settings)
{
        return g_build_filename(settings->statedir, TN_UPDATE_FOLDER, NULL);
}

/* NULL with @error: not there (TN_ERROR_NOT_FOUND), or it failed. */
static struct tn_verdict *ask_packagekit(const struct tn_update_settings *settings, GError **error)
{
        g_autoptr(tn_packagekit_t)
                kit = tn_packagekit_open(settings->bus, deadline_s(settings) * 1000, error);

        return kit ? tn_packagekit_ask(kit, settings->package, settings->max_age_days, error) : NULL;
}

static void add_packages(GPtrArray *verdicts, const struct tn_env *env,
                         const struct tn_update_settings *settings)
{
        bool automatic = g_str_equal(settings->manager, "auto");
        bool packagekit = g_str_equal(settings->manager, "packagekit");
        const struct tn_update_manager request = {settings->manager, settings->package,
                                                  settings->max_age_days, deadline_s(settings),
                                                  settings->run};
        g_autoptr(GError) error = NULL, own_error = NULL;
        g_autoptr(tn_verdict_t) own = NULL;
        struct tn_verdict *verdict = NULL;

        if (g_str_equal(settings->manager, "none"))
                return;
        tn_progress_step(settings->progress, "packagekit", "asking PackageKit, if it is there");
        if (automatic || packagekit)
                verdict = ask_packagekit(settings, &error);
        tn_progress_step(settings->progress, "packages", "asking the package manager");
        if (!packagekit && (!verdict || verdict->status == TN_UPDATE_CURRENT))
                own = tn_update_manager_ask(env, &request, &own_error);
        /* PackageKit has no update for what no repository has, either. */
        if (own && (!verdict || own->status == TN_UPDATE_UNMANAGED)) {
                tn_verdict_free(verdict);
                verdict = g_steal_pointer(&own);
        }
        if (!verdict && (own_error ||
                         (error && (packagekit || !g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND))))) {
                verdict = tn_verdict_new(TN_VERDICT_PACKAGES,
                                         packagekit || automatic ? "packagekit" : "packages");
                (void) tn_verdict_fail(verdict, "%s", own_error ? own_error->message : error->message);
        }
        if (verdict)
                g_ptr_array_add(verdicts, verdict);
}

static void add_host(GPtrArray *verdicts, const struct tn_env *env,
                     const struct tn_update_settings *settings)
{
        g_autofree char *folder = state_folder(settings);
        json_auto_t *announced = settings->announcement ? tn_json_file_read(env, folder, TN_UPDATE_ANNOUNCED)
                                                        : NULL;
        g_autoptr(GPtrArray) revoked = g_ptr_array_new();
        const char *version = json_string_value(json_object_get(announced, "version"));
        json_t *row;
        size_t i;

        json_array_foreach(json_object_get(announced, "revoked"), i, row)
        {
                if (json_is_string(row))
                        g_ptr_array_add(revoked, (char *) json_string_value(row));
        }
        if (!version && revoked->len == 0)
                return;
        g_ptr_array_add(revoked, NULL);
        g_ptr_array_add(verdicts, tn_verdict_of_host(installed_version(settings), version,
                                                     (const char *const *) revoked->pdata));
}

static bool verify(const struct tn_env *env, const char *keys_folder, const char *path, const char *text,
                   size_t len, struct tn_verdict *verdict, GError **error)
{
        const char *const folders[] = {keys_folder ? keys_folder + 1 : TN_PATH_VENDOR_KEYS + 1,
                                       TN_PATH_VENDOR_KEYS + 1, NULL};
        g_autofree char *signature_path = g_strconcat(path, ".minisig", NULL), *bytes = NULL;
        g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GArray) keys = tn_minisign_read_keys(env, folders, problems);
        struct tn_minisign_signature signature;
        char id[TN_MINISIGN_ID];
        size_t size;

        if (keys->len == 0)
                return tn_error_set(error, TN_ERROR_DENIED,
                                    "no key is trusted here: put the signer's .pub file into /%s%s%s",
                                    folders[0], problems->len ? "; " : "",
                                    problems->len ? (char *) g_ptr_array_index(problems, 0) : "");
        if (!tn_env_read(env, signature_path, &bytes, &size, error) ||
            !tn_minisign_parse(bytes, size, &signature, error) ||
            !tn_minisign_verify(&signature, text, len, keys, error))
                return false;
        tn_minisign_print_id(signature.id, id);
        verdict->verified_by = g_strdup_printf("minisign key %s", id);
        return true;
}

/* The highest serial of each channel is kept, so that an old manifest cannot come back. */
static bool remember(const struct tn_env *env, const struct tn_update_settings *settings, json_t *serials,
                     const struct tn_manifest *manifest, GError **error)
{
        g_autofree char *folder = state_folder(settings);
        json_auto_t *value = serials ? json_deep_copy(serials) : json_object();

        if (json_integer_value(json_object_get(value, manifest->channel)) == manifest->serial)
                return true;
        json_object_set_new(value, manifest->channel, json_integer(manifest->serial));
        return tn_json_file_write(env, folder, TN_UPDATE_SERIALS, value, error);
}

static bool judge_manifest(const struct tn_env *env, const struct tn_update_settings *settings,
                           const char *path, struct tn_verdict *verdict, GError **error)
{
        int64_t now = (int64_t) (env->now_usec(env, CLOCK_REALTIME) / G_USEC_PER_SEC), last;
        g_autofree char *folder = state_folder(settings);
        json_auto_t *serials = tn_json_file_read(env, folder, TN_UPDATE_SERIALS);
        g_autoptr(tn_manifest_t) manifest = NULL;
        g_autoptr(GError) not_kept = NULL;
        g_autofree char *text = NULL;
        size_t len;

        if (!tn_env_read(env, path, &text, &len, error))
                return false;
        if (len > TN_MANIFEST_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "it has more than %d bytes", TN_MANIFEST_MAX);
        if (!verify(env, settings->keys, path, text, len, verdict, error))
                return false;
        manifest = tn_manifest_parse(text, len, error);
        last = json_integer_value(json_object_get(serials, settings->channel));
        if (!manifest || !tn_manifest_is_fresh(manifest, settings->channel, last, now, error))
                return false;
        tn_manifest_judge(manifest, installed_version(settings), verdict);
        (void) remember(env, settings, serials, manifest, &not_kept); /* a user's check keeps nothing */
        return true;
}

static void add_manifest(GPtrArray *verdicts, const struct tn_env *env,
                         const struct tn_update_settings *settings)
{
        g_autoptr(GError) error = NULL;
        struct tn_verdict *verdict;

        tn_progress_step(settings->progress, "manifest", "reading the manifest, if there is one");
        if (!settings->manifest)
                return;
        verdict = tn_verdict_new(TN_VERDICT_MANIFEST, "manifest");
        if (!judge_manifest(env, settings, settings->manifest + 1, verdict, &error)) {
                g_clear_pointer(&verdict->verified_by, g_free);
                (void) tn_verdict_fail(verdict, "manifest %s: %s", settings->manifest, error->message);
        }
        g_ptr_array_add(verdicts, verdict);
}

json_t *tn_update_check(const struct tn_env *env, const struct tn_update_settings *settings)
{
        g_autoptr(GPtrArray) verdicts = g_ptr_array_new_with_free_func((GDestroyNotify) tn_verdict_free);
        int64_t now = (int64_t) (env->now_usec(env, CLOCK_REALTIME) / G_USEC_PER_SEC);

        add_packages(verdicts, env, settings);
        add_manifest(verdicts, env, settings);
        tn_progress_step(settings->progress, "host", "looking at what the host announced");
        add_host(verdicts, env, settings);
        return tn_verdict_conclude(verdicts, installed_version(settings), now);
}
