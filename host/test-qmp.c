/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Both dialects, against guests that are slow, confused or hostile. */
#include "host/fake.h"

#include <string.h>

#include "host/message.h"
#include "host/qmp.h"
#include "host/trouble.h"

#define GREETING_MS 30

#define GREET                                                                                               \
        {FAKE_SAY, "{'QMP': {'version': {}, 'capabilities': []}}\n"}, {FAKE_HEAR, "qmp_capabilities"},      \
        {                                                                                                   \
                FAKE_SAY, "{'return': {}, 'id': @}\n"                                                       \
        }
#define SYNC                                                                                                \
        {FAKE_HEAR, "guest-sync-delimited"},                                                                \
        {                                                                                                   \
                FAKE_SAY, "#{'return': @}\n"                                                                \
        }

static bool ask(struct tn_qmp *qmp, unsigned ms, json_t **ret, GError **error)
{
        const struct tn_ask ask = {
                .command = "guest-ping", .timeout_ms = ms, .reply_max = TN_CONNECTION_LINE_MAX};

        return tn_qmp_ops.ask(qmp, &ask, ret, error);
}

/* Who greets may be slow about it on a busy machine; who does not is waited for in vain. */
static unsigned greeting_ms(const struct fake_step *steps)
{
        return steps->action == FAKE_SAY ? 8000 : GREETING_MS;
}

/* One question; {'return': 5} is the good answer. */
static void assert_works(const struct fake_step *steps, bool events)
{
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);
        json_auto_t *reply = NULL;
        GError *error = NULL;
        struct tn_qmp *qmp = tn_qmp_new(connection, greeting_ms(steps), in_ms(9000), &error);

        if (!qmp || !ask(qmp, 5000, &reply, &error))
                fail_msg("%s", error->message);
        assert_int_equal(tn_qmp_has_events(qmp), events);
        assert_int_equal(json_integer_value(json_object_get(reply, "return")), 5);
        tn_qmp_ops.free(qmp);
        fake_free(fake);
}

static void assert_fails(const struct fake_step *steps, int code, const char *why)
{
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);
        json_t *reply = NULL;
        GError *error = NULL;
        gint64 begin = g_get_monotonic_time();
        /* Short only where that the time passes is what is tested: the machine may be busy. */
        bool times_out = strstr(why, "in time") != NULL;
        struct tn_qmp *qmp = tn_qmp_new(connection, greeting_ms(steps), in_ms(times_out ? 1200 : 9000),
                                        &error);

        if (qmp)
                assert_false(ask(qmp, times_out ? 200 : 5000, &reply, &error));
        assert_null(reply);
        assert_trouble(error, code, why);
        assert_true(g_get_monotonic_time() - begin < 20 * G_USEC_PER_SEC);
        if (qmp)
                tn_qmp_ops.free(qmp);
        fake_free(fake);
}

static void test_qmp(void **state)
{
        const struct fake_step plain[] = {
                GREET, {FAKE_HEAR, "\"id\": "}, {FAKE_SAY, "{'return': 5, 'id': @}\n"}, {FAKE_HOLD}};
        const struct fake_step noise[] = {GREET,
                                          {FAKE_SAY, "{'event': 'A', 'data': {}}\n\r\n"},
                                          {FAKE_HEAR, "guest-ping"},
                                          {FAKE_SAY, "{'event': 'B'}\n{'return': 4, 'id': 77}\n"},
                                          {FAKE_SAY, "{'return': 3}\n{'error': {'desc': 'x'}}\n"},
                                          {FAKE_SAY, "{'return': 2, 'id': '@'}\n"},
                                          {FAKE_SAY, "{'return': 5, 'id': @}\r\n"},
                                          {FAKE_HOLD}};

        (void) state;
        assert_works(plain, true);
        assert_works(noise, true);
}

