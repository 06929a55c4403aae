# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What an agent must still do that AppArmor or SELinux confines; the host may ask everything."""

import base64

import procs
from cases import check, equal


def answers(guest):
    """Readers, freezing and trimming."""
    equal(guest.ask('guest-ping'), {}, 'ping')
    check('supported_commands' in guest.ask('guest-info'), 'info')
    check(any(row['name'] == 'lo' for row in guest.ask('guest-network-get-interfaces')), 'interfaces')
    check(any(row['mountpoint'] == '/' for row in guest.ask('guest-get-fsinfo')), 'file systems')
    check(guest.ask('guest-get-disks'), 'disks')
    equal(guest.ask('guest-get-osinfo')['id'], 'debian', 'the system')
    check(guest.ask('guest-get-users') is not None and guest.ask('guest-get-timezone')['offset'] == 0, 'users and zone')
    equal(guest.ask('guest-fsfreeze-freeze', 60), 1, 'frozen')
    equal(guest.ask('guest-fsfreeze-status'), 'frozen', 'status')
    equal(guest.ask('guest-fsfreeze-thaw', 60), 1, 'thawed')
    check(guest.ask('guest-fstrim', 120)['paths'], 'trimmed')
    check('open' in guest.run('tenonctl status', 60), 'tenonctl')
    check('fed' in guest.run('tenonctl watchdog', 60), 'the state of the watchdog')


def sets_the_clock(guest):
    """To a time that the host names, and back to that of the hardware clock."""
    wanted = guest.ask('guest-get-time') + 3600 * 10**9
    equal(guest.ask('guest-set-time', 60, time=wanted), {}, 'set')
    check(0 <= guest.ask('guest-get-time') - wanted < 60 * 10**9, 'the time is not what was set')
    equal(guest.ask('guest-set-time', 60), {}, 'set from the hardware clock')


def execute(guest, path, *arguments):
    """What a program of the host prints."""
    pid = guest.ask('guest-exec', 60, path=path, arg=list(arguments), capture_output=True)['pid']
    status = procs.wait_for(lambda: (lambda told: told['exited'] and told)(guest.ask('guest-exec-status', pid=pid)), 90,
                            'the program to end')
    return base64.b64decode(status.get('out-data', '')).decode().strip('\n\0')
