/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* All modules that one device needs: its driver, the bus below it, disks above it, and what those need. */
#pragma once

#include <glib.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/kernel.h"

/* Names, the driver itself last, each once. Of char *, free with g_ptr_array_unref(). */
GPtrArray *tn_chain_of_driver(struct tn_kernel *kernel, const struct tn_pv_driver *driver);
/* The same of a module. */
GPtrArray *tn_chain_of_module(struct tn_kernel *kernel, const char *module);
