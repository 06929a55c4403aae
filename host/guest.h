/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A guest that can be asked, however it is reached: a socket (qmp.h) or libvirt (libvirt.h). After an error
 * that is not the guest's answer nobody knows which reply belongs to what; then every further question
 * fails at once.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct tn_ask {
        const char *command;
        json_t *args; /* borrowed; may be NULL */
        unsigned timeout_ms;
        size_t reply_max; /* bytes */
};

struct tn_guest_ops {
        /* The whole reply: {"return"} or {"error"}. */
        bool (*ask)(void *data, const struct tn_ask *ask, json_t **ret_reply, GError **error);
        /* Waits for ever. */
        bool (*next_event)(void *data, json_t **ret_event, GError **error);
        void (*free)(void *data);
};

struct tn_guest {
        const struct tn_guest_ops *ops;
        void *data;
        const char *dialect; /* for people; static */
        unsigned timeout_ms; /* of a reply, when nothing else is said */
        size_t request_max;  /* bytes of a value that a request may carry, in base64 */
        bool broken;
};

struct tn_guest_address {
        const char *socket; /* one of these two */
        const char *domain;
        const char *uri; /* libvirt's; may be NULL */
        unsigned timeout_ms;
};

struct tn_guest *tn_guest_open(const struct tn_guest_address *address, GError **error);
/* NULL is fine. */
void tn_guest_free(struct tn_guest *guest);
typedef struct tn_guest tn_guest_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_guest_t, tn_guest_free)

/* What @command returns. Takes over @args, which may be NULL. */
bool tn_guest_ask(struct tn_guest *guest, const char *command, json_t *args, json_t **ret, GError **error);
/* The same with limits of its own; 0 is the usual. */
bool tn_guest_ask_with(struct tn_guest *guest, const struct tn_ask *ask, json_t **ret, GError **error);
bool tn_guest_next_event(struct tn_guest *guest, json_t **ret, GError **error);
