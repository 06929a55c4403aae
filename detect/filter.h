/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Strips evidence to what detection needs. Each takes any bytes and returns text, or NULL for "nothing of
 * interest"; applied to its own output it changes nothing, which is what makes a recording faithful. */
#pragma once

#include <stddef.h>

typedef char *(*tn_filter)(const char *data, size_t len);

char *tn_filter_line(const char *data, size_t len);  /* the first line, without white space at its ends */
char *tn_filter_bytes(const char *data, size_t len); /* as it is */
char *tn_filter_cpuinfo(const char *data, size_t len);
char *tn_filter_cmdline(const char *data, size_t len);
char *tn_filter_version(const char *data, size_t len);
char *tn_filter_sysinfo(const char *data, size_t len);
char *tn_filter_lparcfg(const char *data, size_t len);
char *tn_filter_clocksources(const char *data, size_t len);
char *tn_filter_status(const char *data, size_t len);
char *tn_filter_environ(const char *data, size_t len);
char *tn_filter_cgroup(const char *data, size_t len);
char *tn_filter_asset_tag(const char *data, size_t len);
char *tn_filter_serial(const char *data, size_t len);
char *tn_filter_uuid(const char *data, size_t len);
char *tn_filter_oem_strings(const char *data, size_t len);
char *tn_filter_partition(const char *data, size_t len); /* that it has a name, not which */
