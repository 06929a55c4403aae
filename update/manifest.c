/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The manifest's members are a table. The surprising thing: members that are not known are skipped, so that
 * a later format can say more, and what would change the meaning raises "format", which old readers refuse.
 */
#include "update/manifest.h"

#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/version.h"

#define FORMAT     1
#define PRODUCT    "tenon" /* a key may sign for others, too */
#define FUTURE_S   86400   /* a clock may be off by so much */
#define REASON_MAX 512     /* bytes */

static void release_clear(void *data)
{
        g_free(((struct tn_manifest_release *) data)->version);
}

static void revoked_clear(void *data)
{
        struct tn_manifest_revoked *revoked = data;

        g_free(revoked->version);
        g_free(revoked->reason);
}

void tn_manifest_free(struct tn_manifest *manifest)
{
        if (!manifest)
                return;
        g_free(manifest->channel);
        g_array_unref(manifest->releases);
        g_array_unref(manifest->revoked);
        g_free(manifest);
}

/* Digits at these places, and nothing else than this. */
bool tn_manifest_parse_time(const char *text, int64_t *ret)
{
        static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
        g_autoptr(GDateTime) time = NULL;

        if (strlen(text) != strlen(shape))
                return false;
        for (size_t i = 0; shape[i]; i++)
                if (shape[i] == 'd' ? !g_ascii_isdigit(text[i]) : text[i] != shape[i])
                        return false;
        time = g_date_time_new_utc(atoi(text), atoi(text + 5), atoi(text + 8), atoi(text + 11),
                                   atoi(text + 14), atoi(text + 17));
        if (!time)
                return false;
        *ret = g_date_time_to_unix(time);
        return true;
}

static const char *text_of(const json_t *object, const char *member, GError **error)
{
        const char *text = json_string_value(json_object_get(object, member));

        if (!text)
                (void) tn_error_set(error, TN_ERROR_INVALID, "\"%s\" is missing, or is no text", member);
        return text;
}

static bool read_time(const json_t *object, const char *member, int64_t *ret, GError **error)
{
        const char *text = text_of(object, member, error);

        if (!text)
                return false;
        return tn_manifest_parse_time(text, ret) ||
               tn_error_set(error, TN_ERROR_INVALID, "\"%s\" is no time like 2026-11-26T14:00:00Z", member);
}

static const char *version_of(const json_t *row, GError **error)
{
        const char *version = text_of(row, "version", error);

        if (version && !tn_version_is_valid(version)) {
                (void) tn_error_set(error, TN_ERROR_INVALID, "a \"version\" in it is none");
                return NULL;
        }
        return version;
}

static bool read_release(struct tn_manifest *manifest, const json_t *row, GError **error)
{
        const char *version = version_of(row, error);
        const char *severity = json_string_value(json_object_get(row, "severity"));
        struct tn_manifest_release release = {.security = g_strcmp0(severity, "security") == 0};

        if (!version)
                return false;
        if (json_object_get(row, "severity") && !release.security && g_strcmp0(severity, "normal") != 0)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "the \"severity\" of %s is neither normal nor security", version);
        release.version = g_strdup(version);
        g_array_append_val(manifest->releases, release);
        return true;
}

static bool read_revoked(struct tn_manifest *manifest, const json_t *row, GError **error)
{
        const char *version = version_of(row, error);
        const char *reason = json_string_value(json_object_get(row, "reason"));
        struct tn_manifest_revoked revoked = {0};

        if (!version)
                return false;
        if (reason && strlen(reason) > REASON_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "the \"reason\" for %s has more than %d bytes",
                                    version, REASON_MAX);
        for (const char *at = reason; at && *at; at++)
                if (g_ascii_iscntrl(*at))
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "the \"reason\" for %s has control characters", version);
        revoked.version = g_strdup(version);
        revoked.reason = g_strdup(reason);
        g_array_append_val(manifest->revoked, revoked);
        return true;
}

static bool read_rows(struct tn_manifest *manifest, const json_t *object, const char *member, bool needed,
                      bool (*read)(struct tn_manifest *, const json_t *, GError **), GError **error)
{
        const json_t *rows = json_object_get(object, member);
        json_t *row;
        size_t i;

        if (!rows && !needed)
                return true;
        if (!json_is_array(rows) || (needed && json_array_size(rows) == 0))
                return tn_error_set(error, TN_ERROR_INVALID, "\"%s\" is missing, or is no list%s", member,
                                    needed ? " with something in it" : "");
        if (json_array_size(rows) > TN_MANIFEST_ROWS_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "\"%s\" has more than %d rows", member,
                                    TN_MANIFEST_ROWS_MAX);
        json_array_foreach(rows, i, row) if (!read(manifest, row, error)) return false;
        return true;
}

