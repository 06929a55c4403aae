/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* key=value is for people; whoever needs 5 as a text writes key='"5"', as in JSON. */
#include "host/arguments.h"

#include <string.h>

#include "host/trouble.h"

json_t *tn_arguments_text(const char *text, GError **error)
{
        json_t *value = json_string(text);

        if (!value)
                (void) tn_trouble_set(error, TN_TROUBLE_LOCAL,
                                      "'%s' is not UTF-8, and the protocol carries nothing else", text);
        return value;
}

static bool parse_object(const char *word, json_t **ret, GError **error)
{
        json_error_t why;
        json_t *object = json_loads(word, JSON_REJECT_DUPLICATES, &why);

        if (!object)
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "'%s' is no JSON object: %s", word, why.text);
        *ret = object;
        return true;
}

static bool add_pair(json_t *object, const char *word, GError **error)
{
        const char *equals = strchr(word, '=');
        g_autofree char *key = equals ? g_strndup(word, (size_t) (equals - word)) : NULL;
        json_t *value;

        if (!equals || equals == word)
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "'%s' is neither KEY=VALUE nor a JSON object",
                                      word);
        if (json_object_get(object, key))
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "'%s' is given twice", key);
        value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        if (!value)
                value = tn_arguments_text(equals + 1, error);
        if (!value)
                return false;
        if (json_object_set_new(object, key, value) == 0)
                return true;
        return tn_trouble_set(error, TN_TROUBLE_LOCAL, "'%s' is not UTF-8", key);
}

bool tn_arguments_parse(char **words, json_t **ret, GError **error)
{
        json_auto_t *object = NULL;

        if (!words[0]) {
                *ret = NULL;
                return true;
        }
        if (words[0][0] == '{' && !words[1])
                return parse_object(words[0], ret, error);
        object = json_object();
        for (char **word = words; *word; word++)
                if (!add_pair(object, *word, error))
                        return false;
        *ret = g_steal_pointer(&object);
        return true;
}
