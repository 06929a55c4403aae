/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The commands on a machine that is a temporary folder, with texts that qemu-ga gave for the same requests.
 * A hall, because all of it speaks of one made machine: six commands, each with its good and its bad
 * requests.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/file-open.h"
#include "plugins/files/files.h"

struct test_host {
        struct tenon_host host; /* first: its functions find us */
        struct tn_env env;
        char *root;
        const char *max_handles;
        GString *log;
        bool forgotten; /* nobody waits for answers */
        unsigned answers;
        json_t *answer;
        GError *error;
        const struct tenon_stream *stream; /* of an answer that has not been pulled */
        void *stream_data;
};

static const char *test_config(struct tenon_host *host, const char *group, const char *key)
{
        if (g_str_equal(group, "agent"))
                return g_str_equal(key, "statedir") ? "/state" : NULL;
        assert_string_equal(group, "files");
        if (g_str_equal(key, "helper"))
                return NULL;
        assert_string_equal(key, "max-handles");
        return ((struct test_host *) host)->max_handles;
}

static G_GNUC_PRINTF(3, 4) void test_log(struct tenon_host *host, int level, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        g_string_append_printf(((struct test_host *) host)->log, "<%d>", level);
        g_string_append_vprintf(((struct test_host *) host)->log, format, args);
        va_end(args);
}

/* A call is the host itself: there is never more than one. */
static void test_reply(struct tenon_call *call, json_t *value)
{
        struct test_host *h = (struct test_host *) call;

        h->answers++;
        h->answer = value ? value : json_object();
}

static void test_fail(struct tenon_call *call, GError *error)
{
        struct test_host *h = (struct test_host *) call;

        h->answers++;
        h->error = error;
}

static void test_reply_stream(struct tenon_call *call, const struct tenon_stream *stream, void *data)
{
        struct test_host *h = (struct test_host *) call;

        assert_null(h->stream);
        h->answers++;
        h->stream = stream;
        h->stream_data = data;
}

static bool test_is_awaited(const struct tenon_call *call)
{
        return !((const struct test_host *) call)->forgotten;
}

/* What is left of a stream; it is then no more. */
static json_t *pull(struct test_host *h, bool cut)
{
        g_autoptr(GString) text = g_string_new(NULL);
        json_t *value;

        while (h->stream->next(h->stream_data, text, cut))
                ;
        h->stream->free(h->stream_data);
        h->stream = NULL;
        value = json_loads(text->str, 0, NULL);
        assert_non_null(value);
        return value;
}

static void start_plugin(struct test_host *h)
{
        assert_true(tenon_plugin.start(&h->host, NULL));
}

static int set_up(void **state)
{
        struct test_host *h = g_new0(struct test_host, 1);
        g_autofree char *state_dir = NULL;

        h->root = g_dir_make_tmp("tenon-files-XXXXXX", NULL);
        assert_non_null(h->root);
        state_dir = g_build_filename(h->root, "state", NULL);
        assert_int_equal(g_mkdir(state_dir, 0700), 0);
        assert_true(tn_env_init_root(&h->env, h->root, NULL));
        h->log = g_string_new(NULL);
        h->max_handles = "4";
        h->host = (struct tenon_host){
                .env = &h->env,
                .root_fd = h->env.root_fd,
                .config = test_config,
                .log = test_log,
                .reply = test_reply,
                .fail = test_fail,
                .reply_stream = test_reply_stream,
                .is_awaited = test_is_awaited,
        };
        start_plugin(h);
        *state = h;
        return 0;
}

static int tear_down(void **state)
{
        struct test_host *h = *state;
        const char *argv[] = {"rm", "-rf", h->root, NULL};

        g_clear_error(&h->error);
        tenon_plugin.stop(&h->host);
        assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                                 NULL, NULL));
        tn_env_deinit(&h->env);
        g_string_free(h->log, TRUE);
        g_free(h->root);
        g_free(h);
        return 0;
}

static char *path_of(struct test_host *h, const char *name)
{
        return g_build_filename(h->root, name, NULL);
}

