/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-tray: options, the session's bus, the loop. */
#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>

#include "lib/bus.h"
#include "lib/error.h"
#include "lib/names.h"
#include "tray/terminal.h"
#include "tray/tray.h"

struct options {
        gboolean show_status, version;
        char *icons, *icon_path;
};

static const struct {
        const char *word, *suffix; /* suffix NULL: as the desktop is */
} icon_words[] = {{"auto", NULL}, {"neutral", ""}, {"on-light", "-on-light"}, {"on-dark", "-on-dark"}};

static bool find_icons(const char *word, const char **ret_suffix, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(icon_words); i++) {
                if (!g_str_equal(icon_words[i].word, word ? word : "auto"))
                        continue;
                *ret_suffix = icon_words[i].suffix;
                return true;
        }
        return tn_error_set(error, TN_ERROR_INVALID,
                            "--icons takes auto, neutral, on-light or on-dark, not '%s'", word);
}

/* What libdbus would find, without starting a bus where there is none. */
static char *find_session_bus(GError **error)
{
        const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS"), *folder = g_getenv("XDG_RUNTIME_DIR");

        if (address && *address)
                return g_strdup(address);
        if (folder && *folder)
                return g_strdup_printf("unix:path=%s/bus", folder);
        tn_error_set(error, TN_ERROR_NOT_FOUND,
                     "there is no session bus (DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR are not set); "
                     "start it "
                     "within a desktop session");
        return NULL;
}

/* An absolute path, for a terminal that may begin in another folder. */
static char *find_program(const char *name)
{
        char *path = g_find_program_in_path(name);

        if (path && !g_path_is_absolute(path)) {
                g_autofree char *relative = path;

                path = g_canonicalize_filename(relative, NULL);
        }
        return path ? path : g_strdup(name);
}

static gboolean on_signal(void *data)
{
        g_main_loop_quit(data);
        return G_SOURCE_CONTINUE;
}

static bool run(const struct options *options, const char *name, GError **error)
{
        g_autofree char *address = find_session_bus(error), *program = find_program(name);
        g_autofree char *memory = g_build_filename(g_get_user_state_dir(), "tenon-tray", "told", NULL);
        g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
        struct tn_tray_settings settings = {
                .session_bus = address,
                .program = program,
                .icon_path = options->icon_path ? options->icon_path : TN_PATH_ICONS,
                .memory = memory,
        };
        struct tn_tray *tray;

        if (!address || !find_icons(options->icons, &settings.icons, error))
                return false;
        if (!tn_bus_available())
                return tn_error_set(
                        error, TN_ERROR_NOT_FOUND,
                        "libdbus is not installed; install the package libdbus-1-3 (Debian) or dbus-libs");
        g_unix_signal_add(SIGINT, on_signal, loop);
        g_unix_signal_add(SIGTERM, on_signal, loop);
        g_unix_signal_add(SIGHUP, on_signal, loop);
        tray = tn_tray_new(&settings, loop);
        g_main_loop_run(loop);
        tn_tray_free(tray);
        return true;
}

int main(int argc, char **argv)
{
        struct options options = {0};
        const GOptionEntry entries[] = {
                {"icons", 0, 0, G_OPTION_ARG_STRING, &options.icons,
                 "Colours of the icon: auto (the default), neutral, on-light, on-dark", "COLOURS"},
                {"icon-path", 0, 0, G_OPTION_ARG_FILENAME, &options.icon_path,
                 "Where the tray looks for the icons first", "FOLDER"},
                {"show-status", 0, 0, G_OPTION_ARG_NONE, &options.show_status,
                 "Print the status and wait for a key; this is what the menu opens a terminal with", NULL},
                {"version", 'V', 0, G_OPTION_ARG_NONE, &options.version, "Print the version", NULL},
                {NULL},
        };
        g_autoptr(GOptionContext) context = g_option_context_new(NULL);
        g_autoptr(GError) error = NULL;
        int status = 0;

        setlocale(LC_ALL, "");
        g_option_context_set_summary(context,
                                     "Shows in the desktop's tray how Tenon, the guest agent, does.");
        g_option_context_set_description(context, "See tenon-tray(1).");
        g_option_context_add_main_entries(context, entries, NULL);
        if (!g_option_context_parse(context, &argc, &argv, &error) ||
            (argc > 1 && !tn_error_set(&error, TN_ERROR_INVALID, "unexpected argument '%s'", argv[1]))) {
                fprintf(stderr, "tenon-tray: %s; try tenon-tray --help\n", error->message);
                status = 2;
        } else if (options.version) {
                printf("tenon-tray %s\n", TN_VERSION);
        } else if (options.show_status) {
                status = tn_tray_show_status();
        } else if (!run(&options, argv[0], &error)) {
                fprintf(stderr, "tenon-tray: %s\n", error->message);
                status = g_error_matches(error, TN_ERROR, TN_ERROR_INVALID) ? 2 : 1;
        }
        g_free(options.icons);
        g_free(options.icon_path);
        return status;
}
