/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Keeps an eye on the system clock: measures it against the best source, notices when the guest stood still,
 * and does what the mode allows. It has no timer of its own: tn_keeper_tick() says when it wants to be
 * called again. So a day passes in a test in no time.
 *
 * The hardware clock is watched through its phase against CLOCK_MONOTONIC_RAW (phase.h), which nobody can
 * set or slew. It is on the host's time on every hypervisor, but may be off by a part of a second: that
 * part, the reference, is learnt while the system clock is believed, and what the hardware clock says later
 * is taken relative to it.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "plugins/timesync/clock.h"
#include "plugins/timesync/owner.h"
#include "plugins/timesync/phase.h"
#include "plugins/timesync/phc.h"
#include "plugins/timesync/sample.h"
#include "plugins/timesync/servo.h"
#include "plugins/timesync/vmclock.h"

enum tn_keeper_mode {
        TN_KEEPER_OFF,
        TN_KEEPER_OBSERVE,    /* measure and report */
        TN_KEEPER_ASSIST,     /* after a jump, ask the daemon that keeps the clock to step it */
        TN_KEEPER_DISCIPLINE, /* keep it ourselves; only while no daemon does */
        TN_KEEPER_AUTO,       /* observe while a daemon runs, else discipline */
};

/* What the keeper is told about the world, and how it acts on it. */
struct tn_keeper_world {
        void *data;
        const struct tn_env *env;
        const struct tn_clock *clock;
        /* The hardware clock in whole seconds UTC; false: there is none. */
        bool (*read_rtc)(void *data, int64_t *ret_seconds);
        tn_phc_ioctl phc_ioctl;
        /* Asks the daemon to step the clock; the keeper looks itself what became of it. */
        void (*ask_owner)(void *data, const struct tn_clock_owner *owner);
        /* Something that people want to know; @level as in syslog(3). */
        void (*tell)(void *data, int level, const char *text);
};

struct tn_keeper_settings {
        enum tn_keeper_mode mode;
        int64_t step_nsec; /* smaller offsets are never stepped */
        bool backward;
        unsigned interval_s;     /* between two looks at the clock */
        int64_t host_limit_nsec; /* more between the host's clock and a synchronised daemon's is told */
};

#define TN_KEEPER_HISTORY 360 /* offsets kept, one for each look: an hour of them at the least interval */
#define TN_KEEPER_TRIES                                                                                     \
        3 /* contradictions of the hardware clock in a row, then it is dropped for a while                  \
           */

struct tn_keeper_jump {
        int64_t when_sec; /* CLOCK_REALTIME after it was noticed */
        int64_t nsec;     /* how far the clock was behind */
        const char *source;
        const char *outcome; /* "stepped", "reported", "asked chronyd", … */
};

struct tn_keeper {
        struct tn_keeper_world world;
        struct tn_keeper_settings settings;
        struct tn_servo servo;
        struct tn_phc *phc;
        int64_t phc_next_find;             /* while there is none, CLOCK_MONOTONIC_RAW */
        const struct tn_ptp_kind *phc_bad; /* the one that made no sense when it was last tried; NULL */
        char *phc_problem;                 /* … and why */
        struct tn_vmclock vmclock;
        uint64_t disruptions; /* that it told of */
        const struct tn_clock_owner *owner;

        struct tn_phase phase; /* of the hardware clock */
        bool searching;        /* reading it often, to find where its second turns */
        int64_t since_nsec;    /* … since then, CLOCK_MONOTONIC_RAW */
        bool contradicted;     /* it, or the guest, has jumped since the last sample */
        unsigned contradictions;
        int64_t rtc_dropped_until;              /* CLOCK_MONOTONIC_RAW; 0: it is used */
        int64_t rtc_dropped_at, rtc_pause_nsec; /* the last time; 0: never */
        const char *rtc_problem;                /* static; NULL: none */