/* Its answer may come later. Borrows @args. */
static void ask(struct test_host *h, const char *name, json_t *args)
{
        const struct tenon_command *command = tenon_plugin.commands;

        g_clear_error(&h->error);
        h->answers = 0;
        h->answer = NULL;
        while (command->name && !g_str_equal(command->name, name))
                command++;
        assert_non_null(command->name);
        command->start(&h->host, (struct tenon_call *) h, args);
}

static void wait_answer(struct test_host *h)
{
        while (h->answers == 0)
                g_main_context_iteration(NULL, TRUE);
        assert_int_equal(h->answers, 1);
}

/* The reply, or NULL with h->error. */
static json_t *call(struct test_host *h, const char *name, json_t *args)
{
        json_t *value;

        ask(h, name, args);
        wait_answer(h);
        value = h->stream ? pull(h, false) : h->answer;
        assert_true(!value == !!h->error);
        json_decref(args);
        return value;
}

#define expect(h, name, args, text) expect_at(h, name, args, text, __LINE__)
/* @text is the reply as JSON with ' for ", or "!" and the error's message. */
static void expect_at(struct test_host *h, const char *name, json_t *args, const char *text, int line)
{
        json_t *value = call(h, name, args);
        g_autofree char *wanted = g_strdelimit(g_strdup(text), "'", text[0] == '!' ? '\'' : '"');
        g_autofree char *got = NULL;
        char *dump;

        if (!value) {
                got = g_strdup_printf("!%s", h->error->message);
        } else {
                dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
                got = g_strdup(dump);
                free(dump);
        }
        json_decref(value);
        if (strcmp(got, wanted) != 0)
                fail_msg("line %d: %s: %s, not %s", line, name, got, wanted);
}

static int64_t open_file(struct test_host *h, const char *path, const char *mode)
{
        json_t *value = call(h, "guest-file-open", json_pack("{s:s, s:s}", "path", path, "mode", mode));
        int64_t handle = json_integer_value(value);

        if (!value)
                fail_msg("open %s: %s", path, h->error->message);
        json_decref(value);
        return handle;
}

#define HANDLE(h)   json_pack("{s:I}", "handle", (json_int_t) (h))
#define COUNT(h, n) json_pack("{s:I, s:I}", "handle", (json_int_t) (h), "count", (json_int_t) (n))
#define WRITE(h, t) json_pack("{s:I, s:s}", "handle", (json_int_t) (h), "buf-b64", t)
#define WRITE_N(h, t, n)                                                                                    \
        json_pack("{s:I, s:s, s:I}", "handle", (json_int_t) (h), "buf-b64", t, "count", (json_int_t) (n))
#define SEEK(h, o, w)                                                                                       \
        json_pack("{s:I, s:I, s:s}", "handle", (json_int_t) (h), "offset", (json_int_t) (o), "whence", w)
#define SEEK_N(h, o, w)                                                                                     \
        json_pack("{s:I, s:I, s:I}", "handle", (json_int_t) (h), "offset", (json_int_t) (o), "whence",      \
                  (json_int_t) (w))
#define OPEN(p, m)     json_pack("{s:s, s:s}", "path", p, "mode", m)
#define NOFOLLOW(p, m) json_pack("{s:s, s:s, s:b}", "path", p, "mode", m, "nofollow", 1)

