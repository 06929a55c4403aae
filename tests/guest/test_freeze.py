# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Real file systems, really frozen, in guests: mostly in one with a kernel and busybox only.

/a and /b are ext4 disks. A writer in the background shows whether a file system is frozen: it is blocked as
long as it is. stuck.c makes calls hang in the kernel. The agent's own files are all in memory, so what is
told here of the agent is not disturbed by its own root being frozen. That is what the Debian guest at the end
of the file is for.
"""

import json
import os
import re
import time

import agent
import devices
import machine
import procs
from cases import check, equal, note, shared, test
from hostport import AgentError

MODULES = (*agent.MODULES, 'virtio_blk', 'crc32c_generic', 'ext4', 'loop', 'fuse')

CONFIG = agent.CONFIG + b'''[freeze]
hook-directory=/hooks
hook-timeout-ms=1500
qga-hook=
'''


def compile_helper(folder):
    """Build stuck.c for the guest; its path."""
    path = os.path.join(folder, 'stuck')
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'stuck.c')
    procs.run(['cc', '-O1', '-o', path, source])
    return path


@shared
def guest():
    """A guest with two ext4 disks, mounted on /a and /b, and the agent."""
    folder = procs.temp_dir()
    helper = compile_helper(folder)
    files = {**agent.micro_files(), '/etc/tenond.conf': CONFIG, '/usr/bin/stuck': helper}
    disks = [devices.disk(machine.data_disk(folder, [helper], name, size), 'raw')
             for name, size in (('a.img', '64M'), ('b.img', '64M'), ('c.img', '8M'))]
    hardware = [*sum(disks, []), *devices.virtio_serial(), *devices.port()]
    made = machine.boot_micro(files, MODULES, hardware)
    made.tell_more = lambda: agent.tell_log(made)
    made.run('mkdir -p /a /b /fuse /loop /hooks; chmod 755 /hooks; '
             'mount -t ext4 /dev/vda /a; mount -t ext4 /dev/vdb /b')
    agent.start(made)
    made.port.wait_agent(20)
    return made


def pid(name):
    """The process with this name; the freezer's processes have the agent's command line, so no pidof."""
    return int(guest().run(f'cat /proc/[0-9]*/stat 2>/dev/null | sed -n "s/ ({name}).*//p"'))


def write_behind(path):
    """Write to a file system in the background, once; /run/wrote-NAME appears when it could."""
    name = path.strip('/').replace('/', '-')
    guest().run(f'rm -f /run/wrote-{name}; '
                f'(echo x >{path}/file; cut -d" " -f1 /proc/uptime >/run/wrote-{name}) >/dev/null 2>&1 &')
    return f'/run/wrote-{name}'


def has_written(mark):
    """Whether the writer of write_behind() got through."""
    return guest().sh(f'test -s {mark}')[0] == 0


def wait_written(mark, timeout=10):
    """Wait until it did; the guest's uptime then, in seconds."""
    procs.wait_for(lambda: has_written(mark), timeout, f'{mark} in the guest')
    return float(guest().run(f'cat {mark}'))


def milliseconds(command, timeout=5, **arguments):
    """How long a command took, as the host sees it."""
    begin = time.monotonic()
    guest().ask(command, timeout, **arguments)
    return (time.monotonic() - begin) * 1000


def check_answers_at_once(when):
    """The commands that must always be answered; the first answer may find a cold cache."""
    port = guest().port
    slowest = 0
    for command in ('guest-ping', 'guest-info', 'guest-fsfreeze-status', 'guest-ping'):
        slowest = max(slowest, milliseconds(command))
    begin = time.monotonic()
    port.sync()
    slowest = max(slowest, (time.monotonic() - begin) * 1000)
    note(f'{when}: slowest of ping, info, status, sync: {slowest:.0f} ms (software emulation)')
    check(slowest < 250, f'{when}: an answer took {slowest:.0f} ms')


