/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Dispatcher: is it a request, is the command known, allowed, possible while frozen, do its arguments fit;
 * then it is run. What becomes of the reply is session.c's business.
 */
#include "agent/dispatch-private.h"
#include "agent/signature.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"

struct tn_dispatch *tn_dispatch_new(const struct tn_env *env, const struct tn_commands *commands,
                                    const struct tn_facts *facts)
{
        struct tn_dispatch *dispatch = g_new0(struct tn_dispatch, 1);

        dispatch->env = env;
        dispatch->commands = commands;
        dispatch->facts = facts;
        dispatch->subscribers = g_ptr_array_new();
        tn_history_init(&dispatch->history);
        dispatch->started_usec = env->now_usec(env, CLOCK_BOOTTIME);
        return dispatch;
}

void tn_dispatch_free(struct tn_dispatch *dispatch)
{
        if (!dispatch)
                return;
        tn_policy_free(dispatch->policy);
        g_ptr_array_free(dispatch->subscribers, TRUE);
        tn_history_deinit(&dispatch->history);
        g_free(dispatch);
}

void tn_dispatch_set_policy(struct tn_dispatch *dispatch, struct tn_policy *policy)
{
        tn_policy_free(dispatch->policy);
        dispatch->policy = policy;
}

const struct tn_policy *tn_dispatch_policy(const struct tn_dispatch *dispatch)
{
        return dispatch->policy;
}

const struct tn_counters *tn_dispatch_counters(const struct tn_dispatch *dispatch)
{
        return &dispatch->counters;
}

static bool is_frozen(const struct tn_dispatch *dispatch)
{
        const char *state = json_string_value(
                json_object_get(tn_facts_get(dispatch->facts, "freeze"), "state"));

        return g_strcmp0(state, "frozen") == 0;
}

/* Structure of a request: object with execute, arguments?, id? and nothing else. */
static bool check_request(const json_t *request, GError **error)
{
        const char *key;
        json_t *value;

        if (!json_is_object(request))
                return tn_error_set(error, TN_ERROR_INVALID, "QMP input must be a JSON object");
        json_object_foreach((json_t *) request, key, value)
        {
                if (g_str_equal(key, "execute")) {
                        if (!json_is_string(value))
                                return tn_error_set(error, TN_ERROR_INVALID,
                                                    "QMP input member 'execute' must be a string");
                } else if (g_str_equal(key, "arguments")) {
                        if (!json_is_object(value))
                                return tn_error_set(error, TN_ERROR_INVALID,
                                                    "QMP input member 'arguments' must be an object");
                } else if (!g_str_equal(key, "id")) {
                        return tn_error_set(error, TN_ERROR_INVALID, "QMP input member '%s' is unexpected",
                                            key);
                }
        }
        if (!json_object_get(request, "execute"))
                return tn_error_set(error, TN_ERROR_INVALID, "QMP input lacks member 'execute'");
        return true;
}

static bool refuse(struct tn_session *session, const char *name, const char *why, GError **error)
{
        struct tn_dispatch *dispatch = session->dispatch;

        dispatch->counters.refused++;
        if (tn_log_ratelimit_ok(&dispatch->refusals, 5, 60 * G_USEC_PER_SEC,
                                tn_env_monotonic_usec(dispatch->env)))
                tn_log(dispatch->env->log, TN_LOG_WARNING,
                       TN_FIELDS({TN_F_COMMAND, name}, {TN_F_PEER, session->peer}, {TN_F_RESULT, "denied"}),
                       "%s by %s refused: %s", name, session->peer, why);
        return tn_error_set(error, TN_ERROR_COMMAND_UNKNOWN, "Command %s has been disabled: %s", name, why);
}

static bool allowed(struct tn_session *session, const struct tn_command *command, GError **error)
{
        struct tn_dispatch *dispatch = session->dispatch;
        const struct tenon_command *desc = command->desc;
        g_autofree char *how = NULL, *why = NULL;

        if (is_frozen(dispatch) && !(desc->flags & TENON_COMMAND_WHILE_FROZEN))
                return refuse(session, desc->name,
                              "the command is not allowed (the agent is in frozen state)", error);
        if (session->trust == TN_TRUST_LOCAL_ROOT)
                return true;
        if (session->trust == TN_TRUST_LOCAL_USER) {
                if (desc->category <= TENON_CATEGORY_INFO && !(desc->flags & TENON_COMMAND_CHANGES))
                        return true;
                return refuse(session, desc->name, "only root may ask for it; try sudo", error);
        }
        if (tn_policy_allows(dispatch->policy, desc))
                return true;
        how = tn_policy_explain(dispatch->policy, desc);
        why = g_strdup_printf("the command is not allowed (%s)", how);
        return refuse(session, desc->name, why, error);
}

