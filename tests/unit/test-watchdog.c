/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plugin watchdog as a whole: a machine of files, a board of facts, and a device whose ioctls are
 * answered here. What is written to it stays in its file, so that feedings can be counted and the magic
 * close be seen.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>

#include "agent/facts.h"
#include "agent/plugin-host.h"
#include "plugins/watchdog/watchdog.h"

struct kennel {
        struct machine *m;
        struct tn_config *config;
        struct tn_facts *facts;
        struct tn_plugin_host *owner;
        struct tenon_host *host;
};

/* The device. */
static struct {
        unsigned timeout, rounds_to;
        bool refuses_timeout;
        bool has_pretimeout;
        unsigned pretimeout, pretimeout_rounds_to;
        unsigned events; /* times that the fact has changed */
} card;

static int control(int fd, unsigned long request, void *argument)
{
        struct watchdog_info info = {.options = WDIOF_SETTIMEOUT | WDIOF_MAGICCLOSE | WDIOF_KEEPALIVEPING,
                                     .identity = "i6300ESB timer"};
        int *number = argument;

        switch (request) {
        case WDIOC_GETSUPPORT:
                memcpy(argument, &info, sizeof info);
                return 0;
        case WDIOC_GETTIMEOUT:
                *number = (int) card.timeout;
                return 0;
        case WDIOC_SETTIMEOUT:
                if (card.refuses_timeout)
                        break;
                card.timeout = card.rounds_to ? card.rounds_to : (unsigned) *number;
                *number = (int) card.timeout;
                return 0;
        case WDIOC_SETPRETIMEOUT:
                errno = EOPNOTSUPP;
                if (card.pretimeout_rounds_to)
                        *number = (int) card.pretimeout_rounds_to;
                card.pretimeout = card.has_pretimeout ? (unsigned) *number : 0;
                return card.has_pretimeout ? 0 : -1;
        case WDIOC_SETOPTIONS:
                return 0;
        default:
                break;
        }
        errno = EINVAL;
        return -1;
}

static void on_fact(const char *name, const json_t *value, void *data)
{
        card.events += g_str_equal(name, "watchdog");
}

static struct kennel *kennel_new(const char *settings)
{
        struct kennel *k = g_new0(struct kennel, 1);
        g_autofree char *text = g_strdup_printf("[watchdog]\n%s\n[agent]\nstatedir=/state\n", settings);

