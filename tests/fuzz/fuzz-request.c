/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A host's bytes, from the framing to the replies, in both dialects: by an agent on a recorded machine with
 * its own commands, those of guestinfo, and guest-exec as far as its arguments are read. No other plugin is
 * there, so nothing can be changed, whatever is asked. Each reply is one line of JSON.
 */
#include <string.h>

#include "agent/agent.h"
#include "agent/frame.h"
#include "agent/plugin-host.h"
#include "lib/json.h"
#include "plugins/exec/exec.h"
#include "tests/fuzz/fuzz.h"

static json_t *parse_exec(struct tenon_host *host, json_t *args, GError **error)
{
        g_autoptr(tn_exec_request_t) request = tn_exec_request_parse(args, error);

        return request ? json_pack("{s:i}", "pid", 1) : NULL;
}

static const struct tenon_command exec_stand_in[] = {
        {.name = "guest-exec",
         .args = "path:str,arg:[str]?,env:[str]?,input-data:str?,capture-output:<bool|str>?,cwd:str?,"
                 "user:str?,timeout:int?",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_CHANGES,
         .run = parse_exec},
        {.name = NULL},
};

static struct tn_agent *make_agent(void)
{
        static const char *const no_plugins[] = {NULL};
        static const char settings[] = "[agent]\ncontrol-socket=\ndbus=no\n[qmp]\npath=\n";
        const struct tn_env *env = fuzz_root();
        struct tn_config *config;
        struct tn_plugin_host *host;
        struct tn_agent *agent;

        fuzz_root_put("etc/tenon/tenond.conf", settings, strlen(settings));
        config = tn_config_new(env, "/etc/tenon/tenond.conf", true, NULL);
        agent = tn_agent_new(env, config, "/etc/tenon/tenond.conf", no_plugins);
        host = tn_plugin_host_new(env, agent->config, agent->facts, "guestinfo");

        g_assert_true(tn_commands_add(agent->commands, "guestinfo", tn_plugin_host_get(host),
                                      tenon_plugin.commands, NULL));
        g_assert_true(
                tn_commands_add(agent->commands, "exec", tn_plugin_host_get(host), exec_stand_in, NULL));
        g_assert_true(tenon_plugin.start(tn_plugin_host_get(host), NULL));
        g_assert_true(tn_agent_open(agent, -1, NULL));
        return agent;
}

static void on_message(enum tn_frame_kind kind, const char *text, size_t len, void *data)
{
        if (kind == TN_FRAME_MESSAGE)
                tn_session_message(data, text, len);
        else
                tn_session_parse_error(data, text);
}

static void keep_reply(const char *bytes, size_t len, void *data)
{
        g_string_append_len(data, bytes, (gssize) len);
}

static bool never_full(void *data)
{
        return false;
}

static void check_replies(const GString *said)
{
        g_auto(GStrv) lines = g_strsplit(said->str, "\n", -1);

        g_assert_cmpuint(strlen(said->str), ==, said->len);
        g_assert_true(said->len == 0 || said->str[said->len - 1] == '\n');
        for (size_t i = 0; lines[i] && *lines[i]; i++) {
                const char *line = lines[i] + (lines[i][0] == '\xff');
                json_t *reply = tn_json_parse(line, strlen(line), NULL);

                g_assert_true(json_is_object(reply));
                json_decref(reply);
        }
}

static void talk(struct tn_agent *agent, enum tn_trust trust, bool qmp, const uint8_t *data, size_t size)
{
        GString *said = g_string_new(NULL);
        struct tn_session *session = tn_session_new(agent->dispatch, trust, "fuzz", "fuzzer", keep_reply,
                                                    said);
        struct tn_frame *frame = tn_frame_new(65536, on_message, session);

        if (qmp) {
                tn_session_use_qmp(session, never_full);
                tn_session_greet(session);
        }
        tn_frame_push(frame, (const char *) data, size);
        while (tn_session_pull(session, said))
                continue;
        while (g_main_context_iteration(NULL, FALSE))
                continue;
        check_replies(said);
        tn_frame_free(frame);
        tn_session_free(session);
        g_string_free(said, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct tn_agent *agent;

        if (!agent)
                agent = make_agent();
        talk(agent, TN_TRUST_HOST, false, data, size);
        talk(agent, TN_TRUST_HOST, true, data, size);
        talk(agent, TN_TRUST_LOCAL_USER, false, data, size);
        return 0;
}
