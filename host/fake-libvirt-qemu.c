/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A stand-in for libvirt-qemu.so.0: the agent of the one domain answers by the name of the command. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT char *virDomainQemuAgentCommand(void *domain, const char *text, int timeout_s, unsigned flags);

/* fake-libvirt.c */
void *fake_libvirt_fail(int why, const char *text);

char *virDomainQemuAgentCommand(void *domain, const char *text, int timeout_s, unsigned flags)
{
        (void) domain;
        (void) flags;
        if (strcmp(text, "{\"execute\": \"good\", \"arguments\": {\"a\": 1}}") == 0)
                return strdup("{\"return\": 5}");
        if (strstr(text, "garbage"))
                return strdup("<html>");
        if (strstr(text, "refused"))
                return fake_libvirt_fail(1, "unable to execute QEMU agent command: no");
        if (strstr(text, "slow"))
                sleep((unsigned) timeout_s);
        return fake_libvirt_fail(86, "Guest agent is not responding");
}
