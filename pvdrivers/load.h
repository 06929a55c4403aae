/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which modules this machine wants and has not got. tn_load_decide() is a function of what was found and
 * changes nothing; tn_load_act() lets the modules in and writes modules-load.d.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "pvdrivers/inventory.h"

enum tn_load_action {
        TN_LOAD_WANTED,  /* is to be loaded */
        TN_LOAD_PRESENT, /* loaded already, and asked for by name: it stays in modules-load.d */
        TN_LOAD_SKIPPED, /* wanted, but something stands against it; the reason says what */
        TN_LOAD_LOADED,  /* was loaded now */
        TN_LOAD_REFUSED, /* the kernel said no: there is no host behind it, or it failed */
};

struct tn_load_step {
        char *module;
        enum tn_load_action action;
        char *reason;      /* "drives pci 0000:00:04.0", "forbidden by /etc/modprobe.d/x.conf" */
        bool by_name;      /* no device names it: modules-load.d keeps it for the next start */
        bool absent;       /* refused because the host does not offer it: no failure */
        bool by_any_means; /* the administrator asked for it: a blacklist for automatic loading is no
                              obstacle */
};

/* Steps in order, each module once. Of struct tn_load_step; free with g_ptr_array_unref(). */
GPtrArray *tn_load_decide(const struct tn_env *env, const struct tn_catalogue *catalogue,
                          const struct tn_inventory *inventory);

/* Lets a module in with all that it needs: 0, or a negative errno. */
typedef int (*tn_load_insert)(const char *module, void *data);

/* Carries the wanted steps out; each becomes loaded or refused. False with @error when the modules-load.d
 * file could not be written; the modules are in then nevertheless. */
bool tn_load_act(const struct tn_env *env, GPtrArray *steps, tn_load_insert insert, void *data,
                 GError **error);

/* One line for people about a step: "virtio_gpu: loaded, drives virtio virtio3". Free with g_free(). */
char *tn_load_line(const struct tn_load_step *step);
/* [{"module", "action", "reason", "by-name"}]. New reference. */
json_t *tn_load_to_json(const GPtrArray *steps);
/* Did something fail that has a device? */
bool tn_load_failed(const GPtrArray *steps);
