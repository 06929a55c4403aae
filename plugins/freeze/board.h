/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the agent, the keeper and its workers know of one freeze: a page of memory that all of them share.
 * There is no protocol between them beside it, so nothing can block on a full pipe or be lost when one of
 * them is killed between a system call and its report. Each field has one writer at a time, see there.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FREEZE_ITEMS_MAX  1024
#define FREEZE_MARKER_MAX 256 /* bytes of its path */
#define FREEZE_HOOKS_MAX  64
#define FREEZE_TEXT_MAX   (512 * 1024) /* bytes of mount points */

/* How far the freeze is; only the keeper writes it, but for FLUSH → FREEZE, which its worker does. */
enum freeze_phase {
        FREEZE_PHASE_WAIT,   /* hooks run; the keeper waits for FREEZE_GO */
        FREEZE_PHASE_OPEN,   /* mount points are opened */
        FREEZE_PHASE_FLUSH,  /* data are written out, nothing is frozen yet */
        FREEZE_PHASE_FREEZE, /* the first file system may be frozen */
        FREEZE_PHASE_FROZEN, /* all are */
        FREEZE_PHASE_THAW,   /* they are being thawed */
        FREEZE_PHASE_THAWED, /* none is frozen by us */
};

/* Why it was thawed; the first reason stays. */
enum freeze_why {
        FREEZE_WHY_NONE,
        FREEZE_WHY_REQUEST,  /* the host said so */
        FREEZE_WHY_DEADLINE, /* the time was over */
        FREEZE_WHY_FAILED,   /* a file system could not be opened or frozen */
        FREEZE_WHY_SIGNAL,   /* somebody ended the keeper */
        FREEZE_WHY_ORPHAN,   /* the agent died or was stopped */
        FREEZE_WHY_RESCUE,   /* a keeper died, or an agent before this one left them frozen */
        _FREEZE_WHY_MAX,
};

enum freeze_state {
        FREEZE_STATE_PENDING,
        FREEZE_STATE_FREEZING, /* a call is in the kernel */
        FREEZE_STATE_FROZEN,
        FREEZE_STATE_THAWING, /* a call is in the kernel */
        FREEZE_STATE_THAWED,
        FREEZE_STATE_SKIPPED, /* never frozen, which is no failure; see error */
        FREEZE_STATE_FAILED,  /* could not be frozen; see error */
        _FREEZE_STATE_MAX,
};

struct freeze_item {
        _Atomic int state;
        int error;       /* of opening or freezing */
        int flush_error; /* the kernel could not write all data */
        int thaw_error;  /* of the last try */
        bool flush_only;
        bool thawed_by_us; /* FITHAW did thaw it: counts */
        uint32_t targets;  /* offset into text: mount points to try, each NUL-ended, ended by an empty one */
        uint64_t device;
        uint64_t flush_usec, freeze_usec; /* how long the calls took */
        uint64_t frozen_at, thawed_at;    /* CLOCK_BOOTTIME, microseconds */
};

struct freeze_board {
        _Atomic int phase;
        _Atomic int why;
        _Atomic bool stop;      /* no further file system is to be frozen; set by the keeper */
        _Atomic unsigned tries; /* calls to thaw that have returned; the workers */
        _Atomic int freezer;    /* pid of the worker that freezes, 0 when there is none */
        uint64_t timeout_usec;  /* before the start, by the agent */
        /* CLOCK_BOOTTIME, microseconds; 0: not yet. */
        uint64_t began_at, flush_at, freeze_at, thaw_at, thawed_at;
        int lock_error;                             /* 0: memory is locked */
        unsigned n_hooks;                           /* the agent, like the next two */
        _Atomic bool hook_begun[FREEZE_HOOKS_MAX];  /* its "freeze" was started: it is owed a "thaw" */
        _Atomic bool hook_thawed[FREEZE_HOOKS_MAX]; /* its "thaw" was started */
        char marker[FREEZE_MARKER_MAX];             /* the agent: path of the marker, or "" */
        unsigned n_items;                           /* the agent, before FREEZE_GO, like the text */
        uint32_t text_len;
        struct freeze_item items[FREEZE_ITEMS_MAX];
        char text[FREEZE_TEXT_MAX];
};

struct freeze_board *freeze_board_new(GError **error);
void freeze_board_free(struct freeze_board *board);

/* Adds a file system with the mount points (char *) by which it may be reached; false: there is no room. */
bool freeze_board_add(struct freeze_board *board, dev_t device, bool flush_only, const GPtrArray *targets);

/* Sets the reason, unless there is one. */
void freeze_board_set_why(struct freeze_board *board, enum freeze_why why);

/* How many file systems are in @state. */
unsigned freeze_board_count(const struct freeze_board *board, enum freeze_state state);
/* The first file system in @state, or -1. */
int freeze_board_find(const struct freeze_board *board, enum freeze_state state);
/* How many of them were thawed by us. */
unsigned freeze_board_thawed(const struct freeze_board *board);
/* True while a file system is, or may be, frozen by us. */
bool freeze_board_holds(const struct freeze_board *board);
/* The first mount point of a file system. Borrowed. */
const char *freeze_board_name(const struct freeze_board *board, unsigned index);

/* CLOCK_BOOTTIME, which goes on while the machine sleeps, in microseconds. */
uint64_t freeze_now_usec(void);
