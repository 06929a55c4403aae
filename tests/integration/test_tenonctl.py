# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenonctl against a running agent, against none, and used wrongly: output and exit statuses (cli/cli.h)."""

import json
import os
import subprocess

from cases import check, equal, shared, test
from falseagent import FalseAgent
import procs
import tenond

CTL = tenond.built('cli/tenonctl')


@shared
def agent():
    """The agent that is asked."""
    return tenond.Agent()


@test
def status():
    code, stdout, stderr = agent().ctl('status')
    equal((code, stderr), (0, ''), 'exit status and stderr')
    for word in ('Agent ', 'Hypervisor ', 'Host ', 'Policy ', 'Plugins ', 'Drivers ', 'Watchdog ', 'Time '):
        check(f'\n{word}' in f'\n{stdout}', f'{word!r} is not in {stdout!r}')
    check(f'unix-listen at {agent().socket}: open' in stdout, stdout)
    check('3 of 3 running' in stdout, stdout)


@test
def status_json():
    code, stdout, _ = agent().ctl('status', '--json')
    equal(code, 0, 'exit status')
    value = json.loads(stdout)
    for member in ('version', 'health', 'hypervisor', 'channels', 'policy', 'plugins', 'drivers', 'watchdog', 'time',
                   'counters', 'facts', 'uptime-seconds'):
        check(member in value, f'{member} is missing')


def machine_path(name):
    """A recorded machine."""
    return os.path.join(tenond.TOP, 'tests', 'machines', name)


