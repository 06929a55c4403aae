# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What docs/security.md says of the build is so in each program and each plugin: read from the files by readelf."""

import glob
import json
import os
import re

import procs
from cases import Skip, check, test

BUILD = os.environ['TENON_BUILD']
PROGRAMS = ('agent/tenond', 'cli/tenonctl', 'fetch/tenon-fetch', 'host/tenon-host', 'pvdrivers/tenon-drivers', 'tray/tenon-tray',
            'plugins/accounts/tenon-accounts-helper', 'plugins/files/tenon-files-helper', 'plugins/helper/tenon-clock',
            'plugins/helper/tenon-system-helper')
# Whatever it was asked to do, the compiler calls these only where there is something to guard.
CHECKED = ('agent/tenond', 'cli/tenonctl', 'plugins/helper/tenon-clock')


def readelf(name, *options):
    """What readelf tells of a file of the build."""
    return procs.run(['readelf', '--wide', *options, os.path.join(BUILD, name)])


def plugins():
    """The plugins that are installed, relative to the build directory."""
    return [os.path.relpath(path, BUILD) for path in sorted(glob.glob(os.path.join(BUILD, 'plugins', '*', '*.so')))]


def plain():
    """The options of the build; with sanitizers, which have guards of their own, there is nothing to see."""
    with open(os.path.join(BUILD, 'meson-info', 'intro-buildoptions.json'), encoding='utf-8') as file:
        options = {row['name']: row['value'] for row in json.load(file)}
    if options['b_sanitize'] != 'none':
        raise Skip('a build with sanitizers')
    return options


@test
def programs_are_position_independent():
    plain()
    for name in PROGRAMS:
        told = readelf(name, '--file-header', '--dynamic')
        check(re.search(r'Type:\s+DYN', told) and re.search(r'\(FLAGS_1\).*\bPIE\b', told), f'{name} is not: {told}')


@test
def tables_are_read_only_and_stacks_not_executable():
    plain()
    check(len(plugins()) > 8, f'plugins: {plugins()}')
    for name in (*PROGRAMS, *plugins()):
        told = readelf(name, '--program-headers', '--dynamic')
        check('GNU_RELRO' in told, f'{name} has no RELRO')
        check(re.search(r'\(FLAGS(_1)?\).*\b(BIND_)?NOW\b', told), f'{name} binds late')
        check(re.search(r'GNU_STACK( +0x0+){5} RW ', told), f'the stack of {name} is executable: {told}')


@test
def stacks_are_protected_and_functions_fortified():
    level = plain()['optimization']
    for name in CHECKED:
        told = readelf(name, '--dyn-syms')
        check('__stack_chk_fail' in told, f'{name} has no stack protector')
        if level in '123s':
            check(re.search(r' __\w+_chk@', told), f'{name} has no fortified function')
