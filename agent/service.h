/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The service org.tenon.Agent1 on the system bus: facts of the board as properties, the commands that people
 * need as methods, events as signals. data/org.tenon.Agent1.xml is its contract, service-contract.c the
 * table that fulfils it. Without a bus there is none, and nothing else is missing.
 */
#pragma once

#include <jansson.h>

struct tn_agent;
struct tn_service;

/* Connects to the system bus, and comes back after that was gone. What became of it is the fact "dbus":
 * state
 * ("connected", "connecting", "absent") and problem. Never NULL. */
struct tn_service *tn_service_new(struct tn_agent *agent);
/* Before the plugins are stopped. NULL is fine. */
void tn_service_free(struct tn_service *service);

/* The configuration was read again: is there a bus by now? NULL is fine. */
void tn_service_retry(struct tn_service *service);
/* Something that is on no board has changed: "channels", "plugins" or "policy". NULL is fine. */
void tn_service_touch(struct tn_service *service, const char *what);
/* An event of the QMP port. Borrows @data. NULL is fine. */
void tn_service_event(struct tn_service *service, const char *name, const json_t *data);
