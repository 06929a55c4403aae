/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The functions of libdbus that this tree calls, each of which loads libdbus when it is first called. The
 * surprising thing is what for: libdbus needs libsystemd, and that needs the libraries of all compressions
 * and ciphers of the journal's files; an idle agent has no use for 1 MiB of them, and most hosts never ask
 * for what needs the bus. Callers see <dbus/dbus.h> and nothing of this; a function that is missing here is
 * an error of the linker, and wants a line.
 *
 * tn_bus_open() says in words that there is no libdbus; later than that it cannot vanish.
 */
#include <dbus/dbus.h>
#include <glib.h>

#include "lib/bus.h"
#include "lib/library.h"

#define SONAME "libdbus-1.so.3"

static void *find(const char *name)
{
        void *function = tn_library_find(SONAME, name);

        if (!function)
                g_error("%s has no function %s", SONAME, name); /* nobody asked tn_bus_available() */
        return function;
}

bool tn_bus_available(void)
{
        return tn_library_find(SONAME, "dbus_connection_open_private") != NULL;
}

/* The function of libdbus that is named like the one that we are in. */
#define REAL(name)                                                                                          \
        ({                                                                                                  \
                static __typeof__(&name) real;                                                              \
                if (!real)                                                                                  \
                        real = (__typeof__(&name)) find(#name);                                             \
                real;                                                                                       \
        })

#define FORWARD_1(type, name, A)                                                                            \
        type name(A a)                                                                                      \
        {                                                                                                   \
                return REAL(name)(a);                                                                       \
        }
#define FORWARD_2(type, name, A, B)                                                                         \
        type name(A a, B b)                                                                                 \
        {                                                                                                   \
                return REAL(name)(a, b);                                                                    \
        }
#define FORWARD_3(type, name, A, B, C)                                                                      \
        type name(A a, B b, C c)                                                                            \
        {                                                                                                   \
                return REAL(name)(a, b, c);                                                                 \
        }
#define FORWARD_4(type, name, A, B, C, D)                                                                   \
        type name(A a, B b, C c, D d)                                                                       \
        {                                                                                                   \
                return REAL(name)(a, b, c, d);                                                              \
        }
#define FORWARD_5(type, name, A, B, C, D, E)                                                                \
        type name(A a, B b, C c, D d, E e)                                                                  \
        {                                                                                                   \
                return REAL(name)(a, b, c, d, e);                                                           \
        }
#define FORWARD_6(type, name, A, B, C, D, E, F)                                                             \
        type name(A a, B b, C c, D d, E e, F f)                                                             \
        {                                                                                                   \
                return REAL(name)(a, b, c, d, e, f);                                                        \
        }

/* clang-format off */
FORWARD_3(void, dbus_bus_add_match, DBusConnection *, const char *, DBusError *)
FORWARD_3(void, dbus_bus_remove_match, DBusConnection *, const char *, DBusError *)
FORWARD_4(dbus_bool_t, dbus_connection_add_filter, DBusConnection *, DBusHandleMessageFunction, void *, DBusFreeFunction)
FORWARD_1(void, dbus_connection_close, DBusConnection *)
FORWARD_1(DBusDispatchStatus, dbus_connection_dispatch, DBusConnection *)
FORWARD_1(void, dbus_connection_flush, DBusConnection *)
FORWARD_1(DBusDispatchStatus, dbus_connection_get_dispatch_status, DBusConnection *)
FORWARD_1(dbus_bool_t, dbus_connection_get_is_connected, DBusConnection *)
FORWARD_1(long, dbus_connection_get_outgoing_size, DBusConnection *)
FORWARD_2(DBusConnection *, dbus_connection_open_private, const char *, DBusError *)
FORWARD_3(void, dbus_connection_remove_filter, DBusConnection *, DBusHandleMessageFunction, void *)
FORWARD_3(dbus_bool_t, dbus_connection_send, DBusConnection *, DBusMessage *, dbus_uint32_t *)
FORWARD_4(dbus_bool_t, dbus_connection_send_with_reply, DBusConnection *, DBusMessage *, DBusPendingCall **, int)
FORWARD_4(void, dbus_connection_set_dispatch_status_function, DBusConnection *, DBusDispatchStatusFunction, void *, DBusFreeFunction)
FORWARD_2(void, dbus_connection_set_exit_on_disconnect, DBusConnection *, dbus_bool_t)
FORWARD_6(dbus_bool_t, dbus_connection_set_timeout_functions, DBusConnection *, DBusAddTimeoutFunction, DBusRemoveTimeoutFunction, DBusTimeoutToggledFunction, void *, DBusFreeFunction)
FORWARD_6(dbus_bool_t, dbus_connection_set_watch_functions, DBusConnection *, DBusAddWatchFunction, DBusRemoveWatchFunction, DBusWatchToggledFunction, void *, DBusFreeFunction)
FORWARD_5(dbus_bool_t, dbus_connection_try_register_object_path, DBusConnection *, const char *, const DBusObjectPathVTable *, void *, DBusError *)
FORWARD_1(void, dbus_connection_unref, DBusConnection *)
FORWARD_2(dbus_bool_t, dbus_connection_unregister_object_path, DBusConnection *, const char *)
FORWARD_1(void, dbus_error_free, DBusError *)
FORWARD_2(dbus_bool_t, dbus_error_has_name, const DBusError *, const char *)
FORWARD_1(dbus_bool_t, dbus_message_get_allow_interactive_authorization, DBusMessage *)
FORWARD_1(const char *, dbus_message_get_error_name, DBusMessage *)
FORWARD_1(const char *, dbus_message_get_interface, DBusMessage *)
FORWARD_1(const char *, dbus_message_get_member, DBusMessage *)
FORWARD_1(dbus_bool_t, dbus_message_get_no_reply, DBusMessage *)
FORWARD_1(const char *, dbus_message_get_sender, DBusMessage *)
FORWARD_1(const char *, dbus_message_get_signature, DBusMessage *)
FORWARD_1(int, dbus_message_get_type, DBusMessage *)
FORWARD_2(dbus_bool_t, dbus_message_has_path, DBusMessage *, const char *)
FORWARD_2(dbus_bool_t, dbus_message_has_signature, DBusMessage *, const char *)
FORWARD_3(dbus_bool_t, dbus_message_is_method_call, DBusMessage *, const char *, const char *)
FORWARD_3(dbus_bool_t, dbus_message_is_signal, DBusMessage *, const char *, const char *)
FORWARD_3(dbus_bool_t, dbus_message_iter_append_basic, DBusMessageIter *, int, const void *)
FORWARD_4(dbus_bool_t, dbus_message_iter_append_fixed_array, DBusMessageIter *, int, const void *, int)
FORWARD_2(dbus_bool_t, dbus_message_iter_close_container, DBusMessageIter *, DBusMessageIter *)
FORWARD_1(int, dbus_message_iter_get_arg_type, DBusMessageIter *)
FORWARD_2(void, dbus_message_iter_get_basic, DBusMessageIter *, void *)
FORWARD_1(int, dbus_message_iter_get_element_type, DBusMessageIter *)
FORWARD_2(dbus_bool_t, dbus_message_iter_init, DBusMessage *, DBusMessageIter *)
FORWARD_2(void, dbus_message_iter_init_append, DBusMessage *, DBusMessageIter *)
FORWARD_1(dbus_bool_t, dbus_message_iter_next, DBusMessageIter *)
FORWARD_4(dbus_bool_t, dbus_message_iter_open_container, DBusMessageIter *, int, const char *, DBusMessageIter *)
FORWARD_2(void, dbus_message_iter_recurse, DBusMessageIter *, DBusMessageIter *)
FORWARD_3(DBusMessage *, dbus_message_new_error, DBusMessage *, const char *, const char *)
FORWARD_4(DBusMessage *, dbus_message_new_method_call, const char *, const char *, const char *, const char *)
FORWARD_1(DBusMessage *, dbus_message_new_method_return, DBusMessage *)
FORWARD_3(DBusMessage *, dbus_message_new_signal, const char *, const char *, const char *)
FORWARD_1(DBusMessage *, dbus_message_ref, DBusMessage *)
FORWARD_2(void, dbus_message_set_allow_interactive_authorization, DBusMessage *, dbus_bool_t)
FORWARD_2(void, dbus_message_set_auto_start, DBusMessage *, dbus_bool_t)
FORWARD_2(void, dbus_message_set_no_reply, DBusMessage *, dbus_bool_t)
FORWARD_1(void, dbus_message_unref, DBusMessage *)
FORWARD_1(void, dbus_pending_call_cancel, DBusPendingCall *)
FORWARD_4(dbus_bool_t, dbus_pending_call_set_notify, DBusPendingCall *, DBusPendingCallNotifyFunction, void *, DBusFreeFunction)
FORWARD_1(DBusMessage *, dbus_pending_call_steal_reply, DBusPendingCall *)
FORWARD_1(void, dbus_pending_call_unref, DBusPendingCall *)
FORWARD_2(dbus_bool_t, dbus_set_error_from_message, DBusError *, DBusMessage *)
FORWARD_1(void *, dbus_timeout_get_data, DBusTimeout *)
FORWARD_1(dbus_bool_t, dbus_timeout_get_enabled, DBusTimeout *)
FORWARD_1(int, dbus_timeout_get_interval, DBusTimeout *)
FORWARD_1(dbus_bool_t, dbus_timeout_handle, DBusTimeout *)
FORWARD_3(void, dbus_timeout_set_data, DBusTimeout *, void *, DBusFreeFunction)
FORWARD_1(void *, dbus_watch_get_data, DBusWatch *)
FORWARD_1(dbus_bool_t, dbus_watch_get_enabled, DBusWatch *)
FORWARD_1(unsigned, dbus_watch_get_flags, DBusWatch *)
FORWARD_1(int, dbus_watch_get_unix_fd, DBusWatch *)
FORWARD_2(dbus_bool_t, dbus_watch_handle, DBusWatch *, unsigned)
FORWARD_3(void, dbus_watch_set_data, DBusWatch *, void *, DBusFreeFunction)
/* clang-format on */

dbus_bool_t dbus_message_append_args(DBusMessage *message, int first, ...)
{
        va_list args;
        dbus_bool_t ok;

        va_start(args, first);
        ok = REAL(dbus_message_append_args_valist)(message, first, args);
        va_end(args);
        return ok;
}

dbus_bool_t dbus_message_get_args(DBusMessage *message, DBusError *error, int first, ...)
{
        va_list args;
        dbus_bool_t ok;

        va_start(args, first);
        ok = REAL(dbus_message_get_args_valist)(message, error, first, args);
        va_end(args);
        return ok;
}
