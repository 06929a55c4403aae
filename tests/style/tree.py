# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A tree of files as the rules see it: path → text. This repository, or a few lines made up for a test."""

import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = re.compile(r'^tests/machines/|/fixtures/|^COPYING$|\.png$')


class Tree:
    """Files that are tracked or about to be (of data only the names), and the manual's pages as built."""

    def __init__(self, files, pages):
        self.files = files
        self.pages = pages

    @classmethod
    def of(cls, texts):
        """A made-up tree; names that begin with 'built:' are built pages."""
        return cls({name: text for name, text in texts.items() if not name.startswith('built:')},
                   {name[6:]: text for name, text in texts.items() if name.startswith('built:')})

    @classmethod
    def here(cls):
        """This repository."""
        command = ['git', '-c', f'safe.directory={TOP}', '-C', TOP,
                   'ls-files', '-z', '-co', '--exclude-standard']
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split('\0')
        files = {}
        for name in sorted(set(names)):
            path = os.path.join(TOP, name)
            if name and os.path.isfile(path):
                with open(path, encoding='utf-8', errors='replace') as file:
                    files[name] = '' if DATA.search(name) else file.read()
        return cls(files, cls.built_pages())

    @staticmethod
    def built_pages():
        """{page: text} of the pages in the build directory, without roff's escapes and font changes."""
        folder = os.path.join(TOP, os.environ.get('TENON_BUILD', 'build'), 'man')
        pages = {}
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if re.search(r'\.[1-8]$', name):
                with open(os.path.join(folder, name), encoding='utf-8') as file:
                    pages[name] = file.read()
        return pages

    def match(self, pattern):
        """(path, text) of the files whose path matches, in order."""
        return [(path, text) for path, text in self.files.items() if re.search(pattern, path)]

    def page(self, name):
        """Words of a built page, roff markup taken away; '' when it was not built."""
        text = re.sub(r'\\f[BIRP]|\\&', '', self.pages.get(name, ''))
        return text.replace('\\-', '-').replace('\\(ha', '^')
