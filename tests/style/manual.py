# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The manual is complete: every option, verb, setting, journal field and command stands in its page.

Names are read from the tables in the sources; pages are looked at as they were built.
"""

import re

ENTRY = re.compile(r'\{"([a-z][a-z-]*)",\s*(?:\'(.)\'|0),\s*0,\s*G_OPTION_')
OWN_ENTRY = re.compile(r"\{(?:'(.)'|0), \"([a-z][a-z-]*)\", (?:FLAG|TEXT|LIST|MANY|MAYBE|HELP),")
VERB = re.compile(r'^\s*\{"([a-z]+)",\s*"[^"]*",', re.MULTILINE)
VERB_OPTION = re.compile(r'(?:FLAG|LETTER|TEXT|WORDS|NUMBER|FILE_OF|DIR_OF)\("([a-z-]+)"(?:, \'(.)\')?'
                         r'|\{"([a-z-]+)", 0, TN_OPTION_')
VERB_ARRAY = re.compile(r'^(?:static )?const struct tn_verb (?:tn|([a-z]+))_verbs\[\] = \{(.*?)^\};',
                        re.MULTILINE | re.DOTALL)


def missing(tree, page, names, what):
    """Complaints about the names that a page does not have as words of their own."""
    if page not in tree.pages:
        yield f'{page} was not built; run ninja first (or set TENON_BUILD)'
        return
    text = tree.page(page)
    for name in names:
        if not re.search(rf'(?<![\w-]){re.escape(name)}(?![\w-])', text):
            yield f'{page} lacks the {what} {name}'


def option_names(tree, pattern):
    """--long and -s of all tables of options in the files: GOption's, and agent/options.c's own."""
    for path, text in tree.match(pattern):
        for long, short in ENTRY.findall(text):
            yield f'--{long}'
            if short:
                yield f'-{short}'
        for short, long in OWN_ENTRY.findall(text):
            yield f'--{long}'
            if short:
                yield f'-{short}'
        for long, short, other in VERB_OPTION.findall(text) if path == 'cli/verbs.c' else ():
            yield f'--{long or other}'
            if short:
                yield f'-{short}'


def options(tree):
    """Options of the programs."""
    yield from missing(tree, 'tenond.8', option_names(tree, r'^agent/[^/]*\.c$'), 'option')
    yield from missing(tree, 'tenonctl.1', option_names(tree, r'^cli/[^/]*\.c$'), 'option')
    yield from missing(tree, 'tenon-host.1', option_names(tree, r'^host/[^/]*\.c$'), 'option')
    if tree.match(r'^tray/main\.c$'):
        yield from missing(tree, 'tenon-tray.1', option_names(tree, r'^tray/[^/]*\.c$'), 'option')


def verb_names(tree):
    """(page, verb) of tenonctl, where "plan" in the array drivers_verbs is "drivers plan", and of tenon-host."""
    for group, text in VERB_ARRAY.findall(tree.files.get('cli/verbs.c', '')):
        for name in VERB.findall(text):
            yield 'tenonctl.1', f'{group} {name}'.strip()
    for name in VERB.findall(tree.files.get('host/main.c', '')):
        yield 'tenon-host.1', name


def verbs(tree):
    """Verbs of tenonctl and tenon-host: the tables that their --help is printed from."""
    names = list(verb_names(tree))
    for page in ('tenonctl.1', 'tenon-host.1'):
        if page not in (found for found, _ in names):
            yield f'no verbs of {page} were found'
    for page, name in names:
        if not re.search(rf'^{name}(?![\w-])', tree.page(page), re.MULTILINE):
            yield f'{page} has no paragraph of the verb {name}'


def settings(tree):
    """Settings: group and key of each row of the table."""
    table = tree.files.get('agent/config-table.c', '')
    rows = re.findall(r'^\s*\{"([a-z]+(?: NAME)?)", "([a-z-]+)", TN_CONFIG_', table, re.MULTILINE)
    if not rows:
        yield 'no settings were found in agent/config-table.c'
    yield from missing(tree, 'tenond.conf.5', sorted({f'[{group}]' for group, _ in rows}), 'group')
    yield from missing(tree, 'tenond.conf.5', [f'{key}=' for _, key in rows], 'setting')


def journal(tree):
    """Journal fields and message ids."""
    names = re.findall(r'#define TN_(?:F|MSG)_\w+\s+"(\w+)"', tree.files.get('lib/names.h', ''))
    if not names:
        yield 'no fields were found in lib/names.h'
    yield from missing(tree, 'tenond.8', names, 'field or message id')


def commands(tree):
    """Commands, with the names of their arguments."""
    found = {}
    for _, text in tree.match(r'^(agent|plugins)/(?!.*test-)[^.]*\.c$'):
        found.update((name, '') for name in re.findall(r'"((?:guest|tenon)-[a-z][a-z-]*)"', text))
        found.update(re.findall(r'\.name = "([a-z-]+)",\s*\.args = "([^"]*)"', text))
    if not found:
        yield 'no commands were found'
    names = set(found) | {name for args in found.values() for name in re.findall(r'([a-z-]+):', args)}
    yield from missing(tree, 'tenond.8', sorted(names), 'command or argument')


def programs(tree):
    """Programs that are installed have a page."""
    for _, text in tree.match(r'(^|/)meson\.build$'):
        for name, rest in re.findall(r"executable\('([a-z-]+)'([^)]*)\)", text):
            if 'install: true' in rest and not any(re.match(rf'{name}\.[18]$', page) for page in tree.pages):
                yield f'the program {name} has no page'


RULES = [
    (options, {'agent/a.c': '{\'m\', "method", TEXT, AT(method)',
               'built:tenond.8': '', 'built:tenonctl.1': ''}),
    (verbs, {'cli/verbs.c': 'const struct tn_verb tn_verbs[] = {\n        {"status", "", "x", f},\n};\n',
             'host/main.c': '        {"ask", "", "x"},\n', 'built:tenonctl.1': '', 'built:tenon-host.1': 'ask\n'}),
    (settings, {'agent/config-table.c': '        {"log", "level", TN_CONFIG_ENUM',
                'built:tenond.conf.5': '[log]'}),
    (journal, {'lib/names.h': '#define TN_F_A "TENON_A"\n', 'built:tenond.8': 'TENON_AB'}),
    (commands, {'agent/a.c': '"guest-ping"', 'built:tenond.8': 'guest-ping-x'}),
    (programs, {'cli/meson.build': "executable('a', 'a.c', install: true)"}),
]
