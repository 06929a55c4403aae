# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The update over D-Bus in a guest with Debian's PackageKit and polkit, as a user who may read and not change until a
rule allows it; and a signed manifest that tenon-fetch gets from a web server, each unit in its sandbox."""

import json
import os
import shutil
import sys

import agent
import packages
import procs
from cases import Skip, check, equal, shared, test
from newer import NEWER, newer_package, offer, wait_installed

UPDATES = 'org.tenon.Agent1 /org/tenon/Agent1 org.tenon.Agent1.Updates'
AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
RULE = '''polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.tenon.agent1.") == 0 && action.id.indexOf("update") > 0 && subject.user == "nobody")
        return polkit.Result.YES;
});
'''
MANIFEST = '''[update]
manifest-url=http://127.0.0.1:8080/manifest.json
keys=/etc/tenon/keys
'''


def signed_manifest():
    """A manifest with the newer version, its signature and the key for it: three files."""
    if not shutil.which('minisign'):
        raise Skip('minisign is not installed')
    folder = procs.temp_dir()
    key, path = os.path.join(folder, 'test.key'), os.path.join(folder, 'manifest.json')
    procs.run(['minisign', '-G', '-W', '-p', f'{folder}/test.pub', '-s', key])
    procs.run([sys.executable, os.path.join(agent.TOP, 'tools', 'make-manifest'), '--key', key, '--serial', 1, '--release',
               NEWER, path])
    return [path, f'{path}.minisig', f'{folder}/test.pub']


@shared
def guest():
    """The guest with the package, PackageKit, polkit, libcurl and libsodium; apt has the newer package's repository."""
    debs = packages.fetch('packagekit', 'polkitd', 'libglib2.0-bin', 'libcurl3-gnutls', 'libsodium23')
    made = agent.resume_full(files=[*newer_package(), *signed_manifest(), shutil.which('busybox'), *debs])
    made.tell_more = lambda: made.sh('journalctl -n 60 --no-pager -o cat -u "tenon*" -u packagekit -u polkit')[1]
    made.run('mkdir -p /repository && mount -o ro /dev/vdb /repository')
    names = ' '.join(f'/repository/{os.path.basename(path)}' for path in debs)
    made.run(f'dpkg -i {names} && dpkg -i /repository/tenon_*.deb', 600)
    offer(made)
    made.port.wait_agent(120)
    procs.wait_for(lambda: made.sh('busctl status org.tenon.Agent1')[0] == 0, 120, 'the name on the bus')
    return made


def get(name, who=AS_NOBODY):
    """A property of Updates; busctl's JSON without its type."""
    return json.loads(guest().run(f'{who} busctl --json=short get-property {UPDATES} {name}', 60))['data']


def call(method, who=AS_NOBODY, timeout=240):
    """A method of Updates; exit status and output."""
    return guest().sh(f'{who} busctl --timeout={timeout} call {UPDATES} {method} 2>&1', timeout + 30)


def settings(text):
    """A drop-in of the configuration, which the agent and the units read anew."""
    guest().run(f"cat >/etc/tenon/tenond.conf.d/update.conf <<'END'\n{text}END\nsystemctl reload tenond", 60)


@test(timeout=900)
def packagekit_is_asked():
    status, text = guest().sh('tenonctl update check --json', 200)
    answer = json.loads(text)
    equal((status, answer['status'], answer['source'], answer['verified-by'], answer['candidate']),
          (10, 'out-of-date', 'packagekit', 'packagekit', f'{NEWER}-1'), 'answer to root')
    equal(answer['sources'][0]['source'], 'packagekit', 'who was asked first')
    check('packagekitd' in guest().run('ps -eo comm'), 'packagekitd does not run')
    status, text = guest().sh(f'{AS_NOBODY} tenonctl update check --json', 200)
    equal((status, json.loads(text)['source']), (10, 'packagekit'), 'answer to a user')


