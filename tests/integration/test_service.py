# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The unit as systemd itself judges it: understood without a warning, and its exposure below the limit."""

import os
import re
import subprocess

import procs
from cases import check, equal, note, test

UNIT = os.path.join(os.environ['TENON_BUILD'], 'data', 'tenond.service')
# The limits of docs/security.md, which has the reasons, too.
EXPOSURE = {
    'tenond.service': 2.5,
    'tenon-clock.service': 2.0,
    'tenon-drivers.service': 2.0,
    'tenon-fetch.service': 2.0,
    'tenon-update-check.service': 2.0,
    'tenon-update-install.service': 5.5,  # a package manager and the scripts of packages
}
# Transient units; what confines them is a drop-in for their names.
HELPERS = {'tenon-system-helper': 2.0, 'tenon-accounts-helper': 2.0, 'tenon-files-helper': 2.0}
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'data')
UNLIMITED = ('tenon-tray.service',)  # a program of a user, whose terminals inherit what it may


def beside(name):
    """Another unit of the build; of a helper, its drop-in."""
    if name in HELPERS:
        return os.path.join(DATA, name + '.conf')
    return os.path.join(os.path.dirname(UNIT), name)


def exposure(path):
    """What systemd says that an attacker of this unit could do, from 0 to 10."""
    done = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', path],
                          capture_output=True, text=True, timeout=60, check=False)
    match = re.search(r'exposure level for \S+: ([0-9.]+)', done.stdout)
    check(match is not None, f'systemd-analyze said: {done.stdout[-300:]}{done.stderr[-300:]}')
    return float(match[1])


@test
def exposure_is_below_the_limit():
    for name, limit in EXPOSURE.items():
        found = exposure(beside(name))
        note(f'{name} {found}, limit {limit}')
        check(found <= limit, f'exposure of {name} is {found}, the limit {limit}')


def helper_unit(folder, name):
    """A unit with the settings that a transient unit of this name gets from systemd; its path."""
    path = os.path.join(folder, name + '-1.service')
    with open(os.path.join(DATA, name + '.conf'), encoding='utf-8') as dropin, open(path, 'w', encoding='utf-8') as unit:
        unit.write(f'[Service]\nType=exec\nExecStart=/usr/libexec/{name}\n{dropin.read()}')
    return path


@test
def exposure_of_helpers_is_below_the_limit():
    folder = procs.temp_dir()
    for name, limit in HELPERS.items():
        found = exposure(helper_unit(folder, name))
        note(f'{name} {found}, limit {limit}')
        check(found <= limit, f'exposure of {name} is {found}, the limit {limit}')


@test
def each_service_has_a_limit():
    units = {name for name in os.listdir(os.path.dirname(UNIT)) if name.endswith('.service')}
    equal(sorted(units), sorted([*EXPOSURE, *UNLIMITED]), 'services of the build')


def settings(name, key):
    """The values of a setting of a unit, in order."""
    with open(beside(name), encoding='utf-8') as file:
        return [line.split('=', 1)[1].strip() for line in file if line.startswith(key + '=')]


@test
def filters_are_lists_of_what_is_allowed():
    for name in {*EXPOSURE, *HELPERS} - {'tenon-update-install.service'}:
        first = settings(name, 'SystemCallFilter')[0]
        check(not first.startswith('~'), f'{name} begins with what is forbidden: {first}')
        equal(settings(name, 'SystemCallArchitectures'), ['native'], f'architectures of {name}')
        equal(settings(name, 'NoNewPrivileges'), ['yes'], f'NoNewPrivileges of {name}')


@test
def capabilities_are_each_justified():
    docs = os.path.join(os.path.dirname(__file__), '..', '..', 'docs', 'security.md')
    with open(docs, encoding='utf-8') as file:
        rows = [line for line in file if line.startswith('| `CAP_')]
    for name in (*EXPOSURE, *HELPERS):
        for words in settings(name, 'CapabilityBoundingSet'):
            for capability in () if words.startswith('~') else words.split():
                found = [row for row in rows if f'`{capability}`' in row and name.split('.', maxsplit=1)[0] in row]
                check(found, f'docs/security.md has no reason for {capability} of {name}')


@test
def unit_has_no_mistakes():
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', UNIT], capture_output=True, text=True,
                          timeout=60, check=False)
    ours = [line for line in done.stderr.splitlines() if 'tenond.service' in line and 'not executable' not in line]
    equal(ours, [], 'what systemd-analyze verify says of the unit')


@test
def other_units_have_no_mistakes():
    timer = os.path.join(DATA, 'tenon-update-check.timer')
    folder = procs.temp_dir()
    for path in (*map(beside, EXPOSURE), timer, *(helper_unit(folder, name) for name in HELPERS)):
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', path], capture_output=True, text=True, timeout=60,
                              check=False)
        ours = [line for line in done.stderr.splitlines()
                if os.path.basename(path) in line and 'not executable' not in line and 'not found' not in line]
        equal(ours, [], f'what systemd-analyze verify says of {path}')
