# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Child processes, temporary folders and waiting, so that a test leaves nothing behind.

Every process is ended by its own pid: when its test ends, else at exit. Should this interpreter itself
be killed, the kernel ends them (setpriv --pdeathsig). TENON_KEEP=1 keeps the temporary folders.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CHILDREN = []
FOLDERS = []


def start(argv, **options):
    """Start a process in the background; returns its Popen."""
    options.setdefault('stdin', subprocess.DEVNULL)
    child = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', '--', *map(str, argv)], **options)
    CHILDREN.append(child)
    return child


def end(child, patience=5):
    """End one process: SIGTERM, then after some seconds SIGKILL; reaps it."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child in CHILDREN:
        CHILDREN.remove(child)


def run(argv, timeout=120, **options):
    """Run a command to its end; its output as text; RuntimeError with that output when it fails."""
    options.setdefault('stdin', subprocess.DEVNULL)
    done = subprocess.run([*map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False, **options)
    text = done.stdout.decode(errors='replace')
    if done.returncode != 0:
        command = ' '.join(map(str, argv))
        raise RuntimeError(f'{command}: exit status {done.returncode}: {text[-2000:].strip()}')
    return text


def temp_dir():
    """A new folder with a short path (socket names have at most 107 bytes), removed at exit."""
    path = tempfile.mkdtemp(prefix='tn-', dir='/tmp')
    FOLDERS.append(path)
    return path


def remove_dir(path):
    """Remove a folder of temp_dir() before the exit does."""
    if os.environ.get('TENON_KEEP') != '1':
        shutil.rmtree(path, ignore_errors=True)
    if path in FOLDERS:
        FOLDERS.remove(path)


def wait_for(condition, timeout, what):
    """Call condition until it returns something true, and return that; TimeoutError says what for."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f'waited {timeout} s for {what}')
        time.sleep(0.05)


def connect(path, timeout=20):
    """A connection to a unix socket, which may be there a moment before anybody listens on it."""
    connection = socket.socket(socket.AF_UNIX)

    def connected():
        try:
            connection.connect(path)
        except ConnectionRefusedError:
            return False
        return True
    wait_for(connected, timeout, f'somebody to listen on {path}')
    return connection


@atexit.register
def clean_up():
    """End and remove all that is left."""
    for child in list(CHILDREN):
        end(child)
    for path in list(FOLDERS):
        remove_dir(path)


def exit_on_signals():
    """Let SIGTERM and SIGHUP unwind the program, so that clean_up() runs."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, frame: exit(128 + got))
    # A shell's background job ignores it, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
