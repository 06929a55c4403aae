# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The update with Debian's real apt and dpkg in the guest's root as a folder: no machine is started, and no systemd
runs in it."""

import json
import os

import agent
import procs
from cases import check, equal, shared, test
from folder import Folder
from newer import NEWER, SOURCE, newer_package


PART = agent.part_debs()[1]  # wants the package in its own version


@shared
def folder():
    """The root of a guest with the package and a part of it, and a repository that apt does not know yet."""
    made = Folder()
    os.makedirs(made.at('repository'))
    procs.run(['cp', *newer_package(), made.at('repository')])
    procs.run(['cp', PART, made.at('tmp/part.deb')])
    equal(made.run('dpkg', '-i', '/tmp/part.deb')[0], 0, 'installation of a part')
    made.run('sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; mkdir -p /var/lib/tenon')
    return made


def asked(*words):
    """Exit status and answer of tenonctl update."""
    status, text = folder().run('tenonctl', 'update', *words, '--json')
    return status, json.loads(text[text.index('{'):])


def offer():
    """Let apt know the repository."""
    with open(folder().at('etc/apt/sources.list'), 'w', encoding='utf-8') as file:
        file.write(SOURCE + '\n')
    status, text = folder().run('apt-get', '-q', 'update')
    equal(status, 0, text)


@test(timeout=300)
def nobody_has_it():
    status, answer = asked('check')
    equal((status, answer['status'], answer['source']), (20, 'unmanaged', 'apt'), 'answer')


def versions():
    """The versions of the package and of its part."""
    return folder().run('dpkg-query', '-W', '-f', '${Version} ', 'tenon', 'tenon-exec')[1].split()


@test(timeout=300)
def part_is_not_removed_for_it():
    offer()
    before = versions()
    status, answer = asked('install')
    check(status == 2 and 'remove is disabled' in answer['error']['message'], f'without a newer part: {status} {answer}')
    equal(versions(), before, 'what is installed')


@test(timeout=300)
def newer_one_is_found_and_installed():
    procs.run(['cp', *newer_package(PART), folder().at('repository')])
    offer()
    status, answer = asked('check')
    equal((status, answer['status'], answer['candidate'], answer['verified-by']), (10, 'out-of-date', f'{NEWER}-1', 'apt'),
          'before')
    status, answer = asked('install')
    equal((status, answer['state'], answer['to'], answer['by']), (0, 'done', f'{NEWER}-1', 'apt-get'), 'install')
    equal(folder().run('tenonctl', '--version'), (0, f'Tenon {NEWER}\n'), 'version')
    equal(versions(), 2 * [f'{NEWER}-1'], 'package and part')
    # What was found after it is kept by the new program.
    status, answer = asked()
    equal((status, answer['status'], answer['installed']), (0, 'current', f'{NEWER}-1'), 'afterwards')
    status, answer = asked('install')
    equal((status, answer['state']), (0, 'current'), 'a second time')


@test(timeout=300)
def repository_that_is_gone_has_nothing():
    folder().run('sh', '-c', 'rm -rf /etc/apt/sources.list /var/lib/apt/lists/*')
    status, answer = asked('check')
    check((status, answer['status']) == (20, 'unmanaged'), answer['message'])
