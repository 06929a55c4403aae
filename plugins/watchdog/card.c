/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The ioctls. Each answer of a driver is checked: many take a timeout and make another one of it. */
#include "plugins/watchdog/card.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"

#define MAGIC "V"

static int real_control(int fd, unsigned long request, void *argument)
{
        return ioctl(fd, request, argument);
}

void watchdog_card_init(struct watchdog_card *card)
{
        *card = (struct watchdog_card){.fd = -1, .control = real_control};
}

static void forget(struct watchdog_card *card)
{
        tn_fd_close(&card->fd);
        g_clear_pointer(&card->name, g_free);
        g_clear_pointer(&card->identity, g_free);
        card->options = 0;
        card->timeout = card->pretimeout = 0;
}

static bool read_support(struct watchdog_card *card, GError **error)
{
        struct watchdog_info info = {0};
        int seconds;

        if (card->control(card->fd, WDIOC_GETSUPPORT, &info) < 0)
                return tn_error_errno(error, errno, "/dev/%s: ask what it is", card->name);
        card->options = info.options;
        card->identity = g_strndup((const char *) info.identity, sizeof info.identity);
        if (card->control(card->fd, WDIOC_GETTIMEOUT, &seconds) == 0 && seconds > 0)
                card->timeout = (unsigned) seconds;
        if (card->control(card->fd, WDIOC_GETPRETIMEOUT, &seconds) == 0 && seconds > 0)
                card->pretimeout = (unsigned) seconds;
        return true;
}

bool watchdog_card_open(struct watchdog_card *card, const struct tn_env *env, const char *name,
                        GError **error)
{
        g_autofree char *path = g_strdup_printf("dev/%s", name);
        g_autoptr(GError) local = NULL;
        int fd = tn_env_open(env, path, O_WRONLY, &local);

        if (fd < 0) {
                g_propagate_error(error, g_steal_pointer(&local));
                return false;
        }
        card->fd = fd;
        card->name = g_strdup(name);
        if (read_support(card, error))
                return true;
        (void) watchdog_card_disarm(card);
        return false;
}

bool watchdog_card_adopt(struct watchdog_card *card, int fd, const char *name, GError **error)
{
        card->fd = fd;
        card->name = g_strdup(name);
        (void) watchdog_card_resume(card, NULL); /* it may have been stopped for a sleep */
        if (watchdog_card_ping(card, error) && read_support(card, error))
                return true;
        watchdog_card_leave(card);
        return false;
}

bool watchdog_card_ping(struct watchdog_card *card, GError **error)
{
        /* A write feeds every driver, the ioctl only most. It must not hold the magic character. */
        if (write(card->fd, "", 1) == 1)
                return true;
        return tn_error_errno(error, errno, "feed /dev/%s", card->name);
}

bool watchdog_card_set_timeout(struct watchdog_card *card, unsigned seconds, GError **error)
{
        int value = (int) seconds;

        if (card->timeout == seconds)
                return true;
        if (!(card->options & WDIOF_SETTIMEOUT))
                return tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "timeout-seconds=%u in [watchdog]: %s has a fixed timeout of %u seconds",
                                    seconds, card->identity, card->timeout);
        if (card->control(card->fd, WDIOC_SETTIMEOUT, &value) < 0)
                return tn_error_errno(error, errno, "timeout-seconds=%u in [watchdog]: %s does not take it",
                                      seconds, card->identity);
        card->timeout = (unsigned) MAX(value, 1);
        return true;
}

bool watchdog_card_set_pretimeout(struct watchdog_card *card, unsigned seconds, GError **error)
{
        int value = (int) seconds;

        if (card->pretimeout == seconds)
                return true;
        if (seconds >= card->timeout)
                return tn_error_set(
                        error, TN_ERROR_INVALID,
                        "pretimeout-seconds=%u in [watchdog] must be less than the timeout of %u seconds",
                        seconds, card->timeout);
        /* Its options do not tell: the kernel can count for a driver that has none of its own
         * (CONFIG_WATCHDOG_HRTIMER_PRETIMEOUT), and takes it then. */
        if (card->control(card->fd, WDIOC_SETPRETIMEOUT, &value) < 0)
                return errno == EOPNOTSUPP || errno == ENOTTY
                               ? tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                              "pretimeout-seconds=%u in [watchdog]: %s has no pretimeout",
                                              seconds, card->identity)
                               : tn_error_errno(error, errno,
                                                "pretimeout-seconds=%u in [watchdog]: %s does not take it",
                                                seconds, card->identity);
        card->pretimeout = (unsigned) MAX(value, 0);
        return true;
}

static bool set_option(struct watchdog_card *card, int option, const char *what, GError **error)
{
        if (card->control(card->fd, WDIOC_SETOPTIONS, &option) == 0)
                return true;
        return tn_error_errno(error, errno, "%s /dev/%s", what, card->name);
}

bool watchdog_card_pause(struct watchdog_card *card, GError **error)
{
        return set_option(card, WDIOS_DISABLECARD, "stop", error);
}

bool watchdog_card_resume(struct watchdog_card *card, GError **error)
{
        int seconds = (int) card->timeout;

        if (!set_option(card, WDIOS_ENABLECARD, "start", error))
                return false;
        /* A device may have lost its registers in the sleep: an i6300esb of QEMU does. */
        if (seconds > 0 && (card->options & WDIOF_SETTIMEOUT) &&
            card->control(card->fd, WDIOC_SETTIMEOUT, &seconds) < 0)
                return tn_error_errno(error, errno, "/dev/%s: set its timeout again", card->name);
        return watchdog_card_ping(card, error);
}

bool watchdog_card_disarm(struct watchdog_card *card)
{
        bool written = write(card->fd, MAGIC, 1) == 1;
        int option = WDIOS_DISABLECARD;
        /* Copies of the descriptor keep it open for a moment longer, so it is stopped directly, too. A
         * driver that does not know this ioctl is stopped by the close; one of nowayout answers EBUSY. */
        bool refused = card->control(card->fd, WDIOC_SETOPTIONS, &option) < 0 && errno == EBUSY;

        forget(card);
        return written && !refused;
}

void watchdog_card_leave(struct watchdog_card *card)
{
        forget(card);
}
