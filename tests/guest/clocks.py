# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest's clock as this machine sees it, and a guest that stands still."""

import re
import time

import procs
from cases import check, equal, note

# Every call that can change a clock; two of them also read, with modes=0.
CALLS = 'clock_settime,clock_adjtime,adjtimex,settimeofday'
LOOK = re.compile(r'^\d+ +(adjtimex\(|clock_adjtime\(CLOCK_REALTIME, )\{modes=0,')
OTHER = re.compile(r'^\d+ +(<\.\.\. \w+ resumed|[+-]{3} )')  # the second half of a line, or the end of a process
TRACE = '/run/trace'


def offset(where, rounds=16):
    """(how far the guest's clock is behind ours, the bound of that) in seconds."""
    best = None
    for _ in range(rounds):
        asked = time.time_ns()
        times = where.ask('tenon-time-exchange')
        answered = time.time_ns()
        inside = times['replied'] - times['received']
        error = (answered - asked - inside) / 2e9
        value = (asked + (answered - asked) / 2 - times['received'] - inside / 2) / 1e9
        if best is None or error < best[1]:
            best = (value, error)
    return best


def wait_located(where):
    """Until the keeper knows the hardware clock."""
    procs.wait_for(lambda: where.ask('tenon-get-time-status')['source'], 300, 'the hardware clock to be located')


def follow_host(where):
    """Put the guest's clock right once, as tenon-host time --set does."""
    value, error = offset(where)
    where.ask('tenon-time-adjust', offset=int(value * 1e9), error=int(error * 1e9),
                epoch=where.ask('tenon-time-exchange')['epoch'], step=True)


def jumps_of(where):
    """How often the clock was found to have jumped."""
    return where.ask('tenon-get-time-status')['jumps']


def stand_still(where, seconds, meanwhile=lambda: None):
    """Stop the guest for at least so long; for how long it was at most."""
    begin = time.monotonic()
    where.qmp('stop')
    meanwhile()
    time.sleep(seconds)
    where.qmp('cont')
    return time.monotonic() - begin


def trace(where):
    """Let strace(1) see each call of the agent's, its children's and tenon-clock's, that can change a clock."""
    where.run(f'rm -f {TRACE}; strace -f -q -e trace={CALLS} -o {TRACE} -p "$(pidof tenond tenon-clock)" >/run/strace 2>&1 &')
    procs.wait_for(lambda: where.sh(f'test -e {TRACE}')[0] == 0, 60, 'strace')


def check_untouched(where):
    """What strace saw are looks, and there are some, so it did see."""
    where.sh('kill -INT $(pidof strace); while pidof strace >/dev/null; do sleep 0.1; done')
    lines = where.run(f'cat {TRACE}').splitlines()
    check(any(map(LOOK.match, lines)), f'strace saw no look at the clock: {lines}')
    equal([line for line in lines if not LOOK.match(line) and not OTHER.match(line)], [], 'calls of ours that change a clock')
    note(f'{len(lines)} calls traced, all of them looks')
