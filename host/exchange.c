/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the guest says is not trusted: it may be any number, so differences are checked before they are
 * taken. */
#include "host/exchange.h"

#include <glib.h>

#define YEAR_2200 (INT64_C(7258118400) * 1000000000)

static bool is_a_time(int64_t nsec)
{
        return nsec >= 0 && nsec < YEAR_2200;
}

bool tn_exchange_offset(const struct tn_exchange *exchange, int64_t *ret_offset, int64_t *ret_error)
{
        int64_t round, inside;

        if (!is_a_time(exchange->asked) || !is_a_time(exchange->received) || !is_a_time(exchange->replied) ||
            !is_a_time(exchange->answered))
                return false;
        round = exchange->answered - exchange->asked;
        inside = exchange->replied - exchange->received;
        if (round < 0 || inside < 0 || inside > round)
                return false;
        *ret_offset = exchange->asked + round / 2 - (exchange->received + inside / 2);
        *ret_error = (round - inside + 1) / 2 + 1;
        return true;
}
