/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Asks polkit whether the caller of a method may do it, without polkit's library and without waiting. The
 * question is taken back when the caller leaves the bus: a dialog that nobody needs is closed. */
#pragma once

#include <dbus/dbus.h>
#include <glib.h>

#include "lib/bus.h"

#define TN_POLKIT_MS (2 * 60 * 1000) /* that a person may take for a password */

struct tn_polkit;

/* NULL: the caller may. Else TN_ERROR_DENIED, in words for who asked. Borrowed. */
typedef void (*tn_polkit_done)(const GError *error, void *data);

/* May the sender of @call do @action ("org.tenon.agent1.set-time")? A person is asked only if the call has
 * the flag that allows it. @done runs on the loop exactly once, and then the question is gone; not after
 * tn_polkit_cancel(). @bus outlives it. */
struct tn_polkit *tn_polkit_ask(struct tn_bus *bus, DBusMessage *call, const char *action,
                                tn_polkit_done done, void *data);
/* Before the answer, and before tn_bus_free(). NULL is fine. */
void tn_polkit_cancel(struct tn_polkit *question);
