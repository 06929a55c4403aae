# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Debian packages for the guests that their images do not have, fetched by this machine's apt from its own sources."""

import glob
import os

import image
import procs


def download(*names, folder=None):
    """The files of these packages alone, in a folder of their own or in this one."""
    folder = folder or procs.temp_dir()
    before = set(os.listdir(folder))
    procs.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', *names], cwd=folder, timeout=300)
    return [os.path.join(folder, name) for name in sorted(set(os.listdir(folder)) - before)]


def fetch(*names):
    """The files of these packages and of all that they depend on and the guest lacks."""
    folder = procs.temp_dir()
    image.get().dump(['/var/lib/dpkg/status'], folder)
    os.makedirs(os.path.join(folder, 'partial'))
    procs.run(['apt-get', '-q', '-y', '--no-install-recommends', '--download-only', '-o', 'APT::Sandbox::User=root',
               '-o', 'Debug::NoLocking=1', '-o', f'Dir::State::status={folder}/status',
               '-o', f'Dir::Cache::archives={folder}', 'install', *names], timeout=600)
    return glob.glob(os.path.join(folder, '*.deb'))
