/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The rtnetlink parser: dumps made here, whole, cut, and with every byte of their structure falsified.
 * What it must not do (read outside) shows under the sanitizers and valgrind, since each dump is handed
 * over in a heap block of exactly its size.
 */
#include "plugins/guestinfo/test-support.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/error.h"
#include "plugins/guestinfo/rtnetlink.h"

static void add_padding(GByteArray *bytes)
{
        static const guint8 zero[4];

        g_byte_array_append(bytes, zero, (4 - bytes->len % 4) % 4);
}

static void add_attribute(GByteArray *bytes, unsigned short type, const void *data, size_t len)
{
        struct rtattr header = {.rta_len = (unsigned short) (sizeof header + len), .rta_type = type};

        g_byte_array_append(bytes, (guint8 *) &header, sizeof header);
        g_byte_array_append(bytes, data, (guint) len);
        add_padding(bytes);
}

/* Returns the place of the message, for end_message(). */
static guint begin_message(GByteArray *bytes, unsigned short type, unsigned short flags, const void *head,
                           size_t len)
{
        struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_MULTI | flags};
        guint place = bytes->len;

        g_byte_array_append(bytes, (guint8 *) &header, sizeof header);
        g_byte_array_append(bytes, head, (guint) len);
        add_padding(bytes);
        return place;
}

static void end_message(GByteArray *bytes, guint place)
{
        guint32 len = bytes->len - place;

        memcpy(bytes->data + place, &len, sizeof len);
}

static void add_link(GByteArray *bytes, int index, const char *name, const void *hardware,
                     size_t hardware_len, const struct rtnl_link_stats64 *statistics)
{
        struct ifinfomsg info = {.ifi_index = index};
        guint place = begin_message(bytes, RTM_NEWLINK, 0, &info, sizeof info);

        if (name)
                add_attribute(bytes, IFLA_IFNAME, name, strlen(name) + 1);
        if (hardware)
                add_attribute(bytes, IFLA_ADDRESS, hardware, hardware_len);
        if (statistics)
                add_attribute(bytes, IFLA_STATS64, statistics, sizeof *statistics);
        end_message(bytes, place);
}

static void add_address(GByteArray *bytes, unsigned index, unsigned char prefix, const char *address,
                        const char *local)
{
        int family = strchr(address, ':') ? AF_INET6 : AF_INET;
        size_t len = family == AF_INET ? 4 : 16;
        struct ifaddrmsg info = {
                .ifa_family = (unsigned char) family, .ifa_prefixlen = prefix, .ifa_index = index};
        guint place = begin_message(bytes, RTM_NEWADDR, 0, &info, sizeof info);
        unsigned char number[16];

        assert_int_equal(inet_pton(family, address, number), 1);
        add_attribute(bytes, IFA_ADDRESS, number, len);
        if (local) {
                assert_int_equal(inet_pton(family, local, number), 1);
                add_attribute(bytes, IFA_LOCAL, number, len);
        }
        end_message(bytes, place);
}

static void add_done(GByteArray *bytes, unsigned short flags, gint32 code)
{
        end_message(bytes, begin_message(bytes, NLMSG_DONE, flags, &code, sizeof code));
}

/* Parses a copy that ends where its memory ends. */
static bool parse(struct tn_interfaces *interfaces, const void *bytes, size_t len, enum tn_dump *ret_state,
                  GError **error)
{
        void *exact = g_memdup2(bytes, len);
        bool ok = tn_rtnetlink_parse(interfaces, exact, len, ret_state, error);

        g_free(exact);
        return ok;
}

static void parse_all(struct tn_interfaces *interfaces, const GByteArray *bytes, enum tn_dump expected)
{
        enum tn_dump state;

        assert_true(parse(interfaces, bytes->data, bytes->len, &state, NULL));
        assert_int_equal(state, expected);
}

static const struct rtnl_link_stats64 numbers = {
        .rx_packets = 1,
        .tx_packets = 2,
        .rx_bytes = 3,
        .tx_bytes = G_MAXUINT64,
        .rx_errors = 5,
        .tx_errors = 6,
        .rx_dropped = 7,
        .tx_dropped = 8,
};