def ctl(*arguments):
    """tenonctl without an agent; (status, stdout, stderr)."""
    done = subprocess.run([CTL, *arguments], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


@test
def drivers_give_advice_in_the_words_of_the_host():
    code, stdout, stderr = ctl('drivers', '--machine', machine_path('drivers-vmware-old-template'))
    equal((code, stderr), (0, ''), 'exit status and stderr')
    check('pci 0000:02:01.0 (ens33) is emulated; vmxnet3 would be faster.' in stdout, stdout)
    check('ethernet0.virtualDev = "vmxnet3"' in stdout, stdout)
    check('tenonctl drivers plan' in stdout, stdout)
    check('0000:00:01.0' not in stdout, 'a part of the board is shown without --all')
    check('0000:00:01.0' in ctl('drivers', '--all', '--machine', machine_path('drivers-vmware-old-template'))[1],
          '--all does not show it')


@test
def drivers_without_a_driver_are_a_problem():
    code, stdout, _ = ctl('drivers', '--machine', machine_path('drivers-blacklisted'))
    equal(code, 1, 'exit status')
    check('forbidden by /lib/modprobe.d/i6300esb.conf' in stdout, stdout)


@test
def drivers_json():
    code, stdout, _ = ctl('drivers', '--json', '--machine', machine_path('drivers-azure'))
    value = json.loads(stdout)
    equal((code, value['platform'], value['kernel']), (1, 'azure', '6.1.0-56-amd64'), 'status, platform, kernel')
    names = {device['module']: device for device in value['devices']}
    equal(names['mana']['state'], 'on-disk', 'state of mana')
    equal(names['hv_netvsc']['interfaces'], ['eth0'], 'interfaces of hv_netvsc')


@test
def drivers_are_recorded():
    folder = procs.temp_dir()
    first, again = os.path.join(folder, 'a'), os.path.join(folder, 'b')
    source = machine_path('drivers-virtualbox')
    equal(ctl('drivers', '--machine', source, '--record', first)[0], 0, 'exit status')
    equal(ctl('drivers', '--machine', first, '--record', again)[0], 0, 'exit status of recording the recording')
    equal(ctl('drivers', '--json', '--machine', again), ctl('drivers', '--json', '--machine', source), 'judgement')
    code, _, stderr = ctl('drivers', '--machine', source, '--record', first)
    equal(code, 2, 'exit status for a folder that is not empty')
    check('is not empty' in stderr, stderr)
    procs.remove_dir(folder)


@test
def drivers_used_wrongly():
    equal(ctl('drivers', 'now')[0], 2, 'exit status of an unknown verb')
    code, _, stderr = ctl('drivers', '--machine', '/nowhere')
    equal(code, 2, 'exit status')
    check('/nowhere' in stderr, stderr)


@test
def degraded_status():
    degraded = tenond.Agent('[limits]\nclients=x\n')
    code, stdout, _ = degraded.ctl('status')
    equal(code, 1, 'exit status')
    check(stdout.startswith('Attention '), stdout)
    check("key 'clients': 'x' is not a number" in stdout, stdout)
    degraded.close()


@test
def status_shows_the_host():
    host = agent().host()
    host.sync()
    check('host connected' in agent().ctl('status')[1], 'with a host')
    host.close()
    procs.wait_for(lambda: 'no host connected' in agent().ctl('status')[1], 5, 'the status to say that no host is there')


@test
def plugins():
    code, stdout, _ = agent().ctl('plugins')
    equal(code, 0, 'exit status')
    for name in ('guestinfo', 'power', 'timesync', 'guest-get-osinfo', 'guest-shutdown'):
        check(name in stdout, f'{name} is not in {stdout}')
    rows = {row['name']: row for row in json.loads(agent().ctl('plugins', '--json')[1])}
    equal(rows['timesync']['state'], 'running', 'state of timesync')
    equal({row['name'] for row in rows['timesync']['commands']},
          {'guest-get-time', 'guest-set-time', 'tenon-get-time-status', 'tenon-time-adjust', 'tenon-time-exchange'},
          'its commands')


@test
def policy_says_what_would_allow_the_rest():
    locked = tenond.Agent('[policy]\npreset=locked\nblock=guest-get-users\n')
    code, stdout, _ = locked.ctl('policy')
    equal(code, 0, 'exit status')
    check(stdout.startswith('Preset locked (/'), stdout)
    rows = {row['name']: row for row in json.loads(locked.ctl('policy', '--json')[1])['commands']}
    equal((rows['guest-ping']['allowed'], rows['guest-set-time']['allowed']), (True, False), 'verdicts')
    check('preset=standard' in rows['guest-set-time']['remedy'], rows['guest-set-time'])
    check('block=' in rows['guest-get-users']['remedy'], rows['guest-get-users'])
    locked.close()


@test
def config():
    code, stdout, stderr = agent().ctl('config', '--file', agent().conf)
    equal((code, stderr), (0, ''), 'exit status and stderr')
    check(agent().socket in stdout and 'default' in stdout, stdout)
    value = json.loads(agent().ctl('config', '--json', '--file', agent().conf)[1])
    settings = {(row['group'], row['key']): row for row in value['settings']}
    equal(settings['channel', 'path']['value'], agent().socket, 'path')
    equal(settings['channel', 'path']['origin'], agent().conf, 'origin of path')
    equal(settings['limits', 'clients']['origin'], None, 'origin of a default')
    equal(value['mistakes'], [], 'mistakes')


@test
def config_with_mistakes():
    folder = procs.temp_dir()
    path = os.path.join(folder, 'x.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('[log]\nlevel=loud\n')
    code, _, stderr = tenond.run(CTL, 'config', '--file', path)
    equal(code, 1, 'exit status')
    check(f"tenonctl: configuration: {path}: group [log], key 'level': 'loud' is not one of" in stderr, stderr)
    check('loud' in json.loads(tenond.run(CTL, 'config', '--json', '--file', path)[1])['mistakes'][0], 'in JSON')
    code, _, stderr = tenond.run(CTL, 'config', '--file', path + '.none')
    equal(code, 2, 'exit status without the file')
    check('No such file or directory' in stderr, stderr)
    procs.remove_dir(folder)


@test
def detect():
    code, stdout, _ = tenond.run(CTL, 'detect', '--json')
    value = json.loads(stdout)
    equal(code, 0 if value['virtual'] else 1, 'exit status')
    equal(agent().ask('tenon-get-status')['hypervisor']['primary'], value['primary'], 'what the agent says')
    check(tenond.run(CTL, 'detect')[1], 'no output for people')


@test
def detect_a_recording():
    folder = procs.temp_dir()
    record = os.path.join(folder, 'machine')
    code, _, stderr = tenond.run(CTL, 'detect', '--record', record)
    equal((code, stderr), (0, ''), 'exit status and stderr of --record')
    here, there = tenond.run(CTL, 'detect', '--json'), tenond.run(CTL, 'detect', '--json', '--machine', record)
    equal(json.loads(there[1])['primary'], json.loads(here[1])['primary'], 'primary of the recording')
    equal(there[0], here[0], 'exit status of the recording')
    code, _, stderr = tenond.run(CTL, 'detect', '--machine', folder + '/none')
    equal(code, 2, 'exit status without a recording')
    check('make one with `tenonctl detect --record DIR`' in stderr, stderr)
    procs.remove_dir(folder)


@test
def wrong_usage():
    rows = {(): 'Usage: tenonctl', ('bogus',): "unknown verb 'bogus'; known: status", ('--bogus',): 'unknown option',
            ('status', '--bogus'): 'try tenonctl status --help', ('status', 'x'): "unexpected argument 'x'",
            ('config', '--file'): 'try tenonctl config --help', ('plugins', 'x'): "unexpected argument 'x'",
            ('detect', '--bogus'): 'tenonctl detect: ', ('detect', '--record', '/nonexistent/x'): 'No such file or directory'}
    for words, wanted in rows.items():
        code, stdout, stderr = tenond.run(CTL, *words)
        equal((code, stdout), (2, ''), f'exit status and stdout of {words}')
        check(wanted in stderr, f'{stderr!r} lacks {wanted!r}')


@test
def help_and_version():
    for words in (('--help',), ('-h',), ('status', '--help'), ('detect', '--help'), ('--version',), ('-V',)):
        code, stdout, stderr = tenond.run(CTL, *words)
        equal((code, stderr), (0, ''), f'exit status and stderr of {words}')
        check(stdout, f'{words} prints nothing')


@test
def no_agent():
    for verb in ('status', 'plugins'):
        code, stdout, stderr = tenond.run(CTL, '--socket', '/nonexistent/control.sock', verb)
        equal(code, 3, f'exit status of {verb}')
        check('the agent is not running (nobody listens on /nonexistent/control.sock)' in stderr, stderr)
    check('Hypervisor' in tenond.run(CTL, '--socket=/nonexistent/control.sock', 'status')[1], 'what can be said anyway')
    told = json.loads(tenond.run(CTL, '--socket=/nonexistent/x', 'status', '--json')[1])
    equal((told['health']['state'], told['health']['remedies']), ('not-running', ['systemctl start tenond']), 'health')
    check('primary' in told['hypervisor'] and 'realtime' in told['time'], f'{told}')


@test
def other_verbs_without_an_agent():
    rows = {('plugins',): 'Plugins ', ('policy',): 'Preset ', ('health',): 'Checks ', ('time',): 'Time ',
            ('watchdog',): 'Mode ', ('freeze', '--check'): '', ('heartbeat', 'list'): ''}
    for words, wanted in rows.items():
        code, stdout, stderr = tenond.run(CTL, '--socket', '/nonexistent/x', *words)
        equal(code, 3, f'exit status of {words}')
        check(stderr.startswith('tenonctl: the agent is not running'), stderr)
        check(stdout.startswith(wanted), f'{words}: {stdout}')
        code, stdout, _ = tenond.run(CTL, '--socket', '/nonexistent/x', *words, '--json')
        told = json.loads(stdout)
        equal((code, list(told), told['error']['code'], told['error']['exit-status']), (3, ['error'], 'not-found', 3),
              f'{words} with --json')


@test
def false_agents():
    rows = {None: 'closed the connection without an answer', b'hello\n': "the agent's answer is not understood",
            b'{"error": {"class": "X", "desc": "go away"}}\n': 'go away', b'{"return"': 'closed the connection'}
    for answer, wanted in rows.items():
        with FalseAgent(answer) as false:
            code, stdout, stderr = tenond.run(CTL, '--socket', false.path, 'status')
        equal((code, stdout), (2, ''), f'exit status and stdout with {answer}')
        check(wanted in stderr, f'{stderr!r} lacks {wanted!r}')


@test
def watchdog_that_is_off():
    """Nothing of this machine is armed, whatever it has: the mode is off."""
    other = tenond.Agent('[watchdog]\nmode=off\n', options=tenond.plugin_options(('watchdog',)))
    status, out, _ = other.ctl('watchdog', '--json')
    told = json.loads(out)
    equal((status, told['state'], told['reason']), (0, 'off', 'mode=off in [watchdog]'), 'tenonctl watchdog --json')
    equal(other.ask('tenon-get-status')['watchdog']['state'], 'off', 'watchdog of tenon-get-status')
    check(out_of(other, 'watchdog', 'status').startswith('Watchdog     off (mode off)\n'), 'the first line')
    for words, status, wanted in (
            (('arm',), 2, 'not armed: mode=off in [watchdog]'),
            (('disarm',), 2, 'the watchdog is not armed: mode=off in [watchdog]'),
            (('test', '--yes'), 2, 'there is nothing to test, the watchdog is not armed: mode=off in [watchdog]'),
            (('starve',), 2, "unknown action 'starve'; known: status, arm, disarm, test"),
            (('arm', 'now'), 2, "unexpected argument 'now'")):
        got, _, err = other.ctl('watchdog', *words)
        equal(got, status, f'exit status of {words}')
        check(wanted in err, f'{words}: {err}')
    other.close()


def out_of(agent, *words):
    """What tenonctl prints when all is well."""
    status, out, err = agent.ctl(*words)
    equal((status, err), (0, ''), f'exit status and errors of {words}')
    return out
