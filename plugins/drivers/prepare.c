/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Starts tenon-drivers, and keeps the board up to date with what it tells. One at a time. */
#include "plugins/drivers/prepare.h"

#include <string.h>

#include "lib/child.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/outside.h"

#define PREPARE_DEADLINE_MS (2 * 60 * 60 * 1000) /* images of several kernels on a slow disk */
#define FACT                "drivers-prepare"

struct drivers_prepare {
        struct tenon_host *host;
        struct tn_outside *outside;
        json_t *state;  /* the fact */
        json_t *result; /* of the last one that ended, or NULL */
        bool running;
};

struct drivers_prepare *drivers_prepare_new(struct tenon_host *host)
{
        struct drivers_prepare *prepare = g_new0(struct drivers_prepare, 1);

        prepare->host = host;
        prepare->outside = tn_outside_new(host->env);
        prepare->state = json_pack("{s:s}", "state", "idle");
        return prepare;
}

void drivers_prepare_free(struct drivers_prepare *prepare)
{
        if (!prepare)
                return;
        tn_outside_free(prepare->outside);
        json_decref(prepare->state);
        json_decref(prepare->result);
        g_free(prepare);
}

static void tell(struct drivers_prepare *prepare)
{
        prepare->host->fact_set(prepare->host, FACT, json_deep_copy(prepare->state));
}

static void take_step(struct drivers_prepare *prepare, const json_t *event)
{
        static const char *const members[] = {"step", "text", "done", "total"};

        for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
                json_t *value = json_object_get(event, members[i]);

                if (value)
                        (void) json_object_set(prepare->state, members[i], value);
        }
        tell(prepare);
}

static void take_result(struct drivers_prepare *prepare, const json_t *event)
{
        json_decref(prepare->result);
        prepare->result = json_incref(json_object_get(event, "result"));
        json_object_set_new(prepare->state, "state", json_string("done"));
        json_object_set(prepare->state, "exit-status", json_object_get(event, "exit-status"));
}

static void take_error(struct drivers_prepare *prepare, const char *message)
{
        json_object_set_new(prepare->state, "state", json_string("failed"));
        json_object_set_new(prepare->state, "error", tn_json_text(message));
}

/* A line is an event, or something that a program printed past us, which is nobody's business here. */
static void on_line(const char *line, void *data)
{
        struct drivers_prepare *prepare = data;
        json_auto_t *event = json_loads(line, 0, NULL);
        const char *kind = json_string_value(json_object_get(event, "event"));
        const char *message = json_string_value(json_object_get(event, "message"));

        if (g_strcmp0(kind, "step") == 0)
                take_step(prepare, event);
        else if (g_strcmp0(kind, "result") == 0 && json_is_object(json_object_get(event, "result")))
                take_result(prepare, event);
        else if (g_strcmp0(kind, "error") == 0)
                take_error(prepare, message ? message : "no reason given");
}

static void on_done(const struct tn_child_result *result, const GError *error, void *data)
{
        struct drivers_prepare *prepare = data;
        g_autofree char *ending = result ? tn_child_describe(result) : NULL;
        const char *state = json_string_value(json_object_get(prepare->state, "state"));

        prepare->running = false;
        if (g_strcmp0(state, "running") == 0)
                take_error(prepare, error ? error->message : ending);
        prepare->host->log(prepare->host, 5 /* notice */, "drivers: %s has ended: %s",
                           json_string_value(json_object_get(prepare->state, "verb")),
                           json_string_value(json_object_get(prepare->state, "state")));
        tell(prepare);
}

/* @argv: NULL, for the program, and its arguments, NULL-ended. */
static json_t *start(struct drivers_prepare *prepare, const char **argv, json_t *about, GError **error)
{
        const char *program = prepare->host->config(prepare->host, "drivers", "program");

        argv[0] = program ? program : TN_PATH_DRIVERS;
        if (prepare->running) {
                json_decref(about);
                (void) tn_error_set(
                        error, TN_ERROR_BUSY,
                        "a prepare or undo is under way; tenon-get-drivers-prepare tells how far it is");
                return NULL;
        }
        json_decref(prepare->state);
        g_clear_pointer(&prepare->result, json_decref);
        prepare->state = about;
        prepare->running = true;
        tell(prepare);
        tn_outside_watch(prepare->outside, argv, PREPARE_DEADLINE_MS, on_line, on_done, prepare);
        return json_deep_copy(prepare->state);
}

json_t *drivers_prepare_begin(struct drivers_prepare *prepare, const json_t *args, GError **error)
{
        const char *target = json_string_value(json_object_get(args, "target"));
        bool dry_run = json_is_true(json_object_get(args, "dry-run"));
        const char *argv[] = {TN_PATH_DRIVERS,
                              "prepare",
                              "--json",
                              "--target",
                              target,
                              dry_run ? "--dry-run" : NULL,
                              NULL};

        return start(prepare, argv,
                     json_pack("{s:s, s:s, s:s, s:b}", "state", "running", "verb", "prepare", "target",
                               target, "dry-run", dry_run),
                     error);
}

json_t *drivers_prepare_undo(struct drivers_prepare *prepare, const json_t *args, GError **error)
{
        const char *argv[6] = {NULL, "undo", "--json"};
        size_t count = 3;

        if (json_is_true(json_object_get(args, "all")))
                argv[count++] = "--all";
        if (json_is_true(json_object_get(args, "force")))
                argv[count++] = "--force";
        return start(prepare, argv, json_pack("{s:s, s:s}", "state", "running", "verb", "undo"), error);
}

json_t *drivers_prepare_state(struct drivers_prepare *prepare)
{
        json_t *state = json_deep_copy(prepare->state);

        if (prepare->result)
                (void) json_object_set(state, "result", prepare->result);
        return state;
}
