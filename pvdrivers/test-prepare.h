/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The words in which the tests of prepare are written: a folder that stands for a machine, prepared for KVM
 * by a stand-in for the builder of images, which writes a small archive with the modules that its
 * configuration names. The real builders are tested in guests.
 */
#pragma once

#include <jansson.h>

#include "detect/test-folder.h"
#include "lib/env.h"
#include "pvdrivers/catalogue.h"
#include "pvdrivers/tool.h"

#define RELEASE "6.1.0-9-amd64"
#define IMAGE   "boot/initrd.img-" RELEASE
#define COPY    "efi/" RELEASE "/initrd" /* see machine_put_hook() */

struct machine {
        char *root;
        struct tn_env env;
        struct tn_catalogue *catalogue;
        unsigned built;      /* how often the builder was asked */
        bool fails;          /* it ends with an error */
        bool forgets;        /* it leaves a module out */
        unsigned hook_fails; /* so many runs of the hook that copies an image leave half of it */
        GString *events;
        const char *intrusion; /* the step at which somebody else writes "intruder" to @intruded, or NULL */
        const char *intruded;
};

/* The one of the test that runs. */
extern struct machine machine;

int machine_setup(void **state);
int machine_teardown(void **state);

/* The builder, and the hook. */
bool machine_run(const struct tn_env *env, const char *const *argv, unsigned deadline_s,
                 struct tn_progress *progress, struct tn_tool_result *ret, GError **error);
/* One that copies each new image to where systemd-boot finds it. */
void machine_put_hook(void);

/* The answer of prepare; new reference, or NULL with @error. */
json_t *machine_prepare(bool dry_run, GError **error);
bool machine_image_has(const char *module);

void assert_contents(const char *path, const char *wanted);
/* All files are as they were, and no copies are left. */
void assert_untouched(void);
/* Prepare refuses with these words in its error. */
void assert_refused(const char *words);
