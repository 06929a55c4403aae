# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The guest that was installed on AHCI and e1000 becomes a PV domain of Xen. With TENON_LONG=1 only."""

import os
import time

import agent
import journey
import xenhost
from cases import Skip, check, equal, note, test
from journey import CARD, Journey

# A PV domain has no serial line for the harness: the guest says on its console what it sees.
REPORT = rf'''
cat >/usr/local/bin/report <<'END'
#!/bin/sh
for i in $(seq 120); do ip -4 -o addr show dev {CARD} 2>/dev/null | grep -q 10.0.2.15 && findmnt -n /data >/dev/null && break
    sleep 1; done
{{ echo "REPORT network $(ip -4 -o addr show dev {CARD} | awk '{{ print $2, $4 }}')" \
    "driver $(basename $(readlink -f /sys/class/net/{CARD}/device/driver))"
echo "REPORT disks $(findmnt -n -o SOURCE /) $(findmnt -n -o SOURCE /data) $(swapon --noheadings --show=NAME)"
echo "REPORT end"; }} >/dev/console
END
chmod 755 /usr/local/bin/report
cat >/etc/systemd/system/report.service <<'END'
[Unit]
After=multi-user.target
[Service]
ExecStart=/usr/local/bin/report
[Install]
WantedBy=multi-user.target
END
systemctl enable report.service 2>&1
'''


@test(timeout=3000)
def into_a_xen_pv_domain():
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')
    with Journey() as made:
        guest = made.power_on('source', journey.packages_disk([agent.deb()]))
        journey.unpack(guest, 'dpkg -i *.deb >/dev/null')
        guest.run(REPORT, 60)
        equal(journey.plan(guest, 'xen')[0], 1, 'exit status of the plan')
        status, answer = journey.prepare(guest, 'xen')
        check(not journey.fatal(answer['plan']), f'prepare ended with {status}: {answer["plan"]["checks"]}')
        made.power_off()
        host = xenhost.start(made.disk)
        try:
            begin = time.monotonic()
            xenhost.create(host)
            host.run('for i in $(seq 600); do grep -q "REPORT end" /run/log/guest-guest.log && exit; sleep 1; done; '
                     'tail -n 30 /run/log/guest-guest.log; exit 1', 700)
            note(f'the domain told what it sees after {time.monotonic() - begin:.0f} s')
            report = host.run('grep -o "REPORT .*" /run/log/guest-guest.log | tr -d "\\r"').splitlines()
        finally:
            host.close()
        equal(report[:2], [f'REPORT network {CARD} 10.0.2.15/24 driver vif',
                           'REPORT disks /dev/xvda1 /dev/mapper/vg0-data /dev/xvda2'], 'what the domain sees')
