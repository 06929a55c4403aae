# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest with Debian's kernel for clouds and an e1000 card gets the driver from a repository on a second disk.

There is no network. With TENON_LONG=1 only: the guest has an image of its own.
"""

import glob
import hashlib
import json
import os
import re
import shutil

import agent
import image
import journey
import machine
import moving
import packages
import procs
import recipe
from cases import Skip, check, equal, shared, test

PACKAGES = tuple('linux-image-cloud-amd64' if name == 'linux-image-amd64' else name for name in recipe.PACKAGES)
CARD = ['-netdev', 'user,id=net0,restrict=on', '-device', 'e1000,netdev=net0,addr=0x9,romfile=']

# Holds dpkg's lock, as another package manager would, until it is killed.
HOLD = r'''
perl -MFcntl -e 'open my $f, "+>>", "/var/lib/dpkg/lock-frontend" or die;
    my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $lock) or die;
    open my $g, ">", "/run/held"; sleep 600' >/run/holder 2>&1 &
holder=$!
for i in $(seq 300); do [ -e /run/held ] && break; sleep 0.1; done
[ -e /run/held ] || { cat /run/holder; exit 99; }
tenonctl drivers install network 2>&1
status=$?
kill $holder
exit $status
'''


def build(folder):
    """The full guest, with the other kernel."""
    root, early, made = os.path.join(folder, 'root'), os.path.join(folder, 'early'), image.Image(folder)
    image.write_files(early, recipe.EARLY_FILES)
    image.bootstrap(root, early, PACKAGES)
    image.configure(root)
    image.take_out_boot_files(root, made)
    procs.run(['mke2fs', '-q', '-t', 'ext4', '-d', root, made.disk, recipe.DISK_SIZE], timeout=300)
    shutil.rmtree(root)
    shutil.rmtree(early)
    os.chmod(folder, 0o755)


def repository():
    """A flat repository with the whole kernel: its files, and the names of the kernel's release."""
    folder = procs.temp_dir()
    told = procs.run(['apt-cache', 'depends', '--important', 'linux-image-amd64'])
    kernel = re.search(r'Depends: (linux-image-\S+)', told)[1]
    packages.download('linux-image-amd64', kernel, folder=folder)
    with open(os.path.join(folder, 'Packages'), 'w', encoding='utf-8') as file:
        listing = procs.run(['dpkg-scanpackages', '.'], cwd=folder)
        file.write(re.sub(r'^dpkg-scanpackages: .*\n', '', listing, flags=re.MULTILINE))
    return glob.glob(f'{folder}/*'), kernel.removeprefix('linux-image-')


class Cloud:
    """The guest with its own copy of the disk, on the kernel that it is told."""

    def __init__(self):
        key = hashlib.sha256(repr((PACKAGES, recipe.key())).encode()).hexdigest()[:16]
        self.made = image.cached('guest-cloud-' + key, build)
        self.folder = procs.temp_dir()
        self.disk = os.path.join(self.folder, 'disk.img')
        procs.run(['cp', '--sparse=always', self.made.disk, self.disk])
        self.files, self.release = repository()
        self.guest = None

    def power_on(self, kernel, initrd):
        """Boot; the second disk has the agent's package and the repository."""
        self.guest = machine.started(procs.temp_dir(), [
            '-M', 'q35', '-cpu', 'qemu64', '-smp', '2', '-m', '1024', '-kernel', kernel, '-initrd', initrd,
            '-append', machine.KERNEL_LINE, *moving.virtio_blk(self.disk, 'raw'), *CARD,
            *journey.packages_disk([agent.deb(), *self.files])], 300)
        return self.guest

    def close(self):
        """End it."""
        if self.guest:
            self.guest.close()
        procs.remove_dir(self.folder)


def long_only():
    """This guest is one of its own."""
    if os.environ.get('TENON_LONG') != '1':
        raise Skip('has a guest of its own; TENON_LONG=1 runs it')


def offer_repository(guest):
    """Let apt know the repository on the second disk."""
    guest.run('mkdir -p /repository; mountpoint -q /repository || mount -o ro /dev/disk/by-label/packages /repository; '
              'echo "deb [trusted=yes] file:/repository ./" >/etc/apt/sources.list && apt-get -q update', 120)


@shared
def cloud():
    """The guest as it came, with the agent's package."""
    made = Cloud()
    guest = made.power_on(made.made.kernel, made.made.initrd)
    journey.unpack(guest, f'dpkg -i {os.path.basename(agent.deb())} >/dev/null')
    guest.run('rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*')
    return made


@test(timeout=900)
def without_a_repository_it_says_what_it_looked_for():
    long_only()
    status, text = cloud().guest.sh('tenonctl drivers install network 2>&1', 120)
    equal(status, 2, 'exit status')
    check('has the driver e1000 for the kernel' in text and 'looked for: linux-image-amd64' in text, text)


@test(timeout=900)
def held_lock_is_told_with_its_holder():
    long_only()
    guest = cloud().guest
    offer_repository(guest)
    status, text = guest.sh(HOLD, 300)
    equal(status, 2, f'exit status ({text})')
    check(re.search(r'process \d+ \(perl\) holds /var/lib/dpkg/lock-frontend', text), text)
    equal(guest.sh('ls /lib/modules')[1].split(), [guest.run('uname -r')], 'kernels after the refusal')


@test(timeout=2400)
def driver_comes_from_the_repository_and_works_after_the_reboot():
    long_only()
    made = cloud()
    offer_repository(made.guest)
    status, text = made.guest.sh('tenonctl drivers install network --dry-run 2>/dev/null', 120)
    equal((status, 'would come with linux-image-amd64' in text), (0, True), f'dry run: {text}')
    text = made.guest.run('tenonctl drivers install network --json 2>/tmp/progress || cat /tmp/progress', 1500)
    row = [row for row in json.loads(text)['modules'] if row['module'] == 'e1000'][0]
    equal((row['kernel'], row['needs-reboot'], row['loaded']), (made.release, True, False), 'what was installed')
    equal(made.guest.sh('modprobe e1000')[0], 1, 'the running kernel still lacks it')
    made.guest.sh('systemctl --no-block poweroff')
    made.guest.wait_end(90)
    made.guest.close()
    disk = image.Image(made.folder)
    disk.dump([f'/boot/vmlinuz-{made.release}', f'/boot/initrd.img-{made.release}'], made.folder)
    guest = made.power_on(f'{made.folder}/vmlinuz-{made.release}', f'{made.folder}/initrd.img-{made.release}')
    guest.run('udevadm settle --timeout=240', 300)  # a whole kernel's modules for the first time
    equal(guest.run('basename $(readlink -f /sys/class/net/e*/device/driver)'), 'e1000', 'driver of the card')
    check('No driver that is wanted here is missing' in guest.run('tenonctl drivers install network 2>/dev/null', 60),
          'something is still missing')
