/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One check, and what a type of checks is: a row in the table of types.c. A type measures; what follows from
 * a result is decided in checks.c.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdint.h>

#include "plugins/health/state.h"
#include "tenon/plugin.h"

struct health_check;

struct health_type {
        const char *name;
        const char *unit;      /* of its values: "%", " ms" */
        bool falling;          /* small values are the bad ones */
        const char *remedy;    /* what to do when it is not ok … */
        const char *remedy_of; /* … and the key of the setting that ends the text; NULL: none */
        unsigned deadline_ms; /* a measurement that takes longer is unknown; 0: the setting timeout-ms … */
#define HEALTH_GRACE_MS 2000  /* … and so much for what ends it then */
        /* Both may be NULL. @own of the check is the type's. */
        void (*init)(struct health_check *check);
        void (*deinit)(struct health_check *check);
        /* Measures: exactly one health_check_value() or health_check_result(), now or later. */
        void (*measure)(struct health_check *check);
        /* What keeps a check with these settings from working here at all, or NULL, which it may be itself.
         */
        char *(*fault)(struct tenon_host *host, const char *group);
        /* Whether the type calls health_check_look() by itself when something changes, so that nothing needs
         * to be measured while all is well. NULL: no. */
        bool (*watches)(const struct health_check *check);
};

struct health_check {
        struct health_checks *owner;
        struct tenon_host *host;
        const struct health_type *type;
        char *name;
        char *group; /* in the configuration */
        bool required;
        double warning, critical; /* 0: none */
        uint64_t interval_usec, deadline_usec;
        void *own; /* the type's */

        struct health_state state;
        uint64_t since_usec;         /* of the state; realtime */
        char *reason;                /* for the state */
        enum health_severity result; /* the newest one … */
        char *message;               /* … in words; NULL: none yet */
        double value;
        bool has_value;
        uint64_t due_usec;     /* monotonic; 0: when the type says so */
        uint64_t started_usec; /* monotonic; 0: nothing is being measured */
        bool given_up;         /* a result of what is being measured is no longer wanted */
        bool again;            /* something changed meanwhile */
};

/* The text of a setting, or NULL when it is empty. */
const char *health_check_setting(const struct health_check *check, const char *key);

/* A measurement. The text says what @value is of: "91 % of /var is used". */
void health_check_value(struct health_check *check, double value, const char *format, ...)
        G_GNUC_PRINTF(3, 4);
/* A result that is no number. */
void health_check_result(struct health_check *check, enum health_severity severity, const char *format, ...)
        G_GNUC_PRINTF(3, 4);
/* Something has changed: measure now. */
void health_check_look(struct health_check *check);

/* All types. */
extern const struct health_type *const health_types[];
const struct health_type *health_type_find(const char *name);

extern const struct health_type health_type_loop, health_type_memory_pressure, health_type_io_pressure,
        health_type_memory_available, health_type_filesystem, health_type_load, health_type_file_handles,
        health_type_unit, health_type_process, health_type_script;
