/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Asking the system to go down or to sleep: logind first, because it honours inhibitors and tells the
 * users; then systemd itself (StartUnit of the target, since its own PowerOff() skips stopping the
 * services); then the classic programs (for sleep: tenon-system-helper), for systems without either. Each
 * step is tried only when the one before refused. One refusal is final: logind's word that the machine
 * cannot sleep so.
 */
#include <string.h>
#include <unistd.h>

#include "lib/bus.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/names.h"
#include "lib/outside.h"
#include "plugins/power/power.h"

#define BUS_TIMEOUT_MS     10000
#define PROGRAM_TIMEOUT_MS 60000

enum step {
        STEP_LOGIND,
        STEP_SYSTEMD,
        STEP_PROGRAM,
};

static const char *const step_names[] = {"logind", "systemd", "program"};

struct power_request {
        struct tenon_host *host;
        const struct power_mode *mode;
        power_request_done done;
        void *data;
        enum step step;
        struct tn_bus *bus;
        struct tn_outside *outside; /* made when it is needed */
        bool freed;                 /* what ends now ends for nobody */
        guint next_source;
        GString *failures; /* what the steps before said */
};

static gboolean on_next(void *data);

static void finish(struct power_request *request, bool ok, const GError *error)
{
        request->done(ok, step_names[request->step], error, request->data);
}

/* Notes why this step failed and goes on with the next from the loop, where the bus may be freed. */
static void step_failed(struct power_request *request, const char *why)
{
        g_string_append_printf(request->failures, "%s%s: %s", request->failures->len ? "; " : "",
                               step_names[request->step], why);
        if (request->step == STEP_PROGRAM) {
                g_autoptr(GError)
                        error = g_error_new(TN_ERROR, TN_ERROR_FAILED, "failed to %s the guest (%s)",
                                            request->mode->name, request->failures->str);

                finish(request, false, error);
                return;
        }
        request->step++;
        request->next_source = g_idle_add(on_next, request);
}

static void on_bus_reply(DBusMessage *reply, const GError *error, void *data)
{
        struct power_request *request = data;

        (void) reply;
        /* Without an answer it may still happen, and whoever else is asked would make it happen twice. */
        if (!error || (request->mode->sleep && error->code == TN_ERROR_TIMEOUT))
                finish(request, !error, error);
        else
                step_failed(request, error->message);
}

static DBusMessage *logind_call(const char *method)
{
        return dbus_message_new_method_call("org.freedesktop.login1", "/org/freedesktop/login1",
                                            "org.freedesktop.login1.Manager", method);
}

static DBusMessage *check_message(const struct power_mode *mode)
{
        return logind_call(mode->logind_check);
}

static DBusMessage *logind_message(const struct power_mode *mode)
{
        DBusMessage *message = logind_call(mode->logind_method);
        dbus_bool_t interactive = FALSE;

        dbus_message_append_args(message, DBUS_TYPE_BOOLEAN, &interactive, DBUS_TYPE_INVALID);
        return message;
}

static DBusMessage *systemd_message(const struct power_mode *mode)
{
        DBusMessage *message = dbus_message_new_method_call("org.freedesktop.systemd1",
                                                            "/org/freedesktop/systemd1",
                                                            "org.freedesktop.systemd1.Manager", "StartUnit");
        const char *job_mode = "replace-irreversibly";

        dbus_message_append_args(message, DBUS_TYPE_STRING, &mode->target, DBUS_TYPE_STRING, &job_mode,
                                 DBUS_TYPE_INVALID);
        return message;
}

static void ask_bus(struct power_request *request, DBusMessage *(*make)(const struct power_mode *mode),
                    tn_bus_done done)
{
        g_autoptr(GError) error = NULL;
        DBusMessage *message;

        if (!request->bus)
                request->bus = tn_bus_open(NULL, &error);
        if (!request->bus) {
                step_failed(request, error->message);
                return;
        }
        message = make(request->mode);
        tn_bus_call(request->bus, message, BUS_TIMEOUT_MS, done, request);
        dbus_message_unref(message);
}

