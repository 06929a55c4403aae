# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The version check: PackageKit (a stand-in on a private bus), manifests signed by minisign, a web server on the
loopback, and the agent that hands on what was found."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import procs
import tenond
from cases import Skip, check, equal, shared, test
from packagekit import FAILED, FINISHED, REMOVING, PackageKit, emit, package
from qmp import Qmp

FETCH = tenond.built('fetch/tenon-fetch')
VERSION = tenond.run(tenond.built('cli/tenonctl'), '--version')[1].split()[1]
NEWER = f'{VERSION}.1'
MAKE = os.path.join(tenond.TOP, 'tools', 'make-manifest')


@shared
def kit():
    """The stand-in for PackageKit."""
    return PackageKit()


def asked():
    """Exit status and answer of a check."""
    status, stdout, stderr = kit().update('check', '--json')
    equal(stderr, '', 'stderr')
    return status, json.loads(stdout)


@test
def packagekit_has_nothing_newer():
    kit().tell('0.1.0-1')
    status, answer = asked()
    equal((status, answer['status'], answer['source'], answer['verified-by']), (0, 'current', 'packagekit', 'packagekit'),
          'answer')
    equal((answer['installed'], answer['candidate'], answer['security']), ('0.1.0-1', '0.1.0-1', False), 'versions')


@test
def packagekit_has_an_update():
    kit().tell('0.1.0-1', '0.2.0-1')
    status, answer = asked()
    equal((status, answer['status'], answer['candidate'], answer['security']), (10, 'out-of-date', '0.2.0-1', False), 'answer')
    kit().tell('0.1.0-1', '0.2.0-1', info=8)
    status, answer = asked()
    equal((status, answer['security']), (11, True), 'security update')
    status, stdout, _ = kit().update()
    equal(status, 11, 'exit status of the last one')
    check('0.2.0-1 is available, and mends a security problem' in stdout, stdout)


@test
def packagekit_with_old_lists_is_unknown():
    kit().tell('0.1.0-1', age=40 * 86400)
    status, answer = asked()
    equal((status, answer['status']), (20, 'unknown'), 'answer')
    check('40 days old' in answer['message'], answer['message'])


@test
def packagekit_that_fails_is_unknown():
    kit().tell('0.1.0-1')
    failures = {
        'an error': (emit('ErrorCode', 'us', 25, 'the database is locked') + FAILED, 'the database is locked'),
        'no success': (FAILED, 'without success'),
        'an exception': ('raise dbus.exceptions.DBusException("broken", name="org.example.Broken")', 'broken'),
        'it goes away': (emit('Destroy', ''), 'without success'),
        'other types': (emit('Package', 's', 'tenon') + emit('Finished', 's', 'done') + FAILED, 'without success'),
    }
    for what, (code, words) in failures.items():
        kit().code('GetUpdates', code)
        status, answer = asked()
        equal((status, answer['status']), (20, 'unknown'), what)
        check(words in answer['message'], f'{what}: {answer["message"]}')


@test
def packagekit_that_ends_is_unknown():
    own = PackageKit()
    own.code('GetUpdates', 'import os, threading\nthreading.Timer(0.5, os._exit, [1]).start()')
    status, stdout, _ = own.update('check', '--json')
    equal(status, 20, 'exit status')
    check('has ended in the middle of its work' in json.loads(stdout)['message'], stdout)
    own.close()


@test
def packages_of_others_and_odd_ids_are_not_taken():
    kit().tell('0.1.0-1')
    odd = ('tenon-doc;9-1;all;r', 'tenon;9', ';;;', 'tenon;$(reboot);amd64;r', 'tenon;9-1;amd64;r;more')
    kit().code('GetUpdates', ''.join(emit('Package', 'uss', 5, name, '') for name in odd) + FINISHED)
    status, answer = asked()
    equal((status, answer['status']), (0, 'current'), 'answer')


@test
def signals_of_others_do_not_count():
    kit().tell('0.1.0-1')
    # Another connection says to everybody that there is an update, in the middle of the transaction.
    forged = f'''
import subprocess
for member, arguments in (("Package", ["uss", "8", "tenon;9-1;amd64;evil", "x"]), ("Finished", ["uu", "1", "1"])):
    subprocess.run(["busctl", "--address={kit().address}", "emit", self.path, "org.freedesktop.PackageKit.Transaction",
                    member, *arguments], check=True)
'''
    kit().code('GetUpdates', forged + FINISHED)
    status, answer = asked()
    equal((status, answer['status']), (0, 'current'), 'answer')


