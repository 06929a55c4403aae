/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the files of this plugin share: one function per command, one per fact. The pure halves have
 * headers of their own (envfile.h, interfaces.h, mounts.h, disk-address.h, users.h).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <string.h>

#include "lib/env.h"
#include "tenon/plugin.h"

#define TN_GUESTINFO_GROUP "guestinfo" /* our group in the configuration */

/* The plugin's own, in host->data from start to stop. Any of it may be NULL. */
struct tn_guestinfo {
        struct tn_watch *os, *network, *filesystems, *users; /* NULL: no subscription, the fact stays so */
        int release_inotify;                                 /* belongs to @os */
        int users_inotify;                                   /* belongs to @users */
        struct tn_network *remembered_network;
        struct tn_fsinfo *fsinfo;
        struct tn_worker *disks_worker;
};

/* Commands; the reply or NULL with @error, as struct tenon_command wants them. None looks at @args. */
json_t *tn_osinfo_run(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_osinfo_run_host_name(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_timezone_run(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_users_run(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_network_run(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_routes_run(struct tenon_host *host, json_t *args, GError **error);
void tn_fsinfo_start(struct tenon_host *host, struct tenon_call *call, json_t *args);
void tn_disks_start(struct tenon_host *host, struct tenon_call *call, json_t *args);
json_t *tn_diskstats_run(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_cpu_run_vcpus(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_cpu_run_load(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_cpu_run_stats(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_memory_run_blocks(struct tenon_host *host, json_t *args, GError **error);
json_t *tn_memory_run_block_info(struct tenon_host *host, json_t *args, GError **error);

/* The os-release file that tn_osinfo_run() reads, only as a place (O_PATH); -1 when there is none. */
int tn_osinfo_open_release(struct tenon_host *host);

/* Facts for the board, new references: what the command says, without the numbers that change by
 * themselves (statistics, sizes). NULL with @error when they cannot be read. */
json_t *tn_osinfo_fact(struct tenon_host *host, GError **error);
json_t *tn_network_fact(struct tenon_host *host, GError **error);
json_t *tn_fsinfo_fact(struct tenon_host *host, GError **error);
/* With the number of sessions of each user, so that a second login shows. */
json_t *tn_users_fact(struct tenon_host *host, GError **error);

/* A number as JSON; what is beyond jansson's signed integers is held at their end. */
static inline json_t *tn_guestinfo_uint(guint64 value)
{
        return json_integer((json_int_t) MIN(value, (guint64) G_MAXINT64));
}

/* The same for a number that is already there. */
static inline void tn_guestinfo_set_uint(json_t *integer, guint64 value)
{
        (void) json_integer_set(integer, (json_int_t) MIN(value, (guint64) G_MAXINT64));
}

/* The decimal number after @prefix when that is all of @name ("cpu12"), else false. */
static inline bool tn_guestinfo_numbered(const char *name, const char *prefix, guint64 *ret_number)
{
        return g_str_has_prefix(name, prefix) &&
               g_ascii_string_to_unsigned(name + strlen(prefix), 10, 0, G_MAXINT32, ret_number, NULL);
}
