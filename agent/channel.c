/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A connection. The surprising thing: a port is watched edge-triggered (edge.c). A virtio-serial
 * port without a host reports POLLHUP and POLLIN for ever, and a level-triggered loop would spin on it
 * (drivers/char/virtio_console.c, port_fops_poll); its edges, on the other hand, are just what we want to
 * hear of: host opened, host closed, data, room for output.
 *
 * A host that does not read makes replies wait here, up to limits.output-size; above it no more requests
 * are read, so the memory of a connection is bounded and nothing is lost. A reply that is a stream is pulled
 * from the session piece by piece, each when the one before has been written.
 */
#define _GNU_SOURCE
#include "agent/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/edge.h"
#include "agent/frame.h"
#include "lib/error.h"
#include "lib/fd.h"

#define READ_BYTES (64 * 1024)
#define TURN_BYTES (256 * 1024) /* read in one turn of the loop, then others have theirs */
#define LINGER_MS  2000         /* how long answers wait for a host that is not there yet */
#define HOLD_MS    20           /* how long they are held back when it comes */
#define KEEP_BYTES (64 * 1024)  /* an output buffer above this is given back when empty */
#define TRIM_MS    1000         /* memory of large requests is given back after this, not between them */

struct tn_channel {
        int fd;
        enum tn_channel_kind kind;
        struct tn_edge *edge;
        guint linger_source; /* see await_host() and hold_output() */
        guint turn_source;   /* idle: go on reading, or say that we are gone */
        guint trim_source;
        struct tn_frame *frame;
        struct tn_session *session;
        GString *output;
        size_t output_done;
        size_t output_max;
        unsigned calls_max;
        char *peer;
        bool qmp;
        bool connected;   /* a host has the port open (always true for the other kinds) */
        bool holding;     /* a host has just come; is what waits here meant for it? */
        bool paused;      /* not reading because of a limit */
        bool flushing;    /* in flush_output(), where replies may come to */
        bool at_end;      /* the client will send nothing more */
        bool large_input; /* since trim_source was looked at */
        bool dead;
        uint64_t bytes_in, bytes_out;
        tn_channel_gone gone;
        void *data;
};

static gboolean on_turn(void *data);

static void next_turn(struct tn_channel *channel)
{
        if (!channel->turn_source)
                channel->turn_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_turn, channel, NULL);
}

static size_t waiting(const struct tn_channel *channel)
{
        return channel->output->len - channel->output_done;
}

static void drop_output(struct tn_channel *channel)
{
        channel->output_done = 0;
        if (channel->output->allocated_len > KEEP_BYTES && !channel->flushing) {
                g_string_free(channel->output, TRUE);
                channel->output = g_string_new(NULL);
        } else {
                g_string_truncate(channel->output, 0);
        }
}

static ssize_t write_some(const struct tn_channel *channel)
{
        const char *bytes = channel->output->str + channel->output_done;

        if (channel->kind == TN_CHANNEL_SOCKET)
                return send(channel->fd, bytes, waiting(channel), MSG_NOSIGNAL);
        return write(channel->fd, bytes, waiting(channel));
}

/* A host that always leaves something unread must not make us keep what it has read. */
static void drop_sent(struct tn_channel *channel)
{
        if (channel->output_done < KEEP_BYTES || channel->output_done < channel->output->len / 2)
                return;
        g_string_erase(channel->output, 0, (gssize) channel->output_done);
        channel->output_done = 0;
}

/* Writes what waits. False when it does not all go out now. */
static bool write_waiting(struct tn_channel *channel, size_t *done)
{
        while (waiting(channel) > 0) {
                ssize_t n = write_some(channel);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN) {
                        tn_edge_await_room(channel->edge);
                        drop_sent(channel);
                        return false; /* an edge will tell when there is room */
                }
                if (n < 0) {
                        channel->dead = true;
                        drop_output(channel);
                        next_turn(channel);
                        return false;
                }
                channel->output_done += (size_t) n;
                channel->bytes_out += (uint64_t) n;
                *done += (size_t) n;
        }
        return true;
}

