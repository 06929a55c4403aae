/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The commands of the test bench, and sessions that keep what was said. */
#include "bench.h"

#include <string.h>

#include "agent/core-commands.h"

static json_t *echo_run(struct tenon_host *host, json_t *args, GError **error)
{
        return json_deep_copy(args);
}

static json_t *big_run(struct tenon_host *host, json_t *args, GError **error)
{
        json_int_t size = json_integer_value(json_object_get(args, "size"));
        g_autofree char *text = g_strnfill((gsize) size, 'x');

        return json_string(text);
}

static json_t *fail_run(struct tenon_host *host, json_t *args, GError **error)
{
        (void) tn_error_errno(error, ENOENT, "failed to open file '/x' (mode: 'r')");
        return NULL;
}

static json_t *mute_run(struct tenon_host *host, json_t *args, GError **error)
{
        return NULL;
}

static void later_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct bench *bench = host->data;

        g_queue_push_tail(&bench->calls, call);
}

#define STREAM_PIECE 1000

struct letters {
        struct bench *bench;
        size_t left;
        bool begun;
};

static bool letters_next(void *data, GString *out, bool cut)
{
        struct letters *letters = data;
        size_t n = cut ? 0 : MIN(letters->left, STREAM_PIECE);

        if (!letters->begun)
                g_string_append_c(out, '"');
        letters->begun = true;
        for (size_t i = 0; i < n; i++)
                g_string_append_c(out, 'x');
        letters->left -= n;
        letters->bench->stream_bytes += (unsigned) n;
        if (!cut && letters->left > 0)
                return true;
        g_string_append(out, cut ? "c\"" : "\"");
        return false;
}

static void letters_free(void *data)
{
        struct letters *letters = data;

        letters->bench->streams--;
        g_free(letters);
}

static void stream_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        static const struct tenon_stream stream = {.next = letters_next, .free = letters_free};
        struct letters *letters = g_new0(struct letters, 1);

        letters->bench = host->data;
        letters->left = (size_t) json_integer_value(json_object_get(args, "size"));
        letters->bench->streams++;
        host->reply_stream(call, &stream, letters);
}

static const struct tenon_command bench_commands[] = {
        {.name = "test-stream", .args = "size:int", .category = TENON_CATEGORY_INFO, .start = stream_start},
        {.name = "test-echo", .args = "value:any?", .category = TENON_CATEGORY_INFO, .run = echo_run},
        {.name = "test-big", .args = "size:int", .category = TENON_CATEGORY_INFO, .run = big_run},
        {.name = "test-fail", .args = "", .category = TENON_CATEGORY_INFO, .run = fail_run},
        {.name = "test-mute", .args = "", .category = TENON_CATEGORY_INFO, .run = mute_run},
        {.name = "test-later", .args = "", .category = TENON_CATEGORY_INFO, .start = later_start},
        {.name = "test-later-freeze",
         .args = "",
         .category = TENON_CATEGORY_FREEZE,
         .flags = TENON_COMMAND_CHANGES,
         .start = later_start},
        {.name = "test-change",
         .args = "value:any?",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_CHANGES,
         .run = echo_run},
        {.name = "test-change-fail",
         .args = "",
         .category = TENON_CATEGORY_TIME,
         .flags = TENON_COMMAND_CHANGES,
         .run = fail_run},
        {.name = "test-change-later",
         .args = "",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES,
         .start = later_start},
        {.name = "test-quiet",
         .args = "",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES | TENON_COMMAND_NO_REPLY,
         .start = later_start},
        {.name = "test-exec", .args = "", .category = TENON_CATEGORY_EXEC, .run = echo_run},
        {.name = "test-thaw",
         .args = "",
         .category = TENON_CATEGORY_FREEZE,
         .flags = TENON_COMMAND_WHILE_FROZEN,
         .run = echo_run},
        {.name = NULL},
};

struct bench *bench_new(const char *config)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->machine = machine_new();
        bench->config = config_from(bench->machine, config);
        bench->commands = tn_commands_new();
        bench->facts = tn_facts_new();
        bench->dispatch = tn_dispatch_new(&bench->machine->env, bench->commands, bench->facts);
        bench->host = (struct tenon_host){
                .data = bench,
                .env = &bench->machine->env,
                .reply = tn_call_reply,
                .fail = tn_call_fail,
                .reply_stream = tn_call_reply_stream,
                .is_awaited = tn_call_is_awaited,
        };
        tn_dispatch_set_policy(bench->dispatch, tn_policy_new(bench->config));
        assert_true(tn_commands_add(bench->commands, "agent", &bench->host, tn_core_commands, NULL));
        assert_true(tn_commands_add(bench->commands, "bench", &bench->host, bench_commands, NULL));
        return bench;
}

void bench_free(struct bench *bench)
{
        if (!bench)
                return;
        while (!g_queue_is_empty(&bench->calls))
                bench_reply(bench, 0, "null");
        tn_dispatch_free(bench->dispatch);
        tn_commands_free(bench->commands);
        tn_facts_free(bench->facts);
        tn_config_free(bench->config);
        machine_free(bench->machine);
        g_free(bench);
}

static struct tenon_call *take(struct bench *bench, unsigned index)
{
        struct tenon_call *call = g_queue_pop_nth(&bench->calls, index);

        assert_non_null(call);
        return call;
}

void bench_reply(struct bench *bench, unsigned index, const char *value)
{
        bench->host.reply(take(bench, index), json_of(value));
}

void bench_fail(struct bench *bench, unsigned index, const char *message)
{
        GError *error = g_error_new_literal(TN_ERROR, TN_ERROR_FAILED, message);

        (bench->host.fail)(take(bench, index), error); /* in brackets: fail() is a macro of cmocka's, too */
}

static void keep_reply(const char *bytes, size_t len, void *data)
{
        struct talk *talk = data;

        g_string_append_len(talk->said, bytes, (gssize) len);
}

struct talk *talk_new(struct bench *bench, enum tn_trust trust)
{
        struct talk *talk = g_new0(struct talk, 1);

        talk->said = g_string_new(NULL);
        talk->session = tn_session_new(bench->dispatch, trust, "test-line", "tester", keep_reply, talk);
        return talk;
}

void talk_free(struct talk *talk)
{
        if (!talk)
                return;
        tn_session_free(talk->session);
        g_string_free(talk->said, TRUE);
        g_free(talk);
}

void talk_send(struct talk *talk, const char *text)
{
        g_autofree char *plain = g_strdelimit(g_strdup(text), "'", '"');

        tn_session_message(talk->session, plain, strlen(plain));
}

/* In error texts the apostrophe is itself; there the expectation has a double-quoted text, see ERROR_REPLY.
 */
static char *as_json(const char *wanted)
{
        GString *text = g_string_new(NULL);
        bool plain = false;

        for (const char *c = wanted; *c; c++) {
                if (*c == '"')
                        plain = !plain;
                g_string_append_c(text, *c == '\'' && !plain ? '"' : *c);
        }
        return g_string_free(text, FALSE);
}

void assert_said_at(struct talk *talk, const char *wanted, const char *file, int line)
{
        g_autofree char *text = as_json(wanted);

        if (strcmp(talk->said->str, text) != 0) {
                print_error("%s:%d: said\n%.2000s\nwanted\n%.2000s\n", file, line, talk->said->str, text);
                _fail(file, line);
        }
        g_string_truncate(talk->said, 0);
}
