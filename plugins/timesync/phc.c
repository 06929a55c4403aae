/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The three ways to compare a PTP clock with the system clock. The surprising thing: a descriptor opened for
 * reading is enough for all of them, and needs no capability.
 */
#include "plugins/timesync/phc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/error.h"
#include "lib/fd.h"

#define SAMPLES 5 /* of each series; the one with the smallest window counts */

struct tn_phc *tn_phc_find(const struct tn_env *env)
{
        char *device;
        const struct tn_ptp_kind *kind = tn_ptp_clock_find(env, &device);
        struct tn_phc *phc;

        if (!kind)
                return NULL;
        phc = g_new0(struct tn_phc, 1);
        *phc = (struct tn_phc){.kind = kind, .device = device, .fd = -1};
        return phc;
}

void tn_phc_free(struct tn_phc *phc)
{
        if (!phc)
                return;
        tn_fd_close(&phc->fd);
        g_free(phc->device);
        g_free(phc);
}

static int64_t nsec_of(const struct ptp_clock_time *time)
{
        return time->sec * TN_NSEC_PER_SEC + time->nsec;
}

static void use_window(struct tn_sample *sample, int64_t before, int64_t clock, int64_t after)
{
        int64_t error = (after - before + 1) / 2;

        if (after < before || (sample->error_nsec >= 0 && error >= sample->error_nsec))
                return;
        sample->offset_nsec = clock - (before + (after - before) / 2);
        sample->error_nsec = error;
}

static int measure_precise(int fd, tn_phc_ioctl request, struct tn_sample *ret)
{
        struct ptp_sys_offset_precise both;

        memset(&both, 0, sizeof both);
        if (request(fd, PTP_SYS_OFFSET_PRECISE2, &both) < 0)
                return -1;
        use_window(ret, nsec_of(&both.sys_realtime), nsec_of(&both.device), nsec_of(&both.sys_realtime));
        return 0;
}

static int measure_extended(int fd, tn_phc_ioctl request, struct tn_sample *ret)
{
        struct ptp_sys_offset_extended series;

        memset(&series, 0, sizeof series);
        series.n_samples = SAMPLES;
        if (request(fd, PTP_SYS_OFFSET_EXTENDED2, &series) < 0)
                return -1;
        for (unsigned i = 0; i < SAMPLES; i++)
                use_window(ret, nsec_of(&series.ts[i][0]), nsec_of(&series.ts[i][1]),
                           nsec_of(&series.ts[i][2]));
        return 0;
}

static int measure_plain(int fd, tn_phc_ioctl request, struct tn_sample *ret)
{
        struct ptp_sys_offset series;

        memset(&series, 0, sizeof series);
        series.n_samples = SAMPLES;
        if (request(fd, PTP_SYS_OFFSET2, &series) < 0)
                return -1;
        for (unsigned i = 0; i < SAMPLES; i++)
                use_window(ret, nsec_of(&series.ts[2 * i]), nsec_of(&series.ts[2 * i + 1]),
                           nsec_of(&series.ts[2 * i + 2]));
        return 0;
}

static bool open_clock(struct tn_phc *phc, const struct tn_env *env, GError **error)
{
        g_autofree char *path = g_strdup_printf("dev/%s", phc->device);

        if (phc->fd < 0)
                phc->fd = tn_env_open(env, path, O_RDONLY, error);
        return phc->fd >= 0;
}

bool tn_phc_measure(struct tn_phc *phc, const struct tn_env *env, tn_phc_ioctl request,
                    struct tn_sample *ret, GError **error)
{
        struct tn_sample sample = {.error_nsec = -1};

        if (!open_clock(phc, env, error))
                return false;
        if (measure_precise(phc->fd, request, &sample) < 0 &&
            measure_extended(phc->fd, request, &sample) < 0 && measure_plain(phc->fd, request, &sample) < 0)
                return tn_error_errno(error, errno, "read the clock /dev/%s (%s)", phc->device,
                                      phc->kind->name);
        if (sample.error_nsec < 0)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "the clock /dev/%s (%s) gave times that run backward", phc->device,
                                    phc->kind->name);
        sample.error_nsec += phc->kind->error_nsec;
        sample.at_nsec = (int64_t) env->now_usec(env, CLOCK_MONOTONIC_RAW) * TN_NSEC_PER_USEC;
        *ret = sample;
        return true;
}
