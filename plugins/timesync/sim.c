/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The simulated guest. */
#define _GNU_SOURCE
#include "plugins/timesync/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/ptp_clock.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_NSEC (INT64_C(1790000000) * TN_NSEC_PER_SEC + 123456789)

static struct sim *the_sim; /* ioctl(2) has no room for it */

double sim_offset(const struct sim *sim)
{
        return (double) sim->host_nsec - (sim->boot_nsec + sim->boot_offset);
}

double sim_elapsed(const struct sim *sim)
{
        return (double) (sim->host_nsec - START_NSEC);
}

/* What a recorded oscillator makes of the next @nsec nanoseconds. */
static double recorded_ahead(const struct sim *sim, double nsec)
{
        double since = (double) (sim->host_nsec - START_NSEC);

        if (!sim->oscillator)
                return 0;
        return sim_recorded_ahead(sim->oscillator, since + nsec) -
               sim_recorded_ahead(sim->oscillator, since);
}

static void pass(struct sim *sim, double nsec)
{
        double ahead = recorded_ahead(sim, nsec);

        sim->host_nsec += (int64_t) nsec;
        sim->raw_nsec += nsec * (1 + sim->oscillator_ppb / 1e9) + ahead;
        sim->boot_nsec += nsec * (1 + (sim->oscillator_ppb + sim->frequency_ppb) / 1e9) + ahead;
        sim->oscillator_ppb += sim->wander_ppb * (g_rand_double(sim->random) - 0.5) * 2 * sqrt(nsec / 1e9);
        sim->worst_nsec = MAX(sim->worst_nsec, fabs(sim_offset(sim)));
}

static void may_be_preempted(struct sim *sim)
{
        if (sim->preempted > 0 && g_rand_double(sim->random) < sim->preempted)
                pass(sim, 30e6);
}

static int64_t realtime(void *data)
{
        struct sim *sim = data;

        may_be_preempted(sim);
        return (int64_t) (sim->boot_nsec + sim->boot_offset);
}

static int64_t boottime(void *data)
{
        struct sim *sim = data;

        may_be_preempted(sim);
        return (int64_t) sim->boot_nsec;
}

static int64_t raw(void *data)
{
        struct sim *sim = data;

        may_be_preempted(sim);
        return (int64_t) sim->raw_nsec;
}

static bool get_state(void *data, struct tn_clock_state *ret, GError **error)
{
        struct sim *sim = data;

        *ret = (struct tn_clock_state){.synchronized = sim->synchronized,
                                       .maxerror_usec = 5000,
                                       .leap = sim->leap,
                                       .frequency_ppb = sim->frequency_ppb};
        return true;
}

static bool step(void *data, int64_t delta_nsec, GError **error)
{
        struct sim *sim = data;

        sim->boot_offset += (double) delta_nsec;
        sim->steps++;
        sim->backward_steps += delta_nsec < 0;
        return true;
}

static bool set_frequency(void *data, double ppb, GError **error)
{
        struct sim *sim = data;

        sim->frequency_ppb = ppb;
        sim->frequencies++;
        return true;
}

static uint64_t env_now(const struct tn_env *env, clockid_t clock)
{
        struct sim *sim = (struct sim *) env;

        return (uint64_t) (clock == CLOCK_REALTIME ? realtime(sim) : raw(sim)) / 1000;
}

struct sim *sim_new(void)
{
        struct sim *sim = g_new0(struct sim, 1);

