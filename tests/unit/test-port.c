/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The port's life, with pseudo-terminals for devices. The surprising thing: "busy" is made by TIOCEXCL,
 * which a process with CAP_SYS_ADMIN does not notice; so that capability is put aside meanwhile.
 */
#define _GNU_SOURCE
#include "bench.h"
#include "peer.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "agent/port.h"
#include "lib/fd.h"

static void assert_state(const struct tn_port *port, const char *wanted, const char *problem)
{
        json_auto_t *status = tn_port_to_json(port);

        assert_string_equal(json_string_value(json_object_get(status, "state")), wanted);
        if (!problem) {
                assert_null(tn_port_problem(port));
                assert_null(json_object_get(status, "problem"));
                assert_int_equal(json_array_size(json_object_get(status, "clients")), 1);
                return;
        }
        assert_contains(tn_port_problem(port), problem);
        assert_string_equal(json_string_value(json_object_get(status, "problem")), tn_port_problem(port));
        assert_int_equal(json_array_size(json_object_get(status, "clients")), 0);
}

/* A new pseudo-terminal: the master's descriptor, and the slave's path. */
static int open_pty(char *ret_path, size_t size)
{
        int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(grantpt(fd) | unlockpt(fd), 0);
        assert_int_equal(ptsname_r(fd, ret_path, size), 0);
        return fd;
}

static void test_serial_line(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        char path[64];
        g_autoptr(peer_t) host = peer_new(open_pty(path, sizeof path));
        struct tn_env env;
        struct tn_port *port;

        (void) state;
        assert_true(tn_env_init_system(&env, bench->machine->env.log, NULL));
        port = tn_port_new(&env, bench->dispatch, bench->config, TN_PORT_ISA_SERIAL, path);
        assert_state(port, "open", NULL);
        assert_non_null(machine_logged(bench->machine, "open|TENON_TRANSPORT=isa-serial"));
        peer_send(host,
                  "{'execute':'guest-sync-delimited','arguments':{'id':5}}\n{'execute': 'test-echo', "
                  "'arguments': "
                  "{'value': '\x03\x04'}}\r\n"); /* bytes that a terminal in cooked mode would act on */
        peer_expect(host, "\xff{'return': 5}");
        g_free(peer_line(host));
        peer_send(host, "{'execute': 'guest-ping'}");
        peer_expect(host, "{'return': {}}");
        peer_expect_silence(host); /* no echo */
        assert_true(idle_cost_ms(200) < 50);
        tn_port_free(port);
        tn_env_deinit(&env);
}

/* The other end goes for good: the node disappears, and the port waits for it. */
static void test_line_is_hung_up(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        char path[64];
        int master = open_pty(path, sizeof path);
        struct tn_env env;
        struct tn_port *port;

        (void) state;
        assert_true(tn_env_init_system(&env, bench->machine->env.log, NULL));
        port = tn_port_new(&env, bench->dispatch, bench->config, TN_PORT_ISA_SERIAL, path);
        assert_state(port, "open", NULL);
        close(master);
        loop_for(50);
        assert_non_null(tn_port_problem(port));
        assert_true(idle_cost_ms(200) < 50);
        tn_port_retry(port);
        tn_port_free(port);
        tn_port_free(NULL);
        tn_env_deinit(&env);
}

static void test_waiting(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct tn_port *port = tn_port_new(&bench->machine->env, bench->dispatch, bench->config,
                                           TN_PORT_VIRTIO_SERIAL,
                                           "/dev/virtio-ports/org.qemu.guest_agent.0");
        guint records;

        (void) state;
        assert_state(port, "waiting", "no such device");
        assert_contains(tn_port_remedy(port), "add it to the virtual machine");
        assert_contains(
                machine_logged(bench->machine, "no such device"),
                "5|/dev/virtio-ports/org.qemu.guest_agent.0: no such device; add it to the virtual machine "
                "(libvirt: <channel type='unix'>), it is used as soon as it appears|TENON_TRANSPORT="
                "virtio-serial|TENON_FILE=/dev/virtio-ports/org.qemu.guest_agent.0");
        records = bench->machine->log->len;
        for (int i = 0; i < 10; i++)
                tn_port_retry(port);
        assert_int_equal(bench->machine->log->len, records); /* said once */
        tn_port_free(port);
}