/* logind's answers: yes, challenge (not for root), no (policy), na (the machine or its swap cannot). */
static void on_checked(DBusMessage *reply, const GError *error, void *data)
{
        struct power_request *request = data;
        g_autoptr(GError) refusal = NULL;
        const char *answer = "";

        if (error) {
                step_failed(request, error->message);
                return;
        }
        (void) dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &answer, DBUS_TYPE_INVALID);
        if (g_str_equal(answer, "yes") || g_str_equal(answer, "challenge")) {
                ask_bus(request, logind_message, on_bus_reply);
                return;
        }
        refusal = g_error_new(TN_ERROR, TN_ERROR_UNSUPPORTED,
                              POWER_SLEEP_UNSUPPORTED " (logind: %s is '%s')", request->mode->logind_check,
                              answer);
        finish(request, false, refusal);
}

static void on_slept(json_t *value, const GError *error, void *data)
{
        struct power_request *request = data;

        (void) value;
        if (request->freed)
                return;
        if (error)
                step_failed(request, error->message);
        else
                finish(request, true, NULL);
}

/* Returns after the guest has woken up again; the deadline's clock stands still while it sleeps. */
static void ask_helper(struct power_request *request)
{
        struct tenon_host *host = request->host;
        const char *helper = host->config(host, "agent", "helper");
        json_auto_t *question = json_pack("{s:s, s:s}", "op", "sleep", "mode", request->mode->sleep);

        request->outside = tn_outside_new(host->env);
        tn_outside_ask(request->outside, helper ? helper : TN_PATH_HELPER, question, PROGRAM_TIMEOUT_MS,
                       on_slept, request);
}

static void on_program_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct power_request *request = data;
        g_autofree char *why = NULL;

        (void) host;
        if (result->exit_status == 0) {
                finish(request, true, NULL);
                return;
        }
        why = g_strdup_printf("%s: exit status %d, signal %d%s %.200s", request->mode->program,
                              result->exit_status, result->signal, result->timed_out ? ", timed out" : "",
                              result->output);
        step_failed(request, why);
}

static void run_program(struct power_request *request)
{
        const struct power_mode *mode = request->mode;
        const char *plain[] = {mode->program, NULL};
        const char *shutdown[] = {
                "/sbin/shutdown", "-h", mode->flag, "+0", "hypervisor initiated shutdown", NULL};
        g_autoptr(GError) error = NULL;

        if (!request->host->run(request->host, access(mode->program, X_OK) == 0 ? plain : shutdown,
                                PROGRAM_TIMEOUT_MS, on_program_done, request, &error))
                step_failed(request, error->message);
}

static gboolean on_next(void *data)
{
        struct power_request *request = data;

        request->next_source = 0;
        switch (request->step) {
        case STEP_LOGIND:
                if (request->mode->logind_check)
                        ask_bus(request, check_message, on_checked);
                else
                        ask_bus(request, logind_message, on_bus_reply);
                break;
        case STEP_SYSTEMD:
                ask_bus(request, systemd_message, on_bus_reply);
                break;
        case STEP_PROGRAM:
                if (request->mode->sleep)
                        ask_helper(request);
                else
                        run_program(request);
                break;
        }
        return G_SOURCE_REMOVE;
}

struct power_request *power_request_start(struct tenon_host *host, const struct power_mode *mode,
                                          power_request_done done, void *data)
{
        struct power_request *request = g_new0(struct power_request, 1);

        request->host = host;
        request->mode = mode;
        request->done = done;
        request->data = data;
        request->failures = g_string_new(NULL);
        request->next_source = g_idle_add(on_next, request);
        return request;
}

void power_request_free(struct power_request *request)
{
        if (!request)
                return;
        request->freed = true;
        g_clear_handle_id(&request->next_source, g_source_remove);
        tn_outside_free(request->outside);
        tn_bus_free(request->bus);
        g_string_free(request->failures, TRUE);
        g_free(request);
}