static void flush_output(struct tn_channel *channel)
{
        bool more = false;
        size_t done = 0;

        if (channel->holding || channel->flushing)
                return;
        channel->flushing = true; /* a stream that ends lets other replies go, which come to on_reply() */
        while (write_waiting(channel, &done)) {
                drop_output(channel);
                more = done >= TURN_BYTES;
                if (more)
                        next_turn(channel);
                if (more || !tn_session_pull(channel->session, channel->output))
                        break;
        }
        channel->flushing = false;
        if (waiting(channel) == 0 && !more)
                drop_output(channel);
}

static void on_reply(const char *bytes, size_t len, void *data)
{
        struct tn_channel *channel = data;
        bool was_idle = waiting(channel) == 0 && !channel->flushing;

        if (channel->dead)
                return;
        if (was_idle)
                drop_output(channel);
        g_string_append_len(channel->output, bytes, (gssize) len);
        if (was_idle)
                flush_output(channel);
        if (channel->paused || channel->at_end)
                next_turn(channel);
}

static void on_frame(enum tn_frame_kind kind, const char *text, size_t len, void *data)
{
        struct tn_channel *channel = data;

        if (channel->dead)
                return;
        if (kind == TN_FRAME_MESSAGE)
                tn_session_message(channel->session, text, len);
        else
                tn_session_parse_error(channel->session, text);
}

/* Nobody has the port open: what was half asked and what is not read any more are forgotten. */
static void host_left(struct tn_channel *channel)
{
        channel->connected = false;
        channel->holding = false;
        g_clear_handle_id(&channel->linger_source, g_source_remove);
        tn_frame_reset(channel->frame);
        tn_session_abandon(channel->session);
        drop_output(channel);
}

static gboolean on_held(void *data)
{
        struct tn_channel *channel = data;

        channel->linger_source = 0;
        channel->holding = false;
        flush_output(channel);
        return G_SOURCE_REMOVE;
}

/* A host has come and there are answers to bytes that came before it. They are either its own, and it waits
 * for them, or the last host's, and this one will begin with a sync, which drops them. A moment tells. */
static void hold_output(struct tn_channel *channel)
{
        g_clear_handle_id(&channel->linger_source, g_source_remove);
        if (waiting(channel) == 0)
                return;
        channel->holding = true;
        channel->linger_source = g_timeout_add(HOLD_MS, on_held, channel);
}

static void on_restart(void *data)
{
        struct tn_channel *channel = data;

        if (channel->connected && !channel->holding)
                return;
        if (channel->holding)
                g_clear_handle_id(&channel->linger_source, g_source_remove);
        channel->holding = false;
        drop_output(channel);
}

static void set_connected(struct tn_channel *channel, bool connected)
{
        bool arrived = connected && !channel->connected;

        if (!connected && channel->connected)
                host_left(channel);
        channel->connected = connected;
        if (!arrived)
                return;
        if (channel->qmp) { /* a QMP client waits for the greeting: nothing before it was its own */
                host_left(channel);
                channel->connected = true;
                tn_session_greet(channel->session);
        } else {
                hold_output(channel);
        }
}

static gboolean on_linger(void *data)
{
        struct tn_channel *channel = data;

        channel->linger_source = 0;
        host_left(channel);
        return G_SOURCE_REMOVE;
}

/* Bytes came although no host is there. Data and "the host opened the port" reach the guest by different
 * virtqueues, so they may be the first of a host that is just arriving: the answers wait for it, but not for
 * long. */
static void await_host(struct tn_channel *channel)
{
        bool anything = waiting(channel) > 0 || tn_frame_pending(channel->frame) > 0 ||
                        tn_session_pending(channel->session) > 0;

        if (!channel->connected && anything && !channel->linger_source)
                channel->linger_source = g_timeout_add(LINGER_MS, on_linger, channel);
}

static bool over_limits(const struct tn_channel *channel)
{
        return waiting(channel) >= channel->output_max ||
               tn_session_pending(channel->session) >= channel->calls_max;
}