def refused(command, **arguments):
    """The text of the error that a command has to end with."""
    try:
        value = guest().ask(command, **arguments)
    except AgentError as error:
        return error.desc
    raise AssertionError(f'{command} returned {value!r}')


def report():
    """What the agent tells of the last freeze."""
    return guest().ask('tenon-get-freeze-report')


def wait_thawed(timeout=10):
    """Wait until the agent says that nothing is frozen and nothing is under way."""
    procs.wait_for(lambda: guest().ask('guest-fsfreeze-status') == 'thawed' and
                   report()['state'] in ('thawed', 'none'), timeout, 'the thaw')


@test
def check_tells_the_plan():
    rows = {row['mountpoint']: row for row in guest().ask('tenon-freeze-check')['file-systems']}
    equal((rows['/b']['order'], rows['/a']['order']), (1, 2), 'order of /b and /a')
    equal(rows['/run']['verdict'], 'skip', 'verdict of /run')
    inside = guest().run('tenonctl --socket /run/tenon/control.sock freeze --check')
    check('/a' in inside and 'in memory' in inside, f'tenonctl freeze --check printed {inside!r}')
    equal(guest().sh('tenonctl freeze')[0], 2, 'status of tenonctl freeze without --check')


@test
def freeze_and_thaw():
    equal(guest().ask('guest-fsfreeze-status'), 'thawed', 'state before')
    equal(guest().ask('guest-fsfreeze-freeze'), 2, 'file systems frozen')
    marks = [write_behind('/a'), write_behind('/b')]
    equal(guest().ask('guest-fsfreeze-status'), 'frozen', 'state')
    check_answers_at_once('while frozen')
    equal(refused('guest-fstrim'), 'Command guest-fstrim has been disabled: the command is not allowed (the agent is in frozen state)',
          'answer to another command')
    check('the agent is in frozen state' in refused('guest-fsfreeze-freeze'), 'a second freeze')
    check(not any(map(has_written, marks)), 'something was written while frozen')
    equal(guest().ask('guest-fsfreeze-thaw'), 2, 'file systems thawed')
    for mark in marks:
        wait_written(mark)
    equal(guest().ask('guest-fsfreeze-thaw'), 0, 'a second thaw')
    told = report()
    equal((told['thawed-by'], told['memory-locked']), ('request', True), 'thawed-by, memory-locked')
    note('frozen window {frozen-usec} us, flushing {flush-usec} us'.format(**told))


@test
def list_of_mount_points():
    equal(guest().ask('guest-fsfreeze-freeze-list', mountpoints=['/b', '/nowhere']), 1, 'file systems frozen')
    mark = write_behind('/a')
    wait_written(mark)
    equal(guest().ask('guest-fsfreeze-thaw'), 1, 'file systems thawed')
    equal(guest().ask('guest-fsfreeze-freeze-list', mountpoints=['/nowhere']), 0, 'nothing to freeze')
    equal(guest().ask('guest-fsfreeze-status'), 'thawed', 'state')


@test
def deadline_thaws():
    begin = float(guest().run('cut -d" " -f1 /proc/uptime'))
    equal(guest().port.request('guest-fsfreeze-freeze', {'timeout': 2})['return'], 2, 'file systems frozen')
    mark = write_behind('/a')
    seconds = wait_written(mark) - begin
    check(1.9 < seconds < 4, f'written {seconds:.1f} s after the freeze of 2 s')
    wait_thawed()
    equal(guest().ask('guest-fsfreeze-thaw'), 0, 'thaw afterwards')
    equal(report()['thawed-by'], 'deadline', 'thawed-by')


