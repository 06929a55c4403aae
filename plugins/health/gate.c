/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The gate, and its record in the state directory. The record is written by a copy of this process with a
 * deadline, because the disk may be what is sick: then the gate closes without it.
 */
#define _GNU_SOURCE
#include "plugins/health/gate.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/worker.h"
#include "plugins/health/health.h"

#define RECORD    "health-gate.json"
#define RECORD_MS 2000
#define WRITTEN   "written"
#define BOOT_ID   "proc/sys/kernel/random/boot_id"

struct health_gate {
        struct tenon_host *host;
        struct tn_worker *worker;
        bool feed;           /* as the fact says */
        uint64_t since_usec; /* realtime */
        bool wanted_feed;    /* as it will say when the record is written */
        char *culprit;       /* wanted; NULL: it is open */
        char *reason;
        char *fault;         /* NULL: all that is required can work */
        bool recording_feed; /* what is being written */
        bool ending;
};

struct record {
        char *folder; /* relative to the root */
        char *text;
};

static void tell(const struct health_gate *gate)
{
        gate->host->fact_set(gate->host, "health-gate",
                             json_pack("{s:b, s:s, s:I, s:o*}", "feed", gate->feed, "reason",
                                       gate->reason ? gate->reason : "", "since",
                                       (json_int_t) (gate->since_usec / G_USEC_PER_SEC), "fault",
                                       gate->fault ? tn_json_text(gate->fault) : NULL));
}

static void publish(struct health_gate *gate)
{
        gate->feed = gate->wanted_feed;
        gate->since_usec = gate->host->env->now_usec(gate->host->env, CLOCK_REALTIME);
        tell(gate);
}

/* In the copy: whole or not at all. */
static void write_record(const struct tn_env *env, const void *job, int fd)
{
        const struct record *record = job;
        tn_autofd int folder = tn_env_open(env, record->folder, O_RDONLY | O_DIRECTORY, NULL);
        tn_autofd int file = folder < 0
                                     ? -1
                                     : openat(folder, RECORD ".new",
                                              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        size_t len = strlen(record->text);

        if (file < 0 || write(file, record->text, len) != (ssize_t) len || fsync(file) < 0 ||
            renameat(folder, RECORD ".new", folder, RECORD) < 0 || fsync(folder) < 0)
                (void) dprintf(fd, "%s", g_strerror(errno));
        else
                (void) dprintf(fd, WRITTEN);
}

static bool start_record(struct health_gate *gate);

static void on_recorded(const void *bytes, size_t len, void *data)
{
        struct health_gate *gate = data;
        g_autofree char *said = g_strndup(bytes ? bytes : "", len);

        if (gate->ending)
                return;
        if (!g_str_equal(said, WRITTEN))
                gate->host->log(gate->host, TN_LOG_WARNING, "the state of the gate is not on disk: %s",
                                *said ? said : "the file system does not answer");
        if (gate->recording_feed != gate->wanted_feed)
                (void) start_record(gate);
        if (gate->feed != gate->wanted_feed)
                publish(gate);
}

/* False: nothing is written, and nothing will be said. */
static bool start_record(struct health_gate *gate)
{
        struct tenon_host *host = gate->host;
        const char *folder = host->config(host, "agent", "statedir");
        g_autofree char *boot = tn_env_read_line(host->env, BOOT_ID);
        json_auto_t *value = json_pack(
                "{s:b, s:o, s:o, s:I, s:o}", "feed", gate->wanted_feed, "culprit",
                tn_json_text(gate->culprit), "reason", tn_json_text(gate->reason), "time",
                (json_int_t) (host->env->now_usec(host->env, CLOCK_REALTIME) / G_USEC_PER_SEC), "boot-id",
                tn_json_text(boot));
        g_autofree char *line = tn_json_line(value);
        g_autofree char *text = g_strdup_printf("%s\n", line);
        struct record record = {(char *) (folder ? folder + strspn(folder, "/") : NULL), text};

        if (!folder || health_is_frozen(host) ||
            !tn_worker_run(gate->worker, write_record, &record, RECORD_MS, on_recorded, gate, NULL))
                return false;
        gate->recording_feed = gate->wanted_feed;
        return true;
}

static void say(const struct health_gate *gate)
{
        tn_log(gate->host->env->log, gate->wanted_feed ? TN_LOG_NOTICE : TN_LOG_ERR,
               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_HEALTH_GATE}, {TN_F_PLUGIN, "health"},
                         {TN_F_CHECK, gate->culprit}),
               gate->wanted_feed ? "all that is required is well: the watchdog may be fed again"
                                 : "the watchdog is not to be fed any more: %s",
               gate->reason);
}

struct health_gate *health_gate_new(struct tenon_host *host, char *fault)
{
        struct health_gate *gate = g_new0(struct health_gate, 1);

        gate->host = host;
        gate->worker = tn_worker_new(host->env);
        gate->wanted_feed = true;
        gate->fault = fault;
        publish(gate);
        return gate;
}

void health_gate_free(struct health_gate *gate)
{
        if (!gate)
                return;
        gate->ending = true;
        tn_worker_free(gate->worker);
        g_free(gate->culprit);
        g_free(gate->reason);
        g_free(gate->fault);
        g_free(gate);
}

void health_gate_set(struct health_gate *gate, const char *culprit, const char *reason)
{
        bool turned = gate->wanted_feed != !culprit;

        if (!turned && g_strcmp0(culprit, gate->culprit) == 0)
                return;
        g_free(gate->culprit);
        g_free(gate->reason);
        gate->culprit = g_strdup(culprit);
        gate->reason = g_strdup(reason);
        gate->wanted_feed = !culprit;
        say(gate);
        /* To open it nothing needs to be waited for, nor to tell of another reason. */
        if (!start_record(gate) || gate->wanted_feed || !turned)
                publish(gate);
}

void health_gate_set_fault(struct health_gate *gate, char *fault)
{
        bool same = g_strcmp0(fault, gate->fault) == 0;

        g_free(gate->fault);
        gate->fault = fault;
        if (!same && gate->feed == gate->wanted_feed) /* else it is told with the next state */
                tell(gate);
}
