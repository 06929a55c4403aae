/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 5. Will each configured interface be found under its name? Names come from the slot or the driver, so the
 * same card is ens192 here and enp1s0 there. What is matched by MAC address stays, if the host keeps that
 * address; for the rest a .link file can pin the name.
 */
#include <fnmatch.h>
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/netconf.h"
#include "pvdrivers/textfile.h"

/* Names that a card has got there, of many possible ones: what patterns are tried against. */
static const char *const examples[_TN_PV_PLATFORM_MAX][4] = {
        [TN_PV_KVM] = {"ens18", "enp1s0", "ens3"},
        [TN_PV_VMWARE] = {"ens192", "ens33"},
        [TN_PV_XEN] = {"enX0", "eth0"},
        [TN_PV_HYPERV] = {"eth0"},
        [TN_PV_VIRTUALBOX] = {"enp0s3"},
        [TN_PV_AWS] = {"ens5"},
        [TN_PV_GCP] = {"ens4"},
        [TN_PV_AZURE] = {"eth0"},
};

/* Files in which interfaces are named for other reasons than addresses. */
static const char *const others[] = {
        "etc/firewalld/zones/*.xml",
        "etc/nftables.conf",
        "etc/nftables/*.nft",
        "etc/sysconfig/nftables.conf",
        "etc/iptables/rules.v4",
        "etc/iptables/rules.v6",
        "etc/sysconfig/iptables",
        "etc/keepalived/*.conf",
        "etc/dnsmasq.conf",
        "etc/dnsmasq.d/*",
        "etc/default/isc-dhcp-server",
        "etc/sysctl.conf",
        "etc/sysctl.d/*.conf",
        "etc/kubernetes/*",
        "etc/hosts.allow",
        "etc/shorewall/interfaces",
};

struct names {
        struct tn_check_context *context;
        struct tn_netconf_list *list;
        bool kernel_names; /* eth0, eth1, … in the order of the cards: nobody renames them */
        unsigned cards;    /* that are configured by a name of their own */
};

static bool is_pattern(const char *name)
{
        return strpbrk(name, "*?[") != NULL;
}

/* Does udev rename cards? Not with net.ifnames=0, nor where there is no systemd's udev (Alpine). */
static bool kernel_names(const struct tn_check_context *context)
{
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);
        g_autofree char *ifnames = tn_check_option(options, "net.ifnames");
        g_autofree char *policy = tn_env_readlink(context->env, "etc/systemd/network/99-default.link");

        return (ifnames && g_str_equal(ifnames, "0")) || (policy && g_str_equal(policy, "/dev/null")) ||
               (!tn_env_exists(context->env, "usr/lib/udev") && !tn_env_exists(context->env, "lib/udev"));
}

static const struct tn_netconf *find_pin(const struct names *names, const char *interface)
{
        for (guint i = 0; i < names->list->items->len; i++) {
                const struct tn_netconf *item = names->list->items->pdata[i];

                if (item->pin && g_strcmp0(item->interface, interface) == 0)
                        return item;
        }
        return NULL;
}

/* Address of the card that has this name now, or that some file gives it. Free with g_free(). */
static char *mac_of(const struct names *names, const char *interface)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s/address", interface);
        char *mac = tn_env_read_line(names->context->env, path);

        for (guint i = 0; !mac && i < names->list->items->len; i++) {
                const struct tn_netconf *item = names->list->items->pdata[i];

                if (item->mac && g_strcmp0(item->interface, interface) == 0)
                        mac = g_strdup(item->mac);
        }
        return mac;
}

/* Is it a card? Unknown without sysfs, and then taken for one. */
static bool is_card(const struct names *names, const char *interface)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s", interface);
        g_autofree char *device = g_strdup_printf("%s/device", path);

        return !tn_env_exists(names->context->env, path) || tn_env_exists(names->context->env, device);
}

static bool has_word(const char *text, const char *word)
{
        size_t len = strlen(word);

        for (const char *at = text; (at = strstr(at, word)); at += len)
                if ((at == text || !(g_ascii_isalnum(at[-1]) || at[-1] == '_')) &&
                    !(g_ascii_isalnum(at[len]) || at[len] == '_'))
                        return true;
        return false;
}

