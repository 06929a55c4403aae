# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenonctl drivers plan on made-up roots: exit statuses, JSON, images of real cpio and compressors, bad input."""

import gzip
import json
import lzma
import os
import subprocess

from cases import Skip, check, equal, test
import procs
import tenond

CTL = tenond.built('cli/tenonctl')
RELEASE = '6.1.0-9-amd64'
# module: what it needs
MODULES = {'virtio_ring': '', 'virtio': 'virtio_ring', 'virtio_pci': 'virtio virtio_ring',
           'virtio_blk': 'virtio virtio_ring', 'virtio_net': 'virtio virtio_ring', 'scsi_mod': '', 'sd_mod': 'scsi_mod',
           'virtio_scsi': 'virtio virtio_ring scsi_mod', 'virtio_console': 'virtio virtio_ring',
           'ahci': 'scsi_mod', 'ext4': ''}
IN_IMAGE = [name for name in MODULES if name not in ('virtio_net', 'virtio_console')]


class Root:
    """A guest's root folder that a plan for kvm finds ready; a test changes it."""

    def __init__(self, modules=tuple(IN_IMAGE), pack=lambda data: data):
        self.path = procs.temp_dir()
        folder = f'lib/modules/{RELEASE}'
        self.put(f'{folder}/modules.builtin', '')
        self.put(f'{folder}/modules.dep', ''.join(
            f'kernel/{name}.ko:{"".join(f" kernel/{need}.ko" for need in needs.split())}\n'
            for name, needs in MODULES.items()))
        for name in MODULES:
            self.put(f'{folder}/kernel/{name}.ko', 'ELF')
        self.put('boot/vmlinuz-' + RELEASE, 'kernel')
        self.put('etc/os-release', 'ID=debian\nVERSION_ID="12"\n')
        self.put('etc/fstab', 'UUID=1 / ext4 defaults 0 1\n')
        self.put('usr/sbin/update-initramfs', '')
        self.put('boot/grub/grub.cfg', f"menuentry 'x' {{\n linux /boot/vmlinuz-{RELEASE} root=UUID=1\n"
                                       f' initrd /boot/initrd.img-{RELEASE}\n}}\n')
        self.image = self.put(f'boot/initrd.img-{RELEASE}', pack(self.archive(modules)))

    def put(self, path, data):
        """Write a file, text or bytes; its path."""
        whole = os.path.join(self.path, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, 'wb') as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return whole

    @staticmethod
    def archive(modules):
        """An initramfs as cpio(1) makes it."""
        folder = procs.temp_dir()
        names = ['conf/initramfs.conf'] + [f'usr/lib/modules/{RELEASE}/kernel/{name}.ko' for name in modules]
        for name in names:
            os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(folder, name), 'w', encoding='ascii') as file:
                file.write(name)
        made = subprocess.run(['cpio', '--quiet', '-o', '-H', 'newc'], cwd=folder, check=True, stdout=subprocess.PIPE,
                              input='\n'.join(names).encode())
        procs.remove_dir(folder)
        return made.stdout

    def plan(self, *options, target='kvm'):
        """(exit status, stdout, stderr)"""
        return tenond.run(CTL, 'drivers', 'plan', '--root', self.path, '--target', target, *options)

    def findings(self, name):
        """Findings of a check, of the JSON."""
        return [row for row in json.loads(self.plan('--json')[1])['checks'] if row['id'] == name]

    def close(self):
        """Remove it."""
        procs.remove_dir(self.path)


def packed_by(*argv):
    """A function that packs by a program, or None where it is not installed."""
    if not any(os.access(os.path.join(folder, argv[0]), os.X_OK) for folder in os.environ['PATH'].split(':')):
        return None
    return lambda data: subprocess.run(argv, check=True, input=data, stdout=subprocess.PIPE).stdout


@test
def ready():
    root = Root()
    code, stdout, stderr = root.plan()
    equal((code, stderr), (0, ''), 'exit status and stderr')
    check(stdout.startswith('This guest is ready for kvm.\n'), stdout)
    check('Devices assumed there: virtio_blk virtio_scsi virtio_net virtio_console' in stdout, stdout)
    root.close()


@test
def would_not_boot():
    root = Root(modules=('ahci', 'scsi_mod', 'sd_mod', 'ext4'))
    code, stdout, _ = root.plan()
    equal(code, 1, 'exit status')
    check(stdout.startswith('This guest would not boot on kvm.\n'), stdout)
    check(f'/boot/initrd.img-{RELEASE} lacks virtio_ring, virtio, virtio_pci, virtio_blk' in stdout, stdout)
    check(f'update-initramfs -u -k {RELEASE}' in stdout, stdout)
    check('tenonctl drivers prepare --target kvm' in stdout, stdout)
    root.close()


