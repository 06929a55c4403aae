# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Runs test files: python3 tests/lib/runner.py [--results FILE] [--match REGEX] [--jobs N] FILE...

Prints `ok NAME (12.3 s)`, `FAIL NAME: why` or `skip NAME: why` for each test and the count as the last
line. --results appends the same words, one test a line, to a file that scripts/test adds up. The folder
of each test file comes first on the module path, then this one. A test that passes its limit is
interrupted by SIGALRM, so a hanging read ends too. --jobs runs that many files at a time, each in an
interpreter of its own, and prints what a file said when it has ended.
"""

import argparse
import importlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback

import cases
import procs

class TestTimeout(Exception):
    """The test took longer than its limit."""


def interrupt(_number, _frame):
    """SIGALRM: the running test has passed its limit."""
    raise TestTimeout('the test passed its time limit')


def explain(error):
    """The error and the lines of the test that led to it, without the runner's own frames."""
    frames = traceback.extract_tb(error.__traceback__)
    return '\n'.join(f'    {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}'
                     for frame in frames if frame.name not in ('run_case', 'run_limited'))


def run_limited(case):
    """Run the function under its alarm."""
    signal.alarm(case.timeout)
    try:
        case.function()
    finally:
        signal.alarm(0)


def run_case(case):
    """Run one test, print its line; returns 'ok', 'FAIL' or 'skip'."""
    cases.NOTES.clear()
    start = time.monotonic()
    try:
        run_limited(case)
    except cases.Skip as reason:
        print(f'skip {case.name}: {reason}', flush=True)
        return 'skip'
    except Exception as error:  # pylint: disable=broad-except
        reason = ' '.join(str(error).split()) or type(error).__name__
        print(f'FAIL {case.name}: {reason}\n{explain(error)}')
        for text in filter(None, (tell() for tell in cases.ON_FAILURE)):
            print(text)
        sys.stdout.flush()
        return 'FAIL'
    print(f'ok {case.name} ({time.monotonic() - start:.1f} s)')
    for text in cases.NOTES:
        print(f'   {text}')
    sys.stdout.flush()
    return 'ok'


def load(path):
    """Import one test file; its cases end in cases.CASES. One that cannot be imported is a failed case."""
    folder, name = os.path.split(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = name.removesuffix('.py')
    try:
        importlib.import_module(name)
    except Exception as error:  # pylint: disable=broad-except
        def cannot_be_imported(error=error):
            raise error
        cannot_be_imported.__module__ = name
        cases.test(cannot_be_imported)


def close_shared():
    """Close what the tests share: at the end, and after a failure, so that it does not make others fail."""
    for thing in cases.SHARED:
        try:
            thing.close()
        except Exception as error:  # pylint: disable=broad-except
            print(f'   while closing {thing.make.__name__}: {error}')


def run_file(path, match, results):
    """Run the tests of one file, close what they shared; returns the list of results."""
    cases.CASES.clear()
    cases.SHARED.clear()
    load(path)
    outcome = []
    for case in cases.CASES:
        if re.search(match, case.name):
            word = run_case(case)
            outcome.append(word)
            if results:
                print(word, case.name, file=results, flush=True)
            if word == 'FAIL':
                close_shared()
    close_shared()
    return outcome


def run_apart(path, options):
    """Run one file in another interpreter; what it printed, its count, which was its last line, taken off."""
    argv = [sys.executable, os.path.abspath(__file__), '--match', options.match]
    if options.results:
        argv += ['--results', options.results]
    child = procs.start([*argv, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = child.communicate()[0].decode(errors='replace').rstrip('\n')
    text, _, last = text.rpartition('\n')
    counts = re.fullmatch(r'(\d+) passed, (\d+) failed, (\d+) skipped', last)
    if counts:
        return text, [int(count) for count in counts.groups()]
    lost = f'FAIL {os.path.basename(path)}: its interpreter ended early, status {child.returncode}'
    if options.results:
        with open(options.results, 'a', encoding='utf-8') as results:
            results.write(f'FAIL {os.path.basename(path)}\n')
    return '\n'.join(filter(None, (text, last, lost))), [0, 1, 0]


def run_at_once(options):
    """Run the files, some at a time, in the order given; returns how many passed, failed and were skipped."""
    waiting = list(reversed(options.files))
    total = [0, 0, 0]
    lock = threading.Lock()

    def work():
        while waiting:
            text, counts = run_apart(waiting.pop(), options)
            with lock:
                print(text, flush=True)
                total[:] = map(sum, zip(total, counts))
    workers = [threading.Thread(target=work, daemon=True) for _ in range(options.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return total


def run_in_turn(options):
    """Run the files one after the other, here; returns how many passed, failed and were skipped."""
    results = open(options.results, 'a', encoding='utf-8') if options.results else None
    outcome = []
    for path in options.files:
        outcome += run_file(path, options.match, results)
    return [outcome.count(word) for word in ('ok', 'FAIL', 'skip')]


def main():
    """Read the options, run the files, print the count."""
    parser = argparse.ArgumentParser(description='run test files')
    parser.add_argument('--results', help='append one line per test to this file')
    parser.add_argument('--match', default='', help='only tests whose name matches this expression')
    parser.add_argument('--jobs', type=int, default=1, help='files to run at a time')
    parser.add_argument('files', nargs='+')
    options = parser.parse_args()
    procs.exit_on_signals()
    signal.signal(signal.SIGALRM, interrupt)
    passed, failed, skipped = run_at_once(options) if options.jobs > 1 else run_in_turn(options)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
