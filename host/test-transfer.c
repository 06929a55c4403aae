/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Files to and from a guest that lies about them, and files of this host that nobody may overwrite. */
#include "host/fake.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/target.h"
#include "host/transfer.h"
#include "host/trouble.h"

/* A guest made of answers: command and what is replied; the last one of a command stays. */
struct answer {
        const char *command, *reply; /* ' stands for " */
};

struct script {
        const struct answer *answers;
        unsigned at; /* the next one that was not used */
        GString *asked;
};

static bool script_ask(void *data, const struct tn_ask *ask, json_t **ret_reply, GError **error)
{
        struct script *script = data;
        const struct answer *found = NULL;

        (void) error;
        g_string_append_printf(script->asked, "%s ", ask->command + strlen("guest-file-"));
        for (unsigned i = 0; script->answers[i].command; i++)
                if (g_str_equal(script->answers[i].command, ask->command)) {
                        found = &script->answers[i];
                        if (i < script->at)
                                continue;
                        script->at = i + 1;
                        break;
                }
        if (!found)
                fail_msg("%s was not expected", ask->command);
        g_autofree char *text = g_strdelimit(g_strdup(found->reply), "'", '"');
        *ret_reply = json_loads(text, 0, NULL);
        assert_non_null(*ret_reply);
        return true;
}

static void script_free(void *data)
{
        (void) data;
}

static const struct tn_guest_ops script_ops = {.ask = script_ask, .free = script_free};

#define OPEN                                                                                                \
        {                                                                                                   \
                "guest-file-open", "{'return': 1000}"                                                       \
        }
#define CLOSE                                                                                               \
        {                                                                                                   \
                "guest-file-close", "{'return': {}}"                                                        \
        }
#define READ(text)                                                                                          \
        {                                                                                                   \
                "guest-file-read", "{'return': " text "}"                                                   \
        }

static bool keep(const void *bytes, size_t len, uint64_t sum, void *data, GError **error)
{
        GString *text = data;

        (void) error;
        g_string_append_len(text, bytes, (gssize) len);
        assert_int_equal(text->len, sum);
        return true;
}

static bool get(const struct answer *answers, uint64_t max, const char *asked, GString *ret, GError **error)
{
        struct script script = {answers, 0, g_string_new(NULL)};
        struct tn_guest guest = {.ops = &script_ops, .data = &script, .timeout_ms = 200};
        bool good = tn_transfer_get(&guest, "/x", max, keep, ret, error);

        assert_string_equal(script.asked->str, asked);
        g_string_free(script.asked, TRUE);
        return good;
}

static void test_get(void **state)
{
        const struct answer answers[] = {OPEN,
                                         READ("{'count': 3, 'buf-b64': 'YWJj', 'eof': false}"),
                                         READ("{'count': 0, 'buf-b64': '', 'eof': false}"),
                                         READ("{'count': 1, 'buf-b64': 'ZA==', 'eof': true}"),
                                         CLOSE,
                                         {NULL}};
        g_autoptr(GString) text = g_string_new(NULL);

        (void) state;
        assert_true(get(answers, 4, "open read read read close ", text, NULL));
        assert_string_equal(text->str, "abcd");
        g_string_truncate(text, 0);
        GError *error = NULL;
        assert_false(get(answers, 3, "open read read read close ", text, &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "--max-size");
}

static void test_get_lies(void **state)
{
        static const struct answer rows[][4] = {
                {OPEN, READ("{'count': 4, 'buf-b64': 'YWJj', 'eof': true}"), CLOSE},
                {OPEN, READ("{'count': 3, 'buf-b64': 'YW*j', 'eof': true}"), CLOSE},
                {OPEN, READ("{'count': 3, 'buf-b64': 'YWJ', 'eof': true}"), CLOSE},
                {OPEN, READ("{'count': -1, 'buf-b64': '', 'eof': true}"), CLOSE},
                {OPEN, READ("{'count': '3', 'buf-b64': 'YWJj', 'eof': true}"), CLOSE},
                {OPEN, READ("{'count': 1, 'buf-b64': 5, 'eof': true}"), CLOSE},
                {OPEN, READ("{'buf-b64': 'YWJj', 'eof': true}"), CLOSE},
                {OPEN, READ("[]"), CLOSE},
        };
        g_autoptr(GString) text = g_string_new(NULL);
        GError *error = NULL;

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_false(get(rows[i], 100, "open read close ", text, &error));
                assert_trouble(error, TN_TROUBLE_LINK, "not what was asked for");
                assert_int_equal(text->len, 0);
        }
}

