# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What an idle agent with all plugins maps, and that what it does not map is loaded when it is needed."""

import os
import socket

from cases import check, equal, test
import procs
import tenond

LIBRARIES = {'libc', 'libglib-2.0', 'libjansson', 'libudev'}
# These two come with GLib; the loader is nobody's choice.
GLIBS = {'libpcre', 'libpcre2-8', 'libm', 'ld-linux-x86-64', 'ld-linux-aarch64'}


def mapped(agent):
    """Names of the libraries and plugins in the agent, without their versions."""
    with open(f'/proc/{agent.pid}/maps', encoding='utf-8') as file:
        paths = {line.split()[5] for line in file if len(line.split()) > 5}
    return {os.path.basename(path).split('.so')[0] for path in paths if '.so' in path}


@test
def idle_agent_has_few_libraries():
    plugins = (*tenond.ALL_PLUGINS, 'update')
    agent = tenond.Agent(options=tenond.plugin_options(plugins))
    there = mapped(agent)
    known = LIBRARIES | GLIBS | ({'libgcc_s'} if tenond.sanitized() else set())
    equal(there - known - set(plugins), set(), 'libraries that an idle agent has no use for')
    check(set(plugins) <= there, f'not all plugins are mapped: {sorted(there)}')
    agent.close()


@test
def journal_brings_libsystemd():
    agent = tenond.Agent(options=[], start=False)
    ours, theirs = socket.socketpair()
    there = os.fstat(theirs.fileno())
    journal = {'JOURNAL_STREAM': f'{there.st_dev}:{there.st_ino}'}
    agent.child = procs.start(agent.argv(), env={**os.environ, **journal}, stderr=theirs)
    procs.wait_for(agent.ready, 20, 'the agent to listen')
    check('libsystemd' in mapped(agent), 'the first record for the journal has not loaded libsystemd')
    agent.close()
    ours.close()
    theirs.close()


@test
def plugin_that_has_nothing_to_do_is_not_mapped():
    agent = tenond.Agent(extra='[plugins]\ndisable=timesync\n')
    rows = {row['name']: row for row in agent.ask('tenon-get-status')['plugins']}
    equal(rows['timesync']['state'], 'disabled', 'state')
    check(rows['timesync']['commands'], 'its commands are not known any more')
    there = mapped(agent)
    check('timesync' not in there and 'guestinfo' in there, f'mapped are {sorted(there)}')
    agent.close()
