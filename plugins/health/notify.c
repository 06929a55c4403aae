/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Messages of programs, which may send anything. */
#include "plugins/health/notify.h"

#include <glib.h>
#include <string.h>

#include "lib/names.h"

static bool take_flag(const char *value, bool *ret)
{
        *ret = g_str_equal(value, "1");
        return true;
}

static bool take_beat(struct health_notify *message, const char *value)
{
        message->beat = g_str_equal(value, "1");
        message->failed = g_str_equal(value, "trigger");
        return true;
}

static bool take_usec(struct health_notify *message, const char *value)
{
        guint64 usec;

        if (!g_ascii_string_to_unsigned(value, 10, 1, G_MAXINT64, &usec, NULL))
                return false;
        message->timeout_usec = usec;
        return true;
}

static bool take_ready(struct health_notify *message, const char *value)
{
        return take_flag(value, &message->ready);
}

static bool take_stopping(struct health_notify *message, const char *value)
{
        return take_flag(value, &message->stopping);
}

static bool take_required(struct health_notify *message, const char *value)
{
        return take_flag(value, &message->required);
}

/* One that is too long stays too long, so that it is refused, and with a reason. */
static bool take_name(struct health_notify *message, const char *value)
{
        g_strlcpy(message->name, value, sizeof message->name);
        return *value != '\0';
}

static bool take_unregister(struct health_notify *message, const char *value)
{
        message->unregister = true;
        return take_name(message, value);
}

static bool take_status(struct health_notify *message, const char *value)
{
        size_t len = MIN(strlen(value), HEALTH_STATUS_MAX);

        while (!g_utf8_validate(value, (gssize) len, NULL))
                len--; /* not in the middle of a character */
        memcpy(message->status, value, len);
        message->status[len] = '\0';
        return true;
}

static const struct {
        const char *key;
        bool (*take)(struct health_notify *message, const char *value);
} keys[] = {
        {"WATCHDOG", take_beat},
        {"WATCHDOG_USEC", take_usec},
        {"READY", take_ready},
        {"STOPPING", take_stopping},
        {"STATUS", take_status},
        {TN_BEAT_REGISTER, take_name},
        {TN_BEAT_UNREGISTER, take_unregister},
        {TN_BEAT_REQUIRED, take_required},
};

static bool take_line(struct health_notify *message, char *line)
{
        char *value = strchr(line, '=');

        if (!value)
                return false;
        *value++ = '\0';
        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
                if (g_str_equal(keys[i].key, line))
                        return keys[i].take(message, value);
        return true;
}

bool health_notify_parse(const char *text, size_t len, struct health_notify *ret)
{
        struct health_notify message = {0};
        g_auto(GStrv) lines = NULL;
        g_autofree char *copy = NULL;

        if (len > 0 && text[len - 1] == '\0') /* systemd permits one at the end, too */
                len--;
        if (len > HEALTH_NOTIFY_MAX || memchr(text, '\0', len) || !g_utf8_validate(text, (gssize) len, NULL))
                return false;
        copy = g_strndup(text, len);
        lines = g_strsplit(copy, "\n", -1);
        for (size_t i = 0; lines[i]; i++)
                if (*lines[i] && !take_line(&message, lines[i]))
                        return false;
        *ret = message;
        return true;
}
