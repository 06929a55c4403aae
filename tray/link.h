/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A connection to a bus that is opened again whenever it was lost. */
#pragma once

#include "lib/bus.h"

struct tn_tray_link;

struct tn_tray_link_hooks {
        void (*up)(struct tn_bus *bus, void *data); /* may be called within tn_tray_link_new() */
        void (*down)(void *data);                   /* the bus of up() is about to be freed */
};

/* @address is copied; NULL: the system bus. While there is no bus it is tried again, ever more seldom. */
struct tn_tray_link *tn_tray_link_new(const char *address, const struct tn_tray_link_hooks *hooks,
                                      void *data);
/* Calls down() if it is up. NULL is fine. */
void tn_tray_link_free(struct tn_tray_link *link);
