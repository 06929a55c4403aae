# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A Debian guest that has booted already: saved once for each image and each set of devices, by a migration to a file, and
resumed by the tests that begin after the boot. To boot one takes half a minute, to resume it a second.

The clock of a resumed guest is that of the moment when it was saved, so it is set right before anybody looks.
"""

import hashlib
import os
import re
import time

import devices
import image
import machine
import procs
import recipe

STATE = 'state'


def name_of(arguments):
    """The name in the cache of a guest with these arguments; in which folders its disks lie does not count."""
    parts = (recipe.key(), procs.run([machine.X86, '--version']), re.sub(r'file=[^,]*/', 'file=', ' '.join(arguments)))
    return 'booted-' + hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def save(folder, hardware):
    """Boot a guest, and leave its disk and its state in a folder. The disks of `hardware` are read only."""
    disk = machine.overlay(folder)
    with machine.started(procs.temp_dir(), machine.full_arguments(disk, hardware), 300) as guest:
        machine.wait_booted(guest)
        guest.run('sync; for disk in /dev/vd?; do blockdev --flushbufs $disk; done')
        guest.qmp('migrate', uri=f'exec:cat >{os.path.join(folder, STATE)}')
        procs.wait_for(lambda: guest.qmp('query-migrate').get('status') in ('completed', 'failed'), 120, 'the guest to be saved')
        if guest.qmp('query-migrate')['status'] == 'failed':
            raise RuntimeError(f'QEMU cannot save the guest: {guest.qmp("query-migrate")}')


def resume(hardware):
    """A guest with these devices, as it was right after its boot."""
    folder = procs.temp_dir()
    disk = os.path.join(folder, 'disk.qcow2')
    arguments = machine.full_arguments(disk, hardware)
    saved = image.cached(name_of(arguments), lambda place: save(place, hardware)).folder
    procs.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', os.path.join(saved, 'disk.qcow2'), disk])
    guest = machine.Guest(folder, [*arguments, '-incoming', f'exec:cat {os.path.join(saved, STATE)}'])
    try:
        procs.wait_for(lambda: guest.qmp('query-status')['status'] == 'running', 60, 'the guest to go on')
        guest.run(f'date -s @{time.time():.3f}')
    except Exception as error:
        text = guest.tell()
        guest.close()
        raise RuntimeError(f'{error}\n{text}') from error
    return guest