static void test_reply(void **state)
{
        static const unsigned char mac[] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}, zero[6],
                                   infiniband[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                   11, 12, 13, 14, 15, 16, 17, 18, 19, 255};
        g_autoptr(GByteArray) links = g_byte_array_new(), addresses = g_byte_array_new();
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        json_t *reply;

        (void) state;
        /* out of order: the reply is in the order of indexes */
        add_link(links, 300, "ib0", infiniband, sizeof infiniband, NULL);
        add_link(links, 2, "eth0", mac, sizeof mac, &numbers);
        add_link(links, 3, "wg0", "", 0, NULL);
        add_link(links, 1, "lo", zero, sizeof zero, NULL);
        add_link(links, 4, NULL, mac, sizeof mac, NULL);
        add_done(links, 0, 0);
        parse_all(interfaces, links, TN_DUMP_DONE);
        add_address(addresses, 1, 8, "127.0.0.1", "127.0.0.1");
        add_address(addresses, 1, 128, "::1", NULL);
        add_address(addresses, 3, 32, "10.0.0.2", "10.0.0.1"); /* peer, ours */
        add_address(addresses, 2, 64, "fe80::5054:ff:feab:cdef", NULL);
        add_address(addresses, 77, 24, "192.0.2.1", NULL); /* of an interface that is not there */
        add_done(addresses, 0, 0);
        parse_all(interfaces, addresses, TN_DUMP_DONE);

        reply = tn_interfaces_json(interfaces, true);
        assert_reply_type("guest-network-get-interfaces", reply);
        assert_json(
                reply,
                "[{\"name\": \"lo\", \"hardware-address\": \"00:00:00:00:00:00\", \"ip-addresses\": ["
                "  {\"ip-address\": \"127.0.0.1\", \"ip-address-type\": \"ipv4\", \"prefix\": 8},"
                "  {\"ip-address\": \"::1\", \"ip-address-type\": \"ipv6\", \"prefix\": 128}]},"
                " {\"name\": \"eth0\", \"hardware-address\": \"52:54:00:ab:cd:ef\", \"ip-addresses\": ["
                "  {\"ip-address\": \"fe80::5054:ff:feab:cdef\", \"ip-address-type\": \"ipv6\","
                "   \"prefix\": 64}],"
                "  \"statistics\": {\"rx-bytes\": 3, \"rx-packets\": 1, \"rx-errs\": 5, \"rx-dropped\": 7,"
                "   \"tx-bytes\": 9223372036854775807, \"tx-packets\": 2, \"tx-errs\": 6,"
                "   \"tx-dropped\": 8}},"
                " {\"name\": \"wg0\", \"ip-addresses\": ["
                "  {\"ip-address\": \"10.0.0.1\", \"ip-address-type\": \"ipv4\", \"prefix\": 32}]},"
                " {\"name\": \"ib0\", \"hardware-address\":"
                "  \"01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:ff\"}]");
        json_decref(reply);

        reply = tn_interfaces_json(interfaces, false);
        assert_null(json_object_get(json_array_get(reply, 1), "statistics"));
        json_decref(reply);
}

static void test_several_datagrams(void **state)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
        json_t *reply;

        (void) state;
        for (int i = 1; i <= 3000; i++) {
                g_autofree char *name = g_strdup_printf("veth%d", i);

                add_link(i <= 1500 ? first : second, i, name, NULL, 0, &numbers);
        }
        parse_all(interfaces, first, TN_DUMP_MORE);
        parse_all(interfaces, second, TN_DUMP_MORE);
        g_byte_array_set_size(second, 0);
        add_done(second, 0, 0);
        add_link(second, 9999, "late", NULL, 0, NULL); /* behind the end: not looked at */
        parse_all(interfaces, second, TN_DUMP_DONE);
        reply = tn_interfaces_json(interfaces, true);
        assert_int_equal(json_array_size(reply), 3000);
        assert_string_equal(json_string_value(json_object_get(json_array_get(reply, 2999), "name")),
                            "veth3000");
        json_decref(reply);
}