static json_t *named_in(const struct names *names, const char *interface)
{
        json_t *array = json_array();

        for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
                g_autoptr(GPtrArray) paths = tn_textfile_glob(names->context->env, others[i]);

                for (guint j = 0; j < paths->len; j++) {
                        g_autofree char *text = NULL;

                        if (tn_env_read(names->context->env, paths->pdata[j], &text, NULL, NULL) &&
                            has_word(text, interface))
                                json_array_append_new(array, tn_json_text(paths->pdata[j]));
                }
        }
        return array;
}

/* The places that configure this name; the first one for the text. */
static json_t *configured_in(const struct names *names, const char *interface)
{
        json_t *array = json_array();

        for (guint i = 0; i < names->list->items->len; i++) {
                const struct tn_netconf *item = names->list->items->pdata[i];

                if (!item->pin && g_strcmp0(item->interface, interface) == 0)
                        json_array_append_new(array,
                                              json_pack("{s:s, s:o, s:i}", "system", item->system, "file",
                                                        tn_json_text(item->file), "line", (int) item->line));
        }
        return array;
}

static json_t *pin_of(const char *interface, const char *mac)
{
        g_autofree char *path = g_strdup_printf("etc/systemd/network/10-tenon-%s.link", interface);
        g_autofree char *text = g_strdup_printf("[Match]\nMACAddress=%s\nType=ether\n\n[Link]\nName=%s\n",
                                                mac, interface);

        return json_pack("{s:o, s:o}", "path", tn_json_text(path), "text", tn_json_text(text));
}

static void add_data(const struct names *names, struct tn_check *check, const struct tn_netconf *item,
                     const char *mac)
{
        json_t *data = json_pack("{s:o, s:o, s:o, s:o}", "interface", tn_json_text(item->interface), "mac",
                                 tn_json_text(mac), "configured-in", configured_in(names, item->interface),
                                 "named-in", named_in(names, item->interface));

        json_object_set_new(data, "pin",
                            mac && check->verdict == TN_VERDICT_LOSS ? pin_of(item->interface, mac)
                                                                     : json_null());
        tn_check_set_data(check, data);
}

/* eth0 stays eth0 where nobody renames cards, and on VMBus, whose cards have no slot; as long as it is one.
 */
static bool name_stays(const struct names *names, const char *interface)
{
        enum tn_pv_platform target = names->context->target;
        bool vmbus = target == TN_PV_HYPERV || target == TN_PV_AZURE;

        return g_str_has_prefix(interface, "eth") && (names->kernel_names || vmbus) && names->cards <= 1 &&
               g_str_equal(interface, "eth0");
}

static void lost(const struct names *names, const struct tn_netconf *item)
{
        g_autofree char *mac = mac_of(names, item->interface);
        const char *const *example = examples[names->context->target];
        struct tn_check *check = tn_check_add(
                names->context, TN_VERDICT_LOSS,
                "%s (%s) is configured by its name in /%s line %u; on the target the card has another name, "
                "such as %s",
                item->interface, mac ? mac : "MAC address unknown", item->file, item->line,
                g_str_equal(item->interface, example[0]) && example[1] ? example[1] : example[0]);

        if (names->kernel_names && g_str_has_prefix(item->interface, "eth")) {
                g_free(check->evidence);
                check->evidence = g_strdup_printf("%s (%s) is configured by its name in /%s line %u; of "
                                                  "several cards the order may change",
                                                  item->interface, mac ? mac : "MAC address unknown",
                                                  item->file, item->line);
        }
        if (mac)
                tn_check_set_remedy(
                        check,
                        "pin the name: /etc/systemd/network/10-tenon-%s.link with [Match] MACAddress=%s and "
                        "[Link] Name=%s; the new machine must keep the MAC address",
                        item->interface, mac, item->interface);
        else
                tn_check_set_remedy(
                        check,
                        "match the card by its MAC address in place of its name, and keep that address");
        check->fixable = mac != NULL;
        add_data(names, check, item, mac);
}

static void stays(const struct names *names, const struct tn_netconf *item, const char *why)
{
        g_autofree char *mac = mac_of(names, item->interface);
        struct tn_check *check = tn_check_add(names->context, TN_VERDICT_READY,
                                              "%s (/%s line %u) keeps its name: %s", item->interface,
                                              item->file, item->line, why);

        add_data(names, check, item, mac);
}

