/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-timezone: abbreviation and offset of the machine's zone, now. /etc/localtime is looked at anew
 * for each call, because the guest may choose another zone while we run. The surprising thing is that
 * there are two ways: the running machine's zone comes from libc, since GLib 2.74 is two hours off in
 * Europe/Dublin, whose daylight saving is negative; a recorded machine's file cannot be given to libc
 * without changing TZ for the whole process, so GLib reads it, through a descriptor so that symbolic links
 * stay inside the recording.
 */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/json.h"
#include "plugins/guestinfo/guestinfo.h"

static json_t *describe(const char *zone, gint64 offset_seconds)
{
        json_t *reply = json_object();

        tn_json_set_text(reply, "zone", zone);
        (void) json_object_set_new(reply, "offset", json_integer(offset_seconds));
        return reply;
}

static json_t *describe_running(time_t now)
{
        struct tm local;

        tzset(); /* localtime_r() need not see that the file has changed */
        return localtime_r(&now, &local) ? describe(local.tm_zone, local.tm_gmtoff) : describe("UTC", 0);
}

/* GLib takes a file that is no zone file for a programming error. */
static bool is_zone_file(int fd)
{
        char header[44]; /* RFC 8536, 3.1 */

        return pread(fd, header, sizeof header, 0) == sizeof header && memcmp(header, "TZif", 4) == 0;
}

static json_t *describe_recorded(const struct tn_env *env, gint64 now)
{
        tn_autofd int fd = tn_env_open(env, "etc/localtime", O_RDONLY | O_NOCTTY | O_NONBLOCK, NULL);
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
        g_autoptr(GTimeZone) zone = is_zone_file(fd) ? g_time_zone_new_identifier(path) : NULL;
        gint interval;

        if (!zone) /* no file, or it is no zone: then the machine is on UTC, localtime(5) */
                return describe("UTC", 0);
        interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, now);
        return describe(g_time_zone_get_abbreviation(zone, interval),
                        g_time_zone_get_offset(zone, interval));
}

json_t *tn_timezone_run(struct tenon_host *host, json_t *args, GError **error)
{
        gint64 now = (gint64) (host->env->now_usec(host->env, CLOCK_REALTIME) / G_USEC_PER_SEC);

        (void) args;
        (void) error;
        return host->env->recorded ? describe_recorded(host->env, now) : describe_running((time_t) now);
}
