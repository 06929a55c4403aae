# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Tenon inside the guests: which files it is, how it is started, and what it costs there.

The micro guest runs the programs of the build directory (TENON_BUILD), the full guest the package that
scripts/build-packages made (TENON_DEB names another one).
"""

import glob
import os

import booted
import devices
import machine
import packages

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BUILD = os.path.abspath(os.environ.get('TENON_BUILD') or os.path.join(TOP, 'build'))
MODULES = ('virtio_pci', 'virtio_console')

CONFIG = b'''[agent]
statedir=/run/tenon-state
control-socket=/run/tenon/control.sock
[log]
level=info
file=/run/tenond.log
'''

OS_RELEASE = b'ID=micro\nNAME="Micro guest"\nVERSION_ID=1\nPRETTY_NAME="Micro guest 1"\n'


def built(path):
    """The path of a file of the build directory, which must be there."""
    full = os.path.join(BUILD, path)
    if not os.path.exists(full):
        raise FileNotFoundError(f'{full} is not built')
    return full


def plugins():
    """The plugins of the build directory."""
    return glob.glob(os.path.join(BUILD, 'plugins', '*', '*.so'))


def deb():
    """The package with the agent, made of the tree as it lies here."""
    given = os.environ.get('TENON_DEB')
    found = [given] if given else glob.glob(os.path.join(BUILD, 'guest-deb', 'tenon_*.deb'))
    if not found:
        raise FileNotFoundError('no tenon_*.deb; scripts/build-packages --worktree --quick makes one')
    return found[0]


def part_debs():
    """The packages with the plugins that let the host act within the guest."""
    return [deb().replace('tenon_', f'tenon-{name}_') for name in ('accounts', 'exec', 'files')]


def qga_deb():
    """The package that puts Tenon in qemu-guest-agent's place, made with the other one."""
    return deb().replace('tenon_', 'tenon-qemu-ga_').replace('_amd64.deb', '_all.deb')


def peer_deb(folder):
    """Debian's qemu-guest-agent, fetched by apt into the folder."""
    return packages.download('qemu-guest-agent', folder=folder)[0]


def micro_files():
    """The agent for the micro guest: guest path -> host path or content."""
    files = {'/usr/sbin/tenond': built('agent/tenond'), '/etc/tenond.conf': CONFIG,
             '/etc/os-release': OS_RELEASE}
    files.update({'/plugins/' + os.path.basename(path): path for path in plugins()})
    if os.path.exists(os.path.join(BUILD, 'cli/tenonctl')):
        files['/usr/bin/tenonctl'] = built('cli/tenonctl')
    return files


def start(guest, options=''):
    """Start the agent in a micro guest, in the background; it finds its port by itself."""
    guest.run('mkdir -p /run/tenon-state /run/tenon')
    guest.run(f'tenond -c /etc/tenond.conf --plugin-dir=/plugins {options} >/run/tenond.out 2>&1 &')


def tell_log(guest):
    """What the agent of a micro guest said, for the text of a failure."""
    return guest.sh('cat /run/tenond.out /run/tenond.log')[1][-1500:]


def boot_micro(options='', extra=(), **settings):
    """Boot a micro guest with a virtio-serial port, start the agent in it and wait until it answers."""
    guest = machine.boot_micro(micro_files(), MODULES, [*devices.virtio_serial(), *devices.port(), *extra],
                               **settings)
    guest.tell_more = lambda: tell_log(guest)
    try:
        start(guest, options)
        guest.port.wait_agent(20)
    except Exception as error:
        said = tell_log(guest)
        guest.close()
        raise RuntimeError(f'{error}; the agent said: {said}') from error
    return guest


def hardware(files, watchdog, extra):
    """The devices of the full guest, the second disk with the packages and these files among them."""
    disk = machine.data_disk(machine.procs.temp_dir(), [deb(), *part_debs(), *files])
    return [*devices.disk(disk, 'raw', True), *devices.virtio_serial(), *devices.port(), *watchdog, *devices.balloon(),
            *devices.net(), *extra]


def boot_full(extra=(), files=(), watchdog=None, **settings):
    """Boot the full guest with the package, and other host files, on its second disk, not yet installed."""
    guest = machine.boot_full(hardware(files, devices.watchdog() if watchdog is None else watchdog, extra), **settings)
    machine.wait_booted(guest, settings.get('timeout', 120))
    return guest


def usual_hardware(files=()):
    """The devices of guests that are resumed; with the QMP port, qmp0.sock."""
    return hardware(files, devices.watchdog(), devices.port('org.tenon.agent.0', 'qmp0'))


def resume_full(files=()):
    """The same after its boot, for tests that do not look at it; with the QMP port besides."""
    return booted.resume(usual_hardware(files))


def install_only(guest):
    """Install the package as if the agent had never run."""
    install(guest)
    guest.run('systemctl stop tenond && rm -rf /var/lib/tenon/*', 60)


def resume_installed(files=()):
    """The same with the package installed, for tests that do not look at that. The agent does not run yet."""
    return booted.resume(usual_hardware(files), booted.Step(install_only, [deb()]))


def boot_installed(extra=(), **settings):
    """Boot the full guest with the package installed before: boot_full() for tests that do not look at that."""
    base = booted.disk_of(booted.saved(usual_hardware(), booted.Step(install_only, [deb()])))
    return boot_full(extra, base=base, **settings)


# Whatever looks at each new mount may hold it for a moment.
UMOUNT = '(for n in 1 2 3 4 5 6 7 8 9; do umount /mnt && exit; sleep 1; done; exit 1)'


ALL = '/mnt/tenon_*.deb /mnt/tenon-accounts_*.deb /mnt/tenon-exec_*.deb /mnt/tenon-files_*.deb'


def install(guest, packages='/mnt/tenon_*.deb'):
    """Install packages from the second disk, the agent's own or ALL; what dpkg printed."""
    guest.run('mkdir -p /mnt && mount -o ro /dev/vdb /mnt')
    return guest.run(f'dpkg -i {packages} && {UMOUNT}', 500)


def denied(guest):
    """What AppArmor has denied to the agent since the boot: lines of the kernel."""
    return guest.sh("journalctl -b --no-pager -o cat | grep 'apparmor=\"DENIED\"' | grep 'profile=\"tenond' | sort -u")[1].splitlines()


def pid(guest):
    """The agent's process id in the guest."""
    return int(guest.run('pidof tenond').split()[0])


def switches(guest):
    """How often the agent's threads went to sleep so far: each wakeup ends so. To be interrupted is none."""
    text = guest.run(f'cat /proc/{pid(guest)}/task/*/status')
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith('voluntary_ctxt_switches'))


def cpu_ticks(guest):
    """Processor time of the agent so far, in hundredths of a second."""
    fields = guest.run(f'cat /proc/{pid(guest)}/stat').rsplit(')', 1)[1].split()
    return int(fields[11]) + int(fields[12])


def rss_kib(guest):
    """The agent's resident memory."""
    return int(guest.run(f'grep VmRSS /proc/{pid(guest)}/status').split()[1])


def heap_kib(guest):
    """The resident memory that is the agent's own: without the pages of programs and libraries."""
    return int(guest.run(f'grep RssAnon /proc/{pid(guest)}/status').split()[1])
