/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A stand-in for systemd's manager on a private bus: it starts what StartTransientUnit says and tells of
 * it like systemd (Type=exec), as far as our side looks. What it does not prove is that systemd takes our
 * properties; that is for a guest with a real one.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct test_systemd {
        pid_t bus, manager;
        char address[256];
        char *journal; /* a file: one line for each call, "METHOD UNIT" */
};

enum test_systemd_flaw {
        TEST_SYSTEMD_GOOD,
        TEST_SYSTEMD_OLD,    /* knows no ExitType */
        TEST_SYSTEMD_SILENT, /* sends no signals */
        TEST_SYSTEMD_DENIES, /* refuses all */
        TEST_SYSTEMD_FAILS,  /* refuses units for a reason of its own */
        TEST_SYSTEMD_ABSENT, /* the bus is there, systemd is not */
};

/* Sets DBUS_SYSTEM_BUS_ADDRESS. */
void test_systemd_start(struct test_systemd *systemd, enum test_systemd_flaw flaw, const char *folder);
void test_systemd_stop(struct test_systemd *systemd);
/* How often the line begins so. */
unsigned test_systemd_count(const struct test_systemd *systemd, const char *line);
