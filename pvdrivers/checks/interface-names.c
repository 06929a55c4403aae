/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 5. Will each configured interface be found under its name? Names come from the slot or the driver, so the
 * same card is ens192 here and enp1s0 there. What is matched by MAC address stays, if the host keeps that
 * address; for the rest a .link file can pin the name.
 */
#include <fnmatch.h>
#include <string.h>

#include "pvdrivers/checks/interface-data.h"

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

/* Is it a card? Unknown without sysfs, and then taken for one. */
static bool is_card(const struct tn_interface_names *names, const char *interface)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s", interface);
        g_autofree char *device = g_strdup_printf("%s/device", path);

        return !tn_env_exists(names->context->env, path) || tn_env_exists(names->context->env, device);
}

/* Is there a sysfs, and no interface of this name in it? Then it is not in use here either. */
static bool is_absent(const struct tn_interface_names *names, const char *interface)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s", interface);

        return tn_env_exists(names->context->env, "sys/class/net/lo") &&
               !tn_env_exists(names->context->env, path);
}

/* eth0 stays eth0 where nobody renames cards, and on VMBus, whose cards have no slot; as long as it is one.
 */
static bool name_stays(const struct tn_interface_names *names, const char *interface)
{
        enum tn_pv_platform target = names->context->target;
        bool vmbus = target == TN_PV_HYPERV || target == TN_PV_AZURE;

        return g_str_has_prefix(interface, "eth") && (names->kernel_names || vmbus) && names->cards <= 1 &&
               g_str_equal(interface, "eth0");
}

static void lost(const struct tn_interface_names *names, const struct tn_netconf *item)
{
        g_autofree char *mac = tn_interface_data_mac(names, item->interface);
        const char *const *example = examples[names->context->target];
        const struct tn_card *card = tn_cards_get(names->here, item->interface);
        const char *obstacle = card ? card->obstacle : NULL;
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
        if (obstacle)
                tn_check_set_remedy(check, "%s", obstacle);
        else if (mac)
                tn_check_set_remedy(
                        check,
                        "pin the name: /etc/systemd/network/10-tenon-%s.link with [Match] MACAddress=%s and "
                        "[Link] Name=%s; the new machine must keep the MAC address",
                        item->interface, mac, item->interface);
        else
                tn_check_set_remedy(
                        check,
                        "match the card by its MAC address in place of its name, and keep that address");
        check->fixable = mac && !obstacle;
        tn_interface_data_set(names, check, item, mac);
}

static void stays(const struct tn_interface_names *names, const struct tn_netconf *item, const char *why)
{
        g_autofree char *mac = tn_interface_data_mac(names, item->interface);
        struct tn_check *check = tn_check_add(names->context, TN_VERDICT_READY,
                                              "%s (/%s line %u) keeps its name: %s", item->interface,
                                              item->file, item->line, why);

        tn_interface_data_set(names, check, item, mac);
}

static bool pattern_matches(const struct tn_interface_names *names, const char *pattern)
{
        const char *const *example = examples[names->context->target];

        for (size_t i = 0; i < G_N_ELEMENTS(examples[0]) && example[i]; i++)
                if (fnmatch(pattern, example[i], 0) == 0)
                        return true;
        return names->kernel_names && fnmatch(pattern, "eth0", 0) == 0;
}

/* Patterns of one line are alternatives: the first of them speaks for all. */
static void judge_pattern(const struct tn_interface_names *names, const struct tn_netconf *item)
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

