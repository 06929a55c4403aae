/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of other hypervisors' guest tools, by a file that each of them has. */
#include "pvdrivers/leftovers.h"

#include <string.h>

#include "detect/detect.h"
#include "lib/error.h"
#include "lib/json.h"
#include "pvdrivers/platform.h"

#define KVM    (TN_PV_ON(TN_PV_KVM) | TN_PV_ON(TN_PV_GCP) | TN_PV_ON(TN_PV_AWS))
#define VMWARE TN_PV_ON(TN_PV_VMWARE)
#define XEN    TN_PV_ON(TN_PV_XEN)
#define HYPERV (TN_PV_ON(TN_PV_HYPERV) | TN_PV_ON(TN_PV_AZURE))
#define VBOX   TN_PV_ON(TN_PV_VIRTUALBOX)

#define ASK_DEADLINE_S 60

static const struct tool {
        const char *name, *file;
        unsigned platforms;   /* where it belongs */
        const char *packages; /* names that it goes by; those that are installed are removed */
        const char *by_hand;  /* for what did not come as a package */
} tools[] = {
        {"open-vm-tools", "usr/bin/vmtoolsd", VMWARE, "open-vm-tools open-vm-tools-desktop", NULL},
        {"VMware Tools (tarball)", "usr/bin/vmware-uninstall-tools.pl", VMWARE, NULL,
         "/usr/bin/vmware-uninstall-tools.pl"},
        {"Hyper-V daemons", "usr/sbin/hv_kvp_daemon", HYPERV, "hyperv-daemons linux-cloud-tools-common",
         NULL},
        {"Hyper-V daemons", "usr/sbin/hypervkvpd", HYPERV, "hypervkvpd hyperv-daemons", NULL},
        {"Azure agent", "usr/sbin/waagent", TN_PV_ON(TN_PV_AZURE), "walinuxagent WALinuxAgent", NULL},
        {"Xen guest utilities", "usr/sbin/xe-daemon", XEN, "xe-guest-utilities xe-guest-utilities-latest",
         NULL},
        {"Xen guest agent", "usr/sbin/xen-guest-agent", XEN, "xen-guest-agent", NULL},
        {"VirtualBox Guest Additions (package)", "usr/sbin/VBoxService", VBOX,
         "virtualbox-guest-utils virtualbox-guest-x11 virtualbox-guest-additions", NULL},
        {"VirtualBox Guest Additions (installer)", "var/lib/VBoxGuestAdditions/config", VBOX, NULL,
         "the script uninstall.sh in the folder that /var/lib/VBoxGuestAdditions/config names"},
        {"Parallels Tools", "usr/lib/parallels-tools/install", 0, NULL,
         "/usr/lib/parallels-tools/install --remove"},
        {"qemu-guest-agent", "usr/sbin/qemu-ga", KVM, "qemu-guest-agent", NULL},
        {"qemu-guest-agent", "usr/bin/qemu-ga", KVM, "qemu-guest-agent", NULL},
};

/* Names with blanks between, or NULL. Installed packages leave a file list (dpkg, apk by its one database)
 * or are asked for (rpm): a name in dpkg's folder is enough here; elsewhere the first name is taken. */
static char *find_packages(const struct tn_env *env, const struct tool *tool)
{
        g_auto(GStrv) names = tool->packages ? g_strsplit(tool->packages, " ", -1) : NULL;
        g_autoptr(GPtrArray) found = g_ptr_array_new();

        if (!names)
                return NULL;
        if (!tn_env_exists(env, "var/lib/dpkg/info"))
                return g_strdup(names[0]);
        for (char **name = names; *name; name++) {
                g_autofree char *list = g_strdup_printf("var/lib/dpkg/info/%s.list", *name);

                if (tn_env_exists(env, list))
                        g_ptr_array_add(found, *name);
        }
        g_ptr_array_add(found, NULL);
        return found->len > 1 ? g_strjoinv(" ", (char **) found->pdata) : NULL;
}

static bool is_left_over(const struct tn_env *env, const struct tool *tool, enum tn_pv_platform target)
{
        return !(tool->platforms & TN_PV_ON(target)) && tn_env_exists(env, tool->file);
}

