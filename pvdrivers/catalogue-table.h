/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Our own rows; catalogue.c reads them. */
#pragma once

#include "pvdrivers/catalogue.h"

extern const struct tn_pv_driver tn_catalogue_table[];
extern const size_t tn_catalogue_table_len;
