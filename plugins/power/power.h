/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the files of this plugin share. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tenon/plugin.h"

struct tn_bus;

/* One way down: how each of the three ways to ask names it. */
struct power_mode {
        const char *name;          /* guest-shutdown's mode */
        const char *logind_method; /* org.freedesktop.login1.Manager */
        const char *target;        /* systemd's unit */
        const char *program;       /* the classic one, without arguments */
        const char *flag;          /* the flag of shutdown(8) */
        /* Only of the ways to sleep: */
        const char *logind_check; /* asks whether it can */
        const char *sleep;        /* what tenon-system-helper is asked for in place of @program */
};

/* NULL when there is no such mode. NULL as @name is the default, powerdown. */
const struct power_mode *power_mode_find(const char *name);

#define POWER_SLEEP_UNSUPPORTED "the requested suspend mode is not supported by the guest"

/* suspend.c */

struct power_suspend;
struct power_suspend *power_suspend_new(struct tenon_host *host);
/* A call under way ends with an error. NULL is fine. */
void power_suspend_free(struct power_suspend *suspend);
/* In power.c: the one of this plugin. */
struct power_suspend *power_get_suspend(struct tenon_host *host);

/* The commands. */
void power_suspend_start_ram(struct tenon_host *host, struct tenon_call *call, json_t *args);
void power_suspend_start_disk(struct tenon_host *host, struct tenon_call *call, json_t *args);
void power_suspend_start_hybrid(struct tenon_host *host, struct tenon_call *call, json_t *args);

/* request.c */

struct power_request;
typedef void (*power_request_done)(bool ok, const char *how, const GError *error, void *data);

/* Asks logind, then systemd, then the classic programs, until one accepts. @done runs once, from the loop.
 */
struct power_request *power_request_start(struct tenon_host *host, const struct power_mode *mode,
                                          power_request_done done, void *data);
void power_request_free(struct power_request *request);
