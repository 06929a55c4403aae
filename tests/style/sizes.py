# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Sizes of files and functions.

A function that is long for a reason says so in the comment directly above it, with the words "Long on
purpose:" and the reason.
"""

import ast
import re

FILE_LINES = 800
FUNCTION_LINES = 60
MARKER = 'Long on purpose:'
README_LINES = 200
FOLDER_README_LINES = 40


def file_size(tree):
    """A file of more than 800 lines is two files."""
    for path, text in tree.match(r'\.([ch]|py|sh|build|scd)$|^scripts/|/(check|run)$'):
        count = text.count('\n')
        if count > FILE_LINES:
            yield f'{path} has {count} lines, the limit is {FILE_LINES}'


def c_functions(text):
    """(first line, number of lines, name, has the marker) of each function of a C file."""
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines):
        if line.startswith('{'):
            start = number
        elif line.startswith('}') and start is not None:
            head = start
            while head > 0 and lines[head - 1].strip() and not lines[head - 1].startswith(('}', '#')):
                head -= 1
            above = '\n'.join(lines[head:start])
            names = re.findall(r'(\w+)\(', re.sub(r'/\*.*?\*/', '', above, flags=re.DOTALL))
            yield start + 1, number - start + 1, names[0] if names else '?', MARKER in above
            start = None


def python_functions(text):
    """The same of a Python file."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            above = lines[node.lineno - 2] if node.lineno > 1 else ''
            yield node.lineno, node.end_lineno - node.lineno + 1, node.name, MARKER in above


def function_size(tree):
    """A function of more than 60 lines says why."""
    for path, text in tree.match(r'\.(c|py)$'):
        for line, count, name, marked in (c_functions if path.endswith('.c') else python_functions)(text):
            if count > FUNCTION_LINES and not marked:
                yield (f'{path}:{line} {name} has {count} lines, the limit is {FUNCTION_LINES} '
                       f'(or a comment "{MARKER} …" above it)')


def readme_size(tree):
    """A README is for the first five minutes."""
    for path, text in tree.match(r'(^|/)README\.md$'):
        limit = FOLDER_README_LINES if '/' in path else README_LINES
        if text.count('\n') > limit:
            yield f'{path} has {text.count(chr(10))} lines, the limit is {limit}'


LONG = 'static int f(void)\n{\n' + '        g();\n' * 60 + '}\n'

RULES = [
    (file_size, {'lib/a.c': '\n' * 801}),
    (function_size, {'lib/a.c': LONG}),
    (readme_size, {'lib/README.md': '\n' * 41}),
]
