/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Part of the check disk-keys. */
#pragma once

#include "pvdrivers/checks/check.h"

/* Adds a finding for each thing that knows this machine by its identity. */
void tn_identity_look(struct tn_check_context *context);
