/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One function for each type of D-Bus that we send. The surprising thing is the care for texts: libdbus ends
 * the process when it is handed one that is no UTF-8, and JSON knows a character U+0000, which D-Bus does
 * not: a text ends there.
 */
#include "lib/bus-json.h"

#include <glib.h>
#include <string.h>

#include "lib/json.h"

#define DEPTH_MAX 24 /* containers; D-Bus allows 32 of each kind. What is deeper is its JSON text */

static void append(DBusMessageIter *to, const char *type, const json_t *value, unsigned depth);

static void append_text(DBusMessageIter *to, const char *text)
{
        const char *valid = text && g_utf8_validate(text, -1, NULL) ? text : "";

        (void) dbus_message_iter_append_basic(to, DBUS_TYPE_STRING, &valid);
}

/* Of JSON's numbers; what does not fit is the nearest that does. */
static json_int_t integer(const json_t *value)
{
        return json_is_real(value) ? (json_int_t) CLAMP(json_real_value(value), -9e18, 9e18)
                                   : json_integer_value(value);
}

static void append_basic(DBusMessageIter *to, char type, const json_t *value)
{
        json_int_t number = integer(value);

        switch (type) {
        case DBUS_TYPE_BOOLEAN: {
                dbus_bool_t b = json_is_true(value);
                (void) dbus_message_iter_append_basic(to, type, &b);
                break;
        }
        case DBUS_TYPE_UINT32: {
                dbus_uint32_t u = (dbus_uint32_t) CLAMP(number, 0, (json_int_t) G_MAXUINT32);
                (void) dbus_message_iter_append_basic(to, type, &u);
                break;
        }
        case DBUS_TYPE_INT32: {
                dbus_int32_t i = (dbus_int32_t) CLAMP(number, G_MININT32, G_MAXINT32);
                (void) dbus_message_iter_append_basic(to, type, &i);
                break;
        }
        case DBUS_TYPE_INT64: {
                dbus_int64_t x = number;
                (void) dbus_message_iter_append_basic(to, type, &x);
                break;
        }
        case DBUS_TYPE_UINT64: {
                dbus_uint64_t t = (dbus_uint64_t) MAX(number, 0);
                (void) dbus_message_iter_append_basic(to, type, &t);
                break;
        }
        case DBUS_TYPE_DOUBLE: {
                double d = json_number_value(value);
                (void) dbus_message_iter_append_basic(to, type, &d);
                break;
        }
        default:
                append_text(to, json_string_value(value));
        }
}

/* Are there members, and are all of them of that kind? */
static bool all_are(const json_t *list, json_type type)
{
        json_t *member;
        size_t i;

        json_array_foreach((json_t *) list, i, member)
        {
                if (json_typeof(member) != type)
                        return false;
        }
        return json_array_size(list) > 0;
}

static const char *type_of(const json_t *value)
{
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return "a{sv}";
        case JSON_ARRAY:
                return all_are(value, JSON_STRING) ? "as" : all_are(value, JSON_OBJECT) ? "aa{sv}" : "av";
        case JSON_INTEGER:
                return "x";
        case JSON_REAL:
                return "d";
        case JSON_TRUE:
        case JSON_FALSE:
                return "b";
        default:
                return "s";
        }
}

static void append_variant(DBusMessageIter *to, const json_t *value, unsigned depth)
{
        const char *type = value ? type_of(value) : "s";
        DBusMessageIter variant;

        if (depth >= DEPTH_MAX && *type == DBUS_TYPE_ARRAY) {
                g_autofree char *text = tn_json_line(value);

                (void) dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "s", &variant);
                append_text(&variant, text);
        } else {
                (void) dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, type, &variant);
                append(&variant, type, value, depth + 1);
        }
        (void) dbus_message_iter_close_container(to, &variant);
}

static void append_object(DBusMessageIter *to, const json_t *object, unsigned depth)
{
        DBusMessageIter rows, row;
        const char *key;
        json_t *value;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{sv}", &rows);
        json_object_foreach((json_t *) object, key, value)
        {
                if (json_is_null(value))
                        continue;
                (void) dbus_message_iter_open_container(&rows, DBUS_TYPE_DICT_ENTRY, NULL, &row);
                append_text(&row, key);
                append_variant(&row, value, depth);
                (void) dbus_message_iter_close_container(&rows, &row);
        }
        (void) dbus_message_iter_close_container(to, &rows);
}

static void append_list(DBusMessageIter *to, const char *type, const json_t *list, unsigned depth)
{
        DBusMessageIter members;
        json_t *member;
        size_t i;

        (void) dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, type, &members);
        json_array_foreach((json_t *) list, i, member)
        {
                append(&members, type, member, depth + 1);
        }
        (void) dbus_message_iter_close_container(to, &members);
}

static void append(DBusMessageIter *to, const char *type, const json_t *value, unsigned depth)
{
        if (g_str_equal(type, "a{sv}"))
                append_object(to, json_is_object(value) ? value : NULL, depth);
        else if (*type == DBUS_TYPE_ARRAY)
                append_list(to, type + 1, json_is_array(value) ? value : NULL, depth);
        else if (*type == DBUS_TYPE_VARIANT)
                append_variant(to, value, depth);
        else
                append_basic(to, *type, value);
}

void tn_bus_json_append(DBusMessageIter *to, const char *type, const json_t *value)
{
        append(to, type, value, 0);
}

json_t *tn_bus_json_read(DBusMessageIter *from)
{
        int type = dbus_message_iter_get_arg_type(from);
        DBusBasicValue basic = {0};

        if (type != DBUS_TYPE_STRING && type != DBUS_TYPE_BOOLEAN && type != DBUS_TYPE_INT32 &&
            type != DBUS_TYPE_UINT32 && type != DBUS_TYPE_INT64)
                return NULL;
        dbus_message_iter_get_basic(from, &basic);
        switch (type) {
        case DBUS_TYPE_STRING:
                return json_string(basic.str);
        case DBUS_TYPE_BOOLEAN:
                return json_boolean(basic.bool_val);
        case DBUS_TYPE_INT32:
                return json_integer(basic.i32);
        case DBUS_TYPE_UINT32:
                return json_integer(basic.u32);
        default:
                return json_integer(basic.i64);
        }
}