json_t *tn_leftovers_to_json(const struct tn_env *env, enum tn_pv_platform target)
{
        json_t *list = json_array();

        for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
                g_autofree char *package = NULL, *file = NULL;

                if (!is_left_over(env, &tools[i], target))
                        continue;
                package = find_packages(env, &tools[i]);
                file = g_strconcat("/", tools[i].file, NULL);
                json_array_append_new(
                        list,
                        json_pack("{s:s, s:s, s:s?, s:s}", "name", tools[i].name, "file", file, "package",
                                  package, "remove",
                                  package ? "after the move: tenonctl drivers prepare --remove-old-tools"
                                  : tools[i].by_hand ? tools[i].by_hand
                                                     : "by hand: no package has this file"));
        }
        return list;
}

static bool runs_on(const struct tn_env *env, enum tn_pv_platform target, GError **error)
{
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);
        enum tn_pv_platform here = tn_platform_of(detect);

        return here == target ||
               tn_error_set(error, TN_ERROR_DENIED,
                            "old tools are removed after the move: this guest does not run on %s yet (%s); "
                            "nothing was removed",
                            tn_catalogue_platform_name(target),
                            here < _TN_PV_PLATFORM_MAX ? tn_catalogue_platform_name(here)
                                                       : "on no hypervisor that is known here");
}

/* The package with the tool's file, asked from rpm; NULL where rpm does not know. Free with g_free(). */
static char *ask_rpm(const struct tn_env *env, const char *file, tn_tool_run_func run)
{
        g_autofree char *rpm = tn_tool_find(env, "rpm"), *output = NULL;
        const char *const argv[] = {rpm, "-qf", "--queryformat", "%{NAME}", file, NULL};

        if (!rpm || !tn_tool_must(run, env, argv, ASK_DEADLINE_S, NULL, &output, NULL) || !*output)
                return NULL;
        return g_steal_pointer(&output);
}

/* Appends the row's packages, which are @asked or, with blanks between, the row's own. */
static void add_names(GPtrArray *names, const char *asked)
{
        g_auto(GStrv) words = asked ? g_strsplit(asked, " ", -1) : NULL;

        for (char **word = words; word && *word; word++)
                g_ptr_array_add(names, g_strdup(*word));
}

/* Those that were found, by the names that they are installed by. */
static bool remove_packages(const struct tn_env *env, const json_t *found, tn_tool_run_func run,
                            struct tn_progress *progress, GError **error)
{
        bool by_rpm = !tn_env_exists(env, "var/lib/dpkg/info") && !tn_env_exists(env, "lib/apk/db");
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(tn_packages_t) packages = NULL;
        json_t *row;
        size_t i;

        json_array_foreach((json_t *) found, i, row)
        {
                const char *package = json_string_value(json_object_get(row, "package"));
                const char *file = json_string_value(json_object_get(row, "file"));
                g_autofree char *asked = package && by_rpm ? ask_rpm(env, file, run ? run : tn_tool_run)
                                                           : NULL;

                add_names(names, by_rpm ? asked : package);
        }
        if (names->len == 0)
                return true;
        g_ptr_array_add(names, NULL);
        packages = tn_packages_new(env, NULL, run, error);
        tn_progress_step(progress, "old-tools", "removing the tools of other hypervisors");
        return packages && tn_packages_remove(packages, (const char *const *) names->pdata, progress, error);
}

static void append_words(json_t *list, const char *words)
{
        g_auto(GStrv) split = g_strsplit(words, " ", -1);

        for (char **word = split; *word; word++)
                json_array_append_new(list, json_string(*word));
}

/* What is gone, or would be, and what is left with what to do about it. */
static json_t *tell(const struct tn_env *env, const json_t *found, bool dry_run)
{
        json_t *removed = json_array(), *left = json_array(), *row;
        size_t i;

        json_array_foreach((json_t *) found, i, row)
        {
                const char *package = json_string_value(json_object_get(row, "package"));
                const char *file = json_string_value(json_object_get(row, "file"));

                if (!package)
                        json_array_append(left, json_object_get(row, "remove"));
                else if (dry_run || !tn_env_exists(env, file + 1))
                        append_words(removed, package);
                else
                        json_array_append_new(left, json_sprintf("by hand: %s is still there", file));
        }
        return json_pack("{s:o, s:o}", "removed", removed, "left", left);
}

bool tn_leftovers_remove(const struct tn_env *env, enum tn_pv_platform target, bool dry_run,
                         tn_tool_run_func run, struct tn_progress *progress, json_t **ret, GError **error)
{
        json_auto_t *found = tn_leftovers_to_json(env, target);

        if (!dry_run && !runs_on(env, target, error))
                return false;
        if (!dry_run && !remove_packages(env, found, run, progress, error))
                return false;
        *ret = tell(env, found, dry_run);
        return true;
}
