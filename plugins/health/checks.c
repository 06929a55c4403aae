/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The checks and their times. Due times are multiples of the interval, so that checks with the same interval
 * share a wakeup. The surprising thing: while file systems are frozen nothing is judged, because what waits
 * for them is not sick.
 */
#include "plugins/health/checks.h"

#include <string.h>

#include "lib/env.h"
#include "lib/problems.h"

#define SLACK_USEC  (50 * 1000)    /* what is due so soon is done in the same turn */
#define FROZEN_USEC G_USEC_PER_SEC /* how long a turn is put off while file systems are frozen */
#define TEXT_MAX    400            /* bytes of a message; a script may print more */

struct health_checks {
        struct tenon_host *host;
        struct health_bus *bus;
        struct health_checks_events events;
        GPtrArray *list; /* struct health_check, sorted by name */
};

static uint64_t now(const struct health_check *check)
{
        return tn_env_monotonic_usec(check->host->env);
}

const char *health_check_setting(const struct health_check *check, const char *key)
{
        return check->group ? check->host->config(check->host, check->group, key) : NULL;
}

static uint64_t setting_ms(const struct health_check *check, const char *key, uint64_t fallback_ms)
{
        const char *text = health_check_setting(check, key);

        return (text ? g_ascii_strtoull(text, NULL, 10) : fallback_ms) * 1000;
}

static double setting_limit(const struct health_check *check, const char *key)
{
        const char *text = health_check_setting(check, key);

        return text ? g_ascii_strtod(text, NULL) : 0;
}

static void schedule_at(struct health_check *check, uint64_t due_usec)
{
        check->due_usec = due_usec;
        check->owner->events.rearm(check->owner->events.data);
}

static void schedule(struct health_check *check)
{
        bool calm = check->result == HEALTH_OK && check->state.severity == HEALTH_OK;

        if (check->started_usec && !check->given_up)
                schedule_at(check, check->started_usec + check->deadline_usec);
        else if (calm && check->type->watches && check->type->watches(check))
                schedule_at(check, 0);
        else
                schedule_at(check, (now(check) / check->interval_usec + 1) * check->interval_usec);
}

static void measure(struct health_check *check)
{
        check->started_usec = MAX(now(check), 1);
        check->given_up = check->again = false;
        check->type->measure(check);
        if (check->started_usec) /* the answer comes later */
                schedule(check);
}

void health_check_look(struct health_check *check)
{
        if (check->started_usec)
                check->again = true;
        else if (health_is_frozen(check->host))
                schedule_at(check, now(check) + FROZEN_USEC);
        else
                measure(check);
}

/* What a result means. */
static void judge(struct health_check *check, enum health_severity result, char *message)
{
        enum health_severity before = check->state.severity;
        bool first = !check->message, changed = health_state_feed(&check->state, result);

        check->result = result;
        g_free(check->message);
        check->message = message;
        if (first || changed) {
                g_free(check->reason);
                check->reason = g_strdup(message);
                check->since_usec = check->host->env->now_usec(check->host->env, CLOCK_REALTIME);
        }
        if (changed)
                check->owner->events.changed(check, before, check->owner->events.data);
}

/* Takes @message. */
static void end(struct health_check *check, enum health_severity result, char *message)
{
        bool wanted = !check->given_up && (result == HEALTH_OK || !health_is_frozen(check->host));
        bool again = check->again;

        check->started_usec = 0;
        check->given_up = check->again = false;
        if (wanted)
                judge(check, result, message);
        else
                g_free(message);
        schedule(check);
        if (again)
                measure(check);
}

static char *format_message(const char *format, va_list args) G_GNUC_PRINTF(1, 0);

static char *format_message(const char *format, va_list args)
{
        g_autofree char *text = g_strdup_vprintf(format, args);
        g_autofree char *valid = g_utf8_make_valid(text, -1);

        if (strlen(valid) <= TEXT_MAX)
                return g_steal_pointer(&valid);
        return g_strndup(valid, (gsize) (g_utf8_find_prev_char(valid, valid + TEXT_MAX + 1) - valid));
}

void health_check_value(struct health_check *check, double value, const char *format, ...)
{
        char *message;
        va_list args;

        va_start(args, format);
        message = format_message(format, args);
        va_end(args);
        check->value = value;
        check->has_value = true;
        end(check, health_judge(value, check->warning, check->critical, check->type->falling), message);
}

void health_check_result(struct health_check *check, enum health_severity severity, const char *format, ...)
{
        char *message;
        va_list args;

        va_start(args, format);
        message = format_message(format, args);
        va_end(args);
        check->has_value = false;
        end(check, severity, message);
}