        memset(&card, 0, sizeof card);
        card.timeout = 30;
        k->m = machine_new();
        machine_write(k->m, "proc/sys/kernel/random/boot_id", "boot-1");
        machine_write(k->m, "state/x", "");
        machine_write(k->m, "dev/watchdog0", "");
        machine_write(k->m, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer");
        machine_write(k->m, "sys/class/watchdog/watchdog0/state", "inactive");
        machine_write(k->m, "sys/class/watchdog/watchdog0/timeout", "30");
        k->config = config_from(k->m, text);
        return k;
}

static void end(struct kennel *k)
{
        tenon_plugin.stop(k->host);
        tn_plugin_host_free(k->owner);
        tn_facts_free(k->facts);
}

static void kennel_free(struct kennel *k)
{
        tn_config_free(k->config);
        machine_free(k->m);
        g_free(k);
}

static const char *text(struct kennel *k, const char *key)
{
        return json_string_value(json_object_get(tn_facts_get(k->facts, "watchdog"), key));
}

/* What was written to the device so far. */
static size_t written(struct kennel *k, bool *ret_magic)
{
        g_autofree char *path = machine_path(k->m, "dev/watchdog0"), *bytes = NULL;
        gsize len;

        assert_true(g_file_get_contents(path, &bytes, &len, NULL));
        *ret_magic = len > 0 && bytes[len - 1] == 'V';
        return len;
}

/* Turns the loop until the plugin has decided what to do. */
static void settle(struct kennel *k)
{
        for (unsigned i = 0; i < 1000 && g_strcmp0(text(k, "state"), "asking") == 0; i++)
                loop_for(5);
}

/* What the timer does, and time for what it sets off. */
static void tick(struct kennel *k)
{
        struct watchdog *watchdog = k->host->data;

        watchdog_feed_check(watchdog);
        for (unsigned i = 0; i < 1000 && watchdog->state == WATCHDOG_STARVING && !watchdog->feed.recorded;
             i++)
                loop_for(5);
}

static void set_fault(struct kennel *k, const char *fault)
{
        assert_true(tn_facts_set(k->facts, "health", "health-gate",
                                 json_pack("{s:b, s:s, s:s*}", "feed", true, "reason", "", "fault", fault),
                                 NULL));
}

static void begin_on_board(struct kennel *k, const char *fault)
{
        k->facts = tn_facts_new();
        if (fault)
                set_fault(k, fault);
        tn_facts_subscribe(k->facts, on_fact, NULL);
        k->owner = tn_plugin_host_new(&k->m->env, k->config, k->facts, "watchdog");
        k->host = tn_plugin_host_get(k->owner);
        assert_true(tenon_plugin.start(k->host, NULL));
        ((struct watchdog *) k->host->data)->card.control = control;
        settle(k);
}

static void begin(struct kennel *k)
{
        begin_on_board(k, NULL);
}

#define assert_state(k, wanted) assert_string_equal(text(k, "state"), wanted)

static void gate(struct kennel *k, bool feed)
{
        assert_true(tn_facts_set(k->facts, "health", "health-gate",
                                 json_pack("{s:b, s:s}", "feed", feed, "reason", "the disk is full"), NULL));
}

static void test_fed_and_given_back(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=1");
        bool magic;
        size_t before;

        begin(k);
        assert_state(k, "fed");
        assert_int_equal(card.timeout, 1);
        before = written(k, &magic);
        assert_false(magic);
        for (unsigned i = 0; i < 100 && written(k, &magic) == before; i++)
                loop_for(50); /* the timer itself */
        assert_true(written(k, &magic) > before);
        assert_false(magic);
        end(k); /* nobody restarts it here: an administrator's stop */
        (void) written(k, &magic);
        assert_true(magic);
        kennel_free(k);
}

static void test_rounding_is_told(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=7");

        card.rounds_to = 8;
        begin(k);
        assert_json(json_incref(json_object_get(tn_facts_get(k->facts, "watchdog"), "timeout-seconds")),
                    "8");
        assert_json(
                json_incref(json_object_get(tn_facts_get(k->facts, "watchdog"), "timeout-wanted-seconds")),
                "7");
        assert_non_null(
                machine_logged(k->m, "timeout-seconds=7 in [watchdog]: the driver has made 8 s of it"));
        end(k);
        kennel_free(k);
}

static void test_rounded_pretimeout_is_told(void **state)
{
        struct kennel *k = kennel_new("mode=own\npretimeout-seconds=7");

        card.has_pretimeout = true;
        card.pretimeout_rounds_to = 8;
        begin(k);
        assert_json(json_incref(json_object_get(tn_facts_get(k->facts, "watchdog"), "pretimeout-seconds")),
                    "8");
        assert_json(json_incref(json_object_get(tn_facts_get(k->facts, "watchdog"),
                                                "pretimeout-wanted-seconds")),
                    "7");
        assert_non_null(
                machine_logged(k->m, "pretimeout-seconds=7 in [watchdog]: the driver has made 8 s of it"));
        end(k);
        kennel_free(k);
}

static void test_refused_timeout_leaves_it_disarmed(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=7");
        bool magic;

        card.refuses_timeout = true;
        begin(k);
        assert_state(k, "refused");
        assert_contains(text(k, "reason"),
                        "timeout-seconds=7 in [watchdog]: i6300ESB timer does not take it");
        (void) written(k, &magic);
        assert_true(magic);
        end(k);
        kennel_free(k);
}

static void test_limits_are_known_before_it_is_opened(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=5000");
        bool magic;

        begin(k);
        assert_state(k, "refused");
        assert_contains(text(k, "reason"), "takes 1 to 2046 seconds");
        assert_int_equal(written(k, &magic), 0);
        end(k);
        kennel_free(k);
}

static void test_starves_and_recovers(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=1");
        g_autofree char *path = NULL;
        json_auto_t *record = NULL;
        unsigned events;
        size_t before;
        bool magic;

        begin(k);
        gate(k, false);
        tick(k);
        assert_state(k, "starving");
        assert_string_equal(text(k, "reason"), "the disk is full");
        assert_non_null(machine_logged(k->m, "fed no more and will reset this machine: the disk is full"));
        path = machine_path(k->m, "state/watchdog.json");
        record = json_load_file(path, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(json_object_get(record, "starved"), "reason")),
                            "the disk is full");
        before = written(k, &magic);
        events = card.events;
        tick(k);
        tick(k);
        assert_int_equal(written(k, &magic), before);
        assert_int_equal(card.events, events);
        gate(k, true);
        tick(k);
        assert_state(k, "fed");
        assert_true(written(k, &magic) > before);
        end(k);
        kennel_free(k);
}

