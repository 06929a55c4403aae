/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Opening files where the agent's sandbox does not reach. tenon-files-helper is started in a transient unit
 * of its own, with one end of a socket pair as its standard input: each message there is a request, each
 * answer has the descriptor with it. The surprising thing: the helper is kept for some seconds, because to
 * start a unit takes longer than all the rest; and it ends by itself when we close our end.
 *
 * One file at a time: an open that hangs costs its deadline, then its helper is left behind, to be ended by
 * systemd, and the next file gets another one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/child.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd-pass.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/outside.h"
#include "plugins/files/files.h"

#define ANSWER_MAX (64 * 1024) /* bytes; an error has the path in it */
#define GRACE_MS   1000

struct tn_files_opener_times tn_files_opener_times = {.open_ms = 10000, .idle_ms = 5000, .life_ms = 60000};

struct tn_files_opener {
        const struct tn_env *env;
        char *helper;
        GQueue opens; /* struct opening; the first one is under way when there is a deadline */
        int fd;       /* our end; -1: no helper, or it has closed its own */
        struct tn_child *child;
        gint64 started; /* monotonic, microseconds */
        guint in_source;
        guint deadline_source;
        guint idle_source;
};

struct opening {
        char *path;
        char *mode; /* NULL: the default */
        bool nofollow;
        tn_files_opened opened;
        void *data;
};

static void go_on(struct tn_files_opener *opener);

/* The helper sees the end of its input, and ends. */
static void close_socket(struct tn_files_opener *opener)
{
        g_clear_handle_id(&opener->in_source, g_source_remove);
        tn_fd_close(&opener->fd);
}

static void part_from_helper(struct tn_files_opener *opener)
{
        close_socket(opener);
        g_clear_handle_id(&opener->idle_source, g_source_remove);
        tn_child_abandon(g_steal_pointer(&opener->child));
}

/* Ends the open that is under way; @fd or @why. */
static void answer(struct tn_files_opener *opener, int fd, const GError *why)
{
        g_autofree struct opening *opening = g_queue_pop_head(&opener->opens);

        g_clear_handle_id(&opener->deadline_source, g_source_remove);
        opening->opened(fd, why, opening->data);
        g_free(opening->path);
        g_free(opening->mode);
}

