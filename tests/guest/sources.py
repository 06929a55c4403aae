# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Finds this machine's own Debian package sources, so that the guest is made from the same mirror.

Both of apt's formats are read, and only Debian's archives taken: an address that ends in /debian or
/debian-security, a suite of the guest's release, the component main. Others are not the guest's business.
"""

import glob
import re

import recipe

SUITES = {recipe.SUITE + end for end in ('', '-updates', '-security')}
ARCHIVE = re.compile(r'^https?://\S+/debian(-security)?/?$')
ONE_LINE = re.compile(r'^deb\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$')


def from_list(text):
    """The wanted lines of a file in the one-line format."""
    for line in text.splitlines():
        match = ONE_LINE.match(line.strip())
        if match and ARCHIVE.match(match[2]) and match[3] in SUITES and 'main' in match[4].split():
            yield f"deb {match[1] or ''}{match[2]} {match[3]} main"


def stanzas(text):
    """The stanzas of a deb822 file as dictionaries with small letters for keys."""
    for block in re.split(r'\n\s*\n', text):
        lines = [line for line in block.splitlines() if not line.startswith('#')]
        pairs = re.findall(r'^(\S+?):\s*((?:.*)(?:\n[ \t].*)*)', '\n'.join(lines), re.MULTILINE)
        yield {key.lower(): value.strip() for key, value in pairs}


def from_deb822(text):
    """The wanted sources of a file in the deb822 format, as lines."""
    for stanza in stanzas(text):
        wanted = 'deb' in stanza.get('types', '').split() and 'main' in stanza.get('components', '').split()
        key = stanza.get('signed-by', '')
        option = f'[signed-by={key}] ' if key.startswith('/') and ' ' not in key else ''
        if wanted and stanza.get('enabled', 'yes') != 'no':
            for address in filter(ARCHIVE.match, stanza['uris'].split()):
                for suite in SUITES.intersection(stanza['suites'].split()):
                    yield f'deb {option}{address} {suite} main'


def read(path):
    """A file as text."""
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


def find(folder='/etc/apt'):
    """The lines for mmdebstrap; none when this machine has no Debian source for the release itself."""
    lines = []
    for path in glob.glob(f'{folder}/sources.list') + glob.glob(f'{folder}/sources.list.d/*.list'):
        lines += from_list(read(path))
    for path in glob.glob(f'{folder}/sources.list.d/*.sources'):
        lines += from_deb822(read(path))
    return sorted(set(lines)) if any(line.split()[-2] == recipe.SUITE for line in lines) else []
