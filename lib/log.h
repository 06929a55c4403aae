/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Structured log: fields first, then one sentence.
 *
 *   tn_log(log, TN_LOG_WARNING, TN_FIELDS({TN_F_PLUGIN, name}), "plugin %s refused: %s", name, why);
 *
 * With the journal, each field arrives as a journal field; elsewhere the sentence goes to stderr with
 * its level as an sd-daemon(3) prefix-free word. Fields in use (all documented in tenond(8)):
 *
 *   MESSAGE_ID           of events that an administrator may match on, see names.h
 *   TENON_PLUGIN         the plugin that speaks or is spoken of
 *   TENON_COMMAND        the command, by its wire name
 *   TENON_HYPERVISOR     the primary fact's id
 *   TENON_TRANSPORT      the channel's method (virtio-serial, unix-listen, …)
 *   TENON_ERROR          the error's short name (not-found, denied, …)
 *   TENON_FILE           the file spoken of
 *   TENON_PEER           who asked: channel, and uid and pid where known
 *   TENON_RESULT         "ok" or the error's short name
 *   TENON_DURATION_USEC  how long it took
 *   TENON_CHECK          the check or heartbeat spoken of
 *
 * Payloads (arguments, file contents, passwords) are never logged.
 */
#pragma once

#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>

/* Values are those of syslog(3). */
enum tn_log_level {
        TN_LOG_ERR = 3,     /* something asked for did not happen, and an administrator should act */
        TN_LOG_WARNING = 4, /* it works, but not as configured or not for long */
        TN_LOG_NOTICE = 5,  /* a state change that an administrator wants to find later */
        TN_LOG_INFO = 6,    /* a step in the life of the agent */
        TN_LOG_DEBUG = 7,   /* for developers */
};

struct tn_log_field {
        const char *name;
        const char *value; /* NULL: the field is left out */
};

#define TN_FIELDS(...) ((const struct tn_log_field[]){__VA_ARGS__, {NULL, NULL}})

struct tn_log;

/* Receives one record. @message is the finished sentence, @fields is ended by a NULL name or is NULL. */
typedef void (*tn_log_sink)(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                            const char *message);

/* A log for this process: the journal when stderr is connected to it, else stderr. */
struct tn_log *tn_log_new(enum tn_log_level max_level);
/* The same of a program that ends soon, without fields: the journal looks up who has sent a record, and on a
 * busy machine that is a process that has ended; of what comes through stderr it knows the unit.
 * @program is borrowed. */
struct tn_log *tn_log_new_brief(const char *program, enum tn_log_level max_level);
/* A log that hands everything to @sink (tests, in-memory logs). */
struct tn_log *tn_log_new_sink(enum tn_log_level max_level, tn_log_sink sink, void *data);
void tn_log_free(struct tn_log *log);
typedef struct tn_log tn_log_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_log_t, tn_log_free)

void tn_log_set_level(struct tn_log *log, enum tn_log_level max_level);
/* Text also goes to this file, appended, mode 0600; closed by tn_log_free(). fd is taken over. */
void tn_log_set_file(struct tn_log *log, int fd);

/* @log may be NULL: nothing happens. errno is kept. */
void tn_log(struct tn_log *log, enum tn_log_level level, const struct tn_log_field *fields,
            const char *format, ...) G_GNUC_PRINTF(4, 5);
void tn_log_valist(struct tn_log *log, enum tn_log_level level, const struct tn_log_field *fields,
                   const char *format, va_list args) G_GNUC_PRINTF(4, 0);

/* From now on records are kept in memory, because writing one could block: the journal's own file system is
 * frozen. At most TN_LOG_HELD_MAX; the oldest make room and are counted. Calls do not add up. */
#define TN_LOG_HELD_MAX 256
void tn_log_hold(struct tn_log *log);
/* Writes what was kept, each with its age, and writes through again. Does nothing when nothing is held. */
void tn_log_release(struct tn_log *log);

/* "error", "warning", … → level; false when @name is none of them. */
bool tn_log_level_parse(const char *name, enum tn_log_level *ret_level);

/* A bucket for messages that the host can cause: true while at most @burst were let through in the last
 * @interval_usec. Zero-initialise. */
struct tn_log_ratelimit {
        guint64 window_start_usec;
        unsigned used;
};
bool tn_log_ratelimit_ok(struct tn_log_ratelimit *limit, unsigned burst, guint64 interval_usec,
                         guint64 now_usec);
