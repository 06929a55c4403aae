# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""AppArmor's profile and SELinux's policy module are understood by the compilers of these systems, and fit the unit."""

import os
import re
import shutil
import subprocess

from cases import check, equal, test
import procs

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
DATA = os.path.join(os.environ['TENON_BUILD'], 'data')
PROFILE = os.path.join(DATA, 'apparmor-tenond')
MAKEFILE = '/usr/share/selinux/devel/Makefile'


def read(path):
    """A file's text."""
    with open(path, encoding='utf-8') as file:
        return file.read()


def parse_profile(text):
    """What apparmor_parser says of a profile, without a kernel and a cache."""
    path = os.path.join(procs.temp_dir(), 'profile')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return subprocess.run(['apparmor_parser', '--skip-kernel-load', '--skip-cache', path], capture_output=True,
                          text=True, timeout=120, check=False)


@test
def profile_is_understood():
    done = parse_profile(read(PROFILE))
    equal(done.returncode, 0, f'exit status; {done.stderr}')
    check('@' not in re.sub(r'@\{\w+\}', '', read(PROFILE)), 'a path was not filled in')
    broken = parse_profile(read(PROFILE).replace('capability ipc_lock,', 'capability no_such_thing,'))
    check(broken.returncode != 0, 'a profile with an unknown capability is taken')


@test
def profile_allows_no_more_capabilities_than_the_unit():
    unit = read(os.path.join(DATA, 'tenond.service'))
    check('\nAppArmorProfile=-tenond\n' in unit, 'the unit does not name the profile')
    of_unit = re.search(r'^CapabilityBoundingSet=(.*)$', unit, re.M)[1].lower().replace('cap_', '').split()
    of_profile = re.findall(r'^ *capability (\w+),', read(PROFILE), re.M)
    equal(sorted(of_profile), sorted(of_unit), 'capabilities of profile and unit')


def compile_module(change=lambda text: text):
    """Build the policy module in a folder of its own, as `make -f /usr/share/selinux/devel/Makefile` does."""
    folder = os.path.join(procs.temp_dir(), 'selinux')
    shutil.copytree(os.path.join(TOP, 'data', 'selinux'), folder)
    path = os.path.join(folder, 'tenon.te')
    text = change(read(path))
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    done = subprocess.run(['make', '-C', folder, '-f', MAKEFILE, 'tenon.pp'], capture_output=True, text=True, timeout=300,
                          check=False)
    return done, os.path.join(folder, 'tenon.pp')


@test(timeout=400)
def policy_module_compiles():
    done, package = compile_module()
    equal(done.returncode, 0, f'exit status of make; {done.stdout[-500:]}{done.stderr[-1000:]}')
    check(os.path.getsize(package) > 1000, 'there is no module')


@test(timeout=400)
def mistake_in_the_policy_module_is_noticed():
    done, _ = compile_module(lambda text: text + '\nallow tenond_t no_such_type_t:file read;\n')
    check(done.returncode != 0, 'a rule with an unknown type is taken')
