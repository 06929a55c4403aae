/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* 8. Does the console that the kernel and the gettys use exist on the target? */
#include <string.h>

#include "pvdrivers/checks/check.h"
#include "pvdrivers/textfile.h"

#define ON(platform) TN_PV_ON(TN_PV_##platform)
#define ALL          ((1U << _TN_PV_PLATFORM_MAX) - 1)

static const struct {
        const char *name;   /* beginning of console= */
        unsigned platforms; /* that have it, or give it by a device */
} consoles[] = {
        {"hvc", ON(KVM) | ON(XEN)}, {"xvc", ON(XEN)}, {"ttyS", ALL}, {"ttyAMA", ALL}, {"tty", ALL},
};

static bool fits(const char *console, enum tn_pv_platform target)
{
        for (size_t i = 0; i < G_N_ELEMENTS(consoles); i++)
                if (g_str_has_prefix(console, consoles[i].name))
                        return consoles[i].platforms & TN_PV_ON(target);
        return true;
}

/* All console= of a command line: those that fit, and the others. */
static void sort_consoles(const struct tn_check_context *context, const char *options, GPtrArray *good,
                          GPtrArray *bad)
{
        g_auto(GStrv) words = tn_textfile_words(options);

        for (size_t i = 0; words[i]; i++)
                if (g_str_has_prefix(words[i], "console=")) {
                        const char *console = words[i] + strlen("console=");

                        g_ptr_array_add(fits(console, context->target) ? good : bad, g_strdup(console));
                }
}

static unsigned look_at_options(struct tn_check_context *context)
{
        g_autofree char *where = NULL, *options = tn_check_options(context, &where), *missing = NULL;
        g_autoptr(GPtrArray) good = g_ptr_array_new_with_free_func(g_free),
                             bad = g_ptr_array_new_with_free_func(g_free);
        struct tn_check *check;

        sort_consoles(context, options, good, bad);
        if (bad->len == 0)
                return 0;
        missing = tn_check_join(bad, ", ");
        check = tn_check_add(context, good->len > 0 ? TN_VERDICT_READY : TN_VERDICT_LOSS,
                             "%s: console=%s is not there on the target%s", where, missing,
                             good->len > 0 ? ", the others are" : "; the kernel's messages go nowhere");
        tn_check_set_remedy(check, "write console=tty0 console=ttyS0,115200 in its place");
        return 1;
}

/* Units of serial-getty that are enabled; systemd starts one by itself for console=. */
static unsigned look_at_gettys(struct tn_check_context *context)
{
        static const char folder[] = "etc/systemd/system/getty.target.wants", prefix[] = "serial-getty@";
        g_auto(GStrv) names = tn_env_list(context->env, folder);
        unsigned found = 0;

        for (size_t i = 0; names && names[i]; i++) {
                struct tn_check *check;

                if (!g_str_has_prefix(names[i], prefix) || fits(names[i] + strlen(prefix), context->target))
                        continue;
                check = tn_check_add(context, TN_VERDICT_READY,
                                     "/%s/%s waits for a terminal that is not there on the target", folder,
                                     names[i]);
                tn_check_set_remedy(check, "after the move: systemctl disable %s", names[i]);
                found++;
        }
        return found;
}

/* id:runlevels:action:process, with a getty on hvc0. */
static unsigned look_at_inittab(struct tn_check_context *context)
{
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, "etc/inittab");
        unsigned found = 0;

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                struct tn_check *check;

                if (!strstr(line->text, "getty") || !strstr(line->text, "hvc0") ||
                    fits("hvc0", context->target))
                        continue;
                check = tn_check_add(context, TN_VERDICT_LOSS,
                                     "/etc/inittab line %u: a getty on hvc0, which is not there on the "
                                     "target; init starts it again and again",
                                     line->number);
                tn_check_set_remedy(check, "write ttyS0 in place of hvc0, there and in /etc/securetty");
                found++;
        }
        return found;
}

/* Modes of the old graphics card. */
static unsigned look_at_graphics(struct tn_check_context *context)
{
        static const char *const odd[] = {"vga", "nomodeset"};
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);
        unsigned found = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
                g_autofree char *value = tn_check_option(options, odd[i]);

                if (!value)
                        continue;
                tn_check_add(context, TN_VERDICT_READY,
                             "%s: %s was meant for the old graphics card, and does no harm", where, odd[i]);
                found++;
        }
        return found;
}

void tn_check_console(struct tn_check_context *context)
{
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);

        if (look_at_options(context) + look_at_gettys(context) + look_at_inittab(context) +
                    look_at_graphics(context) ==
            0)
                tn_check_add(context, TN_VERDICT_READY, "%s: %s", where,
                             strstr(options, "console=") ? "each console= is there on the target"
                                                         : "no console= is given, and the kernel finds one");
}
