# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The clock in a Debian guest with systemd, the agent in the sandbox of its unit: `observe` and `assist` beside chrony,
`assist` beside systemd-timesyncd, both from Debian's packages; sleep; a PTP clock of the kernel's.

The daemons' server is a stand-in on this machine, behind a user network of QEMU's on the second card. That card's own
PTP clock, which under emulation stands still, stands in for a hypervisor's by its name only: the device, the driver
and the requests are real, and so is what the sandbox lets through.
"""

import functools
import glob
import os
import time

import agent
import clocks
import ntpserver
import peers
import procs
from cases import check, equal, note, shared, test

PAUSE, LONG_PAUSE = 12, 30
PATIENCE = 600  # seconds for what takes ten on a machine that has nothing else to do
NEAR = 0.5  # seconds; how well a daemon knows the time right after a jump is the daemon's affair
SERVER = '10.0.9.2'
SECOND_CARD = ('-netdev', 'user,id=net1,ipv6=off,net=10.0.9.0/24', '-device', 'e1000e,netdev=net1,romfile=')
PACKAGES = (*peers.CHRONY, 'adduser', 'ucf', 'systemd-timesyncd', 'strace', 'libunwind8')
# timesyncd knows no port but 123.
FORWARD = r'''use strict; use IO::Socket::INET; use IO::Select;
my $in = IO::Socket::INET->new(LocalAddr => "127.0.0.1:123", Proto => "udp") or die $!;
my $out = IO::Socket::INET->new(PeerAddr => shift, Proto => "udp") or die $!;
my ($select, $from, $text) = IO::Select->new($in, $out);
while (1) {
    for my $socket ($select->can_read) {
        my $sender = $socket->recv($text, 1024);
        if ($socket == $in) { $from = $sender; $out->send($text) } elsif ($from) { $in->send($text, 0, $from) }
    }
}
'''


@functools.cache
def port():
    """The port of the stand-in for an NTP server."""
    return ntpserver.start()


@shared
def guest():
    """A booted guest with the package installed, the daemons' packages unpacked, and the second card up."""
    folder = procs.temp_dir()
    procs.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', *PACKAGES], cwd=folder, timeout=PATIENCE)
    with open(folder + '/forward.pl', 'w', encoding='ascii') as file:
        file.write(FORWARD)
    made = agent.boot_installed([*SECOND_CARD, '-device', 'vmgenid,guid=auto'],
                                files=[*glob.glob(folder + '/*.deb'), folder + '/forward.pl'], timeout=2 * PATIENCE)
    made.tell_more = lambda: made.sh('journalctl -b -o cat -n 12 --no-pager -u tenond -u chrony -u systemd-timesyncd; '
                                     'tail -n 5 /run/trace')[1]
    made.run('mkdir -p /mnt /root/peers && mount -o ro /dev/vdb /mnt && cp /mnt/*.* /root/peers && umount /mnt')
    made.run('modprobe e1000e && card=$(ls /sys/bus/pci/drivers/e1000e/0*/net | head -n 1) && ip link set $card up && '
             '(ip addr add 10.0.9.15/24 dev $card || true)', PATIENCE)
    made.port.wait_agent(PATIENCE)
    return made


def configure(mode):
    """Start the agent anew, in that mode, and wait for the hardware clock to be located."""
    guest().run(f"printf '[log]\\nlevel=info\\n[timesync]\\nmode={mode}\\n' >/etc/tenon/tenond.conf; "
                'systemctl restart tenond', PATIENCE)
    guest().port.close()
    guest().port.wait_agent(PATIENCE)
    clocks.wait_located(guest())


def status():
    """What the agent says of the clock."""
    return guest().ask('tenon-get-time-status')


def journal(unit):
    """What that unit has logged since the boot."""
    return guest().run(f'journalctl -b -o cat -u {unit} --no-pager')


@test(timeout=6 * PATIENCE)
def ptp_clock_can_be_read_in_the_sandbox():
    """The card's clock under the name of KVM's: it stands still, so it is contradicted by the hardware clock at once."""
    clock = guest().run('ls -d /sys/class/ptp/ptp* | head -n 1')
    guest().run(f'echo "KVM virtual PTP" >/run/name && mount --bind /run/name {clock}/clock_name')
    configure('observe')
    found = status()
    rows = {row['name']: row for row in found['sources']}
    note(f'sources: {found["sources"]}, source {found["source"]}, offset {found["offset"]}')
    check('ptp_kvm' in rows, f'sources: {found["sources"]}')
    check('open' not in (rows['ptp_kvm']['problem'] or '') and 'read' not in (rows['ptp_kvm']['problem'] or ''),
          f'the clock cannot be read: {rows["ptp_kvm"]}')
    equal(found['steps'], 0, 'steps in observe')
    guest().run(f'umount {clock}/clock_name; rm /run/name')


@test(timeout=6 * PATIENCE)
def sleep_is_heard_from_logind():
    """`systemctl suspend` and a wakeup by QEMU, 12 s later."""
    configure('auto')
    clocks.follow_host(guest())
    guest().run('(sleep 1; systemctl suspend) >/dev/null 2>&1 &')
    guest().wait_event('SUSPEND', PATIENCE)
    time.sleep(PAUSE)
    guest().qmp('system_wakeup')
    guest().wait_event('WAKEUP', PATIENCE)
    guest().port.close()
    guest().port.wait_agent(PATIENCE)
    procs.wait_for(lambda: 'has woken from sleep; its clock is looked at' in journal('tenond'), PATIENCE, 'the signal')
    # The kernel counts whole seconds of sleep. A clock that it put ahead is slewed back, which takes half an hour for a second.
    procs.wait_for(lambda: -1 < clocks.offset(guest(), 4)[0] < 0.05, PATIENCE, 'the clock not to be behind after the sleep')
    behind = clocks.offset(guest(), 4)[0]
    note(f'{-behind * 1e3:.1f} ms ahead right after the sleep')
    if behind < -0.05:
        procs.wait_for(lambda: clocks.offset(guest(), 4)[0] > behind + 0.02, PATIENCE, 'the clock to be slewed back')
    fact = guest().ask('tenon-get-status')['facts']['sleep']
    equal(fact['state'], 'awake', 'the fact')
    check(PAUSE / 2 < fact['asleep-usec'] / 1e6 < 10 * PAUSE, f'the fact {fact}')


