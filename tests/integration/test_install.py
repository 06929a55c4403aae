# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""`meson install` into a prefix of one's own: what is installed there runs from there, with no option for where its
parts are. Compiles the tree once more, because the prefix is compiled in."""

import json
import os
import shutil
import stat

from cases import check, equal, shared, test
from hostport import AgentError, HostPort
import procs
import tenond


class Prefix:
    """The installed tree, and the agent that runs in it."""

    def __init__(self):
        self.dir = procs.temp_dir()
        self.prefix = self.path('-_p_')  # what scdoc would take for the beginning of underlined text
        self.child = None
        build = self.path('b')
        procs.run(['meson', 'setup', f'--prefix={self.prefix}', build, tenond.TOP], timeout=120)
        procs.run(['ninja', '-j2', '-C', build], timeout=600)
        procs.run(['meson', 'install', '--no-rebuild', '-C', build], timeout=120)

    def path(self, *names):
        """A path below the folder."""
        return os.path.join(self.dir, *names)

    def files(self):
        """Paths of all that is installed, relative to the prefix."""
        return {os.path.relpath(os.path.join(folder, name), self.prefix)
                for folder, _, names in os.walk(self.prefix) for name in names}

    def start(self):
        """Start tenond, if it does not run."""
        if self.child is None:
            with open(self.path('stderr'), 'w', encoding='utf-8') as stderr:
                self.child = procs.start([os.path.join(self.prefix, 'sbin/tenond'), '-m', 'unix-listen', '-p', self.path('s')],
                                         stderr=stderr)
            procs.wait_for(lambda: os.path.exists(self.path('s')), 20, 'the installed agent to listen')
        return HostPort(self.path('s')).open()

    def close(self):
        """End the agent, remove the tree."""
        if self.child:
            procs.end(self.child)
        procs.remove_dir(self.dir)


@shared
def installed():
    """The one installation."""
    return Prefix()


@test(timeout=900)
def files_are_there():
    files = installed().files()
    for name in ('sbin/tenond', 'bin/tenonctl'):
        check(name in files, f'{name} is not installed')
    for plugin in tenond.PLUGINS:
        check(any(name.endswith(f'tenon/plugins/{plugin}.so') for name in files), f'{plugin} is not installed')
    check(any(name.endswith('tenond.service') for name in files), 'the unit is not installed')
    check(any(name.endswith('.rules') for name in files), 'the udev rule is not installed')
    for name in ('dbus-1/interfaces/org.tenon.Agent1.xml', 'dbus-1/interfaces/org.tenon.ObjectManager.xml',
                 'dbus-1/system-services/org.tenon.Agent1.service', 'dbus-1/system.d/org.tenon.Agent1.conf',
                 'polkit-1/actions/org.tenon.agent1.policy'):
        check(f'share/{name}' in files, f'{name} is not installed')


@test(timeout=900)
def nobody_else_may_write():
    for name in installed().files():
        mode = os.lstat(os.path.join(installed().prefix, name)).st_mode
        check(stat.S_ISLNK(mode) or not mode & 0o022, f'{name} has mode {mode:o}')


@test(timeout=900)
def agent_runs_from_there():
    host = installed().start()
    host.sync()
    states = {row['name']: row['state'] for row in host.ask('tenon-get-status')['plugins']}
    for plugin in tenond.PLUGINS:
        equal(states.get(plugin), 'running', f'state of {plugin}')
    check('id' in host.ask('guest-get-osinfo'), 'guest-get-osinfo has no id')
    host.close()


@test(timeout=900)
def example_plugin_builds_against_it_and_works():
    folder = installed().path('example')
    shutil.copytree(os.path.join(tenond.TOP, 'docs/example-plugin'), folder)
    found = [path for path in installed().files() if path.endswith('tenon-plugin.pc')]
    equal(len(found), 1, f'pkg-config files: {found}')
    environment = {**os.environ, 'PKG_CONFIG_PATH': os.path.dirname(os.path.join(installed().prefix, found[0]))}
    procs.run(['meson', 'setup', '-Dwerror=true', 'build'], cwd=folder, env=environment)
    procs.run(['ninja', '-C', 'build'], cwd=folder)
    hook = os.path.join(folder, 'hook')
    with open(hook, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\necho "$1" >>{folder}/told; test "$1" = begin || {{ echo not yet; exit 1; }}\n')
    os.chmod(hook, 0o755)
    plugins = os.path.join(folder, 'plugins')
    os.mkdir(plugins, 0o755)
    shutil.copy(os.path.join(folder, 'build/maintenance.so'), plugins)
    os.chmod(os.path.join(plugins, 'maintenance.so'), 0o644)
    agent = tenond.Agent(f'[policy]\npreset=open\n[plugin maintenance]\nhook={hook}\n', options=[f'--plugin-dir={plugins}'],
                         command=[os.path.join(installed().prefix, 'sbin/tenond')])
    equal(agent.ask('example-get-maintenance'), {'active': False}, 'at first')
    equal(agent.ask('example-maintenance', begin=True, reason='kernel'), {}, 'begin')
    equal(agent.ask('example-get-maintenance')['problems'], ['under maintenance: kernel'], 'the problem')
    health = agent.ask('tenon-get-status')['health']
    check('under maintenance: kernel' in json.dumps(health), f'the health is {health}')
    try:
        agent.ask('example-maintenance', begin=False)
        raise AssertionError('a hook that fails is no error')
    except AgentError as error:
        check('the hook failed: not yet' in str(error), str(error))
    check(agent.ask('example-get-maintenance')['active'], 'the hook refused, and it ended nevertheless')
    with open(os.path.join(folder, 'told'), encoding='utf-8') as file:
        equal(file.read(), 'begin\nend\n', 'what the hook was told')
    agent.close()


@test(timeout=900)
def tenonctl_finds_it():
    installed().start().close()
    code, stdout, stderr = tenond.run(os.path.join(installed().prefix, 'bin/tenonctl'), 'status', '--json')
    equal((code, stderr), (0, ''), 'exit status and stderr')
    control = [row for row in json.loads(stdout)['channels'] if row['role'] == 'control'][0]
    check(control['path'].startswith(installed().prefix), f"the control socket is at {control['path']}")
