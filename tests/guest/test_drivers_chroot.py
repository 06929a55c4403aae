# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The real builders of initramfs images, and prepare killed at each of its steps, in the guest's root as a folder.

The full guest's disk is unpacked, and tenonctl of its package runs in it by chroot, in a mount namespace of its own.
That is much quicker than in a guest, so only the last tests boot what came of it.
"""

import glob
import os
import signal
import time

import journey
import moving
from cases import Skip, check, equal, note, shared, test
from folder import DRACUT, UUID, Folder, differ, folder_disk

MODULES = ('virtio_blk', 'virtio_scsi', 'sd_mod', 'nvme')


def has_modules(folder):
    """Which of MODULES are in the image, as its builder's own lister says."""
    image_path = glob.glob(folder.at('boot/initrd.img-*'))[0]
    lister = 'lsinitrd' if os.path.exists(folder.at('usr/bin/lsinitrd')) else 'lsinitramfs'
    _, text = folder.run(lister, '/' + os.path.relpath(image_path, folder.path))
    return {name for name in MODULES if f'/{name}.ko' in text}


@shared
def folder():
    """One root for all tests; each leaves it as it was."""
    return Folder()


def prepare_and_undo(builder):
    """Prepare for KVM, look, undo; everything must be as it was."""
    before = folder().photograph()
    begin = time.monotonic()
    status, text = folder().run('tenonctl', 'drivers', 'prepare', '--target', 'kvm')
    note(f'prepare with {builder} took {time.monotonic() - begin:.0f} s')
    check(status in (0, 1, 2) and f'by {builder}' in text and 'built anew' in text, f'status {status}: {text}')
    equal(has_modules(folder()), set(MODULES), 'drivers in the image')
    status, text = folder().run('tenonctl', 'drivers', 'undo')
    equal(status, 0, f'undo: {text}')
    equal(differ(before, folder().photograph()), [], 'files that differ after undo')


@test(timeout=900)
def initramfs_tools_builds_and_undo_restores():
    check('virtio_scsi' not in has_modules(folder()), 'the image has the drivers already')
    prepare_and_undo('initramfs-tools')


def kill_at(records, before, delay=0.0):
    """Kill prepare when its journal has so many records; all files must be old or new, and then old again."""
    process = folder().start('tenonctl', 'drivers', 'prepare', '--target', 'kvm')
    while process.poll() is None and folder().records() < records:
        pass
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)  # unshare, sh and chroot became tenonctl
    process.wait()
    image_path = glob.glob(folder().at('boot/initrd.img-*'))
    equal(len(image_path), 1, 'images')
    check(has_modules(folder()) in (set(MODULES), before[1]), f'the image after a kill at record {records}')
    status, text = folder().run('tenonctl', 'drivers', 'undo')
    check('interrupted' in text or status == 0, f'undo after a kill at record {records}: {text}')
    equal(differ(before[0], folder().photograph()), [], f'files that differ after a kill at record {records}')


@test(timeout=1200)
def killed_at_each_step_it_is_taken_back():
    folder().run('tenonctl', 'drivers', 'undo')  # makes the folder of the copies
    before = (folder().photograph(), has_modules(folder()))
    last = 1 + 4 + 3   # begin, a copy of each of four files, three small files written; then the image is built
    for records in range(1, last + 1):
        kill_at(records, before)
    kill_at(last, before, 2)    # while the image is being built
    kill_at(last + 1, before)   # as it is renamed
    note(f'killed after each of {last + 1} records of the journal')


# A small image, which is built in no time; it is not booted.
SMALL = 'compress="cat"\ndracutmodules="base kernel-modules rootfs-block fs-lib udev-rules"\ndrivers=" ext4 "\n'


@test(timeout=1200)
def dracut_builds_and_undo_restores():
    folder().use_dracut(SMALL)
    prepare_and_undo('dracut')


def boots_on(target, disk, driver, **settings):
    """Prepare a folder for a platform, boot it on that one's devices: its root and its card's name are there."""
    path, kernel, initrd = folder_disk(target, **settings)
    line = f'root=UUID={UUID} ro console=ttyS0 loglevel=4'
    extra = ['-kernel', kernel, '-initrd', initrd, '-append', line]
    with moving.start(target, path, extra, 'raw', timeout=600) as guest:
        equal(guest.run('findmnt -n -o SOURCE /'), f'/dev/{disk}', 'root')
        equal(journey.check_network(guest), driver, 'driver of the card')


@test(timeout=900)
def prepared_for_vmware_it_boots_on_its_devices():
    boots_on('vmware', 'sda', 'vmxnet3')


@test(timeout=900)
def prepared_for_kvm_it_boots_on_virtio():
    boots_on('kvm', 'vda', 'virtio_net')


@test(timeout=1200)
def prepared_for_kvm_with_dracut_it_boots_on_virtio():
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')
    boots_on('kvm', 'vda', 'virtio_net', dracut=DRACUT)
