# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The Debian guest as a PV domain of Xen, watched by Xen's own watchdog, with the words of watchdogs.py.

The domain has no serial line for the harness: scripts go in by the terminal that xenconsoled has for its console, and
their output is read from xenconsoled's log. The judge is xl, which logs with which reason a domain has ended; 4 is the
watchdog (xen/include/public/sched.h, SHUTDOWN_watchdog). xl starts the domain again on the same disk.
"""

import base64
import json
import os
import secrets
import time

import agent
import image
import initramfs
import machine
import procs
import xenhost
from watchdogs import TIMEOUT, Watched

PLUGINS = 'usr/lib/x86_64-linux-gnu/tenon/plugins'
CONSOLE = '[Service]\nTTYPath=/dev/hvc0\n'
# What the domain's root gets at each boot; paths below it.
FILES = {
    'etc/fstab': b'/dev/xvda / ext4 defaults 0 0\n',
    'etc/systemd/system/tenon-harness.service.d/console.conf': CONSOLE.encode(),
}
INIT = b'''#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "$module"; done </harness/modules
while [ ! -b /dev/xvda ]; do sleep 1; done
mount -t ext4 /dev/xvda /root
cp -a /domain/. /root
ln -sf /dev/null /root/etc/systemd/system/serial-getty@hvc0.service
umount /proc /sys
mount --move /dev /root/dev
exec switch_root /root /sbin/init
'''
CREATE = '''
cp /domain/vmlinuz /domain/initrd /run/
line="root=/dev/xvda rw loglevel=3 systemd.mask=systemd-networkd.service systemd.mask=e2scrub_reap.service"
''' + xenhost.CREATE.replace('MORE', 'on_watchdog = "restart"\non_crash = "restart"').replace('=yes', '=no')
LOG = '/run/log/guest-guest.log'
# One script of the harness: a line to the terminal, then all between its marks in the log.
SCRIPT = f'''
printf '%s\\n' '{{line}}' >$(xenstore-read /local/domain/$(xl domid guest)/console/tty)
for i in $(seq {{tries}}); do grep -q '{{token}} end [0-9]' {LOG} && break; sleep 0.2; done
tr -d '\\r' <{LOG} | sed -n '/{{token}} begin/,/{{token}} end/p'
'''
# The agent's control socket, by the only interpreter that Debian always has.
ASK = '''perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/run/tenon/control.sock") or die $!; print $s $ARGV[0], "\\n";
$s->flush; print scalar <$s>' '{}' '''


class Domain:
    """The domain, as far as tests see guests."""

    def __init__(self, memory=768):
        """Of Xen's 1800 MiB the rest is dom0's, which keeps files in memory."""
        folder, made = procs.temp_dir(), image.get()
        files = {'/init': INIT, '/domain/opt/tenon.deb': agent.deb(),
                 f'/domain/{PLUGINS}/stall.so': agent.built('tests/plugins/stall.so'),
                 **{f'/domain/{path}': text for path, text in FILES.items()}}
        initrd = os.path.join(folder, 'domain.img')
        initramfs.make(initrd, made, files, ['xen_blkfront', 'crc32c_generic', 'ext4'])
        self.host = xenhost.start(machine.overlay(folder), memory=1408 - memory,
                                  more={'/domain/vmlinuz': made.kernel, '/domain/initrd': initrd})
        self.host.tell_more = lambda: self.host.sh(f'tail -n 20 {LOG} /var/log/xen/xl-guest.log')[1]
        self.boots = 0
        self.host.run(CREATE.replace('memory = 768', f'memory = {memory}'), 300)
        self.wait_ready(1200)

    def close(self):
        """End the host, and the domain with it."""
        self.host.close()

    def wait_ready(self, timeout):
        """Wait until the domain's shell listens: after each boot, once."""
        self.boots += 1
        self.host.run(f'for i in $(seq {timeout}); do [ "$(grep -c TENON-HARNESS-READY {LOG})" -ge {self.boots} ] && exit; '
                      f'sleep 1; done; tail -n 30 {LOG}; xl list; exit 1', timeout + 60)

    def sh(self, script, timeout=180):
        """Run a script in the domain; (status, output)."""
        token = secrets.token_hex(8)
        line = f'{token} {timeout} {base64.b64encode(script.encode()).decode()}'
        said = self.host.run(SCRIPT.format(line=line, token=token, tries=5 * (timeout + 10)), timeout + 60)
        begin, _, rest = said.partition(f'{token} begin\n')
        output, end, status = rest.rpartition(f'\n{token} end ')
        if not end:
            raise TimeoutError(f'in the domain: {script[:60]!r}: nothing within {timeout} s; so far: {begin}{rest}')
        return int(status), output.removesuffix('\n')

    def run(self, script, timeout=180):
        """Run a script that must succeed; its output."""
        status, output = self.sh(script, timeout)
        if status != 0:
            raise AssertionError(f'in the domain: {script!r} ended with status {status}: {output[-1500:]}')
        return output

    def ask(self, command, **arguments):
        """Ask the agent."""
        answer = json.loads(self.run(ASK.format(json.dumps({'execute': command, 'arguments': arguments}))))
        return answer['return']

    def order(self, command, **arguments):
        """Ask the agent and wait for no answer."""
        request = json.dumps({'execute': command, 'arguments': arguments})
        self.run(f'({ASK.format(request)}) >/dev/null 2>&1 &')

    def fired(self):
        """How often Xen has ended the domain because its watchdog fired."""
        return int(self.host.run('grep -c "has shut down, reason code 4 " /var/log/xen/xl-guest.log || true'))


class XenDog(Watched):
    """A domain that is watched by xen_wdt."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.kind, self.in_sysfs, self.count = 'xen_wdt', True, 0
        self.guest = Domain()
        self.load()
        self.configure()
        self.install()
        # udev starts the agent for a port to the host; here there is none.
        self.guest.run('systemctl add-wants multi-user.target tenond.service; systemctl start tenond', 300)
        self.wait_state('fed', 300)

    def install(self):
        """Install the package, for the first time or again."""
        self.guest.run('dpkg -i /opt/tenon.deb', 900)

    def restart(self):
        """Restart the agent."""
        self.guest.run('systemctl restart tenond', 300)

    def answers(self):
        """Wait until the agent does."""
        self.guest.run('for i in $(seq 200); do tenonctl watchdog --json >/dev/null; [ $? -lt 2 ] && exit; sleep 1; done; '
                       'exit 1', 400)

    def quiet(self, seconds):
        """For so long it must not fire."""
        time.sleep(seconds)
        if self.guest.fired() != self.count:
            raise AssertionError('the watchdog fired')

    def fires(self, within=3 * TIMEOUT + 120):
        """It must fire; the seconds until it did."""
        begin = time.monotonic()
        procs.wait_for(lambda: self.guest.fired() > self.count, within, 'the watchdog to fire')
        self.count += 1
        return time.monotonic() - begin

    def comes_back(self):
        """Wait until the domain is up again after a reset; what the agent says of the watchdog."""
        self.guest.wait_ready(1200)
        return self.wait_state('fed', 300)
