# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The full guest's root as a folder, with tenon's package installed, and programs run in it by chroot."""

import glob
import hashlib
import os
import re
import subprocess

import agent
import image
import packages
import procs
from cases import Skip, check, equal

UUID = '11111111-2222-3333-4444-555555555555'  # of the disk that the folder is said to be on
STORE = 'var/lib/tenon/drivers'

# An image for AHCI and nothing else. dracut's host-only mode would make it, but a folder has no hardware to look at; and
# QEMU stands for another host here, so the module is left out by which dracut takes virtio in on QEMU.
DRACUT = 'compress="gzip"\nomit_dracutmodules+=" qemu "\ndrivers=" ahci ext4 "\n'

# A folder is no machine: the names of its disks and its card are made up.
SURROUNDINGS = r'''
mount -t proc proc "$1/proc" && mount -t tmpfs none "$1/dev" && mount -t tmpfs none "$1/sys" || exit 77
mkdir -p "$1/dev/disk/by-uuid" "$1/sys/class/net/enp0s5/device" "$1/sys/module" "$1/sys/block"
for node in null:3 zero:5 random:8 urandom:9; do mknod -m 666 "$1/dev/${node%:*}" c 1 "${node#*:}"; done
ln -s ../../sda1 "$1/dev/disk/by-uuid/UUID"
cd "$1/sys/class/net/enp0s5" && echo 1 >type && echo 0 >addr_assign_type && echo 52:54:00:12:34:56 >address
cd / && root=$1 && shift && exec chroot "$root" "$@"
'''.replace('UUID', UUID)


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

    def use_dracut(self, configuration):
        """dracut with this configuration in place of initramfs-tools, and its image."""
        procs.run(['cp', *packages.download('dracut', 'dracut-core', 'kpartx'), self.at('tmp')])
        image.write_files(self.path, {'etc/dracut.conf.d/10-test.conf': configuration})
        status, text = self.run('sh', '-c', 'dpkg --purge --force-depends initramfs-tools initramfs-tools-core; '
                                'rm -f /boot/initrd.img-*; dpkg --force-depends -i /tmp/*.deb && '
                                'rm /tmp/*.deb && ls /boot/initrd.img-*', timeout=1500)
        equal(status, 0, f'dracut in place of initramfs-tools: {text[-2000:]}')

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


NETWORK = '''[Match]
Name=enp0s5

[Network]
Address=10.0.2.15/24
'''


def folder_disk(target, files=None, *command, dracut=None):
    """A disk with the root made ready for a platform as a folder; its path, the kernel's and the image's.

    The card was enp0s5 with the address 52:54:00:12:34:56. `command` is run before, `files` are put in; dracut, with
    this configuration, builds the image.
    """
    made, folder = Folder(), procs.temp_dir()
    image.write_files(made.path, {**(files or {}), 'etc/systemd/network/80-dhcp.network': NETWORK})
    if command:
        made.run(*command)
    if dracut:
        made.use_dracut(dracut)
        status, text = made.run('tenonctl', 'drivers', 'plan', '--target', target)
        equal(status, 1, 'exit status of the plan')
        check(re.search(r'fatal +initramfs .* lacks ', text), text)
    status, text = made.run('tenonctl', 'drivers', 'prepare', '--target', target, timeout=1500)
    if 'built anew' not in text:
        raise AssertionError(f'prepare ended with {status}: {text}')
    disk = os.path.join(folder, 'disk.img')
    procs.run(['mke2fs', '-q', '-t', 'ext4', '-U', UUID, '-d', made.path, disk, '2G'], timeout=300)
    for kind in ('vmlinuz', 'initrd.img'):
        procs.run(['cp', glob.glob(made.at(f'boot/{kind}-*'))[0], os.path.join(folder, kind)])
    made.close()
    return disk, os.path.join(folder, 'vmlinuz'), os.path.join(folder, 'initrd.img')
