/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The sleep of the machine: while it sleeps nobody feeds, and most watchdogs go on counting. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct watchdog_sleep;

/* @going: sleep begins; false: it is over. */
typedef void (*watchdog_sleep_func)(bool going, void *data);

/* Listens to logind and holds its sleep back until @func has returned. NULL: there is no logind. */
struct watchdog_sleep *watchdog_sleep_new(watchdog_sleep_func func, void *data);
void watchdog_sleep_free(struct watchdog_sleep *sleep);
