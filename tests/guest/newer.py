# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A repository of apt's with a newer package of Tenon: the same one, in which the text of the version is another."""

import glob
import json
import os
import re

import agent
import procs
from cases import check, equal

NEWER = '0.1.9'
SOURCE = 'deb [trusted=yes] file:/repository ./'


def same_length(path, old, new):
    """Exchange the text of the version in a program or library, where it has it."""
    with open(path, 'rb') as file:
        content = file.read()
    changed = re.sub(rb'(?<![0-9.])' + re.escape(old.encode()) + rb'\0', new.encode() + b'\0', content)
    if changed != content:
        with open(path, 'wb') as file:
            file.write(changed)
    return changed != content


def repack(deb, folder):
    """The package again as NEWER, in the folder: version, dependency on the same version, the programs' text; its path."""
    name = os.path.basename(deb).split('_')[0]
    tree = os.path.join(folder, name)
    procs.run(['dpkg-deb', '-R', deb, tree])
    control = os.path.join(tree, 'DEBIAN', 'control')
    with open(control, encoding='utf-8') as file:
        text = file.read()
    old = re.search(r'^Version: (\S+)$', text, re.M)[1]
    with open(control, 'w', encoding='utf-8') as file:
        file.write(text.replace(f'Version: {old}\n', f'Version: {NEWER}-1\n').replace(f'(= {old})', f'(= {NEWER}-1)'))
    upstream = old.rsplit('-', 1)[0]
    equal(len(upstream), len(NEWER), 'length of the version')
    programs = [*glob.glob(f'{tree}/usr/*bin/*'), *glob.glob(f'{tree}/usr/lib/*/tenon/plugins/update.so')]
    changed = sum(same_length(path, upstream, NEWER) for path in programs)
    check(name != 'tenon' or changed >= 3, 'tenond, tenonctl and the plugin have a version')
    package = os.path.join(folder, f'newer-{name}.deb')
    procs.run(['dpkg-deb', '--root-owner-group', '--build', tree, package])
    return package


def newer_package(*parts):
    """A flat repository: the same package, and these parts of it, in which the version's text is another one; its files."""
    folder = procs.temp_dir()
    debs = [repack(path, folder) for path in (agent.deb(), *parts)]
    listing = procs.run(['dpkg-scanpackages', '-m', '.'], cwd=folder)
    with open(os.path.join(folder, 'Packages'), 'w', encoding='utf-8') as file:
        file.write(re.sub(r'^dpkg-scanpackages: .*\n', '', listing, flags=re.MULTILINE))
    return [*debs, os.path.join(folder, 'Packages')]


def offer(guest):
    """Let the guest's apt know the repository, and nothing else."""
    guest.run(f'rm -f /etc/apt/sources.list.d/*; echo "{SOURCE}" >/etc/apt/sources.list; apt-get -q update', 120)


def wait_installed(guest, timeout=600):
    """Wait until the agent answers in the guest as the newer version and knows that it is current."""
    def came_back():
        status, text = guest.sh('tenonctl status --json 2>/dev/null', 20)
        told = json.loads(text) if status in (0, 1) else {}
        return told.get('version') == NEWER and (told.get('update') or {}).get('status') == 'current'
    procs.wait_for(came_back, timeout, 'the agent as the newer version')
    guest.port.wait_agent(60)
