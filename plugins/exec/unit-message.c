/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Messages for systemd's manager. The surprising things: systemd replaces $NAME in arguments, so each '$' is
 * doubled; and it adds variables of its own to any environment, so where the host gave one, all that
 * systemd would add are named in UnsetEnvironment.
 */
#include "plugins/exec/unit-message.h"

#include <string.h>

/* What systemd sets for a service, see systemd.exec(5), "Environment Variables in Spawned Processes". */
static const char *const systemd_env[] = {
        "PATH",
        "LANG",
        "USER",
        "LOGNAME",
        "HOME",
        "SHELL",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "TERM",
        "SYSTEMD_EXEC_PID",
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
        "MAINPID",
        "XDG_RUNTIME_DIR",
        "LOG_NAMESPACE",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "DEBUG_INVOCATION",
        "MANAGERPID",
};

static bool names(const char *entry, const char *name, size_t len)
{
        return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static bool is_given(const char *const *env, const char *name, size_t len)
{
        for (; *env; env++)
                if (names(*env, name, len))
                        return true;
        return false;
}

char **tn_exec_unit_unset(const char *const *manager_env, const char *const *env)
{
        g_autoptr(GPtrArray) unset = g_ptr_array_new();

        for (size_t i = 0; i < G_N_ELEMENTS(systemd_env); i++)
                if (!is_given(env, systemd_env[i], strlen(systemd_env[i])))
                        g_ptr_array_add(unset, g_strdup(systemd_env[i]));
        for (; manager_env && *manager_env; manager_env++) {
                size_t len = strcspn(*manager_env, "=");
                g_autofree char *name = g_strndup(*manager_env, len);

                if (!is_given(env, name, len) &&
                    !g_ptr_array_find_with_equal_func(unset, name, g_str_equal, NULL))
                        g_ptr_array_add(unset, g_steal_pointer(&name));
        }
        g_ptr_array_add(unset, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&unset), FALSE);
}

char *tn_exec_unit_path(const char *name)
{
        GString *path = g_string_new(SYSTEMD_UNIT_PATH);

        for (; *name; name++)
                if (g_ascii_isalnum(*name))
                        g_string_append_c(path, *name);
                else
                        g_string_append_printf(path, "_%02x", (unsigned char) *name);
        return g_string_free(path, FALSE);
}

static void append_strings(DBusMessageIter *at, const char *const *strings, bool double_dollars)
{
        DBusMessageIter list;

        dbus_message_iter_open_container(at, DBUS_TYPE_ARRAY, "s", &list);
        for (; *strings; strings++) {
                g_autoptr(GString) text = g_string_new(*strings);

                if (double_dollars)
                        (void) g_string_replace(text, "$", "$$", 0);
                dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &text->str);
        }
        dbus_message_iter_close_container(at, &list);
}

struct property {
        DBusMessageIter entry, variant;
};

static void property_open(DBusMessageIter *list, struct property *property, const char *name,
                          const char *signature)
{
        dbus_message_iter_open_container(list, DBUS_TYPE_STRUCT, NULL, &property->entry);
        dbus_message_iter_append_basic(&property->entry, DBUS_TYPE_STRING, &name);
        dbus_message_iter_open_container(&property->entry, DBUS_TYPE_VARIANT, signature, &property->variant);
}

static void property_close(DBusMessageIter *list, struct property *property)
{
        dbus_message_iter_close_container(&property->entry, &property->variant);
        dbus_message_iter_close_container(list, &property->entry);
}

static void add_basic(DBusMessageIter *list, const char *name, int type, const void *value)
{
        const char signature[] = {(char) type, '\0'};
        struct property property;

        property_open(list, &property, name, signature);
        dbus_message_iter_append_basic(&property.variant, type, value);
        property_close(list, &property);
}

static void add_text(DBusMessageIter *list, const char *name, const char *value)
{
        add_basic(list, name, DBUS_TYPE_STRING, &value);
}

static void add_bool(DBusMessageIter *list, const char *name, bool value)
{
        dbus_bool_t v = value;

        add_basic(list, name, DBUS_TYPE_BOOLEAN, &v);
}

static void add_usec(DBusMessageIter *list, const char *name, unsigned ms)
{
        dbus_uint64_t usec = (dbus_uint64_t) ms * 1000;

        add_basic(list, name, DBUS_TYPE_UINT64, &usec);
}

static void add_strings(DBusMessageIter *list, const char *name, const char *const *strings)
{
        struct property property;

        property_open(list, &property, name, "as");
        append_strings(&property.variant, strings, false);
        property_close(list, &property);
}

