# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The events of the QMP port, each caused by the real thing: logins through PAM and logind, a clock that is set,
a file system that is mounted, a freeze, a shutdown that begins. And silence while nothing happens.
"""

import json
import os
import time

import agent
import devices
import hostport
from cases import check, equal, note, shared, test


@shared
def guest():
    """A booted guest with the package installed and the QMP port."""
    made = agent.resume_installed()
    made.run('useradd -m anna; systemctl start tenond', 60)
    made.port.wait_agent(60)
    return made


@shared
def events():
    """The host's end of the QMP port, negotiated."""
    port = hostport.HostPort(os.path.join(guest().folder, 'qmp0.sock')).open()
    check('QMP' in json.loads(port.read_line(20)), 'no greeting')
    port.send('{"execute": "qmp_capabilities"}\n')
    equal(json.loads(port.read_line(20)), {'return': {}}, 'negotiation')
    return port


def event(name, fits=lambda data: True, seconds=30):
    """The data of the next event of that name that fits; others are passed over."""
    deadline = time.monotonic() + seconds
    seen = []
    while True:
        try:
            message = json.loads(events().read_line(max(0.1, deadline - time.monotonic())))
        except TimeoutError:
            raise AssertionError(f'no event {name}; there were {seen[-10:]}') from None
        seen.append((message.get('event'), message.get('data')))
        if message.get('event') == name and fits(message['data']):
            check(message['timestamp']['seconds'] > 0, 'it has no time')
            return message['data']


def sessions(data, user):
    """The number of sessions of a user in the data of USERS_CHANGED."""
    return sum(entry['sessions'] for entry in data if entry['user'] == user)


@test(timeout=400)
def the_first_one():
    check('version' in event('AGENT_STARTED'), 'AGENT_STARTED has no version')


@test
def logins_and_logouts():
    login = 'systemd-run -q --unit=login{0} -p PAMName=login -p User=anna -p StandardInput=tty -p TTYPath=/dev/tty{0} ' \
            'sleep 300'
    for number in (3, 4):
        guest().run(login.format(number))
        data = event('USERS_CHANGED', lambda data, wanted=number - 2: sessions(data, 'anna') == wanted)
        check(abs(data[-1]['login-time'] - float(guest().run('date +%s'))) < 60, f'login-time of {data}')
    check('anna' in guest().run('loginctl list-sessions --no-legend'), 'logind does not know of it')
    equal([user['user'] for user in guest().ask('guest-get-users')].count('anna'), 1, 'anna in guest-get-users')
    check('sessions' not in guest().ask('guest-get-users')[0], "guest-get-users has more than qemu-ga's")
    for number in (3, 4):
        guest().run(f'systemctl stop login{number}')
        event('USERS_CHANGED', lambda data, wanted=4 - number: sessions(data, 'anna') == wanted)
    equal([user['user'] for user in guest().ask('guest-get-users')].count('anna'), 0, 'anna, after the logout')


@test
def clock_that_is_set():
    now = int(guest().run('date +%s'))
    guest().ask('guest-set-time', time=(now + 7200) * 10**9)
    data = event('TIME_JUMP')
    note(f'told {data["distance-usec"] / 1e6:.3f} s')
    check(abs(data['distance-usec'] - 7200e6) < 30e6, f'{data}')
    check(abs(data['realtime-usec'] / 1e6 - now - 7200) < 60, f'{data}')
    guest().run(f'date -s @{now} >/dev/null')
    check(abs(event('TIME_JUMP')['distance-usec'] + 7200e6) < 60e6, 'the way back')
    equal(guest().ask('tenon-get-status')['facts']['time-jump']['distance-usec'] < 0, True, 'the fact')


@test
def file_system_that_is_mounted():
    guest().run('truncate -s 16M /root/fs && mkfs.ext4 -q /root/fs && mkdir -p /mnt/fs && mount -o loop /root/fs /mnt/fs')
    event('FILESYSTEMS_CHANGED', lambda data: 'fs' in json.dumps(data))
    guest().run('umount /mnt/fs')
    event('FILESYSTEMS_CHANGED', lambda data: '/mnt/fs' not in json.dumps(data))


@test
def freeze_and_thaw():
    guest().ask('guest-fsfreeze-freeze', timeout=20)
    event('FREEZE_CHANGED', lambda data: data['state'] == 'frozen')
    guest().ask('guest-fsfreeze-thaw', timeout=20)
    event('FREEZE_CHANGED', lambda data: data['state'] == 'thawed')


@test
def health_that_changes():
    """The other port is unplugged and plugged in again."""
    guest().port.close()
    guest().qmp('device_del', id='port-qga0')
    data = event('HEALTH_CHANGED', lambda data: data['state'] == 'degraded')
    check('org.qemu.guest_agent.0' in json.dumps(data['problems']), f'{data}')
    guest().wait_event('DEVICE_DELETED', 20, device='port-qga0')
    guest().qmp('device_add', driver='virtserialport', bus='serial0.0', chardev='qga0', id='port-qga0',
                name=devices.QGA_PORT)
    event('HEALTH_CHANGED', lambda data: data['state'] == 'ok')
    guest().port.wait_agent(30)


@test(timeout=300)
def silence():
    # Without the looks at the clock, and with no watchdog to feed.
    guest().run("tenonctl watchdog disarm; mkdir -p /etc/tenon/tenond.conf.d && printf '[timesync]\\nmode=off\\n' "
                '>/etc/tenon/tenond.conf.d/clock.conf && systemctl restart tenond')
    guest().port.wait_agent(30)
    counts = []
    while 0 not in counts and len(counts) < 3:  # what a start or a login left to do may take its time on a busy machine
        before = agent.switches(guest())
        time.sleep(45)
        counts.append(agent.switches(guest()) - before)
    note(f'wakeups in 45 s with logins, clock, network and mounts watched: {counts}')
    check(0 in counts, f'it is never silent: {counts}')


@test(timeout=200)
def shutdown_that_begins():
    events.close()  # the agent was restarted: negotiate anew
    time.sleep(1)   # QEMU tells the guest of both; a host that is back at once was not seen to leave
    events()
    guest().port.order('guest-shutdown', {'mode': 'powerdown'})
    data = event('SHUTDOWN_CHANGED')
    equal(data['mode'], 'powerdown', 'mode')
    guest().wait_end(120)