static gboolean on_trim(void *data)
{
        struct tn_channel *channel = data;

        if (!channel->large_input)
                tn_frame_shrink(channel->frame);
        channel->large_input = false;
        if (tn_frame_is_large(channel->frame))
                return G_SOURCE_CONTINUE;
        channel->trim_source = 0;
        (void) malloc_trim(0);
        return G_SOURCE_REMOVE;
}

/* On the QMP port 0xFF begins anew, with a greeting: one host may have left and another one come in the same
 * instant, and then no edge has told. Returns how many bytes are done with. */
static size_t begin_anew(struct tn_channel *channel, const char *bytes, size_t len)
{
        const char *mark = channel->qmp && channel->connected ? memrchr(bytes, 0xFF, len) : NULL;

        if (!mark)
                return 0;
        tn_frame_push(channel->frame, bytes,
                      (size_t) (mark - bytes)); /* what was asked is done nevertheless */
        host_left(channel);
        channel->connected = true;
        tn_session_greet(channel->session);
        return (size_t) (mark - bytes) + 1;
}

static void take_input(struct tn_channel *channel, const char *bytes, size_t len)
{
        size_t done = begin_anew(channel, bytes, len);

        channel->bytes_in += len;
        tn_frame_push(channel->frame, bytes + done, len - done);
        if (tn_frame_pending(channel->frame) > KEEP_BYTES)
                channel->large_input = true;
        if (tn_frame_is_large(channel->frame) && !channel->trim_source)
                channel->trim_source = g_timeout_add(TRIM_MS, on_trim, channel);
}

static void end_of_input(struct tn_channel *channel)
{
        if (channel->kind == TN_CHANNEL_PORT) {
                await_host(channel);
                return;
        }
        channel->at_end = channel->kind == TN_CHANNEL_SOCKET;
        tn_edge_hold(channel->edge, channel->at_end);
        channel->dead = channel->kind == TN_CHANNEL_TTY;
        next_turn(channel);
}

static void pause_input(struct tn_channel *channel, bool paused)
{
        channel->paused = paused;
        tn_edge_hold(channel->edge, paused);
}

/* Reads until there is nothing left, a limit is reached, or the turn is over. */
static void read_input(struct tn_channel *channel)
{
        char buffer[READ_BYTES];
        size_t done = 0;

        pause_input(channel, false);
        while (!channel->dead && !channel->at_end) {
                ssize_t n;

                if (over_limits(channel)) {
                        pause_input(channel, true);
                        return;
                }
                if (done >= TURN_BYTES) {
                        next_turn(channel);
                        return;
                }
                n = read(channel->fd, buffer, sizeof buffer);
                if (n > 0) {
                        done += (size_t) n;
                        take_input(channel, buffer, (size_t) n);
                        if ((size_t) n < sizeof buffer && channel->kind == TN_CHANNEL_SOCKET)
                                return; /* that was all; what comes now is told of anew */
                        continue;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n == 0)
                        end_of_input(channel);
                else if (errno != EAGAIN) {
                        channel->dead = true;
                        next_turn(channel);
                }
                return;
        }
}

static gboolean on_turn(void *data)
{
        struct tn_channel *channel = data;

        channel->turn_source = 0;
        flush_output(channel);
        if (!channel->dead && !channel->at_end)
                read_input(channel);
        if (channel->dead ||
            (channel->at_end && waiting(channel) == 0 && tn_session_pending(channel->session) == 0)) {
                g_clear_pointer(&channel->edge, tn_edge_free);
                g_clear_handle_id(&channel->turn_source, g_source_remove);
                channel->gone(channel, channel->data); /* frees it */
        }
        return G_SOURCE_REMOVE;
}

