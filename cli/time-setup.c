/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl time setup: chrony with the hypervisor's clock as its reference. Two small files of our own,
 * never a line in somebody else's; each begins with a mark, by which --undo knows that it is ours and
 * unchanged.
 */
#include "cli/time-setup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/ptp-clock.h"
#include "lib/replace.h"

#define MODULES "etc/modules-load.d/tenon-time.conf"

static const char *const chrony_folders[] = {"etc/chrony/conf.d", "etc/chrony.d"};

struct wanted {
        char *path; /* relative to the root */
        char *text;
};

static const char *chrony_folder(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(chrony_folders); i++)
                if (tn_env_exists(env, chrony_folders[i]))
                        return chrony_folders[i];
        return NULL;
}

/* Names that udev gives, which do not depend on the order of the devices. */
static char *device_path(const struct tn_env *env, const struct tn_ptp_kind *kind, const char *device)
{
        g_autofree char *stable = g_strdup_printf("dev/%s", kind->name);

        if (tn_env_exists(env, stable))
                return g_strdup_printf("/%s", stable);
        return g_strdup_printf("/dev/%s", device);
}

static void wanted_clear(void *data)
{
        struct wanted *wanted = data;

        g_free(wanted->path);
        g_free(wanted->text);
}

static void add(GArray *list, char *path, char *text)
{
        struct wanted wanted = {.path = path, .text = text};

        g_array_append_val(list, wanted);
}

/* What should be there; NULL with @error when this machine has nothing to set up. */
static GArray *plan(const struct tn_env *env, GError **error)
{
        g_autofree char *clock = NULL;
        const struct tn_ptp_kind *kind = tn_ptp_clock_find(env, &clock);
        const char *folder = chrony_folder(env);
        g_autofree char *device = kind ? device_path(env, kind, clock) : NULL;
        GArray *list;

        if (!kind || !folder) {
                (void) tn_error_set(
                        error, TN_ERROR_UNSUPPORTED, "%s",
                        !kind ? "this machine has no clock of its hypervisor's (none of a known name in "
                                "/sys/class/ptp); on KVM try: modprobe ptp_kvm"
                              : "chrony is not installed here (neither /etc/chrony/conf.d nor "
                                "/etc/chrony.d is there)");
                return NULL;
        }
        list = g_array_new(FALSE, TRUE, sizeof(struct wanted));
        g_array_set_clear_func(list, wanted_clear);
        add(list, g_strdup_printf("%s/tenon.conf", folder),
            g_strdup_printf("# Written by tenonctl time setup; tenonctl time setup --undo removes it.\n"
                            "refclock PHC %s poll 2 dpoll -2 offset 0 stratum 2\n"
                            "makestep 1 -1\n",
                            device));
        if (g_str_equal(kind->name, "ptp_kvm")) /* no device asks for this module */
                add(list, g_strdup(MODULES),
                    g_strdup("# Written by tenonctl time setup; tenonctl time setup --undo removes it.\n"
                             "ptp_kvm\n"));
        return list;
}

/* Somebody's own file is never overwritten or removed. */
static bool check_ours(const struct tn_env *env, const struct wanted *wanted, char **ret_old, GError **error)
{
        g_autofree char *old = NULL;

        *ret_old = NULL;
        if (!tn_env_exists(env, wanted->path))
                return true;
        if (!tn_env_read(env, wanted->path, &old, NULL, error))
                return false;
        if (!g_str_has_prefix(old, "# Written by tenonctl time setup;"))
                return tn_error_set(error, TN_ERROR_BUSY,
                                    "/%s was not written by tenonctl; move it away first", wanted->path);
        *ret_old = g_steal_pointer(&old);
        return true;
}

/* What a file was and what it is now; NULL: it is not there. */
static void note(json_t *changes, const char *path, const char *before, const char *after)
{
        g_autofree char *file = g_strdup_printf("/%s", path);

        json_array_append_new(changes, json_pack("{s:o, s:o, s:o}", "file", tn_json_text(file), "before",
                                                 tn_json_text(before), "after", tn_json_text(after)));
}

static bool write_one(const struct tn_env *env, const struct wanted *wanted, bool dry_run, json_t *changes,
                      GError **error)
{
        g_autofree char *old = NULL;

        if (!check_ours(env, wanted, &old, error))
                return false;
        if (g_strcmp0(old, wanted->text) == 0)
                return true;
        if (!dry_run && !tn_replace_file(env, wanted->path, wanted->text, 0644, error))
                return false;
        note(changes, wanted->path, old, wanted->text);
        return true;
}

static bool remove_one(const struct tn_env *env, const char *path, bool dry_run, json_t *changes,
                       GError **error)
{
        struct wanted wanted = {.path = (char *) path};
        g_autofree char *old = NULL;

        if (!check_ours(env, &wanted, &old, error))
                return false;
        if (!old)
                return true;
        if (!dry_run && unlinkat(env->root_fd, path, 0) < 0)
                return tn_error_errno(error, errno, "remove /%s", path);
        note(changes, path, old, NULL);
        return true;
}

static bool undo(const struct tn_env *env, bool dry_run, json_t *changes, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(chrony_folders); i++) {
                g_autofree char *path = g_strdup_printf("%s/tenon.conf", chrony_folders[i]);

                if (!remove_one(env, path, dry_run, changes, error))
                        return false;
        }
        return remove_one(env, MODULES, dry_run, changes, error);
}

static bool set_up(const struct tn_env *env, bool dry_run, json_t *changes, GError **error)
{
        g_autoptr(GArray) list = plan(env, error);
        g_autofree char *ignored = NULL;

        if (!list)
                return false;
        for (guint i = 0; i < list->len; i++) { /* all are looked at before the first is written */
                g_clear_pointer(&ignored, g_free);
                if (!check_ours(env, &g_array_index(list, struct wanted, i), &ignored, error))
                        return false;
        }
        for (guint i = 0; i < list->len; i++)
                if (!write_one(env, &g_array_index(list, struct wanted, i), dry_run, changes, error))
                        return false;
        return true;
}

bool tn_time_setup(const struct tn_env *env, bool take_back, bool dry_run, json_t *changes, GError **error)
{
        return take_back ? undo(env, dry_run, changes, error) : set_up(env, dry_run, changes, error);
}
