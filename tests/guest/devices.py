# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""QEMU's devices as the tests name them: each function returns command line arguments.

Socket paths are relative to the guest's temporary folder, which is QEMU's working directory.
"""

QGA_PORT = 'org.qemu.guest_agent.0'


def virtio_serial():
    """The controller that ports sit on."""
    return ['-device', 'virtio-serial-pci,id=serial0']


def port(name=QGA_PORT, ident='qga0'):
    """A virtio-serial port; its host end is the unix socket IDENT.sock. Wants virtio_serial() before it."""
    return ['-chardev', f'socket,id={ident},path={ident}.sock,server=on,wait=off',
            '-device', f'virtserialport,bus=serial0.0,chardev={ident},name={name},id=port-{ident}']


def watchdog(action='none'):
    """The i6300esb watchdog; what it does shows as the QMP event WATCHDOG."""
    return ['-device', 'i6300esb', '-action', f'watchdog={action}']


def balloon():
    """The memory balloon."""
    return ['-device', 'virtio-balloon-pci,id=balloon0']


def net():
    """A virtio network card on a user-mode network that reaches nothing outside."""
    return ['-netdev', 'user,id=net0,restrict=on', '-device', 'virtio-net-pci,netdev=net0,romfile=']


def disk(path, form='qcow2', readonly=False):
    """A virtio disk; they are vda, vdb, … in the order given. It may lose data when the host crashes."""
    ro = ',readonly=on' if readonly else ''
    return ['-drive', f'file={path},format={form},if=virtio,cache=unsafe{ro}']
