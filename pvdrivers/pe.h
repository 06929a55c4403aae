/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Sections of a PE program: a unified kernel image has kernel, initramfs and command line in them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TN_PE_HEAD_MAX                                                                                      \
        4096 /* bytes at the beginning of the file in which the table of sections is looked for */

struct tn_pe_section {
        uint32_t offset; /* in the file */
        uint32_t size;
};

/* Does a PE program begin here? */
bool tn_pe_check(const uint8_t *head, size_t len);
/* @head: the first TN_PE_HEAD_MAX bytes of the file, or all of a smaller one. @name: ".initrd". */
bool tn_pe_find_section(const uint8_t *head, size_t len, const char *name, struct tn_pe_section *ret);