static bool pattern_matches(const struct names *names, const char *pattern)
{
        const char *const *example = examples[names->context->target];

        for (size_t i = 0; i < G_N_ELEMENTS(examples[0]) && example[i]; i++)
                if (fnmatch(pattern, example[i], 0) == 0)
                        return true;
        return names->kernel_names && fnmatch(pattern, "eth0", 0) == 0;
}

/* Patterns of one line are alternatives: the first of them speaks for all. */
static void judge_pattern(const struct names *names, const struct tn_netconf *item)
{
        const struct tn_netconf *first = NULL;
        bool matches = false;
        struct tn_check *check;

        for (guint i = 0; i < names->list->items->len; i++) {
                const struct tn_netconf *other = names->list->items->pdata[i];

                if (!other->interface || other->line != item->line || strcmp(other->file, item->file) != 0)
                        continue;
                if (!first && is_pattern(other->interface))
                        first = other;
                matches |= pattern_matches(names, other->interface);
        }
        if (first != item)
                return;
        if (matches) {
                tn_check_add(names->context, TN_VERDICT_READY, "/%s line %u matches any card: %s",
                             item->file, item->line, item->interface);
                return;
        }
        check = tn_check_add(names->context, TN_VERDICT_LOSS,
                             "/%s line %u matches cards called %s; on the target they are called such as %s",
                             item->file, item->line, item->interface, examples[names->context->target][0]);
        tn_check_set_remedy(check, "match en* and eth*, or the MAC address");
}

static void judge(const struct names *names, const struct tn_netconf *item)
{
        const struct tn_netconf *pin = find_pin(names, item->interface);
        g_autofree char *why = NULL;

        if (pin) {
                why = g_strdup_printf("/%s pins it to %s, which the new machine must keep", pin->file,
                                      pin->mac);
                stays(names, item, why);
        } else if (item->mac) {
                why = g_strdup_printf("it is matched by its MAC address %s, which the new machine must keep",
                                      item->mac);
                stays(names, item, why);
        } else if (name_stays(names, item->interface)) {
                stays(names, item,
                      names->kernel_names ? "nobody renames cards here" : "cards on VMBus are called so");
        } else {
                lost(names, item);
        }
}

/* The first item of each name speaks for all of them. */
static bool is_first(const struct names *names, guint index)
{
        const struct tn_netconf *item = names->list->items->pdata[index];

        for (guint i = 0; i < index; i++) {
                const struct tn_netconf *before = names->list->items->pdata[i];

                if (!before->pin && g_strcmp0(before->interface, item->interface) == 0)
                        return false;
        }
        return true;
}

static void judge_all(struct names *names)
{
        for (guint i = 0; i < names->list->items->len; i++) {
                const struct tn_netconf *item = names->list->items->pdata[i];

                if (!item->interface || item->pin || !is_first(names, i) || !is_card(names, item->interface))
                        continue;
                if (is_pattern(item->interface))
                        judge_pattern(names, item);
                else
                        judge(names, item);
        }
}

static void count_cards(struct names *names)
{
        for (guint i = 0; i < names->list->items->len; i++) {
                const struct tn_netconf *item = names->list->items->pdata[i];

                names->cards += item->interface && !item->pin && !is_pattern(item->interface) &&
                                is_first(names, i) && is_card(names, item->interface);
        }
}

void tn_check_interface_names(struct tn_check_context *context)
{
        g_autoptr(tn_netconf_list_t) list = tn_netconf_read(context->env);
        struct names names = {.context = context, .list = list, .kernel_names = kernel_names(context)};
        guint before = context->plan->checks->len;

        count_cards(&names);
        judge_all(&names);
        if (list->denied) {
                struct tn_check *check = tn_check_add(context, TN_VERDICT_UNKNOWN,
                                                      "/%s can be read by root only", list->denied);

                tn_check_set_remedy(check, "plan as root");
        }
        if (context->plan->checks->len == before)
                tn_check_add(
                        context, TN_VERDICT_READY,
                        list->items->len > 0
                                ? "cards are matched by their MAC address, which the new machine must keep"
                                : "no interface is configured by its name");
}
