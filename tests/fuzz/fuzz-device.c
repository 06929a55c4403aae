/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Bytes of devices and the kernel about them: an NVMe health page, a LUKS2 header, a PE program, rtnetlink's
 * messages, routing tables, a path in sysfs. */
#include <jansson.h>
#include <string.h>

#include "plugins/guestinfo/disk-address.h"
#include "plugins/guestinfo/nvme.h"
#include "plugins/guestinfo/routes.h"
#include "plugins/guestinfo/rtnetlink.h"
#include "pvdrivers/luks.h"
#include "pvdrivers/pe.h"
#include "tests/fuzz/fuzz.h"

static void check_page(const uint8_t *data, size_t size)
{
        guint8 page[TN_NVME_PAGE_BYTES] = {0};
        json_t *health;

        memcpy(page, data, MIN(size, sizeof page));
        health = tn_nvme_smart_json(page);
        g_assert_true(json_is_object(health));
        json_decref(health);
}

static void check_messages(const uint8_t *data, size_t size)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();
        g_autoptr(GError) error = NULL;
        enum tn_dump state;
        json_t *list;

        g_assert_true(tn_rtnetlink_parse(interfaces, data, size, &state, &error) == (error == NULL));
        list = tn_interfaces_json(interfaces, true);
        g_assert_true(json_is_array(list));
        json_decref(list);
}

static void check_text(const char *text)
{
        json_t *routes = json_array(), *address;
        struct tn_disk_path path;

        tn_routes_parse_ipv4(text, routes);
        tn_routes_parse_ipv6(text, routes);
        json_decref(routes);
        tn_disk_address_init(&path, text);
        tn_disk_address_finish(&path, "ahci", 1);
        address = tn_disk_address_json(&path.address, text, NULL);
        g_assert_true(json_is_object(address));
        json_decref(address);
        tn_disk_address_deinit(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *text = g_strndup((const char *) data, size);
        struct tn_pe_section section;
        struct tn_luks luks;

        check_page(data, size);
        check_messages(data, size);
        check_text(text);
        if (tn_luks_parse(data, size, &luks)) {
                g_assert_cmpuint(luks.bound, <=, luks.keyslots);
                tn_luks_clear(&luks);
        }
        if (tn_pe_find_section(data, MIN(size, TN_PE_HEAD_MAX), ".initrd", &section))
                g_assert_true(tn_pe_check(data, MIN(size, TN_PE_HEAD_MAX)));
        return 0;
}
