# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What a watchdog does only on request: the sleep of the machine, the pretimeout, an orderly reboot, systemd's own
chain, and who guards a reboot where there are two devices. By hand, for each takes minutes: TENON_WATCHDOGS=all, or a
list of sleep, pretimeout, reboot, two, systemd.
"""

from cases import check, equal, note, shared, test
from herd import ERST
from watchdogs import DOG_CONF, TIMEOUT, Watched, on_request

GOVERNOR = ('ACTION==\\"add\\", SUBSYSTEM==\\"watchdog\\", ATTR{pretimeout_governor}=\\"panic\\"')


@shared
def dog():
    """A guest that can sleep and that keeps a panic's last words."""
    return Watched('i6300esb', ['-device', 'i6300esb', '-global', 'ICH9-LPC.disable_s3=0',
                                '-global', 'ICH9-LPC.noreboot=false', *ERST])


@test(timeout=1500)
def it_stops_while_the_machine_sleeps():
    on_request('sleep')
    dog().guest.run('(sleep 1; systemctl suspend) >/dev/null 2>&1 &')
    dog().guest.wait_event('SUSPEND', 60)
    dog().quiet(3 * TIMEOUT)
    dog().guest.qmp('system_wakeup')
    dog().guest.wait_event('WAKEUP', 20)
    dog().wait_state('fed')
    check(dog().active(), 'the device is not armed after the sleep')
    dog().stall()
    note(f'agent stopped after the sleep: fired {dog().fires():.1f} s later')
    dog().cause('hang')


@test(timeout=1500)
def kernel_panics_at_the_pretimeout():
    on_request('pretimeout')
    dog().guest.run(f'modprobe pretimeout_panic; echo "{GOVERNOR}" >/etc/udev/rules.d/90-dog.rules; udevadm control --reload; '
                    'udevadm trigger --action=add --settle --subsystem-match=watchdog; sysctl -q kernel.panic=0')
    dog().configure(extra='pretimeout-seconds=4')
    dog().restart()
    told = dog().wait_state('fed')
    row = [row for row in told['devices'] if row['device'] == told['device']][0]
    equal((told['pretimeout-seconds'], row['pretimeout-governor']), (4, 'panic'), 'what is told of the pretimeout')
    dog().quiet(2 * TIMEOUT)
    dog().stall()
    note(f'agent stopped: fired {dog().fires():.1f} s later')
    reason = dog().cause('panic')
    check('watchdog pretimeout event' in reason, f'the reason: {reason}')
    dog().configure()
    dog().restart()


@test(timeout=1500)
def machine_is_rebooted_in_order():
    on_request('reboot')
    dog().configure(extra='action=reboot')
    dog().restart()
    before = dog().wait_state('fed')['resets']
    dog().sync()
    dog().guest.ask('test-gate', feed=False, reason='the disk is full')
    equal(dog().guest.wait_event('RESET', 120)['data']['guest'], True, 'the guest itself asked for the reset')
    dog().quiet(1)
    equal(dog().cause('starved'), 'the disk is full', 'reason after the reboot')
    equal(dog().told()['resets'], before + 1, 'counted resets')
    dog().configure()
    dog().restart()


def use_the_second():
    """The chipset has a device, too. Which of the two is the first, the kernel decides, at each boot: use the other one."""
    dog().guest.run('modprobe -a i6300esb iTCO_wdt')
    dog().use({'i6300ESB timer': 'i6300esb', 'iTCO_wdt': 'iTCO_wdt'}[dog().guest.run('cat /sys/class/watchdog/watchdog1/identity')])
    equal(dog().node(), 'watchdog1', 'the device in use')


@test(timeout=1500)
def two_devices_and_the_first_one_guards_a_reboot():
    on_request('two')
    use_the_second()
    equal(dog().goes_down(), {'watchdog0': 600}, 'what guards the end')


@test(timeout=1500)
def two_devices_and_the_named_one_guards_a_reboot():
    on_request('two')
    use_the_second()
    dog().set_systemd('WatchdogDevice=/dev/watchdog1')
    dog().restart()
    equal(dog().wait_state('fed')['device'], 'watchdog1', 'a device that systemd only knows of is ours')
    equal(dog().goes_down(), {'watchdog1': 600}, 'what guards the end')


@test(timeout=3000)
def two_devices_and_ours_guards_a_reboot_where_systemd_does_not():
    on_request('two')
    use_the_second()
    for line in ('WatchdogDevice=/dev/watchdog7', 'RebootWatchdogSec=off'):
        dog().set_systemd(line)
        dog().restart()
        ours = dog().wait_state('fed')['device']
        equal(dog().goes_down(), {ours: 600}, f'what guards the end: {line}')
    dog().guest.run(f'rm {DOG_CONF}; systemctl daemon-reexec')
    dog().use('i6300esb')


@test(timeout=1500)
def systemd_reboots_when_it_is_not_fed():
    on_request('systemd')  # the last one, for it leaves a unit behind that no other test wants
    dog().use('softdog', False)
    dog().configure(mode='systemd')
    dog().guest.run('mkdir -p /etc/systemd/system/tenond.service.d; printf "[Unit]\\nFailureAction=reboot-force\\n'
                    f'[Service]\\nWatchdogSec={TIMEOUT}s\\nRestart=no\\n" > /etc/systemd/system/tenond.service.d/dog.conf; '
                    'systemctl daemon-reload; systemctl stop tenond; systemctl start tenond')
    check('systemd watches the agent' in dog().wait_state('fed')['reason'], 'the reason does not tell of systemd')
    check('active' not in dog().guest.run('cat /sys/class/watchdog/*/state').split(), 'a device is armed')
    dog().quiet(3 * TIMEOUT)
    dog().sync()
    dog().guest.ask('test-gate', feed=False, reason='the disk is full')
    note(f'systemd rebooted {dog().fires():.1f} s later')
    equal(dog().cause('starved'), 'the disk is full', 'reason after the reboot')
