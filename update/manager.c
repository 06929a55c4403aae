/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table of package managers, and how each is asked. They only read what they have fetched before, so
 * that a check needs no network and no lock. The surprising thing: lists that nobody has fetched for weeks
 * say "nothing newer", too, and so their age is looked at.
 */
#include "update/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/error.h"
#include "update/answer.h"

#define DAY_S 86400

static const struct manager {
        const char *name;
        const char *program;
        const char *database; /* there is one here: this machine is managed by it */
        const char *words[8]; /* the package's name follows */
        const char *lists[4]; /* the newest of them tells when lists were fetched */
        const char *refresh;  /* what fetches them */
        const char *none;     /* what it says, and fails, where there is no such package; or NULL */
        tn_update_answer_func parse;
} managers[] = {
        {
                .name = "apt",
                .program = "apt-cache",
                .database = "var/lib/dpkg",
                .words = {"-q", "policy", "--"},
                .lists = {"var/lib/apt/lists", "var/lib/apt/lists/partial",
                          "var/lib/apt/periodic/update-success-stamp"},
                .refresh = "apt-get update",
                .parse = tn_update_answer_apt,
        },
        {
                .name = "dnf",
                .program = "dnf",
                .database = "var/lib/rpm",
                /* Without the last word it leaves out the version that is installed. */
                .words = {"-q", "-C", "list", "--showduplicates"},
                .lists = {"var/cache/dnf", "var/cache/dnf/expired_repos.json", "var/cache/libdnf5"},
                .refresh = "dnf makecache",
                .none = "No matching ",
                .parse = tn_update_answer_dnf,
        },
        {
                .name = "zypper",
                .program = "zypper",
                .database = "var/lib/rpm",
                .words = {"--non-interactive", "--no-refresh", "--quiet", "info", "--"},
                .lists = {"var/cache/zypp/raw", "var/cache/zypp/solv"},
                .refresh = "zypper refresh",
                .none = "' not found.",
                .parse = tn_update_answer_zypper,
        },
        {
                .name = "apk",
                .program = "apk",
                .database = "lib/apk/db/installed",
                .words = {"--no-network", "version", "-v", "-l", "<=>?"},
                .lists = {"var/cache/apk"},
                .refresh = "apk update",
                .parse = tn_update_answer_apk,
        },
};

/* Programs of other distributions are installed for other reasons, too: the database tells whose machine it
 * is. */
static const struct manager *find_manager(const struct tn_env *env, const char *name, char **ret_path)
{
        for (size_t i = 0; i < G_N_ELEMENTS(managers); i++) {
                const struct manager *manager = &managers[i];
                bool named = g_str_equal(name, manager->name);

                if (!named && (!g_str_equal(name, "auto") || !tn_env_exists(env, manager->database)))
                        continue;
                *ret_path = tn_tool_find(env, manager->program);
                if (*ret_path)
                        return manager;
        }
        return NULL;
}

/* Seconds since the lists were fetched; -1 when that cannot be seen. */
static int64_t age_of_lists(const struct tn_env *env, const struct manager *manager)
{
        int64_t now = (int64_t) (env->now_usec(env, CLOCK_REALTIME) / G_USEC_PER_SEC), newest = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(manager->lists) && manager->lists[i]; i++) {
                struct stat st;

                if (fstatat(env->root_fd, manager->lists[i], &st, 0) == 0)
                        newest = MAX(newest, (int64_t) st.st_mtime);
        }
        return newest > 0 ? MAX(now - newest, 0) : -1;
}

void tn_update_judge_age(struct tn_verdict *verdict, int64_t age_s, unsigned max_age_days,
                         const char *remedy)
{
        if (max_age_days == 0 || age_s < (int64_t) max_age_days * DAY_S ||
            verdict->status == TN_UPDATE_OUT_OF_DATE)
                return;
        (void) tn_verdict_fail(verdict,
                               "the lists of packages are %" G_GINT64_FORMAT
                               " days old, so that they say nothing; try %s",
                               age_s / DAY_S, remedy);
}

static void judge(struct tn_verdict *verdict, const struct manager *manager, struct tn_update_answer *answer)
{
        verdict->installed = g_steal_pointer(&answer->installed);
        verdict->candidate = g_steal_pointer(&answer->candidate);
        if (!verdict->installed) {
                verdict->status = TN_UPDATE_UNMANAGED;
                verdict->message = g_strdup_printf("it was not installed by %s", manager->name);
        } else if (!verdict->candidate) {
                verdict->status = TN_UPDATE_UNMANAGED;
        } else {
                verdict->verified_by = g_strdup(manager->name);
                verdict->security = answer->security;
                verdict->status = answer->newer ? TN_UPDATE_OUT_OF_DATE
                                  : g_str_equal(verdict->installed, verdict->candidate) ? TN_UPDATE_CURRENT
                                                                                        : TN_UPDATE_NEWER;
        }
}

static char **argv_of(const struct manager *manager, const char *path, const char *package)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new();

        g_ptr_array_add(argv, g_strdup(path));
        for (size_t i = 0; i < G_N_ELEMENTS(manager->words) && manager->words[i]; i++)
                g_ptr_array_add(argv, g_strdup(manager->words[i]));
        g_ptr_array_add(argv, g_strdup(package));
        g_ptr_array_add(argv, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

static void ask(struct tn_verdict *verdict, const struct tn_env *env, const struct manager *manager,
                const char *path, const struct tn_update_manager *request)
{
        g_auto(GStrv) argv = argv_of(manager, path, request->package);
        g_auto(tn_tool_result_t) result = {0};
        g_auto(tn_update_answer_t) answer = {0};
        tn_tool_run_func run = request->run ? request->run : tn_tool_run;
        g_autoptr(GError) error = NULL;

        if (!run(env, (const char *const *) argv, request->deadline_s, NULL, &result, &error))
                (void) tn_verdict_fail(verdict, "ask %s: %s", manager->name, error->message);
        else if (result.timed_out)
                (void) tn_verdict_fail(verdict, "%s did not answer within %u s", path, request->deadline_s);
        else if (manager->none && strstr(result.output->str, manager->none))
                judge(verdict, manager, &answer);
        else if (result.exit_status != 0)
                (void) tn_verdict_fail(verdict, "%s ended with exit status %d: %.200s", path,
                                       result.exit_status, g_strstrip(result.output->str));
        else if (!manager->parse(result.output->str, request->package, &answer, &error))
                (void) tn_verdict_fail(verdict, "ask %s: %s", path, error->message);
        else
                judge(verdict, manager, &answer);
}

struct tn_verdict *tn_update_manager_ask(const struct tn_env *env, const struct tn_update_manager *request,
                                         GError **error)
{
        g_autofree char *path = NULL;
        const struct manager *manager = find_manager(env, request->name, &path);
        struct tn_verdict *verdict;

        if (!manager) {
                if (!g_str_equal(request->name, "auto"))
                        (void) tn_error_set(
                                error, TN_ERROR_NOT_FOUND,
                                "package-manager=%s in [update] of tenond.conf, but there is none here",
                                request->name);
                return NULL;
        }
        verdict = tn_verdict_new(TN_VERDICT_PACKAGES, manager->name);
        ask(verdict, env, manager, path, request);
        tn_update_judge_age(verdict, age_of_lists(env, manager), request->max_age_days, manager->refresh);
        return verdict;
}
