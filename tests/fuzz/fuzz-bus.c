/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A D-Bus message from anybody on the bus: its arguments become JSON, or nothing. */
#include <dbus/dbus.h>
#include <string.h>

#include "lib/bus-json.h"
#include "tests/fuzz/fuzz.h"

static void read_all(DBusMessage *message)
{
        DBusMessageIter iter;

        if (!dbus_message_iter_init(message, &iter))
                return;
        do {
                json_t *value = tn_bus_json_read(&iter);

                json_decref(value);
        } while (dbus_message_iter_next(&iter));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        DBusMessage *message = dbus_message_demarshal((const char *) data, (int) MIN(size, 65536), NULL);

        if (!message)
                return 0;
        read_all(message);
        dbus_message_unref(message);
        return 0;
}
