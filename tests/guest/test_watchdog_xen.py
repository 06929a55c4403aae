# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Xen's own watchdog in a real domain: a domU of busybox and the agent, under a dom0, under Xen, under QEMU.

By hand, because it takes minutes and Xen's packages: TENON_XEN names a folder with the .deb files that XEN_PACKAGES
lists, as `apt-get download` gets them. The judge is xl, which logs with which reason a domain has ended; 4 is the
watchdog (xen/include/public/sched.h, SHUTDOWN_watchdog).
"""

import glob
import gzip
import os

import agent
import image
import initramfs
import machine
import procs
from cases import check, note, test

XEN_PACKAGES = ('xen-hypervisor-4.17-amd64', 'xen-utils-4.17', 'xen-utils-common', 'xenstore-utils', 'libxencall1',
                'libxendevicemodel1', 'libxenevtchn1', 'libxenforeignmemory1', 'libxengnttab1', 'libxenhypfs1',
                'libxenmisc4.17', 'libxenstore4', 'libxentoolcore1', 'libxentoollog1', 'libyajl2', 'libncurses6',
                'libfdt1', 'libnl-route-3-200', 'libnl-3-200')
TIMEOUT = 10  # seconds
WATCHDOG = 4
TOOLS = ('xl', 'xenstored', 'xenconsoled', 'xen-init-dom0')
DOM0_MODULES = ('xen_evtchn', 'xen_gntdev', 'xen_privcmd', 'xenfs')

CONFIG = f'''[agent]
statedir=/run/state
control-socket=/run/control.sock
[channel]
method=unix-listen
path=/run/host.sock
[log]
level=info
[watchdog]
mode=own
timeout-seconds={TIMEOUT}
'''.encode()

# What the domain does is in its command line: the part after `then=`.
DOMU_INIT = f'''#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /etc /usr/sbin /usr/bin /sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run
mkdir -p /run/state
exec >/dev/hvc0 2>&1
while read -r module; do insmod "$module"; done </harness/modules
tenond -c /etc/tenond.conf --plugin-dir=/plugins &
sleep {3 * TIMEOUT}
tenonctl --socket /run/control.sock watchdog
echo "domU: fed for {3 * TIMEOUT} s"
case $(cat /proc/cmdline) in
    *then=stop*) kill -STOP $(pidof tenond); echo "domU: the agent is stopped" ;;
    *then=crash*) echo 1 >/proc/sys/kernel/sysrq; echo 600 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger ;;
esac
sleep 1000
'''.encode()

DOMAIN = '''name = "{name}"
kernel = "/domu/vmlinuz"
ramdisk = "/domu/initrd.img"
extra = "console=hvc0 quiet then={name}"
memory = 192
vcpus = 1
on_watchdog = "destroy"
on_crash = "destroy"
'''


def unpack(folder):
    """Xen's packages, unpacked; the folder."""
    tree = os.path.join(folder, 'xen')
    for path in glob.glob(os.path.join(os.environ['TENON_XEN'], '*.deb')):
        procs.run(['dpkg', '-x', path, tree])
    return tree


def tools(tree):
    """xl and the daemons with their libraries: guest path -> host path."""
    found = glob.glob(f'{tree}/**/*.so.*', recursive=True)
    os.environ['LD_LIBRARY_PATH'] = ':'.join(sorted(map(os.path.dirname, found)))  # for the ldd of initramfs.make()
    files = {f'/lib/xen/{os.path.basename(path)}': path for path in found}
    # pthread_cancel(3), which libxenlight uses, loads this one at run time.
    files['/lib/xen/libgcc_s.so.1'] = glob.glob('/lib/*-linux-gnu/libgcc_s.so.1')[0]
    files['/etc/xen/xl.conf'] = b'autoballoon="off"\n'
    files.update({f'/usr/sbin/{name}': f'{tree}/usr/lib/xen-4.17/bin/{name}' for name in TOOLS})
    return files


