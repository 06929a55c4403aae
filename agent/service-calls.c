/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A method call: polkit first where something is changed, then the command, through the same dispatcher and
 * with the same audit record as a request of the host. The policy of tenond.conf is about the host and not
 * asked; a command that reads runs with the rights of any user, so that a mistake in the table opens
 * nothing.
 */
#include "agent/service-private.h"
#include "lib/bus-json.h"
#include "lib/error.h"
#include "lib/polkit.h"

#define TEXT_MAX      4096 /* bytes of an argument; the bus lets 32 MiB through */
/* Under way at once, of all callers together, for one user can have many connections: commands that read and
 * do not answer at once, each of which is a program; and questions of polkit. Both leave most of
 * TN_BUS_CALLS_MAX to others. */
#define READS_MAX     8
#define QUESTIONS_MAX 64

struct service_call {
        struct tn_service *service;
        struct tn_bus_request *request;
        const struct tn_service_command *command;
        struct tn_polkit *question; /* NULL: not asked, or answered */
        struct tn_session *session; /* NULL: not begun */
};

static void call_free(struct service_call *call)
{
        g_ptr_array_remove_fast(call->service->calls, call);
        tn_polkit_cancel(call->question);
        tn_session_free(call->session);
        g_free(call);
}

/* Takes @error. */
static void fail(struct service_call *call, GError *error)
{
        struct tn_bus_request *request = call->request;

        call_free(call);
        tn_bus_request_fail(request, error);
}

static void on_done(const json_t *value, const GError *error, void *data)
{
        struct service_call *call = data;
        struct tn_bus_request *request = call->request;
        DBusMessage *reply;
        DBusMessageIter iter;

        if (error) {
                fail(call, g_error_copy(error));
                return;
        }
        reply = dbus_message_new_method_return(tn_bus_request_message(request));
        if (call->command->out) {
                dbus_message_iter_init_append(reply, &iter);
                tn_bus_json_append(&iter, call->command->out, value);
        }
        call_free(call);
        tn_bus_request_reply(request, reply);
}

/* The message fits the method's signature by now, and that the contract's test holds to the names. */
static json_t *read_args(DBusMessage *message, const char *names, GError **error)
{
        g_auto(GStrv) list = g_strsplit(names, ",", -1);
        json_t *args = json_object();
        DBusMessageIter iter;

        (void) dbus_message_iter_init(message, &iter);
        for (char **name = list; *name && **name; name++) {
                json_t *value = tn_bus_json_read(&iter);

                (void) json_object_set_new(args, *name, value);
                if (json_string_length(value) > TEXT_MAX) {
                        json_decref(args);
                        (void) tn_error_set(error, TN_ERROR_LIMIT, "%s has more than %d bytes", *name,
                                            TEXT_MAX);
                        return NULL;
                }
                (void) dbus_message_iter_next(&iter);
        }
        return args;
}

/* "uid 1000 bus :1.42", for the audit record. */
static char *name_peer(const struct tn_bus_request *request)
{
        const char *sender = dbus_message_get_sender(tn_bus_request_message(request));
        uid_t uid = tn_bus_request_uid(request);

        return uid == (uid_t) -1 ? g_strdup_printf("bus %s", sender)
                                 : g_strdup_printf("uid %lu bus %s", (unsigned long) uid, sender);
}

static void run(struct service_call *call)
{
        const struct tn_service_command *command = call->command;
        g_autofree char *peer = name_peer(call->request);
        enum tn_trust trust = command->action ? TN_TRUST_LOCAL_ROOT : TN_TRUST_LOCAL_USER;
        GError *error = NULL;
        json_t *args = read_args(tn_bus_request_message(call->request), command->args, &error);

        if (!args) {
                fail(call, error);
                return;
        }
        call->session = tn_session_new(call->service->agent->dispatch, trust, "dbus", peer, NULL, NULL);
        tn_session_run(call->session, command->command, args, on_done, call);
}

static void on_polkit(const GError *error, void *data)
{
        struct service_call *call = data;

        call->question = NULL;
        if (error)
                fail(call, g_error_copy(error));
        else
                run(call);
}

/* Is there room for one more call that asks polkit, or that runs a program to read? */
static bool has_room(const struct tn_service *service, bool asks, bool runs)
{
        unsigned questions = 0, reads = 0;

        for (guint i = 0; i < service->calls->len; i++) {
                const struct service_call *call = g_ptr_array_index(service->calls, i);

                questions += call->question != NULL;
                reads += !call->command->action;
        }
        return (!asks || questions < QUESTIONS_MAX) && (!runs || reads < READS_MAX);
}

void tn_service_run_command(struct tn_bus_request *request, void *data)
{
        const struct tn_service_command *command = tn_bus_request_method(request)->about;
        struct tn_service *service = data;
        const struct tn_command *row = tn_commands_find(service->agent->commands, command->command);
        bool asks = command->action && tn_bus_request_uid(request) != 0;
        bool runs = !command->action && row && row->desc->start; /* answers later */
        struct service_call *call;

        if (!has_room(service, asks, runs)) {
                tn_bus_request_fail(request, g_error_new(TN_ERROR, TN_ERROR_LIMIT,
                                                         "too many calls of this kind are under way; try "
                                                         "again when they have ended"));
                return;
        }
        call = g_new0(struct service_call, 1);
        *call = (struct service_call){
                .service = service,
                .request = request,
                .command = command,
        };
        g_ptr_array_add(service->calls, call);
        if (asks)
                call->question = tn_polkit_ask(service->bus, tn_bus_request_message(request),
                                               call->command->action, on_polkit, call);
        else
                run(call);
}

void tn_service_run_plugin(struct tn_bus_request *request, void *data)
{
        const struct tn_service *service = data;
        const struct tn_bus_method *row = tn_bus_request_method(request);
        void *plugin_data;
        const struct tn_bus_method *served = tn_plugins_find_method(service->agent->plugins, row->about,
                                                                    row->name, &plugin_data);

        if (served)
                served->run(request, plugin_data);
        else
                tn_bus_request_fail(request, g_error_new(TN_ERROR, TN_ERROR_UNSUPPORTED,
                                                         "no plugin serves %s.%s now; see tenonctl plugins",
                                                         (const char *) row->about, row->name));
}

void tn_service_end_calls(struct tn_service *service)
{
        while (service->calls->len > 0)
                fail(g_ptr_array_index(service->calls, 0),
                     g_error_new(TN_ERROR, TN_ERROR_NOT_FOUND, "the agent leaves the bus"));
}
