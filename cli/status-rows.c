/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One function for each row, and a table of them at the end: a row whose member is missing says nothing, or
 * says that the part is not there. So the same screen shows what can be told without an agent.
 */
#include "cli/status-rows.h"

#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/drivers.h"
#include "cli/when.h"
#include "lib/holder.h"

typedef void (*row_func)(const struct tn_status_view *view, const json_t *value);

static double number(const json_t *object, const char *key)
{
        return json_number_value(json_object_get(object, key));
}

static bool is(const json_t *object, const char *key, const char *text)
{
        return g_str_equal(tn_cli_text(object, key), text);
}

static const json_t *fact(const struct tn_status_view *view, const char *name)
{
        return json_object_get(json_object_get(view->status, "facts"), name);
}

static void print_remedy(const char *remedy)
{
        if (remedy && *remedy)
                tn_cli_marked(TN_MARK_NONE, "  Remedy", "%s", remedy);
}

void tn_status_print_problems(const json_t *health)
{
        const json_t *remedies = json_object_get(health, "remedies");
        json_t *problem;
        size_t i;

        json_array_foreach(json_object_get(health, "problems"), i, problem)
        {
                const char *text = json_string_value(problem);

                tn_cli_marked(TN_MARK_BAD, "Attention", "%s", text ? text : "");
                print_remedy(json_string_value(json_array_get(remedies, i)));
        }
}

/* "kernel 6.1 has no module x; run: …": the remedy stands behind the semicolon. */
static void print_lacking(const json_t *device, const char *problem)
{
        const char *semicolon = strstr(problem, "; ");
        g_autofree char *why = semicolon ? g_strndup(problem, (gsize) (semicolon - problem))
                                         : g_strdup(problem);

        tn_cli_marked(TN_MARK_BAD, "Advice", "%s %s has no driver: %s", tn_cli_text(device, "bus"),
                      tn_cli_text(device, "device"), why);
        print_remedy(semicolon ? semicolon + 2 : NULL);
}

static void print_driver_advice(const json_t *device)
{
        const json_t *advice = json_object_get(device, "advice");
        const char *problem = tn_cli_text(device, "problem");
        g_autofree char *used_by = tn_cli_used_by(device);

        if (*problem)
                print_lacking(device, problem);
        if (!advice || !is(advice, "importance", "high"))
                return;
        tn_cli_marked(TN_MARK_BAD, "Advice", "%s%s%s%s is emulated, %s would be faster",
                      tn_cli_text(device, "device"), *used_by ? " (" : "", used_by, *used_by ? ")" : "",
                      tn_cli_text(advice, "module"));
        print_remedy("tenonctl drivers says what to change on the host");
}

void tn_status_print_attention(const struct tn_status_view *view)
{
        const json_t *health = json_object_get(view->status, "health");
        json_t *device;
        size_t i;

        if (!is(health, "state", "not-running")) /* that has been said */
                tn_status_print_problems(health);
        if (*tn_cli_text(view->time, "refusal")) {
                tn_cli_marked(TN_MARK_BAD, "Attention", "the clock is not put right: %s",
                              tn_cli_text(view->time, "refusal"));
                print_remedy("tenonctl time tells more");
        }
        json_array_foreach(json_object_get(view->inventory, "devices"), i, device)
                print_driver_advice(device);
}

static void print_agent(const struct tn_status_view *view, const json_t *health)
{
        g_autofree char *span = tn_when_span((int64_t) number(view->status, "uptime-seconds"));

        if (is(health, "state", "not-running"))
                tn_cli_marked(TN_MARK_BAD, "Agent", "not running");
        else
                tn_cli_marked(is(health, "state", "ok") ? TN_MARK_GOOD : TN_MARK_BAD, "Agent",
                              "Tenon %s, %s, running for %s", tn_cli_text(view->status, "version"),
                              tn_cli_text(health, "state"), span);
}

/* The first fact of the primary's id has the evidence; the others are named. */
static void print_hypervisor(const struct tn_status_view *view, const json_t *detected)
{
        const json_t *primary = json_object_get(detected, "primary");
        g_autoptr(GString) also = g_string_new(NULL);
        const char *evidence = "";
        json_t *row;
        size_t i;

        (void) view;
        json_array_foreach(json_object_get(detected, "facts"), i, row)
        {
                if (is(row, "kind", tn_cli_text(primary, "kind")) &&
                    is(row, "id", tn_cli_text(primary, "id")))
                        evidence = tn_cli_text(row, "evidence");
                else
                        g_string_append_printf(also, "%s%s %s", also->len ? ", " : "",
                                               tn_cli_text(row, "kind"), tn_cli_text(row, "id"));
        }
        tn_cli_marked(TN_MARK_PLAIN, "Hypervisor", "%s%s%s%s",
                      json_is_object(primary) ? tn_cli_text(primary, "id") : "none (bare metal)",
                      *evidence ? " (" : "", evidence, *evidence ? ")" : "");
        if (also->len)
                tn_cli_marked(TN_MARK_NONE, "", "also: %s", also->str);
}