/* Something is there that cannot be a channel; when it is replaced, the port works. */
static void test_wrong_kind_of_file(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct tn_port *serial, *virtio;

        (void) state;
        machine_write(bench->machine, "dev/ttyS0", "");
        machine_write(bench->machine, "dev/vport1p1", "");
        serial = tn_port_new(&bench->machine->env, bench->dispatch, bench->config, TN_PORT_ISA_SERIAL,
                             "/dev/ttyS0");
        assert_state(serial, "failed", "it is not a serial line: Inappropriate ioctl for device");
        assert_non_null(machine_logged(bench->machine, "4|/dev/ttyS0: it is not a serial line"));
        virtio = tn_port_new(&bench->machine->env, bench->dispatch, bench->config, TN_PORT_VIRTIO_SERIAL,
                             "/dev/vport1p1");
        assert_state(virtio, "failed", "watch channel (it must be a device or a socket)");
        tn_port_free(serial);
        tn_port_free(virtio);
}

/* Without udev nobody makes the link; sysfs knows the port's name. Opening goes to that node, here a plain
 * file. */
static void test_found_by_name(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct tn_port *port;

        (void) state;
        machine_write(bench->machine, "sys/class/virtio-ports/vport1p1/name", "org.other.0\n");
        machine_write(bench->machine, "sys/class/virtio-ports/vport2p1/name", "org.qemu.guest_agent.0\n");
        machine_write(bench->machine, "dev/vport1p1", "");
        port = tn_port_new(&bench->machine->env, bench->dispatch, bench->config, TN_PORT_VIRTIO_SERIAL,
                           "/dev/virtio-ports/org.qemu.guest_agent.0");
        assert_state(port, "waiting", "no such device");
        machine_write(bench->machine, "dev/vport2p1", "");
        tn_port_retry(port);
        assert_state(port, "failed", "watch channel");
        tn_port_free(port);
}

/* Takes CAP_SYS_ADMIN out of the effective set, or puts it back. False where there is none to take. */
static bool set_sys_admin(bool on)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &header, data) < 0)
                return false;
        if (on)
                data[0].effective |= 1U << CAP_SYS_ADMIN;
        else
                data[0].effective &= ~(1U << CAP_SYS_ADMIN);
        return syscall(SYS_capset, &header, data) == 0;
}

static void test_busy(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        char path[64];
        g_autoptr(peer_t) host = peer_new(open_pty(path, sizeof path));
        tn_autofd int holder = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct tn_env env;
        struct tn_port *port;

        (void) state;
        assert_true(holder >= 0);
        assert_int_equal(ioctl(holder, TIOCEXCL), 0);
        assert_true(set_sys_admin(false));
        assert_true(tn_env_init_system(&env, bench->machine->env.log, NULL));
        port = tn_port_new(&env, bench->dispatch, bench->config, TN_PORT_ISA_SERIAL, path);
        assert_state(port, "busy", "another program has it open (qemu-guest-agent?)");
        assert_non_null(machine_logged(bench->machine, "another program has it open"));
        tn_port_retry(port);
        assert_state(port, "busy", "another program has it open");
        assert_true(idle_cost_ms(200) < 50);
        assert_int_equal(ioctl(holder, TIOCNXCL), 0);
        tn_fd_close(&holder); /* the other agent lets go: nobody has to be told */
        loop_for(50);
        assert_state(port, "open", NULL);
        peer_send(host, "{'execute': 'guest-ping'}");
        peer_expect(host, "{'return': {}}");
        tn_port_free(port);
        tn_env_deinit(&env);
        (void) set_sys_admin(true);
}

/* The kernel tells of the close before the driver lets go: once more, a little later. */
static void test_close_is_told_too_early(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        char path[64];
        g_autoptr(peer_t) host = peer_new(open_pty(path, sizeof path));
        tn_autofd int holder = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        tn_autofd int other = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct tn_env env;
        struct tn_port *port;

        (void) state;
        assert_int_equal(ioctl(holder, TIOCEXCL), 0);
        assert_true(set_sys_admin(false));
        assert_true(tn_env_init_system(&env, bench->machine->env.log, NULL));
        port = tn_port_new(&env, bench->dispatch, bench->config, TN_PORT_ISA_SERIAL, path);
        loop_for(500);
        assert_state(port, "busy", "another program has it open");
        tn_fd_close(&other);
        loop_for(300);
        assert_state(port, "busy", "another program has it open");
        assert_int_equal(ioctl(holder, TIOCNXCL), 0);
        loop_for(500);
        assert_state(port, "open", NULL);
        tn_port_free(port);
        tn_env_deinit(&env);
        (void) set_sys_admin(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_serial_line),
                cmocka_unit_test(test_line_is_hung_up),
                cmocka_unit_test(test_waiting),
                cmocka_unit_test(test_found_by_name),
                cmocka_unit_test(test_wrong_kind_of_file),
                cmocka_unit_test(test_busy),
                cmocka_unit_test(test_close_is_told_too_early),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
