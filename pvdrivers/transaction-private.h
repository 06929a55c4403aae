/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What transaction.c (forwards) and transaction-undo.c (backwards) share. */
#pragma once

#include "pvdrivers/transaction.h"

#define STORE_PATH (TN_PATH_PREPARED + 1)

/* A file that was kept. */
struct entry {
        char *path;
        char *copy;     /* name in the folder of the transaction, or NULL */
        json_t *before; /* see backup.h */
        json_t *after;  /* what it was about to become, or NULL: not touched yet */
};

struct tn_transaction {
        const struct tn_env *env;
        char *id;
        int dir_fd;
        json_t *about;
        GPtrArray *entries; /* struct entry */
        GPtrArray *folders; /* char *: made by us, outermost first */
        json_t *times;      /* folder → mtime before our first change in it */
        GPtrArray *files;   /* const char *: paths of entries that have `after` */
        bool committed;
        bool undone; /* has `undo` */
        bool forced; /* … with "force" */
};

/* Takes one record of the journal over into memory. */
void tn_transaction_replay(struct tn_transaction *transaction, json_t *record);