@test
def boots_with_a_loss():
    root = Root()
    root.put('etc/network/interfaces', 'auto ens192\niface ens192 inet dhcp\n')
    code, stdout, _ = root.plan()
    equal(code, 2, 'exit status')
    check('would boot with a loss on kvm' in stdout, stdout)
    equal([row['verdict'] for row in root.findings('interface-names')], ['loss'], 'verdict')
    root.close()


@test
def json_members():
    root = Root()
    code, stdout, stderr = root.plan('--json')
    equal((code, stderr), (0, ''), 'exit status and stderr')
    value = json.loads(stdout)
    equal([value[name] for name in ('target', 'verdict', 'exit-status')], ['kvm', 'ready', 0], 'head')
    equal(len({row['id'] for row in value['checks']}), 15, 'checks')
    for row in value['checks']:
        equal(sorted(row), ['data', 'evidence', 'fallback', 'fixable', 'id', 'kernel', 'remedy', 'verdict'], 'members')
    equal([(row['release'], row['default'], [image['compressor'] for image in row['initramfs']])
           for row in value['kernels']], [(RELEASE, True, ['none'])], 'kernels')
    root.close()


@test
def real_compressors():
    packers = {'gzip': gzip.compress, 'xz': lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
               'zstd': packed_by('zstd', '-q', '-c'), 'lz4': packed_by('lz4', '-l', '-q', '-c')}
    for name, pack in packers.items():
        if pack is None:
            raise Skip(f'{name} is not installed')
        microcode = Root.archive([])
        root = Root(pack=lambda data, pack=pack, head=microcode: head + pack(data) + bytes(64))
        code, stdout, stderr = root.plan('--json')
        equal((code, stderr), (0, ''), f'{name}: exit status and stderr')
        equal(json.loads(stdout)['kernels'][0]['initramfs'][0]['compressor'], name, 'compressor')
        root.close()


@test
def damaged_images():
    root = Root(pack=gzip.compress)
    with open(root.image, 'rb') as file:
        good = file.read()
    for what, data in (('cut off', good[:-9]), ('foreign', b'#!/bin/sh\n'), ('empty', b''),
                       ('damaged', good[:40] + bytes(8) + good[48:])):
        root.put(f'boot/initrd.img-{RELEASE}', data)
        code, stdout, stderr = root.plan('--json')
        equal((code, stderr), (1, ''), f'{what}: exit status and stderr')
        row = [row for row in json.loads(stdout)['checks'] if row['id'] == 'initramfs'][0]
        equal((row['verdict'], row['fixable']), ('fatal', True), what)
        check(row['evidence'].startswith(f'/boot/initrd.img-{RELEASE}: '), row)
    os.unlink(root.image)
    os.mkfifo(root.image)
    equal(root.plan()[0], 1, 'a fifo for an image: exit status')
    os.unlink(os.path.join(root.path, 'etc/fstab'))
    os.mkfifo(os.path.join(root.path, 'etc/fstab'))
    equal(root.plan()[0], 1, 'a fifo for fstab: exit status')
    root.close()


@test
def what_only_root_may_read():
    if os.geteuid() != 0:
        raise Skip('needs root, to become somebody else')
    root = Root()
    os.chmod(root.path, 0o755)
    os.chmod(root.image, 0o600)
    code, stdout, _ = tenond.run(CTL, 'drivers', 'plan', '--root', root.path, '--target', 'kvm', user=65534)
    equal(code, 4, 'exit status')
    check('plan as root' in stdout, stdout)
    root.close()


@test
def wrong_usage():
    root = Root()
    for options, words in ((('--target', 'mars'), 'there are kvm, vmware, xen'), ((), 'name the target'),
                           (('--target', 'kvm', '--devices', 'floppy'), 'no device "floppy" on kvm'),
                           (('--target', 'kvm', '--devices', 'virtio_net'), 'no disk is among the devices'),
                           (('--target', 'kvm', 'more'), "unexpected argument 'more'"),
                           (('--target', 'kvm', '--loud'), 'Unknown option --loud')):
        code, stdout, stderr = tenond.run(CTL, 'drivers', 'plan', '--root', root.path, *options)
        equal((code, stdout), (4, ''), f'{options}: exit status and stdout')
        check(words in stderr, stderr)
    code, _, stderr = tenond.run(CTL, 'drivers', 'plan', '--target', 'kvm', '--root', root.path + '/none')
    equal(code, 4, 'exit status without a root')
    check('No such file or directory' in stderr, stderr)
    empty = procs.temp_dir()
    code, _, stderr = tenond.run(CTL, 'drivers', 'plan', '--target', 'kvm', '--root', empty)
    equal(code, 4, 'exit status of an empty root')
    check('no kernel is installed here' in stderr, stderr)
    procs.remove_dir(empty)
    root.close()