static void test_frozen_disk_is_not_waited_for(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=1");

        begin(k);
        assert_true(tn_facts_set(k->facts, "freeze", "freeze", json_pack("{s:s}", "state", "frozen"), NULL));
        gate(k, false);
        tick(k);
        assert_state(k, "starving");
        assert_non_null(machine_logged(k->m, "could not be written to the disk"));
        end(k);
        kennel_free(k);
}

static void test_brake(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=1");

        machine_write(k->m, "state/watchdog.json",
                      "{\"brake\": {\"since\": 1, \"resets\": 3, \"minutes\": 60}}");
        begin(k);
        gate(k, false);
        tick(k);
        assert_state(k, "fed");
        assert_non_null(json_object_get(tn_facts_get(k->facts, "watchdog"), "brake"));
        end(k);
        kennel_free(k);
}

static void test_modes(void **state)
{
        static const struct {
                const char *settings, *state, *reason;
        } cases[] = {
                {"mode=off", "off", "mode=off in [watchdog]"},
                {"mode=auto", "off", "not started by systemd"},
                {"mode=systemd", "refused", "set WatchdogSec= in its unit"},
                {"mode=own\ndevice=softdog", "absent", "device=softdog: there is no such watchdog"},
                {"mode=own\npretimeout-seconds=3", "refused", "i6300ESB timer has no pretimeout"},
                {"mode=own\ntimeout-seconds=30\npretimeout-seconds=30", "refused",
                 "less than the timeout of 30"},
        };
        bool magic;

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                struct kennel *k = kennel_new(cases[i].settings);

                begin(k);
                assert_state(k, cases[i].state);
                assert_contains(text(k, "reason"), cases[i].reason);
                assert_true(written(k, &magic) == 0 || magic);
                end(k);
                kennel_free(k);
        }
}

/* The driver's options name none: the kernel counts for it. */
static void test_pretimeout(void **state)
{
        struct kennel *k = kennel_new("mode=own\npretimeout-seconds=3");

        card.has_pretimeout = true;
        begin(k);
        assert_state(k, "fed");
        assert_int_equal(card.pretimeout, 3);
        assert_json(json_incref(json_object_get(tn_facts_get(k->facts, "watchdog"), "pretimeout-seconds")),
                    "3");
        end(k);
        kennel_free(k);
}

static void test_foreign_one_is_left_alone(void **state)
{
        struct kennel *k = kennel_new("mode=own");
        bool magic;

        machine_write(k->m, "sys/class/watchdog/watchdog0/state", "active");
        machine_write(k->m, "proc/17/comm", "watchdogd");
        begin(k);
        assert_state(k, "foreign");
        assert_string_equal(text(k, "owner"), "probably watchdogd (pid 17)");
        assert_int_equal(written(k, &magic), 0);
        end(k);
        kennel_free(k);
}

/* As after a restart: the descriptor is there before anything is decided. */
static void begin_with_kept(struct kennel *k)
{
        g_autofree char *path = machine_path(k->m, "dev/watchdog0");
        struct watchdog *watchdog;
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

        assert_true(fd >= 0);
        k->facts = tn_facts_new();
        k->owner = tn_plugin_host_new(&k->m->env, k->config, k->facts, "watchdog");
        k->host = tn_plugin_host_get(k->owner);
        assert_true(tenon_plugin.start(k->host, NULL));
        watchdog = k->host->data;
        watchdog->card.control = control;
        watchdog_adopt(watchdog, fd);
        settle(k);
}

