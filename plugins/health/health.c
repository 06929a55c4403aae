/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plugin: checks, heartbeats, and the gate that they close together. One timer for all of them, armed
 * only while something has a time; with nothing but the built-in check there is none. The surprising thing:
 * nothing outside of the process is touched before the loop turns, for `tenond --dump-conf` starts plugins,
 * too, and must not take the socket of the agent that runs.
 */
#include "plugins/health/health.h"

#include "lib/env.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"
#include "plugins/health/access.h"
#include "plugins/health/beat-bus.h"
#include "plugins/health/beat-socket.h"
#include "plugins/health/bus-link.h"
#include "plugins/health/checks.h"
#include "plugins/health/gate.h"
#include "plugins/health/heartbeats.h"

#define LATE_USEC   G_USEC_PER_SEC /* a timer that comes so late was held up, and so were the beats */
#define FROZEN_USEC G_USEC_PER_SEC /* between two looks while file systems are frozen */

struct health {
        struct tenon_host *host;
        struct health_bus *bus;
        struct health_gate *gate;
        struct health_checks *checks; /* NULL until the loop turns */
        struct heartbeats *heartbeats;
        struct health_access *access;
        struct beat_socket *sock;
        struct beat_bus *service; /* NULL: not wanted */
        char *socket_problem;
        guint start_source, timer;
        uint64_t timer_usec; /* when it is due, monotonic */
        bool turning, frozen;
};

bool health_is_frozen(struct tenon_host *host)
{
        static const char *const states[] = {"freezing", "frozen", "thawing", NULL};
        const char *state = json_string_value(json_object_get(host->fact_get(host, "freeze"), "state"));

        return state && g_strv_contains(states, state);
}

unsigned health_setting(struct tenon_host *host, const char *group, const char *key, unsigned fallback)
{
        const char *text = host->config(host, group, key);

        return text ? (unsigned) g_ascii_strtoull(text, NULL, 10) : fallback;
}

static void rearm(void *data);

static void turn(struct health *health)
{
        uint64_t now = tn_env_monotonic_usec(health->host->env);
        uint64_t late = health->timer_usec && now > health->timer_usec ? now - health->timer_usec : 0;

        health->turning = true;
        beat_socket_drain(health->sock); /* what has come in time counts */
        if (health->frozen)
                heartbeats_hold(health->heartbeats, now + FROZEN_USEC);
        else if (late > LATE_USEC)
                heartbeats_forgive(health->heartbeats, true);
        heartbeats_turn(health->heartbeats);
        health_checks_turn(health->checks);
        health->turning = false;
        rearm(health);
}

static gboolean on_timer(void *data)
{
        struct health *health = data;

        health->timer = 0;
        turn(health);
        return G_SOURCE_REMOVE;
}

static void rearm(void *data)
{
        struct health *health = data;
        uint64_t checks, beats, next, now;

        if (!health->checks || health->turning)
                return;
        checks = health_checks_next(health->checks);
        beats = heartbeats_next(health->heartbeats);
        next = checks && beats ? MIN(checks, beats) : MAX(checks, beats);
        if (health->timer && next == health->timer_usec)
                return;
        g_clear_handle_id(&health->timer, g_source_remove);
        health->timer_usec = next;
        if (!next)
                return;
        now = tn_env_monotonic_usec(health->host->env);
        health->timer = g_timeout_add(next > now ? (guint) MIN((next - now) / 1000 + 1, G_MAXINT32) : 0,
                                      on_timer, health);
}

/* What is required decides; a check that does not work, or a heartbeat that nobody needs, closes nothing. */
static void update_gate(struct health *health)
{
        const struct health_check *check = health->checks ? health_checks_culprit(health->checks) : NULL;
        const struct heartbeat *heartbeat = heartbeats_culprit(health->heartbeats);
        g_autofree char *reason = NULL;

        if (check)
                reason = g_strdup_printf("check %s is critical: %s", check->name, check->reason);
        else if (heartbeat)
                reason = g_strdup_printf("heartbeat %s was missed: %s", heartbeat->name, heartbeat->reason);
        health_gate_set_fault(health->gate, health_checks_fault(health->host));
        health_gate_set(health->gate, check ? check->name : heartbeat ? heartbeat->name : NULL, reason);
}

static enum tn_log_level level_of(enum health_severity severity)
{
        return severity == HEALTH_OK         ? TN_LOG_NOTICE
               : severity == HEALTH_CRITICAL ? TN_LOG_ERR
                                             : TN_LOG_WARNING;
}

static void on_check_changed(const struct health_check *check, enum health_severity before, void *data)
{
        struct health *health = data;

        tn_log(health->host->env->log, level_of(check->state.severity),
               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_HEALTH}, {TN_F_PLUGIN, "health"},
                         {TN_F_CHECK, check->name}),
               "check %s is %s, was %s: %s", check->name, health_severity_name(check->state.severity),
               health_severity_name(before), check->reason);
        if (!health->checks) /* still being made */
                return;
        health->host->fact_set(health->host, "checks", health_checks_to_fact(health->checks));
        update_gate(health);
}

