# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The unit as systemd itself judges it: understood without a warning, and its exposure below the limit."""

import os
import re
import subprocess

from cases import check, equal, note, test

UNIT = os.path.join(os.environ['TENON_BUILD'], 'data', 'tenond.service')
EXPOSURE_MAX = 3.5
SMALL = ('tenon-update-check.service', 'tenon-fetch.service')  # what they need is little
SMALL_MAX = 1.5


def beside(name):
    """Another unit of the build."""
    return os.path.join(os.path.dirname(UNIT), name)


@test
def exposure_is_below_the_limit():
    done = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager',
                           f'--threshold={int(EXPOSURE_MAX * 10)}', UNIT],
                          capture_output=True, text=True, timeout=60, check=False)
    match = re.search(r'exposure level for tenond.service: ([0-9.]+)', done.stdout)
    check(match is not None, f'systemd-analyze said: {done.stdout[-300:]}{done.stderr[-300:]}')
    note(f'exposure {match[1]}; qemu-guest-agent of Debian has 9.6')
    check(float(match[1]) <= EXPOSURE_MAX, f'exposure is {match[1]}, the limit {EXPOSURE_MAX}')
    equal(done.returncode, 0, 'exit status of systemd-analyze security')


@test
def unit_has_no_mistakes():
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', UNIT], capture_output=True, text=True,
                          timeout=60, check=False)
    ours = [line for line in done.stderr.splitlines() if 'tenond.service' in line and 'not executable' not in line]
    equal(ours, [], 'what systemd-analyze verify says of the unit')


@test
def small_services_have_next_to_no_exposure():
    for name in SMALL:
        done = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', beside(name)],
                              capture_output=True, text=True, timeout=60, check=False)
        match = re.search(r'exposure level for \S+: ([0-9.]+)', done.stdout)
        check(match is not None, f'systemd-analyze said: {done.stdout[-300:]}{done.stderr[-300:]}')
        check(float(match[1]) <= SMALL_MAX, f'exposure of {name} is {match[1]}, the limit {SMALL_MAX}')


@test
def units_of_the_update_have_no_mistakes():
    timer = os.path.join(os.path.dirname(__file__), '..', '..', 'data', 'tenon-update-check.timer')
    for path in (*map(beside, SMALL), beside('tenon-update-install.service'), timer):
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', path], capture_output=True, text=True, timeout=60,
                              check=False)
        ours = [line for line in done.stderr.splitlines()
                if os.path.basename(path) in line and 'not executable' not in line and 'not found' not in line]
        equal(ours, [], f'what systemd-analyze verify says of {path}')