@test
def installing_asks_packagekit():
    kit().tell('0.1.0-1', '0.2.0-1')
    status, stdout, stderr = kit().update('install', '--json')
    equal(status, 0, stderr)
    result = json.loads(stdout)
    equal([result[key] for key in ('state', 'by', 'from', 'to')], ['done', 'packagekit', '0.1.0-1', '0.2.0-1'], 'result')
    equal(kit().updated(), 'tenon;0.2.0-1;amd64;repository', 'what was asked for')
    kit().tell('0.2.0-1')
    status, stdout, _ = kit().update('install')
    equal((status, stdout), (0, 'packagekit has nothing newer than 0.2.0-1.\n'), 'a second time')


@test
def no_other_package_is_removed_for_it():
    kit().tell('0.1.0-1', '0.2.0-1', simulated=package(11, '0.2.0-1') + package(REMOVING, '0.1.0-1', 'tenon-exec') + FINISHED)
    status, _, stderr = kit().update('install')
    equal((status, kit().updated()), (2, None), 'exit status, and what was updated')
    check('would remove tenon-exec; update both by hand' in stderr, stderr)
    kit().tell('0.1.0-1', '0.2.0-1', simulated=package(REMOVING, '0.1.0-1') + FINISHED)  # the old version of itself
    equal(kit().update('install')[0], 0, 'exit status')


@test
def polkit_may_refuse():
    refusal = ('raise dbus.exceptions.DBusException("not authorized", '
               'name="org.freedesktop.PackageKit.Transaction.RefusedByPolicy")')
    kit().tell('0.1.0-1', '0.2.0-1', update=refusal)
    status, _, stderr = kit().update('install')
    equal(status, 2, 'exit status')
    check('not authorized' in stderr, stderr)


@test
def without_packagekit():
    folder = procs.temp_dir()
    with open(f'{folder}/c', 'w', encoding='utf-8') as file:
        file.write(f'[agent]\nstatedir={folder}\n[update]\npackage-manager=packagekit\n')
    argv = ('env', 'DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent/bus', tenond.built('cli/tenonctl'), 'update')
    status, stdout, _ = tenond.run(*argv, 'check', '--json', '--file', f'{folder}/c')
    equal((status, json.loads(stdout)['status']), (20, 'unknown'), 'check')
    status, _, stderr = tenond.run(*argv, 'install', '--file', f'{folder}/c')
    equal((status, stderr), (2, 'tenonctl update install: there is no system bus\n'), 'install')


class Signer:
    """Keys of minisign, and manifests signed with them."""

    def __init__(self):
        if not shutil.which('minisign'):
            raise Skip('minisign is not installed')
        self.dir = procs.temp_dir()
        self.keys = self.path('keys')
        os.makedirs(self.keys)
        for name in ('ours', 'other'):
            procs.run(['minisign', '-G', '-W', '-p', self.path(f'{name}.pub'), '-s', self.path(f'{name}.key')])
        shutil.copy(self.path('ours.pub'), self.keys)

    def path(self, name):
        """A path in its folder."""
        return os.path.join(self.dir, name)

    def make(self, *options, key='ours', serial=7, name='manifest.json'):
        """tools/make-manifest; the manifest's path."""
        procs.run([sys.executable, MAKE, '--key', self.path(f'{key}.key'), '--serial', serial, *options, self.path(name)])
        return self.path(name)

    def check(self, manifest, **settings):
        """Exit status and answer of a check with nothing but the manifest."""
        return check_manifest(self.dir, manifest=manifest, keys=self.keys, **settings)

    def close(self):
        """Remove it."""
        procs.remove_dir(self.dir)


def check_manifest(folder, **settings):
    """tenonctl update check with no package manager and these settings."""
    lines = ''.join(f'{key}={value}\n' for key, value in settings.items())
    with open(f'{folder}/tenond.conf', 'w', encoding='utf-8') as file:
        file.write(f'[agent]\nstatedir={folder}\n[update]\npackage-manager=none\n{lines}')
    status, stdout, stderr = tenond.run(tenond.built('cli/tenonctl'), 'update', 'check', '--json', '--file',
                                        f'{folder}/tenond.conf', timeout=60)
    equal(stderr, '', 'stderr')
    return status, json.loads(stdout)


