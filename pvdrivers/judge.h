/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What a device is in the catalogue's eyes: paravirtual, emulated or neither. Needs no list of modules, so
 * the agent can ask, which sees none and links no libkmod. */
#pragma once

#include <jansson.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/device.h"

enum tn_judge_kind {
        TN_JUDGE_PARAVIRTUAL, /* made for guests */
        TN_JUDGE_EMULATED,    /* hardware that the host plays */
        TN_JUDGE_OTHER,       /* a part of the board, or hardware that was passed through */
};

struct tn_judgement {
        const struct tn_device *device;
        enum tn_judge_kind kind;
        enum tn_pv_role role;           /* the maximum where none is known */
        const struct tn_pv_driver *row; /* of the catalogue, or NULL */
        char *module;                   /* that drives it or would, or NULL: not known from here */
        const struct tn_pv_driver
                *better; /* the paravirtual driver in whose favour the host should change it */
};

/* Judges @device, one of @devices, on @platform (the maximum: unknown). False for what is worth no line: a
 * part of the board on a bus that is full of them, or the other name of a device that has two. Clear *ret
 * with tn_judge_clear() when true. */
bool tn_judge(const struct tn_catalogue *catalogue, enum tn_pv_platform platform, const GPtrArray *devices,
              const struct tn_device *device, struct tn_judgement *ret);
void tn_judge_clear(struct tn_judgement *judgement);

/* "paravirtual", "emulated", "other". Static string. */
const char *tn_judge_kind_name(enum tn_judge_kind kind);

/* {"bus", "device", "parent"?, "modalias"?, "kind", "role", "driver", "module", "interfaces"?, "disks"?}.
 * New reference. */
json_t *tn_judge_to_json(const struct tn_judgement *judgement);

/* Of all devices that are paravirtual or emulated. New reference. */
json_t *tn_judge_machine(const struct tn_env *env, const struct tn_catalogue *catalogue,
                         enum tn_pv_platform platform);
