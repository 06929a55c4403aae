/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The clock commands on a made machine. The surprising thing: ioctl() is this file's own, so the hardware
 * clock is a variable; the machine's own clocks are not even looked at.
 */
#define _GNU_SOURCE
#include "plugins/timesync/rtc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/error.h"
#include "tenon/plugin.h"

#define NSEC UINT64_C(1000000000)
#define WHEN (INT64_C(1700000007) * (int64_t) NSEC)

static struct {
        struct rtc_time time;
        int errnum; /* what ioctl() fails with, or 0 */
        unsigned reads, writes;
} rtc;

int ioctl(int fd, unsigned long request, ...); /* its header is not included: it is not meant here */

int ioctl(int fd, unsigned long request, ...)
{
        struct rtc_time *time;
        va_list args;

        va_start(args, request);
        time = va_arg(args, struct rtc_time *);
        va_end(args);
        assert_true(fd >= 0);
        if (rtc.errnum) {
                errno = rtc.errnum;
                return -1;
        }
        if (request == RTC_RD_TIME) {
                *time = rtc.time;
                rtc.reads++;
        } else {
                assert_int_equal(request, RTC_SET_TIME);
                rtc.time = *time;
                rtc.writes++;
        }
        return 0;
}

#ifdef __USE_TIME_BITS64 /* glibc's name for it on 32 bits */
int __ioctl_time64(int fd, unsigned long request, ...) __attribute__((alias("ioctl")));
#endif

struct machine {
        struct tn_env env; /* first: set_realtime() finds the machine by it */
        struct tenon_host host;
        char *dir;
        const char *write_rtc;
        uint64_t set_usec; /* G_MAXUINT64: not set */
        bool clock_refuses;
        GString *log;
};

static uint64_t fake_now(const struct tn_env *env, clockid_t clock)
{
        return clock == CLOCK_REALTIME ? UINT64_C(1700000000123456) : 0;
}

static bool fake_set(const struct tn_env *env, uint64_t usec, GError **error)
{
        struct machine *m = (struct machine *) env;

        if (m->clock_refuses)
                return tn_error_errno(error, EPERM, "Failed to set time to guest");
        m->set_usec = usec;
        return true;
}

static struct machine *machine_of(struct tenon_host *host)
{
        return (struct machine *) ((char *) host - offsetof(struct machine, host));
}

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        if (g_str_equal(key, "mode"))
                return "off";
        return g_str_equal(key, "write-rtc") ? machine_of(host)->write_rtc : NULL;
}

static void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        struct machine *m = machine_of(host);
        va_list args;

        va_start(args, format);
        g_string_append_printf(m->log, "%d|", level);
        g_string_append_vprintf(m->log, format, args);
        va_end(args);
}

static void fake_fact_watch(struct tenon_host *host, tenon_fact_func func)
{
        assert_non_null(func);
}