@test
def manifest_is_made_signed_and_believed():
    signer = Signer()
    status, answer = signer.check(signer.make('--release', VERSION, '--release', '0.0.9=security'))
    equal((status, answer['status'], answer['candidate']), (0, 'current', VERSION), 'current')
    check(answer['verified-by'].startswith('minisign key '), answer['verified-by'])
    status, answer = signer.check(signer.make('--release', NEWER, '--legacy', serial=8))
    equal((status, answer['status'], answer['candidate']), (10, 'out-of-date', NEWER), 'an update')
    status, answer = signer.check(signer.make('--release', f'{NEWER}=security', serial=9))
    equal((status, answer['security']), (11, True), 'a security update')
    status, answer = signer.check(signer.make('--release', NEWER, '--revoke', f'{VERSION}=loses data', serial=10))
    equal((status, answer['status'], answer['message']), (11, 'revoked', 'loses data'), 'revoked')
    signer.close()


def unknown(got, words):
    """The answer is unknown, for this reason."""
    status, answer = got
    equal((status, answer['status']), (20, 'unknown'), answer['message'])
    check(words in answer['message'], answer['message'])


@test
def manifests_that_are_not_believed():
    signer = Signer()
    good = signer.make('--release', VERSION)
    equal(signer.check(good)[0], 0, 'a good one')
    unknown(signer.check(signer.make('--release', VERSION, serial=6)), 'is older than 7')
    unknown(signer.check(signer.make('--release', VERSION, key='other')), 'is not trusted here')
    expired = signer.make('--release', VERSION, '--issued', int(time.time()) - 3 * 86400, '--days', 2)
    unknown(signer.check(expired), 'has expired')
    unknown(signer.check(signer.make('--release', VERSION, '--channel', 'testing')), 'another channel')
    good = signer.make('--release', VERSION)
    with open(good, 'r+b') as file:
        file.truncate(100)
    unknown(signer.check(good), 'the file was changed, or is not whole')
    with open(good, 'r+b') as file:
        file.truncate(1 << 30)
    unknown(signer.check(good), 'larger than')
    os.unlink(good + '.minisig')
    unknown(signer.check(signer.path('nothing.json')), 'nothing.json')
    signer.close()


@test
def make_manifest_refuses():
    for arguments in (['x'], ['--release', 'v1', 'x'], ['--release', '1=awful', 'x'], ['--release', '1', '--serial', '0', 'x'],
                      ['--release', '1', '--days', '0', 'x']):
        done = subprocess.run([sys.executable, MAKE, *arguments], capture_output=True, text=True, check=False, timeout=20)
        check(done.returncode != 0 and done.stderr, f'{arguments}: {done.stderr}')
    check(not os.path.exists('x'), 'a file was made')


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what the server was given: bytes, 'endless', 'redirect', or nothing."""

    def do_GET(self):  # pylint: disable=invalid-name
        """Answer."""
        thing = self.server.things.get(self.path)
        if thing is None:
            self.send_error(404)
        elif isinstance(thing, bytes):
            self.send_response(200)
            self.send_header('Content-Length', str(len(thing)))
            self.end_headers()
            self.wfile.write(thing)
        elif thing == 'endless':
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(1024):
                    self.wfile.write(b' ' * (1 << 20))
                    self.server.sent += 1
            except OSError:
                pass
        else:
            self.send_response(302)
            self.send_header('Location', thing)
            self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Say nothing."""


class Web:
    """A web server on the loopback."""

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.things, self.server.sent = {}, 0
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        self.dir = procs.temp_dir()
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def fetch(self, path='/m.json', url=None):
        """tenon-fetch; exit status and stderr."""
        status, _, stderr = tenond.run('env', '-u', 'http_proxy', '-u', 'https_proxy', '-u', 'ALL_PROXY', FETCH, '--url',
                                       url or self.url + path, '--output', self.dir, timeout=90)
        return status, stderr

    def close(self):
        """Stop it."""
        self.server.shutdown()
        self.server.server_close()
        procs.remove_dir(self.dir)


@shared
def web():
    """The server."""
    return Web()


@test
def manifest_is_fetched_and_believed():
    signer = Signer()
    path = signer.make('--release', NEWER)
    for end in ('', '.minisig'):
        with open(path + end, 'rb') as file:
            web().server.things['/m.json' + end] = file.read()
    web().server.things['/moved.json'] = '/m.json'
    web().server.things['/moved.json.minisig'] = '/m.json.minisig'
    for name in ('/m.json', '/moved.json'):
        equal(web().fetch(name), (0, ''), f'fetching {name}')
        status, answer = check_manifest(web().dir, manifest=f'{web().dir}/manifest.json', keys=signer.keys)
        equal((status, answer['candidate']), (10, NEWER), 'what it says')
    signer.close()


