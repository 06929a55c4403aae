/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The keeper's world is real here. The surprising thing: the hardware clock is read from sysfs, not from
 * /dev/rtc0, which only one process may have open.
 */
#include "plugins/timesync/keeping.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "lib/error.h"
#include "lib/outside.h"
#include "plugins/timesync/generation.h"
#include "plugins/timesync/jump.h"
#include "plugins/timesync/rtc.h"

#define ASK_MS     20000
#define MEASURE_MS 10000 /* chrony's burst takes two seconds for each measurement */

struct tn_keeping {
        struct tenon_host *host;
        struct tn_keeper keeper;
        struct tn_outside *outside;
        struct tn_jump *jump;             /* NULL: not seen */
        struct tn_generation *generation; /* NULL: the kernel's events cannot be had */
        guint vmclock;                    /* source of its notifications; 0: they are not heard */
        bool vmclock_mute;                /* the kernel cannot wait for them */
        char *rtc;                        /* sysfs path of the seconds that it shows; NULL: there is none */
        bool rtc_local;
        guint timer;
        guint step_timer;                   /* the owner has been asked to measure */
        const struct tn_clock_owner *asked; /* static */
        json_t *summary;                    /* as it was last told */
};

static void schedule(struct tn_keeping *keeping, int64_t next_nsec);
static gboolean on_timer(void *data);

/* The hardware clock that the kernel sets its own from, else the first. */
static char *find_rtc(const struct tn_env *env)
{
        g_auto(GStrv) devices = tn_env_list(env, "sys/class/rtc");
        const char *found = NULL;

        for (size_t i = 0; devices && devices[i]; i++) {
                g_autofree char *path = g_strdup_printf("sys/class/rtc/%s/hctosys", devices[i]);
                int64_t used = 0;

                if (!found || (tn_env_read_int64(env, path, &used) && used == 1))
                        found = devices[i];
                if (used == 1)
                        break;
        }
        return found ? g_strdup_printf("sys/class/rtc/%s/since_epoch", found) : NULL;
}

static bool read_rtc(void *data, int64_t *ret_seconds)
{
        struct tn_keeping *keeping = data;
        int64_t seconds;

        if (!keeping->rtc || !tn_env_read_int64(keeping->host->env, keeping->rtc, &seconds))
                return false;
        *ret_seconds = keeping->rtc_local ? tn_rtc_local_to_utc(seconds) : seconds;
        return true;
}

static int phc_ioctl(int fd, unsigned long request, void *argument)
{
        return ioctl(fd, request, argument);
}

static void on_asked(const struct tn_child_result *result, const GError *error, void *data)
{
        struct tn_keeping *keeping = data;
        g_autofree char *how = result ? tn_child_describe(result) : NULL;

        if (error || result->exit_status != 0)
                keeping->host->log(keeping->host, 4, "asking the time daemon to step the clock: %s",
                                   error ? error->message : how);
}

static gboolean ask_to_step(void *data)
{
        struct tn_keeping *keeping = data;
        const struct tn_clock_owner *owner = keeping->asked;
        const char *const restart[] = {"/usr/bin/systemctl", "--no-block", "try-restart", owner->unit, NULL};

        keeping->step_timer = 0;
        if (!owner->step_argv && !owner->unit)
                keeping->host->log(keeping->host, 4,
                                   "%s has no unit, so it cannot be asked to step the clock", owner->name);
        else
                tn_outside_run(keeping->outside, owner->step_argv ? owner->step_argv : restart, NULL, 0,
                               ASK_MS, on_asked, keeping);
        return G_SOURCE_REMOVE;
}

/* A second jump, while it still measures because of the first, is in what it measures. */
static void ask_owner(void *data, const struct tn_clock_owner *owner)
{
        struct tn_keeping *keeping = data;

        if (keeping->step_timer)
                return;
        keeping->asked = owner;
        if (!owner->measure_argv) {
                (void) ask_to_step(keeping);
                return;
        }
        tn_outside_run(keeping->outside, owner->measure_argv, NULL, 0, ASK_MS, on_asked, keeping);
        keeping->step_timer = g_timeout_add(MEASURE_MS, ask_to_step, keeping);
}

static void tell(void *data, int level, const char *text)
{
        struct tn_keeping *keeping = data;

        keeping->host->log(keeping->host, level, "%s", text);
}