/* More than was asked for, and it is even true. */
static void test_get_too_much(void **state)
{
        g_autofree char *text = g_strnfill(TN_TRANSFER_PIECE / 3 * 4 + 4, 'A');
        g_autofree char *reply = g_strdup_printf("{'return': {'count': %d, 'buf-b64': '%s', 'eof': true}}",
                                                 TN_TRANSFER_PIECE + 3, text);
        const struct answer answers[] = {OPEN, {"guest-file-read", reply}, CLOSE, {NULL}};
        g_autoptr(GString) out = g_string_new(NULL);
        GError *error = NULL;

        (void) state;
        assert_false(get(answers, G_MAXUINT64, "open read close ", out, &error));
        assert_trouble(error, TN_TROUBLE_LINK, "not what was asked for");
}

static void test_get_never_ends(void **state)
{
        const struct answer answers[] = {
                OPEN, READ("{'count': 0, 'buf-b64': '', 'eof': false}"), CLOSE, {NULL}};
        struct script script = {answers, 0, g_string_new(NULL)};
        struct tn_guest guest = {.ops = &script_ops, .data = &script, .timeout_ms = 120};
        g_autoptr(GString) text = g_string_new(NULL);
        GError *error = NULL;

        (void) state;
        assert_false(tn_transfer_get(&guest, "/x", 100, keep, text, &error));
        assert_trouble(error, TN_TROUBLE_TIMEOUT, "no more bytes come");
        assert_true(g_str_has_suffix(script.asked->str, "close "));
        g_string_free(script.asked, TRUE);
}

static void test_get_refused(void **state)
{
        const struct answer refused[] = {{"guest-file-open", "{'error': {'desc': 'No such file'}}"}, {NULL}};
        const struct answer odd[] = {{"guest-file-open", "{'return': 'x'}"}, {NULL}};
        g_autoptr(GString) text = g_string_new(NULL);
        GError *error = NULL;

        (void) state;
        assert_false(get(refused, 100, "open ", text, &error));
        assert_trouble(error, TN_TROUBLE_GUEST, "No such file");
        assert_false(get(odd, 100, "open ", text, &error));
        assert_trouble(error, TN_TROUBLE_LINK, "no handle");
}

static bool give(void *bytes, size_t size, size_t *ret_len, void *data, GError **error)
{
        const char **text = data;

        (void) error;
        assert_true(size >= strlen(*text));
        *ret_len = strlen(*text);
        memcpy(bytes, *text, *ret_len);
        *text += *ret_len;
        return true;
}

static bool put(const struct answer *answers, const char *asked, GError **error)
{
        struct script script = {answers, 0, g_string_new(NULL)};
        struct tn_guest guest = {.ops = &script_ops, .data = &script, .timeout_ms = 200};
        const char *text = "hello";
        bool good = tn_transfer_put(&guest, "/x", give, &text, error);

        assert_string_equal(script.asked->str, asked);
        g_string_free(script.asked, TRUE);
        return good;
}

