/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* JSON values in messages of D-Bus: what fits, what does not, and what must not end the process. */
#include "support.h"

#include <string.h>

#include "lib/bus-json.h"

static DBusMessage *message_of(const char *type, const char *json)
{
        json_auto_t *value = json ? json_of(json) : NULL;
        DBusMessage *message = dbus_message_new_signal("/a", "a.b", "C");
        DBusMessageIter iter;

        dbus_message_iter_init_append(message, &iter);
        tn_bus_json_append(&iter, type, value);
        assert_string_equal(dbus_message_get_signature(message), type);
        return message;
}

/* A message's one basic argument as a text. */
static char *basic(const char *type, const char *json)
{
        DBusMessage *message = message_of(type, json);
        DBusMessageIter iter;
        DBusBasicValue value = {0};
        char *text;

        assert_true(dbus_message_iter_init(message, &iter));
        dbus_message_iter_get_basic(&iter, &value);
        switch (*type) {
        case 's':
                text = g_strdup(value.str);
                break;
        case 'b':
                text = g_strdup(value.bool_val ? "true" : "false");
                break;
        case 'd':
                text = g_strdup_printf("%g", value.dbl);
                break;
        case 'u':
                text = g_strdup_printf("%u", value.u32);
                break;
        case 'i':
                text = g_strdup_printf("%d", value.i32);
                break;
        case 't':
                text = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64) value.u64);
                break;
        default:
                text = g_strdup_printf("%" G_GINT64_FORMAT, (gint64) value.i64);
        }
        dbus_message_unref(message);
        return text;
}

static void test_basic(void **state)
{
        static const struct {
                const char *type, *json, *text;
        } rows[] = {
                {"s", "'a'", "a"},
                {"s", "5", ""},
                {"s", NULL, ""},
                {"b", "true", "true"},
                {"b", "1", "false"},
                {"b", NULL, "false"},
                {"u", "4294967296", "4294967295"},
                {"u", "-1", "0"},
                {"u", "7", "7"},
                {"i", "-3", "-3"},
                {"i", "-3000000000", "-2147483648"},
                {"x", "-9000000000", "-9000000000"},
                {"x", "'a'", "0"},
                {"x", "2.9", "2"},
                {"x", "1e300", "9000000000000000000"},
                {"t", "-5", "0"},
                {"t", "12", "12"},
                {"d", "1.5", "1.5"},
                {"d", "2", "2"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = basic(rows[i].type, rows[i].json);

                assert_string_equal(text, rows[i].text);
        }
}

/* The types of the variants of {"m": @json}, "" when m is left out. */
static char *member_type(const char *json)
{
        g_autofree char *object = g_strdup_printf("{'m': %s}", json);
        DBusMessage *message = message_of("a{sv}", object);
        DBusMessageIter iter, rows, row, variant;
        g_autofree char *signature = NULL;
        char *type;

        assert_true(dbus_message_iter_init(message, &iter));
        dbus_message_iter_recurse(&iter, &rows);
        if (dbus_message_iter_get_arg_type(&rows) == DBUS_TYPE_INVALID) {
                dbus_message_unref(message);
                return g_strdup("");
        }
        dbus_message_iter_recurse(&rows, &row);
        assert_true(dbus_message_iter_next(&row));
        dbus_message_iter_recurse(&row, &variant);
        signature = dbus_message_iter_get_signature(&variant);
        type = g_strdup(signature);
        dbus_free(g_steal_pointer(&signature));
        dbus_message_unref(message);
        return type;
}

static void test_variants(void **state)
{
        static const char *const rows[][2] = {
                {"'a'", "s"},       {"1", "x"},
                {"1.5", "d"},       {"true", "b"},
                {"null", ""},       {"['a', 'b']", "as"},
                {"[1, 2]", "av"},   {"[]", "av"},
                {"{}", "a{sv}"},    {"[{'a': 1}]", "aa{sv}"},
                {"['a', 1]", "av"}, {"[null]", "av"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *type = member_type(rows[i][0]);

                assert_string_equal(type, rows[i][1]);
        }
}

/* A value that is no list or no object is an empty one; one that is too deep for D-Bus is a text. */
static void test_containers(void **state)
{
        static const char *const types[] = {"as", "a{sv}", "aa{sv}"};
        g_autoptr(GString) deep = g_string_new(NULL);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
                dbus_message_unref(message_of(types[i], NULL));
                dbus_message_unref(message_of(types[i], "5"));
                dbus_message_unref(message_of(types[i], "[]"));
                dbus_message_unref(message_of(types[i], "{}"));
        }
        dbus_message_unref(message_of("as", "['a', 1, null]"));
        dbus_message_unref(message_of("aa{sv}", "[1, {'a': [{'b': 'c'}]}]"));
        for (unsigned i = 0; i < 100; i++)
                g_string_append(deep, i % 2 ? "{'a': " : "[");
        g_string_append(deep, "1");
        for (unsigned i = 100; i-- > 0;)
                g_string_append(deep, i % 2 ? "}" : "]");
        g_string_prepend(deep, "{'a': ");
        g_string_append(deep, "}");
        dbus_message_unref(message_of("a{sv}", deep->str));
}

/* JSON has a character that D-Bus does not: the text ends there. */
static void test_nul(void **state)
{
        json_auto_t *value = json_stringn("z\0b", 3);
        DBusMessage *message = dbus_message_new_signal("/a", "a.b", "C");
        const char *text = NULL;
        DBusMessageIter iter;

        (void) state;
        dbus_message_iter_init_append(message, &iter);
        tn_bus_json_append(&iter, "s", value);
        assert_true(dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
        assert_string_equal(text, "z");
        dbus_message_unref(message);
}

static void test_read(void **state)
{
        DBusMessage *message = dbus_message_new_signal("/a", "a.b", "C");
        const char *text = "a", *path = "/b";
        dbus_bool_t yes = TRUE;
        dbus_int32_t small = -1;
        dbus_uint32_t number = 4000000000;
        dbus_int64_t large = INT64_MIN;
        static const char *const values[] = {"\"a\"", "true", "-1", "4000000000", "-9223372036854775808"};
        DBusMessageIter iter;

        (void) state;
        assert_true(dbus_message_append_args(message, DBUS_TYPE_STRING, &text, DBUS_TYPE_BOOLEAN, &yes,
                                             DBUS_TYPE_INT32, &small, DBUS_TYPE_UINT32, &number,
                                             DBUS_TYPE_INT64, &large, DBUS_TYPE_OBJECT_PATH, &path,
                                             DBUS_TYPE_INVALID));
        assert_true(dbus_message_iter_init(message, &iter));
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                json_auto_t *value = tn_bus_json_read(&iter);
                char *line = json_dumps(value, JSON_ENCODE_ANY);

                assert_string_equal(line, values[i]);
                free(line);
                (void) dbus_message_iter_next(&iter);
        }
        assert_null(tn_bus_json_read(&iter)); /* a path */
        (void) dbus_message_iter_next(&iter);
        assert_null(tn_bus_json_read(&iter)); /* the end */
        dbus_message_unref(message);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_basic),      cmocka_unit_test(test_variants),
                cmocka_unit_test(test_containers), cmocka_unit_test(test_nul),
                cmocka_unit_test(test_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
