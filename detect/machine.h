/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Recorded machines. A machine is a directory: root/ holds copies of the files that are evidence, at
 * their paths; cpuid.txt has lines `LEAF SUBLEAF EAX EBX ECX EDX` of 8 hexadecimal digits each (an MSR
 * stands there under its own number, value in EDX:EAX; empty lines and lines that begin with # are
 * skipped); machine.txt has what `uname -m` says. Each of the three may be missing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* Fills @env, which the detector then cannot tell from a running machine. Without root/ there are no
 * files at all. On failure @env is untouched. */
bool tn_machine_open(struct tn_env *env, const char *dir, GError **error);
void tn_machine_close(struct tn_env *env);

/* Writes what the detector sees of @env into @dir, which is made or must be empty. No serial number, host
 * name, command line or environment goes in beyond the words that detection looks for. */
bool tn_machine_record(const struct tn_env *env, const char *dir, GError **error);
