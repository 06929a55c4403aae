/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A transaction of PackageKit is an object of its own that tells by signals: Package for each find,
 * ErrorCode, and Finished at the end. The surprising thing: everybody on the system bus can send such
 * signals to us, so they count only when they come from the connection that answered CreateTransaction.
 */
#include "update/packagekit.h"

#include <string.h>

#include "lib/bus.h"
#include "lib/error.h"
#include "lib/version.h"
#include "update/manager.h"

#define NAME        "org.freedesktop.PackageKit"
#define PATH        "/org/freedesktop/PackageKit"
#define TRANSACTION "org.freedesktop.PackageKit.Transaction"

#define CALL_MS      25000
#define INSTALL_MS   (60 * 60 * 1000)
#define PACKAGES_MAX 4096 /* that a transaction may tell of */
#define NAME_LENGTH  128

/* Numbers of PackageKit's enumerations (pk-enum.h). */
#define FILTER_NONE        (UINT64_C(1) << 1)
#define FILTER_INSTALLED   (UINT64_C(1) << 2)
#define ROLE_REFRESH_CACHE UINT32_C(13)
#define INFO_SECURITY      8
#define INFO_REMOVING      13
#define EXIT_SUCCESS_ENUM  1
#define ONLY_TRUSTED       (UINT64_C(1) << 1)
#define SIMULATE           (UINT64_C(1) << 2)

struct tn_packagekit {
        struct tn_bus *bus;
        unsigned deadline_ms;
};

/* A package that a transaction has told of: "name;version;arch;data". */
struct find {
        char *id, *version;
        uint32_t info;
};

struct transaction {
        struct tn_packagekit *kit;
        const char *package; /* others are not kept */
        char *removes;       /* the first other one that it removes, or would */
        char *path, *owner;
        GArray *found; /* struct find */
        unsigned told;
        char *failure;
        bool finished, succeeded;
        tn_packagekit_progress progress;
        void *progress_data;
        guint timer;
        unsigned deadline_ms;
};

/* One call, waited for. */
struct call {
        bool done;
        DBusMessage *reply;
        GError *error;
};

static void on_reply(DBusMessage *reply, const GError *error, void *data)
{
        struct call *call = data;

        call->done = true;
        if (reply)
                call->reply = dbus_message_ref(reply);
        else
                call->error = g_error_copy(error);
}

/* The reply, to be unreferenced; NULL with @error. Takes @message. */
static DBusMessage *ask(struct tn_packagekit *kit, DBusMessage *message, unsigned deadline_ms,
                        GError **error)
{
        struct call call = {0};

        tn_bus_call(kit->bus, message, (int) deadline_ms, on_reply, &call);
        dbus_message_unref(message);
        while (!call.done)
                (void) g_main_context_iteration(NULL, TRUE);
        if (call.error)
                g_propagate_error(error, call.error);
        return call.reply;
}

static void find_clear(void *data)
{
        struct find *find = data;

        g_free(find->id);
        g_free(find->version);
}

static bool is_from_owner(const struct transaction *transaction, DBusMessage *signal)
{
        return g_strcmp0(dbus_message_get_sender(signal), transaction->owner) == 0;
}

static void on_package(DBusMessage *signal, void *data)
{
        struct transaction *transaction = data;
        const char *id, *summary;
        g_auto(GStrv) words = NULL;
        struct find find = {0};

        if (!is_from_owner(transaction, signal) ||
            !dbus_message_get_args(signal, NULL, DBUS_TYPE_UINT32, &find.info, DBUS_TYPE_STRING, &id,
                                   DBUS_TYPE_STRING, &summary, DBUS_TYPE_INVALID) ||
            transaction->told++ >= PACKAGES_MAX)
                return;
        words = g_strsplit(id, ";", -1);
        if (g_strv_length(words) != 4)
                return;
        if (!g_str_equal(words[0], transaction->package)) {
                if (find.info == INFO_REMOVING && !transaction->removes)
                        transaction->removes = g_strndup(words[0], NAME_LENGTH);
                return;
        }
        if (!tn_version_is_valid(words[1]))
                return;
        find.id = g_strdup(id);
        find.version = g_strdup(words[1]);
        g_array_append_val(transaction->found, find);
}