static void test_kept_one_is_fed_on(void **state)
{
        struct kennel *k = kennel_new("mode=own\ntimeout-seconds=9");
        bool magic;

        begin_with_kept(k);
        assert_state(k, "fed");
        assert_non_null(machine_logged(k->m, "was kept armed over the restart"));
        assert_true(written(k, &magic) > 0);
        assert_false(magic);
        end(k);
        kennel_free(k);
}

static void test_kept_one_is_disarmed_when_not_wanted(void **state)
{
        struct kennel *k = kennel_new("mode=off");
        bool magic;

        begin_with_kept(k);
        assert_state(k, "off");
        (void) written(k, &magic);
        assert_true(magic);
        end(k);
        kennel_free(k);
}

/* A typing error between two starts must not disarm it. */
static void test_kept_one_survives_a_mistake(void **state)
{
        struct kennel *k = kennel_new("mode=own");
        bool magic;

        tn_config_free(k->config);
        machine_write(k->m, "etc/test.conf", "[watchdog]\ntimeout-seconds=soon\n");
        k->config = tn_config_new(&k->m->env, "/etc/test.conf", true, NULL);
        begin_with_kept(k);
        assert_state(k, "fed");
        assert_contains(text(k, "reason"), "mistake in the configuration");
        assert_int_equal(card.timeout, 30);
        (void) written(k, &magic);
        assert_false(magic);
        end(k);
        kennel_free(k);
}

static void test_mistake_does_not_arm(void **state)
{
        struct kennel *k = kennel_new("mode=own");
        bool magic;

        tn_config_free(k->config);
        machine_write(k->m, "etc/test.conf", "[watchdog]\nmode=sometimes\n");
        k->config = tn_config_new(&k->m->env, "/etc/test.conf", true, NULL);
        begin(k);
        assert_state(k, "refused");
        assert_contains(text(k, "reason"), "mistake in the configuration");
        assert_int_equal(written(k, &magic), 0);
        end(k);
        kennel_free(k);
}

static void test_required_check_that_cannot_work(void **state)
{
        struct kennel *k = kennel_new("mode=own");
        struct watchdog *watchdog;
        bool magic;

        begin_on_board(k, "the required check s cannot work: /srv/check is missing");
        assert_state(k, "refused");
        assert_string_equal(text(k, "reason"), "the required check s cannot work: /srv/check is missing");
        assert_int_equal(written(k, &magic), 0);
        set_fault(k, NULL); /* it was mended */
        for (unsigned i = 0; i < 1000 && g_strcmp0(text(k, "state"), "refused") == 0; i++)
                loop_for(5);
        assert_state(k, "fed");
        set_fault(k, "it is missing again"); /* what is armed stays so */
        watchdog = k->host->data;
        watchdog_feed_check(watchdog);
        assert_state(k, "fed");
        (void) written(k, &magic);
        assert_false(magic);
        end(k);
        kennel_free(k);
}

static void test_overdue_systemd(void **state)
{
        static const struct {
                uint64_t runtime, last, now;
                bool overdue;
        } cases[] = {
                {0, 0, 100, false},   {G_MAXUINT64, 0, 100, false}, {20, 0, 100, true},
                {20, 85, 100, false}, {20, 79, 100, true},          {20, 200, 100, false},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                struct watchdog_pid1 pid1 = {
                        .known = true, .runtime_usec = cases[i].runtime, .last_ping_usec = cases[i].last};

                assert_int_equal(watchdog_pid1_is_overdue(&pid1, cases[i].now), cases[i].overdue);
        }
}

static void test_systemd_feeds(void **state)
{
        static const struct {
                uint64_t runtime;
                const char *device;
                bool feeds;
        } cases[] = {
                {0, NULL, false},
                {0, "/dev/watchdog1", false}, /* WatchdogDevice=, for the reboot */
                {20, NULL, true},
                {G_MAXUINT64, NULL, false}, /* RuntimeWatchdogSec=default, and there is none */
                {G_MAXUINT64, "/dev/watchdog0", true},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                struct watchdog_pid1 pid1 = {
                        .known = true, .runtime_usec = cases[i].runtime, .device = (char *) cases[i].device};

                assert_int_equal(watchdog_pid1_feeds(&pid1), cases[i].feeds);
                pid1.known = false;
                assert_false(watchdog_pid1_feeds(&pid1));
        }
}

