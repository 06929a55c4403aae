/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * systemd's store for descriptors (FileDescriptorStoreMax=): what is put there is kept open while the agent
 * is down, and handed back at its next start beside the sockets of socket activation. Descriptors have
 * names.
 */
#pragma once

#include <stdbool.h>

/* A descriptor of that name that was handed to us, or -1. It stays the store's: asked again it is the same.
 */
int tn_fd_store_find(const char *name);
/* The one descriptor that is of none of these names, NULL-ended: a socket of socket activation. -1: none;
 * -2: there are more, and *ret_number says how many. */
int tn_fd_store_find_other(const char *const *names, int *ret_number);
/* From now on they are ours alone: children do not get them. Call it before any child is started. */
void tn_fd_store_keep_from_children(void);
/* No longer handed on to children, nor found. After all that are wanted were found. */
void tn_fd_store_forget(void);

/* Whether somebody would keep what we put there. */
bool tn_fd_store_exists(void);
/* The store gets a copy. False: there is no store. */
bool tn_fd_store_put(const char *name, int fd);
/* The store closes its copies of this name. */
void tn_fd_store_drop(const char *name);