static void test_life_of_a_file(void **state)
{
        struct test_host *h = *state;
        g_autofree char *path = path_of(h, "f"), *text = NULL;
        int64_t f = open_file(h, "/f", "w+");
        struct stat st;

        assert_int_equal(f, 1000);
        expect(h, "guest-file-write", WRITE(f, "aGVsbG8gd29ybGQhCg=="), "{'count':13,'eof':false}");
        assert_true(g_file_get_contents(path, &text, NULL, NULL)); /* visible at once */
        assert_string_equal(text, "hello world!\n");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0666);
        expect(h, "guest-file-write", WRITE_N(f, "aGVsbG8gd29ybGQhCg==", 5), "{'count':5,'eof':false}");
        expect(h, "guest-file-write", WRITE(f, "aGVs\nbG8="), "{'count':5,'eof':false}");
        expect(h, "guest-file-write", WRITE(f, ""), "{'count':0,'eof':false}");
        expect(h, "guest-file-flush", HANDLE(f), "{}");
        expect(h, "guest-file-seek", SEEK(f, 0, "set"), "{'position':0,'eof':false}");
        expect(h, "guest-file-seek", SEEK_N(f, 2, 1), "{'position':2,'eof':false}");
        expect(h, "guest-file-read", COUNT(f, 5), "{'count':5,'buf-b64':'bGxvIHc=','eof':false}");
        expect(h, "guest-file-read", COUNT(f, 0), "{'count':0,'buf-b64':'','eof':false}");
        expect(h, "guest-file-read", HANDLE(f),
               "{'count':16,'buf-b64':'b3JsZCEKaGVsbG9oZWxsbw==','eof':true}");
        expect(h, "guest-file-read", HANDLE(f), "{'count':0,'buf-b64':'','eof':true}");
        expect(h, "guest-file-seek", SEEK_N(f, -1, 2), "{'position':22,'eof':false}");
        expect(h, "guest-file-read", COUNT(f, 1), "{'count':1,'buf-b64':'bw==','eof':false}");
        expect(h, "guest-file-close", HANDLE(f), "{}");
        expect(h, "guest-file-close", HANDLE(f), "!handle '1000' has not been found");
}

static void test_refusals(void **state)
{
        struct test_host *h = *state;
        int64_t f = open_file(h, "/f", "w");

        expect(h, "guest-file-open", OPEN("/x", "r"),
               "!failed to open file '/x' (mode: 'r'): No such file or directory");
        expect(h, "guest-file-open", OPEN("", "r"),
               "!failed to open file '' (mode: 'r'): No such file or directory");
        expect(h, "guest-file-open", OPEN("/f", "rw"), "!invalid file open mode 'rw'");
        expect(h, "guest-file-open", OPEN("/state", "w"),
               "!failed to open file '/state' (mode: 'w'): Is a directory");
        expect(h, "guest-file-open", json_pack("{s:s%}", "path", "/f\0g", (size_t) 4),
               "!Parameter 'path' has a NUL in it");
        expect(h, "guest-file-read", HANDLE(99), "!handle '99' has not been found");
        expect(h, "guest-file-flush", HANDLE(99), "!handle '99' has not been found");
        expect(h, "guest-file-read", COUNT(f, -1), "!value '-1' is invalid for argument count");
        expect(h, "guest-file-read", COUNT(f, 50331649), "!value '50331649' is invalid for argument count");
        expect(h, "guest-file-read", COUNT(f, 50331648), "!failed to read file: Bad file descriptor");
        expect(h, "guest-file-write", WRITE_N(f, "QUJD", 4), "!value '4' is invalid for argument count");
        expect(h, "guest-file-write", WRITE_N(f, "QUJD", -1), "!value '-1' is invalid for argument count");
        expect(h, "guest-file-write", WRITE(f, "aGVs*"), "!Base64 data contains invalid characters");
        expect(h, "guest-file-write", WRITE(f, "QUJ"),
               "!Base64 data is incomplete: it ends within a group of four characters");
        expect(h, "guest-file-seek", SEEK(f, 0, "bogus"),
               "!Parameter 'whence' does not accept value 'bogus'");
        expect(h, "guest-file-seek", SEEK_N(f, 0, 7), "!invalid whence code 7");
        expect(h, "guest-file-seek", SEEK_N(f, 0, -1), "!invalid whence code -1");
        expect(h, "guest-file-seek", SEEK_N(f, -5, 0), "!failed to seek file: Invalid argument");
        /* Of data that is wrong somewhere, nothing is written. */
        expect(h, "guest-file-write", WRITE(f, "QUJDQUJD*"), "!Base64 data contains invalid characters");
        expect(h, "guest-file-seek", SEEK(f, 0, "end"), "{'position':0,'eof':false}");
}

