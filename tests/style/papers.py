# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""License lines, unfinished marks, links between documents, the list of dependencies, one version."""

import os
import re

SPDX = 'SPDX-License-Identifier: LGPL-2.1-or-later'
SOURCES = re.compile(r'\.([ch]|py|sh|scd|rules|service|socket|target|conf|in|build|spec|macros|xml|policy)$'
                     r'|(^|/)meson(\.build|_options\.txt)$|^packaging/dependencies\.txt$')
HEAD_LINES = 5
MARKS = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X)\b|^\s*#\s*if 0\b', re.MULTILINE)


def spdx(tree):
    """Every source, script, man page, unit and build file has the license line at its head."""
    for path, text in tree.files.items():
        if not text or not (SOURCES.search(path) or text.startswith('#!')):
            continue
        if SPDX not in '\n'.join(text.splitlines()[:HEAD_LINES]):
            yield f'{path} lacks "{SPDX}" in its first {HEAD_LINES} lines'


def unfinished(tree):
    """What is not done is not in the tree; plans are in issues."""
    for path, text in tree.files.items():
        match = MARKS.search(text)
        if match:
            yield f'{path}:{text.count(chr(10), 0, match.start()) + 1} has the mark {match.group().strip()}'


def links(tree):
    """A relative link leads to something."""
    folders = {os.path.dirname(path) for path in tree.files}
    folders |= {parent for folder in folders for parent in
                ('/'.join(folder.split('/')[:n]) for n in range(1, folder.count('/') + 1))}
    for path, text in tree.match(r'\.md$'):
        for target in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', text):
            if re.match(r'[a-z]+:', target):
                continue
            place = os.path.normpath(os.path.join(os.path.dirname(path), target))
            if place not in tree.files and place not in folders:
                yield f'{path} links to {target}, which does not exist'


def slug(heading):
    """The name by which a heading is linked to: as the forges make it."""
    words = re.sub(r'[`*]|\]\([^)]*\)|\[', '', heading).strip().lower()
    return re.sub(r'[^\w\- ]', '', words).replace(' ', '-')


def anchors(tree):
    """A link to a part of a page leads to one of its headings."""
    pages = dict(tree.match(r'\.md$'))
    for path, text in pages.items():
        for target, part in re.findall(r'\]\(([^)#\s]*)#([^)\s]+)\)', text):
            if re.match(r'[a-z]+:', target):
                continue
            place = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
            headings = re.findall(r'^#+ (.*)$', pages.get(place, ''), re.MULTILINE)
            if part not in map(slug, headings):
                yield f'{path} links to {target}#{part}, and there is no such heading'


def dependencies(tree):
    """Each package that is installed has its reason in docs/dependencies.md."""
    text = tree.files.get('docs/dependencies.md', '')
    for line in tree.files.get('packaging/dependencies.txt', '').splitlines():
        name = line.split(maxsplit=1)[0] if line.strip() else '#'
        if not name.startswith(('#', '[')) and f'`{name}`' not in text:
            yield f'docs/dependencies.md says nothing of `{name}`'


def version(tree):
    """meson.build, the changelogs and the spec agree."""
    match = re.search(r"^\s*version: '([^']+)'", tree.files.get('meson.build', ''), re.MULTILINE)
    number = match.group(1) if match else '?'
    places = {'CHANGELOG.md': rf'^## {re.escape(number)}\b',
              'packaging/deb/changelog': rf'^tenon \({re.escape(number)}\)',
              'packaging/rpm/tenon.spec': rf'^Version:\s*{re.escape(number)}$'}
    for path, pattern in places.items():
        if path in tree.files and not re.search(pattern, tree.files[path], re.MULTILINE):
            yield f'{path} does not have the version {number} of meson.build'


def peer(tree):
    """Each test that docs/qemu-ga.md names is there."""
    page = tree.files.get('docs/qemu-ga.md', '')
    functions = {}
    for path, text in tree.match(r'(^|/)test[-_][^/]*\.(py|c)$'):
        found = re.findall(r'^(?:def|static void) (\w+)\(', text, re.MULTILINE)
        functions.setdefault(os.path.basename(path).split('.')[0], set()).update(found)
    in_c = {name for file, names in functions.items() if file.startswith('test-') for name in names}
    for file, name in re.findall(r'`(test_\w+)\.(\w+)`', page):
        if name not in functions.get(file, ()):
            yield f'docs/qemu-ga.md names {file}.{name}, which is not there'
    for name in re.findall(r'unit [\w-]+: `(\w+)`', page):
        if name not in in_c:
            yield f'docs/qemu-ga.md names the unit test {name}, which is not there'


RULES = [
    (spdx, {'lib/a.c': 'int a;\n'}),
    (unfinished, {'lib/a.c': '/* TO' 'DO */\n'}),
    (links, {'README.md': '[a](docs/a.md)\n'}),
    (anchors, {'README.md': '[a](docs/a.md#what-is-it)\n', 'docs/a.md': '# What it is\n'}),
    (dependencies, {'packaging/dependencies.txt': '[build]\nmake  builds\n'}),
    (peer, {'docs/qemu-ga.md': '| a | `test_life.nothing` |\n'}),
    (version, {'meson.build': "  version: '2',\n", 'CHANGELOG.md': '## 1\n'}),
]