static bool read_head(struct tn_manifest *manifest, const json_t *object, GError **error)
{
        const json_t *format = json_object_get(object, "format"),
                     *serial = json_object_get(object, "serial");
        const char *product, *channel;

        if (!json_is_integer(format) || json_integer_value(format) != FORMAT)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "its \"format\" is not %d: it is for another version of Tenon", FORMAT);
        product = text_of(object, "product", error);
        if (!product)
                return false;
        if (!g_str_equal(product, PRODUCT))
                return tn_error_set(error, TN_ERROR_INVALID, "it is not about %s", PRODUCT);
        channel = text_of(object, "channel", error);
        if (!channel)
                return false;
        manifest->channel = g_strdup(channel);
        manifest->serial = json_integer_value(serial);
        if (!json_is_integer(serial) || manifest->serial < 1 || manifest->serial > TN_MANIFEST_SERIAL_MAX)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "\"serial\" is missing, or is no whole number above 0");
        if (!read_time(object, "issued", &manifest->issued, error) ||
            !read_time(object, "expires", &manifest->expires, error))
                return false;
        return manifest->issued < manifest->expires ||
               tn_error_set(error, TN_ERROR_INVALID, "it expires before it was issued");
}

struct tn_manifest *tn_manifest_parse(const char *text, size_t len, GError **error)
{
        g_autoptr(tn_manifest_t) manifest = g_new0(struct tn_manifest, 1);
        json_auto_t *object = NULL;
        json_error_t problem;

        manifest->releases = g_array_new(FALSE, FALSE, sizeof(struct tn_manifest_release));
        manifest->revoked = g_array_new(FALSE, FALSE, sizeof(struct tn_manifest_revoked));
        g_array_set_clear_func(manifest->releases, release_clear);
        g_array_set_clear_func(manifest->revoked, revoked_clear);
        if (len > TN_MANIFEST_MAX) {
                (void) tn_error_set(error, TN_ERROR_LIMIT, "it has more than %d bytes", TN_MANIFEST_MAX);
                return NULL;
        }
        object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
        if (!json_is_object(object)) {
                (void) tn_error_set(error, TN_ERROR_INVALID, "it is no JSON object%s%s", object ? "" : ": ",
                                    object ? "" : problem.text);
                return NULL;
        }
        if (!read_head(manifest, object, error) ||
            !read_rows(manifest, object, "releases", true, read_release, error) ||
            !read_rows(manifest, object, "revoked", false, read_revoked, error))
                return NULL;
        return g_steal_pointer(&manifest);
}

static char *date_of(int64_t seconds)
{
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

        return g_date_time_format(time, "%Y-%m-%d %H:%M UTC");
}

bool tn_manifest_is_fresh(const struct tn_manifest *manifest, const char *channel, int64_t last_serial,
                          int64_t now, GError **error)
{
        g_autofree char *issued = date_of(manifest->issued), *expires = date_of(manifest->expires);

        if (!g_str_equal(manifest->channel, channel))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "it is for another channel than '%s'; see channel in [update] of "
                                    "tenond.conf(5)",
                                    channel);
        if (manifest->serial < last_serial)
                return tn_error_set(error, TN_ERROR_DENIED,
                                    "its serial %" G_GINT64_FORMAT " is older than %" G_GINT64_FORMAT
                                    ", which was seen here before",
                                    manifest->serial, last_serial);
        if (manifest->issued > now + FUTURE_S)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "it was issued in the future (%s): is the clock right?", issued);
        if (manifest->expires <= now)
                return tn_error_set(error, TN_ERROR_TIMEOUT, "it has expired (%s): get a newer one",
                                    expires);
        return true;
}

void tn_manifest_judge(const struct tn_manifest *manifest, const char *installed, struct tn_verdict *verdict)
{
        const char *newest = NULL;
        int order;

        for (guint i = 0; i < manifest->releases->len; i++) {
                const struct tn_manifest_release *release = &g_array_index(manifest->releases,
                                                                           struct tn_manifest_release, i);

                if (!newest || tn_version_compare(TN_VERSION_DPKG, newest, release->version) < 0)
                        newest = release->version;
                if (release->security &&
                    tn_version_compare(TN_VERSION_DPKG, installed, release->version) < 0)
                        verdict->security = true;
        }
        order = tn_version_compare(TN_VERSION_DPKG, installed, newest);
        verdict->installed = g_strdup(installed);
        verdict->candidate = g_strdup(newest);
        verdict->status = order < 0   ? TN_UPDATE_OUT_OF_DATE
                          : order > 0 ? TN_UPDATE_NEWER
                                      : TN_UPDATE_CURRENT;
        for (guint i = 0; i < manifest->revoked->len; i++) {
                const struct tn_manifest_revoked *row = &g_array_index(manifest->revoked,
                                                                       struct tn_manifest_revoked, i);

                if (tn_version_compare(TN_VERSION_DPKG, installed, row->version) != 0)
                        continue;
                verdict->status = TN_UPDATE_REVOKED;
                verdict->message = g_strdup(row->reason ? row->reason : "its makers have withdrawn it");
        }
}
