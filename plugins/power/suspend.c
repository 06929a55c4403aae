/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-suspend-ram, -disk and -hybrid: whether the kernel can at all, then the same steps as for going down
 * (request.c). Success is not answered: the host sees the guest asleep.
 */
#include "lib/env.h"
#include "lib/error.h"
#include "plugins/power/power.h"

struct power_suspend {
        struct tenon_host *host;
        struct tenon_call *call; /* NULL: nothing under way */
        struct power_request *request;
        guint forget_source;
};

static const struct power_mode ram = {
        .name = "suspend",
        .logind_method = "Suspend",
        .target = "suspend.target",
        .logind_check = "CanSuspend",
        .sleep = "mem",
};
static const struct power_mode disk = {
        .name = "hibernate",
        .logind_method = "Hibernate",
        .target = "hibernate.target",
        .logind_check = "CanHibernate",
        .sleep = "disk",
};
static const struct power_mode hybrid = {
        .name = "hybrid-sleep",
        .logind_method = "HybridSleep",
        .target = "hybrid-sleep.target",
        .logind_check = "CanHybridSleep",
        .sleep = "hybrid",
};

struct power_suspend *power_suspend_new(struct tenon_host *host)
{
        struct power_suspend *suspend = g_new0(struct power_suspend, 1);

        suspend->host = host;
        return suspend;
}

static void forget(struct power_suspend *suspend)
{
        g_clear_handle_id(&suspend->forget_source, g_source_remove);
        g_clear_pointer(&suspend->request, power_request_free);
        suspend->call = NULL;
}

void power_suspend_free(struct power_suspend *suspend)
{
        if (!suspend)
                return;
        if (suspend->call)
                suspend->host->fail(suspend->call,
                                    g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
        forget(suspend);
        g_free(suspend);
}

/* Whether one of the words in a file of the kernel's is @word; the one in use stands in brackets. */
static bool has_word(const struct tn_env *env, const char *path, const char *word)
{
        g_autofree char *line = tn_env_read_line(env, path);
        g_auto(GStrv) words = line ? g_strsplit_set(line, " []", -1) : NULL;

        return words && g_strv_contains((const char *const *) words, word);
}

static bool kernel_can(const struct tn_env *env, const struct power_mode *mode)
{
        if (mode == &ram)
                return has_word(env, "sys/power/state", "mem");
        return has_word(env, "sys/power/state", "disk") &&
               (mode != &hybrid || has_word(env, "sys/power/disk", "suspend"));
}

static gboolean on_forget(void *data)
{
        struct power_suspend *suspend = data;

        suspend->forget_source = 0;
        forget(suspend);
        return G_SOURCE_REMOVE;
}

static void on_requested(bool ok, const char *how, const GError *error, void *data)
{
        struct power_suspend *suspend = data;
        struct tenon_host *host = suspend->host;

        if (ok) {
                host->log(host, 5, "sleep asked for by the host and accepted by %s", how);
                host->reply(suspend->call, NULL);
        } else {
                host->log(host, 4, "%s", error->message);
                host->fail(suspend->call, g_error_copy(error));
        }
        suspend->call = NULL;
        /* The request is still on the stack above us. */
        suspend->forget_source = g_idle_add(on_forget, suspend);
}

static void start(struct tenon_host *host, struct tenon_call *call, const struct power_mode *mode)
{
        struct power_suspend *suspend = power_get_suspend(host);

        if (suspend->call) {
                host->fail(call,
                           g_error_new(TN_ERROR, TN_ERROR_BUSY, "going to sleep is already under way"));
                return;
        }
        if (!kernel_can(host->env, mode)) {
                host->fail(call, g_error_new(TN_ERROR, TN_ERROR_UNSUPPORTED,
                                             POWER_SLEEP_UNSUPPORTED " (its kernel cannot %s)", mode->name));
                return;
        }
        forget(suspend);
        suspend->call = call;
        suspend->request = power_request_start(host, mode, on_requested, suspend);
}

void power_suspend_start_ram(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        (void) args;
        start(host, call, &ram);
}

void power_suspend_start_disk(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        (void) args;
        start(host, call, &disk);
}

void power_suspend_start_hybrid(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        (void) args;
        start(host, call, &hybrid);
}
