/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host exec: a program in the guest, what it wrote, and its exit status as ours. The surprising thing:
 * the time limit is asked of the agent first, so that the program ends too; an agent that has no such thing
 * is asked again without it, and then only our waiting ends.
 */
#include <stdio.h>
#include <string.h>

#include "host/arguments.h"
#include "host/host.h"
#include "host/print.h"
#include "host/trouble.h"
#include "lib/base64.h"

#define OUTPUT_MAX    (64 * 1024 * 1024) /* bytes of the reply with all output */
#define POLL_FIRST_MS 10
#define POLL_MAX_MS   500
#define GRACE_MS      10000 /* for an agent that ends the program itself */
#define DEFAULT_S     3600.0
#define SIGNAL_STATUS 128

struct request {
        char *cwd, *user;
        char **env;
        double timeout_s;
        gboolean input, raw;
};

static void add_text(json_t *args, const char *key, const char *text, GError **error)
{
        if (text && !*error)
                json_object_set_new(args, key, tn_arguments_text(text, error));
}

static void add_list(json_t *args, const char *key, char **texts, GError **error)
{
        json_t *list = json_array();

        for (; texts && *texts && !*error; texts++)
                json_array_append_new(list, tn_arguments_text(*texts, error));
        if (json_array_size(list) > 0)
                json_object_set_new(args, key, list);
        else
                json_decref(list);
}

/* Our standard input, to its end. */
static bool read_input(size_t max, GByteArray *bytes, GError **error)
{
        uint8_t buffer[65536];
        size_t n;

        while ((n = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
                g_byte_array_append(bytes, buffer, (guint) n);
                if (TN_BASE64_SIZE(bytes->len) > max)
                        return tn_trouble_set(
                                error, TN_TROUBLE_LOCAL,
                                "standard input is too long: %zu KiB can be sent at most; copy "
                                "a file with cp instead",
                                max / 4 * 3 / 1024);
        }
        return !ferror(stdin) || tn_trouble_set(error, TN_TROUBLE_LOCAL, "standard input cannot be read");
}

static bool add_input(json_t *args, size_t max, GError **error)
{
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autofree char *text = NULL;

        if (!read_input(max, bytes, error))
                return false;
        text = g_malloc(TN_BASE64_SIZE(bytes->len) + 1);
        json_object_set_new(args, "input-data",
                            json_stringn(text, tn_base64_encode(bytes->data, bytes->len, text)));
        return true;
}

static json_t *build(const struct request *request, char **argv, size_t input_max, GError **error)
{
        json_auto_t *args = json_pack("{s:b}", "capture-output", 1);
        GError *why = NULL;

        add_text(args, "path", argv[0], &why);
        add_list(args, "arg", argv + 1, &why);
        add_list(args, "env", request->env, &why);
        add_text(args, "cwd", request->cwd, &why);
        add_text(args, "user", request->user, &why);
        if (!why && request->input)
                (void) add_input(args, input_max, &why);
        if (!why)
                return g_steal_pointer(&args);
        g_propagate_error(error, why);
        return NULL;
}

/* *ret_kept: the agent keeps the time limit itself. */
static bool start(struct tn_guest *guest, json_t *args, unsigned limit_ms, json_int_t *ret_pid,
                  bool *ret_kept, GError **error)
{
        json_auto_t *value = NULL;
        json_t *pid;
        GError *why = NULL;
        bool kept = limit_ms > 0, good;

        if (kept)
                json_object_set_new(args, "timeout-ms", json_integer(limit_ms));
        good = tn_guest_ask(guest, "guest-exec", json_incref(args), &value, &why);
        if (!good && kept && tn_trouble_is_answer(why) && strstr(why->message, "timeout-ms")) {
                kept = false;
                g_clear_error(&why);
                json_object_del(args, "timeout-ms");
                good = tn_guest_ask(guest, "guest-exec", json_incref(args), &value, &why);
        }
        if (!good) {
                g_propagate_error(error, why);
                return false;
        }
        pid = json_object_get(value, "pid");
        if (!json_is_integer(pid))
                return tn_trouble_set(error, TN_TROUBLE_LINK, "guest-exec: the guest's answer has no pid");
        *ret_pid = json_integer_value(pid);
        *ret_kept = kept;
        return true;
}

/* Polls until it has ended; at @deadline it is told to end, in vain if the agent cannot. */
static bool wait_end(struct tn_guest *guest, json_int_t pid, gint64 deadline, json_t **ret, GError **error)
{
        unsigned pause_ms = POLL_FIRST_MS;
        json_auto_t *args = json_pack("{s:I}", "pid", pid), *ignored = NULL;
        const struct tn_ask ask = {.command = "guest-exec-status", .args = args, .reply_max = OUTPUT_MAX};

        for (;;) {
                json_auto_t *value = NULL;

                if (!tn_guest_ask_with(guest, &ask, &value, error))
                        return false;
                if (json_is_true(json_object_get(value, "exited"))) {
                        *ret = g_steal_pointer(&value);
                        return true;
                }
                if (g_get_monotonic_time() >= deadline)
                        break;
                g_usleep(pause_ms * 1000);
                pause_ms = MIN(pause_ms * 2, POLL_MAX_MS);
        }
        if (tn_guest_ask(guest, "tenon-exec-terminate", json_incref(args), &ignored, NULL))
                return tn_trouble_set(error, TN_TROUBLE_TIMEOUT,
                                      "the program did not end in time; it was told to");
        return tn_trouble_set(error, TN_TROUBLE_TIMEOUT,
                              "the program did not end in time; it still runs in the guest, as PID "
                              "%" JSON_INTEGER_FORMAT,
                              pid);
}

static bool print_stream(const json_t *status, const char *key, const char *truncated, bool raw, FILE *out,
                         GError **error)
{
        json_t *data = json_object_get(status, key);
        g_autofree uint8_t *bytes = NULL;
        g_autofree char *text = NULL;
        size_t len = 0;

        if (data && !json_is_string(data))
                return tn_trouble_set(error, TN_TROUBLE_LINK, "guest-exec-status: %s is no text", key);
        if (data && !tn_base64_decode(json_string_value(data), json_string_length(data), &bytes, &len, NULL))
                return tn_trouble_set(error, TN_TROUBLE_LINK, "guest-exec-status: %s is no base64", key);
        text = raw ? NULL : tn_print_lines((const char *) bytes, len);
        if (len > 0 && (raw ? fwrite(bytes, 1, len, out) != len : fputs(text, out) < 0))
                return tn_trouble_set(error, TN_TROUBLE_LOCAL, "the output cannot be written");
        (void) fflush(out);
        if (json_is_true(json_object_get(status, truncated)))
                fprintf(stderr, "tenon-host: the agent kept only the beginning of what was written (%s)\n",
                        key);
        return true;
}

static int exit_status(const json_t *status)
{
        json_t *code = json_object_get(status, "exitcode"), *signal = json_object_get(status, "signal");
        json_int_t number = json_integer_value(code ? code : signal);

        if (json_is_true(json_object_get(status, "timed-out"))) {
                fputs("tenon-host: the program did not end in time; the agent ended it\n", stderr);
                return TN_TROUBLE_TIMEOUT;
        }
        if (json_is_integer(code) && number >= 0 && number <= 255)
                return (int) number;
        if (json_is_integer(signal) && number >= 1 && number <= 64) {
                fprintf(stderr, "tenon-host: signal %d ended the program\n", (int) number);
                return SIGNAL_STATUS + (int) number;
        }
        fputs("tenon-host: the guest does not say how the program ended\n", stderr);
        return TN_TROUBLE_LINK;
}

static int finish(const struct tn_host *host, const struct request *request, const json_t *status)
{
        g_autoptr(GError) error = NULL;

        if (host->json)
                tn_print_json(status);
        else if (!print_stream(status, "out-data", "out-truncated", request->raw, stdout, &error) ||
                 !print_stream(status, "err-data", "err-truncated", request->raw, stderr, &error))
                return tn_trouble_report(error);
        return exit_status(status);
}

static int run(struct tn_host *host, const struct request *request, char **argv, unsigned limit_ms)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = tn_host_open(host, &error);
        json_auto_t *args = guest ? build(request, argv, guest->request_max, &error) : NULL, *status = NULL;
        gint64 deadline = G_MAXINT64;
        json_int_t pid = 0;
        bool kept = false;

        if (!args || !start(guest, args, limit_ms, &pid, &kept, &error))
                return tn_trouble_report(error);
        if (limit_ms > 0)
                deadline = g_get_monotonic_time() + ((gint64) limit_ms + (kept ? GRACE_MS : 0)) * 1000;
        if (!wait_end(guest, pid, deadline, &status, &error))
                return tn_trouble_report(error);
        return finish(host, request, status);
}

