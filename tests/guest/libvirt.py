# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A libvirtd of our own, with one guest under it: the real client of the agent's protocol.

It is a session daemon of an unprivileged user whose folders are all in one temporary folder, so that it
neither sees nor disturbs the machine's own libvirtd, and cannot open /dev/kvm. Its user cannot read the
image cache below root's home, therefore the guest gets a copy of the disk instead of an overlay.
"""

import os
import shutil
import signal

import agent
import image
import machine
import procs
from console import Console

NOBODY = 65534
NAME = 'tenon'
PID_FILE = f'run/libvirt/qemu/run/{NAME}.pid'

DOMAIN = '''
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>1024</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{folder}/vmlinuz</kernel>
    <initrd>{folder}/initrd.img</initrd>
    <cmdline>{cmdline}</cmdline>
  </os>
  <features><acpi/><tcg><tb-cache unit='MiB'>128</tb-cache></tcg></features>
  <cpu mode='maximum'>
    <feature policy='disable' name='smap'/>
    <feature policy='disable' name='smep'/>
    <feature policy='disable' name='la57'/>
  </cpu>
  <on_reboot>restart</on_reboot>
  <pm><suspend-to-mem enabled='yes'/><suspend-to-disk enabled='yes'/></pm>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='unsafe'/>
      <source file='{folder}/disk.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{folder}/data.img'/>
      <target dev='vdb' bus='virtio'/>
      <readonly/>
    </disk>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='file'><source path='{folder}/boot.log'/><target port='0'/></serial>
    <serial type='unix'><source mode='bind' path='{folder}/shell.sock'/><target port='1'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
  <seclabel type='none'/>
</domain>
'''


class Libvirt:
    """The daemon, its client virsh, and the guest (which has sh() and run() like any other)."""

    sh = machine.Guest.sh
    run = machine.Guest.run

    def __init__(self):
        self.folder = procs.temp_dir()
        self.environment = self._environment()
        self._prepare()
        self.daemon = self._start()
        self.console = None
        machine.LIVING.append(self)

    def _environment(self):
        folders = {'HOME': 'home', 'XDG_RUNTIME_DIR': 'run', 'XDG_CONFIG_HOME': 'config',
                   'XDG_CACHE_HOME': 'cache', 'XDG_DATA_HOME': 'data'}
        return {**os.environ, 'LC_ALL': 'C.UTF-8', **{name: os.path.join(self.folder, path)
                                                      for name, path in folders.items()}}

    def _as_user(self, argv):
        """The command as the unprivileged user; unchanged when we are none but such a user."""
        if os.geteuid() != 0:
            return argv
        return ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', '--', *argv]

    def _prepare(self):
        """The folders, the configuration, the guest's files; all of them the user's."""
        made = image.get()
        for path in ('home', 'run', 'config/libvirt', 'cache', 'data'):
            os.makedirs(os.path.join(self.folder, path), mode=0o700)
        with open(os.path.join(self.folder, 'config/libvirt/qemu.conf'), 'w', encoding='utf-8') as file:
            file.write('stdio_handler = "file"\n')
        for path in (made.kernel, made.initrd):
            shutil.copy(path, self.folder)
        procs.run(['cp', '--sparse=always', made.disk, self.folder])
        machine.data_disk(self.folder, [agent.deb(), *agent.part_debs()])
        self._describe()
        if os.geteuid() == 0:
            procs.run(['chown', '-R', f'{NOBODY}:{NOBODY}', self.folder])

    def _describe(self):
        """Write the domain's description."""
        with open(os.path.join(self.folder, 'domain.xml'), 'w', encoding='utf-8') as file:
            file.write(DOMAIN.format(name=NAME, folder=self.folder, cmdline=machine.KERNEL_LINE))

    def _start(self):
        with open(os.path.join(self.folder, 'libvirtd.log'), 'w', encoding='utf-8') as log:
            daemon = procs.start(self._as_user(['libvirtd']), env=self.environment, cwd=self.folder,
                                 stdout=log, stderr=log)
        socket = os.path.join(self.folder, 'run/libvirt/libvirt-sock')
        procs.wait_for(lambda: os.path.exists(socket) or daemon.poll() is not None, 20, 'libvirtd to listen')
        if daemon.poll() is not None:
            raise RuntimeError(f'libvirtd ended at once: {self.read("libvirtd.log")}')
        return daemon

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding='utf-8', errors='replace') as file:
            return file.read()

    def virsh(self, *words, timeout=60):
        """Run virsh on our daemon; what it printed, stripped."""
        socket = os.path.join(self.folder, 'run/libvirt/libvirt-sock')
        command = self._as_user(['virsh', '-q', '-c', f'qemu:///session?socket={socket}', *words])
        return procs.run(command, timeout, env=self.environment, cwd=self.folder).strip()

    def boot(self):
        """Create the guest, install the agent in it and wait until libvirt says that it is connected."""
        self.virsh('create', os.path.join(self.folder, 'domain.xml'))
        self.console = Console(os.path.join(self.folder, 'shell.sock'))
        self.console.wait_ready(180)
        machine.wait_booted(self)
        agent.install(self, agent.ALL)
        self.wait_agent()

    def wait_agent(self):
        """Wait until the agent has opened its port (libvirt learns that from QEMU)."""
        procs.wait_for(lambda: "state='connected'" in self.virsh('dumpxml', NAME), 60,
                       'libvirt to see the agent connected')

    def log(self):
        """The boot log so far."""
        return self.read('boot.log') if os.path.exists(os.path.join(self.folder, 'boot.log')) else ''

    def tell(self):
        """The ends of the guest's and the daemon's logs, indented."""
        lines = self.log().splitlines()[-25:] + self.read('libvirtd.log').splitlines()[-10:]
        return '\n'.join(f'    | {line}' for line in lines)

    def close(self):
        """End the guest, then the daemon, by their process ids."""
        if self in machine.LIVING:
            machine.LIVING.remove(self)
        if self.console:
            self.console.close()
        try:
            with open(os.path.join(self.folder, PID_FILE), encoding='utf-8') as file:
                os.kill(int(file.read()), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass
        procs.end(self.daemon)
        procs.remove_dir(self.folder)
