/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * An open watchdog: the ioctls of Documentation/watchdog/watchdog-api.rst. Opening arms it; closing it
 * without the magic character leaves it running.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct tn_env;

struct watchdog_card {
        int fd;         /* -1: not ours */
        char *name;     /* "watchdog0" */
        char *identity; /* as the driver tells */
        uint32_t options;
        unsigned timeout, pretimeout; /* seconds, as the driver has rounded them; 0: none */
        /* ioctl(2), or what a test puts in its place. */
        int (*control)(int fd, unsigned long request, void *argument);
};

void watchdog_card_init(struct watchdog_card *card);
/* Opens and so arms. TN_ERROR_BUSY: somebody else has it. */
bool watchdog_card_open(struct watchdog_card *card, const struct tn_env *env, const char *name,
                        GError **error);
/* Takes over a descriptor of before a restart, also when it fails. */
bool watchdog_card_adopt(struct watchdog_card *card, int fd, const char *name, GError **error);
bool watchdog_card_ping(struct watchdog_card *card, GError **error);
/* Sets the timeout; what the driver made of it is in card->timeout. */
bool watchdog_card_set_timeout(struct watchdog_card *card, unsigned seconds, GError **error);
bool watchdog_card_set_pretimeout(struct watchdog_card *card, unsigned seconds, GError **error);
/* Stops the device and starts it again while it stays open: for the sleep of the machine. */
bool watchdog_card_pause(struct watchdog_card *card, GError **error);
bool watchdog_card_resume(struct watchdog_card *card, GError **error);
/* The magic close. The device stops when its last descriptor is closed; false: it cannot be stopped
 * (nowayout), and runs on. */
bool watchdog_card_disarm(struct watchdog_card *card);
/* Closes and leaves it running. */
void watchdog_card_leave(struct watchdog_card *card);
