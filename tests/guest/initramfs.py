# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Makes the micro guest's initramfs: busybox, the harness's shell, chosen programs and kernel modules.

A program of this machine comes with the shared libraries that ldd names, so what runs in the micro guest
is what was built here.
"""

import os
import re
import shutil
import subprocess

import procs
import recipe


def libraries(path):
    """The shared libraries of an ELF file, as pairs of guest path and host path; none for anything else."""
    told = subprocess.run(['ldd', path], capture_output=True, text=True, check=False)
    return [(found, found) for found in re.findall(r'(?:=> )?(/\S+) \(0x', told.stdout)]


def put(tree, guest_path, source, find=libraries):
    """Put one file (a host path, or its content as bytes) into the tree, with its libraries."""
    target = os.path.join(tree, guest_path.lstrip('/'))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if isinstance(source, bytes):
        with open(target, 'wb') as file:
            file.write(source)
        os.chmod(target, 0o755)
        return
    shutil.copy(source, target)
    for place, library in find(source):
        copy = os.path.join(tree, place.lstrip('/'))
        if not os.path.exists(copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(library, copy)


def read_dependencies(path):
    """modules.dep as {name with '_': (file, [files it needs, the innermost last])}."""
    table = {}
    with open(path, encoding='utf-8') as file:
        for line in file:
            own, needs = line.split(':', 1)
            name = os.path.basename(own).split('.')[0].replace('-', '_')
            table[name] = (own, needs.split())
    return table


def load_order(table, modules):
    """The module files in the order of insmod; ValueError for a module that the table lacks."""
    order = []
    for module in modules:
        if module.replace('-', '_') not in table:
            raise ValueError(f'no kernel module {module}')
        own, needs = table[module.replace('-', '_')]
        order += [path for path in [*reversed(needs), own] if path not in order]
    return order


def add_modules(tree, image, modules):
    """Copy modules out of the image and write down their order."""
    order = load_order(read_dependencies(image.modules_dep), modules)
    folder = os.path.join(tree, 'harness')
    image.dump(order, folder)
    with open(os.path.join(folder, 'modules'), 'w', encoding='utf-8') as file:
        file.writelines(f'/harness/{os.path.basename(path)}\n' for path in order)


def own_busybox():
    """This machine's busybox-static."""
    return '/usr/bin/busybox' if os.path.exists('/usr/bin/busybox') else '/bin/busybox'


def make(path, image, files, modules, busybox=None, find=libraries):
    """Write an initramfs with these files (guest path -> host path or bytes) and modules."""
    tree = path + '.d'
    os.makedirs(tree)
    put(tree, '/init', recipe.MICRO_INIT.encode())
    put(tree, '/harness/shell', recipe.SHELL.encode())
    put(tree, '/bin/busybox', busybox or own_busybox(), find)
    for guest_path, source in files.items():
        put(tree, guest_path, source, find)
    add_modules(tree, image, modules)
    with open(path, 'wb') as file:
        names = procs.run(['find', '.', '-mindepth', '1'], cwd=tree)
        subprocess.run(['cpio', '--quiet', '-o', '-H', 'newc', '-R', '0:0'], input=names.encode(),
                       stdout=file, cwd=tree, check=True, timeout=60)
    shutil.rmtree(tree)
