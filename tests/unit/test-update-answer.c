/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What apt-cache, dnf, zypper and apk print, in their words, and what is none of it. */
#include "update/answer.h"

#include "support.h"

static const struct {
        const char *name;
        tn_update_answer_func parse;
        const char *output;
        const char *installed, *candidate; /* NULL: none */
        bool newer, security;
} cases[] = {
        {"apt: newer", tn_update_answer_apt,
         "tenon:\n  Installed: 0.1.0-1\n  Candidate: 0.2.0-1\n  Version table:\n     0.2.0-1 500\n"
         "        500 file:/repository ./ Packages\n *** 0.1.0-1 100\n        100 /var/lib/dpkg/status\n",
         "0.1.0-1", "0.2.0-1", true, false},
        {"apt: security", tn_update_answer_apt,
         "tenon:\n  Installed: 0.1.0-1\n  Candidate: 0.1.0-1+deb12u1\n  Version table:\n     "
         "0.1.0-1+deb12u1 500\n"
         "        500 http://deb.example.org/debian-security bookworm-security/main amd64 Packages\n"
         " *** 0.1.0-1 500\n        500 http://deb.example.org/debian bookworm/main amd64 Packages\n"
         "        100 /var/lib/dpkg/status\n",
         "0.1.0-1", "0.1.0-1+deb12u1", true, true},
        {"apt: current", tn_update_answer_apt,
         "tenon:\n  Installed: 0.1.0-1\n  Candidate: 0.1.0-1\n  Version table:\n *** 0.1.0-1 500\n"
         "        500 http://deb.example.org/debian bookworm/main amd64 Packages\n"
         "        100 /var/lib/dpkg/status\n",
         "0.1.0-1", "0.1.0-1", false, false},
        {"apt: by hand", tn_update_answer_apt,
         "tenon:\n  Installed: 0.1.0-1\n  Candidate: 0.1.0-1\n  Version table:\n *** 0.1.0-1 100\n"
         "        100 /var/lib/dpkg/status\n",
         "0.1.0-1", NULL, false, false},
        {"apt: newer than the repository", tn_update_answer_apt,
         "tenon:\n  Installed: 0.3.0-1\n  Candidate: 0.3.0-1\n  Version table:\n *** 0.3.0-1 100\n"
         "        100 /var/lib/dpkg/status\n     0.2.0-1 500\n        500 file:/r ./ Packages\n",
         "0.3.0-1", "0.2.0-1", false, false},
        {"apt: not installed", tn_update_answer_apt,
         "tenon:\n  Installed: (none)\n  Candidate: 0.2.0-1\n  Version table:\n     0.2.0-1 500\n"
         "        500 file:/r ./ Packages\n",
         NULL, "0.2.0-1", false, false},
        {"apt: pinned away", tn_update_answer_apt,
         "tenon:\n  Installed: 0.1.0-1\n  Candidate: (none)\n  Version table:\n *** 0.1.0-1 -1\n"
         "        100 /var/lib/dpkg/status\n",
         "0.1.0-1", NULL, false, false},
        {"apt: never heard of", tn_update_answer_apt, "N: Unable to locate package tenon\n", NULL, NULL,
         false, false},
        {"dnf4: newer", tn_update_answer_dnf,
         "Installed Packages\ntenon.x86_64    0.1.0-1.fc39    @updates\nAvailable Packages\n"
         "tenon.x86_64    0.2.0-1.fc39    updates\n",
         "0.1.0-1.fc39", "0.2.0-1.fc39", true, false},
        {"dnf4: current", tn_update_answer_dnf,
         "Installed Packages\ntenon.x86_64    0.1.0-1.fc39    @updates\n", "0.1.0-1.fc39", "0.1.0-1.fc39",
         false, false},
        {"dnf4: by hand", tn_update_answer_dnf,
         "Installed Packages\ntenon.x86_64    0.1.0-1.fc39    @@commandline\n", "0.1.0-1.fc39", NULL, false,
         false},
        {"dnf5: newer", tn_update_answer_dnf,
         "Installed packages\ntenon.x86_64 0.1.0-1.fc41 updates\n\nAvailable packages\n"
         "tenon.x86_64 0.1.0-1.fc41 fedora\ntenon.x86_64 0.10.0-1.fc41 updates\ntenon.x86_64 0.9.0-1.fc41 "
         "updates\n",
         "0.1.0-1.fc41", "0.10.0-1.fc41", true, false},
        {"zypper: newer", tn_update_answer_zypper,
         "\n\nInformation for package tenon:\n------------------------------\nRepository     : Main "
         "Repository\n"
         "Name           : tenon\nVersion        : 0.2.0-1.1\nArch           : x86_64\nInstalled      : "
         "Yes\n"
         "Status         : out-of-date (version 0.1.0-1.1 installed)\n",
         "0.1.0-1.1", "0.2.0-1.1", true, false},
        {"zypper: current", tn_update_answer_zypper,
         "Repository     : Main Repository\nName           : tenon\nVersion        : 0.2.0-1.1\n"
         "Status         : up-to-date\n",
         "0.2.0-1.1", "0.2.0-1.1", false, false},
        {"zypper: by hand", tn_update_answer_zypper,
         "Repository     : @System\nName           : tenon\nVersion        : 0.2.0-1.1\nStatus         : "
         "up-to-date\n",
         "0.2.0-1.1", NULL, false, false},
        {"apk: newer", tn_update_answer_apk,
         "Installed:                                Available:\ntenon-0.1.0-r0         < 0.2.0-r0\n",
         "0.1.0-r0", "0.2.0-r0", true, false},
        {"apk: current", tn_update_answer_apk, "tenon-0.1.0-r0         = 0.1.0-r0\n", "0.1.0-r0", "0.1.0-r0",
         false, false},
        {"apk: by hand", tn_update_answer_apk, "tenon-0.1.0-r0         ?\n", "0.1.0-r0", NULL, false, false},
        {"apk: not installed", tn_update_answer_apk, "Installed:           Available:\n", NULL, NULL, false,
         false},
};