@test
def killed_agent_leaves_nothing_frozen():
    equal(guest().ask('guest-fsfreeze-freeze'), 2, 'file systems frozen')
    mark = write_behind('/a')
    killed = float(guest().run(f"cut -d' ' -f1 /proc/uptime; kill -9 {pid('tenond')}"))
    seconds = wait_written(mark) - killed
    note(f'thawed {seconds:.2f} s after SIGKILL of the agent')
    check(seconds < 1, f'it took {seconds:.2f} s')
    agent.start(guest())
    guest().port.wait_agent(20)
    equal(guest().ask('guest-fsfreeze-freeze'), 2, 'file systems frozen by the next agent')
    equal(guest().ask('guest-fsfreeze-thaw'), 2, 'file systems thawed')


@test
def terminated_agent_thaws():
    guest().ask('guest-fsfreeze-freeze')
    mark = write_behind('/a')
    guest().run(f"kill -TERM {pid('tenond')}")
    wait_written(mark, 3)
    agent.start(guest())
    guest().port.wait_agent(20)


@test
def killed_keeper_is_replaced():
    guest().ask('guest-fsfreeze-freeze')
    mark = write_behind('/a')
    guest().run(f"kill -9 {pid('tn-freezer')}")
    wait_written(mark, 3)
    wait_thawed()
    equal(report()['thawed-by'], 'rescue', 'thawed-by')


@test
def next_agent_thaws_what_was_left():
    guest().ask('guest-fsfreeze-freeze')
    mark = write_behind('/a')
    main = pid('tenond')
    guest().run(f"kill -STOP {main}; kill -9 {pid('tn-freezer')} {main}")
    time.sleep(1)
    check(not has_written(mark), 'thawed by nobody')
    agent.start(guest())
    wait_written(mark)
    guest().port.wait_agent(20)
    equal(guest().sh('ls /run/tenon-state/qga.state.isfrozen')[0], 1, 'status of ls of the marker')


@test
def loop_file_comes_before_its_disk():
    guest().run('cat /dev/vdc >/b/loop.img && losetup /dev/loop0 /b/loop.img && '
                'mount -t ext4 /dev/loop0 /loop')
    try:
        guest().run('echo dirty >/loop/dirty')
        equal(guest().ask('guest-fsfreeze-freeze'), 3, 'file systems frozen')
        equal(guest().ask('guest-fsfreeze-thaw'), 3, 'file systems thawed')
        order = [row['mountpoint'] for row in report()['file-systems']]
        check(order.index('/loop') < order.index('/b'), f'order {order}')
    finally:
        guest().run('umount /loop; losetup -d /dev/loop0')


@test
def hooks_run_around_it():
    guest().run('rm -f /run/hooked; for n in 10-a 20-b; do '
                'printf "#!/bin/sh\\necho $n \\$1 >>/run/hooked\\n" >/hooks/$n; chmod 755 /hooks/$n; done')
    equal(guest().ask('guest-fsfreeze-freeze'), 2, 'file systems frozen')
    equal(guest().ask('guest-fsfreeze-thaw'), 2, 'file systems thawed')
    equal(guest().run('cat /run/hooked').split('\n'), ['10-a freeze', '20-b freeze', '20-b thaw', '10-a thaw'], 'hooks')
    guest().run('rm -f /hooks/* /run/hooked')


@test
def hook_without_an_end():
    guest().run('printf "#!/bin/sh\\necho \\$1 >>/run/hooked\\n[ \\$1 = thaw ] || sleep 1000\\n" >/hooks/10-a; '
                'chmod 755 /hooks/10-a; rm -f /run/hooked')
    begin = time.monotonic()
    check('10-a: timed out' in refused('guest-fsfreeze-freeze'), 'the error names no hook')
    check(time.monotonic() - begin < 5, 'the limit of 1.5 s was not kept')
    equal(guest().run('cat /run/hooked').split(), ['freeze', 'thaw'], 'hook')
    guest().run('rm -f /hooks/*')
    equal(guest().ask('guest-fsfreeze-status'), 'thawed', 'state')


