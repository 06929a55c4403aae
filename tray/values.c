/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The other direction is lib/bus-json.h; the agent never reads containers, and only the tray does. */
#include "tray/values.h"

#include <glib.h>

#define DEPTH_MAX  16
#define VALUES_MAX 20000

static json_t *value(DBusMessageIter *from, unsigned depth, unsigned *room);

static json_t *object(DBusMessageIter *from, unsigned depth, unsigned *room)
{
        json_t *result = json_object();
        DBusMessageIter entries, entry;
        const char *key;

        dbus_message_iter_recurse(from, &entries);
        for (; dbus_message_iter_get_arg_type(&entries) == DBUS_TYPE_DICT_ENTRY && *room > 0;
             (void) dbus_message_iter_next(&entries)) {
                int type;

                dbus_message_iter_recurse(&entries, &entry);
                type = dbus_message_iter_get_arg_type(&entry);
                if (type != DBUS_TYPE_STRING && type != DBUS_TYPE_OBJECT_PATH)
                        break; /* no name for a member */
                dbus_message_iter_get_basic(&entry, &key);
                (void) dbus_message_iter_next(&entry);
                json_object_set_new(result, key, value(&entry, depth + 1, room));
        }
        return result;
}

static json_t *list(DBusMessageIter *from, unsigned depth, unsigned *room)
{
        json_t *result = json_array();
        DBusMessageIter members;

        dbus_message_iter_recurse(from, &members);
        for (; dbus_message_iter_get_arg_type(&members) != DBUS_TYPE_INVALID && *room > 0;
             (void) dbus_message_iter_next(&members))
                json_array_append_new(result, value(&members, depth + 1, room));
        return result;
}

static json_t *basic(DBusMessageIter *from, int type)
{
        DBusBasicValue found = {0};

        dbus_message_iter_get_basic(from, &found);
        switch (type) {
        case DBUS_TYPE_STRING:
        case DBUS_TYPE_OBJECT_PATH:
                return json_string(found.str);
        case DBUS_TYPE_BOOLEAN:
                return json_boolean(found.bool_val);
        case DBUS_TYPE_INT32:
                return json_integer(found.i32);
        case DBUS_TYPE_UINT32:
                return json_integer(found.u32);
        case DBUS_TYPE_INT64:
                return json_integer(found.i64);
        case DBUS_TYPE_UINT64:
                return json_integer((json_int_t) MIN(found.u64, (dbus_uint64_t) G_MAXINT64));
        default:
                return json_real(found.dbl);
        }
}

static json_t *value(DBusMessageIter *from, unsigned depth, unsigned *room)
{
        DBusMessageIter inner;
        int type = dbus_message_iter_get_arg_type(from);

        if (depth > DEPTH_MAX || *room == 0)
                return json_null();
        (*room)--;
        switch (type) {
        case DBUS_TYPE_VARIANT:
                dbus_message_iter_recurse(from, &inner);
                return value(&inner, depth + 1, room);
        case DBUS_TYPE_ARRAY:
                return dbus_message_iter_get_element_type(from) == DBUS_TYPE_DICT_ENTRY
                               ? object(from, depth, room)
                               : list(from, depth, room);
        case DBUS_TYPE_STRING:
        case DBUS_TYPE_OBJECT_PATH:
        case DBUS_TYPE_BOOLEAN:
        case DBUS_TYPE_INT32:
        case DBUS_TYPE_UINT32:
        case DBUS_TYPE_INT64:
        case DBUS_TYPE_UINT64:
        case DBUS_TYPE_DOUBLE:
                return basic(from, type);
        default:
                return json_null();
        }
}

json_t *tn_tray_value(DBusMessageIter *from)
{
        unsigned room = VALUES_MAX;

        return value(from, 0, &room);
}
