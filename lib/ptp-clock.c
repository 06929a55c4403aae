/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table of PTP clocks that follow the host's. The surprising thing: a network card's own PTP clock is
 * none of them, for nobody says that it shows the time.
 */
#include "lib/ptp-clock.h"

/* Best first. */
static const struct tn_ptp_kind kinds[] = {
        {"KVM virtual PTP", "ptp_kvm", 1000, "a hypercall reads both clocks at the same tick"},
        {"vmclock*", "vmclock", 1000, "a page that the host updates; tells of live migrations too"},
        /* Type 1 is TAI, 37 seconds ahead, and 2 the host's uptime (include/uapi/linux/virtio_rtc.h). */
        {"Virtio PTP type 0/*", "virtio_rtc", 1000, "UTC; cross-timestamps by the counter"},
        {"Virtio PTP type 3/*", "virtio_rtc", 1000, "UTC with leap seconds smeared"},
        {"Virtio PTP type 4/*", "virtio_rtc", 1000, "UTC, perhaps smeared"},
        {"hyperv", "ptp_hyperv", 50000, "Hyper-V's time synchronisation samples"},
        {"ptp_vmw", "ptp_vmw", 50000, "VMware's precision clock; read only"},
        {"ena-ptp-*", "ena", 50000, "the clock of the AWS network card"},
        {"gve*", "gve", 50000, "the clock of the Google network card"},
};

static const struct tn_ptp_kind *find_kind(const char *clock_name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
                if (g_pattern_match_simple(kinds[i].clock_name, clock_name))
                        return &kinds[i];
        return NULL;
}

const struct tn_ptp_kind *tn_ptp_clock_find(const struct tn_env *env, char **ret_device)
{
        g_auto(GStrv) devices = tn_env_list(env, "sys/class/ptp");
        const struct tn_ptp_kind *best = NULL;
        const char *device = NULL;

        for (size_t i = 0; devices && devices[i]; i++) {
                g_autofree char *path = g_strdup_printf("sys/class/ptp/%s/clock_name", devices[i]);
                g_autofree char *name = tn_env_read_line(env, path);
                const struct tn_ptp_kind *kind = name ? find_kind(name) : NULL;

                if (kind && (!best || kind < best)) {
                        best = kind;
                        device = devices[i];
                }
        }
        if (best)
                *ret_device = g_strdup(device);
        return best;
}