static void on_edge(uint32_t events, void *data)
{
        struct tn_channel *channel = data;
        bool hup = (events & (EPOLLHUP | EPOLLERR)) != 0;

        if (channel->kind == TN_CHANNEL_PORT)
                set_connected(channel, !hup);
        flush_output(channel);
        if (events & ~(uint32_t) EPOLLOUT || channel->kind != TN_CHANNEL_SOCKET || channel->paused)
                read_input(channel);
        if (channel->kind == TN_CHANNEL_SOCKET && hup) {
                channel->dead = true; /* both directions are closed: no reply would arrive */
                next_turn(channel);
        } else if (channel->at_end) {
                next_turn(channel);
        }
}

static bool watch(struct tn_channel *channel, GError **error)
{
        if (fcntl(channel->fd, F_SETFL, fcntl(channel->fd, F_GETFL) | O_NONBLOCK) < 0)
                return tn_error_errno(error, errno, "set channel to non-blocking");
        channel->edge = tn_edge_new(channel->fd,
                                    channel->kind == TN_CHANNEL_SOCKET ? TN_EDGE_SOCKET : TN_EDGE_PORT,
                                    on_edge, channel, error);
        return channel->edge != NULL;
}

struct tn_channel *tn_channel_new(struct tn_dispatch *dispatch, const struct tn_config *config, int fd,
                                  enum tn_channel_kind kind, enum tn_trust trust, const char *transport,
                                  const char *peer, tn_channel_gone gone, void *data, GError **error)
{
        struct tn_channel *channel = g_new0(struct tn_channel, 1);

        channel->fd = fd;
        channel->kind = kind;
        channel->connected = kind != TN_CHANNEL_PORT;
        channel->output = g_string_new(NULL);
        channel->output_max = (size_t) tn_config_get_int(config, "limits", "output-size");
        channel->calls_max = (unsigned) tn_config_get_int(config, "limits", "pending-calls");
        channel->peer = g_strdup(peer);
        channel->gone = gone;
        channel->data = data;
        channel->frame = tn_frame_new((size_t) tn_config_get_int(config, "limits", "message-size"), on_frame,
                                      channel);
        channel->session = tn_session_new(dispatch, trust, transport, peer, on_reply, channel);
        tn_session_on_restart(channel->session, on_restart);
        if (!watch(channel, error)) {
                tn_channel_free(channel);
                return NULL;
        }
        return channel;
}

static bool is_full(void *data)
{
        const struct tn_channel *channel = data;

        return !channel->connected || waiting(channel) >= channel->output_max / 2;
}

void tn_channel_use_qmp(struct tn_channel *channel)
{
        channel->qmp = true;
        tn_session_use_qmp(channel->session, is_full);
        if (channel->connected)
                tn_session_greet(channel->session);
}

void tn_channel_allow_events(struct tn_channel *channel)
{
        tn_session_allow_events(channel->session, is_full);
}

void tn_channel_finish(struct tn_channel *channel)
{
        if (!channel || channel->dead || !channel->connected)
                return;
        channel->holding = false;
        if (!channel->paused)
                read_input(channel);
        if (channel->dead)
                return;
        flush_output(channel);
        tn_session_finish(channel->session);
        flush_output(channel);
}

void tn_channel_free(struct tn_channel *channel)
{
        if (!channel)
                return;
        channel->dead = true;
        g_clear_pointer(&channel->edge, tn_edge_free);
        g_clear_handle_id(&channel->linger_source, g_source_remove);
        g_clear_handle_id(&channel->turn_source, g_source_remove);
        tn_session_free(channel->session);
        tn_frame_free(channel->frame);
        tn_fd_close(&channel->fd);
        g_string_free(channel->output, TRUE);
        g_free(channel->peer);
        if (channel->trim_source)
                (void) malloc_trim(0);
        g_clear_handle_id(&channel->trim_source, g_source_remove);
        g_free(channel);
}

json_t *tn_channel_to_json(const struct tn_channel *channel)
{
        return json_pack("{s:s, s:b, s:I, s:I, s:I}", "peer", channel->peer, "connected", channel->connected,
                         "bytes-in", (json_int_t) channel->bytes_in, "bytes-out",
                         (json_int_t) channel->bytes_out, "waiting-bytes", (json_int_t) waiting(channel));
}
