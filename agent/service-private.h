/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What service.c (the connection), service-contract.c (the table), service-calls.c (methods),
 * service-changes.c (signals) and service-sleep.c (logind's) share. Nobody else's. */
#pragma once

#include "agent/agent.h"
#include "agent/service.h"
#include "lib/bus-object.h"

/* The about of a property's row: where its value comes from. */
struct tn_service_source {
        const char *fact;   /* on the board; or "channels", "plugins", "policy" */
        const char *member; /* of the fact, members of members by dots; NULL: the fact itself */
        json_t *(*make)(const struct tn_agent *agent); /* in place of both; @fact says when it changes */
        enum { TN_SERVICE_SIGNALLED, TN_SERVICE_CONST, TN_SERVICE_SILENT } changes; /* as in the XML */
};

/* The about of a method's row: which command it is. */
struct tn_service_command {
        const char *command;
        const char *args;   /* names of the command's arguments, in the method's order, by commas */
        const char *out;    /* type of the answer; NULL: none */
        const char *action; /* polkit's; NULL: it reads, and everybody may */
};

struct tn_service {
        struct tn_agent *agent;
        struct tn_bus *bus; /* NULL: not connected; the next three with it */
        struct tn_bus_match *lost_match;
        struct tn_bus_object *object;  /* /org/tenon/Agent1 */
        struct tn_bus_object *manager; /* /org/tenon */
        bool named;                    /* the bus has given us the name */
        char *problem;
        bool lost; /* there was a bus: it is looked for until it is back */
        unsigned denied;
        guint drop_source, retry_source, announce_source;
        GPtrArray
                *changed; /* names of facts, since the last announcement; borrowed, static or the board's */
        json_t *told;     /* {interface: {property: value}}: what listeners know */
        json_t *heartbeats; /* {name: state}, to tell of those that changed */
        GPtrArray *calls;   /* struct service_call under way */
        struct tn_bus_match *sleep_match;
        enum { TN_SERVICE_NOT_ASKED, TN_SERVICE_ASKED, TN_SERVICE_ASKED_AGAIN } sleep_question;
        bool sleeping;        /* what logind said last */
        uint64_t asleep_usec; /* for how long the machine had slept then, since it was booted */
};

/* service-sleep.c, on a new connection. The match is unsubscribed by service.c. */
void tn_service_watch_sleep(struct tn_service *service);

/* The interfaces of /org/tenon/Agent1, NULL-ended. */
extern const struct tn_bus_interface *const tn_service_contract[];
/* The texts that Introspect answers. */
extern const char *const tn_service_xml, *const tn_service_manager_xml;

/* A property's value. New reference; may be NULL, which is the zero of its type. */
json_t *tn_service_value(const struct tn_agent *agent, const struct tn_service_source *source);

/* Rows' functions. @data is the struct tn_service. */
void tn_service_get(const struct tn_bus_property *row, DBusMessageIter *ret, void *data);
void tn_service_run_command(struct tn_bus_request *request, void *data);
void tn_service_run_plugin(struct tn_bus_request *request, void *data);
/* Calls that wait for polkit or a command end now: the connection is to be freed. */
void tn_service_end_calls(struct tn_service *service);

/* Listeners know what is now: on a new connection. */
void tn_service_start_changes(struct tn_service *service);
void tn_service_stop_changes(struct tn_service *service);
