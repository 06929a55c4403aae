/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Several sources, one word. The rule that matters: a source that should have answered and did not makes the
 * whole unknown, never current, for who can keep a guest from hearing of an update wants just that. Bad news
 * is believed from any of them.
 */
#include "update/verdict.h"

#include "lib/json.h"
#include "lib/problems.h"
#include "lib/version.h"

static const struct {
        const char *name;
        int exit_status;
} words[_TN_UPDATE_MAX] = {
        [TN_UPDATE_UNKNOWN] = {"unknown", 20},         [TN_UPDATE_CURRENT] = {"current", 0},
        [TN_UPDATE_MANAGED] = {"managed", 0},          [TN_UPDATE_NEWER] = {"newer", 0},
        [TN_UPDATE_OUT_OF_DATE] = {"out-of-date", 10}, [TN_UPDATE_REVOKED] = {"revoked", 11},
        [TN_UPDATE_UNMANAGED] = {"unmanaged", 20},
};

struct tn_verdict *tn_verdict_new(enum tn_verdict_kind kind, const char *source)
{
        struct tn_verdict *verdict = g_new0(struct tn_verdict, 1);

        verdict->kind = kind;
        verdict->source = source;
        return verdict;
}

void tn_verdict_free(struct tn_verdict *verdict)
{
        if (!verdict)
                return;
        g_free(verdict->installed);
        g_free(verdict->candidate);
        g_free(verdict->verified_by);
        g_free(verdict->message);
        g_free(verdict);
}

struct tn_verdict *tn_verdict_fail(struct tn_verdict *verdict, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        g_free(verdict->message);
        verdict->message = g_strdup_vprintf(format, args);
        va_end(args);
        /* What programs print may be in it, and it goes to terminals. */
        for (char *at = verdict->message; *at; at++)
                if (g_ascii_iscntrl(*at))
                        *at = ' ';
        verdict->status = TN_UPDATE_UNKNOWN;
        return verdict;
}

const char *tn_update_status_name(enum tn_update_status status)
{
        return words[status].name;
}

enum tn_update_status tn_update_status_parse(const char *name)
{
        for (int i = 0; i < _TN_UPDATE_MAX; i++)
                if (g_strcmp0(words[i].name, name) == 0)
                        return (enum tn_update_status) i;
        return TN_UPDATE_UNKNOWN;
}

int tn_update_exit_status(enum tn_update_status status, bool security)
{
        return status == TN_UPDATE_OUT_OF_DATE && security ? 11 : words[status].exit_status;
}

struct tn_verdict *tn_verdict_of_host(const char *installed, const char *version, const char *const *revoked)
{
        struct tn_verdict *verdict = tn_verdict_new(TN_VERDICT_HOST, "host");
        int order = version ? tn_version_compare(TN_VERSION_DPKG, installed, version) : 0;

        verdict->installed = g_strdup(installed);
        verdict->candidate = g_strdup(version);
        verdict->status = order < 0   ? TN_UPDATE_OUT_OF_DATE
                          : order > 0 ? TN_UPDATE_NEWER
                                      : TN_UPDATE_CURRENT;
        for (; revoked && *revoked; revoked++)
                if (tn_version_compare(TN_VERSION_DPKG, installed, *revoked) == 0) {
                        verdict->status = TN_UPDATE_REVOKED;
                        verdict->message = g_strdup_printf("the host says that %s must not be used any more",
                                                           installed);
                }
        return verdict;
}

static const struct tn_verdict *find_status(const GPtrArray *verdicts, enum tn_update_status status,
                                            enum tn_verdict_kind weakest)
{
        const struct tn_verdict *best = NULL;

        for (guint i = 0; i < verdicts->len; i++) {
                const struct tn_verdict *verdict = g_ptr_array_index(verdicts, i);

                if (verdict->status == status && verdict->kind <= weakest &&
                    (!best || verdict->kind < best->kind))
                        best = verdict;
        }
        return best;
}

static bool any_security(const GPtrArray *verdicts)
{
        for (guint i = 0; i < verdicts->len; i++)
                if (((const struct tn_verdict *) g_ptr_array_index(verdicts, i))->security)
                        return true;
        return false;
}

