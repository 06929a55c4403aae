/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The second half of 11. What knows this machine by its identity, its DMI UUID and serial or its TPM, takes
 * the target for another machine. None of it hinders the boot, so it is a list to bear in mind.
 */
#include "pvdrivers/checks/identity.h"

#include "lib/json.h"

static const struct {
        const char *path, *unless; /* files; @unless may be NULL */
        const char *what, *remedy;
} signs[] = {
        {"sys/class/tpm/tpm0", NULL, "this machine has a TPM; what is sealed in it stays behind",
         "move the state of the virtual TPM with the machine, or have the other keys at hand"},
        {"etc/cloud/cloud.cfg", "etc/cloud/cloud-init.disabled",
         "cloud-init takes the target for a new instance, makes new SSH host keys and sets names and users "
         "anew",
         "touch /etc/cloud/cloud-init.disabled; or write ssh_deletekeys: false and preserve_hostname: true "
         "into a file in /etc/cloud/cloud.cfg.d"},
        {"etc/pki/consumer/cert.pem", NULL, "subscription-manager has registered this machine by its UUID",
         "after the move: subscription-manager facts --update"},
        {"etc/zypp/credentials.d/SCCcredentials", NULL, "SUSEConnect has registered this machine",
         "after the move: SUSEConnect --keepalive"},
        {"var/lib/ubuntu-advantage/private/machine-token.json", NULL,
         "Ubuntu Pro is attached to this machine", "after the move: pro refresh"},
};

void tn_identity_look(struct tn_check_context *context)
{
        for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
                struct tn_check *check;

                if (!tn_env_exists(context->env, signs[i].path) ||
                    (signs[i].unless && tn_env_exists(context->env, signs[i].unless)))
                        continue;
                check = tn_check_add(context, TN_VERDICT_READY, "%s (/%s)", signs[i].what, signs[i].path);
                tn_check_set_remedy(check, "%s", signs[i].remedy);
                tn_check_set_data(check, json_pack("{s:s}", "path", signs[i].path));
        }
}
