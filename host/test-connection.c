/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Lines out of a stream that may be late, endless, broken off or unread. */
#include "host/fake.h"

#include <string.h>

#include "host/trouble.h"

static void assert_line(struct tn_connection *connection, const char *wanted)
{
        GError *error = NULL;
        const char *line;
        size_t len;

        assert_true(tn_connection_read_line(connection, 100, in_ms(5000), &line, &len, &error));
        assert_int_equal(len, strlen(wanted));
        assert_memory_equal(line, wanted, len);
}

static void assert_no_line(const struct fake_step *steps, size_t max, unsigned ms, int code, const char *why)
{
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);
        gint64 begin = g_get_monotonic_time();
        GError *error = NULL;
        const char *line = "untouched";
        size_t len = 7;

        while (tn_connection_read_line(connection, max, begin + ms * 1000, &line, &len, &error))
                assert_non_null(line);
        assert_trouble(error, code, why);
        assert_true(g_get_monotonic_time() - begin < (ms + 2000) * 1000);
        tn_connection_free(connection);
        fake_free(fake);
}

static void test_lines(void **state)
{
        const struct fake_step steps[] = {{FAKE_SAY, "one\ntwo\n\nth"},
                                          {FAKE_SLEEP, NULL, 30},
                                          {FAKE_SAY, "ree\nfour\n"},
                                          {FAKE_HOLD}};
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);

        (void) state;
        assert_line(connection, "one");
        assert_line(connection, "two");
        assert_line(connection, "");
        assert_line(connection, "three");
        assert_line(connection, "four");
        tn_connection_free(connection);
        fake_free(fake);
}

static void test_end(void **state)
{
        const struct fake_step whole[] = {{FAKE_SAY, "one\n"}, {FAKE_END}};
        const struct fake_step half[] = {{FAKE_SAY, "one\ntw"}, {FAKE_END}};

        (void) state;
        assert_no_line(whole, 100, 2000, TN_TROUBLE_LINK, "closed the connection");
        assert_no_line(half, 100, 2000, TN_TROUBLE_LINK, "in the middle of a message");
}

static void test_limits(void **state)
{
        const struct fake_step silent[] = {{FAKE_HOLD}};
        const struct fake_step endless_line[] = {
                {FAKE_FLOOD, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}};
        const struct fake_step endless_lines[] = {
                {FAKE_FLOOD, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\no\np\n"}};
        const struct fake_step long_line[] = {{FAKE_SAY, "12345678901\n"}, {FAKE_HOLD}};

        (void) state;
        assert_no_line(silent, 100, 50, TN_TROUBLE_TIMEOUT, "did not answer in time");
        assert_no_line(endless_line, 1024 * 1024, 5000, TN_TROUBLE_LINK, "more than 1 MiB");
        assert_no_line(endless_lines, 100, 150, TN_TROUBLE_TIMEOUT, "did not answer in time");
        assert_no_line(long_line, 10, 2000, TN_TROUBLE_LINK, "more than");
}

/* A line of exactly the limit is none too many. */
static void test_full_line(void **state)
{
        const struct fake_step steps[] = {{FAKE_SAY, "1234567890\n"}, {FAKE_HOLD}};
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);
        const char *line;
        size_t len;

        (void) state;
        assert_true(tn_connection_read_line(connection, 10, in_ms(5000), &line, &len, NULL));
        assert_int_equal(len, 10);
        tn_connection_free(connection);
        fake_free(fake);
}

static void test_send_to_nobody(void **state)
{
        const struct fake_step asleep[] = {{FAKE_SLEEP, NULL, 300}, {FAKE_END}};
        const size_t len = 8 * 1024 * 1024;
        g_autofree char *bytes = g_malloc0(len);
        struct tn_connection *connection;
        struct fake *fake = fake_new(asleep, &connection);
        GError *error = NULL;

        (void) state;
        assert_false(tn_connection_send(connection, bytes, len, in_ms(50), &error));
        assert_trouble(error, TN_TROUBLE_TIMEOUT, "did not answer in time");
        g_usleep(400000);
        assert_false(tn_connection_send(connection, bytes, len, in_ms(500), &error));
        assert_trouble(error, TN_TROUBLE_LINK, "send to the guest");
        tn_connection_free(connection);
        fake_free(fake);
}

static void test_addresses(void **state)
{
        static const struct {
                const char *address, *why;
                int code;
        } rows[] = {
                {"", "empty or too long", TN_TROUBLE_LOCAL},
                {"/nonexistent/socket", "nobody listens on", TN_TROUBLE_LINK},
                {"/dev/null", "nobody listens on", TN_TROUBLE_LINK},
                {"vsock:", "CID:PORT", TN_TROUBLE_LOCAL},
                {"vsock:3", "CID:PORT", TN_TROUBLE_LOCAL},
                {"vsock:3:x", "CID:PORT", TN_TROUBLE_LOCAL},
                {"vsock:-1:5", "CID:PORT", TN_TROUBLE_LOCAL},
                {"vsock:3:4294967296", "CID:PORT", TN_TROUBLE_LOCAL},
                {"vsock:3:5:6", "CID:PORT", TN_TROUBLE_LOCAL},
        };
        g_autofree char *too_long = g_strnfill(108, 'a');
        GError *error = NULL;

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_null(tn_connection_open(rows[i].address, in_ms(1000), &error));
                assert_trouble(error, rows[i].code, rows[i].why);
        }
        assert_null(tn_connection_open(too_long, in_ms(1000), &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "empty or too long");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),     cmocka_unit_test(test_end),
                cmocka_unit_test(test_limits),    cmocka_unit_test(test_full_line),
                cmocka_unit_test(test_addresses), cmocka_unit_test(test_send_to_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
