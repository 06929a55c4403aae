/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Opens files for whoever is at the other end of a socket. */
#pragma once

#include <stdbool.h>

struct tn_env;

/* Answers each message {"path", "mode", "nofollow"} on @socket (SOCK_SEQPACKET) with {"return": true} and
 * the open file, or with {"error": {"code", "message"}}, until the other end is closed. False: it was no
 * such socket, or the answer could not be given. */
bool tn_open_serve(const struct tn_env *env, int socket);
