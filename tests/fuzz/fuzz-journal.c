/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The journal of a transaction of drivers prepare, and what it says files were: modes, owners, extended
 * attributes. What it says is applied to a file in memory only, as user attributes, by nobody's owner.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/names.h"
#include "pvdrivers/backup.h"
#include "pvdrivers/journal.h"
#include "pvdrivers/transaction.h"
#include "tests/fuzz/fuzz.h"

#define FOLDER (TN_PATH_PREPARED "/1" + 1)

static void apply(const json_t *state)
{
        int fd = memfd_create("fuzz", MFD_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        (void) tn_backup_apply(fd, state, 0644, "file", NULL);
        close(fd);
        g_assert_true(tn_backup_same(state, state) || tn_backup_is_absent(state) || !json_is_object(state));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct tn_env *env = fuzz_root();
        g_autoptr(tn_transaction_t) transaction = NULL;
        json_t *records, *record;
        size_t i;
        int dir_fd;

        fuzz_root_put(TN_PATH_PREPARED "/1/" TN_JOURNAL_NAME + 1, data, size);
        transaction = tn_transaction_open(env, "1", NULL);
        dir_fd = tn_env_open(env, FOLDER, O_RDONLY | O_DIRECTORY, NULL);
        records = tn_journal_read(dir_fd, NULL);
        json_array_foreach(records, i, record) if (json_is_object(json_object_get(record, "after")))
                apply(json_object_get(record, "after"));
        json_decref(records);
        close(dir_fd);
        return 0;
}