static void test_interrupted_dump(void **state)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        g_autoptr(GByteArray) bytes = g_byte_array_new();

        (void) state;
        add_link(bytes, 1, "lo", NULL, 0, NULL);
        add_done(bytes, NLM_F_DUMP_INTR, 0);
        parse_all(interfaces, bytes, TN_DUMP_INTERRUPTED);
        g_byte_array_set_size(bytes, 0);
        add_done(bytes, 0, 0);
        parse_all(interfaces, bytes, TN_DUMP_DONE); /* the next dump starts anew */
}

static void add_statistics(GByteArray *bytes, unsigned index, const struct rtnl_link_stats64 *statistics)
{
        struct if_stats_msg info = {.ifindex = index, .filter_mask = 1};
        guint place = begin_message(bytes, RTM_NEWSTATS, 0, &info, sizeof info);

        add_attribute(bytes, IFLA_STATS_LINK_64, statistics, sizeof *statistics);
        end_message(bytes, place);
}

static void test_statistics_alone(void **state)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        struct rtnl_link_stats64 later = numbers;
        json_t *reply;

        (void) state;
        add_link(bytes, 1, "lo", NULL, 0, &numbers);
        add_link(bytes, 2, "eth0", NULL, 0, &numbers);
        add_done(bytes, 0, 0);
        parse_all(interfaces, bytes, TN_DUMP_DONE);
        reply = tn_interfaces_json(interfaces, true);

        later.rx_bytes = 1000;
        later.tx_dropped = 88;
        g_byte_array_set_size(bytes, 0);
        add_statistics(bytes, 2, &later);
        add_done(bytes, 0, 0);
        parse_all(interfaces, bytes, TN_DUMP_DONE);
        assert_int_equal(interfaces->renewed, 1);
        assert_false(interfaces->strangers);
        tn_interfaces_show_statistics(interfaces);
        assert_json(reply, "[{\"name\": \"lo\", \"statistics\": {\"rx-bytes\": 3, \"rx-packets\": 1,"
                           "  \"rx-errs\": 5, \"rx-dropped\": 7, \"tx-bytes\": 9223372036854775807,"
                           "  \"tx-packets\": 2, \"tx-errs\": 6, \"tx-dropped\": 8}},"
                           " {\"name\": \"eth0\", \"statistics\": {\"rx-bytes\": 1000, \"rx-packets\": 1,"
                           "  \"rx-errs\": 5, \"rx-dropped\": 7, \"tx-bytes\": 9223372036854775807,"
                           "  \"tx-packets\": 2, \"tx-errs\": 6, \"tx-dropped\": 88}}]");
        json_decref(reply);

        g_byte_array_set_size(bytes, 0);
        add_statistics(bytes, 77, &later);
        parse_all(interfaces, bytes, TN_DUMP_MORE);
        assert_true(interfaces->strangers);
}

/* Fails with @code, and leaves @ret_state alone. */
static void assert_refused(const GByteArray *bytes, int code)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        g_autoptr(GError) error = NULL;
        enum tn_dump untouched = (enum tn_dump) 99;

        assert_false(parse(interfaces, bytes->data, bytes->len, &untouched, &error));
        assert_int_equal(error->code, code);
        assert_int_equal(untouched, 99);
}

static void test_kernel_errors(void **state)
{
        static const struct {
                unsigned short type;
                gint32 code;
                int expected;
        } cases[] = {
                {NLMSG_ERROR, -EPERM, TN_ERROR_DENIED},     {NLMSG_DONE, -EPERM, TN_ERROR_DENIED},
                {NLMSG_ERROR, 0, TN_ERROR_INVALID},         {NLMSG_ERROR, G_MININT32, TN_ERROR_INVALID},
                {NLMSG_DONE, G_MININT32, TN_ERROR_INVALID},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(GByteArray) bytes = g_byte_array_new();

                end_message(bytes, begin_message(bytes, cases[i].type, 0, &cases[i].code, sizeof(gint32)));
                assert_refused(bytes, cases[i].expected);
        }
}

