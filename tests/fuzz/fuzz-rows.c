/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Rows of third parties in drivers.d: each is a row of the catalogue, or a mistake with a text for people.
 */
#include "lib/names.h"
#include "pvdrivers/rows.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);
        struct tn_rows rows;
        g_autoptr(tn_catalogue_t) catalogue = NULL;

        fuzz_root_put(TN_PATH_DRIVERS_D "/a.conf" + 1, data, size);
        tn_rows_read(fuzz_root(), &rows, mistakes);
        for (guint i = 0; i < rows.drivers->len; i++) {
                const struct tn_pv_driver *row = rows.drivers->pdata[i];

                g_assert_nonnull(row->module);
                g_assert_cmpuint(row->platforms, !=, 0);
                g_assert_cmpint(row->role, <, _TN_PV_ROLE_MAX);
        }
        tn_rows_clear(&rows);
        catalogue = tn_catalogue_new(fuzz_root(), NULL);
        (void) tn_catalogue_match(catalogue, "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00");
        return 0;
}
