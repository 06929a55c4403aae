/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Log sinks: journal, stderr, file, or a function. The surprising thing: the journal is used only when
 * JOURNAL_STREAM says that stderr is already connected to it, so that a developer's terminal and a test's
 * pipe get plain text without any option.
 */
#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "lib/library.h"

#define MAX_FIELDS 16

struct tn_log {
        enum tn_log_level max_level;
        tn_log_sink sink;
        void *sink_data;
        int file_fd;
        bool holding;
        GQueue held; /* struct held, oldest first */
        unsigned dropped;
};

/* A record that waits for tn_log_release(). */
struct held {
        gint64 when_usec; /* monotonic */
        enum tn_log_level level;
        char *message;
        char *names[MAX_FIELDS];
        char *values[MAX_FIELDS];
        unsigned n_fields;
};

static const struct {
        const char *name;
        enum tn_log_level level;
} levels[] = {
        {"error", TN_LOG_ERR}, {"warning", TN_LOG_WARNING}, {"notice", TN_LOG_NOTICE},
        {"info", TN_LOG_INFO}, {"debug", TN_LOG_DEBUG},
};

static const char *level_name(enum tn_log_level level)
{
        for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
                if (levels[i].level == level)
                        return levels[i].name;
        return "error";
}

bool tn_log_level_parse(const char *name, enum tn_log_level *ret_level)
{
        for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
                if (g_strcmp0(levels[i].name, name) == 0) {
                        *ret_level = levels[i].level;
                        return true;
                }
        return false;
}

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream socket; true when stderr is that one. */
static bool stderr_is_journal(void)
{
        const char *stream = g_getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;
        return st.st_dev == dev && st.st_ino == ino;
}

static void sink_stderr(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                        const char *message)
{
        (void) fields;
        fprintf(stderr, "%s: %s: %s\n", (const char *) data, level_name(level), message);
}

/* libsystemd is loaded with the first record for the journal: see lib/library.h. */
static int journal_send(const struct iovec *iov, int n)
{
        static __typeof__(&sd_journal_sendv) send;

        if (!send)
                send = (__typeof__(send)) tn_library_find("libsystemd.so.0", "sd_journal_sendv");
        return send ? send(iov, n) : -ENOENT;
}

static void sink_journal(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                         const char *message)
{
        char *lines[MAX_FIELDS + 3];
        struct iovec iov[MAX_FIELDS + 3];
        int n = 0;

        lines[n++] = g_strdup_printf("MESSAGE=%s", message);
        lines[n++] = g_strdup_printf("PRIORITY=%d", (int) level);
        lines[n++] = g_strdup_printf("SYSLOG_IDENTIFIER=%s", (const char *) data);
        for (; fields && fields->name && n < MAX_FIELDS + 3; fields++)
                if (fields->value)
                        lines[n++] = g_strdup_printf("%s=%s", fields->name, fields->value);
        for (int i = 0; i < n; i++)
                iov[i] = (struct iovec){.iov_base = lines[i], .iov_len = strlen(lines[i])};
        if (journal_send(iov, n) < 0)
                sink_stderr(data, level, NULL, message);
        for (int i = 0; i < n; i++)
                g_free(lines[i]);
}

/* A line with its level, as in sd-daemon(3). */
static void sink_stream(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                        const char *message)
{
        (void) data;
        (void) fields;
        fprintf(stderr, "<%d>%s\n", (int) level, message);
}

static void write_file(int fd, enum tn_log_level level, const char *message)
{
        g_autofree char *line = NULL;
        char when[32];
        struct tm tm;
        time_t now = time(NULL);

        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
        line = g_strdup_printf("%s %s: %s\n", when, level_name(level), message);
        /* A full disk must not stop the agent: the journal or stderr has the line as well. */
        if (write(fd, line, strlen(line)) < 0)
                return;
}

struct tn_log *tn_log_new(enum tn_log_level max_level)
{
        return tn_log_new_sink(max_level, stderr_is_journal() ? sink_journal : sink_stderr,
                               (void *) "tenond");
}

struct tn_log *tn_log_new_brief(const char *program, enum tn_log_level max_level)
{
        return tn_log_new_sink(max_level, stderr_is_journal() ? sink_stream : sink_stderr, (void *) program);
}