static void print_channel(const struct tn_env *env, const json_t *channel)
{
        const char *state = tn_cli_text(channel, "state");
        bool qmp = is(channel, "role", "qmp"), open = g_str_equal(state, "open");
        g_autofree char *owner = NULL;
        unsigned connected = 0;
        json_t *client;
        size_t i;

        json_array_foreach(json_object_get(channel, "clients"), i, client)
                connected += json_is_true(json_object_get(client, "connected"));
        if (g_str_equal(state, "busy"))
                owner = tn_holder_find(env, tn_cli_text(channel, "path"));
        tn_cli_marked(connected ? TN_MARK_GOOD
                      : open    ? TN_MARK_PLAIN
                      : qmp     ? TN_MARK_OFF
                                : TN_MARK_BAD,
                      qmp ? "QMP" : "Host", "%s at %s: %s%s%s, %s", tn_cli_text(channel, "method"),
                      tn_cli_text(channel, "path"), state, owner ? ", owned by " : "", owner ? owner : "",
                      connected ? "host connected" : "no host connected");
}

static void print_channels(const struct tn_status_view *view, const json_t *channels)
{
        json_t *channel;
        size_t i;

        json_array_foreach(channels, i, channel) if (!is(channel, "role", "control"))
                print_channel(view->env, channel);
}

static void print_policy(const struct tn_status_view *view, const json_t *policy)
{
        (void) view;
        tn_cli_marked(TN_MARK_PLAIN, "Policy", "%s", tn_cli_text(policy, "preset"));
}

static void print_plugins(const struct tn_status_view *view, const json_t *plugins)
{
        unsigned running = 0, commands = 0, broken = 0;
        json_t *plugin;
        size_t i;

        (void) view;
        json_array_foreach(plugins, i, plugin)
        {
                broken += is(plugin, "state", "failed") || is(plugin, "state", "refused");
                if (!is(plugin, "state", "running"))
                        continue;
                running++;
                commands += (unsigned) json_array_size(json_object_get(plugin, "commands"));
        }
        tn_cli_marked(broken ? TN_MARK_BAD : TN_MARK_GOOD, "Plugins", "%u of %zu running, %u commands",
                      running, json_array_size(plugins), commands);
}

static void print_drivers(const struct tn_status_view *view, const json_t *drivers)
{
        g_autoptr(GString) bound = g_string_new(NULL);
        json_t *row;
        size_t i;

        (void) view;
        json_array_foreach(drivers, i, row)
        {
                const char *driver = tn_cli_text(row, "driver");

                if (is(row, "kind", "paravirtual") && *driver && !strstr(bound->str, driver))
                        g_string_append_printf(bound, "%s%s", bound->len ? ", " : "", driver);
        }
        tn_cli_marked(bound->len ? TN_MARK_GOOD : TN_MARK_OFF, "Drivers", "%s",
                      bound->len ? bound->str : "no paravirtual devices");
}

static enum tn_mark mark_of_watchdog(const json_t *watchdog)
{
        if (is(watchdog, "state", "starving") || is(watchdog, "state", "refused") ||
            json_object_get(watchdog, "brake"))
                return TN_MARK_BAD;
        return is(watchdog, "state", "fed") ? TN_MARK_GOOD : TN_MARK_OFF;
}

static void print_watchdog(const struct tn_status_view *view, const json_t *watchdog)
{
        const json_t *last = json_object_get(watchdog, "last-reset");
        const char *device = tn_cli_text(watchdog, "device"), *reason = tn_cli_text(watchdog, "reason");

        (void) view;
        if (!json_is_object(watchdog)) {
                tn_cli_marked(TN_MARK_OFF, "Watchdog", "the plugin watchdog does not run");
                return;
        }
        tn_cli_marked(mark_of_watchdog(watchdog), "Watchdog", "%s%s%s%s%s", tn_cli_text(watchdog, "state"),
                      *device ? ", " : "", device, *reason ? ": " : "", reason);
        if (last)
                tn_cli_marked(TN_MARK_NONE, "", "last reset: %s: %s", tn_cli_text(last, "cause"),
                              tn_cli_text(last, "reason"));
        if (json_object_get(watchdog, "brake"))
                tn_cli_marked(TN_MARK_NONE, "",
                              "the brake is on: too many resets, so no check stops the feeding");
}

