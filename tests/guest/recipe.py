# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What the guests are made of: packages, files, and the shell that the harness talks to.

The cached image is named after a hash of all this, so a change here makes a new image. The agent's
package is not part of the image: a test brings it in on a second disk.
"""

import hashlib

SUITE = 'bookworm'
DISK_SIZE = '2G'

PACKAGES = (
    'systemd-sysv', 'udev', 'kmod', 'dbus', 'linux-image-amd64', 'initramfs-tools', 'iproute2', 'procps',
    # What tenon's package depends on, so that dpkg -i alone installs it.
    'libglib2.0-0', 'libjansson4', 'libdbus-1-3', 'libsystemd0', 'libudev1', 'libmount1', 'libkmod2',
    'libsmartcols1',
    # Who logs in is a session of logind's.
    'libpam-systemd',
    # Confines the agent by its profile, as on most of Debian's machines.
    'apparmor',
    # What Debian's qemu-guest-agent depends on beside that.
    'libnuma1', 'liburing2',
)

# Left out of the image: a third of its files that no test reads, and profiles that each boot would compile for programs
# that it does not have.
WITHOUT = ('/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*',
           '/etc/apparmor.d/lsb_release', '/etc/apparmor.d/nvidia_modprobe')

# A line in is `TOKEN SECONDS BASE64`, a script to run; out come `TOKEN begin`, its output and
# `TOKEN end STATUS`. The second serial line is the harness's own, so that the first keeps a readable log.
SHELL = r'''
stty raw -echo 115200
echo; echo TENON-HARNESS-READY
while read -r token seconds code; do
    script=$(echo "$code" | base64 -d)
    echo "$token begin"
    timeout "$seconds" sh -c "$script" </dev/null 2>&1
    printf '\n%s end %d\n' "$token" $?
done
'''

SHELL_UNIT = '''
[Unit]
Description=Shell of the test harness

[Service]
ExecStart=/bin/sh /usr/lib/tenon-harness/shell
StandardInput=tty-force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
Environment=HOME=/root TERM=dumb LC_ALL=C.UTF-8 PAGER=cat SYSTEMD_PAGER=cat
Restart=always

[Install]
WantedBy=multi-user.target
'''

NETWORK = '''
[Match]
Name=en* eth*

[Network]
DHCP=ipv4
'''

# Files of the full guest, written into its root after the packages; path -> text.
FILES = {
    'etc/hostname': 'tenon-guest\n',
    'etc/hosts': '127.0.0.1 localhost tenon-guest\n',
    'etc/machine-id': '7e6f6e0000004000a000000000000001\n',
    'etc/fstab': '/dev/vda / ext4 defaults 0 0\n',
    'etc/systemd/network/80-dhcp.network': NETWORK,
    'etc/systemd/system/tenon-harness.service': SHELL_UNIT,
    'usr/lib/tenon-harness/shell': SHELL,
}

LINKS = {
    'etc/systemd/system/multi-user.target.wants/tenon-harness.service': '../tenon-harness.service',
    'etc/systemd/system/multi-user.target.wants/systemd-networkd.service':
        '/lib/systemd/system/systemd-networkd.service',
    # Its waiting would hold back nothing but the boot.
    'etc/systemd/system/systemd-networkd-wait-online.service': '/dev/null',
    'etc/systemd/system/apt-daily.timer': '/dev/null',
    'etc/systemd/system/apt-daily-upgrade.timer': '/dev/null',
    # It looks for snapshots of LVM.
    'etc/systemd/system/e2scrub_reap.service': '/dev/null',
}

# Written before the kernel is installed: an initramfs with only what the guest's disk wants boots faster.
EARLY_FILES = {
    'etc/initramfs-tools/conf.d/tenon-guest': 'MODULES=list\n',
    'etc/initramfs-tools/modules': 'virtio_pci\nvirtio_blk\next4\n',
}

# The micro guest's first process. Modules were put into their order by the harness.
MICRO_INIT = r'''#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /root /etc /usr/sbin /usr/bin /sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
ip link set lo up
while read -r module; do insmod "$module"; done </harness/modules
echo "micro guest: up after $(cut -d' ' -f1 /proc/uptime) s" >/dev/console
line=/dev/${harness_line:-ttyS1} # a machine with other lines names it to its kernel
while :; do setsid sh /harness/shell <$line >$line 2>&1; done
'''


def key():
    """The name of the image that this recipe makes."""
    parts = (SUITE, DISK_SIZE, PACKAGES, WITHOUT, sorted(FILES.items()), sorted(LINKS.items()),
             sorted(EARLY_FILES.items()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