@test
def fuse_that_hangs_is_not_touched():
    guest().run('stuck fuse /dev/vdc /fuse >/run/stuck.out 2>&1 & sleep 1; cat /run/stuck.out; grep fuseblk /proc/mounts')
    try:
        rows = {row['mountpoint']: row for row in guest().ask('tenon-freeze-check')['file-systems']}
        check('FUSE' in rows['/fuse']['reason'], f"reason {rows['/fuse']}")
        equal(guest().ask('guest-fsfreeze-freeze'), 2, 'file systems frozen')
        equal(guest().ask('guest-fsfreeze-thaw'), 2, 'file systems thawed')
    finally:
        guest().run('kill $(pidof stuck); sleep 0.5; umount /fuse')


@test
def freeze_that_hangs_in_the_kernel():
    guest().run('stuck write /a/held >/run/stuck.out 2>&1 & sleep 1; cat /run/stuck.out')
    port = guest().port
    port.sync()
    port.send(json.dumps({'execute': 'guest-fsfreeze-freeze', 'arguments': {'timeout': 3}}) + '\n')
    time.sleep(1)
    port.sync()  # as after a time-out; the reply is given up
    equal(guest().ask('guest-fsfreeze-status'), 'frozen', 'state, with /b frozen and /a hanging')
    check_answers_at_once('while a freeze hangs')
    mark = write_behind('/b')
    wait_written(mark, 6)
    time.sleep(3)
    told = report()
    states = {row['mountpoint']: row['state'] for row in told['file-systems']}
    equal(states, {'/b': 'thawed', '/a': 'freezing'}, 'states after the deadline')
    check('/a (freezing)' in refused('guest-fsfreeze-thaw'), 'thaw does not tell of /a')
    check_answers_at_once('with one file system left in the kernel')
    guest().run('kill -9 $(pidof stuck)')
    wait_thawed()
    wait_written(write_behind('/a'))
    equal(report()['thawed-by'], 'deadline', 'thawed-by')
    equal(guest().ask('guest-fsfreeze-freeze'), 2, 'file systems frozen afterwards')
    equal(guest().ask('guest-fsfreeze-thaw'), 2, 'file systems thawed afterwards')


@test
def agent_killed_while_a_freeze_hangs():
    guest().run('stuck write /a/held >/run/stuck.out 2>&1 & sleep 1; cat /run/stuck.out')
    guest().port.sync()
    guest().port.send('{"execute": "guest-fsfreeze-freeze"}\n')
    time.sleep(1)
    mark = write_behind('/b')
    killed = float(guest().run(f"cut -d' ' -f1 /proc/uptime; kill -9 {pid('tenond')}"))
    seconds = wait_written(mark) - killed
    check(seconds < 1, f'/b was thawed after {seconds:.2f} s')
    guest().run('kill -9 $(pidof stuck)')
    wait_written(write_behind('/a'))
    agent.start(guest())
    guest().port.wait_agent(20)


@test
def trim_answers_for_each_path():
    paths = {row['path']: row for row in guest().ask('guest-fstrim', minimum=0)['paths']}
    equal(sorted(paths), ['/a', '/b'], 'paths')
    for row in paths.values():
        check('trimmed' in row or row.get('error') == 'trim not supported', f'row {row}')
    note(f"trimmed {[row.get('trimmed', row.get('error')) for row in paths.values()]}")


# What the agent's unit forbids it; not what else systemd does for it.
SANDBOX = re.compile(r'(Type|UMask|NoNewPrivileges|LockPersonality|(CapabilityBounding|System|Memory|Restrict|Protect|Private|Device|'
                     r'IPAddress)\w*)=')


def sandbox():
    """The options for systemd-run that put a program into the sandbox of tenond.service."""
    with open(os.path.join(agent.BUILD, 'data', 'tenond.service'), encoding='utf-8') as file:
        lines = [line.strip() for line in file if SANDBOX.match(line)]
    check({'ProtectSystem=strict', 'ProtectClock=yes'} < set(lines), f'{lines}')
    return ' '.join(f'-p "{line}"' for line in [*lines, 'ReadWritePaths=/run'])


