/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of the service against data/org.tenon.Agent1.xml, both ways: each interface, method, argument,
 * property, its signalling, and each signal. */
#include "support.h"

#include <string.h>

#include "agent/service-private.h"
#include "lib/names.h"

#define EMITS  "org.freedesktop.DBus.Property.EmitsChangedSignal"
#define TENON  "org.tenon."
#define MEMBER 96

/* What stands in the XML, as lines: "method INTERFACE NAME IN OUT ARGS", "property INTERFACE NAME TYPE
 * CHANGES", "signal INTERFACE NAME TYPES". */
struct walk {
        GHashTable *lines;
        char interface[MEMBER], member[MEMBER], kind[MEMBER], type[MEMBER], changes[MEMBER];
        GString *in, *out, *args;
};

static const char *attribute(const char **names, const char **values, const char *name)
{
        for (size_t i = 0; names[i]; i++)
                if (g_str_equal(names[i], name))
                        return values[i];
        return "";
}

static void on_element(GMarkupParseContext *context, const char *element, const char **names,
                       const char **values, void *data, GError **error)
{
        struct walk *walk = data;
        const char *name = attribute(names, values, "name"), *type = attribute(names, values, "type");

        if (g_str_equal(element, "interface")) {
                g_strlcpy(walk->interface, name, MEMBER);
        } else if (g_str_equal(element, "arg")) {
                bool in = g_str_equal(attribute(names, values, "direction"), "in");

                g_string_append(in ? walk->in : walk->out, type);
                if (in)
                        g_string_append_printf(walk->args, "%s%s", walk->args->len ? "," : "", name);
        } else if (g_str_equal(element, "annotation") && g_str_equal(name, EMITS)) {
                g_strlcpy(walk->changes, attribute(names, values, "value"), MEMBER);
        } else {
                g_strlcpy(walk->member, name, MEMBER);
                g_strlcpy(walk->kind, element, MEMBER);
                g_strlcpy(walk->type, type, MEMBER);
                g_strlcpy(walk->changes, "true", MEMBER);
                g_string_truncate(walk->in, 0);
                g_string_truncate(walk->out, 0);
                g_string_truncate(walk->args, 0);
        }
}

static void on_element_end(GMarkupParseContext *context, const char *element, void *data, GError **error)
{
        struct walk *walk = data;
        char *line;

        if (!g_str_equal(element, walk->kind) || !g_str_has_prefix(walk->interface, TENON))
                return;
        if (g_str_equal(element, "property"))
                line = g_strdup_printf("property %s %s %s %s", walk->interface, walk->member, walk->type,
                                       walk->changes);
        else if (g_str_equal(element, "method"))
                line = g_strdup_printf("method %s %s %s %s %s", walk->interface, walk->member, walk->in->str,
                                       walk->out->str, walk->args->str);
        else
                line = g_strdup_printf("signal %s %s %s", walk->interface, walk->member, walk->out->str);
        g_hash_table_add(walk->lines, line);
}

static GHashTable *lines_of_xml(void)
{
        static const GMarkupParser parser = {.start_element = on_element, .end_element = on_element_end};
        struct walk walk = {
                .lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                .in = g_string_new(NULL),
                .out = g_string_new(NULL),
                .args = g_string_new(NULL),
        };
        GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &walk, NULL);
        const char *xml = strstr(tn_service_xml, "<node>"); /* GMarkup knows no document types */

        assert_true(g_markup_parse_context_parse(context, xml, -1, NULL));
        g_markup_parse_context_free(context);
        g_string_free(walk.in, TRUE);
        g_string_free(walk.out, TRUE);
        g_string_free(walk.args, TRUE);
        return walk.lines;
}

/* Takes @line, and takes the same out of @lines. */
static void expect(GHashTable *lines, char *line)
{
        if (!g_hash_table_remove(lines, line))
                fail_msg("the XML has no \"%s\"", line);
        g_free(line);
}

/* A method that a plugin serves is held to the XML by that plugin's test, but for what it takes. */
static void expect_served(GHashTable *lines, const char *interface, const struct tn_bus_method *method)
{
        g_autofree char *start = g_strdup_printf("method %s %s %s ", interface, method->name, method->in);
        GHashTableIter iter;
        void *line;

        assert_string_equal(method->about, interface);
        g_hash_table_iter_init(&iter, lines);
        while (g_hash_table_iter_next(&iter, &line, NULL)) {
                if (g_str_has_prefix(line, start)) {
                        g_hash_table_iter_remove(&iter);
                        return;
                }
        }
        fail_msg("the XML has no \"%s…\"", start);
}

static void test_table_is_xml(void **state)
{
        static const char *const changes[] = {[TN_SERVICE_SIGNALLED] = "true",
                                              [TN_SERVICE_CONST] = "const",
                                              [TN_SERVICE_SILENT] = "false"};
        GHashTable *lines = lines_of_xml();
        GHashTableIter iter;
        void *rest;

        for (const struct tn_bus_interface *const *i = tn_service_contract; *i; i++) {
                for (const struct tn_bus_method *m = (*i)->methods; m && m->name; m++) {
                        const struct tn_service_command *command = m->about;

                        if (m->run == tn_service_run_plugin)
                                expect_served(lines, (*i)->name, m);
                        else
                                expect(lines,
                                       g_strdup_printf("method %s %s %s %s %s", (*i)->name, m->name, m->in,
                                                       command->out ? command->out : "", command->args));
                }
                for (const struct tn_bus_property *p = (*i)->properties; p->name; p++) {
                        const struct tn_service_source *source = p->about;

                        expect(lines, g_strdup_printf("property %s %s %s %s", (*i)->name, p->name, p->type,
                                                      changes[source->changes]));
                }
        }
        expect(lines, g_strdup("signal " TN_BUS_NAME " Event sa{sv}"));
        expect(lines, g_strdup("signal " TN_BUS_HEARTBEATS " Changed ss"));
        g_hash_table_iter_init(&iter, lines);
        if (g_hash_table_iter_next(&iter, &rest, NULL))
                fail_msg("the table has no \"%s\"", (char *) rest);
        g_hash_table_unref(lines);
}

/* What may change something is asked about, and who asks is known. */
static void test_rows(void **state)
{
        for (const struct tn_bus_interface *const *i = tn_service_contract; *i; i++) {
                for (const struct tn_bus_method *m = (*i)->methods; m && m->name; m++) {
                        const struct tn_service_command *command = m->about;
                        bool asks = m->run == tn_service_run_command && command->action;
                        bool knows = m->flags & TN_BUS_WITH_UID;

                        if (m->run == tn_service_run_plugin) {
                                assert_true(knows);
                                continue;
                        }
                        assert_int_equal(asks, knows);
                        if (asks)
                                assert_true(g_str_has_prefix(command->action, TN_POLKIT_PREFIX));
                        else
                                assert_true(g_str_has_prefix(command->command, "tenon-get-") ||
                                            g_str_equal(command->command, "tenon-drivers-plan"));
                }
                for (const struct tn_bus_property *p = (*i)->properties; p->name; p++) {
                        const struct tn_service_source *source = p->about;

                        assert_true(source->make || source->fact);
                        assert_true(source->changes != TN_SERVICE_SIGNALLED || source->fact);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table_is_xml),
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