int tn_host_exec(struct tn_host *host, int argc, char **argv)
{
        struct request request = {.timeout_s = DEFAULT_S};
        const GOptionEntry entries[] = {
                {"cwd", 0, 0, G_OPTION_ARG_STRING, &request.cwd, "Run it in this folder (Tenon's agent)",
                 "FOLDER"},
                {"user", 'u', 0, G_OPTION_ARG_STRING, &request.user, "Run it as this user (Tenon's agent)",
                 "USER"},
                {"env", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &request.env,
                 "Its environment, nothing but these; may be repeated", "NAME=VALUE"},
                {"timeout", 't', 0, G_OPTION_ARG_DOUBLE, &request.timeout_s,
                 "End it after this time; 0: never (3600)", "SECONDS"},
                {"input", 'i', 0, G_OPTION_ARG_NONE, &request.input, "Give it our standard input", NULL},
                {"raw", 'r', 0, G_OPTION_ARG_NONE, &request.raw,
                 "Print what it writes as it is, with control characters", NULL},
                {NULL},
        };
        unsigned limit_ms = 0;
        int status = TN_TROUBLE_LOCAL;

        if (tn_host_parse(host, &argc, &argv, entries, 1, G_MAXINT) &&
            (request.timeout_s == 0 || tn_host_seconds(request.timeout_s, "--timeout", &limit_ms)))
                status = run(host, &request, argv + 1, limit_ms);
        g_free(request.cwd);
        g_free(request.user);
        g_strfreev(request.env);
        return status;
}
