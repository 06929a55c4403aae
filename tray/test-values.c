/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Values of D-Bus as JSON, within limits. Messages that never see a bus. */
#include "tray/values.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static DBusMessage *message_new(DBusMessageIter *ret_iter)
{
        DBusMessage *message = dbus_message_new_signal("/a", "a.b", "C");

        assert_non_null(message);
        dbus_message_iter_init_append(message, ret_iter);
        return message;
}

static void check(DBusMessage *message, const char *wanted)
{
        DBusMessageIter iter;
        json_auto_t *found = NULL;
        g_autofree char *text = NULL;

        assert_true(dbus_message_iter_init(message, &iter));
        found = tn_tray_value(&iter);
        text = json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        assert_string_equal(text, wanted);
        dbus_message_unref(message);
}

static void append_entry(DBusMessageIter *dict, const char *key, int type, const void *value)
{
        const char signature[] = {(char) type, '\0'};
        DBusMessageIter row, variant;

        assert_true(dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &row));
        assert_true(dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &key));
        assert_true(dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, signature, &variant));
        assert_true(dbus_message_iter_append_basic(&variant, type, value));
        assert_true(dbus_message_iter_close_container(&row, &variant));
        assert_true(dbus_message_iter_close_container(dict, &row));
}

static void test_types(void **state)
{
        const char *text = "x", *path = "/o";
        dbus_bool_t yes = TRUE;
        dbus_int32_t i = -3;
        dbus_uint32_t u = 4000000000;
        dbus_int64_t x = -5000000000;
        dbus_uint64_t t = G_MAXUINT64;
        double d = 0.5;
        unsigned char y = 7;
        DBusMessageIter iter, dict;
        DBusMessage *message = message_new(&iter);

        (void) state;
        assert_true(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &dict));
        append_entry(&dict, "b", DBUS_TYPE_BOOLEAN, &yes);
        append_entry(&dict, "d", DBUS_TYPE_DOUBLE, &d);
        append_entry(&dict, "i", DBUS_TYPE_INT32, &i);
        append_entry(&dict, "o", DBUS_TYPE_OBJECT_PATH, &path);
        append_entry(&dict, "s", DBUS_TYPE_STRING, &text);
        append_entry(&dict, "t", DBUS_TYPE_UINT64, &t);
        append_entry(&dict, "u", DBUS_TYPE_UINT32, &u);
        append_entry(&dict, "x", DBUS_TYPE_INT64, &x);
        append_entry(&dict, "y", DBUS_TYPE_BYTE, &y);
        assert_true(dbus_message_iter_close_container(&iter, &dict));
        check(message, "{\"b\":true,\"d\":0.5,\"i\":-3,\"o\":\"/o\",\"s\":\"x\",\"t\":9223372036854775807,"
                       "\"u\":4000000000,\"x\":-5000000000,\"y\":null}");
}

static void test_list(void **state)
{
        const char *texts[] = {"a", "b"};
        DBusMessageIter iter, list;
        DBusMessage *message = message_new(&iter);

        (void) state;
        assert_true(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "s", &list));
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                assert_true(dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &texts[i]));
        assert_true(dbus_message_iter_close_container(&iter, &list));
        check(message, "[\"a\",\"b\"]");
}

/* Variants within variants, as deep as D-Bus lets them be. */
static void test_depth(void **state)
{
        DBusMessageIter iters[31];
        DBusMessage *message = message_new(&iters[0]);
        const char *text = "deep";

        (void) state;
        for (size_t i = 1; i < G_N_ELEMENTS(iters); i++)
                assert_true(dbus_message_iter_open_container(&iters[i - 1], DBUS_TYPE_VARIANT,
                                                             i + 1 < G_N_ELEMENTS(iters) ? "v" : "s",
                                                             &iters[i]));
        assert_true(dbus_message_iter_append_basic(&iters[30], DBUS_TYPE_STRING, &text));
        for (size_t i = G_N_ELEMENTS(iters); i-- > 1;)
                assert_true(dbus_message_iter_close_container(&iters[i - 1], &iters[i]));
        check(message, "null");
}

static void test_too_much(void **state)
{
        DBusMessageIter iter, list;
        DBusMessage *message = message_new(&iter);
        json_auto_t *found = NULL;
        dbus_bool_t yes = TRUE;

        (void) state;
        assert_true(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "b", &list));
        for (int i = 0; i < 30000; i++)
                assert_true(dbus_message_iter_append_basic(&list, DBUS_TYPE_BOOLEAN, &yes));
        assert_true(dbus_message_iter_close_container(&iter, &list));
        assert_true(dbus_message_iter_init(message, &iter));
        found = tn_tray_value(&iter);
        assert_int_equal(json_array_size(found), 19999); /* and the list itself */
        dbus_message_unref(message);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_too_much),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
