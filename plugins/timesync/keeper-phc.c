/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The keeper's dealings with the hypervisor's PTP clock. The surprising thing: a clock that was dropped is
 * found again by itself, since whoever mends it tells nobody. */
#include "plugins/timesync/keeper-phc.h"

#include <string.h>

#include "lib/error.h"
#include "plugins/timesync/keeper-rtc.h"

#define PHC_PAUSE_NSEC (600 * TN_NSEC_PER_SEC) /* before a PTP clock is looked for again */

static int64_t raw_now(const struct tn_keeper *keeper)
{
        return keeper->world.clock->raw_nsec(keeper->world.clock->data);
}

bool tn_keeper_phc_jumped(const struct tn_keeper *keeper, const struct tn_sample *sample)
{
        return keeper->samples == 0 || keeper->contradicted ||
               llabs(sample->offset_nsec - keeper->sample.offset_nsec) > keeper->settings.step_nsec;
}

/* One that cannot be read, or shows nonsense, is left alone for a while. */
static void drop(struct tn_keeper *keeper, const char *problem)
{
        if (keeper->phc_bad != keeper->phc->kind)
                tn_keeper_tell(keeper, 4, "%s; it is tried again each ten minutes", problem);
        keeper->phc_bad = keeper->phc->kind;
        g_free(keeper->phc_problem);
        keeper->phc_problem = g_strdup(problem);
        keeper->phc_next_find = raw_now(keeper) + PHC_PAUSE_NSEC;
        tn_phc_free(keeper->phc);
        keeper->phc = NULL;
}

void tn_keeper_phc_find(struct tn_keeper *keeper)
{
        if (keeper->phc || raw_now(keeper) < keeper->phc_next_find)
                return;
        keeper->phc = tn_phc_find(keeper->world.env);
        keeper->phc_next_find = raw_now(keeper) + PHC_PAUSE_NSEC;
}

/* What is wrong with what the clock says, or NULL. */
static const char *find_nonsense(const struct tn_keeper *keeper, const struct tn_sample *sample)
{
        const struct tn_clock *clock = keeper->world.clock;

        if (tn_keeper_is_absurd((clock->realtime_nsec(clock->data) + sample->offset_nsec) / TN_NSEC_PER_SEC))
                return TN_KEEPER_ABSURD;
        if (g_str_equal(keeper->phc->kind->name, "vmclock") && keeper->vmclock.known &&
            keeper->vmclock.page.unreliable)
                return "is not to be relied on, says the hypervisor";
        return NULL;
}

bool tn_keeper_phc_measure(struct tn_keeper *keeper, struct tn_sample *ret)
{
        g_autoptr(GError) error = NULL;
        struct tn_sample sample;
        const char *nonsense;

        if (!keeper->phc)
                return false;
        if (!tn_phc_measure(keeper->phc, keeper->world.env, keeper->world.phc_ioctl, &sample, &error)) {
                drop(keeper, error->message);
                return false;
        }
        nonsense = find_nonsense(keeper, &sample);
        if (nonsense) {
                g_autofree char *problem = g_strdup_printf("the clock /dev/%s (%s) %s", keeper->phc->device,
                                                           keeper->phc->kind->name, nonsense);

                drop(keeper, problem);
                return false;
        }
        keeper->phc_bad = NULL;
        keeper->phc_sample = *ret = sample;
        return true;
}

bool tn_keeper_phc_agrees(struct tn_keeper *keeper, const struct tn_sample *host, GError **error)
{
        struct tn_sample precise;
        int64_t apart;

        if (!tn_keeper_phc_measure(keeper, &precise))
                return true;
        apart = host->offset_nsec - precise.offset_nsec;
        if (llabs(apart) <= keeper->settings.step_nsec + host->error_nsec + precise.error_nsec)
                return true;
        keeper->host_problem = g_strdup_printf("contradicts %s by %+.3f s", keeper->phc->kind->name,
                                               (double) apart / 1e9);
        return tn_error_set(error, TN_ERROR_DENIED,
                            "the host's offset %s, which is the better source; the clock was not changed",
                            keeper->host_problem);
}

void tn_keeper_read_vmclock(struct tn_keeper *keeper)
{
        enum tn_vmclock_news news;

        tn_vmclock_open(&keeper->vmclock, keeper->world.env);
        news = tn_vmclock_read(&keeper->vmclock);
        if (news == TN_VMCLOCK_NOTHING)
                return;
        keeper->disruptions++;
        tn_keeper_tell(keeper, 5, "the hypervisor tells (vmclock) that this machine was %s",
                       news == TN_VMCLOCK_RESTORED ? "restored from a snapshot" : "moved or interrupted");
        tn_keeper_doubt(keeper);
}
