# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Going down and to sleep by logind, for which python3-dbusmock stands in on a bus of its own. The agent runs in
namespaces in which nothing of this machine can be reached that could take it down: no /run, other processes, and false in
place of the programs."""

import os

import tenond
from bus import Bus, Logind, need_root
from cases import Skip, check, equal, shared, test
from hostport import AgentError
from procs import wait_for

SAFE = r'''
for program in poweroff halt reboot shutdown; do
    [ ! -e /sbin/$program ] || mount --bind /bin/false /sbin/$program || exit 77
done
mount -t tmpfs none /run && mount --bind "$1" /sys/power/state || exit 77
shift
exec "$@"
'''


@shared
def bus():
    """The bus."""
    need_root()
    return Bus()


@shared
def agent():
    """An agent with the plugin power, which the host may ask for all."""
    made = tenond.Agent('', tenond.plugin_options(('power',)), start=False)
    state = made.path('state')
    with open(state, 'w', encoding='utf-8') as file:
        file.write('freeze mem disk\n')
    inside = ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', SAFE, 'sh', state]
    if not os.path.exists('/sys/power/state') or tenond.run(*inside, 'true')[0] != 0:
        raise Skip('no namespaces to be had here')
    made.command = ['env', f'DBUS_SYSTEM_BUS_ADDRESS={bus().address}', *inside, tenond.built('agent/tenond')]
    made.configure('[agent]\ndbus=no\nhelper=/nonexistent/helper\n[policy]\npreset=open\n')
    return made.start()


def shutdown(mode):
    """The fact about that mode, once the system was asked."""
    return wait_for(lambda: (told := agent().ask('tenon-get-status')['facts'].get('shutdown')) and
                    told['state'] in ('requested', 'failed') and told['mode'] == mode and told, 30, 'the fact')


@test
def logind_is_asked():
    """Each mode by its method, without a question to a user; nobody else is asked."""
    logind = Logind(bus())
    try:
        for mode, method in (('powerdown', 'PowerOff'), ('reboot', 'Reboot')):
            agent().host().order('guest-shutdown', {'mode': mode})
            wait_for(lambda name=method: logind.calls(name), 30, method)
            equal([line.split()[1:] for line in logind.calls(method)], [[method, 'False']], f'calls of {method}')
            told = shutdown(mode)
            equal((told['state'], told['by']), ('requested', 'logind'), 'the fact')
    finally:
        logind.close()


@test
def sleep_is_asked_for_when_the_machine_can():
    logind = Logind(bus())
    try:
        agent().host().order('guest-suspend-ram')
        wait_for(lambda: logind.calls('Suspend'), 30, 'Suspend')
        check(logind.calls('CanSuspend'), 'it was not asked whether the machine can')
    finally:
        logind.close()


@test
def a_machine_that_cannot_sleep_says_so():
    for answer in ('na', 'no'):
        logind = Logind(bus(), CanSuspend=answer)
        try:
            agent().ask('guest-suspend-ram')
            check(False, 'it was not refused')
        except AgentError as error:
            check(f"CanSuspend is '{answer}'" in str(error), str(error))
            equal(logind.calls('Suspend'), [], 'calls of Suspend')
        finally:
            logind.close()


@test
def without_logind_each_way_is_named():
    try:
        agent().ask('guest-suspend-ram')
        check(False, 'something put this to sleep')
    except AgentError as error:
        for way in ('logind: ', 'systemd: ', 'program: '):
            check(way in str(error), str(error))
