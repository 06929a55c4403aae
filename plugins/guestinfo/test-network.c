/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What is remembered of the network is never untrue. The whole program runs in a network namespace of its
 * own, which has a loopback interface and nothing else, and changes it as it likes; where it may not have
 * one, it is skipped.
 */
#define _GNU_SOURCE
#include "plugins/guestinfo/test-support.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/json.h"

#define SKIPPED 77

static int control_fd;

static void set_address(const char *label, const char *address)
{
        struct sockaddr_in in = {.sin_family = AF_INET};
        struct ifreq request = {0};

        assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
        g_strlcpy(request.ifr_name, label, sizeof request.ifr_name);
        memcpy(&request.ifr_addr, &in, sizeof in);
        assert_int_equal(ioctl(control_fd, SIOCSIFADDR, &request), 0);
}

static void set_up(bool up)
{
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};

        assert_int_equal(ioctl(control_fd, SIOCSIFFLAGS, &request), 0);
}

static bool add_interface_of(int fd, const char *kind)
{
        struct {
                struct nlmsghdr header;
                struct ifinfomsg info;
                struct rtattr outer, inner;
                char kind[8];
        } request = {
                .header = {.nlmsg_type = RTM_NEWLINK,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
                .outer = {.rta_type = IFLA_LINKINFO},
                .inner = {.rta_type = IFLA_INFO_KIND},
        };
        char answer[4096];
        struct nlmsgerr result;

        g_strlcpy(request.kind, kind, sizeof request.kind);
        request.inner.rta_len = (unsigned short) (sizeof request.inner + strlen(kind));
        request.outer.rta_len = (unsigned short) (sizeof request.outer + request.inner.rta_len);
        request.header.nlmsg_len = sizeof request;
        assert_true(send(fd, &request, sizeof request, 0) > 0);
        assert_true(recv(fd, answer, sizeof answer, 0) >= (ssize_t) NLMSG_LENGTH(sizeof result));
        memcpy(&result, answer + NLMSG_HDRLEN, sizeof result);
        return result.error == 0;
}

/* False: this kernel has none of these kinds. */
static bool add_interface(int fd)
{
        static const char *const kinds[] = {"dummy", "ifb", "bridge"};

        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
                if (add_interface_of(fd, kinds[i]))
                        return true;
        return false;
}

/* What a plugin that remembers says, and one that has just come into being. */
static void assert_true_now(struct machine *machine)
{
        g_autoptr(machine_t) fresh = machine_running();
        json_t *reply = machine_run(machine, "guest-network-get-interfaces");
        json_t *wanted = machine_run(fresh, "guest-network-get-interfaces");
        g_autofree char *line = tn_json_line(reply), *wanted_line = tn_json_line(wanted);

        assert_reply_type("guest-network-get-interfaces", reply);
        assert_string_equal(line, wanted_line);
        json_decref(reply);
        json_decref(wanted);
}

static void test_addresses(void **state)
{
        g_autoptr(machine_t) machine = machine_running();

        (void) state;
        assert_true_now(machine);
        set_up(true);
        assert_true_now(machine); /* 127.0.0.1 and ::1 have come */
        assert_true_now(machine);
        set_address("lo:1", "192.0.2.1");
        assert_true_now(machine);
        set_address("lo:1", "192.0.2.2");
        assert_true_now(machine);
        set_address("lo:1", "0.0.0.0"); /* takes it away */
        assert_true_now(machine);
        set_up(false);
        assert_true_now(machine);
}

static guint64 bytes_received(struct machine *machine)
{
        json_t *reply = machine_run(machine, "guest-network-get-interfaces");
        json_t *statistics = json_object_get(json_array_get(reply, 0), "statistics");
        guint64 bytes = (guint64) json_integer_value(json_object_get(statistics, "rx-bytes"));

        json_decref(reply);
        return bytes;
}

static void send_something(void)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};

        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void) sendto(control_fd, "x", 1, 0, (struct sockaddr *) &in, sizeof in); /* even if refused */
}

static void test_statistics_are_of_now(void **state)
{
        g_autoptr(machine_t) machine = machine_running();

        (void) state;
        set_up(true);
        for (int i = 0; i < 3; i++) {
                guint64 before = bytes_received(machine);

                send_something();
                assert_true(bytes_received(machine) > before);
        }
        set_up(false);
}

/* An answer that somebody keeps does not change any more. */
static void test_kept_answer(void **state)
{
        g_autoptr(machine_t) machine = machine_running();
        g_autofree char *before = NULL, *after = NULL;
        json_t *first;

        (void) state;
        set_up(true);
        first = machine_run(machine, "guest-network-get-interfaces");
        before = tn_json_line(first);
        send_something();
        (void) bytes_received(machine);
        after = tn_json_line(first);
        assert_string_equal(after, before);
        json_decref(first);
        set_up(false);
}

/* Far more changes than the subscription can keep. */
static void test_overrun(void **state)
{
        g_autoptr(machine_t) machine = machine_running();

        (void) state;
        assert_true_now(machine);
        for (int i = 0; i < 500; i++)
                set_up(i % 2 == 0);
        set_up(true);
        assert_true_now(machine);
        for (int i = 1; i < 250; i++) {
                g_autofree char *address = g_strdup_printf("192.0.2.%d", i);

                set_address("lo:1", address);
        }
        assert_true_now(machine);
        set_address("lo:1", "0.0.0.0");
        assert_true_now(machine);
        set_up(false);
}

/* First few enough to be remembered, then not. */
static void test_many_interfaces(void **state)
{
        g_autoptr(machine_t) machine = machine_running();
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        json_t *reply;

        (void) state;
        assert_true(fd >= 0);
        if (!add_interface(fd)) {
                assert_int_equal(close(fd), 0);
                skip();
        }
        for (int i = 1; i < 300; i++) {
                assert_true(add_interface(fd));
                if (i % 60 == 0)
                        assert_true_now(machine);
        }
        assert_true_now(machine);
        reply = machine_run(machine, "guest-network-get-interfaces");
        assert_true(json_array_size(reply) > 300); /* and lo */
        json_decref(reply);
        assert_int_equal(close(fd), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_addresses),       cmocka_unit_test(test_statistics_are_of_now),
                cmocka_unit_test(test_kept_answer),     cmocka_unit_test(test_overrun),
                cmocka_unit_test(test_many_interfaces),
        };

        if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                return SKIPPED;
        control_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
