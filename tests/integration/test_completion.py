# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The table of verbs (cli/verbs.c), tenonctl --help, the man page, and the completion of three shells: all say the same."""

import functools
import json
import os
import pty
import re
import select
import subprocess
import time

from cases import check, equal, test
import procs
import tenond

CTL = tenond.built('cli/tenonctl')
COMMON = ['--socket', '--color']


@functools.cache
def table():
    """The rows of the table."""
    with open(tenond.built('cli/completion/verbs.json'), encoding='utf-8') as file:
        return json.load(file)


@functools.cache
def man():
    """tenonctl(1) as plain words."""
    with open(tenond.built('man/tenonctl.1'), encoding='utf-8') as file:
        text = re.sub(r'\\f[BIRP]|\\&', '', file.read())
    return re.sub(r'\s+', ' ', text.replace('\\-', '-'))


def options_of(row):
    """--long of a row's options, the common ones and --help."""
    return sorted([f'--{option["name"]}' for option in row['options']] + COMMON + ['--help'])


@test
def help_names_what_the_table_has():
    code, stdout, _ = tenond.run(CTL, '--help')
    equal(code, 0, 'exit status')
    for row in table():
        check(re.search(rf'^  {row["verb"]} +{re.escape(row["summary"])}$', stdout, re.M), f'{row["verb"]} in {stdout}')


@test
def help_of_each_verb():
    for row in table():
        code, stdout, stderr = tenond.run(CTL, *row['verb'].split(), '--help')
        equal((code, stderr), (0, ''), f'exit status and stderr of {row["verb"]} --help')
        equal(sorted(re.findall(r'^ +(?:-\w, )?(--[a-z-]+)', stdout, re.M)), options_of(row), f'options of {row["verb"]}')
        if row['exits']:
            check(f'Exit status: {row["exits"]}.' in stdout, stdout)


@test
def man_page_has_each_verb():
    for row in table():
        check(f' {row["verb"]} ' in man(), f'{row["verb"]} is not in the man page')
        for option in row['options']:
            check(f'--{option["name"]}' in man(), f'--{option["name"]} of {row["verb"]} is not in the man page')
        if row['exits']:
            check(f'Exit status: {row["exits"]}.' in man(), f'"{row["exits"]}" of {row["verb"]} is not in the man page')


def bash(*words):
    """What bash would offer for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tenonctl; '
              '[[ ${#COMPREPLY[@]} = 0 ]] || printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(['bash', '--norc', '-c', script, 'bash', tenond.built('cli/completion/tenonctl'), 'tenonctl',
                           *words], capture_output=True, text=True, timeout=20, check=False)
    equal(done.stderr, '', 'what bash complains about')
    return done.stdout.split()


@test
def bash_offers_what_the_table_has():
    verbs = [row['verb'] for row in table()]
    equal(sorted(bash('')), sorted([verb for verb in verbs if ' ' not in verb] + COMMON + ['--help', '--version']),
          'at the start')
    for row in table():
        equal(sorted(bash(*row['verb'].split(), '--')), options_of(row), f'options of {row["verb"]}')
        if row['group']:
            below = [verb.split()[1] for verb in verbs if verb.startswith(row['verb'] + ' ')]
            equal(bash(row['verb'], '')[:len(below)], below, f'below {row["verb"]}')


@test
def bash_completes_values():
    equal(bash('drivers', 'plan', '--target', 'v'), ['vmware', 'virtualbox'], 'of --target')
    equal(bash('--color', '=', 'al'), ['always'], 'of --color=')
    equal(bash('--color', '='), ['auto', 'always', 'never'], 'of --color= without a letter')
    equal(bash('--color', 'never', 'watchdog', 'di'), ['disarm'], 'behind an option with a value')
    equal(bash('--socket', '=', '/x', 'watchdog', 'di'), ['disarm'], 'behind --socket=/x')
    equal(bash('drivers', 'install', 'net'), ['network'], 'an operand')
    equal(bash('drivers', 'plan', '--devices', ''), [], 'a value that nobody knows')
    check('bash' in bash('heartbeat', 'run', '--', 'bas'), 'commands behind --')
    folder = procs.temp_dir()
    os.mkdir(os.path.join(folder, 'machine'))
    with open(os.path.join(folder, 'mach'), 'w', encoding='utf-8'):
        pass
    equal(bash('detect', '--machine', folder + '/m'), [folder + '/machine'], 'folders only')
    equal(len(bash('config', '--file', folder + '/m')), 2, 'files')
    procs.remove_dir(folder)


@test
def fish_offers_what_the_table_has():
    lines = ['source $argv[1]']
    asked = ['', *(row['verb'] for row in table())]
    for verb in asked:
        lines += [f'echo "= {verb}"', f'complete -C "tenonctl {verb}{" " if verb else ""}"',
                  f'complete -C "tenonctl {verb}{" " if verb else ""}--"']
    folder = procs.temp_dir()
    done = subprocess.run(['fish', '--no-config', '-c', '\n'.join(lines), tenond.built('cli/completion/tenonctl.fish')],
                          capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, 'HOME': folder, 'LC_ALL': 'C.UTF-8'})
    procs.remove_dir(folder)
    equal(done.stderr, '', 'what fish complains about')
    offered, verb = {}, None
    for line in done.stdout.splitlines():
        word = line.split('\t')[0]
        if word.startswith('='):
            verb = word[2:]
        else:
            offered.setdefault(verb, set()).add(word)
    for row in table():
        options = {f'--{option["name"]}' for option in row['options']} | set(COMMON)
        below = {other['verb'].split()[1] for other in table() if other['verb'].startswith(row['verb'] + ' ')}
        check(options | below <= offered[row['verb']], f'{row["verb"]}: {offered[row["verb"]]}')
    check({row['verb'] for row in table() if ' ' not in row['verb']} <= offered[''], f'{offered[""]}')
    check('plan' not in offered[''], 'plan stands below drivers only')


class Zsh:
    """zsh in a pseudo-terminal, with our completion."""

    def __init__(self):
        self.folder = procs.temp_dir()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=self.folder, ZDOTDIR=self.folder, TERM='dumb', PS1='READY ')
            os.execvp('zsh', ['zsh', '-f', '-i'])
        self.text = ''
        folder = os.path.dirname(tenond.built('cli/completion/_tenonctl'))
        self.send(f'fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; zstyle ":completion:*" menu no; '
                  'print DO""NE\n')
        self.expect('DONE')

    def send(self, text):
        """Type."""
        os.write(self.fd, text.encode())

    def expect(self, text, seconds=30):
        """Read until it was printed."""
        end = time.monotonic() + seconds
        while text not in self.text:
            check(time.monotonic() < end, f'zsh did not print {text!r}, but {self.text!r}')
            if select.select([self.fd], [], [], 1)[0]:
                self.text += os.read(self.fd, 65536).decode(errors='replace')
        self.text = ''

    def close(self):
        """End it."""
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        procs.remove_dir(self.folder)


@test
def zsh_completes():
    zsh = Zsh()
    try:
        for typed, wanted in (('tenonctl wat\t', 'tenonctl watchdog'), ('tenonctl watchdog dis\t', 'watchdog disarm'),
                              ('tenonctl drivers plan --tar\tvmw\t', '=vmware '),
                              ('tenonctl --color=nev\t he\t', '=never ')):
            zsh.send(typed)
            zsh.expect(wanted)
            zsh.send('\x15')
    finally:
        zsh.close()
