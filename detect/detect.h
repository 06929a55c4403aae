/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What this machine is: evidence in, a set of typed facts and at most one primary out. Nothing is forked,
 * nothing goes over the network, nothing needs privileges; what only root may read merely raises the
 * confidence. The whole answer is a function of struct tn_env, so a recorded machine (machine.h) is
 * judged by the very same code.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"

enum tn_detect_kind {
        TN_DETECT_HYPERVISOR,   /* what runs below this system */
        TN_DETECT_CONTAINER,    /* what this system shares a kernel through */
        TN_DETECT_CLOUD,        /* whose machine it is; bare metal can be in a cloud too */
        TN_DETECT_FIRMWARE,     /* what the (virtual) firmware and machine model call themselves */
        TN_DETECT_CONFIDENTIAL, /* how the guest's memory is kept from its host */
        TN_DETECT_HOST,         /* this system runs guests itself: Xen dom0, Hyper-V root partition, … */
        _TN_DETECT_KIND_MAX,
};

struct tn_detect_fact {
        enum tn_detect_kind kind;
        char *id; /* "kvm": systemd-detect-virt's name where it has one, else virt-what's, else our own */
        unsigned confidence; /* percent */
        char *evidence;      /* for people: what was seen and where, printable ASCII or UTF-8 */
};

struct tn_detect;

/* Never fails: a machine without evidence is bare metal. Free with tn_detect_free(). */
struct tn_detect *tn_detect_run(const struct tn_env *env);
void tn_detect_free(struct tn_detect *detect);
typedef struct tn_detect tn_detect_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_detect_t, tn_detect_free)

/* The container when in one, else the hypervisor, else NULL; what systemd-detect-virt prints. Borrowed. */
const struct tn_detect_fact *tn_detect_primary(const struct tn_detect *detect);
/* A guest of a hypervisor, or a container. */
bool tn_detect_virtual(const struct tn_detect *detect);
/* Facts in order, the primary first; NULL behind the last one. Borrowed. */
const struct tn_detect_fact *tn_detect_fact(const struct tn_detect *detect, size_t index);
/* NULL when there is no such fact. Borrowed. */
const struct tn_detect_fact *tn_detect_find(const struct tn_detect *detect, enum tn_detect_kind kind,
                                            const char *id);

/* "hypervisor", "container", … Static string. */
const char *tn_detect_kind_name(enum tn_detect_kind kind);

/* {"primary": {"kind", "id"} or null, "virtual": bool, "facts": [{"kind", "id", "confidence",
 * "evidence"}]}. New reference. */
json_t *tn_detect_to_json(const struct tn_detect *detect);
