/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The arithmetic of tenon-host time, with guests that say what they like. */
#include "host/fake.h"

#include "host/exchange.h"

#define SEC INT64_C(1000000000)
#define NOW (INT64_C(1790000000) * SEC)

/* A guest that is @behind, a way there and back of @there and @back, and @inside it @stay. */
static struct tn_exchange made(int64_t behind, int64_t there, int64_t stay, int64_t back)
{
        return (struct tn_exchange){.asked = NOW,
                                    .received = NOW + there - behind,
                                    .replied = NOW + there + stay - behind,
                                    .answered = NOW + there + stay + back};
}

static void test_truth_is_within_the_bound(void **state)
{
        static const int64_t behinds[] = {0, 1, -1, 77 * SEC, -3600 * SEC, 365 * 86400 * SEC};
        static const int64_t ways[] = {0, 1, 100000, 3000001, SEC};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(behinds); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(ways); j++)
                        for (size_t k = 0; k < G_N_ELEMENTS(ways); k++) {
                                struct tn_exchange exchange = made(behinds[i], ways[j], 12345, ways[k]);
                                int64_t offset, error;

                                assert_true(tn_exchange_offset(&exchange, &offset, &error));
                                assert_true(llabs(offset - behinds[i]) <= error);
                                assert_true(error <=
                                            (ways[j] + ways[k]) / 2 + 2); /* no wider than it must */
                        }
}

static void test_equal_ways_are_exact(void **state)
{
        struct tn_exchange exchange = made(5 * SEC, 250000, 40000, 250000);
        int64_t offset, error;

        (void) state;
        assert_true(tn_exchange_offset(&exchange, &offset, &error));
        assert_true(offset == 5 * SEC);
        assert_in_range(error, 250000, 250002);
}

static void test_lies_are_refused(void **state)
{
        static const struct tn_exchange rows[] = {
                {NOW, -1, NOW, NOW + SEC},              /* before 1970 */
                {NOW, NOW, INT64_MIN, NOW + SEC},       /* no time at all */
                {NOW, INT64_MAX, INT64_MAX, NOW + SEC}, /* after 2200 */
                {NOW, INT64_C(7258118400) * SEC, INT64_C(7258118400) * SEC, NOW + SEC},
                {NOW, NOW + 2, NOW + 1, NOW + SEC},     /* replied before it received */
                {NOW, NOW, NOW + 2 * SEC, NOW + SEC},   /* longer inside than the whole took */
                {NOW + SEC, NOW, NOW, NOW},             /* our own clock was set in between */
                {NOW, INT64_MIN, INT64_MAX, NOW + SEC}, /* a difference that does not fit */
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                int64_t offset = 77, error = 78;

                if (tn_exchange_offset(&rows[i], &offset, &error))
                        fail_msg("row %zu was believed", i);
                assert_int_equal(offset, 77);
                assert_int_equal(error, 78);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_truth_is_within_the_bound),
                cmocka_unit_test(test_equal_ways_are_exact),
                cmocka_unit_test(test_lies_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