/* What hangs is waited for, but no longer believed, and not started a second time. */
static void give_up(struct health_check *check)
{
        check->given_up = true;
        check->has_value = false;
        judge(check, HEALTH_UNKNOWN,
              g_strdup_printf("no answer for %" G_GUINT64_FORMAT " ms", check->deadline_usec / 1000));
        schedule(check);
}

static void put_off(struct health_checks *checks, uint64_t until_usec)
{
        for (guint i = 0; i < checks->list->len; i++) {
                struct health_check *check = g_ptr_array_index(checks->list, i);

                if (check->due_usec && check->due_usec < until_usec) {
                        /* Its time to answer stands still, too. */
                        if (check->started_usec)
                                check->started_usec += until_usec - check->due_usec;
                        check->due_usec = until_usec;
                }
        }
        checks->events.rearm(checks->events.data);
}

void health_checks_turn(struct health_checks *checks)
{
        uint64_t limit = tn_env_monotonic_usec(checks->host->env) + SLACK_USEC;

        if (health_is_frozen(checks->host)) {
                put_off(checks, limit + FROZEN_USEC);
                return;
        }
        for (guint i = 0; i < checks->list->len; i++) {
                struct health_check *check = g_ptr_array_index(checks->list, i);

                if (!check->due_usec || check->due_usec > limit)
                        continue;
                if (check->started_usec && check->given_up)
                        schedule(check);
                else if (check->started_usec)
                        give_up(check);
                else
                        measure(check);
        }
}

uint64_t health_checks_next(const struct health_checks *checks)
{
        uint64_t next = 0;

        for (guint i = 0; i < checks->list->len; i++) {
                const struct health_check *check = g_ptr_array_index(checks->list, i);

                if (check->due_usec && (!next || check->due_usec < next))
                        next = check->due_usec;
        }
        return next;
}

static void check_free(void *data)
{
        struct health_check *check = data;

        if (check->type->deinit)
                check->type->deinit(check);
        g_free(check->name);
        g_free(check->group);
        g_free(check->reason);
        g_free(check->message);
        g_free(check);
}

/* @group NULL: a built-in check, which has only defaults. */
static struct health_check *add(struct health_checks *checks, const char *name, const char *group,
                                const struct health_type *type)
{
        struct health_check *check = g_new0(struct health_check, 1);
        const char *in_a_row;

        check->owner = checks;
        check->host = checks->host;
        check->type = type;
        check->name = g_strdup(name);
        check->group = g_strdup(group);
        check->required = g_strcmp0(health_check_setting(check, "required"), "yes") == 0;
        check->warning = setting_limit(check, "warning");
        check->critical = setting_limit(check, "critical");
        check->interval_usec = setting_ms(check, "interval-ms", HEALTH_INTERVAL_MS);
        check->deadline_usec = type->deadline_ms ? type->deadline_ms * UINT64_C(1000)
                                                 : setting_ms(check, "timeout-ms", HEALTH_INTERVAL_MS) +
                                                           HEALTH_GRACE_MS * UINT64_C(1000);
        in_a_row = health_check_setting(check, "in-a-row");
        check->state.in_a_row = in_a_row ? (unsigned) g_ascii_strtoull(in_a_row, NULL, 10) : 3;
        check->since_usec = checks->host->env->now_usec(checks->host->env, CLOCK_REALTIME);
        check->due_usec = 1; /* at the first turn */
        g_ptr_array_add(checks->list, check);
        return check;
}

/* The built-in check has no group, so its limits stand here; they are the defaults of the table. */
static void add_loop(struct health_checks *checks, bool name_is_free)
{
        struct health_check *check = add(checks, name_is_free ? "loop" : "main-loop", NULL,
                                         &health_type_loop);

        check->warning = 1000;
        check->critical = 10000;
}

static void add_configured(struct health_checks *checks)
{
        struct tenon_host *host = checks->host;
        g_auto(GStrv) names = host->config_names(host, "check");
        bool loop = false, name_is_free = true;

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *group = g_strdup_printf("check %s", names[i]);
                const struct health_type *type = health_type_find(host->config(host, group, "type"));

                loop |= type == &health_type_loop;
                name_is_free &= !g_str_equal(names[i], "loop");
                if (type && g_strcmp0(host->config(host, group, "enabled"), "no") != 0)
                        (void) add(checks, names[i], group, type);
        }
        if (!loop)
                add_loop(checks, name_is_free);
}

struct health_checks *health_checks_new(struct tenon_host *host, struct health_bus *bus,
                                        struct health_checks_events events)
{
        struct health_checks *checks = g_new0(struct health_checks, 1);