static void test_modes(void **state)
{
        static const char *const names[] = {"r",   "rb", "w",   "wb",  "a",  "ab",  "r+", "rb+",
                                            "r+b", "w+", "wb+", "w+b", "a+", "ab+", "a+b"};
        struct test_host *h = *state;
        int64_t f = open_file(h, "/f", "w");

        expect(h, "guest-file-close", HANDLE(f), "{}");
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                const struct tn_file_mode *mode = tn_file_mode_find(names[i]);
                bool plus = strchr(names[i], '+');

                f = open_file(h, "/f", names[i]);
                assert_true((mode->flags & O_ACCMODE) == (plus                 ? O_RDWR
                                                          : names[i][0] == 'r' ? O_RDONLY
                                                                               : O_WRONLY));
                assert_true(!!(mode->flags & O_APPEND) == (names[i][0] == 'a'));
                assert_true(!!(mode->flags & O_TRUNC) == (names[i][0] == 'w'));
                assert_true(!!(mode->flags & O_CREAT) == (names[i][0] != 'r'));
                expect(h, "guest-file-close", HANDLE(f), "{}");
        }
        f = open_file(h, "/log", "a+");
        expect(h, "guest-file-write", WRITE(f, "QUJD"), "{'count':3,'eof':false}");
        expect(h, "guest-file-seek", SEEK(f, 0, "set"), "{'position':0,'eof':false}");
        expect(h, "guest-file-read", COUNT(f, 2), "{'count':2,'buf-b64':'QUI=','eof':false}");
        expect(h, "guest-file-write", WRITE(f, "QUJD"), "{'count':3,'eof':false}");
        expect(h, "guest-file-seek", SEEK(f, 0, "cur"), "{'position':6,'eof':false}");
}

static void test_links(void **state)
{
        struct test_host *h = *state;
        g_autofree char *link = path_of(h, "link"), *dangling = path_of(h, "dangling"),
                        *dir = path_of(h, "dir");
        int64_t f = open_file(h, "/state/f", "w");

        assert_int_equal(symlink("state/f", link), 0);
        assert_int_equal(symlink("nowhere", dangling), 0);
        assert_int_equal(symlink("state", dir), 0);
        expect(h, "guest-file-close", HANDLE(f), "{}");
        expect(h, "guest-file-close", HANDLE(open_file(h, "/link", "r")), "{}");
        expect(h, "guest-file-open", NOFOLLOW("/link", "w"),
               "!failed to open file '/link' (mode: 'w'): a part of the path is a symbolic link, and "
               "nofollow was "
               "asked for");
        expect(h, "guest-file-open", NOFOLLOW("/dir/new", "w"),
               "!failed to open file '/dir/new' (mode: 'w'): a part of the path is a symbolic link, and "
               "nofollow "
               "was asked for");
        assert_int_equal(g_access(dir, F_OK), 0);
        expect(h, "guest-file-open", NOFOLLOW("/state/f", "r"), "1002");
        expect(h, "guest-file-open", NOFOLLOW("/state/new", "w"), "1003");
        expect(h, "guest-file-open", OPEN("/dangling", "w"),
               "!failed to open file '/dangling' (mode: 'w'): No such file or directory");
}

static void test_limit(void **state)
{
        struct test_host *h = *state;

        for (int i = 0; i < 4; i++)
                (void) open_file(h, "/f", "w");
        expect(h, "guest-file-open", OPEN("/f", "r"),
               "!4 files are open; close one first (the limit is max-handles in the group [files] of the "
               "configuration)");
        assert_int_equal(h->error->code, TN_ERROR_LIMIT);
        expect(h, "guest-file-close", HANDLE(1002), "{}");
        expect(h, "guest-file-open", OPEN("/f", "r"), "1004");
}

/* A handle of which nobody learns is not kept. */
static void test_open_for_nobody(void **state)
{
        struct test_host *h = *state;

        h->forgotten = true;
        for (int i = 0; i < 10; i++)
                expect(h, "guest-file-open", OPEN("/f", "w"), "!nobody waits any more");
        h->forgotten = false;
        assert_int_equal(open_file(h, "/f", "w"), 1000);
}

