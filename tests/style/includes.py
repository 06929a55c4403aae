# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Floors: a folder includes itself and what stands below it, see docs/architecture.md."""

import re

# Folder → what its files may include beside system headers. A plugin sees lib/ and the public header only.
FLOORS = {
    'include': (),
    'lib': ('lib',),
    'detect': ('lib', 'detect'),
    'pvdrivers': ('lib', 'detect', 'pvdrivers'),
    'agent': ('lib', 'detect', 'pvdrivers', 'agent', 'tenon'),
    'plugins': ('lib', 'tenon'),
    'update': ('lib', 'pvdrivers', 'update'),
    'fetch': ('lib', 'agent'),
    'cli': ('lib', 'detect', 'pvdrivers', 'agent', 'update', 'cli', 'tenon'),
    'host': ('lib', 'host'),
    'tray': ('lib', 'tray'),
    'man': ('lib', 'agent'),
}
GENERATED = 'tenon-build.h'  # for lib/names.h alone: names that leave the process stand there


def allowed(path):
    """Prefixes that a file may include; None where there are no floors (tests, fuzzers)."""
    parts = path.split('/')
    if parts[0] not in FLOORS:
        return None
    own = ('/'.join(parts[:2]),) if parts[0] == 'plugins' else ()
    return FLOORS[parts[0]] + own


def floors(tree):
    """#include goes down, never up or sideways."""
    for path, text in tree.match(r'\.[ch]$'):
        may = allowed(path)
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if may is None or not match:
                continue
            name = match.group(1)
            if name == GENERATED and path == 'lib/names.h':
                continue
            if not any(name.startswith(prefix + '/') for prefix in may):
                yield f'{path}:{number} includes "{name}"; it may include {", ".join(may) or "nothing"}'


RULES = [
    (floors, {'plugins/a/a.c': '#include "agent/facts.h"\n'}),
]
