/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One line of QMP or of the guest agent's dialect: bytes in, JSON out, and what kind of message it is. Pure.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A reply of 16 MiB that is all commas would become some hundred times as much memory. */
#define TN_MESSAGE_TOKENS_MAX (1024 * 1024) /* commas, colons, opening brackets */
#define TN_MESSAGE_DESC_MAX   1000          /* bytes of the text of a guest's error that are kept */

enum tn_message_kind {
        TN_MESSAGE_OTHER,
        TN_MESSAGE_GREETING,
        TN_MESSAGE_EVENT,
        TN_MESSAGE_REPLY,
};

/* An object of @text. Depth is limited by jansson (2048). */
bool tn_message_parse(const char *text, size_t len, json_t **ret, GError **error);
enum tn_message_kind tn_message_get_kind(const json_t *message);
/* What a reply returns, or its error as TN_TROUBLE_GUEST. */
bool tn_message_unwrap(const json_t *reply, json_t **ret, GError **error);
/* A request with a line end. @args and @id may be NULL and are borrowed. Free with g_free(). */
char *tn_message_request(const char *command, json_t *args, json_t *id);
