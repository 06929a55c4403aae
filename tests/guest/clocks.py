# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A guest's clock as this machine sees it, and a guest that stands still."""

import time

import procs


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
    procs.wait_for(lambda: where.ask('tenon-get-time-status')['source'], 60, 'the hardware clock to be located')


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