        bool has_reference;
        int64_t reference_nsec;       /* hardware clock minus true time */
        int64_t reference_error_nsec; /* how well that is known */
        bool clock_believed;          /* somebody set it: how far it is from the hardware clock is right */
        int64_t believed_error_nsec;  /* … to so much */
        struct {
                int64_t nsec;
                int64_t at; /* CLOCK_MONOTONIC_RAW; 0: none */
        } made_up[4];       /* the last steps by the host, newest first, until the next contradiction */
        int64_t boot_offset_nsec; /* CLOCK_REALTIME - CLOCK_BOOTTIME at the last look: moved by steps only */
        int64_t boot_error_nsec;  /* how well that is known */
        int64_t raw_offset_nsec;  /* CLOCK_REALTIME - CLOCK_MONOTONIC_RAW at the last look */
        int64_t raw_error_nsec;
        int64_t due_nsec;        /* when the next look was wanted, CLOCK_MONOTONIC_RAW; 0: none yet */
        int64_t late_nsec;       /* how late looks come on this machine at worst */
        int64_t usual_late_nsec; /* … and on the average */
        bool suspicious;         /* the last look came so late that the guest may have stood still */
        unsigned again;          /* looks in a row since then that came too late to show small jumps */

        struct tn_sample phc_sample, host_sample; /* the last of each; at_nsec is 0: none */
        struct tn_sample set_sample; /* what guest-set-time found; at_nsec is 0: nobody set it */
        char *host_problem;          /* why the last of the host's was not followed, or NULL */
        struct tn_sample sample;     /* the last one */
        const char *source;          /* what it came from: "ptp_kvm", "rtc", "host"; NULL: nothing yet */
        unsigned epoch;              /* raised by each step of the clock that was noticed, ours or not */
        uint64_t steps, jumps, samples;
        struct tn_keeper_jump last_jump;
        int64_t last_jump_nsec; /* CLOCK_MONOTONIC_RAW of it; 0: none */
        int64_t doubt_since;    /* the daemon and the hardware clock are doubt_nsec apart; 0: they are not */
        int64_t doubt_nsec;
        int64_t apart_since; /* a synchronised daemon and the host's clock disagree; 0: they do not */
        int64_t apart_nsec;  /* the host's clock minus the daemon's, when it was told; 0: nothing to tell */
        const char *apart_source;
        const char *refusal; /* why the last decision was none; NULL */
        int leap;            /* as in struct tn_clock_state, when it was last asked for */
        int64_t leap_next;   /* CLOCK_MONOTONIC_RAW of the next time; 0: it is not known */
        int64_t history_nsec[TN_KEEPER_HISTORY];
        unsigned history_len, history_at;
};

void tn_keeper_init(struct tn_keeper *keeper, const struct tn_keeper_world *world,
                    const struct tn_keeper_settings *settings);
void tn_keeper_deinit(struct tn_keeper *keeper);

/* Looks at the clocks. Returns when to do it again, in CLOCK_MONOTONIC_RAW, or 0: there is nothing to look
 * at. */
int64_t tn_keeper_tick(struct tn_keeper *keeper);

/* The mode that is in force now: not AUTO, and DISCIPLINE only when nobody else keeps the clock. */
enum tn_keeper_mode tn_keeper_mode_now(const struct tn_keeper *keeper);

/* What the host measured itself (host's time minus ours), in the epoch that it was told. With @step it is
 * stepped even when it is small, and backward too: somebody asks for it, as with guest-set-time. False with
 * @error: not followed, and why. */
bool tn_keeper_adjust(struct tn_keeper *keeper, int64_t offset_nsec, int64_t error_nsec, unsigned epoch,
                      bool step, GError **error);

/* The number that tn_keeper_adjust() wants, after a look whether somebody has set the clock. */
unsigned tn_keeper_epoch(struct tn_keeper *keeper);

/* Something says that the guest was restored or cloned: the next look is to find out how long it stood
 * still, by less than a second even. */
void tn_keeper_doubt(struct tn_keeper *keeper);

/* Reads the vmclock's page, where there is one, and doubts when it tells of a move or a restore. Each look
 * does it, and whoever knows that the page has changed may. */
void tn_keeper_read_vmclock(struct tn_keeper *keeper);

/* Somebody has set the clock on purpose and knows what he does (guest-set-time): start from there. */
void tn_keeper_clock_was_set(struct tn_keeper *keeper);

/* keeper-report.c */

void tn_keeper_tell(const struct tn_keeper *keeper, int level, const char *format, ...) G_GNUC_PRINTF(3, 4);

const char *tn_keeper_mode_name(enum tn_keeper_mode mode);
bool tn_keeper_mode_parse(const char *name, enum tn_keeper_mode *ret);
/* All of it, for tenon-get-time-status. New reference. */
json_t *tn_keeper_to_json(struct tn_keeper *keeper);
/* What changes rarely, for the fact "time-sync"; a leap second, which is announced hours before, is asked
 * for once in ten minutes. New reference. */
json_t *tn_keeper_summary(struct tn_keeper *keeper);