static const struct tn_command *find_allowed(struct tn_session *session, const json_t *execute,
                                             GError **error)
{
        const char *name = json_string_value(execute);
        const struct tn_command *command = tn_commands_find(session->dispatch->commands, name);

        if (!command || strlen(name) != json_string_length(execute)) { /* no name has a NUL in it */
                tn_error_set(error, TN_ERROR_COMMAND_UNKNOWN, "The command %s has not been found", name);
                return NULL;
        }
        return allowed(session, command, error) ? command : NULL;
}

static void run(struct tn_session *session, const struct tn_command *command, json_t *args, json_t *id,
                tn_session_done done, void *done_data)
{
        struct tn_dispatch *dispatch = session->dispatch;
        struct tenon_call *call = g_new0(struct tenon_call, 1);
        const struct tenon_command *desc = command->desc;
        GError *error = NULL;
        json_t *value;

        *call = (struct tenon_call){
                .session = session,
                .dispatch = dispatch,
                .desc = desc,
                .id = json_incref(id),
                .args = json_incref(args),
                .done = done,
                .done_data = done_data,
                .peer = g_strdup(session->peer),
                .transport = g_strdup(session->transport),
                .started_usec = tn_env_monotonic_usec(dispatch->env),
                .serial = session->serial,
        };
        if (desc->flags & TN_COMMAND_SYNC)
                tn_session_restart(session);
        tn_session_push(session, call);
        if (desc->start) {
                desc->start(command->host, call, call->args);
                return;
        }
        value = desc->run(command->host, call->args, &error);
        if (value)
                tn_call_reply(call, value);
        else
                tn_call_fail(call, error ? error
                                         : g_error_new(TN_ERROR, TN_ERROR_FAILED, "%s failed", desc->name));
}

static void handle(struct tn_session *session, json_t *request)
{
        json_t *id = json_object_get(request, "id"), *args = json_object_get(request, "arguments");
        const struct tn_command *command;
        json_auto_t *none = NULL;
        g_autoptr(GError) error = NULL;
        json_t *value;

        if (!check_request(request, &error)) {
                session->dispatch->counters.parse_errors++;
                tn_session_answer_error(session, error, id);
                return;
        }
        if (tn_qmp_handle(session, json_string_value(json_object_get(request, "execute")), &value, &error)) {
                if (value) {
                        tn_session_answer_value(session, value, id);
                        tn_qmp_say_started(session);
                } else
                        tn_session_answer_error(session, error, id);
                return;
        }
        command = find_allowed(session, json_object_get(request, "execute"), &error);
        if (!args)
                args = none = json_object();
        if (!command || !tn_signature_check(command->desc->args, args, &error)) {
                tn_session_answer_error(session, error, id);
                return;
        }
        run(session, command, args, id, NULL, NULL);
}

void tn_session_message(struct tn_session *session, const char *text, size_t len)
{
        json_error_t parse;
        json_t *request = tn_json_parse(text, len, &parse);

        session->dispatch->counters.requests++;
        session->serial++;
        if (request) {
                handle(session, request);
        } else {
                g_autofree char *why = g_strdup_printf("JSON parse error, %s", parse.text);

                tn_session_parse_error(session, why);
        }
        json_decref(request);
}

void tn_session_run(struct tn_session *session, const char *name, json_t *args, tn_session_done done,
                    void *data)
{
        json_auto_t *owned = args, *execute = json_string(name);
        const struct tn_command *command;
        g_autoptr(GError) error = NULL;

        session->dispatch->counters.requests++;
        session->serial++;
        command = find_allowed(session, execute, &error);
        if (command && tn_signature_check(command->desc->args, args, &error)) {
                run(session, command, args, NULL, done, data);
                return;
        }
        session->dispatch->counters.errors++;
        done(NULL, error, data);
}

void tn_session_parse_error(struct tn_session *session, const char *why)
{
        g_autoptr(GError) error = g_error_new_literal(TN_ERROR, TN_ERROR_INVALID, why);

        session->dispatch->counters.parse_errors++;
        tn_session_answer_error(session, error, NULL);
}