static void on_heartbeat_changed(const struct heartbeat *heartbeat, const char *what, void *data)
{
        struct health *health = data;
        /* That it is missed is said once; who takes it away then knows. */
        enum tn_log_level level = !g_str_equal(what, "was missed") ? TN_LOG_INFO
                                  : heartbeat->required            ? TN_LOG_ERR
                                                                   : TN_LOG_WARNING;

        tn_log(health->host->env->log, level,
               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_HEALTH}, {TN_F_PLUGIN, "health"},
                         {TN_F_CHECK, heartbeat->name}),
               "heartbeat %s %s%s%s", heartbeat->name, what, heartbeat->reason ? ": " : "",
               heartbeat->reason ? heartbeat->reason : "");
        health->host->fact_set(health->host, "heartbeats", heartbeats_to_json(health->heartbeats, false));
        update_gate(health);
}

/* A freeze may be over before the next turn, so that the turn alone would not know of it. */
static void on_fact(struct tenon_host *host, const char *name, json_t *value)
{
        struct health *health = host->data;
        bool frozen = health_is_frozen(host);

        (void) value;
        if (!g_str_equal(name, "freeze") || frozen == health->frozen)
                return;
        health->frozen = frozen;
        if (!frozen)
                heartbeats_forgive(health->heartbeats, false);
}

static void open_socket(struct health *health)
{
        const char *path = health->host->config(health->host, "heartbeat", "socket");
        g_autoptr(GError) error = NULL;

        if (!path || beat_socket_open(health->sock, path, &error))
                return;
        health->host->log(health->host, TN_LOG_WARNING, "no heartbeat socket: %s", error->message);
        health->socket_problem = g_strdup(error->message);
}

static gboolean on_start(void *data)
{
        struct health *health = data;
        struct tenon_host *host = health->host;

        health->start_source = 0;
        open_socket(health);
        health->checks = health_checks_new(host, health->bus,
                                           (struct health_checks_events){on_check_changed, rearm, health});
        host->fact_set(host, "checks", health_checks_to_fact(health->checks));
        turn(health);
        return G_SOURCE_REMOVE;
}

static json_t *access_to_json(const struct health *health)
{
        const char *path = health->host->config(health->host, "heartbeat", "socket");
        json_t *value = json_pack("{s:o, s:b}", "socket", tn_json_text(path), "dbus",
                                  health->service && !beat_bus_problem(health->service));

        tn_json_set_text(value, "socket-problem", health->socket_problem);
        if (health->service)
                tn_json_set_text(value, "dbus-problem", beat_bus_problem(health->service));
        return value;
}

static json_t *get_health(struct tenon_host *host, json_t *args, GError **error)
{
        const struct health *health = host->data;
        json_t *beats = heartbeats_to_json(health->heartbeats, true);
        json_t *value = json_pack("{s:O*, s:O, s:o, s:O, s:o}", "health", host->fact_get(host, "health"),
                                  "gate", host->fact_get(host, "health-gate"), "checks",
                                  health->checks ? health_checks_to_json(health->checks) : json_array(),
                                  "heartbeats", json_object_get(beats, "heartbeats"), "heartbeat-access",
                                  access_to_json(health));

        (void) args;
        (void) error;
        json_decref(beats);
        return value;
}

static bool health_start(struct tenon_host *host, GError **error)
{
        struct health *health = g_new0(struct health, 1);

        (void) error;
        health->host = host;
        host->data = health;
        health->bus = health_bus_new();
        health->gate = health_gate_new(host, health_checks_fault(host));
        health->access = health_access_new(host);
        health->heartbeats = heartbeats_new(host->env, health_setting(host, "heartbeat", "max", 64),
                                            (struct heartbeats_events){on_heartbeat_changed, rearm, health});
        health->sock = beat_socket_new(host, health->heartbeats, health->access,
                                       health_setting(host, "heartbeat", "timeout-ms", 60000));
        if (g_strcmp0(host->config(host, "heartbeat", "dbus"), "no") != 0)
                health->service = beat_bus_new(host, health->heartbeats, health->access);
        host->fact_set(host, "heartbeats", heartbeats_to_json(health->heartbeats, false));
        health->frozen = health_is_frozen(host);
        host->fact_watch(host, on_fact);
        health->start_source = g_idle_add(on_start, health);
        return true;
}

static void health_stop(struct tenon_host *host)
{
        struct health *health = host->data;

        g_clear_handle_id(&health->start_source, g_source_remove);
        g_clear_handle_id(&health->timer, g_source_remove);
        beat_socket_free(health->sock);
        beat_bus_free(health->service);
        health_checks_free(health->checks);
        heartbeats_free(health->heartbeats);
        health_access_free(health->access);
        health_gate_free(health->gate);
        health_bus_free(health->bus);
        g_free(health->socket_problem);
        g_free(health);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "tenon-get-health",
         .args = "",
         .summary = "Checks, heartbeats, and whether a watchdog may be fed",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = get_health},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "health",
        .summary = "Checks of the guest's health and heartbeats of its programs",
        .start = health_start,
        .stop = health_stop,
        .commands = commands,
};
