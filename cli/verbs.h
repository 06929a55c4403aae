/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The one table of verbs: what tenonctl can be told. Parsing, --help and the completion of the shells are
 * made from it, and tests hold the man page and the output against it. So a verb's own code names no option
 * but to say where its value goes (options.h).
 */
#pragma once

#include <stdbool.h>

enum tn_option_kind {
        TN_OPTION_FLAG, /* no value; gboolean */
        TN_OPTION_TEXT, /* char *, g_free() */
        TN_OPTION_FILE, /* the same; shells complete the names of files */
        TN_OPTION_DIR,
        TN_OPTION_NUMBER, /* int */
};

struct tn_option {
        const char *name; /* without "--"; NULL ends the array */
        char letter;      /* or 0 */
        enum tn_option_kind kind;
        const char *value; /* what its value is called; NULL for a flag */
        const char *help;
        const char *words; /* values that shells offer, with spaces between; NULL */
        bool required;
};

struct tn_verb {
        const char *name; /* NULL ends the array */
        const char *operands;
        const char *summary;
        const struct tn_option *options; /* may be NULL */
        const char *exits;               /* what the exit statuses mean, beside 2: wrong usage or not done */
        const char *json;                /* members of what --json prints, with spaces between; "[]" before
                                            them: an array of such objects. NULL: no --json. */
        const char *words;               /* operands that shells offer; NULL */
        int (*run)(int argc, char **argv); /* argv[0] is the verb's full name; NULL: only its verbs do */
        const struct tn_verb *verbs;       /* "plan" below "drivers"; NULL: none */
};

/* Members of the object "error" that --json prints of any verb that fails, with spaces between. */
extern const char tn_error_members[];
/* Stand before a verb or behind it. */
extern const struct tn_option tn_common_options[];
/* Stand before the verb, or alone. */
extern const struct tn_option tn_first_options[];
extern const struct tn_verb tn_verbs[];
