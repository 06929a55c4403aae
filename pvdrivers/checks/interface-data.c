/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What programs are told of an interface: its address, where it is configured and named, and the pin. */
#include "pvdrivers/checks/interface-data.h"

#include <string.h>

#include "lib/json.h"
#include "pvdrivers/pin.h"
#include "pvdrivers/textfile.h"

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

/* Address of the card that has this name now, or that some file gives it. Free with g_free(). */
char *tn_interface_data_mac(const struct tn_interface_names *names, const char *interface)
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

static bool has_word(const char *text, const char *word)
{
        size_t len = strlen(word);

        for (const char *at = text; (at = strstr(at, word)); at += len)
                if ((at == text || !(g_ascii_isalnum(at[-1]) || at[-1] == '_')) &&
                    !(g_ascii_isalnum(at[len]) || at[len] == '_'))
                        return true;
        return false;
}

static json_t *named_in(const struct tn_interface_names *names, const char *interface)
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
static json_t *configured_in(const struct tn_interface_names *names, const char *interface)
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

/* The file that prepare would write, or null where it would write none. */
static json_t *pin_of(const struct tn_env *env, const char *interface, const char *mac)
{
        g_autofree char *path = NULL, *text = NULL;

        if (!tn_pin_make(env, interface, mac, &path, &text, NULL))
                return json_null();
        return json_pack("{s:o, s:o}", "path", tn_json_text(path), "text", tn_json_text(text));
}

void tn_interface_data_set(const struct tn_interface_names *names, struct tn_check *check,
                           const struct tn_netconf *item, const char *mac)
{
        json_t *data = json_pack("{s:o, s:o, s:o, s:o}", "interface", tn_json_text(item->interface), "mac",
                                 tn_json_text(mac), "configured-in", configured_in(names, item->interface),
                                 "named-in", named_in(names, item->interface));

        json_object_set_new(data, "pin",
                            mac && check->fixable ? pin_of(names->context->env, item->interface, mac)
                                                  : json_null());
        tn_check_set_data(check, data);
}