static void fail(struct tn_files_opener *opener, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void fail(struct tn_files_opener *opener, int code, const char *format, ...)
{
        const struct opening *opening = g_queue_peek_head(&opener->opens);
        g_autofree char *why = NULL;
        g_autoptr(GError) error = NULL;
        va_list args;

        va_start(args, format);
        why = g_strdup_vprintf(format, args);
        va_end(args);
        error = g_error_new(TN_ERROR, code, "failed to open file '%s' (mode: '%s'): %s", opening->path,
                            opening->mode ? opening->mode : "r", why);
        answer(opener, -1, error);
}

static gboolean on_deadline(void *data)
{
        struct tn_files_opener *opener = data;

        opener->deadline_source = 0;
        part_from_helper(opener);
        fail(opener, TN_ERROR_TIMEOUT, "not done within %u s", tn_files_opener_times.open_ms / 1000);
        go_on(opener);
        return G_SOURCE_REMOVE;
}

static gboolean on_idle(void *data)
{
        struct tn_files_opener *opener = data;

        opener->idle_source = 0;
        part_from_helper(opener);
        return G_SOURCE_REMOVE;
}

static bool is_under_way(const struct tn_files_opener *opener)
{
        return opener->deadline_source != 0;
}

/* systemd-run, or the helper where there is no systemd. */
static void on_ended(const struct tn_child_result *result, void *data)
{
        struct tn_files_opener *opener = data;
        g_autofree char *ending = tn_child_describe(result);
        g_autofree char *output = g_strstrip(g_strndup(result->output, 200));

        opener->child = NULL;
        part_from_helper(opener);
        if (is_under_way(opener))
                fail(opener, TN_ERROR_FAILED, "%s %s%s%s", opener->helper, ending, *output ? ": " : "",
                     output);
        go_on(opener);
}

/* What the helper said, with @fd or without. */
static void take_answer(struct tn_files_opener *opener, const char *text, size_t len, int fd)
{
        json_auto_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        const json_t *failure = json_object_get(value, "error");
        const char *message = json_string_value(json_object_get(failure, "message"));
        g_autoptr(GError) error = NULL;

        if (fd >= 0) {
                answer(opener, fd, NULL);
                return;
        }
        error = g_error_new(TN_ERROR,
                            tn_outside_error_code(json_string_value(json_object_get(failure, "code"))), "%s",
                            message ? message : "the helper gave no descriptor and no reason");
        answer(opener, -1, error);
}

static gboolean on_answer(int socket, GIOCondition condition, void *data)
{
        struct tn_files_opener *opener = data;
        char text[ANSWER_MAX];
        tn_autofd int fd = -1;
        ssize_t n = tn_fd_pass_receive(socket, text, sizeof text, &fd);

        (void) condition;
        if (n < 0 && errno == EAGAIN)
                return G_SOURCE_CONTINUE;
        if (n <= 0 || !is_under_way(opener)) { /* gone, and on_ended() will say why; or out of its mind */
                opener->in_source = 0;
                close_socket(opener);
                return G_SOURCE_REMOVE;
        }
        take_answer(opener, text, (size_t) n, tn_fd_steal(&fd));
        go_on(opener);
        return G_SOURCE_CONTINUE;
}

static bool send_request(struct tn_files_opener *opener, GError **error)
{
        const struct opening *opening = g_queue_peek_head(&opener->opens);
        json_auto_t *request = json_pack("{s:s, s:s, s:b}", "path", opening->path, "mode",
                                         opening->mode ? opening->mode : "r", "nofollow",
                                         (int) opening->nofollow);
        g_autofree char *text = tn_json_line(request);

        return tn_fd_pass_send(opener->fd, text, strlen(text), -1) ||
               tn_error_errno(error, errno, "ask %s", opener->helper);
}

/* The request is sent first: a helper that ends at once is to be known by how it ended. */
static bool start_helper(struct tn_files_opener *opener, GError **error)
{
        const unsigned limit_ms = tn_files_opener_times.life_ms + tn_files_opener_times.open_ms + GRACE_MS;
        const char *const argv[] = {opener->helper, NULL};
        g_auto(GStrv) full = tn_outside_argv(opener->env, argv, limit_ms);
        tn_autofd int theirs = -1;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return tn_error_errno(error, errno, "socket pair for %s", opener->helper);
        opener->fd = fds[0];
        theirs = fds[1];
        (void) fcntl(opener->fd, F_SETFL, O_NONBLOCK);
        if (!send_request(opener, error))
                return false;
        opener->child = tn_child_start_on((const char *const *) full, theirs, limit_ms, on_ended, opener,
                                          error);
        if (!opener->child)
                return false;
        opener->started = g_get_monotonic_time();
        opener->in_source = g_unix_fd_add(opener->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_answer, opener);
        return true;
}

/* It is not given a file that it could not live to open. */
static bool is_old(const struct tn_files_opener *opener)
{
        return g_get_monotonic_time() - opener->started >
               (gint64) tn_files_opener_times.life_ms * (G_USEC_PER_SEC / 1000);
}

static void begin(struct tn_files_opener *opener)
{
        g_autoptr(GError) error = NULL;
        bool sent = opener->fd >= 0 && !is_old(opener) && send_request(opener, NULL);

        g_clear_handle_id(&opener->idle_source, g_source_remove);
        if (!sent)
                part_from_helper(opener);
        if (!sent && !start_helper(opener, &error)) {
                part_from_helper(opener);
                fail(opener, TN_ERROR_FAILED, "%s", error->message);
                return;
        }
        opener->deadline_source = g_timeout_add(tn_files_opener_times.open_ms, on_deadline, opener);
}

static void go_on(struct tn_files_opener *opener)
{
        while (!is_under_way(opener) && !g_queue_is_empty(&opener->opens))
                begin(opener);
        if (!is_under_way(opener) && opener->child && !opener->idle_source)
                opener->idle_source = g_timeout_add(tn_files_opener_times.idle_ms, on_idle, opener);
}

struct tn_files_opener *tn_files_opener_new(const struct tn_env *env, const char *helper)
{
        struct tn_files_opener *opener = g_new0(struct tn_files_opener, 1);

        opener->env = env;
        opener->helper = g_strdup(helper);
        opener->fd = -1;
        g_queue_init(&opener->opens);
        return opener;
}

void tn_files_opener_free(struct tn_files_opener *opener)
{
        if (!opener)
                return;
        part_from_helper(opener);
        while (!g_queue_is_empty(&opener->opens))
                fail(opener, TN_ERROR_FAILED, "the agent is stopping");
        g_free(opener->helper);
        g_free(opener);
}

void tn_files_opener_open(struct tn_files_opener *opener, const char *path, const char *mode, bool nofollow,
                          tn_files_opened opened, void *data)
{
        struct opening *opening = g_new0(struct opening, 1);

        *opening = (struct opening){.path = g_strdup(path),
                                    .mode = g_strdup(mode),
                                    .nofollow = nofollow,
                                    .opened = opened,
                                    .data = data};
        g_queue_push_tail(&opener->opens, opening);
        go_on(opener);
}
