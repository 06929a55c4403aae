/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * NVMe base specification, "SMART / Health Information (02h)". The page is little-endian and its counters
 * have 128 bits, which JSON numbers have not: each is told as two halves. The temperature is told in the
 * drive's own unit, kelvin, for that is what the peer does.
 */
#include "plugins/guestinfo/nvme.h"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/fd.h"
#include "lib/json.h"
#include "plugins/guestinfo/guestinfo.h"

#define GET_LOG_PAGE   0x02
#define HEALTH_PAGE    0x02
#define ALL_NAMESPACES 0xFFFFFFFFU
#define TIMEOUT_MS     1500 /* the kernel then aborts the command */

static const struct {
        const char *name; /* without "-lo" and "-hi" when it has 16 bytes */
        guint offset, size;
} fields[] = {
        {"critical-warning", 0, 1},
        {"temperature", 1, 2},
        {"available-spare", 3, 1},
        {"available-spare-threshold", 4, 1},
        {"percentage-used", 5, 1},
        {"data-units-read", 32, 16},
        {"data-units-written", 48, 16},
        {"host-read-commands", 64, 16},
        {"host-write-commands", 80, 16},
        {"controller-busy-time", 96, 16},
        {"power-cycles", 112, 16},
        {"power-on-hours", 128, 16},
        {"unsafe-shutdowns", 144, 16},
        {"media-errors", 160, 16},
        {"number-of-error-log-entries", 176, 16},
};

static guint64 number(const guint8 *bytes, guint size)
{
        guint64 value = 0;

        for (guint i = size; i-- > 0;)
                value = value << 8 | bytes[i];
        return value;
}

static void set_half(json_t *object, const char *name, const char *half, const guint8 *bytes)
{
        g_autofree char *key = g_strconcat(name, half, NULL);

        (void) json_object_set_new(object, key, tn_guestinfo_uint(number(bytes, 8)));
}

json_t *tn_nvme_smart_json(const guint8 page[TN_NVME_PAGE_BYTES])
{
        json_t *smart = json_object();

        tn_json_set_text(smart, "type", "nvme");
        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
                const guint8 *bytes = page + fields[i].offset;

                if (fields[i].size < 16) {
                        (void) json_object_set_new(smart, fields[i].name,
                                                   tn_guestinfo_uint(number(bytes, fields[i].size)));
                } else {
                        set_half(smart, fields[i].name, "-lo", bytes);
                        set_half(smart, fields[i].name, "-hi", bytes + 8);
                }
        }
        return smart;
}

bool tn_nvme_read_page(const struct tn_env *env, const char *name, guint8 ret_page[TN_NVME_PAGE_BYTES])
{
        g_autofree char *path = g_strconcat("dev/", name, NULL);
        tn_autofd int fd = tn_env_open(env, path, O_RDONLY, NULL);
        guint8 page[TN_NVME_PAGE_BYTES] = {0};
        struct nvme_admin_cmd command = {
                .opcode = GET_LOG_PAGE,
                .nsid = ALL_NAMESPACES,
                .addr = (guint64) (uintptr_t) page,
                .data_len = sizeof page,
                .cdw10 = HEALTH_PAGE | (sizeof page / 4 - 1) << 16,
                .timeout_ms = TIMEOUT_MS,
        };

        if (fd < 0 || ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command) != 0)
                return false;
        memcpy(ret_page, page, sizeof page);
        return true;
}
