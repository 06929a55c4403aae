/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A message with a file descriptor, over a unix socket of the kind SOCK_SEQPACKET (unix(7), SCM_RIGHTS). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* @fd -1: none. False with errno. */
bool tn_fd_pass_send(int socket, const void *bytes, size_t len, int fd);
/* The length of the message, 0 at the end, -1 with errno (EMSGSIZE: it is longer than @size). *ret_fd is -1
 * when none came. */
ssize_t tn_fd_pass_receive(int socket, void *bytes, size_t size, int *ret_fd);