static void each_says_it_in_its_way(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_auto(tn_update_answer_t) answer = {0};
                g_autoptr(GError) error = NULL;

                if (!cases[i].parse(cases[i].output, "tenon", &answer, &error))
                        fail_msg("%s: %s", cases[i].name, error->message);
                if (g_strcmp0(answer.installed, cases[i].installed) != 0 ||
                    g_strcmp0(answer.candidate, cases[i].candidate) != 0 || answer.newer != cases[i].newer ||
                    answer.security != cases[i].security)
                        fail_msg("%s: %s, %s, newer %d, security %d", cases[i].name, answer.installed,
                                 answer.candidate, answer.newer, answer.security);
        }
}

static const char *const rubbish[] = {
        "E: Could not get lock /var/lib/dpkg/lock\n",
        "Segmentation fault\n",
        "\x7f"
        "ELF\x01\x02\n",
        "tenon:\n  Installed: 0.1.0-1\n",
        "tenon:\n  Installed: $(reboot)\n  Candidate: 0.2.0-1\n",
        "tenon:\n  Installed: 0.1.0-1\n  Candidate: newest\n",
        "other:\n  Installed: 0.1.0-1\n  Candidate: 0.2.0-1\n",
        "tenon.x86_64 0.2.0-1 updates\n",
        "Installed Packages\ntenon-doc.noarch 0.1.0-1.fc39 @updates\n",
        "Installed Packages\ntenon.x86_64 0.1.0-1.fc39 @updates\nAvailable Packages\ntenon.x86_64 ! "
        "updates\n",
        "Name           : tenon\nVersion        : 0.2.0-1.1\n",
        "Name           : tenon\nVersion        : 0.2.0-1.1\nStatus         : undecided\n",
        "Name           : tenon-doc\nVersion        : 0.2.0-1.1\nStatus         : up-to-date\n",
        "tenon-0.1.0-r0 < \n",
        "tenon-doc-0.1.0-r0 < 0.2.0-r0\n",
        "Installed:      Available:\ntenon-0.1.0-r0 < '0.2.0\n", /* found by the fuzzer */
};

/* None of them takes any of these for an answer. */
static void rubbish_is_no_answer(void **state)
{
        static const tn_update_answer_func parsers[] = {tn_update_answer_apt, tn_update_answer_dnf,
                                                        tn_update_answer_zypper, tn_update_answer_apk};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rubbish); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(parsers); j++) {
                        struct tn_update_answer answer = {0};
                        g_autoptr(GError) error = NULL;

                        if (parsers[j](rubbish[i], "tenon", &answer, &error))
                                fail_msg("parser %zu takes '%s'", j, rubbish[i]);
                        assert_int_equal(error->code, TN_ERROR_INVALID);
                        assert_null(answer.installed);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_says_it_in_its_way),
                cmocka_unit_test(rubbish_is_no_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