static void on_error_code(DBusMessage *signal, void *data)
{
        struct transaction *transaction = data;
        const char *details;
        uint32_t code;

        if (!is_from_owner(transaction, signal) ||
            !dbus_message_get_args(signal, NULL, DBUS_TYPE_UINT32, &code, DBUS_TYPE_STRING, &details,
                                   DBUS_TYPE_INVALID))
                return;
        g_free(transaction->failure);
        transaction->failure = g_strdup_printf("%.300s (error %u)", details, code);
}

static void on_finished(DBusMessage *signal, void *data)
{
        struct transaction *transaction = data;
        uint32_t how, runtime;

        if (!is_from_owner(transaction, signal) ||
            !dbus_message_get_args(signal, NULL, DBUS_TYPE_UINT32, &how, DBUS_TYPE_UINT32, &runtime,
                                   DBUS_TYPE_INVALID))
                return;
        transaction->finished = true;
        transaction->succeeded = how == EXIT_SUCCESS_ENUM;
}

/* The daemon may go away without a word. */
static void on_destroy(DBusMessage *signal, void *data)
{
        struct transaction *transaction = data;

        if (is_from_owner(transaction, signal))
                transaction->finished = true;
}

/* The bus says so: nobody else can send under its name. */
static void on_owner_changed(DBusMessage *signal, void *data)
{
        struct transaction *transaction = data;
        const char *name, *before, *after;

        if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
                                   DBUS_TYPE_STRING, &after, DBUS_TYPE_INVALID) ||
            !g_str_equal(name, transaction->owner) || *after)
                return;
        transaction->finished = true;
        g_free(transaction->failure);
        transaction->failure = g_strdup("it has ended in the middle of its work");
}

static void on_item_progress(DBusMessage *signal, void *data)
{
        struct transaction *transaction = data;
        uint32_t status, percent;
        const char *id;

        if (transaction->progress && is_from_owner(transaction, signal) &&
            dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &id, DBUS_TYPE_UINT32, &status,
                                  DBUS_TYPE_UINT32, &percent, DBUS_TYPE_INVALID) &&
            percent <= 100)
                transaction->progress(percent, transaction->progress_data);
}

static gboolean on_timeout(void *data)
{
        struct transaction *transaction = data;

        transaction->timer = 0;
        transaction->finished = true;
        g_free(transaction->failure);
        transaction->failure = g_strdup_printf("no answer within %u s", transaction->deadline_ms / 1000);
        return G_SOURCE_REMOVE;
}

static const struct {
        const char *member;
        tn_bus_signal func;
} listeners[] = {
        {"Package", on_package}, {"ErrorCode", on_error_code},       {"Finished", on_finished},
        {"Destroy", on_destroy}, {"ItemProgress", on_item_progress},
};

static void append_texts(DBusMessage *message, const char *const *texts)
{
        DBusMessageIter body, list;

        dbus_message_iter_init_append(message, &body);
        (void) dbus_message_iter_open_container(&body, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING_AS_STRING, &list);
        for (; *texts; texts++)
                (void) dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, texts);
        (void) dbus_message_iter_close_container(&body, &list);
}

/* The method @name of the transaction, with a number and, when there are any, texts. */
static DBusMessage *method(const struct transaction *transaction, const char *name, uint64_t number,
                           const char *const *texts)
{
        DBusMessage *message = dbus_message_new_method_call(NAME, transaction->path, TRANSACTION, name);

        (void) dbus_message_append_args(message, DBUS_TYPE_UINT64, &number, DBUS_TYPE_INVALID);
        if (texts)
                append_texts(message, texts);
        return message;
}

