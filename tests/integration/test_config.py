# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Configurations with something wrong: said where, and how to mend it; the agent runs all the same, and the next
request is answered."""

import os

from cases import check, equal, test
from hostport import AgentError
import procs
import tenond


def start_with(extra):
    """An agent with this configuration; it answers."""
    agent = tenond.Agent(extra)
    equal(agent.ask('guest-ping'), {}, f'guest-ping with {extra!r}')
    return agent


@test
def typing_errors():
    rows = {
        '[limits]\nclientz=3\n': "group [limits], key 'clientz' is unknown; did you mean 'clients'?",
        '[limits]\nclients=lots\n': "group [limits], key 'clients': 'lots' is not a number from 1 to 256",
        '[timesync]\nwrite-rtc=perhaps\n': "group [timesync], key 'write-rtc': 'perhaps' is not yes or no",
        '[limit]\nclients=3\n': 'group [limit], the group is unknown (known: channel, ',
        '[policy]\npreset=opem\n': "group [policy], key 'preset': 'opem' is not one of standard, open, locked",
    }
    for extra, wanted in rows.items():
        agent = start_with(extra)
        text = f'{agent.conf}: {wanted}'
        check(f'error: configuration: {text}' in agent.text('log'), f'{text!r} is not in {agent.text("log")!r}')
        health = agent.ask('tenon-get-status')['health']
        equal(health['state'], 'degraded', 'health')
        check(any(text in problem for problem in health['problems']), f'{health} lacks {text!r}')
        status, _, stderr = agent.ctl('config', '--file', agent.conf)
        equal(status, 1, 'exit status of tenonctl config')
        check(text in stderr, f'{stderr!r} lacks {text!r}')
        agent.close()


@test
def mistake_in_the_policy_locks():
    for extra in ('[policy]\npreset=opem\n', '[policy]\nblokc=guest-ping\npreset=open\n', '[policy\npreset=open\n'):
        agent = start_with('')
        agent.stop()
        os.remove(agent.log)
        # A file that is broken as a whole says nothing of sockets either; those come from the command line.
        with open(agent.conf, 'w', encoding='utf-8') as file:
            file.write(extra)
        agent.extra_options = [*tenond.plugin_options(), '-m', 'unix-listen', '-p', agent.socket, '-l', agent.log]
        agent.start()
        equal(agent.ask('tenon-get-status')['policy']['preset'], 'locked', f'preset with {extra!r}')
        try:
            agent.ask('guest-set-time', time=1)
            raise AssertionError('guest-set-time is allowed')
        except AgentError as error:
            check('not allowed' in error.desc, error.desc)
        agent.close()


@test
def file_that_is_no_text():
    agent = tenond.Agent(start=False)
    agent.extra_options = [*tenond.plugin_options(), '-m', 'unix-listen', '-p', agent.socket, '-l', agent.log]
    for content in (os.urandom(3000), bytes(100), b'\x7fELF' + bytes(50), b'[policy]\npreset=open\0\n', b'\xff\xfe[\0'):
        with open(agent.conf, 'wb') as file:
            file.write(content)
        agent.start()
        equal(agent.ask('tenon-get-status')['policy']['preset'], 'locked', f'preset with {content[:20]!r}')
        check(f'configuration: {agent.conf}: ' in agent.text('log'), 'no word of it')
        agent.stop()
        os.remove(agent.log)
    agent.close()


@test
def names_that_no_command_has():
    agent = start_with('[policy]\nblock=guest-pnig\n')
    check("key 'block': no command is named 'guest-pnig'; see tenonctl plugins" in agent.text('log'), agent.text('log'))
    agent.close()


@test
def names_of_packages_that_are_not_installed():
    """What may come in a package of its own: the table is that of the plugins, and what is blocked needs no word."""
    agent = tenond.Agent('[policy]\npreset=open\n', options=tenond.plugin_options(tenond.ALL_PLUGINS))
    apart = {row['name']: row['category'] for row in agent.ask('tenon-get-policy')['commands']
             if row['category'] in ('accounts', 'exec', 'files')}
    agent.close()
    check(len(apart) > 10, f'{apart}')
    names = ','.join(apart)
    agent = start_with(f'[policy]\nallow={names}\nblock={names}\n')
    text = agent.text('log')
    for name, category in apart.items():
        check(f"key 'allow': no command is named '{name}'; it comes with the package tenon-{category}\n" in text, text)
    check("key 'block'" not in text, text)
    agent.close()


@test
def drop_ins():
    agent = tenond.Agent('[policy]\npreset=locked\n', start=False)
    os.mkdir(agent.conf + '.d')
    for name, text in (('20-b.conf', 'preset=open'), ('10-a.conf', 'preset=standard'), ('30-c.txt', 'preset=locked')):
        with open(os.path.join(agent.conf + '.d', name), 'w', encoding='utf-8') as file:
            file.write(f'[policy]\n{text}\n')
    agent.start()
    equal(agent.ask('tenon-get-status')['policy']['preset'], 'open', 'preset')
    agent.close()


@test
def missing_file():
    status, stdout, stderr = tenond.run(tenond.built('agent/tenond'), '-c', '/nonexistent/tenond.conf', timeout=10)
    equal(status, 1, 'exit status')
    equal(stdout, '', 'stdout')
    check('/nonexistent/tenond.conf: No such file or directory' in stderr, stderr)


@test
def wrong_usage():
    rows = {('--bogus',): '--bogus', ('argument',): "unexpected argument 'argument'",
            ('--method',): '--method'}
    for words, wanted in rows.items():
        status, _, stderr = tenond.run(tenond.built('agent/tenond'), *words, timeout=10)
        equal(status, 2, f'exit status with {words}')
        check(wanted in stderr and 'try tenond --help' in stderr, stderr)
    folder = procs.temp_dir()
    conf = os.path.join(folder, 'c')
    with open(conf, 'w', encoding='utf-8'):
        pass
    status, _, stderr = tenond.run(tenond.built('agent/tenond'), '-c', conf, '-m', 'pigeon', timeout=10)
    equal(status, 1, 'exit status with -m pigeon')
    check("command line: group [channel], key 'method': 'pigeon' is not one of virtio-serial" in stderr, stderr)
    status, _, stderr = tenond.run(tenond.built('agent/tenond'), '-c', conf, '-m', 'unix-listen', timeout=10)
    equal(status, 1, 'exit status without a path')
    check('method unix-listen needs a path: --path=PATH, or path= in [channel]' in stderr, stderr)
    procs.remove_dir(folder)


@test
def version_and_help():
    for word in ('-V', '--version'):
        status, stdout, _ = tenond.run(tenond.built('agent/tenond'), word, timeout=10)
        equal(status, 0, f'exit status of {word}')
        check(stdout.startswith('Tenon '), stdout)
    status, stdout, _ = tenond.run(tenond.built('agent/tenond'), '--help', timeout=10)
    equal(status, 0, 'exit status of --help')
    for option in ('--method', '--path', '--config', '--plugin-dir', '--block-rpcs', '--allow-rpcs'):
        check(option in stdout, f'{option} is not in --help')
