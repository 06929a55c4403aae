/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the files of this plugin share: one watchdog, its state, and who may change it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/watchdog/card.h"
#include "plugins/watchdog/device.h"
#include "plugins/watchdog/manager.h"
#include "plugins/watchdog/record.h"
#include "plugins/watchdog/settings.h"
#include "plugins/watchdog/sleep.h"
#include "plugins/watchdog/watch.h"
#include "tenon/plugin.h"

enum watchdog_state {
        WATCHDOG_ASKING,   /* systemd has not answered yet */
        WATCHDOG_ABSENT,   /* no device, or none that this mode takes */
        WATCHDOG_OFF,      /* mode=off, or not armed without a store for its descriptor */
        WATCHDOG_REFUSED,  /* a mistake in the configuration, or the device refuses it */
        WATCHDOG_FOREIGN,  /* another program owns it */
        WATCHDOG_DISARMED, /* by an administrator */
        WATCHDOG_FED,      /* armed by us */
        WATCHDOG_STARVING, /* armed by us, and on purpose no longer fed */
        WATCHDOG_ASLEEP,   /* ours, stopped for the sleep of the machine */
        _WATCHDOG_STATE_MAX,
};

struct watchdog_feed {
        guint timer;     /* 0: nothing is fed */
        bool to_systemd; /* what is fed is systemd's watchdog of our unit */
        unsigned timeout_ms;
        uint64_t count, last_usec, longest_usec; /* of the feedings */
        bool test;                               /* starve, whatever the checks say */
        bool recorded;       /* the reason is on the disk, or could not be written in time */
        uint64_t until_usec; /* while an orderly reboot is tried, feed until then; 0: no more */
};

struct watchdog {
        struct tenon_host *host;
        struct watchdog_settings settings;
        enum watchdog_state state;
        char *reason;       /* a sentence; NULL: none needed */
        char *owner;        /* of a foreign one, if known */
        char *owned;        /* the foreign one: "watchdog0" */
        GPtrArray *devices; /* struct watchdog_device, as last read */
        struct watchdog_card card;
        struct watchdog_feed feed;
        struct watchdog_record *record;
        struct watchdog_manager *manager;
        struct watchdog_sleep *sleep; /* while armed */
        struct watchdog_watch *watch; /* for devices that come, and owners that go */
        GPtrArray *calls;             /* struct tenon_call that wait for the arming */
        bool asked;                   /* an administrator wants it armed */
        guint examine_source;         /* the device of before the reset is waited for */
        bool stopping;
};

/* watchdog.c: finds the cause of the last reset, once in each boot. Without @now it may wait for the device.
 */
void watchdog_examine(struct watchdog *watchdog, bool now);
/* watchdog.c: takes @reason (may be NULL), puts the fact on the board. */
void watchdog_set_state(struct watchdog *watchdog, enum watchdog_state state, char *reason);

/* arm.c */

/* Decides anew whether to arm, and does. @call (may be NULL) is answered when it is done. */
void watchdog_arm(struct watchdog *watchdog, struct tenon_call *call);
/* Goes on with a descriptor of before a restart. */
void watchdog_adopt(struct watchdog *watchdog, int fd);
/* The magic close. False with *error: it cannot be disarmed, and is fed on. */
bool watchdog_disarm(struct watchdog *watchdog, GError **error);
/* What the agent's end means for the device. */
void watchdog_leave(struct watchdog *watchdog);

/* feed.c */

/* Feeds now, and from now on in time for @timeout_ms. */
void watchdog_feed_start(struct watchdog *watchdog, unsigned timeout_ms);
void watchdog_feed_stop(struct watchdog *watchdog);
/* Starves it on purpose. */
void watchdog_feed_test(struct watchdog *watchdog);
/* Asks the board whether it may be fed, and feeds or starves it. */
void watchdog_feed_check(struct watchdog *watchdog);
/* Why it must not be armed, though nothing is critical: a required check cannot work. Borrowed, or NULL. */
const char *watchdog_feed_fault(const struct watchdog *watchdog);
/* Feeds, whatever the board says. */
bool watchdog_feed_once(struct watchdog *watchdog);

/* report.c */

/* "fed", "starving", … Static. */
const char *watchdog_state_name(enum watchdog_state state);
/* The fact, which changes only when something happens. New reference. */
json_t *watchdog_report_fact(struct watchdog *watchdog);
/* The fact and what changes all the time: the reply of tenon-get-watchdog. New reference. */
json_t *watchdog_report_all(struct watchdog *watchdog);
