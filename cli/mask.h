/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Takes out of a text what a stranger should not see. The same word becomes the same mask everywhere, so
 * that who reads the texts still sees which address is which: "address-1", "uuid-2". What is left out and
 * what cannot be known is told in tenonctl(1).
 */
#pragma once

#include <glib.h>

struct tn_mask;

struct tn_mask *tn_mask_new(void);
void tn_mask_free(struct tn_mask *mask);
typedef struct tn_mask tn_mask_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_mask_t, tn_mask_free)

/* A word of this machine, such as its name: as a word of its own it becomes @instead. NULL and what is
 * shorter than two characters is ignored. */
void tn_mask_word(struct tn_mask *mask, const char *word, const char *instead);
/* The text without them. Free with g_free(). */
char *tn_mask_text(struct tn_mask *mask, const char *text);
/* How often something was masked so far. */
unsigned tn_mask_count(const struct tn_mask *mask);