static void publish(struct tn_keeping *keeping)
{
        json_t *summary = tn_keeper_summary(&keeping->keeper);

        if (keeping->summary && json_equal(summary, keeping->summary)) {
                json_decref(summary);
                return;
        }
        json_decref(keeping->summary);
        keeping->summary = summary;
        keeping->host->fact_set(keeping->host, "time-sync", json_deep_copy(summary));
}

static void look_now(struct tn_keeping *keeping)
{
        if (keeping->timer) {
                g_source_remove(keeping->timer);
                keeping->timer = g_timeout_add(0, on_timer, keeping);
        }
}

/* The surprising thing: a kernel whose driver cannot wait for a change says at all times that there is one.
 */
static gboolean on_vmclock(int fd, GIOCondition condition, void *data)
{
        struct tn_keeping *keeping = data;
        struct tn_keeper *keeper = &keeping->keeper;
        uint32_t before = keeper->vmclock.page.seq;
        uint64_t disruptions = keeper->disruptions;

        (void) fd;
        tn_keeper_read_vmclock(keeper);
        if ((condition & (G_IO_HUP | G_IO_ERR)) || keeper->vmclock.page.seq == before) {
                keeping->vmclock_mute = true;
                keeping->vmclock = 0;
                return G_SOURCE_REMOVE;
        }
        if (keeper->disruptions != disruptions)
                look_now(keeping);
        return G_SOURCE_CONTINUE;
}

static void watch_vmclock(struct tn_keeping *keeping)
{
        const struct tn_vmclock *vmclock = &keeping->keeper.vmclock;

        if (!keeping->vmclock && !keeping->vmclock_mute && vmclock->known && vmclock->page.notifies)
                keeping->vmclock = g_unix_fd_add(vmclock->fd, G_IO_IN, on_vmclock, keeping);
}

static gboolean on_timer(void *data)
{
        struct tn_keeping *keeping = data;
        int64_t next = tn_keeper_tick(&keeping->keeper);

        keeping->timer = 0;
        watch_vmclock(keeping);
        publish(keeping);
        schedule(keeping, next);
        return G_SOURCE_REMOVE;
}

/* Rounded up: a look that comes too early is wasted. */
static void schedule(struct tn_keeping *keeping, int64_t next_nsec)
{
        const struct tn_clock *clock = keeping->keeper.world.clock;
        int64_t left = next_nsec - clock->raw_nsec(clock->data);

        if (next_nsec > 0)
                keeping->timer = g_timeout_add((guint) (MAX(left, 0) / TN_NSEC_PER_MSEC + 1), on_timer,
                                               keeping);
}

static int64_t number(struct tenon_host *host, const char *key, int64_t fallback)
{
        const char *text = host->config(host, "timesync", key);

        return text ? g_ascii_strtoll(text, NULL, 10) : fallback;
}

static bool read_settings(struct tenon_host *host, struct tn_keeper_settings *ret, GError **error)
{
        const char *mode = host->config(host, "timesync", "mode");

        ret->mode = TN_KEEPER_AUTO;
        if (mode && !tn_keeper_mode_parse(mode, &ret->mode))
                return tn_error_set(error, TN_ERROR_INVALID, "[timesync] mode=%s is no mode", mode);
        ret->step_nsec = number(host, "step-threshold-ms", 100) * TN_NSEC_PER_MSEC;
        ret->host_limit_nsec = number(host, "host-limit-ms", 1000) * TN_NSEC_PER_MSEC;
        ret->interval_s = (unsigned) number(host, "interval-s", 10);
        ret->backward = g_strcmp0(host->config(host, "timesync", "backward-steps"), "yes") == 0;
        return true;
}

static void on_generation(void *data)
{
        struct tn_keeping *keeping = data;

        keeping->host->log(keeping->host, 5,
                           "the hypervisor tells that this machine was restored or cloned");
        tn_keeper_doubt(&keeping->keeper);
        look_now(keeping);
}

/* The kernel tells the same after a sleep of the machine: then, too, a look at once is worth it. */
static void on_jump(int64_t distance_usec, const struct tn_jump_pair *now, void *data)
{
        struct tn_keeping *keeping = data;
        struct tenon_host *host = keeping->host;

        look_now(keeping);
        if (distance_usec == 0)
                return;
        host->log(host, 6, "the clock was set %s by %.3f s", distance_usec < 0 ? "back" : "forward",
                  (double) ABS(distance_usec) / G_USEC_PER_SEC);
        host->fact_set(host, "time-jump",
                       json_pack("{s:I, s:I, s:I}", "distance-usec", (json_int_t) distance_usec,
                                 "realtime-usec", (json_int_t) now->realtime, "boottime-usec",
                                 (json_int_t) now->boottime));
}