/* ExecStart: a(sasb), program, arguments, "ignore failure". */
static void add_command(DBusMessageIter *list, const char *program, const char *const *argv)
{
        struct property property;
        DBusMessageIter commands, command;
        dbus_bool_t ignore = FALSE;

        property_open(list, &property, "ExecStart", "a(sasb)");
        dbus_message_iter_open_container(&property.variant, DBUS_TYPE_ARRAY, "(sasb)", &commands);
        dbus_message_iter_open_container(&commands, DBUS_TYPE_STRUCT, NULL, &command);
        dbus_message_iter_append_basic(&command, DBUS_TYPE_STRING, &program);
        append_strings(&command, argv, true);
        dbus_message_iter_append_basic(&command, DBUS_TYPE_BOOLEAN, &ignore);
        dbus_message_iter_close_container(&commands, &command);
        dbus_message_iter_close_container(&property.variant, &commands);
        property_close(list, &property);
}

static DBusMessage *call_manager(const char *method)
{
        return dbus_message_new_method_call(SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

/* The part of StartTransientUnit that all units of ours have; leaves the list of properties open. */
static DBusMessage *start_begin(const char *name, DBusMessageIter *top, DBusMessageIter *list)
{
        DBusMessage *message = call_manager("StartTransientUnit");
        const char *mode = "fail";

        dbus_message_iter_init_append(message, top);
        dbus_message_iter_append_basic(top, DBUS_TYPE_STRING, &name);
        dbus_message_iter_append_basic(top, DBUS_TYPE_STRING, &mode);
        dbus_message_iter_open_container(top, DBUS_TYPE_ARRAY, "(sv)", list);
        add_text(list, "Type", "exec");
        add_text(list, "Slice", EXEC_SLICE);
        add_text(list, "SyslogIdentifier", EXEC_SYSLOG_IDENTIFIER);
        add_text(list, "CollectMode", "inactive-or-failed");
        return message;
}

static void start_end(DBusMessageIter *top, DBusMessageIter *list)
{
        DBusMessageIter others;

        dbus_message_iter_close_container(top, list);
        dbus_message_iter_open_container(top, DBUS_TYPE_ARRAY, "(sa(sv))", &others);
        dbus_message_iter_close_container(top, &others);
}

static void add_streams(DBusMessageIter *list, const int fds[3])
{
        static const char *const names_of_fds[] = {"StandardInputFileDescriptor",
                                                   "StandardOutputFileDescriptor",
                                                   "StandardErrorFileDescriptor"};

        /* Said aloud, for stderr's default is where stdout goes. */
        add_text(list, "StandardInput", "null");
        add_text(list, "StandardOutput", "journal");
        add_text(list, "StandardError", "journal");
        for (int i = 0; i < 3; i++)
                if (fds[i] >= 0)
                        add_basic(list, names_of_fds[i], DBUS_TYPE_UNIX_FD, &fds[i]);
}

static void add_environment(DBusMessageIter *list, const struct tn_exec_unit_spec *spec)
{
        const char *const *env = (const char *const *) spec->request->env;
        g_auto(GStrv) unset = tn_exec_unit_unset(spec->manager_env, env);

        add_strings(list, "Environment", env);
        add_strings(list, "UnsetEnvironment", (const char *const *) unset);
}

DBusMessage *tn_exec_unit_message_start(const struct tn_exec_unit_spec *spec)
{
        const struct tn_exec_request *request = spec->request;
        g_autofree char *description = g_strdup_printf("guest-exec of %s", request->program);
        DBusMessageIter top, list;
        DBusMessage *message = start_begin(spec->name, &top, &list);

        add_text(&list, "Description", description);
        add_bool(&list, "AddRef", true); /* so that its end can still be read after it */
        add_text(&list, "KillMode", "control-group");
        add_bool(&list, "IgnoreSIGPIPE", false);
        add_usec(&list, "TimeoutStopUSec", tn_exec_times.grace_ms);
        add_text(&list, "WorkingDirectory", request->cwd);
        if (spec->until_group_ends)
                add_text(&list, "ExitType", "cgroup");
        if (request->user)
                add_text(&list, "User", request->user);
        if (request->timeout_ms)
                add_usec(&list, "RuntimeMaxUSec", request->timeout_ms);
        if (request->env)
                add_environment(&list, spec);
        add_streams(&list, spec->fds);
        add_command(&list, request->program, (const char *const *) request->argv);
        start_end(&top, &list);
        return message;
}

DBusMessage *tn_exec_unit_message_drain(const char *name, int fd)
{
        const char *const argv[] = {"cat", NULL};
        DBusMessageIter top, list;
        DBusMessage *message = start_begin(name, &top, &list);

        add_text(&list, "Description", "reads the output of a guest-exec that outlives the agent");
        add_basic(&list, "StandardInputFileDescriptor", DBUS_TYPE_UNIX_FD, &fd);
        add_text(&list, "StandardOutput", "null");
        add_text(&list, "StandardError", "journal");
        add_command(&list, "/bin/cat", argv);
        start_end(&top, &list);
        return message;
}

DBusMessage *tn_exec_unit_message_subscribe(void)
{
        return call_manager("Subscribe");
}

static DBusMessage *call_properties(const char *object, const char *method, const char *interface,
                                    const char *property)
{
        DBusMessage *message = dbus_message_new_method_call(SYSTEMD_NAME, object, DBUS_INTERFACE_PROPERTIES,
                                                            method);

        dbus_message_append_args(message, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
        if (property)
                dbus_message_append_args(message, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
        return message;
}

DBusMessage *tn_exec_unit_message_get(const char *property)
{
        return call_properties(SYSTEMD_PATH, "Get", SYSTEMD_MANAGER, property);
}

DBusMessage *tn_exec_unit_message_get_all(const char *object)
{
        return call_properties(object, "GetAll", "", NULL); /* of all its interfaces */
}

DBusMessage *tn_exec_unit_message_unref(const char *name)
{
        DBusMessage *message = call_manager("UnrefUnit");

        dbus_message_append_args(message, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
        return message;
}

DBusMessage *tn_exec_unit_message_stop(const char *name)
{
        DBusMessage *message = call_manager("StopUnit");
        const char *mode = "replace";

        dbus_message_append_args(message, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &mode,
                                 DBUS_TYPE_INVALID);
        return message;
}

DBusMessage *tn_exec_unit_message_kill(const char *name, int signal)
{
        DBusMessage *message = call_manager("KillUnit");
        const char *who = "all";
        dbus_int32_t number = signal;

        dbus_message_append_args(message, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &who, DBUS_TYPE_INT32,
                                 &number, DBUS_TYPE_INVALID);
        return message;
}

char **tn_exec_unit_message_strings(DBusMessage *reply)
{
        g_autoptr(GPtrArray) strings = g_ptr_array_new();
        DBusMessageIter top, variant, item;

        if (!dbus_message_has_signature(reply, "v") || !dbus_message_iter_init(reply, &top))
                return NULL;
        dbus_message_iter_recurse(&top, &variant);
        if (dbus_message_iter_get_arg_type(&variant) != DBUS_TYPE_ARRAY ||
            dbus_message_iter_get_element_type(&variant) != DBUS_TYPE_STRING)
                return NULL;
        dbus_message_iter_recurse(&variant, &item);
        for (; dbus_message_iter_get_arg_type(&item) == DBUS_TYPE_STRING; dbus_message_iter_next(&item)) {
                const char *text;

                dbus_message_iter_get_basic(&item, &text);
                g_ptr_array_add(strings, g_strdup(text));
        }
        g_ptr_array_add(strings, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&strings), FALSE);
}

static void read_basic(DBusMessageIter *value, int type, void *ret, size_t size)
{
        DBusMessageIter inner;
        DBusBasicValue basic;

        if (dbus_message_iter_get_arg_type(value) == DBUS_TYPE_STRUCT) { /* (uo): the job's number */
                dbus_message_iter_recurse(value, &inner);
                value = &inner;
        }
        if (dbus_message_iter_get_arg_type(value) != type)
                return;
        dbus_message_iter_get_basic(value, &basic);
        if (type == DBUS_TYPE_STRING)
                g_strlcpy(ret, basic.str, size);
        else
                memcpy(ret, &basic, size);
}

#define FIELD(property, dbus_type, member)                                                                  \
        {                                                                                                   \
                property, dbus_type, offsetof(struct tn_exec_unit_state, member),                           \
                        sizeof(((struct tn_exec_unit_state *) NULL)->member)                                \
        }

static const struct {
        const char *name;
        int type;
        size_t offset, size;
} fields[] = {
        FIELD("ActiveState", DBUS_TYPE_STRING, active),
        FIELD("Result", DBUS_TYPE_STRING, result),
        FIELD("Job", DBUS_TYPE_UINT32, job),
        FIELD("ExecMainPID", DBUS_TYPE_UINT32, pid),
        FIELD("ExecMainCode", DBUS_TYPE_INT32, code),
        FIELD("ExecMainStatus", DBUS_TYPE_INT32, status),
        FIELD("ActiveEnterTimestampMonotonic", DBUS_TYPE_UINT64, active_usec),
};

static void read_entry(DBusMessageIter *entry, struct tn_exec_unit_state *state)
{
        DBusMessageIter key, value;
        const char *name;

        dbus_message_iter_recurse(entry, &key);
        dbus_message_iter_get_basic(&key, &name);
        dbus_message_iter_next(&key);
        dbus_message_iter_recurse(&key, &value);
        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
                if (strcmp(fields[i].name, name) == 0)
                        read_basic(&value, fields[i].type, (char *) state + fields[i].offset,
                                   fields[i].size);
}

bool tn_exec_unit_message_state(DBusMessage *reply, struct tn_exec_unit_state *ret)
{
        struct tn_exec_unit_state state = {0};
        DBusMessageIter top, entry;

        if (!dbus_message_has_signature(reply, "a{sv}") || !dbus_message_iter_init(reply, &top))
                return false;
        dbus_message_iter_recurse(&top, &entry);
        for (; dbus_message_iter_get_arg_type(&entry) == DBUS_TYPE_DICT_ENTRY;
             dbus_message_iter_next(&entry))
                read_entry(&entry, &state);
        if (!*state.active)
                return false;
        *ret = state;
        return true;
}