@test(timeout=600)
def everybody_may_read_and_nobody_may_change():
    procs.wait_for(lambda: get('Status') == 'out-of-date', 60, 'the status')
    equal((get('State'), get('Candidate'), get('Source'), get('VerifiedBy')),
          ('present', f'{NEWER}-1', 'packagekit', 'packagekit'), 'properties')
    check(get('CheckedAt') > 0 and 'is available' in get('Message'), get('Message'))
    before = guest().run('cat /var/lib/tenon/update/result.json')
    name, path = UPDATES.split()[:2]
    for method in ('Check', 'Install'):  # busctl has words of its own for this error
        status, text = guest().sh(f'{AS_NOBODY} gdbus call --system --dest {name} --object-path {path} '
                                  f'--method {name}.Updates.{method} 2>&1', 120)
        check(status != 0 and 'polkit wants a password for org.tenon.agent1.' in text, f'{method}: {text}')
    status, text = guest().sh(f'{AS_NOBODY} tenonctl update install 2>&1', 200)
    check(status == 2, f'a user installs by PackageKit without a word of polkit: {text}')
    equal(guest().run('cat /var/lib/tenon/update/result.json'), before, 'what was found')
    equal(guest().run("dpkg-query -W -f '${Version}' tenon") != f'{NEWER}-1', True, 'it was installed')


@test(timeout=600)
def root_checks_over_the_bus():
    guest().run('rm -f /var/lib/tenon/update/result.json')
    status, text = call('Check', who='')
    check(status == 0 and f'"candidate" s "{NEWER}-1"' in text and '"packagekit"' in text, text)
    equal(guest().run('systemctl show -P Result tenon-update-check.service').strip(), 'success', 'the unit')


@test(timeout=600)
def manifest_is_fetched_in_the_sandbox():
    guest().run('mkdir -p /srv/web /etc/tenon/keys && cp /repository/manifest.json* /srv/web && '
                'cp /repository/test.pub /etc/tenon/keys && cp /repository/busybox /usr/local/bin/busybox && '
                'systemd-run --unit=web /usr/local/bin/busybox httpd -f -p 127.0.0.1:8080 -h /srv/web', 60)
    settings(MANIFEST)
    try:
        procs.wait_for(lambda: guest().sh('busybox wget -q -O /dev/null http://127.0.0.1:8080/manifest.json')[0] == 0, 60,
                       'the web server')
        status, text = call('Check', who='')
        equal(status, 0, text)
        equal(guest().run('systemctl show -P Result tenon-fetch.service').strip(), 'success', 'tenon-fetch.service')
        equal(guest().run('cat /var/cache/tenon-fetch/manifest.json'), guest().run('cat /srv/web/manifest.json'), 'the file')
        answer = json.loads(guest().run('cat /var/lib/tenon/update/result.json'))
        rows = {row['source']: row for row in answer['sources']}
        equal((rows['manifest']['status'], rows['manifest']['candidate']), ('out-of-date', NEWER), 'what it says')
        check(rows['manifest']['verified-by'].startswith('minisign key '), f'{rows}')
        guest().run('systemctl stop web; systemctl reset-failed web || true')
        status, text = call('Check', who='')
        equal(status, 0, text)
        check(guest().run('systemctl show -P Result tenon-fetch.service').strip() != 'success', 'it says nothing of a failure')
        answer = json.loads(guest().run('cat /var/lib/tenon/update/result.json'))
        equal([row['status'] for row in answer['sources'] if row['source'] == 'manifest'], ['out-of-date'],
              'what was fetched before')
    finally:
        settings('')


@test(timeout=600)
def no_part_is_removed_for_it():
    offer(guest())
    guest().run('dpkg -i /repository/tenon-exec_*.deb', 200)
    status, text = guest().sh('tenonctl update install 2>&1', 200)
    check(status == 2 and 'PackageKit would remove tenon-exec' in text, f'{status}: {text}')
    equal(guest().run("dpkg-query -W -f '${Status} ' tenon tenon-exec"), 2 * 'install ok installed ', 'what is installed')
    guest().run('dpkg -r tenon-exec', 200)


@test(timeout=1200)
def a_rule_lets_a_user_install_and_the_agent_comes_back():
    guest().run(f"cat >/etc/polkit-1/rules.d/50-tenon.rules <<'END'\n{RULE}END\nsystemctl restart polkit", 60)
    status, text = call('Check')
    equal(status, 0, f'Check by a user whom a rule allows: {text}')
    before = agent.pid(guest())
    status, text = call('Install')
    check(status == 0 and '"begun"' in text, text)
    wait_installed(guest(), 900)
    check(agent.pid(guest()) != before, 'the agent was not started anew')
    record = json.loads(guest().run('cat /var/lib/tenon/update/install.json'))
    equal((record['state'], record['by'], record['to']), ('done', 'packagekit', f'{NEWER}-1'), 'the record')
    procs.wait_for(lambda: guest().sh(f'busctl get-property {UPDATES} Installed')[1].strip() == f's "{NEWER}-1"', 120,
                   'the property')