@test
def failed_fetch_leaves_what_was_there():
    for name in ('manifest.json', 'manifest.json.minisig'):
        with open(f'{web().dir}/{name}', 'w', encoding='utf-8') as file:
            file.write('old')
    things = web().server.things
    things.update({'/alone.json': b'{}', '/endless.json': 'endless', '/zero.json': b'a\0b', '/loop.json': '/loop.json',
                   '/big.json': b'{}', '/big.json.minisig': b'x' * 5000, '/local.json': 'file:///etc/passwd'})
    for name, words in (('/none.json', '404'), ('/alone.json', '404'), ('/endless.json', 'more than 262144 bytes'),
                        ('/zero.json', 'no text'), ('/loop.json', 'redirect'), ('/big.json', 'more than 4096 bytes'),
                        ('/local.json', 'rotocol')):
        status, stderr = web().fetch(name)
        equal(status, 1, f'{name}: {stderr}')
        check(words in stderr, f'{name}: {stderr}')
        with open(f'{web().dir}/manifest.json', encoding='utf-8') as file:
            equal(file.read(), 'old', f'the file after {name}')
    check(web().server.sent < 64, f'{web().server.sent} MiB were taken')
    status, stderr = web().fetch(url='file:///etc/passwd')
    check(status == 1 and 'begins neither with' in stderr, stderr)
    status, stderr = web().fetch(url='http://127.0.0.1:1/m.json')
    check(status == 1 and '127.0.0.1:1' in stderr, stderr)


class Updating(tenond.Agent):
    """An agent with the plugin; its program is tenonctl with the configuration of the test."""

    def __init__(self):
        super().__init__('', tenond.plugin_options(('update',)), start=False)
        program, events = self.path('check'), self.path('qmp.sock')
        with open(program, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nexec {tenond.built("cli/tenonctl")} "$@" --file {self.conf}\n')
        os.chmod(program, 0o755)
        self.events = events
        self.configure(f'[update]\nprogram={program}\npackage-manager=none\n[qmp]\nmethod=unix-listen\npath={events}\n')
        self.start()


@test
def agent_hands_on_what_was_found():
    agent = Updating()
    equal(agent.ask('tenon-get-status')['update'], None, 'before anybody has checked')
    port = Qmp(agent.events)
    agent.ask('tenon-set-desired-version', version='9.0')
    data = port.wait_event('UPDATE_AVAILABLE', 30)['data']
    equal((data['status'], data['source'], data['candidate']), ('out-of-date', 'host', '9.0'), 'event')
    answer = agent.ask('tenon-update-check')
    equal(answer['status'], 'out-of-date', 'answer')
    status = agent.ask('tenon-get-status')
    equal((status['update']['candidate'], 'update' in status['facts']), ('9.0', False), 'status')
    check(any('9.0 is available' in text for text in status['health']['problems']), status['health'])
    agent.ask('tenon-set-desired-version')
    procs.wait_for(lambda: agent.ask('tenon-get-status')['update']['status'] == 'unknown', 30, 'the word to be withdrawn')
    equal(agent.ask('tenon-get-status')['health']['state'], 'ok', 'health')
    port.close()
    agent.close()


@test
def old_record_says_nothing():
    folder = procs.temp_dir()
    os.makedirs(f'{folder}/update')
    for age, version, wanted in ((0, VERSION, (0, 'current')), (31, VERSION, (20, 'unknown')), (0, '0.0.9', (20, 'unknown'))):
        with open(f'{folder}/update/result.json', 'w', encoding='utf-8') as file:
            json.dump({'status': 'current', 'message': 'x', 'checked-at': int(time.time()) - age * 86400,
                       'version': version}, file)
        with open(f'{folder}/c', 'w', encoding='utf-8') as file:
            file.write(f'[agent]\nstatedir={folder}\n')
        status, stdout, _ = tenond.run(tenond.built('cli/tenonctl'), 'update', '--json', '--file', f'{folder}/c')
        equal((status, json.loads(stdout)['status']), wanted, f'{age} days, {version}')
    procs.remove_dir(folder)


@test
def whoever_checks_tells_the_agent():
    agent = Updating()
    with open(agent.path('update') + '/announced.json', 'w', encoding='utf-8') as file:
        json.dump({'version': VERSION}, file)
    status, _, _ = agent.ctl('update', 'check', '--file', agent.conf)
    equal(status, 0, 'exit status')
    procs.wait_for(lambda: (agent.ask('tenon-get-status')['update'] or {}).get('status') == 'current', 20, 'the fact')
    agent.close()


@test
def installation_is_for_those_who_may():
    agent = Updating()
    host = agent.host()
    try:
        host.ask('tenon-update-install')
        check(False, 'the preset standard lets the host install')
    except Exception as error:  # pylint: disable=broad-except
        check('has been disabled' in str(error), str(error))
    host.close()
    agent.close()
