# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""SELinux's policy module is understood by Debian's reference policy."""

import os
import shutil
import subprocess

from cases import check, equal, test
import procs

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
MAKEFILE = '/usr/share/selinux/devel/Makefile'


def read(path):
    """A file's text."""
    with open(path, encoding='utf-8') as file:
        return file.read()


def compile_module(change=lambda text: text):
    """Build the policy module in a folder of its own, as `make -f /usr/share/selinux/devel/Makefile` does."""
    folder = os.path.join(procs.temp_dir(), 'selinux')
    shutil.copytree(os.path.join(TOP, 'data', 'selinux'), folder)
    path = os.path.join(folder, 'tenon.te')
    text = change(read(path))
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    done = subprocess.run(['make', '-C', folder, '-f', MAKEFILE, 'tenon.pp'], capture_output=True, text=True, timeout=300,
                          check=False)
    return done, os.path.join(folder, 'tenon.pp')


@test(timeout=400)
def policy_module_compiles():
    done, package = compile_module()
    equal(done.returncode, 0, f'exit status of make; {done.stdout[-500:]}{done.stderr[-1000:]}')
    check(os.path.getsize(package) > 1000, 'there is no module')


@test(timeout=400)
def mistake_in_the_policy_module_is_noticed():
    done, _ = compile_module(lambda text: text + '\nallow tenond_t no_such_type_t:file read;\n')
    check(done.returncode != 0, 'a rule with an unknown type is taken')
