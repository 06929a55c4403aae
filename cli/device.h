/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What only the caller of tenonctl can find out about devices: who has a port open, which module would drive
 * a device. */
#pragma once

#include "lib/env.h"

/* What libkmod says of the driver of a device without one: "module virtio_gpu is on the disk; try modprobe
 * virtio_gpu", or that there is none. Free with g_free(). */
char *tn_device_module_advice(const struct tn_env *env, const char *bus, const char *device);