        sim->dir = g_dir_make_tmp("tenon-clock-XXXXXX", NULL);
        if (!tn_env_init_root(&sim->env, sim->dir, NULL))
                g_error("no root");
        sim->env.now_usec = env_now;
        sim->clock = tn_clock_system;
        sim->clock.data = sim;
        sim->clock.realtime_nsec = realtime;
        sim->clock.boottime_nsec = boottime;
        sim->clock.raw_nsec = raw;
        sim->clock.get_state = get_state;
        sim->clock.step = step;
        sim->clock.set_frequency = set_frequency;
        sim->host_nsec = START_NSEC;
        sim->boot_nsec = sim->raw_nsec = 20e9;
        sim->boot_offset = (double) START_NSEC - sim->boot_nsec;
        sim->rtc_late_nsec = 370 * TN_NSEC_PER_MSEC;
        sim->rtc_delay_nsec = 100 * TN_NSEC_PER_USEC;
        sim->told = g_string_new(NULL);
        sim->random = g_rand_new_with_seed(1);
        sim_daemon(sim, "nothing.service", true);
        the_sim = sim;
        return sim;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

void sim_free(struct sim *sim)
{
        (void) nftw(sim->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        tn_env_deinit(&sim->env);
        g_string_free(sim->told, TRUE);
        g_rand_free(sim->random);
        g_clear_pointer(&sim->oscillator, g_array_unref);
        g_clear_pointer(&sim->timers, g_array_unref);
        g_free(sim->dir);
        g_free(sim);
}

static bool read_rtc(void *data, int64_t *ret_seconds)
{
        struct sim *sim = data;
        double delay = (double) sim->rtc_delay_nsec;

        if (sim->rtc_missing)
                return false;
        pass(sim, (double) sim->rtc_least_nsec + delay * g_rand_double(sim->random));
        *ret_seconds = sim->rtc_stands_still ? sim->rtc_fixed
                                             : (sim->host_nsec - sim->rtc_late_nsec) / TN_NSEC_PER_SEC;
        pass(sim, (double) sim->rtc_least_nsec + delay * g_rand_double(sim->random));
        return true;
}

void sim_step(struct sim *sim)
{
        sim->boot_offset += sim_offset(sim);
}

static void ask_owner(void *data, const struct tn_clock_owner *owner)
{
        struct sim *sim = data;

        sim->asked++;
        sim_step(sim);
}

static void tell(void *data, int level, const char *text)
{
        g_string_append_printf(((struct sim *) data)->told, "%d|%s\n", level, text);
}

static struct ptp_clock_time clock_time(int64_t nsec)
{
        return (struct ptp_clock_time){.sec = nsec / TN_NSEC_PER_SEC,
                                       .nsec = (uint32_t) (nsec % TN_NSEC_PER_SEC)};
}

static int phc_ioctl(int fd, unsigned long request, void *argument)
{
        struct ptp_sys_offset_precise *both = argument;

        errno = the_sim->phc_errno ? the_sim->phc_errno : EOPNOTSUPP;
        if (the_sim->phc_errno || request != PTP_SYS_OFFSET_PRECISE2)
                return -1;
        both->sys_realtime = clock_time(realtime(the_sim));
        both->device = clock_time(the_sim->host_nsec + the_sim->phc_ahead_nsec);
        return 0;
}

static void write_file(const struct sim *sim, const char *folder, const char *name, const char *text)
{
        g_autofree char *full = g_build_filename(sim->dir, folder, NULL);
        g_autofree char *path = g_build_filename(full, name, NULL);

        if (g_mkdir_with_parents(full, 0755) < 0 || !g_file_set_contents(path, text, -1, NULL))
                g_error("cannot write %s", path);
}

void sim_phc(struct sim *sim, const char *clock_name)
{
        write_file(sim, "sys/class/ptp/ptp0", "clock_name", clock_name);
        write_file(sim, "dev", "ptp0", "");
}

static void put(uint8_t *page, size_t at, uint64_t value, size_t width)
{
        for (size_t i = 0; i < width; i++)
                page[at + i] = (uint8_t) (value >> 8 * i);
}

/* Laid out as in include/uapi/linux/vmclock-abi.h. The file keeps its inode: the keeper has it open. */
void sim_vmclock(struct sim *sim, const struct sim_vmclock *wanted)
{
        g_autofree char *path = g_build_filename(sim->dir, TN_VMCLOCK_DEVICE, NULL);
        uint8_t page[112] = {0};
        int fd;

        write_file(sim, "dev", "here", "");
        put(page, 0, 0x4b4c4356, 4);
        put(page, 4, wanted->size ? wanted->size : 4096, 4);
        put(page, 8, 1, 2);
        put(page, 12, (uint32_t) (2 * wanted->marker) | wanted->being_changed, 4);
        put(page, 16, wanted->marker, 8);
        put(page, 24, 1 << 8, 8); /* there is a generation */
        put(page, 34, wanted->status, 1);
        put(page, 104, wanted->generation, 8);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, page, sizeof page) != sizeof page)
                g_error("cannot write %s", path);
        (void) close(fd);
}

struct tn_keeper_world sim_world(struct sim *sim)
{
        return (struct tn_keeper_world){.data = sim,
                                        .env = &sim->env,
                                        .clock = &sim->clock,
                                        .read_rtc = read_rtc,
                                        .phc_ioctl = phc_ioctl,
                                        .ask_owner = ask_owner,
                                        .tell = tell};
}

/* How late this look comes; never by nothing at all. */
static double next_lateness(struct sim *sim)
{
        double late = (double) sim->timer_late_nsec + 1e6 * g_rand_double(sim->random);

        if (sim->timers) {
                int64_t recorded = g_array_index(sim->timers, int64_t, sim->timers_at++ % sim->timers->len);

                late = (double) MAX(1, recorded);
        }
        return late;
}

void sim_run(struct sim *sim, struct tn_keeper *keeper, int64_t *next, double seconds)
{
        double end = sim->raw_nsec + seconds * 1e9;

        while (sim->raw_nsec < end) {
                bool wakes = *next && (double) *next <= end;
                double until = wakes ? (double) *next : end;

                pass(sim, MAX(until - sim->raw_nsec, 1));
                if (!wakes)
                        continue;
                pass(sim, next_lateness(sim));
                if (sim->raw_nsec >= (double) *next)
                        *next = tn_keeper_tick(keeper);
        }
}

void sim_pause(struct sim *sim, double seconds)
{
        sim->host_nsec += (int64_t) (seconds * 1e9);
}

void sim_daemon(struct sim *sim, const char *unit, bool runs)
{
        g_autofree char *path = g_strdup_printf("%s/sys/fs/cgroup/system.slice/%s", sim->dir, unit);

        if (runs)
                (void) g_mkdir_with_parents(path, 0755);
        else
                (void) rmdir(path);
}
