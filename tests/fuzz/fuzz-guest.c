/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What a guest says to tenon-host: a greeting or none, replies, events, four times; and its texts on the
 * terminal of whoever asks. A hostile guest gets an error at most, and never a control character through.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/escape.h"
#include "host/exchange.h"
#include "host/message.h"
#include "host/qmp.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *data, size_t size)
{
        g_autofree char *plain = tn_escape(data, size, 0), *ascii = tn_escape(data, size, TN_ESCAPE_ASCII);

        g_assert_true(g_utf8_validate(plain, -1, NULL));
        for (const char *c = plain; *c; c++)
                g_assert_true((unsigned char) *c >= ' ' && *c != 0x7f);
        for (const char *c = ascii; *c; c++)
                g_assert_true(*c >= ' ' && *c < 0x7f);
}

static void check_message(const char *data, size_t size)
{
        g_autoptr(GError) error = NULL;
        json_t *message = NULL, *value = NULL;

        if (!tn_message_parse(data, size, &message, NULL))
                return;
        if (tn_message_get_kind(message) == TN_MESSAGE_REPLY)
                g_assert_true(tn_message_unwrap(message, &value, &error) == (error == NULL));
        json_decref(value);
        json_decref(message);
}

/* All that the guest will ever say is there already, and it hangs up: nothing is waited for. */
static void check_greeting(const uint8_t *data, size_t size)
{
        g_autoptr(GError) error = NULL;
        gint64 deadline = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
        struct tn_qmp *qmp;
        int fds[2];

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
        (void) !write(fds[1], data, MIN(size, 65536));
        (void) shutdown(fds[1], SHUT_WR);
        qmp = tn_qmp_new(tn_connection_new(fds[0]), TN_QMP_GREETING_MS, deadline, &error);
        g_assert_true((qmp == NULL) == (error != NULL));
        if (qmp)
                tn_qmp_ops.free(qmp);
        close(fds[1]);
}

static void check_times(const uint8_t *data, size_t size)
{
        struct tn_exchange exchange = {0};
        int64_t offset, error;

        memcpy(&exchange, data, MIN(size, sizeof exchange));
        if (tn_exchange_offset(&exchange, &offset, &error))
                g_assert_cmpint(error, >=, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_text((const char *) data, size);
        check_message((const char *) data, size);
        check_times(data, size);
        check_greeting(data, size);
        return 0;
}
