/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * QMP (QEMU: docs/interop/qmp-spec) and the guest agent's dialect of it. Which one it is shows by the
 * greeting; when none comes soon we say guest-sync-delimited, and the answer, which begins with 0xFF, says
 * that it is the dialect. The surprising thing: a greeting may still come instead, from a slow guest, and is
 * taken; what QMP says about the sync that it did not expect has no id, and so is nobody's reply.
 */
#define _GNU_SOURCE
#include "host/qmp.h"

#include <string.h>

#include "host/message.h"
#include "host/trouble.h"

#define GARBAGE_MAX (16 * 1024 * 1024) /* bytes skipped before the answer to the sync */
#define SYNC_RANDOM G_GINT64_CONSTANT(0x7FFFFFFFFFFFF)

struct tn_qmp {
        struct tn_connection *connection;
        bool negotiated;  /* it is QMP */
        bool negotiating; /* a second greeting may come, the answer to the 0xFF before the sync */
        json_int_t last_id;
};

bool tn_qmp_has_events(const struct tn_qmp *qmp)
{
        return qmp->negotiated;
}

static void qmp_free(void *data)
{
        struct tn_qmp *qmp = data;

        tn_connection_free(qmp->connection);
        g_free(qmp);
}

static bool send_request(struct tn_qmp *qmp, const char *command, json_t *args, json_t *id, gint64 deadline,
                         GError **error)
{
        g_autofree char *line = tn_message_request(command, args, id);

        return tn_connection_send(qmp->connection, line, strlen(line), deadline, error);
}

static bool read_message(struct tn_qmp *qmp, size_t max, gint64 deadline, json_t **ret, GError **error)
{
        const char *line;
        size_t len;

        do {
                if (!tn_connection_read_line(qmp->connection, max, deadline, &line, &len, error))
                        return false;
        } while (len == 0 || (len == 1 && *line == '\r'));
        return tn_message_parse(line, len, ret, error);
}

/* Reads on until the reply with this id. */
static bool read_reply(struct tn_qmp *qmp, json_int_t id, size_t max, gint64 deadline, json_t **ret,
                       GError **error)
{
        for (;;) {
                json_auto_t *message = NULL;
                enum tn_message_kind kind;

                if (!read_message(qmp, max, deadline, &message, error))
                        return false;
                kind = tn_message_get_kind(message);
                if (kind == TN_MESSAGE_GREETING && !qmp->negotiating)
                        return tn_trouble_set(error, TN_TROUBLE_LINK,
                                              "the agent was started anew before it answered");
                if (kind == TN_MESSAGE_REPLY && json_is_integer(json_object_get(message, "id")) &&
                    json_integer_value(json_object_get(message, "id")) == id) {
                        *ret = g_steal_pointer(&message);
                        return true;
                }
        }
}

static bool ask_with_id(struct tn_qmp *qmp, const struct tn_ask *ask, gint64 deadline, json_t **ret,
                        GError **error)
{
        json_auto_t *id = json_integer(++qmp->last_id);

        return send_request(qmp, ask->command, ask->args, id, deadline, error) &&
               read_reply(qmp, qmp->last_id, ask->reply_max, deadline, ret, error);
}

static bool negotiate(struct tn_qmp *qmp, gint64 deadline, GError **error)
{
        const struct tn_ask ask = {.command = "qmp_capabilities", .reply_max = TN_CONNECTION_LINE_MAX};
        json_auto_t *reply = NULL, *value = NULL;

        qmp->negotiated = true;
        qmp->negotiating = true;
        if (ask_with_id(qmp, &ask, deadline, &reply, error) && tn_message_unwrap(reply, &value, error)) {
                qmp->negotiating = false;
                return true;
        }
        g_prefix_error(error, "%s: ", ask.command);
        return false;
}

/* Of a line with stale bytes in it, what stands behind the last 0xFF, which is in no JSON. */
static bool find_sync(const char *line, size_t len, json_int_t id)
{
        const char *mark = memrchr(line, 0xFF, len);
        json_auto_t *reply = NULL;

        return mark && tn_message_parse(mark + 1, len - (size_t) (mark + 1 - line), &reply, NULL) &&
               json_is_integer(json_object_get(reply, "return")) &&
               json_integer_value(json_object_get(reply, "return")) == id;
}

static bool is_greeting(const char *line, size_t len)
{
        json_auto_t *message = NULL;

        return len > 0 && memchr(line, 'Q', len) && tn_message_parse(line, len, &message, NULL) &&
               tn_message_get_kind(message) == TN_MESSAGE_GREETING;
}