/* Which verdict counts, and for what. NULL: nobody was asked. */
static const struct tn_verdict *decide(const GPtrArray *verdicts, enum tn_update_status *ret)
{
        /* In this order, each looked for in sources up to this weak. The host's wish comes after what the
         * distribution says, since it is advice. */
        static const struct {
                enum tn_update_status status;
                enum tn_verdict_kind weakest;
        } order[] = {
                {TN_UPDATE_REVOKED, TN_VERDICT_HOST},       {TN_UPDATE_OUT_OF_DATE, TN_VERDICT_MANIFEST},
                {TN_UPDATE_UNKNOWN, TN_VERDICT_HOST},       {TN_UPDATE_CURRENT, TN_VERDICT_PACKAGES},
                {TN_UPDATE_NEWER, TN_VERDICT_PACKAGES},     {TN_UPDATE_OUT_OF_DATE, TN_VERDICT_HOST},
                {TN_UPDATE_CURRENT, TN_VERDICT_MANIFEST},   {TN_UPDATE_NEWER, TN_VERDICT_MANIFEST},
                {TN_UPDATE_CURRENT, TN_VERDICT_HOST},       {TN_UPDATE_NEWER, TN_VERDICT_HOST},
                {TN_UPDATE_UNMANAGED, TN_VERDICT_PACKAGES},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
                const struct tn_verdict *found = find_status(verdicts, order[i].status, order[i].weakest);

                if (!found)
                        continue;
                *ret = found->status;
                /* The host wants another one than the distribution has: fine, and worth a word. */
                if (found->kind == TN_VERDICT_PACKAGES && found->status == TN_UPDATE_CURRENT &&
                    (find_status(verdicts, TN_UPDATE_OUT_OF_DATE, TN_VERDICT_HOST) ||
                     find_status(verdicts, TN_UPDATE_NEWER, TN_VERDICT_HOST)))
                        *ret = TN_UPDATE_MANAGED;
                return found;
        }
        *ret = TN_UPDATE_UNKNOWN;
        return NULL;
}

static json_t *sources_to_json(const GPtrArray *verdicts)
{
        json_t *sources = json_array();

        for (guint i = 0; i < verdicts->len; i++) {
                const struct tn_verdict *verdict = g_ptr_array_index(verdicts, i);
                json_t *row = json_pack("{s:s, s:s, s:o}", "source", verdict->source, "status",
                                        tn_update_status_name(verdict->status), "candidate",
                                        tn_json_text(verdict->candidate));

                tn_json_set_text(row, "verified-by", verdict->verified_by);
                tn_json_set_text(row, "message", verdict->message);
                json_array_append_new(sources, row);
        }
        return sources;
}

/* What people read, made of the status where the source had no sentence of its own. */
static char *describe(const struct tn_verdict *verdict, enum tn_update_status status, bool security)
{
        if (!verdict)
                return g_strdup(
                        "there is nobody to ask: no package manager that is known here, no announcement "
                        "of the host and no manifest; see tenonctl(1)");
        if (status == TN_UPDATE_MANAGED)
                return g_strdup(
                        "managed by the distribution, whose newest version it is; the host announces "
                        "another one");
        if (verdict->message)
                return g_strdup(verdict->message);
        if (status == TN_UPDATE_OUT_OF_DATE)
                return g_strdup_printf("%s is available%s", verdict->candidate,
                                       security ? ", and mends a security problem" : "");
        return g_strdup(status == TN_UPDATE_UNMANAGED ? "no repository has this package: nobody updates it"
                                                      : "nothing newer is known");
}

/* For `health`: what an administrator should do something about. */
static void add_problems(json_t *result, enum tn_update_status status, const char *installed,
                         const char *message)
{
        if (status == TN_UPDATE_REVOKED)
                tn_problems_add(result,
                                "tenonctl update tells more, tenonctl update install asks for another one",
                                "Tenon %s is revoked: %s", installed, message);
        else if (status == TN_UPDATE_OUT_OF_DATE)
                tn_problems_add(result, "tenonctl update install", "Tenon %s is out of date: %s", installed,
                                message);
}

json_t *tn_verdict_conclude(const GPtrArray *verdicts, const char *installed, int64_t checked_at)
{
        enum tn_update_status status;
        const struct tn_verdict *verdict = decide(verdicts, &status);
        bool security = any_security(verdicts) && status == TN_UPDATE_OUT_OF_DATE;
        g_autofree char *message = describe(verdict, status, security);
        const char *present = verdict && verdict->installed ? verdict->installed : installed;
        json_t *result;

        result = json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o}", "status",
                           tn_update_status_name(status), "installed", tn_json_text(present), "candidate",
                           tn_json_text(verdict ? verdict->candidate : NULL), "source",
                           tn_json_text(verdict ? verdict->source : NULL), "verified-by",
                           tn_json_text(verdict ? verdict->verified_by : NULL), "checked-at",
                           (json_int_t) checked_at, "security", security, "message", tn_json_text(message),
                           "sources", sources_to_json(verdicts));
        tn_problems_init(result);
        add_problems(result, status, present, message);
        return result;
}
