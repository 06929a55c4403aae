/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Tables by libsmartcols. Running out of memory ends the program, as GLib does. */
#include "cli/table.h"

#include <glib.h>
#include <libsmartcols.h>

#include "cli/screen.h"

struct libscols_table *tn_table_new(const char *const *headers)
{
        struct libscols_table *table = scols_new_table();

        if (!table)
                g_error("out of memory");
        scols_table_enable_noencoding(table, TRUE); /* cells are escaped here, as all other text is */
        for (; *headers; headers++)
                if (!scols_table_new_column(table, *headers, 0, headers[1] ? 0 : SCOLS_FL_WRAP))
                        g_error("out of memory");
        return table;
}

void tn_table_add(struct libscols_table *table, const char *const *cells)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);

        for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
                g_autofree char *clean = tn_screen_escape(cells[i] ? cells[i] : "");

                if (!line || scols_line_set_data(line, i, clean) != 0)
                        g_error("out of memory");
        }
}

void tn_table_print(struct libscols_table *table)
{
        scols_print_table(table);
        scols_unref_table(table);
}
