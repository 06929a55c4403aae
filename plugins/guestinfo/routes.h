/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The kernel's routing tables as text, line by line; pure. */
#pragma once

#include <jansson.h>

/* Appends one GuestNetworkRoute for each line of proc/net/route or proc/net/ipv6_route to the array
 * @list; lines that are not routes (the heading) are passed over. */
void tn_routes_parse_ipv4(const char *text, json_t *list);
void tn_routes_parse_ipv6(const char *text, json_t *list);