@shared
def system():
    """The Debian guest: systemd, and a journal on the root disk, which is frozen like any other."""
    folder = procs.temp_dir()
    disk = machine.data_disk(folder, [agent.built('agent/tenond'), agent.built('cli/tenonctl'), *agent.plugins()])
    made = machine.boot_full([*devices.disk(disk, 'raw', True), *devices.virtio_serial(), *devices.port()])
    machine.wait_booted(made)
    made.run('mkdir -p /mnt /opt/plugins /etc/hooks /var/log/journal && mount -o ro /dev/vdb /mnt && '
             'cp /mnt/tenond /mnt/tenonctl /opt && cp /mnt/*.so /opt/plugins && umount /mnt && '
             'journalctl --flush && printf "[freeze]\\nhook-directory=/etc/hooks\\nqga-hook=\\n'
             '[agent]\\nstatedir=/run/tenon\\ncontrol-socket=/run/tenon/control.sock\\n" >/etc/tenond.conf && '
             'mkdir -p /run/tenon')
    made.run(f'systemd-run --quiet --unit=tenond {sandbox()} /opt/tenond -v -c /etc/tenond.conf '
             '--plugin-dir=/opt/plugins')
    made.port.wait_agent(20)
    return made


@test(timeout=300)
def root_with_the_journal():
    made = system()
    check('/dev/vda' in made.run('/opt/tenonctl --socket /run/tenon/control.sock freeze --check'), 'no root disk')
    equal(made.ask('guest-fsfreeze-freeze'), 1, 'file systems frozen')
    # journald is blocked by these, so that a log record of the agent's would block, too.
    made.run('(for n in $(seq 400); do echo "<6>filling $n $(head -c 2000 /dev/zero | tr "\\0" x)"; done | '
             'systemd-cat) >/dev/null 2>&1 & sleep 2')
    slowest = 0
    for number in range(300):
        begin = time.monotonic()
        made.ask('guest-ping' if number % 2 else 'guest-fsfreeze-status', 5)
        slowest = max(slowest, (time.monotonic() - begin) * 1000)
        if number % 50 == 0:
            made.port.sync()
    note(f'slowest of 300 answers with a frozen root and a blocked journal: {slowest:.0f} ms')
    check(slowest < 250, f'an answer took {slowest:.0f} ms')
    equal(made.ask('guest-fsfreeze-thaw'), 1, 'file systems thawed')
    equal(made.ask('tenon-get-freeze-report')['memory-locked'], True, 'memory-locked')
    procs.wait_for(lambda: 'held back for' in made.run('journalctl -u tenond --no-pager'), 20, 'held records')


@test
def hooks_run_in_units_of_their_own():
    made = system()
    made.run('printf "#!/bin/sh\\necho \\$1 >>/var/hooked; cat /proc/self/cgroup >/var/cgroup\\n" >/etc/hooks/10-a; '
             'chmod 755 /etc/hooks/10-a')
    equal(made.ask('guest-fsfreeze-freeze', 30), 1, 'file systems frozen')
    equal(made.ask('guest-fsfreeze-thaw', 30), 1, 'file systems thawed')
    equal(made.run('cat /var/hooked').split(), ['freeze', 'thaw'], 'hook, which writes where the agent may not')
    check('tenond.service' not in made.run('cat /var/cgroup'), 'the hook ran in the unit of the agent')


@test(timeout=200)
def killed_service_thaws_and_runs_its_hooks():
    made = system()
    made.run('rm -f /var/hooked')
    equal(made.ask('guest-fsfreeze-freeze', 30), 1, 'file systems frozen')
    made.run('(echo x >/var/written) >/dev/null 2>&1 & kill -9 $(systemctl show -P MainPID tenond)')
    procs.wait_for(lambda: made.sh('test -s /var/written')[0] == 0, 5, 'the thaw')
    procs.wait_for(lambda: made.run('cat /var/hooked').split() == ['freeze', 'thaw'], 30, 'the thaw hook')
