/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Cards, from sysfs, and whether a MAC address tells each of them from all others. */
#include "pvdrivers/cards.h"

#include <string.h>

#define ARPHRD_ETHER  "1"
#define NET_ADDR_PERM "0" /* linux/netdevice.h: the address is the card's own */

static void free_card(void *data)
{
        struct tn_card *card = data;

        g_free(card->name);
        g_free(card->address);
        g_free(card->obstacle);
        g_free(card);
}

static char *card_text(const struct tn_env *env, const char *name, const char *file)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s/%s", name, file);

        return tn_env_read_line(env, path);
}

/* No bridge or VLAN, Ethernet, not wireless. */
static bool is_card(const struct tn_env *env, const char *name)
{
        g_autofree char *device = g_strdup_printf("sys/class/net/%s/device", name);
        g_autofree char *wireless = g_strdup_printf("sys/class/net/%s/phy80211", name);
        g_autofree char *type = card_text(env, name, "type");

        return tn_env_exists(env, device) && !tn_env_exists(env, wireless) &&
               g_strcmp0(type, ARPHRD_ETHER) == 0;
}

/* The card that this one is a part of, or NULL: hv_netvsc and net_failover put a virtual function below
 * themselves, which has their address and comes and goes; nobody configures it. The master of a bond's or a
 * bridge's port is no card. */
static char *find_whole(const struct tn_env *env, const char *name)
{
        g_autofree char *path = g_strdup_printf("sys/class/net/%s/master", name);
        g_autofree char *master = tn_env_readlink_name(env, path);
        g_autofree char *own = card_text(env, name, "address");
        g_autofree char *above = master ? card_text(env, master, "address") : NULL;

        return master && is_card(env, master) && g_strcmp0(own, above) == 0 ? g_steal_pointer(&master)
                                                                            : NULL;
}

/* Its own address; without one it has an obstacle: a bond gives all its cards one. */
static void read_address(const struct tn_env *env, struct tn_card *card)
{
        g_autofree char *how = card_text(env, card->name, "addr_assign_type");

        if (!how || g_str_equal(how, NET_ADDR_PERM))
                card->address = card_text(env, card->name, "address");
        if (!card->address)
                card->obstacle = g_strdup_printf("%s is not pinned to its name: its present MAC address is "
                                                 "not its own (`ethtool -P %s` tells that one)",
                                                 card->name, card->name);
}

/* A card that has the address of @card, or NULL. */
static const struct tn_card *find_twin(const GPtrArray *cards, const struct tn_card *card)
{
        for (guint i = 0; i < cards->len; i++) {
                const struct tn_card *other = cards->pdata[i];

                if (other != card && card->address && g_strcmp0(other->address, card->address) == 0)
                        return other;
        }
        return NULL;
}

/* Two pins for one address would give both cards the first one's name. */
static void look_for_twins(const GPtrArray *cards)
{
        for (guint i = 0; i < cards->len; i++) {
                struct tn_card *card = cards->pdata[i];
                const struct tn_card *twin = find_twin(cards, card);

                if (!twin || card->pinned || card->obstacle)
                        continue;
                card->obstacle = g_strdup_printf("%s is not pinned to its name: %s has the same MAC "
                                                 "address %s",
                                                 card->name, twin->name, card->address);
        }
}

/* A pin hides every other .link file of the card: what the administrator has set there would be gone. */
static void look_for_links(const struct tn_env *env, const struct tn_netconf_list *list,
                           struct tn_card *card)
{
        const struct tn_netconf *pin = tn_netconf_find_pin(list, card->name);
        g_autofree char *link = NULL;

        if (!card->address)
                return;
        card->pinned = pin && g_strcmp0(pin->mac, card->address) == 0;
        link = card->pinned ? NULL : tn_netconf_find_link(env, card->name, card->address);
        if (link)
                card->obstacle = g_strdup_printf("%s is not pinned to its name: /%s may be for it, and of "
                                                 "all .link files that fit a card only the first one "
                                                 "counts; put MACAddress=%s and Name=%s into it, or into a "
                                                 "copy of it for this card",
                                                 card->name, link, card->address, card->name);
}

/* The pin of a card fits its parts, too, and whichever udev sees first gets the name. Only where the card
 * has it from the kernel before they come (eth0 of hv_netvsc) does it keep it. */
static void look_for_parts(const struct tn_env *env, char **names, const GPtrArray *cards)
{
        for (char **name = names; name && *name; name++) {
                g_autofree char *whole = is_card(env, *name) ? find_whole(env, *name) : NULL;
                struct tn_card *card = whole ? (struct tn_card *) tn_cards_get(cards, whole) : NULL;

                if (card && !card->pinned && !card->obstacle && !tn_cards_is_kernel_name(whole))
                        card->obstacle = g_strdup_printf("%s is not pinned to its name: %s, which is a part "
                                                         "of it, has the same MAC address, and either could "
                                                         "get the name",
                                                         whole, *name);
        }
}

GPtrArray *tn_cards_find(const struct tn_env *env, const struct tn_netconf_list *list)
{
        GPtrArray *cards = g_ptr_array_new_with_free_func(free_card);
        g_auto(GStrv) names = tn_env_list(env, "sys/class/net");

        for (char **name = names; name && *name; name++) {
                g_autofree char *whole = is_card(env, *name) ? find_whole(env, *name) : NULL;
                struct tn_card *card;

                if (whole || !is_card(env, *name))
                        continue;
                card = g_new0(struct tn_card, 1);
                card->name = g_strdup(*name);
                read_address(env, card);
                look_for_links(env, list, card);
                g_ptr_array_add(cards, card);
        }
        look_for_twins(cards);
        look_for_parts(env, names, cards);
        return cards;
}

const struct tn_card *tn_cards_get(const GPtrArray *cards, const char *name)
{
        for (guint i = 0; i < cards->len; i++)
                if (g_str_equal(((const struct tn_card *) cards->pdata[i])->name, name))
                        return cards->pdata[i];
        return NULL;
}

bool tn_cards_is_kernel_name(const char *name)
{
        return g_str_has_prefix(name, "eth") && g_ascii_isdigit(name[strlen("eth")]);
}
