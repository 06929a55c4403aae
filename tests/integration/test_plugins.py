# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Plugins with something wrong (tests/plugins): each is refused with its reason, the others work, the next request is
answered."""

import os
import shutil

from cases import check, equal, test
import procs
import tenond


class Folder:
    """A plugin folder of the test's own."""

    def __init__(self, *names, mode=0o644):
        self.path = procs.temp_dir()
        for name in names:
            self.add(name, mode)

    def add(self, name, mode=0o644):
        """Copy one of the test plugins; its new path."""
        to = os.path.join(self.path, f'{name}.so')
        shutil.copyfile(tenond.built(f'tests/plugins/{name}.so'), to)
        os.chmod(to, mode)
        return to

    def agent(self):
        """An agent with these plugins beside guestinfo; it answers."""
        agent = tenond.Agent(options=[*tenond.plugin_options(['guestinfo']), f'--plugin-dir={self.path}'])
        equal(agent.ask('guest-ping'), {}, 'guest-ping')
        check('id' in agent.ask('guest-get-osinfo'), 'guest-get-osinfo has no id')
        return agent


def rows(agent):
    """What the agent says of its plugins, by name."""
    return {row['name']: row for row in agent.ask('tenon-get-status')['plugins']}


def assert_refused(agent, name, state, reason):
    """In the status, in the log, in tenonctl's output, and as a problem."""
    row = rows(agent)[name]
    equal(row['state'], state, f'state of {name}')
    check(reason in row['reason'], f"{row['reason']!r} lacks {reason!r}")
    check(f'error: plugin {name} {state}: ' in agent.text('log') and reason in agent.text('log'), agent.text('log'))
    status, stdout, _ = agent.ctl('plugins')
    equal(status, 0, 'exit status of tenonctl plugins')
    check(reason in ' '.join(stdout.split()) or reason in stdout, stdout)
    health = agent.ask('tenon-get-status')['health']
    equal(health, {'state': 'degraded', 'problems': ['1 plugin was not started'],
                   'remedies': ['tenonctl plugins tells why']}, 'health')


@test
def each_bad_plugin():
    table = {
        'bad-abi': ('refused', 'it was built for plugin ABI 4, this agent has 3; rebuild it against this version'),
        'bad-name': ('refused', 'its descriptor has no valid name (a-z, 0-9 and -)'),
        'bad-no-symbol': ('refused', 'exports no symbol tenon_plugin; see tenon-plugin(7)'),
        'bad-signature': ('failed', 'command test-odd: the signature "id:integer" is malformed'),
        'bad-start': ('failed', 'the flux is out of capacity'),
        'duplicate': ('failed', 'command test-good is already provided by good'),
    }
    for name, (state, reason) in table.items():
        folder = Folder('good', name)
        agent = folder.agent()
        assert_refused(agent, name, state, reason)
        equal(agent.ask('test-good'), {'word': 'none'}, f'test-good beside {name}')
        equal(rows(agent)['good']['state'], 'running', f'good beside {name}')
        agent.close()
        procs.remove_dir(folder.path)


@test
def world_writable_file():
    folder = Folder('good', mode=0o666)
    agent = folder.agent()
    path = os.path.join(folder.path, 'good.so')
    assert_refused(agent, 'good', 'refused', f'{path} is writable by others (mode 0666); run: chmod go-w {path}')
    agent.stop()
    os.chmod(path, 0o644)  # the remedy
    os.remove(agent.log)
    agent.start()
    equal(agent.ask('test-good'), {'word': 'none'}, 'test-good after the remedy')
    agent.close()


@test
def world_writable_folder():
    folder = Folder('good')
    os.chmod(folder.path, 0o777)
    agent = folder.agent()
    check(f'no plugins from there: {folder.path} is writable by others (mode 0777); run: chmod go-w' in
          agent.text('log'), agent.text('log'))
    check('good' not in rows(agent), 'good was loaded')
    agent.close()


@test
def circle():
    folder = Folder('circle-a', 'circle-b', 'good')
    agent = folder.agent()
    for name in ('circle-a', 'circle-b'):
        equal(rows(agent)[name]['state'], 'failed', f'state of {name}')
        check("its 'after' is part of a circle" in rows(agent)[name]['reason'], rows(agent)[name])
    equal(rows(agent)['good']['state'], 'running', 'state of good')
    agent.close()


@test
def rubbish_in_the_folder():
    folder = Folder('good')
    for name, content in (('empty.so', b''), ('text.so', b'#!/bin/sh\n'), ('half.so', None), ('README', b'x')):
        if content is None:
            with open(tenond.built('tests/plugins/good.so'), 'rb') as file:
                content = file.read(3000)
        with open(os.path.join(folder.path, name), 'wb') as file:
            file.write(content)
    os.symlink('/nonexistent', os.path.join(folder.path, 'dangling.so'))
    os.mkfifo(os.path.join(folder.path, 'pipe.so'))
    agent = folder.agent()
    check('half.so is cut off; install it again' in agent.text('log'), agent.text('log'))
    states = {name: row['state'] for name, row in rows(agent).items() if name != 'guestinfo'}
    equal(states, {'good': 'running', 'empty': 'refused', 'text': 'refused', 'half': 'refused',
                   'dangling': 'refused', 'pipe': 'refused'}, 'states')
    agent.close()


@test
def missing_folder():
    agent = tenond.Agent(options=['--plugin-dir=/nonexistent/plugins'])
    check('no plugins from there: open plugin directory /nonexistent/plugins: No such file or directory' in
          agent.text('log'), agent.text('log'))
    equal(agent.ask('guest-ping'), {}, 'guest-ping')
    agent.close()


@test
def disabled_plugin():
    agent = tenond.Agent('[plugins]\ndisable=timesync\n')
    equal(rows(agent)['timesync']['state'], 'disabled', 'state')
    equal(agent.ask('tenon-get-status')['health']['state'], 'ok', 'health: nothing is wrong')
    names = [row['name'] for row in agent.ask('guest-info')['supported_commands']]
    check('guest-set-time' not in names and 'guest-get-osinfo' in names, names)
    agent.close()
