/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The words in which the tests of plans are written: a guest is a temporary root folder with a kernel, an
 * initramfs and the files of a distribution; a test changes one thing and asks what the plan says.
 */
#pragma once

#include "detect/test-folder.h"
#include "lib/env.h"
#include "pvdrivers/plan.h"

struct guest {
        char *root;
        struct tn_env env;
        struct tn_plan *plan; /* the last one; NULL: there was an error */
        GError *error;
};

struct guest *guest_new(void);
void guest_free(struct guest *guest);
typedef struct guest guest_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(guest_t, guest_free)

void guest_put(struct guest *guest, const char *path, const char *text);
void guest_remove(struct guest *guest, const char *path);

/* A kernel whose lists name all modules that the platforms' disks, cards and root file systems need; nothing
 * is built in. @image: its own file. */
void guest_kernel(struct guest *guest, const char *release, const char *image);
/* An initramfs at @path with the modules in @modules (words) of the kernel @release, and the file @mark, by
 * which its generator is known. */
void guest_image(struct guest *guest, const char *path, const char *release, const char *modules,
                 const char *mark);
/* The same with a file more in it. */
void guest_image_with(struct guest *guest, const char *path, const char *release, const char *modules,
                      const char *name, const char *text);
/* All modules that boot from virtio and from VMware's disks. */
extern const char guest_all_modules[];
/* Enough for AHCI. */
extern const char guest_ahci_modules[];

/* Plans for @target; an error is kept. */
void guest_plan(struct guest *guest, const char *target, const char *devices);
/* The exit status of a plan for @target. */
int guest_exit(struct guest *guest, const char *target);
/* The finding number @index of a check in the last plan; fails the test when it has not so many. */
const struct tn_check *guest_finding(struct guest *guest, const char *id, unsigned index);
unsigned guest_findings(const struct guest *guest, const char *id);

/* The check has one finding with this verdict whose evidence contains @part; the first of them is returned.
 */
#define assert_found(guest, id, verdict, part) assert_found_at(guest, id, verdict, part, __FILE__, __LINE__)
const struct tn_check *assert_found_at(struct guest *guest, const char *id, enum tn_verdict verdict,
                                       const char *part, const char *file, int line);

/* The distributions, each with its kernel, boot loader, fstab by UUID and no finding that costs anything. */
struct guest *guest_debian(void);
struct guest *guest_ubuntu(void);
struct guest *guest_rhel(void);
struct guest *guest_suse(void);
struct guest *guest_arch(void);
struct guest *guest_alpine(void);