static bool create(struct transaction *transaction, GError **error)
{
        DBusMessage *reply = ask(transaction->kit,
                                 dbus_message_new_method_call(NAME, PATH, NAME, "CreateTransaction"),
                                 CALL_MS, error);
        const char *path;
        bool ok;

        if (!reply)
                return false;
        ok = dbus_message_get_args(reply, NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
        if (ok) {
                transaction->path = g_strdup(path);
                transaction->owner = g_strdup(dbus_message_get_sender(reply));
        }
        dbus_message_unref(reply);
        return ok || tn_error_set(error, TN_ERROR_FAILED, "PackageKit's answer is not understood");
}

/* Sends the method that begins the work, and waits for Finished. */
static bool work(struct transaction *transaction, DBusMessage *message, GError **error)
{
        struct tn_bus_match *matches[G_N_ELEMENTS(listeners)], *owner;
        DBusMessage *reply;

        for (size_t i = 0; i < G_N_ELEMENTS(listeners); i++)
                matches[i] = tn_bus_subscribe(transaction->kit->bus, transaction->owner, transaction->path,
                                              TRANSACTION, listeners[i].member, listeners[i].func,
                                              transaction);
        owner = tn_bus_subscribe(transaction->kit->bus, DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                 DBUS_INTERFACE_DBUS, "NameOwnerChanged", on_owner_changed, transaction);
        reply = ask(transaction->kit, message, transaction->deadline_ms, error);
        if (reply) {
                dbus_message_unref(reply);
                transaction->timer = g_timeout_add(transaction->deadline_ms, on_timeout, transaction);
                while (!transaction->finished)
                        (void) g_main_context_iteration(NULL, TRUE);
                g_clear_handle_id(&transaction->timer, g_source_remove);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(listeners); i++)
                tn_bus_unsubscribe(matches[i]);
        tn_bus_unsubscribe(owner);
        if (!reply)
                return false;
        return transaction->succeeded ||
               tn_error_set(error, TN_ERROR_FAILED, "PackageKit: %s",
                            transaction->failure ? transaction->failure : "it ended without success");
}

/* What PackageKit stands on may remove a package to make room for another, and does not ask. */
static bool keeps_others(const struct transaction *transaction, GError **error)
{
        return !transaction->removes ||
               tn_error_set(error, TN_ERROR_FAILED,
                            "nothing was installed, for PackageKit would remove %s; update both by hand",
                            transaction->removes);
}

static void transaction_clear(struct transaction *transaction)
{
        g_free(transaction->path);
        g_free(transaction->owner);
        g_free(transaction->failure);
        g_free(transaction->removes);
        if (transaction->found)
                g_array_unref(transaction->found);
}

/* What @name finds of the package: struct find, or NULL with @error. @interactive: polkit may ask the user.
 * A simulation that would remove another package is an error. */
static GArray *run(struct tn_packagekit *kit, const char *package, const char *name, uint64_t number,
                   const char *const *texts, bool interactive, tn_packagekit_progress progress, void *data,
                   GError **error)
{
        struct transaction transaction = {
                .kit = kit, .package = package, .progress = progress, .progress_data = data};
        const char *const hints[] = {"locale=C", interactive ? "interactive=true" : "interactive=false",
                                     interactive ? "background=false" : "background=true", NULL};
        GArray *found = NULL;
        DBusMessage *message, *reply;

        transaction.found = g_array_new(FALSE, FALSE, sizeof(struct find));
        transaction.deadline_ms = interactive ? INSTALL_MS : kit->deadline_ms;
        g_array_set_clear_func(transaction.found, find_clear);
        if (create(&transaction, error)) {
                message = dbus_message_new_method_call(NAME, transaction.path, TRANSACTION, "SetHints");
                append_texts(message, hints);
                reply = ask(kit, message, CALL_MS, error);
                if (reply)
                        dbus_message_unref(reply);
                if (reply && work(&transaction, method(&transaction, name, number, texts), error) &&
                    (!(number & SIMULATE) || keeps_others(&transaction, error)))
                        found = g_array_ref(transaction.found);
        }
        transaction_clear(&transaction);
        return found;
}

/* Seconds since PackageKit fetched its lists; -1 when it does not say. */
static int64_t age_of_lists(struct tn_packagekit *kit)
{
        DBusMessage *message = dbus_message_new_method_call(NAME, PATH, NAME, "GetTimeSinceAction");
        uint32_t role = ROLE_REFRESH_CACHE, seconds = G_MAXUINT32;
        DBusMessage *reply;

        (void) dbus_message_append_args(message, DBUS_TYPE_UINT32, &role, DBUS_TYPE_INVALID);
        reply = ask(kit, message, CALL_MS, NULL);
        if (!reply)
                return -1;
        if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &seconds, DBUS_TYPE_INVALID))
                seconds = G_MAXUINT32;
        dbus_message_unref(reply);
        return seconds == G_MAXUINT32 ? -1 : (int64_t) seconds; /* the largest one: never */
}

