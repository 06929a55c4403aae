/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The page is read, not mapped: the kernel then waits for a change that is under way, and half a page is
 * never seen. The surprising thing: fields may be missing at the end, and what is there says the size, not
 * the version. The kernel's header is newer than the systems we build on, so the few offsets are ours.
 */
#include "plugins/timesync/vmclock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"

#define MAGIC   0x4b4c4356U /* "VCLK" */
#define VERSION 1

/* Offsets of the fields in use; all are little endian. */
enum {
        AT_MAGIC = 0,
        AT_SIZE = 4,
        AT_VERSION = 8,
        AT_SEQ = 12,
        AT_MARKER = 16,
        AT_FLAGS = 24,
        AT_STATUS = 34,
        AT_STATUS_END = 35,
        AT_GENERATION = 104,
        AT_END = 112,
};

#define FLAG_GENERATION   (UINT64_C(1) << 8)
#define FLAG_NOTIFICATION (UINT64_C(1) << 9)

#define STATUS_INITIALIZING 1
#define STATUS_UNRELIABLE   4

static uint64_t little(const uint8_t *bytes, size_t width)
{
        uint64_t value = 0;

        for (size_t i = width; i > 0; i--)
                value = value << 8 | bytes[i - 1];
        return value;
}

bool tn_vmclock_parse(const void *bytes, size_t len, struct tn_vmclock_page *ret)
{
        const uint8_t *page = bytes;
        uint64_t flags;

        if (len < AT_STATUS_END || little(page + AT_MAGIC, 4) != MAGIC ||
            little(page + AT_VERSION, 2) != VERSION || little(page + AT_SIZE, 4) < AT_STATUS_END ||
            (page[AT_SEQ] & 1))
                return false;
        flags = little(page + AT_FLAGS, 8);
        *ret = (struct tn_vmclock_page){
                .seq = (uint32_t) little(page + AT_SEQ, 4),
                .marker = little(page + AT_MARKER, 8),
                .notifies = flags & FLAG_NOTIFICATION,
                .unreliable = page[AT_STATUS] == STATUS_INITIALIZING || page[AT_STATUS] == STATUS_UNRELIABLE,
        };
        if ((flags & FLAG_GENERATION) && len >= AT_END && little(page + AT_SIZE, 4) >= AT_END)
                ret->generation = little(page + AT_GENERATION, 8);
        return true;
}

void tn_vmclock_open(struct tn_vmclock *vmclock, const struct tn_env *env)
{
        if (vmclock->fd < 0 && tn_env_exists(env, TN_VMCLOCK_DEVICE))
                vmclock->fd = tn_env_open(env, TN_VMCLOCK_DEVICE, O_RDONLY, NULL);
}

void tn_vmclock_close(struct tn_vmclock *vmclock)
{
        tn_fd_close(&vmclock->fd);
        vmclock->known = false;
}

enum tn_vmclock_news tn_vmclock_read(struct tn_vmclock *vmclock)
{
        struct tn_vmclock_page before = vmclock->page;
        bool compare = vmclock->known;
        uint8_t bytes[AT_END];
        ssize_t len = vmclock->fd < 0 ? -1 : pread(vmclock->fd, bytes, sizeof bytes, 0);

        if (len < 0 || !tn_vmclock_parse(bytes, (size_t) len, &vmclock->page))
                return TN_VMCLOCK_NOTHING;
        vmclock->known = true;
        if (!compare || before.marker == vmclock->page.marker)
                return TN_VMCLOCK_NOTHING;
        return before.generation != vmclock->page.generation ? TN_VMCLOCK_RESTORED : TN_VMCLOCK_MIGRATED;
}
