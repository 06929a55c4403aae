/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What package managers print when they are asked about one package. Pure: text in, facts out. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tn_update_answer {
        char *installed; /* NULL: it is not installed by this manager */
        char *candidate; /* NULL: no repository has it */
        bool newer;      /* the candidate is newer than what is installed */
        bool security;   /* and comes from a repository for security */
};

void tn_update_answer_clear(struct tn_update_answer *answer);
typedef struct tn_update_answer tn_update_answer_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(tn_update_answer_t, tn_update_answer_clear)

/* One for each manager. False with @error: the text is none that it prints. */
typedef bool (*tn_update_answer_func)(const char *output, const char *package, struct tn_update_answer *ret,
                                      GError **error);
bool tn_update_answer_apt(const char *output, const char *package, struct tn_update_answer *ret,
                          GError **error);
bool tn_update_answer_dnf(const char *output, const char *package, struct tn_update_answer *ret,
                          GError **error);
bool tn_update_answer_zypper(const char *output, const char *package, struct tn_update_answer *ret,
                             GError **error);
bool tn_update_answer_apk(const char *output, const char *package, struct tn_update_answer *ret,
                          GError **error);
