/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The kernels that are installed, and what each knows of a module: built in, loaded, on the disk, missing.
 * By libkmod's indexes where depmod has made them, else from the text lists beside them. Reads only; all
 * paths are relative to the root of the env.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/env.h"
#include "pvdrivers/catalogue.h"

struct tn_kernels;

struct tn_kernel {
        char *release;     /* "6.1.0-37-amd64" */
        char *modules_dir; /* "lib/modules/6.1.0-37-amd64", or NULL: an image without a modules folder */
        char *image;       /* "boot/vmlinuz-…", or NULL: modules without an image */
        char *initramfs;   /* "boot/initrd.img-…", or NULL */
        bool running;
        bool is_default; /* the boot loader takes it, as far as that can be told; see tn_kernels_default() */
        const struct tn_kernels *owner;
        struct tn_kernel_index *index; /* kernel.c's own */
};

/* @env is borrowed and must outlive it. Never fails; there may be none. */
struct tn_kernels *tn_kernels_new(const struct tn_env *env);
void tn_kernels_free(struct tn_kernels *kernels);
typedef struct tn_kernels tn_kernels_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_kernels_t, tn_kernels_free)

/* Newest first; NULL behind the last one. Borrowed. */
struct tn_kernel *tn_kernels_at(const struct tn_kernels *kernels, size_t index);
/* NULL when there is none, or when it cannot be told. Borrowed. */
struct tn_kernel *tn_kernels_running(const struct tn_kernels *kernels);
struct tn_kernel *tn_kernels_default(const struct tn_kernels *kernels);
struct tn_kernel *tn_kernels_find(const struct tn_kernels *kernels, const char *release);

enum tn_module_state {
        TN_MODULE_BUILTIN,
        TN_MODULE_LOADED,      /* running kernel only */
        TN_MODULE_ON_DISK,     /* loads when asked for */
        TN_MODULE_MISSING,     /* this kernel has none of that name */
        TN_MODULE_BLACKLISTED, /* on the disk, but the administrator has said no */
        TN_MODULE_UNSIGNED,    /* on the disk, but Secure Boot will not let it in: no signature */
        _TN_MODULE_STATE_MAX,
};

struct tn_module {
        char *name; /* with '_' */
        enum tn_module_state state;
        char *path;              /* "lib/modules/…/virtio_blk.ko.xz"; NULL: built in or missing */
        char *blacklisted_by;    /* "/etc/modprobe.d/x.conf", "kernel command line", or NULL; also of loaded
                                    ones */
        bool blacklist_absolute; /* not even by name: modprobe and the kernel refuse */
        bool has_signature;
};

/* Never NULL. Free with tn_kernel_module_free(). */
struct tn_module *tn_kernel_module(struct tn_kernel *kernel, const char *name);
void tn_kernel_module_free(struct tn_module *module);
typedef struct tn_module tn_module_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_module_t, tn_kernel_module_free)

/* The state alone. */
enum tn_module_state tn_kernel_module_state(struct tn_kernel *kernel, const char *name);
/* The state of a row's module. An option of the kernel that is a yes or no and never a module (hvc_xen) is
 * in no list; the kernel's configuration tells of it, where it is kept. */
enum tn_module_state tn_kernel_driver_state(struct tn_kernel *kernel, const struct tn_pv_driver *driver);
/* 'y', 'm', 'n' for an option ("CONFIG_VIRTIO_BLK") of boot/config-RELEASE, or '\0' where there is no such
 * file. */
char tn_kernel_config(struct tn_kernel *kernel, const char *option);
/* Built in, loaded or on the disk: nothing stands against it. */
bool tn_kernel_module_usable(struct tn_kernel *kernel, const char *name);
/* What @name needs, transitively, built-in modules left out; empty when it needs nothing or is unknown. Free
 * with g_strfreev(). */
char **tn_kernel_module_dependencies(struct tn_kernel *kernel, const char *name);
/* Names of the modules (built in or not) that say that they drive @modalias; may be empty. Free with
 * g_strfreev(). */
char **tn_kernel_lookup_alias(struct tn_kernel *kernel, const char *modalias);

/* "built-in", "loaded", "on-disk", "missing", "blacklisted", "unsigned". Static string. */
const char *tn_kernel_state_name(enum tn_module_state state);
/* Name of a module from its file's name or from a user: "kernel/…/virtio-blk.ko.xz" → "virtio_blk". Free
 * with g_free(). */
char *tn_kernel_module_name(const char *file);
