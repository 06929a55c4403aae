# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What --json prints has the members that the table of verbs and the man page say, and the exit statuses are theirs."""

import functools
import json
import os
import re

from cases import check, equal, shared, test
import tenond

CTL = tenond.built('cli/tenonctl')
ASKED = (('status',), ('detect',), ('config',), ('drivers',), ('drivers', 'plan', '--target', 'kvm'), ('freeze', '--check'),
         ('health',), ('heartbeat', 'list'), ('plugins',), ('policy',), ('time',), ('watchdog',), ('watchdog', 'status'))
MAY_LACK = {'reason', 'summary', 'commands', 'last-jump', 'synchronized', 'frequency-ppb', 'leap', 'tai-offset', 'without-device',
            'absent', 'dropped', 'pid'}  # members that depend on the machine or on the row


@shared
def agent():
    """An agent with what the verbs ask for."""
    return tenond.Agent('[watchdog]\nmode=off\n', options=tenond.plugin_options(
        ('guestinfo', 'power', 'timesync', 'health', 'watchdog', 'freeze')))


@functools.cache
def rows():
    """The table, by verb."""
    with open(tenond.built('cli/completion/verbs.json'), encoding='utf-8') as file:
        return {row['verb']: row for row in json.load(file)}


def verb_of(words):
    """"drivers plan" of ('drivers', 'plan', '--target', 'kvm')."""
    return ' '.join(word for word in words[:2] if word.isalpha())


@functools.cache
def sections():
    """The man page's paragraph of each verb: a bold line that is not indented, and what is indented below it."""
    with open(tenond.built('man/tenonctl.1'), encoding='utf-8') as file:
        text = file.read().split('.SH VERBS', 1)[1].split('.SH KINDS', 1)[0]
    found, verb, depth = {}, '', 0
    for line in text.splitlines():
        plain = re.sub(r'\\f[BIRP]|\\&', '', line).replace('\\-', '-')
        depth += {'.RS': 1, '.RE': -1}.get(line[:3], 0)
        if depth == 0 and line.startswith('\\fB'):
            verb = max((name for name in rows() if re.match(rf'{name}(?![\w-])', plain)), key=len)
        found[verb] = found.get(verb, '') + plain + '\n'
    return found


@test
def members():
    for words in ASKED:
        documented = rows()[verb_of(words)]['json']
        code, out, err = agent().ctl(*words, '--json')
        check(code in (0, 1, 2, 4), f'{words}: {code}, {err}')
        value = json.loads(out)
        if documented[0] == '[]':
            check(isinstance(value, list), f'{words} is no array')
            value = {key: None for row in value for key in row}
            check(set(value) <= set(documented), f'{words} has {set(value) - set(documented)}, which is not documented')
            continue
        equal(set(value) - set(documented), set(), f'more than is documented in {words}')
        equal(set(documented) - set(value) - MAY_LACK, set(), f'missing in {words}')


@test
def members_are_in_the_man_page():
    for verb, row in rows().items():
        section = sections().get('watchdog status' if verb.startswith('watchdog') else verb, '')
        for member in row['json'] or ():
            check(member == '[]' or re.search(rf'(?<![\w-]){member}(?![\w-])', section),
                  f'{member} of {verb} is not in its section')


@test
def synopsis_is_whole():
    """Each verb has a line at the top of the man page, with each of its options."""
    with open(tenond.built('man/tenonctl.1'), encoding='utf-8') as file:
        text = re.sub(r'\\f[BIRP]|\\&', '', file.read()).replace('\\-', '-')
    lines = text.split('.SH SYNOPSIS', 1)[1].split('.SH DESCRIPTION', 1)[0].splitlines()
    for verb, row in rows().items():
        words = verb.split()
        fit = [line for line in lines if re.search(rf'(^|\] | ){words[0]}(?![\w-])', line.replace('tenonctl ', '', 1)) and
               re.search(rf'(?<![\w-]){words[-1]}(?![\w-])', line)]
        if row['alone']:
            check(fit, f'{verb} is not in the synopsis')
        for option in row['options']:
            known = any(f'--{option["name"]}' in line for line in fit) or option['name'] == 'heartbeat-socket'
            check(known, f'--{option["name"]} of {verb} is not in {fit}')


@test
def failures_are_json_too():
    """Any verb that fails says so as an object, whose members are in the table and in the man page."""
    with open(tenond.built('man/tenonctl.1'), encoding='utf-8') as file:
        section = re.sub(r'\\f[BIRP]|\\&', '', file.read()).replace('\\-', '-').split('.SH EXIT STATUS', 1)[1]
    for words, wanted, status in (
            (('health',), 'not-found', 3), (('events',), 'not-found', 3), (('watchdog', 'arm'), 'not-found', 3),
            (('status',), 'not-found', 3), (('watchdog', 'test', '--yes'), 'not-found', 3),
            (('config', '--file', '/nonexistent'), 'not-found', 2), (('update', '--file', '/nonexistent'), 'not-found', 2),
            (('detect', '--machine', '/nonexistent'), 'not-found', 2), (('drivers', '--machine', '/nonexistent'), 'not-found', 2),
            (('drivers', 'plan', '--target', 'moon'), 'invalid', 4), (('drivers', 'prepare', '--target', 'moon'), 'invalid', 4),
            (('drivers', 'install', 'moon'), 'invalid', 2), (('support', '--output', '/nonexistent/x'), 'not-found', 2)):
        code, stdout, stderr = tenond.run(CTL, '--socket', '/nonexistent/x', *words, '--json')
        told = json.loads(stdout)['error']
        equal((code, told['exit-status'], told['code']), (status, status, wanted), f'{words}: {stderr}')
        check(told['message'] in stderr, f'{words}: {told} and {stderr}')
        equal(list(told), rows()[verb_of(words)]['error'], f'members of error of {words}')
        check(all(f'{member}' in section for member in told), 'the man page does not have them')


@test
def every_verb_that_tells_something_has_json():
    for verb, row in rows().items():
        has = any(option['name'] == 'json' for option in row['options'])
        equal(row['json'] is not None, has, f'members and --json of {verb}')
        check(has or verb in ('heartbeat', 'heartbeat run'), f'{verb} has no --json')


@test
def exit_statuses():
    machine = os.path.join(tenond.TOP, 'tests', 'machines')
    for words, wanted in (
            (('status',), 0), (('config', '--file', agent().conf), 0), (('plugins',), 0), (('policy',), 0), (('health',), 0),
            (('heartbeat', 'list'), 0), (('freeze', '--check'), 0), (('watchdog',), 0), (('events', '--since', '1d', '--count', '1'), 0),
            (('detect', '--machine', f'{machine}/kvm-q35-seabios'), 0), (('detect', '--machine', f'{machine}/thinkpad'), 1),
            (('drivers', '--machine', f'{machine}/drivers-kvm-q35'), 0),
            (('drivers', '--machine', f'{machine}/drivers-blacklisted'), 1),
            (('drivers', 'plan'), 4), (('drivers', 'prepare'), 4), (('drivers', 'install', '--target', 'x'), 2),
            (('heartbeat', 'remove'), 2), (('freeze',), 2), (('time', 'setup', 'x'), 2), (('watchdog', 'test', '--yes'), 2)):
        code, _, err = agent().ctl(*words)
        equal(code, wanted, f'exit status of {words} ({err})')
        if wanted != 2:
            check(re.search(rf'(?<!\d){wanted} ', rows()[verb_of(words)]['exits']), f'{wanted} of {words} is not documented')
