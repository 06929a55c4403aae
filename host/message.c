/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Lines from a guest that nobody trusts become JSON values of bounded size. */
#include "host/message.h"

#include "host/trouble.h"
#include "lib/json.h"

static size_t count_tokens(const char *text, size_t len)
{
        size_t count = 0;

        for (size_t i = 0; i < len; i++)
                count += text[i] == ',' || text[i] == ':' || text[i] == '[' || text[i] == '{';
        return count;
}

bool tn_message_parse(const char *text, size_t len, json_t **ret, GError **error)
{
        json_auto_t *value = NULL;
        json_error_t why;

        if (count_tokens(text, len) > TN_MESSAGE_TOKENS_MAX)
                return tn_trouble_set(error, TN_TROUBLE_LINK, "the guest sends JSON of more than %d values",
                                      TN_MESSAGE_TOKENS_MAX);
        value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
        if (!value)
                return tn_trouble_set(error, TN_TROUBLE_LINK,
                                      "the guest sends something that is no JSON: %s", why.text);
        if (!json_is_object(value))
                return tn_trouble_set(error, TN_TROUBLE_LINK, "the guest sends JSON that is no object");
        *ret = g_steal_pointer(&value);
        return true;
}

enum tn_message_kind tn_message_get_kind(const json_t *message)
{
        if (json_is_object(json_object_get(message, "QMP")))
                return TN_MESSAGE_GREETING;
        if (json_is_string(json_object_get(message, "event")))
                return TN_MESSAGE_EVENT;
        if (json_object_get(message, "return") || json_object_get(message, "error"))
                return TN_MESSAGE_REPLY;
        return TN_MESSAGE_OTHER;
}

bool tn_message_unwrap(const json_t *reply, json_t **ret, GError **error)
{
        json_t *value = json_object_get(reply, "return");
        const char *desc = json_string_value(json_object_get(json_object_get(reply, "error"), "desc"));

        if (value) {
                *ret = json_incref(value);
                return true;
        }
        if (desc)
                return tn_trouble_set(error, TN_TROUBLE_GUEST, "the guest answers: %.*s",
                                      TN_MESSAGE_DESC_MAX, desc);
        return tn_trouble_set(error, TN_TROUBLE_LINK, "the guest's answer is neither a value nor an error");
}

char *tn_message_request(const char *command, json_t *args, json_t *id)
{
        json_auto_t *request = json_pack("{s:s, s:O*, s:O*}", "execute", command, "arguments", args, "id",
                                         id);
        g_autofree char *text = tn_json_line(request);

        return g_strconcat(text, "\n", NULL);
}
