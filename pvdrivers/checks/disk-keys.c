/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 11. Is the key of an encrypted disk sealed to this machine's TPM? The TPM stays behind. With a passphrase
 * in another keyslot the guest asks for it on the console; without one its data is lost to the target.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "pvdrivers/checks/identity.h"
#include "pvdrivers/luks.h"
#include "pvdrivers/textfile.h"

#define HEAD_LEN (64 * 1024) /* bytes read of a header: JSON of the usual size */

/* A line of crypttab, or what the command line says of it. */
struct volume {
        char *name, *device, *options, *where;
};

static void free_volume(void *data)
{
        struct volume *volume = data;

        g_free(volume->name);
        g_free(volume->device);
        g_free(volume->options);
        g_free(volume->where);
        g_free(volume);
}

static void add_volume(GPtrArray *volumes, const char *name, const char *device, const char *options,
                       char *where)
{
        struct volume *volume = g_new(struct volume, 1);

        *volume = (struct volume){g_strdup(name), g_strdup(device), g_strdup(options ? options : ""), where};
        g_ptr_array_add(volumes, volume);
}

static GPtrArray *find_volumes(const struct tn_check_context *context)
{
        GPtrArray *volumes = g_ptr_array_new_with_free_func(free_volume);
        g_autoptr(GPtrArray) lines = tn_textfile_read(context->env, "etc/crypttab");
        g_autofree char *where = NULL, *options = tn_check_options(context, &where);
        g_autofree char *uuid = tn_check_option(options, "rd.luks.uuid"),
                        *more = tn_check_option(options, "rd.luks.options");

        for (guint i = 0; i < lines->len; i++) {
                const struct tn_line *line = lines->pdata[i];
                g_auto(GStrv) words = tn_textfile_words(line->text);

                if (g_strv_length(words) >= 2)
                        add_volume(volumes, words[0], words[1], g_strv_length(words) > 3 ? words[3] : NULL,
                                   g_strdup_printf("/etc/crypttab line %u", line->number));
        }
        if (uuid && volumes->len == 0) {
                g_autofree char *device = g_strdup_printf("UUID=%s",
                                                          g_str_has_prefix(uuid, "luks-") ? uuid + 5 : uuid);

                add_volume(volumes, uuid, device, more, g_strdup(where));
        }
        return volumes;
}

/* "UUID=x" or a path as a path of the root. */
static char *path_of(const char *device)
{
        static const struct {
                const char *prefix, *folder;
        } names[] = {{"UUID=", "dev/disk/by-uuid"},
                     {"PARTUUID=", "dev/disk/by-partuuid"},
                     {"LABEL=", "dev/disk/by-label"}};

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                if (g_str_has_prefix(device, names[i].prefix)) {
                        g_autofree char *value = g_strdup(device + strlen(names[i].prefix));

                        g_strdelimit(value, "\"", ' ');
                        return g_strdup_printf("%s/%s", names[i].folder, g_strstrip(value));
                }
        return g_strdup(*device == '/' ? device + 1 : device);
}

/* *ret_denied: it is there, but not for this user. */
static bool read_header(const struct tn_env *env, const char *device, struct tn_luks *ret, bool *ret_denied)
{
        g_autofree char *path = path_of(device);
        g_autofree uint8_t *head = g_malloc(HEAD_LEN);
        g_autoptr(GError) error = NULL;
        tn_autofd int fd = tn_env_open(env, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &error);
        ssize_t n = fd < 0 ? -1 : pread(fd, head, HEAD_LEN, 0);

        *ret_denied = g_error_matches(error, TN_ERROR, TN_ERROR_DENIED);
        return n > 0 && tn_luks_parse(head, (size_t) n, ret);
}

static bool bound_to_machine(const struct tn_luks *luks)
{
        for (guint i = 0; i < luks->tokens->len; i++)
                if (g_str_equal(luks->tokens->pdata[i], "systemd-tpm2") ||
                    g_str_equal(luks->tokens->pdata[i], "clevis"))
                        return true;
        return false;
}

static void look_at_luks(struct tn_check_context *context, const struct volume *volume,
                         const struct tn_luks *luks)
{
        g_autofree char *tokens = tn_check_join(luks->tokens, ", ");
        bool only = luks->bound >= luks->keyslots;
        struct tn_check *check;

        if (!bound_to_machine(luks)) {
                tn_check_add(context, TN_VERDICT_READY,
                             "%s (%s, %s): no key of its header is sealed to this machine", volume->name,
                             volume->device, volume->where);
                return;
        }
        check = tn_check_add(context, only ? TN_VERDICT_FATAL : TN_VERDICT_LOSS,
                             "%s (%s): its header has a key for %s, which this machine's TPM opens%s",
                             volume->name, volume->device, tokens,
                             only ? ", and no other key" : "; the target will ask for the passphrase");
        tn_check_set_remedy(
                check,
                only ? "before the move: cryptsetup luksAddKey %s; afterwards seal it to the new TPM"
                     : "have the passphrase at hand; afterwards seal it anew: systemd-cryptenroll "
                       "--wipe-slot=tpm2 --tpm2-device=auto %s",
                volume->device);
        tn_check_set_data(check, json_pack("{s:o, s:i, s:i, s:o}", "device", tn_json_text(volume->device),
                                           "keyslots", (int) luks->keyslots, "sealed", (int) luks->bound,
                                           "tokens", tn_json_texts(luks->tokens)));
}

static void look_at_volume(struct tn_check_context *context, const struct volume *volume)
{
        bool by_tpm = strstr(volume->options, "tpm2") != NULL, denied;
        struct tn_luks luks;
        struct tn_check *check;

        if (read_header(context->env, volume->device, &luks, &denied)) {
                look_at_luks(context, volume, &luks);
                tn_luks_clear(&luks);
        } else if (by_tpm) {
                check = tn_check_add(context, TN_VERDICT_LOSS, "%s: %s is opened by this machine's TPM (%s)",
                                     volume->where, volume->name, volume->options);
                tn_check_set_remedy(check, "see that there is a passphrase, too: cryptsetup luksDump %s",
                                    volume->device);
        } else if (denied) {
                check = tn_check_add(context, TN_VERDICT_UNKNOWN, "%s: only root may read the header of %s",
                                     volume->where, volume->device);
                tn_check_set_remedy(check, "plan as root");
        } else {
                tn_check_add(context, TN_VERDICT_READY, "%s: %s names no TPM", volume->where, volume->name);
        }
}

void tn_check_disk_keys(struct tn_check_context *context)
{
        g_autoptr(GPtrArray) volumes = find_volumes(context);

        for (guint i = 0; i < volumes->len; i++)
                look_at_volume(context, volumes->pdata[i]);
        if (volumes->len == 0)
                tn_check_add(context, TN_VERDICT_NOT_APPLICABLE,
                             "no encrypted disk in /etc/crypttab or on the command line");
        tn_identity_look(context);
}