        checks->host = host;
        checks->bus = bus;
        checks->events = events;
        checks->list = g_ptr_array_new_with_free_func(check_free);
        add_configured(checks);
        for (guint i = 0; i < checks->list->len; i++) {
                struct health_check *check = g_ptr_array_index(checks->list, i);

                if (check->type->init)
                        check->type->init(check);
        }
        return checks;
}

void health_checks_free(struct health_checks *checks)
{
        if (!checks)
                return;
        g_ptr_array_free(checks->list, TRUE);
        g_free(checks);
}

char *health_checks_fault(struct tenon_host *host)
{
        g_auto(GStrv) names = host->config_names(host, "check");

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *group = g_strdup_printf("check %s", names[i]);
                const struct health_type *type = health_type_find(host->config(host, group, "type"));
                g_autofree char *fault = NULL;

                if (!type || !type->fault || g_strcmp0(host->config(host, group, "enabled"), "no") == 0 ||
                    g_strcmp0(host->config(host, group, "required"), "yes") != 0)
                        continue;
                fault = type->fault(host, group);
                if (fault)
                        return g_strdup_printf("the required check %s cannot work: %s", names[i], fault);
        }
        return NULL;
}

const struct health_check *health_checks_culprit(const struct health_checks *checks)
{
        for (guint i = 0; i < checks->list->len; i++) {
                const struct health_check *check = g_ptr_array_index(checks->list, i);

                if (check->required && check->state.severity == HEALTH_CRITICAL)
                        return check;
        }
        return NULL;
}

static json_t *describe(const struct health_check *check)
{
        json_t *row = json_pack("{s:s, s:s, s:b, s:s, s:I}", "name", check->name, "type", check->type->name,
                                "required", check->required, "state",
                                health_severity_name(check->state.severity), "since",
                                (json_int_t) (check->since_usec / G_USEC_PER_SEC));

        if (check->state.severity != HEALTH_OK)
                json_object_set_new(row, "reason", json_string(check->reason));
        return row;
}

static void add_problem(json_t *fact, const struct health_check *check)
{
        const struct health_type *type = check->type;
        const char *of = type->remedy_of ? health_check_setting(check, type->remedy_of) : NULL;
        g_autofree char *remedy = NULL;

        if (check->state.severity == HEALTH_UNKNOWN)
                remedy = g_strdup_printf("it cannot be checked; the reason says why, and [%s] of "
                                         "tenond.conf sets it",
                                         check->group ? check->group : "health");
        else
                remedy = g_strdup_printf("%s%s%s", type->remedy, of ? " " : "", of ? of : "");
        tn_problems_add(fact, remedy, "check %s is %s: %s", check->name,
                        health_severity_name(check->state.severity), check->reason);
}

json_t *health_checks_to_fact(const struct health_checks *checks)
{
        json_t *rows = json_array(), *fact = json_pack("{s:o}", "checks", rows);

        tn_problems_init(fact);

        for (guint i = 0; i < checks->list->len; i++) {
                const struct health_check *check = g_ptr_array_index(checks->list, i);

                json_array_append_new(rows, describe(check));
                if (check->state.severity != HEALTH_OK)
                        add_problem(fact, check);
        }
        return fact;
}

static void set_limit(json_t *row, const char *key, double limit)
{
        if (limit > 0)
                json_object_set_new(row, key, json_integer((json_int_t) limit));
}

json_t *health_checks_to_json(const struct health_checks *checks)
{
        json_t *rows = json_array();

        for (guint i = 0; i < checks->list->len; i++) {
                const struct health_check *check = g_ptr_array_index(checks->list, i);
                json_t *row = describe(check);
                bool watches = check->type->watches && check->type->watches(check);

                if (check->has_value)
                        json_object_set_new(row, "value",
                                            json_real((double) (int64_t) (check->value * 10 + 0.5) / 10));
                if (check->type->unit)
                        json_object_set_new(row, "unit", json_string(check->type->unit));
                set_limit(row, "warning", check->warning);
                set_limit(row, "critical", check->critical);
                if (check->message) {
                        json_object_set_new(row, "result", json_string(health_severity_name(check->result)));
                        json_object_set_new(row, "message", json_string(check->message));
                }
                json_object_set_new(row, "in-a-row", json_integer(check->state.in_a_row));
                json_object_set_new(row, "interval-ms",
                                    json_integer((json_int_t) (check->interval_usec / 1000)));
                json_object_set_new(row, "by", json_string(watches ? "event" : "interval"));
                json_array_append_new(rows, row);
        }
        return rows;
}

struct health_bus *health_checks_bus(const struct health_checks *checks)
{
        return checks->bus;
}
