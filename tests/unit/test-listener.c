/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Listening sockets: several clients, the limit, what stands in the way at the path, and who is trusted. */
#define _GNU_SOURCE
#include "bench.h"
#include "peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/listener.h"

struct stand {
        struct bench *bench;
        char *path;
        struct tn_listener *listener;
};

static void set_up(struct stand *s, const char *config, enum tn_listener_role role)
{
        g_autoptr(GError) error = NULL;
        int fd;

        s->bench = bench_new(config);
        s->path = machine_path(s->bench->machine, "sock");
        fd = tn_listener_open_unix(s->path, 0600, &error);
        assert_true(fd >= 0);
        s->listener = tn_listener_new(s->bench->dispatch, s->bench->config, fd, role, "unix-listen",
                                      s->path);
}

static void tear_down(struct stand *s)
{
        tn_listener_free(s->listener);
        assert_int_equal(access(s->path, F_OK), -1);
        g_free(s->path);
        bench_free(s->bench);
}

static void ping(struct peer *peer)
{
        peer_send(peer, "{'execute': 'guest-ping'}");
        peer_expect(peer, "{'return': {}}");
}

static void test_many_clients(void **state)
{
        struct peer *peers[16];
        struct stand s;

        (void) state;
        set_up(&s, "", TN_LISTENER_HOST);
        for (size_t i = 0; i < G_N_ELEMENTS(peers); i++)
                peers[i] = peer_connect(s.path); /* all but the last stay silent */
        ping(peers[15]);
        ping(peers[0]);
        json_auto_t *list = tn_listener_to_json(s.listener);
        assert_int_equal(json_array_size(list), 16);
        for (size_t i = 0; i < G_N_ELEMENTS(peers); i++)
                peer_free(peers[i]);
        loop_for(20);
        assert_json(tn_listener_to_json(s.listener), "[]");
        tear_down(&s);
}

/* One more than the limit: it waits, and has its turn when another leaves. */
static void test_limit(void **state)
{
        struct peer *one, *two, *three;
        struct stand s;

        (void) state;
        set_up(&s, "[limits]\nclients=2\n", TN_LISTENER_HOST);
        one = peer_connect(s.path);
        two = peer_connect(s.path);
        ping(one);
        ping(two);
        three = peer_connect(s.path);
        assert_int_equal(peer_try_send(three, "{\"execute\": \"guest-ping\"}", 25), 25);
        peer_expect_silence(three);
        assert_true(idle_cost_ms(200) < 50); /* it is not polled for */
        ping(one);
        peer_free(one);
        peer_expect(three, "{'return': {}}");
        peer_free(two);
        peer_free(three);
        tear_down(&s);
}

static void test_coming_and_going(void **state)
{
        struct stand s;

        (void) state;
        set_up(&s, "[limits]\nclients=3\n", TN_LISTENER_HOST);
        for (int i = 0; i < 200; i++) {
                g_autoptr(peer_t) peer = peer_connect(s.path);

                if (i % 3)
                        ping(peer);
                else
                        peer_try_send(peer, "{\"execute\": \"gu", 14);
        }
        loop_for(20);
        assert_json(tn_listener_to_json(s.listener), "[]");
        tear_down(&s);
}

/* A client's half-written words are not the next client's. */
static void test_clients_do_not_share_a_parser(void **state)
{
        struct stand s;
        g_autoptr(peer_t) one = NULL, two = NULL;

        (void) state;
        set_up(&s, "", TN_LISTENER_HOST);
        one = peer_connect(s.path);
        two = peer_connect(s.path);
        peer_send(one, "{'execute': 'guest-pi");
        ping(two);
        peer_send(one, "ng'}");
        peer_expect(one, "{'return': {}}");
        tear_down(&s);
}

