# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A micro guest of another architecture: Debian's arm64 kernel and busybox, and what scripts/cross has built.

The kernel comes out of its package, which is unpacked and not installed, so nothing of arm64 runs on this machine but
in QEMU. TENON_SYSROOT is the folder with the libraries that the programs of TENON_BUILD were linked against.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess

import agent
import devices
import image
import initramfs
import machine
import procs
import recipe
import sources

ARCH, TRIPLET = 'arm64', 'aarch64-linux-gnu'
PACKAGES = ('linux-image-arm64', 'busybox-static')
MODULES = ('virtio_pci', 'virtio_console', 'virtio_blk', 'virtio_net', 'virtio_balloon', 'crc32c_generic', 'ext4',
           'i6300esb', 'qemu_fw_cfg')
LOADER = '/lib/ld-linux-aarch64.so.1'
# The board has one serial line; the harness's is a card, so its name is that of the 8250's driver.
LINES = ('-serial', 'file:boot.log', '-device', 'pci-serial,chardev=shell')
KERNEL_LINE = 'console=ttyAMA0 quiet panic=-1 harness_line=ttyS0'
# What an init has in other guests: busybox's own would only signal the first process, which here is a script.
POWEROFF = b'#!/bin/sh\nexec busybox poweroff -f\n'


class Kernel(image.Image):
    """The kernel with its modules as files, where other images have a disk."""

    def __init__(self, folder):
        super().__init__(folder)
        self.busybox = os.path.join(folder, 'busybox')

    def dump(self, paths, folder):
        """Copy modules into a folder, flat."""
        for path in paths:
            shutil.copy(os.path.join(self.folder, os.path.basename(path)), folder)


def unpack(folder):
    """Fill a folder with the kernel, the modules that the guest loads, their list, and busybox."""
    root, made = os.path.join(folder, 'root'), Kernel(folder)
    lines = sources.find()
    procs.run(['mmdebstrap', '--variant=extract', f'--architectures={ARCH}', '--include=' + ','.join(PACKAGES),
               *image.proxy_options(), recipe.SUITE, root, *lines], timeout=1500)
    version = os.listdir(os.path.join(root, 'lib/modules'))[0]
    procs.run(['depmod', '-b', root, version])
    shutil.copy(os.path.join(root, 'boot', f'vmlinuz-{version}'), made.kernel)
    shutil.copy(os.path.join(root, 'lib/modules', version, 'modules.dep'), made.modules_dep)
    shutil.copy(os.path.join(root, 'bin/busybox'), made.busybox)
    for path in initramfs.load_order(initramfs.read_dependencies(made.modules_dep), MODULES):
        shutil.copy(os.path.join(root, 'lib/modules', version, path), folder)
    shutil.rmtree(root)
    os.chmod(folder, 0o755)


def kernel():
    """The kernel, from the cache or made now."""
    name = hashlib.sha256(repr((recipe.SUITE, PACKAGES, MODULES)).encode()).hexdigest()[:16]
    return Kernel(image.cached(f'guest-{ARCH}-{name}', unpack).folder)


def sysroot():
    """The folder with the foreign libraries."""
    path = os.environ.get('TENON_SYSROOT')
    if not path:
        raise FileNotFoundError(f'TENON_SYSROOT is not set; scripts/cross --boot {ARCH} does that')
    return path


def find_library(name):
    """The host path of a library of the sysroot."""
    for folder in (f'usr/lib/{TRIPLET}', f'lib/{TRIPLET}'):
        path = os.path.join(sysroot(), folder, name)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f'{name} is not in {sysroot()}')


@functools.lru_cache(maxsize=None)
def libraries(path):
    """The shared libraries of a foreign ELF file and their own, as pairs of guest path and host path."""
    told = subprocess.run(['readelf', '-d', path], capture_output=True, text=True, check=False)
    found = {}
    for name in re.findall(r'\(NEEDED\).*\[(.+)\]', told.stdout):
        if name == os.path.basename(LOADER):
            found[LOADER] = os.path.join(sysroot(), LOADER[1:])
            continue
        library = find_library(name)
        found[f'/usr/lib/{TRIPLET}/{name}'] = library
        found.update(libraries(library))
    return tuple(found.items())


def files():
    """The agent for this guest: guest path -> host path or content."""
    foreign = subprocess.run(['readelf', '-h', agent.built('agent/tenond')], capture_output=True, text=True, check=True)
    if 'AArch64' not in foreign.stdout:
        raise RuntimeError(f'{agent.BUILD} is not a build for {ARCH}; scripts/cross --build {ARCH} makes one')
    return {**agent.micro_files(), '/sbin/poweroff': POWEROFF}


def boot(config, extra=(), timeout=300):
    """Boot the guest with this configuration, start the agent in it and wait until it answers."""
    folder = procs.temp_dir()
    made = kernel()
    initramfs.make(os.path.join(folder, 'initrd.img'), made, {**files(), '/etc/tenond.conf': config}, MODULES,
                   made.busybox, libraries)
    disk = machine.data_disk(folder, [agent.built('agent/tenond')])
    guest = machine.started(folder, [
        '-M', 'virt', '-cpu', 'max', '-m', '512', '-kernel', made.kernel, '-initrd', 'initrd.img', '-append', KERNEL_LINE,
        *devices.disk(disk, 'raw'), *devices.virtio_serial(), *devices.port(), *devices.watchdog(), *devices.balloon(),
        *devices.net(), *extra], timeout, program='qemu-system-aarch64', lines=LINES)
    guest.tell_more = lambda: agent.tell_log(guest)
    try:
        guest.run('mkdir -p /disk && mount -t ext4 /dev/vda /disk && ip link set eth0 up')
        agent.start(guest)
        guest.port.wait_agent(120)
    except Exception as error:
        said = agent.tell_log(guest)
        guest.close()
        raise RuntimeError(f'{error}; the agent said: {said}') from error
    return guest