def assisted(owner, before):
    """After a pause, what the daemon did about the clock; `before` tells how often it did it."""
    configure('assist')
    equal((status()['owner'], status()['mode']), (owner, 'assist'), 'owner and mode')
    times = before()
    clocks.stand_still(guest(), LONG_PAUSE)
    procs.wait_for(lambda: clocks.jumps_of(guest()) > 0, PATIENCE, 'the pause to be noticed')
    equal(status()['last-jump']['outcome'], 'the daemon is asked to step it', 'what became of the jump')
    begin = time.monotonic()
    procs.wait_for(lambda: abs(clocks.offset(guest(), 4)[0]) < NEAR, PATIENCE, f'{owner} to put the clock right')
    note(f'{owner}: within {NEAR} s again {time.monotonic() - begin:.1f} s after the jump was noticed')
    time.sleep(25)  # two more looks, which must not ask again
    equal(before() - times, 1, f'how often {owner} was made to do it')
    equal((status()['steps'], clocks.jumps_of(guest())), (0, 1), 'steps of our own, and jumps')
    check('asking the time daemon' not in journal('tenond'), journal('tenond')[-1500:])
    heard = guest().run('timeout 10 tenonctl events --json --since=10min || true')
    check(any('"TIME_SYNC_CHANGED"' in line and 'asked to step' in line for line in heard.splitlines()),
          f'no event told of the jump: {heard[-1500:]}')
    on_bus = guest().run('busctl get-property org.tenon.Agent1 /org/tenon/Agent1 org.tenon.Agent1.Time LastJump')
    check('asked to step' in on_bus, f'LastJump on D-Bus: {on_bus}')
    check('kept by ' + owner in guest().run('tenonctl time || true'), 'tenonctl time names the owner')


def start_chrony():
    """Debian's chrony, installed, begun anew (what it measured across a pause bends its idea of the clock) and
    synchronised. It may step by itself at its start only."""
    if guest().sh('dpkg -s chrony')[0] != 0:
        guest().run(f'mkdir -p /etc/chrony && printf "server {SERVER} port {port()} iburst\nmakestep 1 1\nrtcsync\n'
                    'driftfile /var/lib/chrony/drift\n" >/etc/chrony/chrony.conf')
        guest().run('cd /root/peers && export DEBIAN_FRONTEND=noninteractive && dpkg --force-depends --force-confold -i '
                    'adduser_*.deb ucf_*.deb libmd0_*.deb libbsd0_*.deb libedit2_*.deb chrony_*.deb', PATIENCE)
    guest().run('systemctl restart chrony', PATIENCE)
    procs.wait_for(lambda: peers.SYNCHRONISED in guest().sh('chronyc -n tracking')[1], PATIENCE, 'chrony to synchronise')


def chrony_steps():
    """How often chrony tells that it has stepped the clock."""
    return journal('chrony').count('System clock was stepped by')


@test(timeout=6 * PATIENCE)
def observe_beside_chrony_changes_nothing():
    """Each call that can change a clock is traced, in the sandbox of the unit."""
    start_chrony()
    guest().run('cd /root/peers && dpkg -i --force-depends libunwind8_*.deb strace_*.deb', PATIENCE)
    configure('auto')
    clocks.trace(guest())
    equal((status()['owner'], status()['mode']), ('chronyd', 'observe'), 'owner and mode')
    before = chrony_steps()
    clocks.stand_still(guest(), PAUSE)
    procs.wait_for(lambda: clocks.jumps_of(guest()) > 0, PATIENCE, 'the pause to be noticed')
    equal(status()['last-jump']['outcome'], 'reported only', 'what became of the jump')
    time.sleep(25)
    clocks.check_untouched(guest())
    equal((chrony_steps() - before, status()['steps']), (0, 0), 'steps of chrony, and of our own')


@test(timeout=6 * PATIENCE)
def assist_beside_chrony():
    """chronyc runs outside of the sandbox, which would not let it reach chronyd."""
    start_chrony()
    assisted('chronyd', chrony_steps)
    check(peers.SYNCHRONISED in guest().run('chronyc -n tracking'), 'chrony stays synchronised')
    guest().run('systemctl disable --now chrony', PATIENCE)


@test(timeout=6 * PATIENCE)
def assist_beside_timesyncd():
    """It has no word for a step: it is started anew, asks its server at once, and steps."""
    guest().run('systemd-run -q --unit=forward -p Restart=always '
                f'/usr/bin/perl /root/peers/forward.pl {SERVER}:{port()}')
    guest().run('mkdir -p /etc/systemd/timesyncd.conf.d && printf "[Time]\nNTP=127.0.0.1\nFallbackNTP=\n" '
                '>/etc/systemd/timesyncd.conf.d/test.conf')
    guest().run('cd /root/peers && dpkg --force-depends --force-conflicts -i systemd-timesyncd_*.deb && '
                'systemctl restart systemd-timesyncd', PATIENCE)
    procs.wait_for(lambda: 'initial clock synchronization' in journal('systemd-timesyncd').lower(), 180,
                   'timesyncd to synchronise')
    assisted('systemd-timesyncd', lambda: journal('systemd-timesyncd').count('Started'))