/* The commands work without it, too. */
static void watch_jumps(struct tn_keeping *keeping)
{
        struct tenon_host *host = keeping->host;
        g_autoptr(GError) problem = NULL;

        if (host->env->recorded)
                return;
        keeping->jump = tn_jump_new(host->env, on_jump, keeping, &problem);
        if (!keeping->jump)
                host->log(host, 7, "jumps of the clock are not seen: %s", problem->message);
        g_clear_error(&problem);
        if (keeping->timer) /* else nobody looks */
                keeping->generation = tn_generation_new(on_generation, keeping, &problem);
        if (problem)
                host->log(host, 7, "a new generation of this machine is not seen: %s", problem->message);
}

struct tn_keeping *tn_keeping_new(struct tenon_host *host, const struct tn_clock *clock, GError **error)
{
        struct tn_keeper_settings settings;
        struct tn_keeping *keeping;

        if (!read_settings(host, &settings, error))
                return NULL;
        keeping = g_new0(struct tn_keeping, 1);
        keeping->host = host;
        keeping->outside = tn_outside_new(host->env);
        keeping->rtc = find_rtc(host->env);
        keeping->rtc_local = tn_rtc_keeps_local_time(host->env);
        tn_keeper_init(&keeping->keeper,
                       &(struct tn_keeper_world){.data = keeping,
                                                 .env = host->env,
                                                 .clock = clock,
                                                 .read_rtc = read_rtc,
                                                 .phc_ioctl = phc_ioctl,
                                                 .ask_owner = ask_owner,
                                                 .tell = tell},
                       &settings);
        /* The first look is a timer like the others: the start of the agent does not wait for it. */
        if (settings.mode != TN_KEEPER_OFF)
                keeping->timer = g_timeout_add(0, on_timer, keeping);
        watch_jumps(keeping);
        return keeping;
}

void tn_keeping_free(struct tn_keeping *keeping)
{
        if (!keeping)
                return;
        g_clear_handle_id(&keeping->timer, g_source_remove);
        g_clear_handle_id(&keeping->step_timer, g_source_remove);
        g_clear_handle_id(&keeping->vmclock, g_source_remove);
        tn_generation_free(keeping->generation);
        tn_jump_free(keeping->jump);
        tn_outside_free(keeping->outside);
        tn_keeper_deinit(&keeping->keeper);
        json_decref(keeping->summary);
        g_free(keeping->rtc);
        g_free(keeping);
}

/* The kernel sets the clock from the hardware clock then, in whole seconds. */
void tn_keeping_woke(struct tn_keeping *keeping)
{
        if (!keeping->timer) /* mode=off, or there is nothing to look at */
                return;
        keeping->host->log(keeping->host, 6, "this machine has woken from sleep; its clock is looked at");
        tn_keeper_doubt(&keeping->keeper);
        look_now(keeping);
}

void tn_keeping_clock_was_set(struct tn_keeping *keeping)
{
        tn_keeper_clock_was_set(&keeping->keeper);
}

json_t *tn_keeping_status(struct tn_keeping *keeping)
{
        return tn_keeper_to_json(&keeping->keeper);
}

static json_t *now(struct tn_keeping *keeping)
{
        const struct tn_clock *clock = keeping->keeper.world.clock;

        return json_integer(clock->realtime_nsec(clock->data));
}

/* Two of the four times of an exchange as in NTP; the other two are the host's. */
json_t *tn_keeping_exchange(struct tn_keeping *keeping, json_t *args)
{
        json_t *reply = json_object();

        (void) args;
        json_object_set_new(reply, "received", now(keeping));
        json_object_set_new(reply, "epoch", json_integer(tn_keeper_epoch(&keeping->keeper)));
        json_object_set_new(reply, "replied", now(keeping));
        return reply;
}

json_t *tn_keeping_adjust(struct tn_keeping *keeping, json_t *args, GError **error)
{
        int64_t offset = json_integer_value(json_object_get(args, "offset"));
        int64_t epoch = json_integer_value(json_object_get(args, "epoch"));

        if (!tn_keeper_adjust(&keeping->keeper, offset, json_integer_value(json_object_get(args, "error")),
                              epoch >= 0 && epoch <= G_MAXUINT ? (unsigned) epoch : G_MAXUINT,
                              json_is_true(json_object_get(args, "step")), error))
                return NULL;
        publish(keeping);
        return json_object();
}
