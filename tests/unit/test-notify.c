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
#include "lib/fd-store.h"
#include "lib/fd.h"
#include "lib/systemd.h"

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
        struct tn_facts *facts = tn_facts_new();
        tn_autofd int fd = listen_at(path);
        char byte;

        (void) state;
        set_number("WATCHDOG_USEC", 2000000);
        set_number("WATCHDOG_PID", getpid() + 1);
        tn_notify_start_beating(facts);
        assert_int_equal(recv(fd, &byte, 1, 0), -1);
        set_number("WATCHDOG_PID", getpid());
        tn_notify_start_beating(facts);
        assert_told(fd, "WATCHDOG=1");
        for (int i = 0; i < 100 && recv(fd, &byte, 1, MSG_PEEK) < 0; i++)
                loop_for(100);
        assert_told(fd, "WATCHDOG=1");
        g_unsetenv("NOTIFY_SOCKET");
        g_unsetenv("WATCHDOG_USEC");
        g_unsetenv("WATCHDOG_PID");
        tn_facts_free(facts); /* its timer is never run again: this program has no loop any more */
}

static guint passed(void)
{
        g_auto(GStrv) names = tn_systemd_listen_names();

        return g_strv_length(names);
}

static void test_passed_sockets(void **state)
{
        static const char *const known[] = {"watchdog", NULL};
        int number = 0;

        (void) state;
        assert_int_equal(passed(), 0);
        assert_int_equal(tn_fd_store_find_other(known, &number), -1);
        set_number("LISTEN_FDS", 1);
        set_number("LISTEN_PID", getpid() + 1);
        assert_int_equal(passed(), 0);

        assert_true(dup2(STDERR_FILENO, TN_SYSTEMD_FIRST_FD) == TN_SYSTEMD_FIRST_FD);
        set_number("LISTEN_PID", getpid());
        tn_fd_store_keep_from_children();
        assert_int_equal(fcntl(TN_SYSTEMD_FIRST_FD, F_GETFD), FD_CLOEXEC);
        assert_int_equal(tn_fd_store_find_other(known, &number), TN_SYSTEMD_FIRST_FD);
        assert_int_equal(tn_fd_store_find("watchdog"), -1);

        set_number("LISTEN_FDS", 3);
        assert_true(g_setenv("LISTEN_FDNAMES", "watchdog:web:", TRUE));
        assert_int_equal(tn_fd_store_find("watchdog"), TN_SYSTEMD_FIRST_FD);
        assert_int_equal(tn_fd_store_find_other(known, &number), -2); /* "web", and one without a name */
        assert_int_equal(number, 2);
        tn_fd_store_forget();
        assert_int_equal(passed(), 0);
        assert_null(g_getenv("LISTEN_PID"));
}

/* systemd's store gets the descriptor itself. */
static void test_store(void **state)
{
        g_autofree char *path = g_strdup_printf("@tenon-store-%d", (int) getpid());
        tn_autofd int fd = -1, got = -1;
        char text[100] = "", control[CMSG_SPACE(sizeof(int))];
        struct iovec iov = {.iov_base = text, .iov_len = sizeof text - 1};
        struct msghdr message = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

        (void) state;
        assert_false(tn_fd_store_put("watchdog", STDIN_FILENO)); /* nobody is there */
        fd = listen_at(path);
        assert_true(tn_fd_store_put("watchdog", STDIN_FILENO));
        assert_true(recvmsg(fd, &message, MSG_CMSG_CLOEXEC) > 0);
        assert_string_equal(text, "FDSTORE=1\nFDNAME=watchdog\nFDPOLL=0");
        assert_non_null(CMSG_FIRSTHDR(&message));
        memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
        assert_true(got > STDERR_FILENO);
        tn_fd_store_drop("watchdog");
        assert_told(fd, "FDSTOREREMOVE=1\nFDNAME=watchdog");
        g_unsetenv("NOTIFY_SOCKET");
}

static void test_no_number_of_sockets(void **state)
{
        const char *const texts[] = {"", "-1", "0", "x", "1000000", "99999999999999999999"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                assert_true(g_setenv("LISTEN_FDS", texts[i], TRUE));
                set_number("LISTEN_PID", getpid());
                assert_int_equal(passed(), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_nobody_is_told),
                cmocka_unit_test(test_watchdog_of_somebody_else),
                cmocka_unit_test(test_store),
                cmocka_unit_test(test_no_number_of_sockets),
                cmocka_unit_test(test_passed_sockets), /* last: it takes a descriptor that others may use */
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
