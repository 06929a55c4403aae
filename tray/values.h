/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Values of D-Bus as JSON, for the half of the tray that knows no bus. */
#pragma once

#include <dbus/dbus.h>
#include <jansson.h>

/* The value at @from: arrays of entries become objects, variants what is in them. What is too deep, too much
 * or of a type that JSON has no word for is null. New reference. */
json_t *tn_tray_value(DBusMessageIter *from);