def domu(folder, made):
    """The domain's initramfs; its path."""
    path = os.path.join(folder, 'domu.img')
    files = {'/init': DOMU_INIT, '/etc/tenond.conf': CONFIG, '/usr/sbin/tenond': agent.built('agent/tenond'),
             '/usr/bin/tenonctl': agent.built('cli/tenonctl'),
             '/plugins/watchdog.so': agent.built('plugins/watchdog/watchdog.so')}
    initramfs.make(path, made, files, ['xen_wdt'])
    return path


def boot():
    """Xen with a dom0 that has xl and the domain's files."""
    folder, made = procs.temp_dir(), image.get()
    tree = unpack(folder)
    files = tools(tree)
    files.update({'/domu/vmlinuz': made.kernel, '/domu/initrd.img': domu(folder, made)})
    initramfs.make(os.path.join(folder, 'initrd.img'), made, files, DOM0_MODULES)
    with gzip.open(glob.glob(f'{tree}/boot/xen-4.17-amd64.gz')[0]) as packed, \
            open(os.path.join(folder, 'xen.elf'), 'wb') as file:
        file.write(packed.read())
    return machine.started(folder, [
        '-M', 'q35', '-cpu', 'qemu64', '-m', '1536', '-kernel', 'xen.elf',
        '-append', 'console=com1 com1=115200 dom0_mem=900M,max:900M',
        '-initrd', f'{made.kernel} console=hvc0 quiet,initrd.img'], 300)


def start_tools(guest):
    """xenstored and xenconsoled, which log what the domains print."""
    guest.run('mkdir -p /var/run/xen /var/lib/xen /var/log/xen/console /var/lib/xenstored /run/xenstored /etc/xen '
              '/var/lock /run/lock; ln -sfn /run /var/run 2>/dev/null; mkdir -p /var/run/xen; '
              'mount -t xenfs xenfs /proc/xen; grep -q control_d /proc/xen/capabilities')
    guest.run('export LD_LIBRARY_PATH=/lib/xen; xenstored --pid-file /run/xenstored.pid; sleep 2; xen-init-dom0; '
              'xenconsoled --pid-file=/run/xenconsoled.pid --log=guest --log-dir=/var/log/xen/console', 60)


def ended(guest, name):
    """Start a domain and wait for its end; the reason that xl logged, and what the domain printed."""
    guest.run(f"cat >/run/{name}.cfg <<'END'\n{DOMAIN.format(name=name)}END\nLD_LIBRARY_PATH=/lib/xen xl create /run/{name}.cfg", 120)
    guest.run(f'for i in $(seq 600); do grep -q "has shut down" /var/log/xen/xl-{name}.log && exit 0; sleep 1; done; '
              'LD_LIBRARY_PATH=/lib/xen xl list; exit 1', 700)
    return guest.run(f'cat /var/log/xen/xl-{name}.log'), guest.run(f'cat /var/log/xen/console/guest-{name}.log')


def domain(name):
    """Fed for three timeouts, then not any more: the hypervisor ends it as one whose watchdog has fired."""
    with boot() as guest:
        start_tools(guest)
        said, printed = ended(guest, name)
        for word in ('xen_wdt', 'fed (mode own)', f'fed for {3 * TIMEOUT} s'):
            check(word in printed, f'the domain did not say {word!r}: {printed[-2000:]}')
        check(f'reason code {WATCHDOG} ' in said, f'xl says: {said}')
        note([line for line in said.splitlines() if 'has shut down' in line][0])


def stopped_agent():
    """The agent is stopped."""
    domain('stop')


def crashed_kernel():
    """The kernel crashes, and waits: with kernel.panic=0 a domain tells Xen of the crash itself, at once."""
    domain('crash')


if os.environ.get('TENON_XEN'):
    test(stopped_agent, timeout=1500)
    test(crashed_kernel, timeout=1500)
