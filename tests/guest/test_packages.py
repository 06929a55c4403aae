# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The life of the packages in a Debian guest: installed, upgraded, downgraded, a part removed, removed, purged.

Throughout, the watchdog stays armed, the port is let go for one restart at a time, and settings and state are kept. In the
end nothing is left of what was not there before. The tests build on each other.
"""

import agent
import newer
import procs
from cases import check, equal, note, shared, test
from hostport import AgentError

PARTS = ('accounts', 'exec', 'files')
# What dpkg, systemd and the package manager keep of any package that was once there.
LISTING = ("find /etc /usr /var/lib /lib/systemd /run/systemd/system -xdev ! -path '/var/lib/dpkg*' ! -path '/var/lib/systemd/*' "
           "! -path '/etc/systemd/system/*.wants' ! -name '.placeholder' 2>/dev/null | sort")
# debhelper's own part of the scripts takes folders of AppArmor's along that are empty.
EMPTIED = {'/etc/apparmor.d/disable'}
SAMPLER = ('(while [ -e /run/sampling ]; do cat $(dirname $(grep -l i6300ESB /sys/class/watchdog/*/identity))/state; sleep 0.05; done >/run/samples) '
           '>/dev/null 2>&1 &')


@shared
def guest():
    """A booted guest with this version and a newer one at hand; nothing is installed yet."""
    folder = procs.temp_dir()
    made = agent.resume_full(files=[newer.repack(path, folder) for path in (agent.deb(), *agent.part_debs())])
    made.before = made.run(LISTING).splitlines()
    return made


def dpkg(words, restarts):
    """Run dpkg: the watchdog stays armed, and the port is let go and taken again that often; the output."""
    guest().run('touch /run/sampling; ' + SAMPLER)
    guest().qmp('query-status')  # events come with answers
    guest().monitor.events.clear()
    text = guest().run(f'mount -o ro /dev/vdb /mnt && dpkg {words}; status=$?; {agent.UMOUNT}; exit $status', 300)
    guest().port.wait_agent(60)
    guest().run('rm /run/sampling; sleep 0.2')
    samples = guest().run('cat /run/samples').split()
    check(len(samples) > 3 and set(samples) == {'active'}, f'the watchdog was {samples}')
    guest().qmp('query-status')
    changes = [(event['data']['open'], event['timestamp']['seconds'] + event['timestamp']['microseconds'] / 1e6)
               for event in guest().monitor.events
               if event['event'] == 'VSERPORT_CHANGE' and event['data']['id'] == 'port-qga0']
    gaps = [after - before for (was, before), (now, after) in zip(changes, changes[1:]) if not was and now]
    check(1 <= len(gaps) <= restarts, f'the port was let go {len(gaps)} times: {changes}')
    note(f'the port was away for {" and ".join(f"{gap:.1f}" for gap in gaps)} s')
    return text


def version():
    """What the agent says that it is."""
    return guest().ask('guest-info')['version']


def commands():
    """Names of the commands that are there."""
    return {row['name'] for row in guest().ask('guest-info')['supported_commands']}


def kept():
    """What must survive: settings, and the state that the agent keeps."""
    return guest().run('cat /etc/tenon/tenond.conf /etc/tenon/tenond.conf.d/*.conf; ls -A /var/lib/tenon; '
                       'systemctl is-enabled tenon-drivers.service tenon-update-check.timer')


@test(timeout=600)
def without_the_parts_there_is_no_such_code():
    agent.install(guest())
    guest().port.wait_agent(90)
    procs.wait_for(lambda: guest().ask('tenon-get-watchdog')['state'] == 'fed', 60, 'the watchdog to be armed')
    there = commands()
    check('guest-get-osinfo' in there, f'{there}')
    equal([name for name in there if name.startswith(('guest-exec', 'guest-file', 'guest-ssh', 'guest-set-user'))], [],
          'commands of packages that are not installed')
    left = guest().sh("find / -xdev -name 'tenon-*-helper' -o -path '*/tenon/plugins/*' | sort")[1]
    check(not any(f'/{part}.so' in left or f'tenon-{part}-helper' in left for part in PARTS), left)
    try:
        guest().ask('guest-exec', path='/bin/true')
        raise AssertionError('guest-exec is there')
    except AgentError as error:
        equal((error.klass, error.desc), ('CommandNotFound', 'The command guest-exec has not been found'), 'the answer')


@test(timeout=600)
def parts_bring_their_commands_with_one_restart():
    guest().run("printf '[policy]\\npreset=open\\n# mine\\n' >/etc/tenon/tenond.conf.d/mine.conf; echo '# mine' >>/etc/tenon/tenond.conf")
    dpkg('-i ' + ' '.join(f'/mnt/tenon-{part}_*.deb' for part in PARTS), restarts=1)
    check({'guest-exec', 'guest-file-open', 'guest-ssh-get-authorized-keys', 'guest-set-user-password'} <= commands(),
          f'{commands()}')
    check('pid' in guest().ask('guest-exec', path='/bin/true'), 'guest-exec')


@test(timeout=600)
def upgrade_and_downgrade_keep_settings_and_state():
    before = kept()
    old = version()
    dpkg('-i /mnt/newer-tenon*.deb', restarts=2)
    equal(version(), newer.NEWER, 'version after the upgrade')
    equal(kept(), before, 'settings and state after the upgrade')
    dpkg('-i ' + ' '.join(['/mnt/tenon_*.deb', *(f'/mnt/tenon-{part}_*.deb' for part in PARTS)]), restarts=2)
    equal(version(), old, 'version after the downgrade')
    equal(kept(), before, 'settings and state after the downgrade')
    check('guest-exec' in commands(), 'the parts are gone')


@test(timeout=600)
def removed_part_takes_its_commands_along():
    dpkg('-r tenon-exec', restarts=1)
    there = commands()
    check('guest-exec' not in there and 'guest-file-open' in there, f'{there}')


@test(timeout=600)
def agent_that_was_stopped_stays_so():
    """To dpkg the same version once more is an upgrade."""
    guest().run(f'systemctl stop tenond; mount -o ro /dev/vdb /mnt && dpkg -i /mnt/tenon_*.deb && {agent.UMOUNT}', 200)
    equal(guest().sh('systemctl is-active tenond')[1].strip(), 'inactive', 'the agent after the upgrade')


@test(timeout=600)
def removed_and_installed_again_it_answers():
    """To dpkg that is an upgrade, too."""
    guest().run('dpkg -r tenon-files tenon-accounts tenon', 120)
    equal(guest().sh('pidof tenond tenon-clock')[0], 1, 'status of pidof tenond after the removal')
    equal(guest().sh('ls /run/tenon* 2>/dev/null')[1].strip(), '', 'what is left in /run')
    check('mine' in guest().run('cat /etc/tenon/tenond.conf'), 'the settings are gone before the purge')
    guest().run(f'mount -o ro /dev/vdb /mnt && dpkg -i /mnt/tenon_*.deb && {agent.UMOUNT}', 200)
    guest().port.wait_agent(60)


@test(timeout=600)
def removed_and_purged_nothing_is_left():
    guest().run('dpkg -r tenon', 120)
    guest().run('rm /etc/tenon/tenond.conf.d/mine.conf; dpkg -P tenon tenon-exec tenon-files tenon-accounts', 120)
    after = guest().run(LISTING).splitlines()
    equal(sorted(set(after) - set(guest().before)), [], 'what is left')
    equal(sorted(set(guest().before) - set(after) - EMPTIED), [], 'what is missing')
