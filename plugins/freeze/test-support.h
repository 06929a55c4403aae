/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the tests of this plugin share: a machine whose mount table is text, a kernel that fails, hangs and
 * takes notes as told (in memory that is shared with the freezer's processes), and a host that remembers
 * what it was answered. No file system of the machine that runs the tests is touched.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <jansson.h>

#include "lib/env.h"
#include "tenon/plugin.h"

/* One file system of the fake kernel, and how it behaves. */
struct fake_fs {
        const char *path;
        int open_error, flush_error, freeze_error, trim_error; /* errno */
        _Atomic int thaw_failures;                             /* so many thaws fail with EIO */
        _Atomic bool hang_open, hang_flush, hang_freeze, hang_thaw;
        _Atomic int frozen; /* freezes without a thaw */
};

#define FAKE_FS_MAX    8
#define FAKE_NOTES_MAX 128

struct fake {
        struct fake_fs fs[FAKE_FS_MAX];
        unsigned n_fs;
        _Atomic unsigned n_notes;
        char notes[FAKE_NOTES_MAX][32]; /* "flush /a", "freeze /a", … in the order in which they began */
        _Atomic int opener;             /* pid of the process that opened a file system last */
        _Atomic int freezer;            /* … that froze one last */
};

/* What a call was answered with. */
struct answer {
        bool done;
        json_t *value; /* NULL: an error */
        GError *error;
};

struct world {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root;
        struct fake *fake;
        GHashTable *settings; /* "group key" → text */
        json_t *facts;
        GString *states; /* of the fact "freeze", in order, each followed by ' ' */
        GString *log;
        GPtrArray *answers; /* struct answer */
        unsigned running;   /* children under way */
};

/* A machine with three ext4 file systems: / (8:1), /data (8:2), /data/deep (8:3), and /proc, /run. */
struct world *world_new(void);
void world_free(struct world *world);
typedef struct world world_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(world_t, world_free)

/* A file of the machine; folders are made. */
void world_write(struct world *world, const char *path, const char *text);
void world_set(struct world *world, const char *group, const char *key, const char *value);
/* A program in the hook directory that appends "NAME ARGUMENT" to the notes of hooks, then runs @script. */
void world_add_hook(struct world *world, const char *name, const char *script);
/* Those notes, lines joined by ' '. Free with g_free(). */
char *world_hook_notes(struct world *world);

/* The plugin. */
void world_start(struct world *world);
void world_stop(struct world *world);

/* Calls a command. @args is JSON text or NULL. The answer comes now or from the loop. */
struct answer *world_call(struct world *world, const char *command, const char *args);
/* Turns the loop until the answer is there; the test fails after some seconds. */
void world_wait(struct world *world, struct answer *answer);
/* Call, wait, and the value; the test fails on an error. Borrowed. */
json_t *world_ask(struct world *world, const char *command, const char *args);
/* Call, wait, and the error's text; the test fails when there is none. Borrowed. */
const char *world_ask_failing(struct world *world, const char *command, const char *args);
/* Turns the loop for so long. */
void world_turn(struct world *world, unsigned ms);
/* Turns the loop until the fact "freeze" has this state. */
void world_wait_state(struct world *world, const char *state);

struct fake_fs *fake_find(struct fake *fake, const char *path);
/* Notes joined by ", ", without those that do not begin with @prefix. Free with g_free(). */
char *fake_notes(struct fake *fake, const char *prefix);
/* Freezes without a thaw, of all file systems. */
int fake_frozen(const struct fake *fake);
