/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Writes to sysfs. The surprising thing: a CPU without a file "online" is online and stays so, thus asking
 * for what it is already succeeds.
 */
#include "plugins/helper/online.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"

#define CPU_PATH    "sys/devices/system/cpu"
#define MEMORY_PATH "sys/devices/system/memory"

/* errno tells more to who has no @error. */
static bool write_value(const struct tn_env *env, const char *path, const char *value, GError **error)
{
        tn_autofd int fd = tn_env_open(env, path, O_WRONLY | O_TRUNC, error);

        if (fd < 0)
                return false;
        if (write(fd, value, strlen(value)) < 0)
                return tn_error_errno(error, errno, "write(\"/%s\")", path);
        return true;
}

/* The list at @key of @request, each element with the integer @number and the boolean "online". */
static json_t *list_of(const json_t *request, const char *key, const char *number, GError **error)
{
        json_t *list = json_object_get(request, key), *item;
        size_t i;

        if (!json_is_array(list)) {
                tn_error_set(error, TN_ERROR_INVALID, "the request has no list '%s'", key);
                return NULL;
        }
        json_array_foreach(list, i, item)
        {
                if (json_is_integer(json_object_get(item, number)) &&
                    json_is_boolean(json_object_get(item, "online")))
                        continue;
                tn_error_set(error, TN_ERROR_INVALID, "the request's %s[%zu] is not valid", key, i);
                return NULL;
        }
        return list;
}

static bool set_vcpu(const struct tn_env *env, json_int_t id, bool online, GError **error)
{
        g_autofree char *directory = g_strdup_printf(CPU_PATH "/cpu%" JSON_INTEGER_FORMAT, id);
        g_autofree char *path = g_build_filename(directory, "online", NULL);
        int64_t current;

        if (!tn_env_exists(env, directory))
                return tn_error_errno(error, ENOENT, "open(\"/%s/\")", directory);
        if (!tn_env_exists(env, path))
                return online ||
                       tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "logical processor #%" JSON_INTEGER_FORMAT " can't be offlined", id);
        if (tn_env_read_int64(env, path, &current) && (current != 0) == online)
                return true;
        return write_value(env, path, online ? "1" : "0", error);
}

static json_t *set_vcpus(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                         GError **error)
{
        json_t *list = list_of(request, "vcpus", "logical-id", error), *item, *reply;
        g_autoptr(GError) stopped_by = NULL;
        size_t processed;

        if (!list)
                return NULL;
        json_array_foreach(list, processed, item)
        {
                if (!set_vcpu(env, json_integer_value(json_object_get(item, "logical-id")),
                              json_is_true(json_object_get(item, "online")), &stopped_by))
                        break;
        }
        if (stopped_by && processed == 0) {
                g_propagate_error(error, g_steal_pointer(&stopped_by));
                return NULL;
        }
        reply = json_pack("{s:I}", "processed", (json_int_t) processed);
        if (stopped_by)
                json_object_set_new(reply, "stopped-by", json_string(stopped_by->message));
        return reply;
}

/* What became of one block; *ret_errno is 0 on success. */
static const char *set_memory_block(const struct tn_env *env, json_int_t index, bool online, int *ret_errno)
{
        g_autofree char *directory = g_strdup_printf(MEMORY_PATH "/memory%" JSON_INTEGER_FORMAT, index);
        g_autofree char *path = g_build_filename(directory, "state", NULL);
        g_autofree char *state = tn_env_read_line(env, path);

        *ret_errno = 0;
        if (!tn_env_exists(env, directory)) {
                *ret_errno = ENOENT;
                return "not-found";
        }
        if (!state) {
                *ret_errno = ENOENT;
                return "operation-not-supported";
        }
        if (g_str_equal(state, "online") == online ||
            write_value(env, path, online ? "online" : "offline", NULL))
                return "success";
        *ret_errno = errno;
        return "operation-failed";
}

static json_t *set_memory_blocks(const struct tn_env *env, const json_t *request,
                                 const struct tn_helper *helper, GError **error)
{
        json_t *list = list_of(request, "mem-blks", "phys-index", error), *item, *reply;
        size_t i;

        if (!list)
                return NULL;
        reply = json_array();
        json_array_foreach(list, i, item)
        {
                json_int_t index = json_integer_value(json_object_get(item, "phys-index"));
                int errnum;
                const char *response = set_memory_block(
                        env, index, json_is_true(json_object_get(item, "online")), &errnum);
                json_t *entry = json_pack("{s:I, s:s}", "phys-index", index, "response", response);

                if (errnum)
                        json_object_set_new(entry, "error-code", json_integer(errnum));
                json_array_append_new(reply, entry);
        }
        return reply;
}

static const struct sleep {
        const char *mode;
        const char *disk; /* for sys/power/disk, or NULL */
        const char *state;
} sleeps[] = {
        {"mem", NULL, "mem"},
        {"disk", NULL, "disk"},
        {"hybrid", "suspend", "disk"}, /* Documentation/admin-guide/pm/sleep-states.rst */
};

static json_t *go_to_sleep(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                           GError **error)
{
        const char *mode = json_string_value(json_object_get(request, "mode"));

        for (size_t i = 0; i < G_N_ELEMENTS(sleeps); i++) {
                if (g_strcmp0(sleeps[i].mode, mode) != 0)
                        continue;
                if (sleeps[i].disk && !write_value(env, "sys/power/disk", sleeps[i].disk, error))
                        return NULL;
                return write_value(env, "sys/power/state", sleeps[i].state, error) ? json_object() : NULL;
        }
        tn_error_set(error, TN_ERROR_INVALID, "the request has no known mode of sleep");
        return NULL;
}

static const struct tn_helper_operation operations[] = {
        {"set-vcpus", set_vcpus},
        {"set-memory-blocks", set_memory_blocks},
        {"sleep", go_to_sleep},
};

const struct tn_helper tn_system_helper = {
        .program = "tenon-system-helper",
        .operations = operations,
        .count = G_N_ELEMENTS(operations),
};