static void judge(const struct tn_interface_names *names, const struct tn_netconf *item)
{
        const struct tn_netconf *pin = tn_netconf_find_pin(names->list, item->interface);
        g_autofree char *why = NULL;

        if (is_absent(names, item->interface)) {
                struct tn_check *check = tn_check_add(
                        names->context, TN_VERDICT_READY,
                        "%s is configured in /%s line %u, and no card is called so here either",
                        item->interface, item->file, item->line);

                tn_interface_data_set(names, check, item, NULL);
        } else if (pin && names->cards > 1 && tn_cards_is_kernel_name(item->interface)) {
                struct tn_check *check = tn_check_add(
                        names->context, TN_VERDICT_LOSS,
                        "/%s pins %s to %s, and there are more cards: where the kernel finds them in "
                        "another order, "
                        "the name is taken already, and udev cannot swap names",
                        pin->file, item->interface, pin->mac);

                tn_check_set_remedy(
                        check, "give the new machine the cards in the same order, or pin names that the "
                               "kernel does not give (lan0) and configure those");
                tn_interface_data_set(names, check, item, NULL);
        } else if (pin) {
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
static bool is_first(const struct tn_interface_names *names, guint index)
{
        const struct tn_netconf *item = names->list->items->pdata[index];

        for (guint i = 0; i < index; i++) {
                const struct tn_netconf *before = names->list->items->pdata[i];

                if (!before->pin && g_strcmp0(before->interface, item->interface) == 0)
                        return false;
        }
        return true;
}

static void judge_all(struct tn_interface_names *names)
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

static void count_cards(struct tn_interface_names *names)
{
        for (guint i = 0; i < names->list->items->len; i++) {
                const struct tn_netconf *item = names->list->items->pdata[i];

                names->cards += item->interface && !item->pin && !is_pattern(item->interface) &&
                                is_first(names, i) && is_card(names, item->interface) &&
                                !is_absent(names, item->interface);
        }
}

/* *ret_fixable: prepare can do something about each of them. */
static bool any_loss(const struct tn_check_context *context, guint first, bool *ret_fixable)
{
        unsigned losses = 0, fixable = 0;

        for (guint i = first; i < context->plan->checks->len; i++) {
                const struct tn_check *check = context->plan->checks->pdata[i];

                losses += check->verdict == TN_VERDICT_LOSS;
                fixable += check->verdict == TN_VERDICT_LOSS && check->fixable;
        }
        *ret_fixable = losses == fixable;
        return losses > 0;
}

/* Units that hold back the start until the network is there: with a card that has another name they wait for
 * all of their time. */
static void look_at_waiting(struct tn_check_context *context, bool fixable)
{
        static const char folder[] = "etc/systemd/system/network-online.target.wants";
        g_auto(GStrv) units = tn_env_list(context->env, folder);

        for (char **unit = units; unit && *unit; unit++) {
                g_autofree char *own = g_strdup_printf("etc/systemd/system/%s", *unit);
                g_autofree char *mask = tn_env_readlink(context->env, own);
                struct tn_check *check;

                if (!strstr(*unit, "wait-online") || g_strcmp0(mask, "/dev/null") == 0)
                        continue;
                check = tn_check_add(
                        context, TN_VERDICT_LOSS,
                        "/%s/%s holds back the start, as long as it may, for a network that a name "
                        "above will not bring",
                        folder, *unit);
                tn_check_set_remedy(check, "see to the names; or systemctl disable %s until after the move",
                                    *unit);
                check->fixable = fixable;
        }
}

/* What the names of slots follow, where somebody has chosen it. */
static void look_at_scheme(struct tn_check_context *context)
{
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);
        g_autofree char *scheme = tn_check_option(options, "net.naming-scheme");

        if (scheme)
                tn_check_add(context, TN_VERDICT_READY,
                             "%s: net.naming-scheme=%s goes with the guest; slots and firmware do not",
                             where, scheme);
}

void tn_check_interface_names(struct tn_check_context *context)
{
        g_autoptr(tn_netconf_list_t) list = tn_netconf_read(context->env);
        g_autoptr(GPtrArray) here = tn_cards_find(context->env, list);
        struct tn_interface_names names = {
                .context = context, .list = list, .kernel_names = kernel_names(context), .here = here};
        guint before = context->plan->checks->len;
        bool fixable;

        count_cards(&names);
        judge_all(&names);
        if (any_loss(context, before, &fixable))
                look_at_waiting(context, fixable);
        look_at_scheme(context);
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