struct tn_packagekit *tn_packagekit_open(const char *bus, unsigned deadline_ms, GError **error)
{
        struct tn_packagekit *kit;
        struct tn_bus *opened;
        DBusMessage *reply;

        opened = tn_bus_available() ? tn_bus_open(bus, NULL) : NULL;
        if (!opened) {
                (void) tn_error_set(error, TN_ERROR_NOT_FOUND, "there is no system bus");
                return NULL;
        }
        kit = g_new0(struct tn_packagekit, 1);
        *kit = (struct tn_packagekit){opened, deadline_ms};
        /* Starts it, where the bus knows how. */
        reply = ask(kit, dbus_message_new_method_call(NAME, PATH, DBUS_INTERFACE_PEER, "Ping"), CALL_MS,
                    error);
        if (reply) {
                dbus_message_unref(reply);
                return kit;
        }
        tn_packagekit_close(kit);
        return NULL;
}

void tn_packagekit_close(struct tn_packagekit *kit)
{
        if (!kit)
                return;
        tn_bus_free(kit->bus);
        g_free(kit);
}

struct tn_verdict *tn_packagekit_ask(struct tn_packagekit *kit, const char *package, unsigned max_age_days,
                                     GError **error)
{
        const char *const names[] = {package, NULL};
        g_autoptr(GArray)
                present = run(kit, package, "Resolve", FILTER_INSTALLED, names, false, NULL, NULL, error);
        g_autoptr(GArray) updates = present ? run(kit, package, "GetUpdates", FILTER_NONE, NULL, false, NULL,
                                                  NULL, error)
                                            : NULL;
        struct tn_verdict *verdict;

        if (!updates)
                return NULL;
        verdict = tn_verdict_new(TN_VERDICT_PACKAGES, "packagekit");
        if (present->len == 0) {
                verdict->status = TN_UPDATE_UNMANAGED;
                verdict->message = g_strdup("it was not installed by the package manager");
                return verdict;
        }
        verdict->installed = g_strdup(g_array_index(present, struct find, 0).version);
        verdict->verified_by = g_strdup("packagekit");
        verdict->status = updates->len ? TN_UPDATE_OUT_OF_DATE : TN_UPDATE_CURRENT;
        if (updates->len) {
                const struct find *find = &g_array_index(updates, struct find, 0);

                verdict->candidate = g_strdup(find->version);
                verdict->security = find->info == INFO_SECURITY;
        } else {
                verdict->candidate = g_strdup(verdict->installed);
        }
        tn_update_judge_age(verdict, age_of_lists(kit), max_age_days, "pkcon refresh");
        return verdict;
}

bool tn_packagekit_update(struct tn_packagekit *kit, const char *package, tn_packagekit_progress progress,
                          void *data, char **ret_version, GError **error)
{
        g_autoptr(GArray)
                updates = run(kit, package, "GetUpdates", FILTER_NONE, NULL, false, NULL, NULL, error);
        g_autoptr(GArray) tried = NULL, done = NULL;
        const char *ids[] = {NULL, NULL};
        const struct find *find;

        if (!updates)
                return false;
        if (updates->len == 0) {
                *ret_version = NULL;
                return true;
        }
        find = &g_array_index(updates, struct find, 0);
        ids[0] = find->id;
        tried = run(kit, package, "UpdatePackages", ONLY_TRUSTED | SIMULATE, ids, true, NULL, NULL, error);
        if (tried)
                done = run(kit, package, "UpdatePackages", ONLY_TRUSTED, ids, true, progress, data, error);
        if (!done)
                return false;
        *ret_version = g_strdup(find->version);
        return true;
}
