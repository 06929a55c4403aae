/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * JSON values as values of D-Bus and back. A signature says what is wanted; what the JSON value does not
 * have becomes that type's zero. Inside a variant the value says itself what it is.
 */
#pragma once

#include <dbus/dbus.h>
#include <jansson.h>
#include <stdbool.h>

/* Appends @value (NULL or another type: zero, empty) as @type, which is one of b u i x t d s as a{sv} aa{sv}
 * v. A list in a variant is as or aa{sv} when all its members are texts or objects, av otherwise; a member
 * that is null is left out of a{sv}. */
void tn_bus_json_append(DBusMessageIter *to, const char *type, const json_t *value);
/* The argument at @from: a text, a number, a yes or no. NULL: another type. New reference. */
json_t *tn_bus_json_read(DBusMessageIter *from);
