# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The guest that was installed on AHCI and e1000 becomes a PV domain of Xen. With TENON_LONG=1 only."""

import os
import time

import agent
import journey
import xenhost
from cases import Skip, check, equal, note, test
from folder import DRACUT, UUID, folder_disk
from journey import CARD, Journey

# A PV domain has no serial line for the harness: the guest says on its console what it sees.
REPORT = rf'''#!/bin/sh
for i in $(seq 120); do ip -4 -o addr show dev {CARD} 2>/dev/null | grep -q 10.0.2.15 && break; sleep 1; done
for i in $(seq 30); do grep -q /data /etc/fstab || break; findmnt -n /data >/dev/null && break; sleep 1; done
{{ echo "REPORT network $(ip -4 -o addr show dev {CARD} | awk '{{ print $2, $4 }}')" \
    "driver $(basename $(readlink -f /sys/class/net/{CARD}/device/driver))"
echo REPORT disks $(findmnt -n -o SOURCE /) $(findmnt -n -o SOURCE /data) $(swapon --noheadings --show=NAME)
echo "REPORT end"; }} >/dev/console
'''
UNIT = '''[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/sh /usr/local/lib/report
[Install]
WantedBy=multi-user.target
'''


def long_only():
    """The rest of a test takes minutes."""
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')


def run_domain(disk, wanted, **settings):
    """Run the disk as a PV domain; what it reports must be this."""
    form = settings.pop('form', 'qcow2')
    host = xenhost.start(disk, form)
    try:
        begin = time.monotonic()
        xenhost.create(host, **settings)
        told = xenhost.report(host)
        note(f'the domain told what it sees after {time.monotonic() - begin:.0f} s')
    finally:
        host.close()
    equal(told[:2], wanted, 'what the domain sees')


def folder_domain(**settings):
    """A root that was prepared for Xen as a folder, as a domain."""
    disk = folder_disk('xen', {'usr/local/lib/report': REPORT, 'etc/systemd/system/report.service': UNIT},
                       'systemctl', 'enable', 'report.service', **settings)[0]
    run_domain(disk, [f'REPORT network {CARD} 10.0.2.15/24 driver vif', 'REPORT disks /dev/xvda'], form='raw',
               root='/dev/sda', line=f'root=UUID={UUID} ro')


@test(timeout=5000)
def root_prepared_as_a_folder_is_a_pv_domain():
    long_only()
    folder_domain()


@test(timeout=5000)
def root_prepared_as_a_folder_with_dracut_is_a_pv_domain():
    long_only()
    folder_domain(dracut=DRACUT)


@test(timeout=6000)
def guest_of_other_hardware_becomes_a_pv_domain():
    long_only()
    with Journey() as made:
        guest = made.power_on('source', journey.packages_disk([agent.deb()]))
        journey.unpack(guest, 'dpkg -i *.deb >/dev/null')
        for path, text in (('/usr/local/lib/report', REPORT), ('/etc/systemd/system/report.service', UNIT)):
            guest.run(f"cat >{path} <<'EOF'\n{text}EOF")
        guest.run('systemctl enable report.service 2>&1')
        equal(journey.plan(guest, 'xen')[0], 1, 'exit status of the plan')
        status, answer = journey.prepare(guest, 'xen')
        check(not journey.fatal(answer['plan']), f'prepare ended with {status}: {answer["plan"]["checks"]}')
        made.power_off()
        run_domain(made.disk, [f'REPORT network {CARD} 10.0.2.15/24 driver vif',
                               'REPORT disks /dev/xvda1 /dev/mapper/vg0-data /dev/xvda2'])
