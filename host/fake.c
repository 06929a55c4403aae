/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The fake guest's thread. It asserts nothing itself, for cmocka has one thread; fake_free() does. */
#define _GNU_SOURCE
#include "host/fake.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake {
        const struct fake_step *steps;
        int fd;
        GThread *thread;
        GString *input;
        json_int_t id;
        char *problem;
};

static bool say(struct fake *fake, const char *text)
{
        g_autoptr(GString) out = g_string_new(NULL);

        for (; *text; text++)
                if (*text == '@')
                        g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, fake->id);
                else
                        g_string_append_c(out, (char) (*text == '\'' ? '"' : *text == '#' ? 0xFF : *text));
        return send(fake->fd, out->str, out->len, MSG_NOSIGNAL) == (ssize_t) out->len;
}

static void remember_id(struct fake *fake, const char *line)
{
        json_auto_t *request = json_loads(line + (*line == '\xFF'), 0, NULL);
        json_t *id = json_object_get(request, "id");

        if (!id)
                id = json_object_get(json_object_get(request, "arguments"), "id");
        fake->id = json_integer_value(id);
}

static bool hear(struct fake *fake, const char *text)
{
        char buffer[4096], *end;

        while (!(end = memchr(fake->input->str, '\n', fake->input->len))) {
                ssize_t n = read(fake->fd, buffer, sizeof buffer);

                if (n <= 0) {
                        fake->problem = g_strdup_printf("nobody said \"%s\"", text);
                        return false;
                }
                g_string_append_len(fake->input, buffer, n);
        }
        *end = '\0';
        remember_id(fake, fake->input->str);
        if (!strstr(fake->input->str, text))
                fake->problem = g_strdup_printf("\"%s\" was said and not \"%s\"", fake->input->str, text);
        g_string_erase(fake->input, 0, end + 1 - fake->input->str);
        return !fake->problem;
}

static bool do_step(struct fake *fake, const struct fake_step *step)
{
        char byte[4096];

        switch (step->action) {
        case FAKE_END:
                return false;
        case FAKE_SAY:
                return say(fake, step->text);
        case FAKE_HEAR:
                return hear(fake, step->text);
        case FAKE_FLOOD:
                while (say(fake, step->text))
                        ;
                return false;
        case FAKE_HOLD:
                while (read(fake->fd, byte, sizeof byte) > 0)
                        ;
                return false;
        case FAKE_SLEEP:
                g_usleep(step->ms * 1000);
                return true;
        }
        return false;
}

static gpointer run(gpointer data)
{
        struct fake *fake = data;

        for (const struct fake_step *step = fake->steps; do_step(fake, step); step++)
                ;
        (void) shutdown(fake->fd, SHUT_RDWR);
        return NULL;
}

struct fake *fake_new(const struct fake_step *steps, struct tn_connection **ret_connection)
{
        struct fake *fake = g_new0(struct fake, 1);
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fake->steps = steps;
        fake->fd = fds[0];
        fake->input = g_string_new(NULL);
        *ret_connection = tn_connection_new(fds[1]);
        fake->thread = g_thread_new("fake-guest", run, fake);
        return fake;
}

void fake_free(struct fake *fake)
{
        g_autofree char *problem = NULL;

        (void) g_thread_join(fake->thread);
        close(fake->fd);
        (void) g_string_free(fake->input, TRUE);
        problem = fake->problem;
        g_free(fake);
        if (problem)
                fail_msg("%s", problem);
}

gint64 in_ms(unsigned ms)
{
        return g_get_monotonic_time() + (gint64) ms * 1000;
}
