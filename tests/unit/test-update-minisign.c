/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Signatures: of both kinds, made by minisign itself and by a signer of the tests, and all that can be
 * wrong. */
#include "update/minisign.h"

#include "signing.h"
#include "support.h"

/* Made once by minisign 0.11. */
static const char real_key[] = "untrusted comment: minisign public key B8597E61856934B9\n"
                               "RWS5NGmFYX5ZuL/8zs/a86waBUi8wpBAa9Hbowdpnl+HmrPrUYFrEMo9\n";
static const char real_message[] = "one line\n";
static const char real_hashed[] =
        "untrusted comment: signature from minisign secret key\n"
        "RUS5NGmFYX5ZuPYRY/XqhGq3dzw00fVrLHXpLTroIWLtD5G5dWOq6I9m89a2vlhefE5Aw6KrRlXpAgnP95UE/"
        "wOUJbRBUO0SDww=\n"
        "trusted comment: tenon stable serial 7\n"
        "QMyFVPtLkC6wT1HOODAPmWoovGw741zOqmFkJJSHy/k1KAc/fXvg1S/QbPd4Ia5S4d66lE3XsErUBkOJdoX/AA==\n";
static const char real_legacy[] =
        "untrusted comment: signature from minisign secret key\n"
        "RWS5NGmFYX5ZuM0ESDZNsOnfv0ky8aW22GDPGXKIcOfFZYms+UtGYOtHYudKwYpNR128s7Qfc8nellaK/"
        "P3qRncyR7LQz7LYGA8=\n"
        "trusted comment: tenon stable serial 7\n"
        "U6Cf343RU4rtEbv8v8n0xf0LgYAjox40tu65VKE2x7L8GtbgeM63EQCnOD8VIFeTYRK79uRnSoGsEFsHkLDyAg==\n";

static GArray *keys_of(const char *text)
{
        GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct tn_minisign_key));
        struct tn_minisign_key key;

        assert_true(tn_minisign_parse_key(text, strlen(text), &key, NULL));
        return g_array_append_val(keys, key);
}

static bool verify(const char *signature_text, const char *message, size_t len, const GArray *keys,
                   GError **error)
{
        struct tn_minisign_signature signature;

        return tn_minisign_parse(signature_text, strlen(signature_text), &signature, error) &&
               tn_minisign_verify(&signature, message, len, keys, error);
}

static void what_minisign_signed_is_good(void **state)
{
        g_autoptr(GArray) keys = keys_of(real_key);
        struct tn_minisign_signature signature;
        char id[TN_MINISIGN_ID];

        (void) state;
        assert_true(verify(real_hashed, real_message, strlen(real_message), keys, NULL));
        assert_true(verify(real_legacy, real_message, strlen(real_message), keys, NULL));
        assert_true(tn_minisign_parse(real_hashed, strlen(real_hashed), &signature, NULL));
        assert_string_equal(signature.comment, "tenon stable serial 7");
        tn_minisign_print_id(signature.id, id);
        assert_string_equal(id, "B8597E61856934B9");
}

/* Each single byte of the message, and of the whole signature, matters. */
static void one_byte_is_enough(void **state)
{
        struct signer signer = signer_new(1);
        g_autofree char *public = signer_public(&signer);
        g_autoptr(GArray) keys = keys_of(public);

        (void) state;
        for (int hashed = 0; hashed < 2; hashed++) {
                char message[] = "a manifest";
                g_autofree char *text = signer_sign(&signer, message, strlen(message), hashed, "comment");
                size_t head = strlen("untrusted comment: made by a test\n");

                assert_true(verify(text, message, strlen(message), keys, NULL));
                for (size_t i = 0; message[i]; i++) {
                        message[i] ^= 1;
                        assert_false(verify(text, message, strlen(message), keys, NULL));
                        message[i] ^= 1;
                }
                assert_false(verify(text, message, strlen(message) - 1, keys, NULL));
                for (size_t i = head; i < strlen(text) - 1; i++) {
                        text[i] ^= 1;
                        assert_false(verify(text, message, strlen(message), keys, NULL));
                        text[i] ^= 1;
                }
        }
}

