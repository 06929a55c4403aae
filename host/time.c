/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host time: how far the guest's clock is from this host's, and, when asked, tells the guest. The
 * surprising thing: the host measures, for only it knows both ends of an exchange; of several exchanges the
 * fastest counts, since its error is bounded by half of its duration.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "host/exchange.h"
#include "host/host.h"
#include "host/print.h"
#include "host/trouble.h"

#define ROUNDS     8
#define ROUNDS_MAX 1000

struct measured {
        int64_t offset_nsec, error_nsec, epoch;
};

static int64_t now_nsec(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static bool one_round(struct tn_guest *guest, struct measured *ret, GError **error)
{
        json_auto_t *value = NULL;
        struct tn_exchange exchange = {.asked = now_nsec()};

        if (!tn_guest_ask(guest, "tenon-time-exchange", NULL, &value, error))
                return false;
        exchange.answered = now_nsec();
        exchange.received = json_integer_value(json_object_get(value, "received"));
        exchange.replied = json_integer_value(json_object_get(value, "replied"));
        ret->epoch = json_integer_value(json_object_get(value, "epoch"));
        if (tn_exchange_offset(&exchange, &ret->offset_nsec, &ret->error_nsec))
                return true;
        return tn_trouble_set(error, TN_TROUBLE_LINK,
                              "the guest's answer to tenon-time-exchange has no times");
}

/* A clock that is set in the middle makes earlier rounds worthless. */
static bool measure(struct tn_guest *guest, unsigned rounds, struct measured *ret, GError **error)
{
        struct measured best = {.error_nsec = -1}, this;

        for (unsigned i = 0; i < rounds; i++) {
                if (!one_round(guest, &this, error))
                        return false;
                if (best.error_nsec < 0 || this.epoch != best.epoch || this.error_nsec < best.error_nsec)
                        best = this;
        }
        *ret = best;
        return true;
}

static bool adjust(struct tn_guest *guest, const struct measured *measured, bool step, GError **error)
{
        json_t *args = json_pack("{s:I, s:I, s:I, s:b}", "offset", (json_int_t) measured->offset_nsec,
                                 "error", (json_int_t) measured->error_nsec, "epoch",
                                 (json_int_t) measured->epoch, "step", (int) step);
        json_auto_t *value = NULL;

        return tn_guest_ask(guest, "tenon-time-adjust", args, &value, error);
}

static void tell(const struct tn_host *host, const struct measured *measured, bool adjusted)
{
        json_auto_t *value = NULL;

        if (!host->json) {
                printf("The guest is %.6f s %s, ±%.6f s%s\n", fabs((double) measured->offset_nsec) / 1e9,
                       measured->offset_nsec < 0 ? "ahead" : "behind", (double) measured->error_nsec / 1e9,
                       adjusted ? "; it follows" : "");
                return;
        }
        value = json_pack("{s:I, s:I, s:b}", "offset", (json_int_t) measured->offset_nsec, "error",
                          (json_int_t) measured->error_nsec, "adjusted", (int) adjusted);
        tn_print_json_line(value);
}

static bool once(struct tn_host *host, struct tn_guest *guest, unsigned rounds, bool follow, bool step,
                 GError **error)
{
        struct measured measured;

        if (!measure(guest, rounds, &measured, error) || (follow && !adjust(guest, &measured, step, error)))
                return false;
        tell(host, &measured, follow);
        (void) fflush(stdout);
        return true;
}

int tn_host_time(struct tn_host *host, int argc, char **argv)
{
        gboolean set = FALSE;
        double every_s = 0;
        int rounds = ROUNDS;
        const GOptionEntry entries[] = {
                {"set", 0, 0, G_OPTION_ARG_NONE, &set, "The guest steps its clock to this host's", NULL},
                {"every", 'e', 0, G_OPTION_ARG_DOUBLE, &every_s,
                 "Again and again; the guest follows this host's clock smoothly", "SECONDS"},
                {"rounds", 'n', 0, G_OPTION_ARG_INT, &rounds, "Exchanges, of which the best counts (8)",
                 "N"},
                {NULL},
        };
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = NULL;
        unsigned every_ms = 0;

        if (!tn_host_parse(host, &argc, &argv, entries, 0, 0) ||
            (every_s != 0 && !tn_host_seconds(every_s, "--every", &every_ms)))
                return TN_TROUBLE_LOCAL;
        if (rounds < 1 || rounds > ROUNDS_MAX) {
                fprintf(stderr, "tenon-host: --rounds is a number from 1 to %d\n", ROUNDS_MAX);
                return TN_TROUBLE_LOCAL;
        }
        guest = tn_host_open(host, &error);
        while (guest && once(host, guest, (unsigned) rounds, set || every_ms, set, &error)) {
                if (!every_ms)
                        return 0;
                set = FALSE; /* once is enough; from then on it is kept */
                g_usleep(every_ms * 1000UL);
        }
        return tn_trouble_report(error);
}