static void test_fifo(void **state)
{
        struct test_host *h = *state;
        g_autofree char *fifo = path_of(h, "fifo"), *data = g_strnfill(200000, 'A');
        json_t *reply;
        int64_t f;

        assert_int_equal(mkfifo(fifo, 0600), 0);
        expect(h, "guest-file-open", OPEN("/fifo", "w"),
               "!failed to open file '/fifo' (mode: 'w'): No such device or address");
        f = open_file(h, "/fifo", "r+");
        expect(h, "guest-file-read", HANDLE(f), "!failed to read file: Resource temporarily unavailable");
        expect(h, "guest-file-write", WRITE(f, "QUJD"), "{'count':3,'eof':false}");
        expect(h, "guest-file-flush", HANDLE(f), "{}");
        expect(h, "guest-file-read", HANDLE(f), "{'count':3,'buf-b64':'QUJD','eof':false}");
        expect(h, "guest-file-seek", SEEK(f, 0, "set"), "!failed to seek file: Illegal seek");
        /* As much as the pipe takes, and not a hang. */
        reply = call(h, "guest-file-write", WRITE(f, data));
        assert_int_equal(json_integer_value(json_object_get(reply, "count")), 65536);
        json_decref(reply);
}

static void test_sparse(void **state)
{
        struct test_host *h = *state;
        int64_t f = open_file(h, "/sparse", "w+");
        json_t *reply;
        int64_t position;

        expect(h, "guest-file-seek", SEEK(f, 1024 * 1024, "set"), "{'position':1048576,'eof':false}");
        expect(h, "guest-file-write", WRITE(f, "QUJD"), "{'count':3,'eof':false}");
        expect(h, "guest-file-seek", SEEK(f, 1024 * 1024, "hole"), "{'position':1048579,'eof':false}");
        expect(h, "guest-file-seek", SEEK(f, 2 * 1024 * 1024, "data"), "{'position':1048579,'eof':true}");
        reply = call(h, "guest-file-seek", SEEK(f, 0, "data"));
        position = json_integer_value(json_object_get(reply, "position"));
        json_decref(reply);
        /* File systems without holes say that all of it is data. */
        assert_true(position == 0 || position == 1024 * 1024);
}

/* Larger than any piece in which it goes through, and its length divides by neither 3 nor 4. */
static void test_large(void **state)
{
        struct test_host *h = *state;
        size_t len = 1024 * 1024 + 1;
        g_autofree uint8_t *bytes = g_malloc(len), *back = NULL;
        g_autofree char *text = NULL, *path = path_of(h, "large"), *on_disk = NULL;
        int64_t f = open_file(h, "/large", "w+");
        json_t *reply;
        gsize n;

        for (size_t i = 0; i < len; i++)
                bytes[i] = (uint8_t) (i * 7 + (i >> 8));
        text = g_base64_encode(bytes, len);
        expect(h, "guest-file-write", WRITE(f, text), "{'count':1048577,'eof':false}");
        assert_true(g_file_get_contents(path, &on_disk, &n, NULL));
        assert_int_equal(n, len);
        assert_memory_equal(on_disk, bytes, len);
        expect(h, "guest-file-seek", SEEK(f, 0, "set"), "{'position':0,'eof':false}");
        reply = call(h, "guest-file-read", COUNT(f, 48 * 1024 * 1024));
        assert_string_equal(json_string_value(json_object_get(reply, "buf-b64")), text);
        assert_true(json_is_true(json_object_get(reply, "eof")));
        json_decref(reply);
        expect(h, "guest-file-seek", SEEK(f, 0, "set"), "{'position':0,'eof':false}");
        reply = call(h, "guest-file-read", COUNT(f, 300000)); /* ends within a piece, before the end */
        back = g_base64_decode(json_string_value(json_object_get(reply, "buf-b64")), &n);
        assert_int_equal(n, 300000);
        assert_memory_equal(back, bytes, n);
        assert_false(json_is_true(json_object_get(reply, "eof")));
        json_decref(reply);
}

static void assert_state(struct test_host *h, const char *expected)
{
        g_autofree char *path = path_of(h, "state/qga.state"), *text = NULL;

        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        if (!strstr(text, expected))
                fail_msg("no %s in %s", expected, text);
}

static void restart_with(struct test_host *h, const char *text)
{
        g_autofree char *path = path_of(h, "state/qga.state");

        tenon_plugin.stop(&h->host);
        if (text)
                assert_true(g_file_set_contents(path, text, -1, NULL));
        start_plugin(h);
}

