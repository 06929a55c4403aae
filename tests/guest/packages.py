# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Debian packages for the full guest that its image does not have, fetched by this machine's apt."""

import glob
import os

import image
import procs


def fetch(*names):
    """The files of these packages and of all that they depend on and the guest lacks."""
    folder = procs.temp_dir()
    image.get().dump(['/var/lib/dpkg/status'], folder)
    os.makedirs(os.path.join(folder, 'partial'))
    procs.run(['apt-get', '-q', '-y', '--no-install-recommends', '--download-only', '-o', 'APT::Sandbox::User=root',
               '-o', 'Debug::NoLocking=1', '-o', f'Dir::State::status={folder}/status',
               '-o', f'Dir::Cache::archives={folder}', 'install', *names], timeout=600)
    return glob.glob(os.path.join(folder, '*.deb'))