static void test_broken_lengths(void **state)
{
        static const unsigned char mac[6];
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        const size_t attribute = sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg);
        guint32 message_lengths[] = {0, 1, 15, 0x7fffffff, 0xffffffff};
        unsigned short attribute_lengths[] = {0, 3, 200, 0xffff};
        guint32 good;

        (void) state;
        add_link(bytes, 1, "eth0", mac, sizeof mac, NULL);
        memcpy(&good, bytes->data, sizeof good);
        for (size_t i = 0; i < G_N_ELEMENTS(message_lengths); i++) {
                memcpy(bytes->data, &message_lengths[i], sizeof good);
                assert_refused(bytes, TN_ERROR_INVALID);
        }
        memcpy(bytes->data, &good, sizeof good);
        for (size_t i = 0; i < G_N_ELEMENTS(attribute_lengths); i++) {
                memcpy(bytes->data + attribute, &attribute_lengths[i], sizeof(unsigned short));
                assert_refused(bytes, TN_ERROR_INVALID);
        }
}

/* A short hardware address, a name without its NUL, addresses of the wrong size: taken as far as they go. */
static void test_odd_attributes(void **state)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        struct ifinfomsg link = {.ifi_index = 1};
        struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 1};
        guint place = begin_message(bytes, RTM_NEWLINK, 0, &link, sizeof link);
        json_t *reply;

        (void) state;
        add_attribute(bytes, IFLA_IFNAME, "a-name-far-beyond-sixteen", 25);
        add_attribute(bytes, IFLA_ADDRESS, "\x0a", 1);
        add_attribute(bytes, IFLA_STATS64, &numbers, 8); /* too short to mean anything */
        end_message(bytes, place);
        place = begin_message(bytes, RTM_NEWADDR, 0, &address, sizeof address);
        add_attribute(bytes, IFA_ADDRESS, "\1\2\3\4\5\6", 6);
        end_message(bytes, place);
        parse_all(interfaces, bytes, TN_DUMP_MORE);
        reply = tn_interfaces_json(interfaces, true);
        assert_json(reply, "[{\"name\": \"a-name-far-beyo\", \"hardware-address\": \"0a\"}]");
        json_decref(reply);
}

/* All ways to cut a good dump, and every byte of it set to values that break lengths and types. */
static void test_hostile_bytes(void **state)
{
        static const unsigned char values[] = {0, 1, 3, 4, 0x7f, 0x80, 0xff}, mac[6];
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        size_t refused = 0;

        (void) state;
        add_link(bytes, 1, "eth0", mac, sizeof mac, &numbers);
        add_address(bytes, 1, 24, "192.0.2.1", "192.0.2.2");
        add_address(bytes, 1, 64, "2001:db8::1", NULL);
        add_statistics(bytes, 1, &numbers);
        add_done(bytes, 0, 0);
        for (size_t len = 0; len < bytes->len; len++) {
                g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
                enum tn_dump dump;

                if (!parse(interfaces, bytes->data, len, &dump, NULL))
                        refused++;
                else
                        assert_int_equal(dump, TN_DUMP_MORE); /* the end was cut off */
        }
        assert_in_range(refused, bytes->len - 5, bytes->len - 5); /* but for the cuts between messages */
        for (guint i = 0; i < bytes->len; i++)
                for (size_t v = 0; v < G_N_ELEMENTS(values); v++) {
                        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
                        unsigned char good = bytes->data[i];
                        enum tn_dump dump;
                        json_t *reply;

                        bytes->data[i] = values[v];
                        (void) parse(interfaces, bytes->data, bytes->len, &dump, NULL); /* either is right */
                        reply = tn_interfaces_json(interfaces, true);
                        assert_reply_type("guest-network-get-interfaces", reply);
                        json_decref(reply);
                        bytes->data[i] = good;
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reply),
                cmocka_unit_test(test_several_datagrams),
                cmocka_unit_test(test_interrupted_dump),
                cmocka_unit_test(test_statistics_alone),
                cmocka_unit_test(test_kernel_errors),
                cmocka_unit_test(test_broken_lengths),
                cmocka_unit_test(test_odd_attributes),
                cmocka_unit_test(test_hostile_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