static void test_numbers(void **state)
{
        struct test_host *h = *state;
        g_autofree char *path = path_of(h, "state/qga.state");

        assert_int_equal(g_access(path, F_OK), -1); /* nothing is written before it is needed */
        assert_int_equal(open_file(h, "/f", "w"), 1000);
        assert_state(h, "[global]\nfd_counter=2000\n"); /* a crash would cost the block, and nothing else */
        assert_int_equal(open_file(h, "/f", "w"), 1001);
        restart_with(h, NULL);
        assert_state(h, "[global]\nfd_counter=1002\n");
        assert_int_equal(open_file(h, "/f", "w"), 1002);
        restart_with(h, "[global]\nfd_counter=1234\nsomething=else\n"); /* qemu-ga's */
        assert_int_equal(open_file(h, "/f", "w"), 1234);
        assert_state(h, "fd_counter=2234\nsomething=else\n");
        assert_int_equal(h->log->len, strlen(h->log->str));
        assert_null(strstr(h->log->str, "<4>"));
}

static void test_numbers_of_a_bad_file(void **state)
{
        static const char *const texts[] = {"[global]\nfd_counter=many\n", "[global]\nfd_counter=-7\n", "}{",
                                            "[global]\nfd_counter=9223372036854775807\n", ""};
        struct test_host *h = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_string_truncate(h->log, 0);
                restart_with(h, texts[i]);
                assert_non_null(strstr(h->log->str, "<4>/state/qga.state has no handle number"));
                assert_int_equal(open_file(h, "/f", "w"), 1000);
        }
}

static void test_no_statedir(void **state)
{
        struct test_host *h = *state;
        g_autofree char *path = path_of(h, "state");

        assert_int_equal(g_rmdir(path), 0);
        assert_int_equal(open_file(h, "/f", "w"), 1000);
        assert_int_equal(open_file(h, "/f", "w"), 1001);
        assert_non_null(strstr(h->log->str, "<4>handle numbers are not kept in /state: open /state"));
}

static int64_t make_file(struct test_host *h, const char *name, size_t size)
{
        g_autofree char *path = path_of(h, name), *bytes = g_malloc(size);

        for (size_t i = 0; i < size; i++)
                bytes[i] = (char) (i >> 10);
        assert_true(g_file_set_contents(path, bytes, (gssize) size, NULL));
        return open_file(h, name, "r+");
}

static void assert_read(json_t *reply, size_t count, bool eof)
{
        g_autofree uint8_t *bytes = NULL;
        gsize n;

        bytes = g_base64_decode(json_string_value(json_object_get(reply, "buf-b64")), &n);
        assert_int_equal(n, count);
        assert_int_equal(json_integer_value(json_object_get(reply, "count")), count);
        assert_int_equal(json_is_true(json_object_get(reply, "eof")), eof);
        json_decref(reply);
}

/* Starts a read, of which only the first piece has been made. */
static void start_read(struct test_host *h, int64_t f, size_t count)
{
        json_auto_t *args = COUNT(f, count);

        ask(h, "guest-file-read", args);
        assert_non_null(h->stream);
        assert_int_equal(h->answers, 1);
}

static void test_sizes_of_reads(void **state)
{
        static const size_t piece = 98304;
        const size_t sizes[] = {piece - 1, piece, piece + 1, 2 * piece - 1, 2 * piece, 2 * piece + 1};
        struct test_host *h = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
                int64_t f = make_file(h, "/sized", sizes[i]);

                assert_read(call(h, "guest-file-read", COUNT(f, sizes[i])), sizes[i], false);
                assert_read(call(h, "guest-file-read", COUNT(f, sizes[i])), 0, true);
                expect(h, "guest-file-seek", SEEK(f, 0, "set"), "{'position':0,'eof':false}");
                assert_read(call(h, "guest-file-read", COUNT(f, sizes[i] + 1)), sizes[i], true);
                expect(h, "guest-file-close", HANDLE(f), "{}");
        }
}

static void test_truncated_in_the_middle_of_a_read(void **state)
{
        struct test_host *h = *state;
        g_autofree char *path = path_of(h, "shrinks");
        int64_t f = make_file(h, "/shrinks", 1000000);

        start_read(h, f, 1000000);
        assert_int_equal(truncate(path, 200000), 0);
        assert_read(pull(h, false), 200000, true);
        expect(h, "guest-file-seek", SEEK(f, 0, "cur"), "{'position':200000,'eof':false}");
}