static void test_put(void **state)
{
        const struct answer in_two[] = {OPEN,
                                        {"guest-file-write", "{'return': {'count': 2, 'eof': false}}"},
                                        {"guest-file-write", "{'return': {'count': 3, 'eof': false}}"},
                                        CLOSE,
                                        {NULL}};
        const struct answer nothing[] = {
                OPEN, {"guest-file-write", "{'return': {'count': 0, 'eof': false}}"}, CLOSE, {NULL}};
        const struct answer too_much[] = {
                OPEN, {"guest-file-write", "{'return': {'count': 6}}"}, CLOSE, {NULL}};
        const struct answer full[] = {
                OPEN, {"guest-file-write", "{'error': {'desc': 'No space'}}"}, CLOSE, {NULL}};
        const struct answer late[] = {OPEN,
                                      {"guest-file-write", "{'return': {'count': 5}}"},
                                      {"guest-file-close", "{'error': {'desc': 'No space'}}"},
                                      {NULL}};
        GError *error = NULL;

        (void) state;
        assert_true(put(in_two, "open write write close ", NULL));
        assert_false(put(nothing, "open write close ", &error));
        assert_trouble(error, TN_TROUBLE_LINK, "wrote 0 of 5 bytes");
        assert_false(put(too_much, "open write close ", &error));
        assert_trouble(error, TN_TROUBLE_LINK, "wrote 6 of 5 bytes");
        assert_false(put(full, "open write close ", &error));
        assert_trouble(error, TN_TROUBLE_GUEST, "No space");
        assert_false(put(late, "open write close ", &error));
        assert_trouble(error, TN_TROUBLE_GUEST, "No space");
}

static int make_folder(void **state)
{
        *state = g_dir_make_tmp("tenon-host-XXXXXX", NULL);
        return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
        g_autoptr(GDir) dir = g_dir_open(*state, 0, NULL);

        for (const char *name; (name = g_dir_read_name(dir));) {
                g_autofree char *path = g_build_filename(*state, name, NULL);

                (void) g_remove(path);
        }
        (void) g_rmdir(*state);
        g_free(*state);
        return 0;
}

static void assert_file(const char *path, const char *wanted)
{
        g_autofree char *text = NULL;

        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_string_equal(text, wanted);
}

static unsigned count_files(const char *folder)
{
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        unsigned count = 0;

        while (g_dir_read_name(dir))
                count++;
        return count;
}

static void test_target(void **state)
{
        g_autofree char *path = g_build_filename(*state, "name", NULL);
        struct tn_target *target = tn_target_new(*state, "name", false, NULL);
        struct stat st;
        GError *error = NULL;

        assert_non_null(target);
        assert_string_equal(tn_target_path(target), path);
        assert_true(tn_target_write(target, "new", 3, NULL));
        assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
        assert_true(tn_target_finish(target, NULL));
        tn_target_free(target);
        assert_file(path, "new");
        assert_int_equal(g_stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0111, 0);
        assert_null(tn_target_new(path, "other", false, &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "--force");
        target = tn_target_new(path, "other", true, NULL);
        assert_true(tn_target_write(target, "newer", 5, NULL) && tn_target_finish(target, NULL));
        tn_target_free(target);
        assert_file(path, "newer");
        assert_int_equal(count_files(*state), 1);
}

/* It came into being while we copied: theirs stays. */
static void test_target_race(void **state)
{
        g_autofree char *path = g_build_filename(*state, "name", NULL);
        struct tn_target *target = tn_target_new(path, "x", false, NULL);
        GError *error = NULL;

        assert_true(g_file_set_contents(path, "theirs", -1, NULL));
        assert_false(tn_target_finish(target, &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "exists by now");
        tn_target_free(target);
        assert_file(path, "theirs");
        assert_int_equal(count_files(*state), 1);
}

static void test_target_unfinished(void **state)
{
        g_autofree char *path = g_build_filename(*state, "no-folder", "name", NULL);
        struct tn_target *target = tn_target_new(*state, "name", false, NULL);
        GError *error = NULL;

        assert_int_equal(count_files(*state), 1);
        tn_target_free(target);
        assert_int_equal(count_files(*state), 0);
        assert_null(tn_target_new(path, "x", false, &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "make a file in");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_get),
                cmocka_unit_test(test_get_lies),
                cmocka_unit_test(test_get_too_much),
                cmocka_unit_test(test_get_never_ends),
                cmocka_unit_test(test_get_refused),
                cmocka_unit_test(test_put),
                cmocka_unit_test_setup_teardown(test_target, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(test_target_race, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(test_target_unfinished, make_folder, remove_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
