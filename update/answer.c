/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Four outputs that were made for people. Each is read strictly: what is not understood is an error and
 * never "nothing newer". Formats: apt-cache(8) policy, dnf(8) list, zypper(8) info, apk-version(8).
 */
#include "update/answer.h"

#include <string.h>

#include "lib/error.h"
#include "lib/version.h"

void tn_update_answer_clear(struct tn_update_answer *answer)
{
        g_free(answer->installed);
        g_free(answer->candidate);
        *answer = (struct tn_update_answer){0};
}

static bool fail(GError **error, const char *what, const char *output)
{
        g_autofree char *start = g_strescape(output, NULL);

        return tn_error_set(error, TN_ERROR_INVALID, "%s%s%.120s", what, *start ? ": " : "", start);
}

/* A copy of a version, or NULL where it is none. */
static char *take_version(const char *text)
{
        return tn_version_is_valid(text) ? g_strdup(text) : NULL;
}

/* What stands between blanks. No regular expression: the bytes may be no UTF-8. Free with g_strfreev(). */
static char **split_words(const char *line)
{
        g_autoptr(GPtrArray) words = g_ptr_array_new();

        for (const char *at = line + strspn(line, " \t\r"); *at; at += strspn(at, " \t\r")) {
                size_t len = strcspn(at, " \t\r");

                g_ptr_array_add(words, g_strndup(at, len));
                at += len;
        }
        g_ptr_array_add(words, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

static bool finish(struct tn_update_answer *answer, enum tn_version_rules rules,
                   struct tn_update_answer *ret)
{
        answer->newer = answer->installed && answer->candidate &&
                        tn_version_compare(rules, answer->installed, answer->candidate) < 0;
        answer->security = answer->security && answer->newer;
        *ret = *answer;
        *answer = (struct tn_update_answer){0};
        return true;
}

/* The rest of the first line that begins with @head, behind blanks, without white space at its ends; NULL
 * when there is none. Free with g_free(). */
static char *find_value(char **lines, const char *head)
{
        for (; *lines; lines++) {
                const char *line = *lines + strspn(*lines, " ");

                if (g_str_has_prefix(line, head))
                        return g_strstrip(g_strdup(line + strlen(head)));
        }
        return NULL;
}

/* The table below "Version table:": " *** VERSION PRIORITY" or "     VERSION PRIORITY", the newest first,
 * and below each the places that have it: "        PRIORITY SOURCE". The first one that is in a repository
 * and is
 * @version, if that is not NULL; NULL when there is none. *ret_security: it is in one for security. */
static char *apt_find(char **lines, const char *version, bool *ret_security)
{
        g_autofree char *row = NULL;
        bool found = false;

        *ret_security = false;
        for (; *lines; lines++) {
                g_auto(GStrv) words = NULL;
                const char *line = *lines;

                if (g_str_has_prefix(line, "        ")) {
                        if (!row || (version && !g_str_equal(row, version)) || strstr(line, "/dpkg/status"))
                                continue;
                        found = true;
                        *ret_security |= strstr(line, "-security") || strstr(line, "Debian-Security");
                } else if (g_str_has_prefix(line, "     ") || g_str_has_prefix(line, " *** ")) {
                        if (found)
                                break;
                        words = g_strsplit(line + 5, " ", 2);
                        g_free(row);
                        row = take_version(words[0] ? words[0] : "");
                }
        }
        return found ? g_steal_pointer(&row) : NULL;
}

/* apt says nothing of a package that it has never heard of. */
static bool is_silence(const char *output)
{
        return output[strspn(output, " \r\n")] == '\0' ||
               g_str_has_prefix(output, "N: Unable to locate package");
}

bool tn_update_answer_apt(const char *output, const char *package, struct tn_update_answer *ret,
                          GError **error)
{
        g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
        g_auto(tn_update_answer_t) answer = {0};
        g_autofree char *head = g_strconcat(package, ":", NULL), *own = find_value(lines, head);
        g_autofree char *installed = find_value(lines, "Installed:"),
                        *wanted = find_value(lines, "Candidate:");

        if (is_silence(output)) {
                *ret = answer;
                return true;
        }
        if (!own || !installed || !wanted)
                return fail(error, "the answer is not understood", output);
        answer.installed = take_version(installed);
        if ((!answer.installed && !g_str_equal(installed, "(none)")) ||
            (!tn_version_is_valid(wanted) && !g_str_equal(wanted, "(none)")))
                return fail(error, "the answer has something else than a version", output);
        /* What apt would take may be only what is installed: then the newest that a repository has. */
        answer.candidate = apt_find(lines, wanted, &answer.security);
        if (!answer.candidate)
                answer.candidate = apt_find(lines, NULL, &answer.security);
        return finish(&answer, TN_VERSION_DPKG, ret);
}

/* "tenon.x86_64  0.2.0-1.fc40  updates": is this line about the package? */
static bool dnf_is_row(const char *line, const char *package)
{
        size_t len = strlen(package);

        return strncmp(line, package, len) == 0 && line[len] == '.';
}

/* Its version, or NULL. */
static char *dnf_version(const char *line)
{
        g_auto(GStrv) words = split_words(line);

        return g_strv_length(words) == 3 ? take_version(words[1]) : NULL;
}

bool tn_update_answer_dnf(const char *output, const char *package, struct tn_update_answer *ret,
                          GError **error)
{
        g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
        g_auto(tn_update_answer_t) answer = {0};
        bool from_repository = false;
        char **into = NULL;

        for (char **line = lines; *line; line++) {
                g_autofree char *lower = g_ascii_strdown(*line, -1);
                char *version;

                if (g_str_has_prefix(lower, "installed packages"))
                        into = &answer.installed;
                else if (g_str_has_prefix(lower, "available packages") ||
                         g_str_has_prefix(lower, "available upgrades"))
                        into = &answer.candidate;
                if (!into || !dnf_is_row(*line, package))
                        continue;
                version = dnf_version(*line);
                if (!version)
                        return fail(error, "its line is not understood", *line);
                /* Each version that there is has a line. */
                if (*into && tn_version_compare(TN_VERSION_RPM, *into, version) >= 0) {
                        g_free(version);
                        continue;
                }
                g_free(*into);
                *into = version;
                /* "@updates": it came from a repository; what is listed once is its newest, too. */
                if (into == &answer.installed && !strstr(*line, "@System") && !strstr(*line, "@@") &&
                    !strstr(*line, "@commandline"))
                        from_repository = true;
        }
        if (!answer.installed && !answer.candidate)
                return fail(error, "the answer is not understood", output);
        if (!answer.candidate && from_repository)
                answer.candidate = g_strdup(answer.installed);
        return finish(&answer, TN_VERSION_RPM, ret);
}

/* "Key            : value" */
static char *zypper_value(char **lines, const char *key)
{
        g_autofree char *value = find_value(lines, key);

        if (!value || *value != ':')
                return NULL;
        return g_strstrip(g_strdup(value + 1));
}

/* "out-of-date (version 0.1.0-1 installed)" */
static char *zypper_installed(const char *status)
{
        static const char head[] = "out-of-date (version ";
        g_auto(GStrv) words = NULL;

        if (!g_str_has_prefix(status, head))
                return NULL;
        words = g_strsplit(status + strlen(head), " ", 2);
        return take_version(words[0]);
}

bool tn_update_answer_zypper(const char *output, const char *package, struct tn_update_answer *ret,
                             GError **error)
{
        g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
        g_auto(tn_update_answer_t) answer = {0};
        g_autofree char *name = zypper_value(lines, "Name"), *version = zypper_value(lines, "Version");
        g_autofree char *status = zypper_value(lines, "Status"), *place = zypper_value(lines, "Repository");

        if (g_strcmp0(name, package) != 0 || !version || !tn_version_is_valid(version) || !status)
                return fail(error, "the answer is not understood", output);
        answer.candidate = g_strdup(version);
        if (g_str_has_prefix(status, "up-to-date"))
                answer.installed = g_strdup(version);
        else if (!g_str_has_prefix(status, "not installed"))
                answer.installed = zypper_installed(status);
        if (!answer.installed && !g_str_has_prefix(status, "not installed"))
                return fail(error, "its status is not understood", status);
        if (g_strcmp0(place, "@System") == 0)
                g_clear_pointer(&answer.candidate, g_free);
        return finish(&answer, TN_VERSION_RPM, ret);
}

/* "tenon-0.1.0-r0   < 0.2.0-r0": is this line about the package, and not about one whose name begins alike?
 */
static bool apk_is_row(const char *line, const char *package)
{
        size_t len = strlen(package);

        return strncmp(line, package, len) == 0 && line[len] == '-' && g_ascii_isdigit(line[len + 1]);
}

/* apk compares by itself, by rules of its own. "?": no repository has it. */
static bool apk_read_row(const char *line, const char *package, struct tn_update_answer *ret)
{
        g_auto(GStrv) words = split_words(line);
        g_auto(tn_update_answer_t) answer = {0};
        guint count = g_strv_length(words);
        bool alone = count > 1 && g_str_equal(words[1], "?");

        if (count < 2 || strlen(words[1]) != 1 || !strchr("<=>?", words[1][0]))
                return false;
        answer.installed = take_version(words[0] + strlen(package) + 1);
        answer.candidate = count > 2 && !alone ? take_version(words[2]) : NULL;
        answer.newer = words[1][0] == '<';
        if (!answer.installed || (!answer.candidate && !alone))
                return false;
        *ret = answer;
        answer = (struct tn_update_answer){0};
        return true;
}

bool tn_update_answer_apk(const char *output, const char *package, struct tn_update_answer *ret,
                          GError **error)
{
        g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
        bool header = false;

        for (char **line = lines; *line; line++) {
                header |= g_str_has_prefix(*line, "Installed:");
                if (apk_is_row(*line, package))
                        return apk_read_row(*line, package, ret) ||
                               fail(error, "its line is not understood", *line);
        }
        if (!header)
                return fail(error, "the answer is not understood", output);
        *ret = (struct tn_update_answer){0}; /* a header and no row: it is not installed */
        return true;
}
