/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The dates are GLib's to parse; what is ours is the way to say "ago". */
#include "cli/since.h"

#include <string.h>

#include "lib/error.h"

static bool parse_ago(const char *text, int64_t *ret_seconds)
{
        static const struct {
                const char *name;
                int64_t seconds;
        } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
        size_t digits = strspn(text, "0123456789");
        g_autofree char *number = g_strndup(text, digits);
        guint64 n;

        if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT32, &n, NULL))
                return false;
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                if (g_str_equal(units[i].name, text + digits)) {
                        *ret_seconds = (int64_t) n * units[i].seconds;
                        return true;
                }
        return false;
}

/* GLib wants the time of day whole, and a T before it. */
static bool parse_date(const char *text, int64_t *ret_seconds)
{
        static const char usual[] = "0000-00-00T00:00:00";
        g_autofree char *whole = g_strdup(text);
        g_autoptr(GTimeZone) zone = g_time_zone_new_local();
        g_autoptr(GDateTime) date = NULL;
        size_t len = strlen(text);

        if (len > 10 && (whole[10] == ' ' || whole[10] == 'T'))
                whole[10] = 'T';
        if (len == 10 || len == 16) {
                char *longer = g_strconcat(whole, usual + len, NULL);

                g_free(whole);
                whole = longer;
        }
        date = g_date_time_new_from_iso8601(whole, zone);
        if (date)
                *ret_seconds = g_date_time_to_unix(date);
        return date != NULL;
}

bool tn_since_parse(const char *text, int64_t now, int64_t *ret_seconds, GError **error)
{
        gint64 seconds;

        if (*text == '@' && g_ascii_string_to_signed(text + 1, 10, 0, G_MAXINT64, &seconds, NULL))
                *ret_seconds = seconds;
        else if (parse_ago(text, &seconds))
                *ret_seconds = now - seconds;
        else if (parse_date(text, &seconds))
                *ret_seconds = seconds;
        else
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "'%s' is no time; write 10min, 2h or 1d for so long ago, "
                                    "2026-01-31 14:03 or @SECONDS since 1970",
                                    text);
        return true;
}
