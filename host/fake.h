/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A guest for the unit tests, as bad as they like: a thread at the other end of a socketpair that does what
 * a list of steps says.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "host/connection.h"

enum fake_action {
        FAKE_END,   /* closes */
        FAKE_SAY,   /* text; ' stands for ", @ for the id of the last request, # for the byte 0xFF */
        FAKE_HEAR,  /* waits for a line that contains text; the test fails when it is another one */
        FAKE_FLOOD, /* text again and again, until the other side is gone */
        FAKE_HOLD,  /* does nothing until the other side is gone */
        FAKE_SLEEP, /* number of ms */
};

struct fake_step {
        enum fake_action action;
        const char *text;
        unsigned ms;
};

struct fake;

/* @steps must live as long as the fake. The connection is the other end, and is the caller's. */
struct fake *fake_new(const struct fake_step *steps, struct tn_connection **ret_connection);
/* After the connection is gone. Fails the test when a step did not go as it should. */
void fake_free(struct fake *fake);

/* A deadline. */
gint64 in_ms(unsigned ms);

/* Checks code and a part of the text, and frees the error. */
#define assert_trouble(error, wanted_code, part)                                                            \
        do {                                                                                                \
                assert_non_null(error);                                                                     \
                if (!strstr((error)->message, part))                                                        \
                        fail_msg("\"%s\" is not in \"%s\"", part, (error)->message);                        \
                assert_int_equal((error)->code, wanted_code);                                               \
                g_clear_error(&(error));                                                                    \
        } while (false)
