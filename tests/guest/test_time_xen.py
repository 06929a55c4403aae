# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A domain of Xen that is saved, and restored later: Debian with systemd as a PV domain under a dom0, under Xen, under QEMU.
With TENON_LONG=1 only.
"""

import os
import time

from cases import Skip, check, equal, note, shared, test
from xendog import Domain

AWAY = 15  # seconds at least, for which the domain is not there
NEAR = 5  # seconds; Xen tells its guests the time when it was booted, and that by the second


@shared
def domain():
    """The domain, with the agent."""
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('takes minutes; TENON_LONG=1 runs it')
    made = Domain(memory=384)
    made.run('mkdir -p /etc/tenon/tenond.conf.d; printf "[log]\\nlevel=info\\n" >/etc/tenon/tenond.conf.d/log.conf; '
             'dpkg -i /opt/tenon.deb && systemctl start tenond', 900)
    return made


def clocks():
    """How far the domain's clock is behind this machine's, and its seconds of sleep, both in seconds."""
    begin = time.time()
    said = domain().run('date +%s.%N; perl -MTime::HiRes=clock_gettime,CLOCK_BOOTTIME,CLOCK_MONOTONIC '
                        '-e "print clock_gettime(CLOCK_BOOTTIME) - clock_gettime(CLOCK_MONOTONIC)"').split()
    return (begin + time.time()) / 2 - float(said[0]), float(said[1])


@test(timeout=3000)
def restored_domain_has_the_time():
    offset, slept = clocks()
    begin = time.monotonic()
    domain().host.run('xl save guest /run/saved', 600)
    time.sleep(AWAY)
    domain().host.run('xl restore /run/saved && rm /run/saved', 600)
    away = time.monotonic() - begin
    after, slept_after = clocks()
    note(f'away for {away:.1f} s: {after:.2f} s behind, before {offset:.2f} s; the kernel counts {slept_after - slept:.2f} s as sleep')
    check(abs(after) < NEAR, f'the clock is {after} s behind')
    check(slept_after - slept > AWAY, f'the kernel counts {slept_after - slept} s as sleep')
    told = domain().ask('tenon-get-time-status')
    equal((told['steps'], told['source']), (0, None), 'steps of the agent, and a source: a PV domain has no hardware clock')
    equal(domain().ask('guest-ping'), {}, 'ping')