struct tn_log *tn_log_new_sink(enum tn_log_level max_level, tn_log_sink sink, void *data)
{
        struct tn_log *log = g_new0(struct tn_log, 1);

        log->max_level = max_level;
        log->sink = sink;
        log->sink_data = data;
        log->file_fd = -1;
        return log;
}

void tn_log_free(struct tn_log *log)
{
        if (!log)
                return;
        tn_log_release(log);
        if (log->file_fd >= 0)
                close(log->file_fd);
        g_free(log);
}

void tn_log_set_level(struct tn_log *log, enum tn_log_level max_level)
{
        log->max_level = max_level;
}

void tn_log_set_file(struct tn_log *log, int fd)
{
        if (log->file_fd >= 0)
                close(log->file_fd);
        log->file_fd = fd;
}

static void write_record(struct tn_log *log, enum tn_log_level level, const struct tn_log_field *fields,
                         const char *message)
{
        log->sink(log->sink_data, level, fields, message);
        if (log->file_fd >= 0)
                write_file(log->file_fd, level, message);
}

static void held_free(struct held *held)
{
        for (unsigned i = 0; i < held->n_fields; i++) {
                g_free(held->names[i]);
                g_free(held->values[i]);
        }
        g_free(held->message);
        g_free(held);
}

static void keep(struct tn_log *log, enum tn_log_level level, const struct tn_log_field *fields,
                 char *message)
{
        struct held *held = g_new0(struct held, 1);

        held->when_usec = g_get_monotonic_time();
        held->level = level;
        held->message = message;
        for (; fields && fields->name && held->n_fields < MAX_FIELDS; fields++)
                if (fields->value) {
                        held->names[held->n_fields] = g_strdup(fields->name);
                        held->values[held->n_fields++] = g_strdup(fields->value);
                }
        g_queue_push_tail(&log->held, held);
        if (g_queue_get_length(&log->held) > TN_LOG_HELD_MAX) {
                held_free(g_queue_pop_head(&log->held));
                log->dropped++;
        }
}

void tn_log_hold(struct tn_log *log)
{
        if (log)
                log->holding = true;
}

static void write_held(struct tn_log *log, const struct held *held)
{
        double age = (double) (g_get_monotonic_time() - held->when_usec) / G_USEC_PER_SEC;
        g_autofree char *message = g_strdup_printf("%s (held back for %.1f s)", held->message, age);
        struct tn_log_field fields[MAX_FIELDS + 1] = {{NULL, NULL}};

        for (unsigned i = 0; i < held->n_fields; i++)
                fields[i] = (struct tn_log_field){held->names[i], held->values[i]};
        write_record(log, held->level, fields, message);
}

void tn_log_release(struct tn_log *log)
{
        struct held *held;

        if (!log || !log->holding)
                return;
        log->holding = false;
        while ((held = g_queue_pop_head(&log->held))) {
                write_held(log, held);
                held_free(held);
        }
        if (log->dropped)
                tn_log(log, TN_LOG_WARNING, NULL, "%u older records were dropped while they were held back",
                       log->dropped);
        log->dropped = 0;
}

void tn_log_valist(struct tn_log *log, enum tn_log_level level, const struct tn_log_field *fields,
                   const char *format, va_list args)
{
        int saved_errno = errno;
        g_autofree char *message = NULL;

        if (!log || level > log->max_level)
                return;
        message = g_strdup_vprintf(format, args);
        if (log->holding)
                keep(log, level, fields, g_steal_pointer(&message));
        else
                write_record(log, level, fields, message);
        errno = saved_errno;
}

void tn_log(struct tn_log *log, enum tn_log_level level, const struct tn_log_field *fields,
            const char *format, ...)
{
        va_list args;

        va_start(args, format);
        tn_log_valist(log, level, fields, format, args);
        va_end(args);
}

bool tn_log_ratelimit_ok(struct tn_log_ratelimit *limit, unsigned burst, guint64 interval_usec,
                         guint64 now_usec)
{
        if (limit->used == 0 || now_usec - limit->window_start_usec >= interval_usec) {
                limit->window_start_usec = now_usec;
                limit->used = 0;
        }
        if (limit->used >= burst)
                return false;
        limit->used++;
        return true;
}