static int set_up(void **state)
{
        struct machine *m = g_new0(struct machine, 1);
        g_autofree char *dev = NULL;

        memset(&rtc, 0, sizeof rtc);
        m->dir = g_dir_make_tmp("tenon-time-XXXXXX", NULL);
        dev = g_build_filename(m->dir, "dev", NULL);
        if (!tn_env_init_root(&m->env, m->dir, NULL) || mkdir(dev, 0755) < 0)
                return -1;
        m->env.now_usec = fake_now;
        m->env.set_realtime = fake_set;
        m->host = (struct tenon_host){
                .env = &m->env, .config = fake_config, .log = fake_log, .fact_watch = fake_fact_watch};
        m->write_rtc = "yes";
        m->set_usec = G_MAXUINT64;
        m->log = g_string_new(NULL);
        *state = m;
        return tenon_plugin.start(&m->host, NULL) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

static int tear_down(void **state)
{
        struct machine *m = *state;

        tenon_plugin.stop(&m->host);
        (void) nftw(m->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        tn_env_deinit(&m->env);
        g_string_free(m->log, TRUE);
        g_free(m->dir);
        g_free(m);
        return 0;
}

static void write_file(struct machine *m, const char *name, const char *text)
{
        g_autofree char *path = g_build_filename(m->dir, name, NULL);
        g_autofree char *folder = g_path_get_dirname(path);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* As RFC 3339, because that is how people read a clock. */
static void show_rtc(const char *text)
{
        assert_int_equal(sscanf(text, "%d-%d-%dT%d:%d:%d", &rtc.time.tm_year, &rtc.time.tm_mon,
                                &rtc.time.tm_mday, &rtc.time.tm_hour, &rtc.time.tm_min, &rtc.time.tm_sec),
                         6);
        rtc.time.tm_year -= 1900;
        rtc.time.tm_mon -= 1;
}

static void assert_rtc(const char *wanted)
{
        g_autofree char *text = g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d", rtc.time.tm_year + 1900,
                                                rtc.time.tm_mon + 1, rtc.time.tm_mday, rtc.time.tm_hour,
                                                rtc.time.tm_min, rtc.time.tm_sec);

        assert_string_equal(text, wanted);
}

static json_t *run(struct machine *m, const char *name, json_t *args, GError **error)
{
        const struct tenon_command *command = tenon_plugin.commands;
        json_auto_t *owned = args;

        while (!g_str_equal(command->name, name))
                command++;
        return command->run(&m->host, owned, error);
}

static void set_time(struct machine *m, int64_t nsec)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *reply = run(m, "guest-set-time", json_pack("{s:I}", "time", (json_int_t) nsec), &error);

        assert_non_null(reply);
        assert_int_equal(json_object_size(reply), 0);
}

static void assert_refused(struct machine *m, json_t *args, int code, const char *message)
{
        g_autoptr(GError) error = NULL;

        assert_null(run(m, "guest-set-time", args, &error));
        assert_string_equal(error->message, message);
        assert_int_equal(error->code, code);
        assert_true(m->set_usec == G_MAXUINT64);
        assert_int_equal(rtc.writes, 0);
}

static void test_conversions(void **state)
{
        static const struct {
                const char *text;
                int64_t seconds;
        } rows[] = {
                {"1970-01-01T00:00:00", 0},
                {"1972-02-29T12:00:00", 68212800},
                {"2000-02-29T23:59:59", 951868799},
                {"2038-01-19T03:14:08", INT64_C(2147483648)},
                {"2069-12-31T23:59:59", INT64_C(3155759999)},
                {"2106-02-07T06:28:16", INT64_C(4294967296)},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                int64_t seconds = -1;

                show_rtc(rows[i].text);
                assert_true(tn_rtc_to_seconds(&rtc.time, &seconds));
                assert_true(seconds == rows[i].seconds);
                memset(&rtc.time, 0x55, sizeof rtc.time);
                tn_rtc_from_seconds(seconds, &rtc.time);
                assert_rtc(rows[i].text);
        }
}

static void test_dates_that_are_none(void **state)
{
        static const char *const bad[] = {
                "2023-02-29T00:00:00", "2023-04-31T00:00:00", "2023-13-01T00:00:00", "2023-00-01T00:00:00",
                "2023-01-00T00:00:00", "2023-01-01T24:00:00", "2023-01-01T00:60:00", "2023-01-01T00:00:61",
                "1969-12-31T23:59:59", "1900-02-29T00:00:00",
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                int64_t seconds = -7;

                show_rtc(bad[i]);
                if (tn_rtc_to_seconds(&rtc.time, &seconds))
                        fail_msg("%s is accepted as %" G_GINT64_FORMAT, bad[i], seconds);
                assert_true(seconds == -7);
        }
}

static void test_adjtime(void **state)
{
        static const struct {
                const char *text;
                bool local;
        } rows[] = {
                {"0.0 0 0.0\n0\nLOCAL\n", true},
                {"0.0 0 0.0\n0\nLOCAL", true},
                {"0.0 0 0.0\n0\n LOCAL \nmore\n", true},
                {"0.0 0 0.0\n0\nUTC\n", false},
                {"0.0 0 0.0\n0\n", false},
                {"LOCAL\n", false},
                {"", false},
        };
        struct machine *m = *state;

        assert_false(tn_rtc_keeps_local_time(&m->env));
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                write_file(m, "etc/adjtime", rows[i].text);
                assert_int_equal(tn_rtc_keeps_local_time(&m->env), rows[i].local);
        }
}

static void test_get(void **state)
{
        json_auto_t *reply = run(*state, "guest-get-time", json_object(), NULL);

        assert_true(json_integer_value(reply) == INT64_C(1700000000123456000));
}

static void test_set(void **state)
{
        struct machine *m = *state;

        write_file(m, "dev/rtc0", "");
        set_time(m, INT64_C(1700000000) * NSEC + 123456789);
        assert_true(m->set_usec == UINT64_C(1700000000123456));
        assert_rtc("2023-11-14T22:13:20");
        set_time(m, INT64_C(1700000000) * NSEC +
                            600000000); /* the hardware clock has whole seconds: the nearest */
        assert_rtc("2023-11-14T22:13:21");
        set_time(m, INT64_C(31536000) * NSEC);
        assert_true(m->set_usec == UINT64_C(31536000000000));
        assert_rtc("1971-01-01T00:00:00");
        assert_string_equal(m->log->str, "");
}

static void test_year_limits(void **state)
{
        struct machine *m = *state;

        assert_refused(m, json_pack("{s:I}", "time", (json_int_t) (UINT64_C(31536000) * NSEC - 1)),
                       TN_ERROR_INVALID,
                       "Invalid time: Invalid argument: 31535999999999999 ns is outside of the years 1971 "
                       "to 2069; the clock was not changed");
        assert_refused(m, json_pack("{s:I}", "time", (json_int_t) 0), TN_ERROR_INVALID,
                       "Invalid time: Invalid argument: 0 ns is outside of the years 1971 to 2069; the "
                       "clock was not changed");
        assert_refused(m, json_pack("{s:I}", "time", (json_int_t) -1), TN_ERROR_INVALID,
                       "Invalid time: Invalid argument: -1 ns is outside of the years 1971 to 2069; the "
                       "clock was not changed");
        assert_refused(m, json_pack("{s:I}", "time", (json_int_t) (UINT64_C(3155760000) * NSEC)),
                       TN_ERROR_INVALID,
                       "Invalid time: Invalid argument: 3155760000000000000 ns is outside of the years 1971 "
                       "to 2069; the clock was not changed");
        assert_refused(m, json_pack("{s:I}", "time", (json_int_t) INT64_MAX), TN_ERROR_INVALID,
                       "Invalid time: Invalid argument: 9223372036854775807 ns is outside of the years 1971 "
                       "to 2069; the clock was not changed");
        set_time(m, (int64_t) (UINT64_C(3155760000) * NSEC - 1));
        assert_true(m->set_usec == UINT64_C(3155759999999999));
}