/* "kept by chrony, 3 µs behind ptp_kvm"; "" when nobody knows. */
static char *describe_clock(const struct tn_status_view *view)
{
        const json_t *sync = fact(view, "time-sync");
        const char *owner = tn_cli_text(sync, "owner"), *source = tn_cli_text(view->time, "source");
        double nsec = number(view->time, "offset");
        g_autofree char *offset = tn_when_duration(fabs(nsec));
        g_autofree char *by = !*owner ? NULL : g_strdup_printf(", kept by %s", owner);

        if (!by || !*source || !json_is_number(json_object_get(view->time, "offset")))
                return g_strdup(by ? by : "");
        return g_strdup_printf("%s, %s %s %s", by, offset, nsec < 0 ? "ahead of" : "behind", source);
}

static void print_time(const struct tn_status_view *view, const json_t *now)
{
        g_autofree char *text = tn_when_text((time_t) (number(now, "realtime") / 1e9));
        g_autofree char *clock = describe_clock(view);
        bool bad = *tn_cli_text(view->time, "refusal") != '\0';

        tn_cli_marked(bad      ? TN_MARK_BAD
                      : *clock ? TN_MARK_GOOD
                               : TN_MARK_PLAIN,
                      "Time", "%s%s, clock source %s", text, clock, tn_cli_text(now, "clocksource"));
}

/* How many of @rows are well, and the first that is not. */
static unsigned count_well(const json_t *rows, const json_t **ret_first)
{
        unsigned well = 0;
        json_t *row;
        size_t i;

        json_array_foreach(rows, i, row)
        {
                if (is(row, "state", "ok"))
                        well++;
                else if (!*ret_first)
                        *ret_first = row;
        }
        return well;
}

static void print_counted(const char *label, const char *what, const json_t *rows)
{
        const json_t *first = NULL;
        unsigned well = count_well(rows, &first);
        size_t n = json_array_size(rows);

        if (n == 0)
                tn_cli_marked(TN_MARK_OFF, label, "no %s", what);
        else if (!first)
                tn_cli_marked(TN_MARK_GOOD, label, "all well (%zu)", n);
        else
                tn_cli_marked(TN_MARK_BAD, label, "%u of %zu well; %s: %s", well, n,
                              tn_cli_text(first, "name"), tn_cli_text(first, "state"));
}

static void print_health(const struct tn_status_view *view, const json_t *checks)
{
        const json_t *gate = fact(view, "health-gate");

        print_counted("Health", "checks", json_object_get(checks, "checks"));
        if (json_is_false(json_object_get(gate, "feed")))
                tn_cli_marked(TN_MARK_NONE, "", "no watchdog may be fed: %s", tn_cli_text(gate, "reason"));
}

static void print_heartbeats(const struct tn_status_view *view, const json_t *beats)
{
        (void) view;
        print_counted("Heartbeats", "heartbeats", json_object_get(beats, "heartbeats"));
}

static void print_update(const struct tn_status_view *view, const json_t *update)
{
        static const char *const good[] = {"current", "managed", "newer", NULL};
        static const char *const bad[] = {"out-of-date", "revoked", NULL};
        const char *status = tn_cli_text(update, "status"), *candidate = tn_cli_text(update, "candidate");
        const char *message = tn_cli_text(update, "message"), *source = tn_cli_text(update, "source");
        g_autofree char *when = tn_when_text((time_t) number(update, "checked-at"));

        (void) view;
        if (!json_is_object(update)) {
                tn_cli_marked(TN_MARK_OFF, "Update", "not checked yet; tenonctl update check does it now");
                return;
        }
        tn_cli_marked(g_strv_contains(good, status)  ? TN_MARK_GOOD
                      : g_strv_contains(bad, status) ? TN_MARK_BAD
                                                     : TN_MARK_OFF,
                      "Update", "%s%s%s%s%s%s, checked %s", status,
                      json_is_true(json_object_get(update, "security")) ? " (security)" : "",
                      *candidate ? ", newest " : "", candidate, *source ? ", by " : "", source, when);
        if (*message)
                tn_cli_marked(TN_MARK_NONE, "", "%s", message);
}

static const struct {
        const char *member; /* of the status, or of its facts */
        bool of_facts;
        bool always; /* also when it is not there */
        row_func print;
} rows[] = {
        {"health", false, true, print_agent},
        {"hypervisor", false, false, print_hypervisor},
        {"channels", false, false, print_channels},
        {"policy", false, false, print_policy},
        {"plugins", false, false, print_plugins},
        {"drivers", false, false, print_drivers},
        {"watchdog", false, false, print_watchdog},
        {"update", false, false, print_update},
        {"time", false, false, print_time},
        {"checks", true, false, print_health},
        {"heartbeats", true, false, print_heartbeats},
};

void tn_status_print_parts(const struct tn_status_view *view)
{
        const json_t *facts = json_object_get(view->status, "facts");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const json_t *value = json_object_get(rows[i].of_facts ? facts : view->status,
                                                      rows[i].member);

                if (value || rows[i].always)
                        rows[i].print(view, value);
        }
}
