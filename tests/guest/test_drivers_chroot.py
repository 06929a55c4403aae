# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The real builders of initramfs images, and prepare killed at each of its steps, in the guest's root as a folder.

Nothing is booted, so this is quick: the full guest's disk is unpacked, and tenonctl of its package runs in it by
chroot, in a mount namespace of its own. What a folder cannot show (does it boot?) is in test_drivers_move.py.
"""

import glob
import hashlib
import os
import signal
import subprocess
import time

import agent
import image
import procs
from cases import Skip, check, equal, note, shared, test

STORE = 'var/lib/tenon/drivers'
MODULES = ('virtio_blk', 'virtio_scsi', 'sd_mod', 'nvme')

# A folder is no machine: the names of its disks and its card are made up.
SURROUNDINGS = r'''
mount -t proc proc "$1/proc" && mount -t tmpfs none "$1/dev" && mount -t tmpfs none "$1/sys" || exit 77
mkdir -p "$1/dev/disk/by-uuid" "$1/sys/class/net/enp0s5/device" "$1/sys/module" "$1/sys/block"
for node in null:3 zero:5 random:8 urandom:9; do mknod -m 666 "$1/dev/${node%:*}" c 1 "${node#*:}"; done
ln -s ../../sda1 "$1/dev/disk/by-uuid/11111111-2222-3333-4444-555555555555"
cd "$1/sys/class/net/enp0s5" && echo 1 >type && echo 0 >addr_assign_type && echo 52:54:00:12:34:56 >address
cd / && root=$1 && shift && exec chroot "$root" "$@"
'''


class Folder:
    """The root of a guest, unpacked."""

    def __init__(self):
        self.path = procs.temp_dir()
        procs.run(['debugfs', '-R', f'rdump / {self.path}', image.get().disk], timeout=300)
        for name in ('proc', 'sys', 'dev', 'tmp', 'var/tmp'):
            os.makedirs(self.at(name), exist_ok=True)
        with open(self.at('etc/fstab'), 'w', encoding='utf-8') as file:
            file.write('/dev/sda1 / ext4 defaults 0 1\n')
        procs.run(['cp', agent.deb(), self.at('tmp/tenon.deb')])
        status, text = self.run('dpkg', '-i', '/tmp/tenon.deb')
        equal(status, 0, f'dpkg -i: {text}')
        os.unlink(self.at('tmp/tenon.deb'))

    def at(self, path):
        """A path in the running system."""
        return os.path.join(self.path, path)

    def start(self, *argv):
        """Start a program in it; its Popen."""
        return subprocess.Popen(['unshare', '-m', 'sh', '-c', SURROUNDINGS, 'sh', self.path, *argv],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)

    def run(self, *argv, timeout=400):
        """(exit status, output) of a program in it."""
        process = self.start(*argv)
        output, _ = process.communicate(timeout=timeout)
        if process.returncode == 77:
            raise Skip(f'no mount namespace to be had here: {output}')
        return process.returncode, output

    def photograph(self):
        """path -> what it is and what is in it, of all of /etc and /boot."""
        found = {}
        for top in ('etc', 'boot'):
            for folder, _, names in os.walk(self.at(top)):
                for path in [folder, *(os.path.join(folder, name) for name in names)]:
                    found[os.path.relpath(path, self.path)] = describe(path)
        return found

    def records(self):
        """How many records the journal of an unfinished prepare has."""
        for path in glob.glob(self.at(f'{STORE}/0*/journal')):
            with open(path, 'rb') as file:
                return file.read().count(b'\n')
        return 0

    def close(self):
        """Remove it."""
        procs.remove_dir(self.path)


def describe(path):
    """Mode, owner, time and contents of a file; of a folder without its size."""
    stat = os.lstat(path)
    what = (oct(stat.st_mode), stat.st_uid, stat.st_gid, stat.st_mtime_ns)
    if os.path.islink(path):
        return (*what, os.readlink(path))
    if os.path.isfile(path):
        with open(path, 'rb') as file:
            return (*what, hashlib.sha256(file.read()).hexdigest())
    return what


def differ(before, after):
    """Paths that differ."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


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


# A folder has no hardware for dracut's host-only mode to look at; this makes a small image as well.
DRACUT = 'compress="cat"\ndracutmodules="base kernel-modules rootfs-block fs-lib udev-rules"\ndrivers=" ext4 "\n'


@test(timeout=1200)
def dracut_builds_and_undo_restores():
    debs = procs.temp_dir()
    os.chmod(debs, 0o755)
    procs.run(['apt-get', 'download', 'dracut', 'dracut-core', 'kpartx'], cwd=debs, timeout=300)
    for path in glob.glob(f'{debs}/*.deb'):
        procs.run(['cp', path, folder().at('tmp')])
    os.makedirs(folder().at('etc/dracut.conf.d'), exist_ok=True)
    with open(folder().at('etc/dracut.conf.d/10-test.conf'), 'w', encoding='utf-8') as file:
        file.write(DRACUT)
    status, text = folder().run('sh', '-c', 'dpkg --purge --force-depends initramfs-tools initramfs-tools-core; '
                                'rm -f /boot/initrd.img-*; dpkg --force-depends -i /tmp/*.deb && '
                                'ls /boot/initrd.img-*')
    equal(status, 0, f'dracut in place of initramfs-tools: {text[-2000:]}')
    prepare_and_undo('dracut')