/* It comes after we have said the sync of the dialect, and what is said about that is not ours. */
static void test_late_greeting(void **state)
{
        const struct fake_step steps[] = {
                {FAKE_HEAR, "guest-sync-delimited"},
                {FAKE_SAY, "{'error': {'class': 'CommandNotFound', 'desc': 'x'}}\n"},
                GREET,
                {FAKE_HEAR, "guest-ping"},
                {FAKE_SAY, "{'return': 5, 'id': @}\n"},
                {FAKE_HOLD}};
        /* To the 0xFF before the sync a guest greets once more: this one was only slow. */
        const struct fake_step twice[] = {
                {FAKE_HEAR, "guest-sync-delimited"},
                {FAKE_SAY, "{'QMP': {'version': {}, 'capabilities': []}}\n"},
                {FAKE_HEAR, "qmp_capabilities"},
                {FAKE_SAY, "{'QMP': {'version': {}, 'capabilities': []}}\n"},
                {FAKE_SAY, "{'error': {'class': 'CommandNotFound', 'desc': 'x'}}\n"},
                {FAKE_SAY, "{'return': {}, 'id': @}\n"},
                {FAKE_HEAR, "guest-ping"},
                {FAKE_SAY, "{'return': 5, 'id': @}\n"},
                {FAKE_HOLD}};

        (void) state;
        assert_works(steps, true);
        assert_works(twice, true);
}

static void test_dialect(void **state)
{
        const struct fake_step plain[] = {SYNC,
                                          {FAKE_HEAR, "{\"execute\": \"guest-ping\"}"},
                                          {FAKE_SAY, "{'return': 5}\n"},
                                          {FAKE_HOLD}};
        const struct fake_step noise[] = {{FAKE_SAY, "{'return': 1}\nhalf a li"},
                                          {FAKE_HEAR, "guest-sync-delimited"},
                                          {FAKE_SAY, "{'error': {'desc': 'stray'}}\n#{'return': 12}\n"},
                                          {FAKE_SAY, "\x01\x02 not json #\n#{'return': '@'}\n#{'return': @"},
                                          {FAKE_SLEEP, NULL, 20},
                                          {FAKE_SAY, "}\n"},
                                          {FAKE_HEAR, "guest-ping"},
                                          {FAKE_SAY, "{'return': 5}\n"},
                                          {FAKE_HOLD}};

        (void) state;
        assert_works(plain, false);
        assert_works(noise, false);
}

static void test_silence(void **state)
{
        const struct fake_step never[] = {{FAKE_HOLD}};
        const struct fake_step after_greeting[] = {{FAKE_SAY, "{'QMP': {}}\n"}, {FAKE_HOLD}};
        const struct fake_step after_sync[] = {SYNC, {FAKE_HOLD}};
        const struct fake_step after_negotiation[] = {GREET, {FAKE_HOLD}};
        const char *late = "did not answer in time";

        (void) state;
        assert_fails(never, TN_TROUBLE_TIMEOUT, late);
        assert_fails(after_greeting, TN_TROUBLE_TIMEOUT, late);
        assert_fails(after_sync, TN_TROUBLE_TIMEOUT, late);
        assert_fails(after_negotiation, TN_TROUBLE_TIMEOUT, late);
}

