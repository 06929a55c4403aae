# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Makes and caches the full guest's disk, kernel and initramfs; lends out the kernel's modules.

The cache is ~/.cache/tenon (TENON_CACHE names another). An image is built in a folder beside its place
and renamed when it is whole, so an interrupted build leaves nothing that looks usable. Nothing is
mounted: mke2fs -d fills the disk, debugfs reads files out of it.
Run as a program it makes the image if it is missing: python3 tests/guest/image.py
"""

import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import procs  # pylint: disable=wrong-import-position
import recipe  # pylint: disable=wrong-import-position
import sources  # pylint: disable=wrong-import-position


def cache_dir():
    """The folder of all images, made when missing."""
    path = os.environ.get('TENON_CACHE') or os.path.expanduser('~/.cache/tenon')
    os.makedirs(path, exist_ok=True)
    return path


class Image:
    """A finished image: the paths of its parts."""

    def __init__(self, folder):
        self.folder = folder
        self.disk = os.path.join(folder, 'disk.img')
        self.kernel = os.path.join(folder, 'vmlinuz')
        self.initrd = os.path.join(folder, 'initrd.img')
        self.modules_dep = os.path.join(folder, 'modules.dep')

    def exists(self):
        """True when the image is in the cache."""
        return os.path.isdir(self.folder)

    def dump(self, paths, folder):
        """Copy files of the guest's root into a folder, flat."""
        requests = os.path.join(folder, '.debugfs')
        with open(requests, 'w', encoding='utf-8') as file:
            for path in paths:
                file.write(f'dump {path} {os.path.join(folder, os.path.basename(path))}\n')
        procs.run(['debugfs', '-f', requests, self.disk])
        os.unlink(requests)


def proxy_options():
    """This machine's apt proxy, where it has one: mmdebstrap's apt reads no configuration of the machine."""
    options = []
    for scheme in ('http', 'https'):
        name = f'Acquire::{scheme}::Proxy'
        told = subprocess.run(['apt-config', 'shell', 'VALUE', name], capture_output=True, text=True,
                              check=False)
        match = re.match(r"VALUE='(.+)'", told.stdout)
        if match:
            options.append(f'--aptopt={name} "{match.group(1)}"')
    return options


def write_files(root, files):
    """Write path -> text below a root folder."""
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text.lstrip('\n'))


def bootstrap(root, early, packages=recipe.PACKAGES):
    """Unpack and configure the packages into a new folder.

    What mmdebstrap mounts there is in a namespace of its own: it ends with it, however it ends, and nobody else is told.
    """
    command = ['unshare', '--mount', 'mmdebstrap', '--variant=minbase', '--format=directory', '--include=' + ','.join(packages)]
    command += [f'--dpkgopt=path-exclude={path}' for path in recipe.WITHOUT]
    command += [f'--essential-hook=cp -a {early}/. "$1"/', *proxy_options(), recipe.SUITE, root]
    lines = sources.find()
    try:
        procs.run(command + lines, timeout=1500)
    except RuntimeError:
        if not lines:
            raise
        print("   this machine's Debian sources did not do; trying mmdebstrap's own", flush=True)
        shutil.rmtree(root, ignore_errors=True)
        procs.run(command, timeout=1500)


def configure(root, files=None):
    """Write the guest's own files (those of the recipe, and `files` over them) and links."""
    write_files(root, {**recipe.FILES, **(files or {})})
    for path, target in recipe.LINKS.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if not os.path.lexists(full):
            os.symlink(target, full)
    procs.run(['chroot', root, 'passwd', '-d', 'root'])


def take_out_boot_files(root, image):
    """Copy the kernel, the initramfs and the list of modules beside the disk."""
    version = os.listdir(os.path.join(root, 'lib/modules'))[0]
    shutil.copy(os.path.join(root, f'boot/vmlinuz-{version}'), image.kernel)
    shutil.copy(os.path.join(root, f'boot/initrd.img-{version}'), image.initrd)
    with open(os.path.join(root, f'lib/modules/{version}/modules.dep'), encoding='utf-8') as file:
        lines = [re.sub(r'(^| )kernel/', rf'\1/usr/lib/modules/{version}/kernel/', line) for line in file]
    with open(image.modules_dep, 'w', encoding='utf-8') as file:
        file.writelines(lines)


def build(folder):
    """Build a whole image in a folder that is not yet its place."""
    root, early, image = os.path.join(folder, 'root'), os.path.join(folder, 'early'), Image(folder)
    write_files(early, recipe.EARLY_FILES)
    bootstrap(root, early)
    configure(root)
    take_out_boot_files(root, image)
    procs.run(['mke2fs', '-q', '-t', 'ext4', '-L', 'tenon-guest', '-d', root, image.disk, recipe.DISK_SIZE],
              timeout=300)
    shutil.rmtree(root)
    shutil.rmtree(early)
    os.chmod(folder, 0o755)


def forget_others():
    """Remove the remains of interrupted builds, and images that were not used for a month."""
    for name in os.listdir(cache_dir()):
        path = os.path.join(cache_dir(), name)
        days = (time.time() - os.path.getmtime(path)) / 86400
        # There is one that is installed for each package that was ever made.
        if days > 1 and name.startswith(('.building-', 'installed-')) or days > 30 and name.startswith(('guest-', 'booted-')):
            (os.unlink if name.endswith('.lock') else functools.partial(shutil.rmtree, ignore_errors=True))(path)


def build_into_cache(image, make):
    """Build beside the image's place, then rename."""
    begin = time.monotonic()
    name = os.path.basename(image.folder)
    print(f'   making the image {name} (once; some minutes) …', flush=True)
    folder = tempfile.mkdtemp(prefix='.building-', dir=cache_dir())
    try:
        make(folder)
        os.rename(folder, image.folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f'   image {name} made in {time.monotonic() - begin:.0f} s', flush=True)


def cached(name, make):
    """The image of this name; make(folder) fills a folder with it when it is not in the cache."""
    image = Image(os.path.join(cache_dir(), name))
    if image.exists():
        os.utime(image.folder)
        return image
    with open(image.folder + '.lock', 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            forget_others()
            build_into_cache(image, make)
    return image


def get():
    """The image of the present recipe."""
    return cached('guest-' + recipe.key(), build)


if __name__ == '__main__':
    procs.exit_on_signals()
    print(f'guest image: {get().folder}')
