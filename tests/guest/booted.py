# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A Debian guest that has booted already, and one in which packages were installed, too: saved once for each image and each
set of devices, by a migration to a file, and resumed by the tests that begin there. To boot one takes half a minute, to resume
it a second. On top of its disk others can boot.

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


class Step:
    """What is done in a guest before it is saved. state: the host files that decide what comes of it."""

    def __init__(self, function, files):
        self.function, self.digest = function, hashlib.sha256()
        for path in files:
            with open(path, 'rb') as file:
                self.digest.update(file.read())

    def name(self):
        """It, in the name of what is saved."""
        return self.function.__name__ + self.digest.hexdigest()


def name_of(arguments, step):
    """The name in the cache of a guest with these arguments; in which folders its disks lie does not count."""
    parts = (recipe.key(), procs.run([machine.X86, '--version']), re.sub(r'file=[^,]*/', 'file=', ' '.join(arguments)),
             step and step.name())
    return ('installed-' if step else 'booted-') + hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def save(folder, hardware, step):
    """Boot a guest, and leave its disk and its state in a folder. The disks of `hardware` are read only."""
    disk = machine.overlay(folder)
    with machine.started(procs.temp_dir(), machine.full_arguments(disk, hardware), 300) as guest:
        machine.wait_booted(guest)
        if step:
            step.function(guest)
        guest.run('sync; for disk in /dev/vd?; do blockdev --flushbufs $disk; done')
        guest.qmp('migrate', uri=f'exec:cat >{os.path.join(folder, STATE)}')
        procs.wait_for(lambda: guest.qmp('query-migrate').get('status') in ('completed', 'failed'), 120, 'the guest to be saved')
        if guest.qmp('query-migrate')['status'] == 'failed':
            raise RuntimeError(f'QEMU cannot save the guest: {guest.qmp("query-migrate")}')


def saved(hardware, step=None):
    """The folder with a guest that has these devices: as it was right after its boot, or after the step."""
    arguments = machine.full_arguments('disk.qcow2', hardware)
    return image.cached(name_of(arguments, step), lambda place: save(place, hardware, step)).folder


def disk_of(folder):
    """The disk of a saved guest, for others to boot on top of it."""
    return os.path.join(folder, 'disk.qcow2')


def resume(hardware, step=None):
    """A guest with these devices, as it was right after its boot, or after the step."""
    folder, source = procs.temp_dir(), saved(hardware, step)
    arguments = machine.full_arguments(machine.overlay(folder, disk_of(source)), hardware)
    guest = machine.Guest(folder, [*arguments, '-incoming', f'exec:cat {os.path.join(source, STATE)}'])
    try:
        procs.wait_for(lambda: guest.qmp('query-status')['status'] == 'running', 60, 'the guest to go on')
        guest.run(f'date -s @{time.time():.3f}')
    except Exception as error:
        text = guest.tell()
        guest.close()
        raise RuntimeError(f'{error}\n{text}') from error
    return guest