static void test_systemd_guards_a_reboot(void **state)
{
        static const struct {
                uint64_t reboot;
                const char *device, *there;
                bool guards;
        } cases[] = {
                {600, NULL, "dev/watchdog0", true},
                {600, NULL, "dev/watchdog", true}, /* of a driver that is older than the class */
                {600, NULL, "dev/watchdog1", false},
                {600, "/dev/watchdog1", "dev/watchdog1", true},
                {600, "/dev/watchdog1", "dev/watchdog0", false},
                {600, "/dev/watchdog0", "dev/watchdog", true},
                {600, "/dev/watchdog", "dev/watchdog0", true},
                {0, NULL, "dev/watchdog0", false},
                {G_MAXUINT64, NULL, "dev/watchdog0", false},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                struct watchdog_pid1 pid1 = {
                        .known = true, .reboot_usec = cases[i].reboot, .device = (char *) cases[i].device};
                struct machine *m = machine_new();

                machine_write(m, cases[i].there, "");
                assert_int_equal(watchdog_pid1_guards_reboot(&pid1, &m->env), cases[i].guards);
                machine_free(m);
        }
}

static void test_ends(void **state)
{
        static const char own[] = "tenond.service";
        static const struct {
                const char *jobs[3][2];
                enum watchdog_end end;
        } cases[] = {
                {{{NULL}}, WATCHDOG_END_STOP},
                {{{own, "stop"}}, WATCHDOG_END_STOP},
                {{{own, "restart"}}, WATCHDOG_END_RESTART},
                {{{own, "try-restart"}}, WATCHDOG_END_RESTART},
                {{{"cron.service", "restart"}, {own, "stop"}}, WATCHDOG_END_STOP},
                {{{"reboot.target", "start"}, {own, "stop"}, {"shutdown.target", "start"}},
                 WATCHDOG_END_REBOOT},
                {{{"shutdown.target", "start"}, {own, "restart"}}, WATCHDOG_END_REBOOT},
                {{{"poweroff.target", "start"}, {"shutdown.target", "start"}}, WATCHDOG_END_DOWN},
                {{{"shutdown.target", "start"}, {"poweroff.target", "start"}}, WATCHDOG_END_DOWN},
                {{{"shutdown.target", "start"}, {"halt.target", "start"}}, WATCHDOG_END_DOWN},
                {{{"kexec.target", "start"}, {"shutdown.target", "start"}}, WATCHDOG_END_DOWN},
                {{{"soft-reboot.target", "start"}, {"shutdown.target", "start"}}, WATCHDOG_END_DOWN},
                {{{"poweroff.target", "stop"}, {own, "stop"}}, WATCHDOG_END_STOP},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                enum watchdog_end end = WATCHDOG_END_STOP;

                for (size_t j = 0; j < 3 && cases[i].jobs[j][0]; j++)
                        end = watchdog_end_after_job(end, own, cases[i].jobs[j][0], cases[i].jobs[j][1]);
                assert_int_equal(end, cases[i].end);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fed_and_given_back),
                cmocka_unit_test(test_rounding_is_told),
                cmocka_unit_test(test_rounded_pretimeout_is_told),
                cmocka_unit_test(test_refused_timeout_leaves_it_disarmed),
                cmocka_unit_test(test_limits_are_known_before_it_is_opened),
                cmocka_unit_test(test_starves_and_recovers),
                cmocka_unit_test(test_frozen_disk_is_not_waited_for),
                cmocka_unit_test(test_brake),
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_pretimeout),
                cmocka_unit_test(test_foreign_one_is_left_alone),
                cmocka_unit_test(test_mistake_does_not_arm),
                cmocka_unit_test(test_required_check_that_cannot_work),
                cmocka_unit_test(test_overdue_systemd),
                cmocka_unit_test(test_systemd_feeds),
                cmocka_unit_test(test_systemd_guards_a_reboot),
                cmocka_unit_test(test_ends),
                cmocka_unit_test(test_kept_one_is_fed_on),
                cmocka_unit_test(test_kept_one_is_disarmed_when_not_wanted),
                cmocka_unit_test(test_kept_one_survives_a_mistake),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
