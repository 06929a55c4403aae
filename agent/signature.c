/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Interprets argument signatures; the grammar is in signature.h. One recursive descent serves twice: with
 * a value it checks the value, without one it only walks the signature, which is how it finds the end of
 * a type and how a plugin's signatures are validated at load.
 */
#include "agent/signature.h"

#include <string.h>

#include "lib/error.h"

#define DEPTH_MAX 8 /* of signatures, which are ours or a plugin author's */

struct walk {
        const char *at; /* where we are in the signature */
        bool malformed; /* the signature is not well formed */
        unsigned depth;
};

static bool check_type(struct walk *w, json_t *value, const char *path, GError **error);

static const struct {
        const char *name;
        const char *expected; /* as QEMU's messages say it */
} scalars[] = {
        {"int", "integer"}, {"str", "string"}, {"bool", "boolean"}, {"number", "number"}, {"any", "any"},
};

static bool accepts(const char *name, const json_t *value)
{
        switch (name[0]) {
        case 'i':
                return json_is_integer(value);
        case 's':
                return json_is_string(value);
        case 'b':
                return json_is_boolean(value);
        case 'n':
                return json_is_number(value);
        default:
                return true;
        }
}

static bool wrong_type(const char *path, const char *expected, GError **error)
{
        return tn_error_set(error, TN_ERROR_INVALID, "Invalid parameter type for '%s', expected: %s", path,
                            expected);
}

static bool take(struct walk *w, char c)
{
        if (*w->at != c)
                return false;
        w->at++;
        return true;
}

static bool check_scalar(struct walk *w, json_t *value, const char *path, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(scalars); i++) {
                size_t len = strlen(scalars[i].name);

                if (strncmp(w->at, scalars[i].name, len) != 0)
                        continue;
                w->at += len;
                return !value || accepts(scalars[i].name, value) ||
                       wrong_type(path, scalars[i].expected, error);
        }
        w->malformed = true;
        return false;
}

static bool check_array(struct walk *w, json_t *value, const char *path, GError **error)
{
        const char *item_type = w->at;
        bool ok = check_type(w, NULL, path, NULL); /* finds the end, also of an empty array */
        const char *end = w->at;
        json_t *item;
        size_t i;

        if (value && !json_is_array(value))
                ok = wrong_type(path, "array", error);
        else
                json_array_foreach(value, i, item)
                {
                        g_autofree char *item_path = g_strdup_printf("%s[%zu]", path, i);

                        w->at = item_type;
                        if (!(ok = ok && check_type(w, item, item_path, error)))
                                break;
                }
        w->at = end;
        if (!take(w, ']'))
                w->malformed = true;
        return ok;
}

/* "<int|str>" as a message says it: "integer or string". */
static char *expected_words(const char *from, const char *to)
{
        g_autofree char *text = g_strndup(from, (size_t) (to - from));
        g_auto(GStrv) names = g_strsplit(text, "|", -1);

        for (char **name = names; *name; name++)
                for (size_t i = 0; i < G_N_ELEMENTS(scalars); i++)
                        if (g_str_equal(scalars[i].name, *name)) {
                                g_free(*name);
                                *name = g_strdup(scalars[i].expected);
                                break;
                        }
        return g_strjoinv(" or ", names);
}

/* The rest of the alternatives is still walked after a match, to stand behind the '>'. */
static bool check_alternatives(struct walk *w, json_t *value, const char *path, GError **error)
{
        g_autoptr(GError) last = NULL;
        g_autofree char *expected = NULL;
        const char *begin = w->at;
        bool matched = !value;

        do {
                g_clear_error(&last);
                matched = check_type(w, matched ? NULL : value, path, &last) || matched;
        } while (!w->malformed && take(w, '|'));
        if (!take(w, '>'))
                w->malformed = true;
        if (matched || w->malformed)
                return matched;
        expected = expected_words(begin, w->at - 1);
        return wrong_type(path, expected, error);
}

/* One member; *ret_name is its name, to be freed. */
static bool check_member(struct walk *w, json_t *object, const char *path, char **ret_name, GError **error)
{
        size_t len = strcspn(w->at, ":,}?");
        g_autofree char *name = g_strndup(w->at, len);
        g_autofree char *full = path ? g_strdup_printf("%s.%s", path, name) : g_strdup(name);
        json_t *value = json_object_get(object, name);
        bool ok;

        w->at += len;
        if (len == 0 || !take(w, ':')) {
                w->malformed = true;
                return false;
        }
        ok = check_type(w, value, full, error);
        if (!take(w, '?') && ok && object && !value)
                ok = tn_error_set(error, TN_ERROR_INVALID, "Parameter '%s' is missing", full);
        *ret_name = g_steal_pointer(&name);
        return ok;
}

static bool check_unexpected(json_t *object, GPtrArray *names, const char *path, GError **error)
{
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value)
        {
                if (!g_ptr_array_find_with_equal_func(names, key, g_str_equal, NULL))
                        return tn_error_set(error, TN_ERROR_INVALID, "Parameter '%s%s%s' is unexpected",
                                            path ? path : "", path ? "." : "", key);
        }
        return true;
}

/* Members up to '}' or the end, which is not consumed. @object may be NULL: walk only. */
static bool check_members(struct walk *w, json_t *object, const char *path, GError **error)
{
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        bool ok = true;

        if (*w->at && *w->at != '}')
                do {
                        char *name = NULL;

                        ok = check_member(w, ok ? object : NULL, path, &name, error) && ok;
                        if (name)
                                g_ptr_array_add(names, name);
                        if (w->malformed)
                                return false;
                } while (take(w, ','));
        return ok && check_unexpected(object, names, path, error);
}

static bool check_type(struct walk *w, json_t *value, const char *path, GError **error)
{
        bool ok;

        if (++w->depth > DEPTH_MAX) {
                w->malformed = true;
                ok = false;
        } else if (take(w, '[')) {
                ok = check_array(w, value, path, error);
        } else if (take(w, '<')) {
                ok = check_alternatives(w, value, path, error);
        } else if (take(w, '{')) {
                if (value && !json_is_object(value)) {
                        (void) check_members(w, NULL, path, NULL);
                        ok = wrong_type(path, "object", error);
                } else {
                        ok = check_members(w, value, path, error);
                }
                if (!take(w, '}'))
                        w->malformed = true;
        } else {
                ok = check_scalar(w, value, path, error);
        }
        w->depth--;
        return ok;
}

bool tn_signature_valid(const char *signature)
{
        struct walk w = {.at = signature};

        return check_members(&w, NULL, NULL, NULL) && !w.malformed && *w.at == '\0';
}

bool tn_signature_check(const char *signature, json_t *args, GError **error)
{
        struct walk w = {.at = signature};

        return check_members(&w, args, NULL, error);
}
