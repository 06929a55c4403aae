# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Drivers in a Debian guest that has a device of each kind: the advice, and what tenon-drivers.service loads.

The tests build on each other in the order of the file. The first needs no guest, only the image: the catalogue
against all lists of its kernel.
"""

import glob
import json
import os
import subprocess

import agent
import devices
import image
import machine
import procs
from cases import check, equal, note, shared, test

LISTS = ('modules.alias', 'modules.dep', 'modules.builtin', 'modules.builtin.modinfo', 'modules.order')
MIB = 1024 * 1024


def scratch(folder, name):
    """A small disk as a drive without a controller."""
    path = os.path.join(folder, f'{name}.img')
    procs.run(['qemu-img', 'create', '-q', '-f', 'raw', path, '16M'])
    return ['-drive', f'file={path},format=raw,if=none,id={name},cache=unsafe']


def hardware(folder):
    """Emulated and paravirtual devices side by side, beside those of agent.boot_full."""
    extra = []
    for name in ('sata', 'lsi', 'pvscsi', 'vscsi', 'nvme', 'stick'):
        extra += scratch(folder, name)
    for number, card in enumerate(('e1000', 'vmxnet3')):
        extra += ['-netdev', f'user,id=more{number},restrict=on', '-device', f'{card},netdev=more{number},romfile=']
    return extra + [
        '-device', 'ide-hd,drive=sata', '-device', 'lsi53c895a,id=l', '-device', 'scsi-hd,bus=l.0,drive=lsi',
        '-device', 'pvscsi,id=p', '-device', 'scsi-hd,bus=p.0,drive=pvscsi',
        '-device', 'virtio-scsi-pci,id=v', '-device', 'scsi-hd,bus=v.0,drive=vscsi',
        '-device', 'nvme,drive=nvme,serial=n', '-device', 'qemu-xhci', '-device', 'usb-storage,drive=stick',
        '-device', 'usb-tablet', '-device', 'bochs-display', '-device', 'virtio-gpu-pci', '-device', 'virtio-rng-pci',
        '-device', 'pvpanic-pci', '-device', 'vmgenid,guid=auto']


@shared
def guest():
    """A booted guest with all of that and the package installed."""
    folder = procs.temp_dir()
    made = agent.boot_full(hardware(folder), timeout=300)
    agent.install(made)
    return made


def inventory():
    """tenonctl drivers --json as {module: device}; of two devices with one module the later."""
    value = json.loads(guest().sh('tenonctl drivers --json', 60)[1])
    return {device['module']: device for device in value['devices']}, value


@test(timeout=300)
def catalogue_fits_the_kernel_of_the_image():
    made = image.get()
    folder = procs.temp_dir()
    with open(made.modules_dep, encoding='utf-8') as file:
        release = file.readline().split('/modules/')[1].split('/')[0]
    target = os.path.join(folder, 'lib/modules', release)
    os.makedirs(target)
    os.makedirs(os.path.join(folder, 'boot'))
    made.dump([f'/usr/lib/modules/{release}/{name}' for name in LISTS], target)
    made.dump([f'/boot/config-{release}'], os.path.join(folder, 'boot'))
    for name in LISTS:
        check(os.path.exists(os.path.join(target, name)), f'{name} was not found in the image')
    program = glob.glob(os.path.join(agent.BUILD, 'pvdrivers', 'test-pvdrivers-debian-kernel'))[0]
    done = subprocess.run([program, folder], capture_output=True, text=True, timeout=120, check=False)
    equal(done.returncode, 0, f'exit status; {done.stdout[-1500:]}{done.stderr[-1500:]}')
    note(f'kernel {release}')


@test(timeout=500)
def advice_for_each_emulated_device():
    modules, value = inventory()
    equal(value['platform'], 'kvm', 'platform')
    for module, better in (('e1000', 'virtio_net'), ('vmxnet3', 'virtio_net'), ('ahci', 'virtio_blk'),
                           ('sym53c8xx', 'virtio_blk'), ('vmw_pvscsi', 'virtio_blk'),
                           ('bochs', 'virtio_gpu'), ('usbhid', 'virtio_input')):
        equal(modules[module]['kind'], 'emulated', f'kind of {module}')
        equal(modules[module]['advice']['module'], better, f'advice for {module}')
        hosts = [change['host'] for change in modules[module]['advice']['changes']]
        equal(hosts, ['libvirt', 'proxmox', 'qemu'], f'hosts of the advice for {module}')
    for module in ('virtio_blk', 'virtio_net', 'virtio_scsi', 'virtio_balloon', 'virtio_console', 'virtio_rng',
                   'virtio_gpu', 'i6300esb', 'pvpanic_pci'):
        equal((modules[module]['kind'], modules[module]['state'], 'advice' in modules[module]),
              ('paravirtual', 'loaded', False), f'{module}')
    for module in ('ahci', 'sym53c8xx', 'virtio_scsi', 'nvme'):
        equal(len(modules[module]['disks']), 1, f'disks of {module}')
    equal(len(modules['e1000']['interfaces']), 1, 'interfaces of e1000')


@test
def table_and_status_say_it_too():
    text = guest().sh('tenonctl drivers', 60)[1]
    note('\n' + text)
    check("in <interface>: <model type='virtio'/>" in text, 'no words of libvirt')
    check('qm set VMID --net0 virtio=' in text, 'no words of Proxmox VE')
    check('is emulated, virtio_net would be faster' in guest().sh('tenonctl status', 60)[1], 'tenonctl status is silent')


@test
def host_is_told_the_same():
    guest().port.wait_agent(60)
    told = guest().ask('tenon-get-drivers', timeout=60)
    equal(told, inventory()[1], 'tenon-get-drivers')
    drivers = {one['driver'] for one in guest().ask('tenon-get-status')['drivers']}
    check({'virtio_blk', 'e1000', 'ahci'} <= drivers, f'drivers of tenon-get-status: {drivers}')


@test
def service_has_run_and_has_few_rights():
    equal(guest().run('systemctl is-active tenon-drivers'), 'active', 'state of the unit')
    equal(guest().run('systemctl --failed --plain --no-legend'), '', 'failed units')
    exposure = guest().run('systemd-analyze security tenon-drivers.service | tail -n 1')
    note(exposure.strip())
    check(float(exposure.split(':')[1].split()[0]) < 2.5, exposure)


@test
def kernel_without_kvm_refuses_ptp_kvm():
    journal = guest().run('journalctl -q -b -u tenon-drivers -o cat --no-pager')
    check('ptp_kvm: refused' in journal, journal)
    equal(guest().sh('grep ptp_kvm /etc/modules-load.d/tenon.conf')[0] != 0, True, 'ptp_kvm is kept')


@test(timeout=200)
def blacklisted_module_stays_out_and_is_said():
    guest().sh("tenonctl watchdog disarm")  # it is in use, where the agent feeds it
    guest().run("modprobe -r i6300esb && (modprobe -r iTCO_wdt; true) && printf 'blacklist %s\\n' i6300esb iTCO_wdt > /etc/modprobe.d/mine.conf")
    guest().run('systemctl restart tenon-drivers', 60)
    journal = guest().run('journalctl -q -b -u tenon-drivers -o cat --no-pager')
    check('i6300esb: skipped, forbidden by /etc/modprobe.d/mine.conf' in journal, journal)
    equal(guest().sh('test -e /sys/module/i6300esb')[0], 1, 'i6300esb is loaded')
    code, text = guest().sh('tenonctl drivers', 60)
    equal(code, 1, 'exit status of tenonctl drivers')
    check('forbidden by /etc/modprobe.d/mine.conf' in text, text)


@test(timeout=200)
def module_without_an_alias_is_loaded_and_kept():
    # A row of one's own: q35 has a watchdog of its own (iTCO), so softdog would be refused.
    guest().run("printf '[dummy]\\nrole=network\\nexplicit=yes\\n' > /etc/tenon/drivers.d/mine.conf")
    equal(guest().run('/usr/libexec/tenon-drivers load --dry-run | grep dummy', 60),
          'dummy: wanted, no device names it, and this is kvm', 'dry run')
    equal(guest().sh('test -e /sys/module/dummy')[0], 1, 'the dry run loaded dummy')
    guest().run('systemctl restart tenon-drivers', 60)
    guest().run('test -e /sys/module/dummy')
    kept = guest().run('cat /etc/modules-load.d/tenon.conf')
    equal([line for line in kept.splitlines() if not line.startswith('#')], ['dummy'], 'what is kept')
    before = guest().run('stat -c %i /etc/modules-load.d/tenon.conf')
    guest().run('systemctl restart tenon-drivers', 60)
    equal(guest().run('stat -c %i /etc/modules-load.d/tenon.conf'), before, 'a second run wrote the file again')


@test(timeout=200)
def no_longer_wanted_is_no_longer_kept():
    guest().run('rm /etc/tenon/drivers.d/mine.conf /etc/modprobe.d/mine.conf; modprobe -r dummy')
    guest().run('systemctl restart tenon-drivers', 60)
    guest().run('test -e /sys/module/i6300esb')
    equal(guest().sh('test -e /etc/modules-load.d/tenon.conf')[0], 1, 'modules-load.d still has a file of ours')


@test
def mistake_in_drivers_d_is_said_and_the_rest_goes_on():
    guest().run("printf '[acme]\\nrole=network\\nmatch=8086:100e\\n' > /etc/tenon/drivers.d/bad.conf")
    code, text = guest().sh('tenonctl drivers', 60)
    equal(code, 1, 'exit status')
    check("/etc/tenon/drivers.d/bad.conf: group [acme], key 'match': the pattern '8086:100e'" in text, text)
    guest().run('systemctl restart tenon-drivers; rm /etc/tenon/drivers.d/bad.conf', 60)
    check('drivers.d/bad.conf' in guest().run('journalctl -q -b -u tenon-drivers -p err -o cat --no-pager'),
          'the journal does not have it')


@test(timeout=200)
def balloon_shows_in_the_memory_facts():
    before = guest().ask('tenon-get-memory')
    check(before['used-bytes'] + before['available-bytes'] == before['total-bytes'], f'{before}')
    check('balloon' not in before, f'a balloon before it was blown up: {before}')
    check(set(before['pressure']['some']) == {'avg10', 'avg60', 'avg300', 'total-usec'}, f'{before}')
    guest().qmp('balloon', value=768 * MIB)

    def blown_up():
        return guest().ask('tenon-get-memory').get('balloon', {}).get('bytes', 0) >= 200 * MIB
    procs.wait_for(blown_up, 60, 'the balloon to hold 200 MiB')
    check('used-bytes' in guest().ask('tenon-get-status')['facts']['memory'], 'the board has no fact memory')
