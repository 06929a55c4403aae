/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The whole check with a manifest and with the host's word: files in a folder in, the conclusion out. */
#include "update/check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json-file.h"
#include "lib/names.h"
#include "signing.h"
#include "support.h"

#define NOW   UINT64_C(1795694400) /* 2026-11-26 12:00 UTC */
#define PATH  "srv/manifest.json"
#define STATE "/var/lib/tenon"

static const struct tn_update_settings settings = {.package = "tenon",
                                                   .manager = "none",
                                                   .announcement = true,
                                                   .manifest = "/" PATH,
                                                   .channel = "stable",
                                                   .keys = TN_PATH_KEYS,
                                                   .statedir = STATE,
                                                   .installed = "0.1.0"};

static char *manifest_text(int serial, const char *expires)
{
        return g_strdup_printf(
                "{\"format\": 1, \"product\": \"tenon\", \"channel\": \"stable\", \"serial\": %d, "
                "\"issued\": \"2026-11-20T00:00:00Z\", \"expires\": \"%s\", \"releases\": "
                "[{\"version\": \"0.2.0\"}], \"revoked\": [{\"version\": \"0.0.9\"}]}",
                serial, expires);
}

static void write_signed(struct machine *machine, const struct signer *signer, const char *text)
{
        g_autofree char *signature = signer_sign(signer, text, strlen(text), true, "c");

        machine_write(machine, PATH, text);
        machine_write(machine, PATH ".minisig", signature);
}

/* A machine that trusts signer 1, with a manifest of this serial. */
static struct machine *machine_with(int serial, const struct signer *signer, const char *expires)
{
        const struct signer trusted = signer_new(1);
        struct machine *machine = machine_new();
        g_autofree char *text = manifest_text(serial, expires), *public = signer_public(&trusted);
        g_autofree char *key = g_strconcat(TN_PATH_KEYS + 1, "/one.pub", NULL);

        machine->realtime_usec = NOW * G_USEC_PER_SEC;
        machine_write(machine, key, public);
        machine_write(machine, "var/lib/tenon/here", "");
        write_signed(machine, signer, text);
        return machine;
}

#define FAR "2026-12-20T00:00:00Z"

/* Fails unless it is @status, with @part in the message. */
static void expect(const struct machine *machine, const char *status, const char *part)
{
        json_auto_t *result = tn_update_check(&machine->env, &settings);
        const char *message = json_string_value(json_object_get(result, "message"));

        assert_contains(message, part);
        assert_string_equal(json_string_value(json_object_get(result, "status")), status);
}

static void good_one_counts(void **state)
{
        const struct signer signer = signer_new(1);
        g_autoptr(machine_t) machine = machine_with(7, &signer, FAR);
        json_auto_t *result = tn_update_check(&machine->env, &settings);

        (void) state;
        assert_string_equal(json_string_value(json_object_get(result, "status")), "out-of-date");
        assert_string_equal(json_string_value(json_object_get(result, "verified-by")),
                            "minisign key 0807060504030201");
        assert_string_equal(json_string_value(json_object_get(result, "source")), "manifest");
        assert_int_equal(json_integer_value(json_object_get(result, "checked-at")), NOW);
        assert_json(tn_json_file_read(&machine->env, STATE "/" TN_UPDATE_FOLDER, TN_UPDATE_SERIALS),
                    "{'stable': 7}");
}

static void older_one_does_not_come_back(void **state)
{
        const struct signer signer = signer_new(1);
        g_autoptr(machine_t) machine = machine_with(7, &signer, FAR);
        g_autofree char *older = manifest_text(6, FAR), *newer = manifest_text(8, FAR);

        (void) state;
        expect(machine, "out-of-date", "0.2.0");
        write_signed(machine, &signer, older);
        expect(machine, "unknown", "its serial 6 is older than 7");
        write_signed(machine, &signer, newer);
        expect(machine, "out-of-date", "0.2.0");
        assert_json(tn_json_file_read(&machine->env, STATE "/" TN_UPDATE_FOLDER, TN_UPDATE_SERIALS),
                    "{'stable': 8}");
}

static void bad_ones_are_unknown(void **state)
{
        const struct signer signer = signer_new(1), other = signer_new(2);
        g_autoptr(machine_t) expired = machine_with(7, &signer, "2026-11-25T00:00:00Z");
        g_autoptr(machine_t) foreign = machine_with(7, &other, FAR), machine = machine_with(7, &signer, FAR);
        g_autofree char *path = machine_path(machine, PATH ".minisig"), *text = manifest_text(7, FAR);
        g_autofree char *cut = g_strndup(text, strlen(text) / 2), *key = NULL;

        (void) state;
        expect(expired, "unknown", "it has expired");
        expect(foreign, "unknown", "which is not trusted here");
        machine_write(machine, PATH, cut);
        expect(machine, "unknown", "the signature of the key 0807060504030201 is wrong");
        machine_write(machine, PATH, text);
        assert_int_equal(unlink(path), 0);
        expect(machine, "unknown", "srv/manifest.json.minisig");
        machine_write(machine, PATH ".minisig", "untrusted comment: nothing\n");
        expect(machine, "unknown", "not in minisign's format");
        write_signed(machine, &signer, "{}");
        expect(machine, "unknown", "\"format\" is not 1");
        key = g_strdup_printf("%s%s/one.pub", machine->dir, TN_PATH_KEYS);
        assert_int_equal(unlink(key), 0);
        expect(machine, "unknown", "no key is trusted here");
        /* None of them has counted. */
        assert_null(tn_json_file_read(&machine->env, STATE "/" TN_UPDATE_FOLDER, TN_UPDATE_SERIALS));
}

/* 1 GiB that takes no room: its end is never read. */
static void huge_one_is_refused(void **state)
{
        const struct signer signer = signer_new(1);
        g_autoptr(machine_t) machine = machine_with(7, &signer, FAR);
        g_autofree char *path = machine_path(machine, PATH), *middle = g_strnfill(300000, ' ');

        (void) state;
        assert_int_equal(truncate(path, INT64_C(1) << 30), 0);
        expect(machine, "unknown", "larger than 1048576 bytes");
        write_signed(machine, &signer, middle);
        expect(machine, "unknown", "it has more than 262144 bytes");
}

static void host_is_heard(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        struct tn_update_settings host_only = settings;
        json_auto_t *result = NULL, *deaf = NULL;

        (void) state;
        host_only.manifest = NULL;
        machine_write(machine, "var/lib/tenon/update/announced.json",
                      "{\"version\": \"0.3.0\", \"revoked\": [5]}");
        result = tn_update_check(&machine->env, &host_only);
        assert_string_equal(json_string_value(json_object_get(result, "status")), "out-of-date");
        assert_string_equal(json_string_value(json_object_get(result, "source")), "host");
        assert_true(json_is_null(json_object_get(result, "verified-by")));
        host_only.announcement = false;
        deaf = tn_update_check(&machine->env, &host_only);
        assert_string_equal(json_string_value(json_object_get(deaf, "status")), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(good_one_counts),      cmocka_unit_test(older_one_does_not_come_back),
                cmocka_unit_test(bad_ones_are_unknown), cmocka_unit_test(huge_one_is_refused),
                cmocka_unit_test(host_is_heard),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
