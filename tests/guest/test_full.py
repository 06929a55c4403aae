# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The package in a Debian guest with systemd: installed by dpkg, started by udev, asked over its port.

The tests build on each other in the order of the file: the guest is installed once, measured, rebooted
and at last shut down through the agent. Its disk must then be clean.
"""

import json
import os
import re
import time

import agent
import demo
from cases import check, equal, note, shared, test


@shared
def guest():
    """A booted guest with the package installed."""
    made = agent.boot_full(smp=2)
    begin = time.monotonic()
    agent.install(made)
    made.install_seconds = time.monotonic() - begin
    return made


@test(timeout=400)
def package_installs_and_the_service_runs():
    note(f'dpkg -i took {guest().install_seconds:.1f} s')
    guest().port.wait_agent(60)
    equal(guest().run('systemctl is-active tenond'), 'active', 'state of tenond.service')
    equal(guest().run('systemctl --failed --plain --no-legend'), '', 'failed units')


@test
def port_answers_every_reader():
    for name in ('guest-ping', 'guest-info', 'guest-get-osinfo', 'guest-network-get-interfaces',
                 'guest-get-fsinfo', 'guest-get-host-name', 'guest-get-time', 'guest-get-timezone',
                 'guest-get-users', 'tenon-get-status'):
        guest().ask(name)
    equal(guest().ask('guest-get-host-name'), {'host-name': 'tenon-guest'}, 'guest-get-host-name')
    equal(guest().ask('guest-get-osinfo')['id'], 'debian', 'id of guest-get-osinfo')


@test
def interfaces_have_the_address_of_dhcp():
    cards = {card['name']: card for card in guest().ask('guest-network-get-interfaces')}
    addresses = [one['ip-address'] for card in cards.values() for one in card.get('ip-addresses', [])]
    check('10.0.2.15' in addresses, f'no 10.0.2.15 in {addresses}')


@test
def root_file_system_has_its_size():
    root = [entry for entry in guest().ask('guest-get-fsinfo') if entry['mountpoint'] == '/'][0]
    equal((root['type'], root['name']), ('ext4', 'vda'), 'type and name of the root file system')
    size = int(guest().run('df --output=size -B1 / | tail -n 1'))
    total = root['total-bytes']
    check(abs(total - size) < size // 10, f'total-bytes is {total}, df says {size}')
    equal(root['disk'][0]['bus-type'], 'virtio', 'bus-type of the root disk')


@test
def clock_can_be_read_and_set():
    now = int(guest().run('date +%s'))
    check(abs(guest().ask('guest-get-time') / 1e9 - now) < 5, 'guest-get-time is not the time of date')
    guest().ask('guest-set-time', time=1_800_000_000 * 10**9)
    shown = int(guest().run('date +%s'))
    check(0 <= shown - 1_800_000_000 < 10, f'date shows {shown}, not what guest-set-time set')
    guest().ask('guest-set-time', time=now * 10**9)


@test
def tenonctl_tells_the_same_inside():
    for verb in ('status', 'detect', 'config', 'plugins'):
        check(guest().run(f'tenonctl {verb}'), f'tenonctl {verb} printed nothing')
    inside = json.loads(guest().run('tenonctl status --json'))
    equal(inside['hypervisor']['primary']['id'], 'qemu', 'hypervisor of tenonctl status')
    equal(guest().sh('tenonctl no-such-verb')[0], 2, 'status of tenonctl with a wrong verb')


def wakeups(seconds):
    """How often a young agent runs while nobody asks it anything. (systemd's watchdog of the unit wants a
    beat every few minutes; the first one is due later than this measuring takes.)"""
    time.sleep(3)
    before = agent.switches(guest())
    time.sleep(seconds)
    return agent.switches(guest()) - before


def without_clock():
    """Restart the agent with nothing that looks at the clock."""
    guest().run("mkdir -p /etc/tenon/tenond.conf.d && printf '[timesync]\\nmode=off\\n' "
                '>/etc/tenon/tenond.conf.d/clock.conf && systemctl restart tenond')
    guest().port.wait_agent(30)


@test(timeout=200)
def armed_watchdog_costs_few_wakeups():
    check(json.loads(guest().run('tenonctl watchdog --json'))['state'] == 'fed', 'the i6300esb is not armed')
    count = wakeups(60)
    note(f'{count} wakeups in 60 s with the watchdog armed')
    check(2 <= count <= 17, f'{count} wakeups in 60 s')  # those of the clock are among them
    guest().run('tenonctl watchdog disarm')  # for the tests below; this boot stays without it


@test(timeout=200)
def idle_with_a_host_costs_a_look_at_the_clock():
    guest().run('systemctl restart tenond')
    guest().port.wait_agent(30)
    time.sleep(12)  # the hardware clock is located first
    count = wakeups(60)
    note(f'{count} wakeups in 60 s with the host connected, {agent.rss_kib(guest())} KiB resident')
    check(count <= 9, f'{count} wakeups in 60 s')  # one in about ten seconds, some of them two


@test(timeout=300)
def idle_without_a_host_costs_nothing():
    without_clock()
    guest().port.close()
    count = wakeups(60)
    if count:  # what the restart left to do may take its time on a busy machine
        count = wakeups(60)
    guest().run('rm /etc/tenon/tenond.conf.d/clock.conf && systemctl restart tenond')
    note(f'{count} wakeups in 60 s with the host away and mode=off')
    equal(count, 0, 'wakeups in 60 s')


@test(timeout=200)
def journal_has_no_errors_of_the_agent():
    equal(guest().run('journalctl -q -b -u tenond -p err --no-pager'), '', 'errors in the journal')


@test(timeout=500)
def reboot_comes_back_and_answers():
    begin = time.monotonic()
    guest().port.order('guest-shutdown', {'mode': 'reboot'})
    event = guest().wait_event('RESET', 90)
    equal(event['data']['guest'], True, 'the guest itself asked for the reset')
    guest().console.wait_ready(300)
    guest().port.wait_agent(60)
    note(f'answered {time.monotonic() - begin:.1f} s after guest-shutdown mode=reboot')
    equal(guest().run('systemctl is-active tenond'), 'active', 'state of tenond.service')


@test
def killed_service_comes_back():
    before = agent.pid(guest())
    guest().run(f'kill -9 {before}')
    guest().port.wait_agent(30)
    check(agent.pid(guest()) != before, 'the process is still the old one')


@test(timeout=200)
def upgrade_restarts_the_running_agent():
    before = agent.pid(guest())
    agent.install(guest())
    guest().port.wait_agent(30)
    check(agent.pid(guest()) != before, 'the process is still the one of before the upgrade')


@test(timeout=600)
def purged_package_leaves_nothing():
    guest().port.wait_agent(60)
    guest().run('dpkg -P tenon', 300)
    running = guest().sh('pidof tenond')[1]
    left = guest().sh('ls -1d /etc/tenon /var/lib/tenon /run/tenon /usr/lib/*/tenon 2>/dev/null')[1]
    guest().run('pkill -x tenond; true')
    agent.install(guest())
    guest().port.wait_agent(60)
    equal((running, left), ('', ''), 'the process and the folders after dpkg -P')


@test(timeout=600)
def powerdown_leaves_a_clean_disk():
    begin = time.monotonic()
    demo.shut_down(guest())
    note(f'down {time.monotonic() - begin:.1f} s after guest-shutdown')
    check(re.search(r'Reached target.*poweroff', guest().log()), 'the log does not reach poweroff.target')
    demo.check_disk(os.path.join(guest().folder, 'disk.qcow2'))
