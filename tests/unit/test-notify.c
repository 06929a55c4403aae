/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is said to a stand-in for systemd, and which sockets are taken from it. */
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/notify.h"
#include "lib/fd.h"

/* A datagram socket at @path; '@' stands for the abstract name space. */
static int listen_at(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        socklen_t len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path));
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        memcpy(address.sun_path, path, strlen(path));
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        assert_int_equal(bind(fd, (struct sockaddr *) &address, len), 0);
        assert_true(g_setenv("NOTIFY_SOCKET", path, TRUE));
        return fd;
}

static void assert_told(int fd, const char *expected)
{
        char text[200] = "";
        ssize_t n = recv(fd, text, sizeof text - 1, 0);

        assert_true(n >= 0);
        assert_string_equal(text, expected);
}

static void test_states(void **state)
{
        g_autofree char *path = g_strdup_printf("/tmp/tenon-notify-%d", (int) getpid());
        g_autofree char *abstract = g_strdup_printf("@tenon-notify-%d", (int) getpid());
        const char *const paths[] = {path, abstract};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                tn_autofd int fd = listen_at(paths[i]);

                tn_notify_ready();
                assert_told(fd, "READY=1\nSTATUS=Running");
                tn_notify_reloading();
                assert_told(fd, "RELOADING=1");
                tn_notify_stopping();
                assert_told(fd, "STOPPING=1");
        }
        (void) unlink(path);
        g_unsetenv("NOTIFY_SOCKET");
}

/* Nobody listens, the path is none, or is longer than an address can be. */
static void test_nobody_is_told(void **state)
{
        g_autofree char *longer = g_strnfill(300, '/');
        const char *const paths[] = {"/nowhere/at/all", "relative", "", "@", longer};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                assert_true(g_setenv("NOTIFY_SOCKET", paths[i], TRUE));
                tn_notify_ready();
        }
        g_unsetenv("NOTIFY_SOCKET");
        tn_notify_ready();
}

static void set_number(const char *name, long long value)
{
        g_autofree char *text = g_strdup_printf("%lld", value);

        assert_true(g_setenv(name, text, TRUE));
}

static void test_watchdog_of_somebody_else(void **state)
{
        g_autofree char *path = g_strdup_printf("@tenon-watchdog-%d", (int) getpid());
        tn_autofd int fd = listen_at(path);
        char byte;

        (void) state;
        set_number("WATCHDOG_USEC", 2000000);
        set_number("WATCHDOG_PID", getpid() + 1);
        tn_notify_start_beating();
        assert_int_equal(recv(fd, &byte, 1, 0), -1);
        set_number("WATCHDOG_PID", getpid());
        tn_notify_start_beating();
        assert_told(fd, "WATCHDOG=1");
        for (int i = 0; i < 100 && recv(fd, &byte, 1, MSG_PEEK) < 0; i++)
                loop_for(100);
        assert_told(fd, "WATCHDOG=1");
        g_unsetenv("NOTIFY_SOCKET");
        g_unsetenv("WATCHDOG_USEC");
        g_unsetenv("WATCHDOG_PID");
}

static void test_passed_sockets(void **state)
{
        (void) state;
        assert_int_equal(tn_notify_listen_fds(), 0);
        set_number("LISTEN_FDS", 1);
        set_number("LISTEN_PID", getpid() + 1);
        assert_int_equal(tn_notify_listen_fds(), 0);
        assert_null(g_getenv("LISTEN_FDS"));

        assert_true(dup2(STDERR_FILENO, TN_NOTIFY_FIRST_FD) == TN_NOTIFY_FIRST_FD);
        set_number("LISTEN_FDS", 1);
        set_number("LISTEN_PID", getpid());
        assert_int_equal(tn_notify_listen_fds(), 1);
        assert_int_equal(fcntl(TN_NOTIFY_FIRST_FD, F_GETFD), FD_CLOEXEC);
        assert_null(g_getenv("LISTEN_PID"));
}

static void test_no_number_of_sockets(void **state)
{
        const char *const texts[] = {"", "-1", "0", "x", "1000000", "99999999999999999999"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                assert_true(g_setenv("LISTEN_FDS", texts[i], TRUE));
                set_number("LISTEN_PID", getpid());
                assert_int_equal(tn_notify_listen_fds(), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_nobody_is_told),
                cmocka_unit_test(test_watchdog_of_somebody_else),
                cmocka_unit_test(test_no_number_of_sockets),
                cmocka_unit_test(test_passed_sockets), /* last: it takes a descriptor that others may use */
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