/* Reads on until a greeting (*ret_greeted) or the answer to the sync with this id; 0: there is none. */
static bool read_first(struct tn_qmp *qmp, json_int_t id, gint64 deadline, size_t *garbage,
                       bool *ret_greeted, GError **error)
{
        for (;;) {
                const char *line;
                size_t len;

                if (!tn_connection_read_line(qmp->connection, TN_CONNECTION_LINE_MAX, deadline, &line, &len,
                                             error))
                        return false;
                *ret_greeted = is_greeting(line, len);
                if (*ret_greeted || (id != 0 && find_sync(line, len, id)))
                        return true;
                *garbage += len + 1;
                if (*garbage > GARBAGE_MAX)
                        return tn_trouble_set(
                                error, TN_TROUBLE_LINK,
                                "what comes from this socket is not an agent's; gave up after %d "
                                "MiB",
                                GARBAGE_MAX / 1024 / 1024);
        }
}

static json_int_t random_id(void)
{
        guint64 high = g_random_int(), low = g_random_int();

        return (json_int_t) ((high << 32 | low) & SYNC_RANDOM) | 1;
}

static bool send_sync(struct tn_qmp *qmp, json_int_t id, gint64 deadline, GError **error)
{
        json_auto_t *args = json_pack("{s:I}", "id", id);

        return tn_connection_send(qmp->connection, "\xFF", 1, deadline, error) &&
               send_request(qmp, "guest-sync-delimited", args, NULL, deadline, error);
}

static bool find_dialect(struct tn_qmp *qmp, unsigned greeting_ms, gint64 deadline, GError **error)
{
        gint64 soon = MIN(deadline, g_get_monotonic_time() + greeting_ms * 1000);
        json_int_t id = random_id();
        GError *why = NULL;
        size_t garbage = 0;
        bool greeted = false;

        if (!read_first(qmp, 0, soon, &garbage, &greeted, &why)) {
                if (!g_error_matches(why, TN_TROUBLE, TN_TROUBLE_TIMEOUT)) {
                        g_propagate_error(error, why);
                        return false;
                }
                g_clear_error(&why);
                if (!send_sync(qmp, id, deadline, error) ||
                    !read_first(qmp, id, deadline, &garbage, &greeted, error))
                        return false;
        }
        return !greeted || negotiate(qmp, deadline, error);
}

struct tn_qmp *tn_qmp_new(struct tn_connection *connection, unsigned greeting_ms, gint64 deadline,
                          GError **error)
{
        struct tn_qmp *qmp = g_new0(struct tn_qmp, 1);

        qmp->connection = connection;
        if (find_dialect(qmp, greeting_ms, deadline, error))
                return qmp;
        qmp_free(qmp);
        return NULL;
}

static bool qmp_ask(void *data, const struct tn_ask *ask, json_t **ret_reply, GError **error)
{
        gint64 deadline = g_get_monotonic_time() + (gint64) ask->timeout_ms * 1000;
        struct tn_qmp *qmp = data;

        if (qmp->negotiated)
                return ask_with_id(qmp, ask, deadline, ret_reply, error);
        return send_request(qmp, ask->command, ask->args, NULL, deadline, error) &&
               read_message(qmp, ask->reply_max, deadline, ret_reply, error);
}

/* An agent that was started anew greets anew, and is told once more that we want events. */
static bool qmp_next_event(void *data, json_t **ret_event, GError **error)
{
        struct tn_qmp *qmp = data;

        while (qmp->negotiated) {
                json_auto_t *message = NULL;
                enum tn_message_kind kind;

                if (!read_message(qmp, TN_CONNECTION_LINE_MAX, TN_CONNECTION_FOREVER, &message, error))
                        return false;
                kind = tn_message_get_kind(message);
                if (kind == TN_MESSAGE_EVENT) {
                        *ret_event = g_steal_pointer(&message);
                        return true;
                }
                if (kind == TN_MESSAGE_GREETING &&
                    !send_request(qmp, "qmp_capabilities", NULL, NULL,
                                  g_get_monotonic_time() + G_USEC_PER_SEC, error))
                        return false;
        }
        return tn_trouble_set(
                error, TN_TROUBLE_LOCAL,
                "this socket speaks the QEMU guest agent's protocol, which has no events; they "
                "come from the guest's second port, org.tenon.agent.0");
}

const struct tn_guest_ops tn_qmp_ops = {
        .ask = qmp_ask,
        .next_event = qmp_next_event,
        .free = qmp_free,
};
