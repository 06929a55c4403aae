/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Would this guest boot on another hypervisor, and what would it lose there? A plan is a list of findings;
 * each belongs to one of fifteen checks (pvdrivers/checks/), says what was seen where, and what to do.
 * Making a plan changes nothing and needs no root, but for files that only root may read: what those would
 * have decided is unknown, and says so.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/catalogue.h"

enum tn_verdict {
        TN_VERDICT_READY,          /* looked at, nothing to do */
        TN_VERDICT_LOSS,           /* boots, but something is lost: network, time, a console, a fallback */
        TN_VERDICT_FATAL,          /* does not boot */
        TN_VERDICT_UNKNOWN,        /* could not be told; the evidence says why */
        TN_VERDICT_NOT_APPLICABLE, /* this machine has nothing of the kind */
        _TN_VERDICT_MAX,
};

/* "ready", "loss", "fatal", "unknown", "not-applicable". Static. */
const char *tn_verdict_name(enum tn_verdict verdict);

/* Exit statuses of `tenonctl drivers plan`, documented in tenonctl(1). */
enum {
        TN_PLAN_EXIT_READY = 0,
        TN_PLAN_EXIT_FATAL = 1,
        TN_PLAN_EXIT_LOSS = 2,
        TN_PLAN_EXIT_NO_VERDICT = 4, /* wrong usage, an error, or what decides could not be read */
};

/* One finding. What @data has for a check is told in docs/drivers-plan.md. */
struct tn_check {
        const char *id; /* of the check: "initramfs", "interface-names", …; static */
        enum tn_verdict verdict;
        char *kernel;   /* release of the kernel that it is about, or NULL */
        char *evidence; /* what was seen, in which file; never NULL */
        char *remedy;   /* the command or line to write, or NULL */
        bool fixable;   /* `tenonctl drivers prepare` does it */
        bool fallback;  /* about a kernel that is not the one which boots: a fatal one costs the fallback */
        json_t *data;   /* object, or NULL */
};

struct tn_plan {
        enum tn_pv_platform target;
        GPtrArray *devices; /* char *: modules of the devices that the target is assumed to have */
        GPtrArray *checks;  /* struct tn_check, in the order of the checks */
        json_t *kernels;    /* array: release, running, default, image */
};

struct tn_plan_options {
        enum tn_pv_platform target;
        const char *const *devices; /* NULL: the platform's standard set; else modules, NULL-ended */
};

/* NULL with @error: the catalogue does not know a device, or this root has no kernel at all. */
struct tn_plan *tn_plan_make(const struct tn_env *env, const struct tn_catalogue *catalogue,
                             const struct tn_plan_options *options, GError **error);
void tn_plan_free(struct tn_plan *plan);
typedef struct tn_plan tn_plan_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_plan_t, tn_plan_free)

/* The worst of all findings; a fatal one about a fallback kernel counts as a loss. */
enum tn_verdict tn_plan_verdict(const struct tn_plan *plan);
int tn_plan_exit_status(const struct tn_plan *plan);
/* The answer of `--json`. New reference. */
json_t *tn_plan_to_json(const struct tn_plan *plan);
