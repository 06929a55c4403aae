/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Guests made of files, and what a plan says of them. */
#define _GNU_SOURCE
#include "pvdrivers/test-guest.h"

#include "pvdrivers/plan-request.h"

/* name: what it needs. The folders do not matter. */
static const char modules_dep[] =
        "kernel/virtio_ring.ko:\n"
        "kernel/virtio.ko: kernel/virtio_ring.ko\n"
        "kernel/virtio_pci.ko: kernel/virtio.ko kernel/virtio_ring.ko\n"
        "kernel/virtio_blk.ko: kernel/virtio.ko kernel/virtio_ring.ko\n"
        "kernel/scsi_mod.ko:\n"
        "kernel/sd_mod.ko: kernel/scsi_mod.ko\n"
        "kernel/virtio_scsi.ko: kernel/scsi_mod.ko kernel/virtio.ko kernel/virtio_ring.ko\n"
        "kernel/virtio_net.ko: kernel/virtio.ko kernel/virtio_ring.ko\n"
        "kernel/virtio_console.ko: kernel/virtio.ko kernel/virtio_ring.ko\n"
        "kernel/vmw_pvscsi.ko: kernel/scsi_mod.ko\n"
        "kernel/vmxnet3.ko:\n"
        "kernel/xen-blkfront.ko:\n"
        "kernel/xen-netfront.ko:\n"
        "kernel/hv_vmbus.ko:\n"
        "kernel/hv_storvsc.ko: kernel/hv_vmbus.ko kernel/scsi_mod.ko\n"
        "kernel/hv_netvsc.ko: kernel/hv_vmbus.ko\n"
        "kernel/hv_utils.ko: kernel/hv_vmbus.ko\n"
        "kernel/libata.ko: kernel/scsi_mod.ko\n"
        "kernel/libahci.ko: kernel/libata.ko kernel/scsi_mod.ko\n"
        "kernel/ahci.ko: kernel/libahci.ko kernel/libata.ko kernel/scsi_mod.ko\n"
        "kernel/e1000.ko:\n"
        "kernel/nvme-core.ko:\n"
        "kernel/nvme.ko: kernel/nvme-core.ko\n"
        "kernel/ena.ko:\n"
        "kernel/ext4.ko: kernel/jbd2.ko kernel/mbcache.ko\n"
        "kernel/jbd2.ko:\n"
        "kernel/mbcache.ko:\n"
        "kernel/xfs.ko:\n"
        "kernel/btrfs.ko:\n"
        "kernel/dm-mod.ko:\n"
        "kernel/dm-crypt.ko: kernel/dm-mod.ko\n";

const char guest_all_modules[] =
        "virtio_ring virtio virtio_pci virtio_blk scsi_mod sd_mod virtio_scsi vmw_pvscsi xen-blkfront "
        "hv_vmbus hv_storvsc libata libahci ahci nvme-core nvme ext4 jbd2 mbcache xfs btrfs dm-mod dm-crypt";
const char guest_ahci_modules[] = "scsi_mod sd_mod libata libahci ahci ext4 jbd2 mbcache xfs btrfs dm-mod";

struct guest *guest_new(void)
{
        struct guest *guest = g_new0(struct guest, 1);

        guest->root = folder_new();
        assert_true(tn_env_init_root(&guest->env, guest->root, NULL));
        return guest;
}

void guest_free(struct guest *guest)
{
        tn_plan_free(guest->plan);
        g_clear_error(&guest->error);
        tn_env_deinit(&guest->env);
        folder_free(guest->root);
        g_free(guest);
}

void guest_put(struct guest *guest, const char *path, const char *text)
{
        folder_put(guest->root, path, text);
}

void guest_remove(struct guest *guest, const char *path)
{
        g_autofree char *whole = folder_path(guest->root, path);

        assert_int_equal(remove(whole), 0);
}

void guest_kernel(struct guest *guest, const char *release, const char *image)
{
        g_autofree char *dep = g_strdup_printf("lib/modules/%s/modules.dep", release);
        g_autofree char *builtin = g_strdup_printf("lib/modules/%s/modules.builtin", release);

        guest_put(guest, dep, modules_dep);
        guest_put(guest, builtin, "kernel/fs/rootfs.ko\n");
        guest_put(guest, image, "kernel");
}

static void cpio_entry(GString *out, const char *name, const char *body)
{
        static const char zeros[4];
        size_t len = strlen(name) + 1, size = strlen(body);

        g_string_append_printf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1,
                               0100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len, 0);
        g_string_append_len(out, name, (gssize) len);
        g_string_append_len(out, zeros, (gssize) (-out->len & 3));
        g_string_append_len(out, body, (gssize) size);
        g_string_append_len(out, zeros, (gssize) (-out->len & 3));
}

void guest_image(struct guest *guest, const char *path, const char *release, const char *modules,
                 const char *mark)
{
        guest_image_with(guest, path, release, modules, mark, "x");
}

void guest_image_with(struct guest *guest, const char *path, const char *release, const char *modules,
                      const char *name, const char *text)
{
        g_autoptr(GString) image = g_string_new(NULL);
        g_auto(GStrv) words = g_strsplit(modules, " ", -1);

        cpio_entry(image, name, text);
        for (size_t i = 0; words[i] && *words[i]; i++) {
                g_autofree char *file = g_strdup_printf("usr/lib/modules/%s/kernel/%s.ko.xz", release,
                                                        words[i]);

                cpio_entry(image, file, "ELF");
        }
        cpio_entry(image, "TRAILER!!!", "");
        folder_write(guest->root, path, image->str, image->len);
}

void guest_plan(struct guest *guest, const char *target, const char *devices)
{
        g_clear_pointer(&guest->plan, tn_plan_free);
        g_clear_error(&guest->error);
        guest->plan = tn_plan_request(&guest->env, target, devices, NULL, &guest->error);
        assert_true((guest->plan == NULL) == (guest->error != NULL));
}

int guest_exit(struct guest *guest, const char *target)
{
        guest_plan(guest, target, NULL);
        assert_null(guest->error);
        return tn_plan_exit_status(guest->plan);
}

unsigned guest_findings(const struct guest *guest, const char *id)
{
        unsigned count = 0;

        for (guint i = 0; i < guest->plan->checks->len; i++)
                count += strcmp(((const struct tn_check *) guest->plan->checks->pdata[i])->id, id) == 0;
        return count;
}

const struct tn_check *guest_finding(struct guest *guest, const char *id, unsigned index)
{
        for (guint i = 0; i < guest->plan->checks->len; i++) {
                const struct tn_check *check = guest->plan->checks->pdata[i];

                if (strcmp(check->id, id) == 0 && index-- == 0)
                        return check;
        }
        fail_msg("no such finding of %s", id);
        return NULL;
}

const struct tn_check *assert_found_at(struct guest *guest, const char *id, enum tn_verdict verdict,
                                       const char *part, const char *file, int line)
{
        g_autoptr(GString) seen = g_string_new(NULL);

        for (guint i = 0; i < guest->plan->checks->len; i++) {
                const struct tn_check *check = guest->plan->checks->pdata[i];

                if (strcmp(check->id, id) != 0)
                        continue;
                if (check->verdict == verdict && strstr(check->evidence, part))
                        return check;
                g_string_append_printf(seen, "\n  %s: %s", tn_verdict_name(check->verdict), check->evidence);
        }
        print_error("%s: no finding %s with \"%s\"; there are%s\n", id, tn_verdict_name(verdict), part,
                    seen->str);
        _fail(file, line);
        return NULL;
}