static void test_clock_refuses(void **state)
{
        struct machine *m = *state;

        m->clock_refuses = true;
        write_file(m, "dev/rtc0", "");
        assert_refused(m, json_pack("{s:I}", "time", (json_int_t) WHEN), TN_ERROR_DENIED,
                       "Failed to set time to guest: Operation not permitted");
}

/* A guest need not have a hardware clock, and one that refuses is not worse. */
static void test_set_without_rtc(void **state)
{
        struct machine *m = *state;

        set_time(m, WHEN);
        assert_true(m->set_usec == UINT64_C(1700000007000000));
        assert_string_equal(m->log->str, "7|hardware clock: open /dev/rtc0: No such file or directory");
        g_string_truncate(m->log, 0);
        write_file(m, "dev/rtc0", "");
        rtc.errnum = EIO;
        set_time(m, WHEN + (int64_t) NSEC);
        assert_true(m->set_usec == UINT64_C(1700000008000000));
        assert_string_equal(m->log->str, "4|set the hardware clock: Input/output error");
}

static void test_rtc_is_not_to_be_written(void **state)
{
        struct machine *m = *state;

        m->write_rtc = "no";
        write_file(m, "dev/rtc0", "");
        set_time(m, WHEN);
        assert_true(m->set_usec == UINT64_C(1700000007000000));
        assert_int_equal(rtc.writes, 0);
}

static void test_from_rtc(void **state)
{
        struct machine *m = *state;
        json_auto_t *reply = NULL;

        assert_refused(m, json_object(), TN_ERROR_NOT_FOUND,
                       "hardware clock: open /dev/rtc0: No such file or directory");
        write_file(m, "dev/rtc0", "");
        show_rtc("2023-02-31T00:00:00");
        assert_refused(m, json_object(), TN_ERROR_INVALID, "the hardware clock shows no valid date");
        rtc.errnum = EIO;
        assert_refused(m, json_object(), TN_ERROR_FAILED, "read the hardware clock: Input/output error");
        rtc.errnum = 0;
        show_rtc("2023-11-14T22:13:20");
        reply = run(m, "guest-set-time", json_object(), NULL);
        assert_non_null(reply);
        assert_true(m->set_usec == UINT64_C(1700000000000000));
        assert_int_equal(rtc.writes, 0); /* not back to where it came from */
}

/* Far years do not come round again as near ones: in nanoseconds, year 2613 would be 2028. */
static void test_far_years_of_the_rtc(void **state)
{
        static const char *const years[] = {"2070-01-01T00:00:00", "2555-06-01T00:00:00",
                                            "2613-01-01T00:00:00", "9999-12-31T23:59:59",
                                            "1970-01-01T00:00:00", "2019-12-31T23:59:59"};
        struct machine *m = *state;

        write_file(m, "dev/rtc0", "");
        for (size_t i = 0; i < G_N_ELEMENTS(years); i++) {
                g_autoptr(GError) error = NULL;

                show_rtc(years[i]);
                assert_null(run(m, "guest-set-time", json_object(), &error));
                assert_non_null(strstr(error->message, "shows a year before 2020 or after 2069"));
                assert_true(m->set_usec == G_MAXUINT64);
        }
}

static void test_local_time(void **state)
{
        struct machine *m = *state;
        json_auto_t *reply = NULL;

        (void) setenv("TZ", "TST-2TSU,M3.5.0/2,M10.5.0/3", 1); /* two hours ahead, three in summer */
        write_file(m, "dev/rtc0", "");
        write_file(m, "etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
        set_time(m, INT64_C(1700000000) * (int64_t) NSEC);
        assert_rtc("2023-11-15T00:13:20");
        set_time(m, INT64_C(1690000000) * (int64_t) NSEC);
        assert_rtc("2023-07-22T07:26:40");
        reply = run(m, "guest-set-time", json_object(), NULL);
        assert_non_null(reply);
        assert_true(m->set_usec == UINT64_C(1690000000000000));
        (void) unsetenv("TZ");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(test_conversions),   STORY(test_dates_that_are_none),
                STORY(test_adjtime),       STORY(test_get),
                STORY(test_set),           STORY(test_year_limits),
                STORY(test_clock_refuses), STORY(test_set_without_rtc),
                STORY(test_from_rtc),      STORY(test_rtc_is_not_to_be_written),
                STORY(test_local_time),    STORY(test_far_years_of_the_rtc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