static void test_cut(void **state)
{
        struct test_host *h = *state;
        g_autoptr(GString) text = g_string_new(NULL);
        int64_t f = make_file(h, "/cut", 1000000);

        start_read(h, f, 1000000);
        assert_read(pull(h, true), 98304, false); /* before anything was sent */
        start_read(h, f, 500000);
        assert_true(h->stream->next(h->stream_data, text, false));
        assert_true(h->stream->next(h->stream_data, text, false));
        assert_false(h->stream->next(h->stream_data, text, true));
        h->stream->free(h->stream_data);
        h->stream = NULL;
        assert_read(json_loads(text->str, 0, NULL), 2 * 98304, false);
        expect(h, "guest-file-seek", SEEK(f, 0, "cur"), "{'position':294912,'eof':false}");
}

/* What is asked of a handle while a reply is being made of it waits, in order; other handles do not. */
static void test_turns(void **state)
{
        struct test_host *h = *state;
        int64_t f = make_file(h, "/turns", 1000000), g = make_file(h, "/other", 3);
        json_auto_t *seek = SEEK(f, 0, "cur"), *again = COUNT(f, 600000), *close = HANDLE(f);
        json_auto_t *late = SEEK(f, 0, "set");
        const struct tenon_stream *stream;
        void *stream_data;

        start_read(h, f, 600000);
        stream = g_steal_pointer(&h->stream);
        stream_data = h->stream_data;
        ask(h, "guest-file-seek", seek);
        assert_int_equal(h->answers, 0);
        expect(h, "guest-file-read", HANDLE(g), "{'count':3,'buf-b64':'AAAA','eof':true}");
        ask(h, "guest-file-read", again);
        ask(h, "guest-file-close", close);
        ask(h, "guest-file-seek", late);
        assert_int_equal(h->answers, 0);
        h->stream = stream;
        h->stream_data = stream_data;
        assert_read(pull(h, false), 600000, false);
        wait_answer(h);
        assert_int_equal(json_integer_value(json_object_get(h->answer, "position")), 600000);
        json_decref(h->answer);
        h->answers = 0;
        wait_answer(h);
        assert_read(pull(h, false), 400000, true);
        h->answers = 0;
        while (h->answers < 2)
                g_main_context_iteration(NULL, TRUE);
        assert_int_equal(json_object_size(h->answer), 0); /* of the close */
        json_decref(h->answer);
        assert_string_equal(h->error->message, "handle '1000' has not been found");
}

/* What waits for a read that never ends is answered when the agent stops. */
static void test_stop_with_waiting(void **state)
{
        struct test_host *h = *state;
        int64_t f = make_file(h, "/waits", 1000000);
        json_auto_t *close = HANDLE(f);

        start_read(h, f, 1000000);
        ask(h, "guest-file-close", close);
        assert_int_equal(h->answers, 0);
        h->stream->free(h->stream_data); /* the host went away */
        h->stream = NULL;
        tenon_plugin.stop(&h->host);
        assert_int_equal(h->answers, 1);
        assert_string_equal(h->error->message, "the agent is stopping");
        start_plugin(h);
}

/* A flush that is under way when the agent stops is answered, too. */
static void test_stop_with_flush(void **state)
{
        struct test_host *h = *state;
        json_auto_t *args = HANDLE(open_file(h, "/f", "w"));

        ask(h, "guest-file-flush", args);
        assert_int_equal(h->answers, 0);
        tenon_plugin.stop(&h->host);
        assert_int_equal(h->answers, 1);
        assert_string_equal(h->error->message, "the agent is stopping");
        g_clear_error(&h->error);
        start_plugin(h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_life_of_a_file),
                TEST(test_refusals),
                TEST(test_modes),
                TEST(test_links),
                TEST(test_limit),
                TEST(test_fifo),
                TEST(test_sparse),
                TEST(test_large),
                TEST(test_numbers),
                TEST(test_numbers_of_a_bad_file),
                TEST(test_no_statedir),
                TEST(test_stop_with_flush),
                TEST(test_sizes_of_reads),
                TEST(test_truncated_in_the_middle_of_a_read),
                TEST(test_cut),
                TEST(test_open_for_nobody),
                TEST(test_turns),
                TEST(test_stop_with_waiting),
        };

        umask(077);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
