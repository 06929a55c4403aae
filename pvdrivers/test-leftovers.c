/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Other hypervisors' guest tools are removed: which package that is, and whether it is gone. The package
 * manager is a stand-in. */
#define _GNU_SOURCE
#include "detect/test-folder.h"
#include "lib/json.h"
#include "pvdrivers/leftovers.h"

#define TOOL "usr/sbin/qemu-ga"

static struct tn_env env;
static char *root;
static GString *asked;
static const char *owner; /* whose the tool is, as rpm tells it, or NULL */
static bool removes;      /* a removal takes the tool along */

static bool stand_in(const struct tn_env *e, const char *const *argv, unsigned deadline_s,
                     struct tn_progress *progress, struct tn_tool_result *ret, GError **error)
{
        g_autofree char *line = g_strjoinv(" ", (char **) argv);

        (void) e;
        (void) deadline_s;
        (void) progress;
        (void) error;
        g_string_append_printf(asked, "%s\n", line);
        *ret = (struct tn_tool_result){.output = g_string_new(NULL)};
        if (strstr(line, " -qf ")) {
                ret->exit_status = owner ? 0 : 1;
                g_string_append(ret->output, owner ? owner : "file is not owned by any package");
        } else if (removes) {
                g_autofree char *path = folder_path(root, TOOL);

                assert_int_equal(unlink(path), 0);
        }
        return true;
}

/* A VMware guest with QEMU's agent, of which these files tell. */
static void begin(const char *program, const char *database)
{
        root = folder_new();
        folder_put(root, "sys/class/dmi/id/sys_vendor", "VMware, Inc.\n");
        folder_put(root, program, "stand-in");
        folder_put(root, database, "");
        folder_put(root, TOOL, "x");
        assert_true(tn_env_init_root(&env, root, NULL));
        asked = g_string_new(NULL);
}

static void check(const char *wanted, const char *wanted_asked)
{
        g_autofree char *text = NULL;
        json_t *result = NULL;
        GError *error = NULL;

        assert_true(tn_leftovers_remove(&env, TN_PV_VMWARE, false, stand_in, NULL, &result, &error));
        text = json_dumps(result, JSON_COMPACT);
        assert_string_equal(text, wanted);
        assert_string_equal(asked->str, wanted_asked);
        json_decref(result);
        g_string_free(asked, TRUE);
        tn_env_deinit(&env);
        folder_free(root);
}

static void test_dpkg(void **state)
{
        (void) state;
        removes = true;
        begin("usr/bin/apt-get", "var/lib/dpkg/info/qemu-guest-agent.list");
        check("{\"removed\":[\"qemu-guest-agent\"],\"left\":[]}",
              "/usr/bin/dpkg --remove qemu-guest-agent\n");
}

/* A manager that has said that it is done is not believed. */
static void test_still_there(void **state)
{
        (void) state;
        removes = false;
        begin("usr/bin/apt-get", "var/lib/dpkg/info/qemu-guest-agent.list");
        check("{\"removed\":[],\"left\":[\"by hand: /usr/sbin/qemu-ga is still there\"]}",
              "/usr/bin/dpkg --remove qemu-guest-agent\n");
}

static void test_rpm(void **state)
{
        static const char ask[] = "/usr/bin/rpm -qf --queryformat %{NAME} /usr/sbin/qemu-ga\n";
        g_autofree char *both = g_strconcat(ask, "/usr/bin/rpm -e qemu-ga-core\n", NULL);

        (void) state;
        removes = true;
        owner = "qemu-ga-core";
        begin("usr/bin/dnf", "usr/bin/rpm");
        check("{\"removed\":[\"qemu-guest-agent\"],\"left\":[]}", both);
        owner = NULL;
        begin("usr/bin/dnf", "usr/bin/rpm");
        check("{\"removed\":[],\"left\":[\"by hand: /usr/sbin/qemu-ga is still there\"]}", ask);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dpkg),
                cmocka_unit_test(test_still_there),
                cmocka_unit_test(test_rpm),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
