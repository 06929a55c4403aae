/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the tests of this plugin share: a machine made of text, a host that only remembers, and a check of
 * replies against their declared types.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <jansson.h>

#include "lib/env.h"
#include "tenon/plugin.h"

struct machine {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root;         /* of a made machine; NULL for the running one */
        json_t *facts;      /* name → value */
        unsigned facts_set; /* how often fact_set was called */
        json_t *settings;   /* of the group guestinfo */
        GString *log;
        /* How the last command ended. */
        unsigned replies;
        json_t *reply;
        GError *error;
};

/* The machine that the tests run on. */
struct machine *machine_running(void);
/* An empty recorded machine, in a directory of its own. */
struct machine *machine_new(void);
void machine_free(struct machine *machine);
typedef struct machine machine_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(machine_t, machine_free)

/* Adds what @text says, line by line: "path -> target" is a symbolic link, "path = line" adds a line to a
 * file, "path/" is a directory, "#" begins a comment. */
void machine_add(struct machine *machine, const char *text);
/* The same from fixtures/NAME. */
void machine_add_fixture(struct machine *machine, const char *name);
/* A file of any bytes. */
void machine_write(struct machine *machine, const char *path, const void *bytes, size_t len);

void machine_set(struct machine *machine, const char *key, const char *value);

/* Starts the plugin, if it is not, and a command; how that ends is in machine->replies, reply and error. */
void machine_start_command(struct machine *machine, const char *command);
/* The same, and waits for the end. */
void machine_wait_for(struct machine *machine, const char *command);
/* The same; fails the test when the command is unknown or fails. New reference. */
json_t *machine_run(struct machine *machine, const char *command);
/* Runs a command that has to fail; returns the code of its error. */
int machine_run_failing(struct machine *machine, const char *command);

/* The test fails unless @value is equal to the JSON text @expected; both are printed then. */
void assert_json(const json_t *value, const char *expected);
/* The same against fixtures/NAME. With TN_FIXTURES_WRITE in the environment, writes it instead. */
void assert_json_fixture(json_t *value, const char *name);

/* The test fails unless @value is of the type that the command has in reference documentation; see the
 * table in test-reply-types.c. */
void assert_reply_type(const char *command, const json_t *value);
