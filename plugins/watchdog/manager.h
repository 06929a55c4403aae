/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What systemd, process 1, knows of watchdogs: whether it feeds one itself, what it does at a reboot, and
 * why it stops us. Nothing of this is needed for feeding.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/env.h"

struct watchdog_manager;

struct watchdog_pid1 {
        bool known; /* it has answered */
        uint64_t runtime_usec, reboot_usec;
        char *device;            /* that it has open, or is told to use; NULL: neither */
        uint64_t last_ping_usec; /* CLOCK_REALTIME; 0: never */
};

struct watchdog_manager *watchdog_manager_new(const struct tn_env *env);
void watchdog_manager_free(struct watchdog_manager *manager);

typedef void (*watchdog_manager_answered)(void *data);
/* Asks again. @answered runs on the loop, exactly once and within a few seconds, also where there is nobody
 * to ask. A second question while one is under way is answered with the first. */
void watchdog_manager_ask(struct watchdog_manager *manager, watchdog_manager_answered answered, void *data);
/* What it last said. */
const struct watchdog_pid1 *watchdog_manager_get(const struct watchdog_manager *manager);
/* Whether it feeds a watchdog of its own. */
bool watchdog_pid1_feeds(const struct watchdog_pid1 *pid1);
/* Whether it arms one for the way down to a reboot, as far as can be told. */
bool watchdog_pid1_guards_reboot(const struct watchdog_pid1 *pid1, const struct tn_env *env);
/* Whether it should have fed one by now, and has not: there is none, or it hangs. */
bool watchdog_pid1_is_overdue(const struct watchdog_pid1 *pid1, uint64_t now_usec);
/* Starts a reboot, the orderly way; not waited for. False: there is nobody to ask. */
bool watchdog_manager_reboot(struct watchdog_manager *manager);

enum watchdog_end {
        WATCHDOG_END_STOP,    /* an administrator stops the agent; also when nobody can tell */
        WATCHDOG_END_RESTART, /* it comes back at once, and finds the descriptor */
        WATCHDOG_END_REBOOT,  /* the machine goes down to come back */
        WATCHDOG_END_DOWN,    /* it goes down, and no reset is wanted if that takes long */
};
/* What one more of systemd's jobs, @type of @unit, makes of the end that was known @so_far. @own: our unit.
 */
enum watchdog_end watchdog_end_after_job(enum watchdog_end so_far, const char *own, const char *unit,
                                         const char *type);
/* Why we are being stopped. Waits for the answer, a few seconds at most. */
enum watchdog_end watchdog_manager_why(struct watchdog_manager *manager);
