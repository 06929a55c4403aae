# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Programs of other Debian packages in the micro guest: chrony with a server on this machine, and what else is named."""

import glob

import ntpserver
import packages
import procs

CHRONY = ('chrony', 'libedit2', 'libbsd0', 'libmd0')
NET = ('-netdev', 'user,id=net0,ipv6=off', '-device', 'virtio-net-pci,netdev=net0,romfile=')
SYNCHRONISED = 'Leap status     : Normal'


def unpack(*names):
    """Debian's packages, fetched by apt and unpacked into one folder, which is returned."""
    folder = procs.temp_dir()
    for package in packages.download(*names, folder=folder):
        procs.run(['dpkg', '-x', package, folder + '/root'])
    return folder + '/root'


def files(root, *programs):
    """Guest path -> host path of these programs and of all libraries that were unpacked with them."""
    libraries = {path.removeprefix(root): path for path in glob.glob(root + '/usr/lib/*/*.so.*')}
    return {**libraries, **{path: root + path for path in programs}}


def chrony_files(root, makestep):
    """chrony, configured as Debian does it, but for one server, a stand-in on this machine (ntpserver.py)."""
    config = f'server 10.0.2.2 port {ntpserver.start()} iburst\ndriftfile /run/drift\n{makestep}\nrtcsync\nmaxupdateskew 100\n'
    return {**files(root, '/usr/sbin/chronyd', '/usr/bin/chronyc'), '/etc/chrony.conf': config.encode(),
            '/etc/passwd': b'root:x:0:0::/root:/bin/sh\n'}


def start_chrony(guest):
    """Start chronyd in a guest with NET and the module virtio_net, and wait until it is synchronised."""
    guest.run('ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; mkdir -p /run/chrony; chmod 770 /run/chrony; '
              'chronyd -d -u root -f /etc/chrony.conf >/run/chronyd.log 2>&1 &')
    procs.wait_for(lambda: SYNCHRONISED in guest.sh('chronyc -n tracking')[1], 120, 'chrony to synchronise')