static void test_stale_socket_is_taken_over(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *path = machine_path(m, "sock");
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct stat st;

        (void) state;
        g_strlcpy(addr.sun_path, path, sizeof addr.sun_path);
        assert_int_equal(bind(fd, (struct sockaddr *) &addr, sizeof addr), 0);
        close(fd);
        assert_int_equal(access(path, F_OK), 0);
        fd = tn_listener_open_unix(path, 0640, NULL);
        assert_true(fd >= 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        close(fd);
}

static void test_live_socket_is_left_alone(void **state)
{
        struct stand s;
        g_autofree char *wanted = NULL;
        g_autoptr(peer_t) peer = NULL;
        GError *error = NULL;

        (void) state;
        set_up(&s, "", TN_LISTENER_HOST);
        wanted = g_strdup_printf("%s is in use by another process; stop it first", s.path);
        assert_int_equal(tn_listener_open_unix(s.path, 0600, &error), -1);
        assert_error(error, TN_ERROR_BUSY, wanted);
        peer = peer_connect(s.path);
        ping(peer);
        tear_down(&s);
}

static void test_files_are_left_alone(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *file = machine_path(m, "file"), *link = machine_path(m, "link");
        g_autofree char *text = NULL;
        GError *error = NULL;

        (void) state;
        machine_write(m, "file", "precious");
        machine_link(m, "link", "file");
        for (int i = 0; i < 2; i++) {
                const char *path = i ? link : file;
                g_autofree char *wanted = g_strdup_printf(
                        "%s exists and is not a socket; choose another path", path);

                assert_int_equal(tn_listener_open_unix(path, 0600, &error), -1);
                assert_error(error, TN_ERROR_BUSY, wanted);
        }
        assert_true(g_file_get_contents(link, &text, NULL, NULL));
        assert_string_equal(text, "precious");
}

static void test_paths_that_cannot_be(void **state)
{
        g_autofree char *name = g_strnfill(107, 'x');
        g_autofree char *longest = g_strdup_printf("/%s", name);
        g_autofree char *wanted = g_strdup_printf("socket path %s is longer than 107 bytes", longest);
        GError *error = NULL;

        (void) state;
        assert_int_equal(tn_listener_open_unix(longest, 0600, &error), -1);
        assert_error(error, TN_ERROR_INVALID, wanted);
        assert_int_equal(tn_listener_open_unix("/nonexistent/dir/s", 0600, &error), -1);
        assert_error(error, TN_ERROR_NOT_FOUND, "listen on /nonexistent/dir/s: No such file or directory");
}

static void test_vsock_addresses(void **state)
{
        static const char *const bad[] = {"nonsense", "3",   "3:",           ":",    "",
                                          "x:1",      "3:x", "3:4294967296", "-2:1", "3:1:1"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                g_autofree char *wanted = g_strdup_printf(
                        "'%s' is not a vsock address; write CID:PORT, such as 3:1234", bad[i]);
                GError *error = NULL;

                assert_int_equal(tn_listener_open_vsock(bad[i], &error), -1);
                assert_error(error, TN_ERROR_INVALID, wanted);
        }
}

static void test_vsock(void **state)
{
        static const char *const good[] = {":51234", "-1:51235"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
                g_autoptr(GError) error = NULL;
                int fd = tn_listener_open_vsock(good[i], &error);

                if (fd >= 0)
                        close(fd);
                else /* no vsock here, which is the machine's fault and not the address' */
                        assert_true(g_str_has_prefix(error->message, "listen on vsock "));
        }
}

/* Asks as another user, from a process of its own; its reply comes back through a pipe. */
static pid_t ask_as_nobody(const char *path, int out_fd)
{
        static const char request[] = "{\"execute\": \"test-exec\"}{\"execute\": \"test-echo\"}";
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        pid_t pid = fork();
        char reply[1024];
        size_t done = 0;
        ssize_t n;
        int fd;

        if (pid != 0)
                return pid;
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        g_strlcpy(addr.sun_path, path, sizeof addr.sun_path);
        if (setresuid(65534, 65534, 65534) < 0 || connect(fd, (struct sockaddr *) &addr, sizeof addr) < 0 ||
            write(fd, request, sizeof request - 1) < 0)
                _exit(1);
        (void) shutdown(fd, SHUT_WR);
        while ((n = read(fd, reply + done, sizeof reply - done)) > 0)
                done += (size_t) n;
        _exit(write(out_fd, reply, done) == (ssize_t) done ? 0 : 2);
}

static void test_control_socket(void **state)
{
        struct stand s;
        g_autoptr(peer_t) root = NULL, nobody = NULL;
        int fds[2], status;
        pid_t pid;

        (void) state;
        set_up(&s, "[policy]\npreset=locked\n", TN_LISTENER_CONTROL);
        root = peer_connect(s.path);
        peer_send(root, "{'execute': 'test-exec'}"); /* more than the host may */
        peer_expect(root, "{'return': {}}");
        if (geteuid() == 0) {
                assert_int_equal(chmod(s.path, 0666) | chmod(s.bench->machine->dir, 0755), 0);
                assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
                pid = ask_as_nobody(s.path, fds[1]);
                close(fds[1]);
                nobody = peer_new(fds[0]);
                peer_expect(nobody, "{'error': {'class': 'CommandNotFound', 'desc': 'Command test-exec has "
                                    "been disabled: "
                                    "only root may ask for it; try sudo'}}");
                peer_expect(nobody, "{'return': {}}");
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
                assert_contains(machine_logged(s.bench->machine, "test-exec by uid 65534 pid "), "refused");
        }
        tear_down(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_many_clients),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_coming_and_going),
                cmocka_unit_test(test_clients_do_not_share_a_parser),
                cmocka_unit_test(test_stale_socket_is_taken_over),
                cmocka_unit_test(test_live_socket_is_left_alone),
                cmocka_unit_test(test_files_are_left_alone),
                cmocka_unit_test(test_paths_that_cannot_be),
                cmocka_unit_test(test_vsock_addresses),
                cmocka_unit_test(test_vsock),
                cmocka_unit_test(test_control_socket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