static void other_keys_are_told(void **state)
{
        struct signer signer = signer_new(1), other = signer_new(2), liar = signer_new(3);
        g_autofree char *text = signer_sign(&signer, "text", 4, true, "c"), *public = signer_public(&other);
        g_autofree char *forged = NULL, *ours = signer_public(&signer);
        g_autoptr(GArray) keys = keys_of(public), ours_only = keys_of(ours);
        GError *error = NULL;

        (void) state;
        assert_false(verify(text, "text", 4, keys, &error));
        assert_error(error, TN_ERROR_DENIED,
                     "it is signed by the key 0807060504030201, which is not trusted here");
        memcpy(liar.id, signer.id, sizeof liar.id); /* an id is no secret */
        forged = signer_sign(&liar, "text", 4, true, "c");
        assert_false(verify(forged, "text", 4, ours_only, &error));
        assert_error(
                error, TN_ERROR_DENIED,
                "the signature of the key 0807060504030201 is wrong: the file was changed, or is not whole");
}

/* The trusted comment of one signature on another. */
static void comment_is_signed(void **state)
{
        struct signer signer = signer_new(1);
        g_autofree char *text = signer_sign(&signer, "text", 4, true, "serial 1"),
                        *public = signer_public(&signer);
        g_autoptr(GArray) keys = keys_of(public);
        char *digit = strstr(text, "serial 1") + strlen("serial ");

        (void) state;
        *digit = '2';
        assert_false(verify(text, "text", 4, keys, NULL));
}

static void texts_that_are_none(void **state)
{
        struct signer signer = signer_new(1);
        g_autofree char *text = signer_sign(&signer, "text", 4, true, "c"), *more = NULL,
                        *long_comment = NULL;
        g_autofree char *filler = g_strnfill(TN_MINISIGN_COMMENT_MAX + 1, 'x'), *huge = NULL;
        struct tn_minisign_signature signature;
        struct tn_minisign_key key;
        GError *error = NULL;

        (void) state;
        for (size_t len = 0; len < strlen(text) - 1; len++) /* its last byte is a line end */
                assert_false(tn_minisign_parse(text, len, &signature, NULL));
        more = g_strconcat(text, "more\n", NULL);
        assert_false(tn_minisign_parse(more, strlen(more), &signature, &error));
        assert_error(error, TN_ERROR_INVALID, "the signature is not in minisign's format");
        long_comment = signer_sign(&signer, "text", 4, true, filler);
        assert_false(tn_minisign_parse(long_comment, strlen(long_comment), &signature, NULL));
        huge = g_strnfill(TN_MINISIGN_TEXT_MAX + 1, '\n');
        assert_false(tn_minisign_parse(huge, strlen(huge), &signature, &error));
        assert_error(error, TN_ERROR_LIMIT, "the signature has more than 4096 bytes");
        for (size_t len = 0; len < strlen(real_key) - 1; len++)
                assert_false(tn_minisign_parse_key(real_key, len, &key, NULL));
        assert_false(tn_minisign_parse_key(text, strlen(text), &key, &error));
        assert_error(error, TN_ERROR_INVALID, "this is no public key of minisign");
}

static void keys_are_read_from_folders(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
        const char *const folders[] = {"etc/tenon/keys", "usr/share/tenon/keys", "nowhere", NULL};
        g_autoptr(GArray) keys = NULL;

        (void) state;
        machine_write(machine, "etc/tenon/keys/a.pub", real_key);
        machine_write(machine, "etc/tenon/keys/b.pub", "rubbish");
        machine_write(machine, "etc/tenon/keys/readme", "rubbish");
        machine_write(machine, "usr/share/tenon/keys/c.pub", real_key);
        keys = tn_minisign_read_keys(&machine->env, folders, problems);
        assert_int_equal(keys->len, 2);
        assert_int_equal(problems->len, 1);
        assert_string_equal(g_ptr_array_index(problems, 0),
                            "/etc/tenon/keys/b.pub: this is no public key of minisign");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_minisign_signed_is_good), cmocka_unit_test(one_byte_is_enough),
                cmocka_unit_test(other_keys_are_told),          cmocka_unit_test(comment_is_signed),
                cmocka_unit_test(texts_that_are_none),          cmocka_unit_test(keys_are_read_from_folders),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