static void test_floods(void **state)
{
        const struct fake_step events[] = {GREET, {FAKE_FLOOD, "{'event': 'A'}\n{'event': 'A'}\n"}};
        const struct fake_step wrong_ids[] = {
                GREET, {FAKE_HEAR, "guest-ping"}, {FAKE_FLOOD, "{'return': 5, 'id': 0}\n"}};
        const struct fake_step wrong_syncs[] = {{FAKE_HEAR, "guest-sync-delimited"},
                                                {FAKE_FLOOD, "#{'return': 0}\n"}};
        const struct fake_step greetings[] = {GREET, {FAKE_FLOOD, "{'QMP': {}}\n"}};
        const struct fake_step brackets[] = {SYNC, {FAKE_FLOOD, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"}};

        (void) state;
        assert_fails(events, TN_TROUBLE_TIMEOUT, "did not answer in time");
        assert_fails(wrong_ids, TN_TROUBLE_TIMEOUT, "did not answer in time");
        assert_fails(greetings, TN_TROUBLE_LINK, "was started anew");
        assert_fails(brackets, TN_TROUBLE_LINK, "no JSON");
        /* Whichever limit is reached first. */
        {
                struct tn_connection *connection;
                struct fake *fake = fake_new(wrong_syncs, &connection);
                GError *error = NULL;

                assert_null(tn_qmp_new(connection, GREETING_MS, in_ms(1200), &error));
                assert_non_null(error);
                assert_true(error->code == TN_TROUBLE_LINK || error->code == TN_TROUBLE_TIMEOUT);
                g_clear_error(&error);
                fake_free(fake);
        }
}

static void test_garbage_limit(void **state)
{
        g_autofree char *megabyte = g_strnfill(1024 * 1024, 'x');
        struct fake_step steps[] = {{FAKE_FLOOD, NULL}};
        struct tn_connection *connection;
        struct fake *fake;
        GError *error = NULL;

        (void) state;
        megabyte[1024 * 1024 - 1] = '\n';
        steps[0].text = megabyte;
        fake = fake_new(steps, &connection);
        assert_null(tn_qmp_new(connection, 4000, in_ms(20000), &error));
        assert_trouble(error, TN_TROUBLE_LINK, "not an agent's");
        fake_free(fake);
}

static void test_nonsense(void **state)
{
        const struct fake_step no_json[] = {
                SYNC, {FAKE_HEAR, "guest-ping"}, {FAKE_SAY, "<html>\n"}, {FAKE_HOLD}};
        const struct fake_step no_object[] = {
                SYNC, {FAKE_HEAR, "guest-ping"}, {FAKE_SAY, "[5]\n"}, {FAKE_HOLD}};
        const struct fake_step broken_off[] = {
                GREET, {FAKE_HEAR, "guest-ping"}, {FAKE_SAY, "{'ret"}, {FAKE_END}};
        const struct fake_step refused[] = {{FAKE_SAY, "{'QMP': {}}\n"},
                                            {FAKE_HEAR, "qmp_capabilities"},
                                            {FAKE_SAY, "{'error': {'desc': 'no'}, 'id': @}\n"},
                                            {FAKE_HOLD}};

        (void) state;
        assert_fails(no_json, TN_TROUBLE_LINK, "no JSON");
        assert_fails(no_object, TN_TROUBLE_LINK, "no object");
        assert_fails(broken_off, TN_TROUBLE_LINK, "in the middle of a message");
        assert_fails(refused, TN_TROUBLE_GUEST, "qmp_capabilities: the guest answers: no");
}

/* An agent that was started anew greets anew; events go on after that. */
static void test_events(void **state)
{
        const struct fake_step steps[] = {GREET,
                                          {FAKE_SAY, "{'event': 'A'}\n{'return': {}, 'id': 9}\n"},
                                          {FAKE_SAY, "{'QMP': {}}\n"},
                                          {FAKE_HEAR, "qmp_capabilities"},
                                          {FAKE_SAY, "{'return': {}}\n{'event': 'B'}\n"},
                                          {FAKE_END}};
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);
        struct tn_qmp *qmp = tn_qmp_new(connection, 4000, in_ms(5000), NULL);
        GError *error = NULL;
        json_t *event;

        (void) state;
        assert_non_null(qmp);
        for (const char *name = "A"; name; name = *name == 'A' ? "B" : NULL) {
                assert_true(tn_qmp_ops.next_event(qmp, &event, NULL));
                assert_string_equal(json_string_value(json_object_get(event, "event")), name);
                json_decref(event);
        }
        assert_false(tn_qmp_ops.next_event(qmp, &event, &error));
        assert_trouble(error, TN_TROUBLE_LINK, "closed the connection");
        tn_qmp_ops.free(qmp);
        fake_free(fake);
}

static void test_no_events_in_the_dialect(void **state)
{
        const struct fake_step steps[] = {SYNC, {FAKE_HOLD}};
        struct tn_connection *connection;
        struct fake *fake = fake_new(steps, &connection);
        struct tn_qmp *qmp = tn_qmp_new(connection, GREETING_MS, in_ms(5000), NULL);
        GError *error = NULL;
        json_t *event;

        (void) state;
        assert_non_null(qmp);
        assert_false(tn_qmp_ops.next_event(qmp, &event, &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "org.tenon.agent.0");
        tn_qmp_ops.free(qmp);
        fake_free(fake);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_qmp),
                cmocka_unit_test(test_late_greeting),
                cmocka_unit_test(test_dialect),
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_floods),
                cmocka_unit_test(test_garbage_limit),
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_events),
                cmocka_unit_test(test_no_events_in_the_dialect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
