/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The other end of a channel; see peer.h. */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_USEC (10 * G_USEC_PER_SEC)

struct peer *peer_new(int fd)
{
        struct peer *peer = g_new0(struct peer, 1);

        assert_true(fd >= 0);
        assert_true(g_unix_set_fd_nonblocking(fd, TRUE, NULL));
        peer->fd = fd;
        peer->got = g_string_new(NULL);
        return peer;
}

struct peer *peer_connect(const char *path)
{
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        g_strlcpy(addr.sun_path, path, sizeof addr.sun_path);
        assert_int_equal(connect(fd, (struct sockaddr *) &addr, sizeof addr), 0);
        return peer_new(fd);
}

void peer_free(struct peer *peer)
{
        if (!peer)
                return;
        close(peer->fd);
        g_string_free(peer->got, TRUE);
        g_free(peer);
}

/* Reads what is there. */
static void fill(struct peer *peer)
{
        char buffer[65536];
        ssize_t n;

        while ((n = read(peer->fd, buffer, sizeof buffer)) > 0)
                g_string_append_len(peer->got, buffer, n);
        if (n == 0 || errno == ECONNRESET || errno == EIO)
                peer->at_end = true;
}

/* One turn of the agent; sleeps a moment when there was nothing to do. */
static void turn(gint64 deadline, const char *waiting_for)
{
        if (g_get_monotonic_time() > deadline)
                fail_msg("the peer waited too long for %s", waiting_for);
        if (!g_main_context_iteration(NULL, FALSE))
                g_usleep(200);
}

size_t peer_try_send(struct peer *peer, const char *bytes, size_t len)
{
        size_t done = 0;

        while (done < len) {
                ssize_t n = write(peer->fd, bytes + done, len - done);

                if (n < 0 && errno == EAGAIN)
                        break;
                assert_true(n > 0);
                done += (size_t) n;
        }
        return done;
}

void peer_send_len(struct peer *peer, const char *bytes, size_t len)
{
        gint64 deadline = g_get_monotonic_time() + PATIENCE_USEC;

        for (size_t done = 0; done < len;) {
                done += peer_try_send(peer, bytes + done, len - done);
                turn(deadline, "room to write");
        }
}

void peer_send(struct peer *peer, const char *text)
{
        g_autofree char *plain = g_strdelimit(g_strdup(text), "'", '"');

        peer_send_len(peer, plain, strlen(plain));
}

char *peer_line(struct peer *peer)
{
        gint64 deadline = g_get_monotonic_time() + PATIENCE_USEC;
        char *end, *line;

        while (!(end = memchr(peer->got->str, '\n', peer->got->len))) {
                turn(deadline, "a line");
                fill(peer);
        }
        line = g_strndup(peer->got->str, (gsize) (end - peer->got->str));
        g_string_erase(peer->got, 0, end - peer->got->str + 1);
        return line;
}

void peer_expect(struct peer *peer, const char *wanted)
{
        g_autofree char *plain = g_strdelimit(g_strdup(wanted), "'", '"');
        g_autofree char *line = peer_line(peer);

        assert_string_equal(line, plain);
}

void peer_expect_end(struct peer *peer)
{
        gint64 deadline = g_get_monotonic_time() + PATIENCE_USEC;

        while (!peer->at_end) {
                turn(deadline, "the end");
                fill(peer);
        }
}

void peer_expect_silence(struct peer *peer)
{
        loop_for(50);
        fill(peer);
        if (peer->got->len > 0)
                fail_msg("unexpected: %.200s", peer->got->str);
}

size_t rss_kib(void)
{
        g_autofree char *text = NULL;
        const char *line;

        assert_true(g_file_get_contents("/proc/self/status", &text, NULL, NULL));
        line = strstr(text, "VmRSS:");
        assert_non_null(line);
        return (size_t) g_ascii_strtoull(line + 6 + strspn(line + 6, " \t"), NULL, 10);
}

unsigned idle_cost_ms(unsigned ms)
{
        clock_t before = clock();

        loop_for(ms);
        return (unsigned) ((clock() - before) * 1000 / CLOCKS_PER_SEC);
}

bool measures_memory(void)
{
#if defined(__SANITIZE_ADDRESS__)
        return false; /* freed memory stays in quarantine */
#else
        return !g_getenv("TN_TEST_EMULATED"); /* or under clang's sanitizers: it is not all ours */
#endif
}
