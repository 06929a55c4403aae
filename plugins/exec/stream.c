/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A child's ends of the world: what it writes is read as it comes, so that it never waits for us, and kept
 * up to a limit; what it reads is written as it takes it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/exec/exec.h"

#define PIECE    (64 * 1024)
#define PER_TURN 16 /* pieces read before others get their turn */

struct tn_exec_input {
        int fd;
        guint source;
        uint8_t *bytes;
        size_t len, at;
};

bool tn_exec_pipe(int *ret_ours, int *ret_theirs, bool we_read, GError **error)
{
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return tn_error_errno(error, errno, "pipe for a program");
        *ret_ours = fds[we_read ? 0 : 1];
        *ret_theirs = fds[we_read ? 1 : 0];
        (void) fcntl(*ret_ours, F_SETFL, O_NONBLOCK); /* of our end only: each end has flags of its own */
        return true;
}

/* How many of @n more bytes may be kept. */
static size_t take_room(struct tn_exec_output *output, size_t n)
{
        struct tn_exec_budget *budget = output->budget;
        size_t room = output->max - output->bytes->len;

        n = MIN(n, room);
        while (budget->used + n > budget->max && budget->make_room(budget->data))
                ;
        n = MIN(n, budget->max - MIN(budget->max, budget->used));
        budget->used += n;
        return n;
}

static void keep(struct tn_exec_output *output, const uint8_t *bytes, size_t len)
{
        size_t n = output->bytes ? take_room(output, len) : 0;

        if (n > 0)
                g_byte_array_append(output->bytes, bytes, (guint) n);
        if (n < len)
                output->truncated = true;
}

/* False at the end. */
static bool drain(struct tn_exec_output *output)
{
        uint8_t piece[PIECE];

        for (unsigned i = 0; i < PER_TURN; i++) {
                ssize_t n = read(output->fd, piece, sizeof piece);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN;
                if (n == 0)
                        return false;
                keep(output, piece, (size_t) n);
        }
        return true;
}

static gboolean on_output(int fd, GIOCondition condition, void *data)
{
        struct tn_exec_output *output = data;

        (void) fd;
        (void) condition;
        if (drain(output))
                return G_SOURCE_CONTINUE;
        output->source = 0;
        output->eof = true;
        tn_fd_close(&output->fd);
        output->on_eof(output, output->data);
        return G_SOURCE_REMOVE;
}

struct tn_exec_output *tn_exec_output_new(int fd, size_t max, struct tn_exec_budget *budget,
                                          void (*on_eof)(struct tn_exec_output *output, void *data),
                                          void *data)
{
        struct tn_exec_output *output = g_new0(struct tn_exec_output, 1);

        *output = (struct tn_exec_output){
                .fd = fd,
                .bytes = g_byte_array_new(),
                .max = max,
                .budget = budget,
                .on_eof = on_eof,
                .data = data,
        };
        output->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, output);
        return output;
}

void tn_exec_output_forget(struct tn_exec_output *output,
                           void (*on_eof)(struct tn_exec_output *output, void *data), void *data)
{
        if (output->bytes)
                output->budget->used -= output->bytes->len;
        g_clear_pointer(&output->bytes, g_byte_array_unref);
        output->on_eof = on_eof;
        output->data = data;
}

void tn_exec_output_free(struct tn_exec_output *output)
{
        if (!output)
                return;
        tn_exec_output_forget(output, NULL, NULL);
        g_clear_handle_id(&output->source, g_source_remove);
        tn_fd_close(&output->fd);
        g_free(output);
}

static void input_end(struct tn_exec_input *input)
{
        g_clear_pointer(&input->bytes, g_free);
        tn_fd_close(&input->fd);
}

static gboolean on_input(int fd, GIOCondition condition, void *data)
{
        struct tn_exec_input *input = data;

        (void) condition;
        while (input->at < input->len) {
                ssize_t n = write(fd, input->bytes + input->at, input->len - input->at);

                if (n < 0 && errno == EAGAIN)
                        return G_SOURCE_CONTINUE;
                if (n < 0 && errno != EINTR)
                        break; /* nobody reads it any more */
                input->at += (size_t) MAX(n, 0);
        }
        input->source = 0;
        input_end(input);
        return G_SOURCE_REMOVE;
}

struct tn_exec_input *tn_exec_input_new(int fd, uint8_t *bytes, size_t len)
{
        struct tn_exec_input *input = g_new0(struct tn_exec_input, 1);

        input->fd = fd;
        input->bytes = bytes;
        input->len = len;
        input->source = g_unix_fd_add(fd, G_IO_OUT | G_IO_ERR, on_input, input);
        return input;
}

void tn_exec_input_free(struct tn_exec_input *input)
{
        if (!input)
                return;
        g_clear_handle_id(&input->source, g_source_remove);
        input_end(input);
        g_free(input);
}
