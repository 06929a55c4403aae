# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The version check and the update with the real dnf and zypper, which Debian has, and a repository made by createrepo_c. Everything of
theirs that is not the test's own is covered by empty file systems in a mount namespace, so that this machine keeps what
it has. apk is not in Debian: its documented output is tested in tests/unit/test-update-answer.c."""

import json
import os
import shutil
import subprocess

import procs
import tenond
from cases import Skip, check, equal, note, shared, test

PROGRAMS = ('dnf', 'zypper', 'rpmbuild', 'createrepo_c', 'unshare')
SPEC = '''Name: tenon-test
Version: {version}
Release: 1
Summary: Has no files
License: LGPL-2.1-or-later
BuildArch: noarch
%description
Has no files.
%package part
Summary: Wants the other one in its own version
Requires: tenon-test = {version}
%description part
Has no files.
%files
%files part
'''
# What each of them believes; dnf takes the database of root's home from Debian's rpm, zypper the usual one.
SURROUNDINGS = r'''
export HOME=/root
for folder in /etc/dnf /etc/zypp /root /var/cache /var/lib/dnf /var/lib/rpm /var/log; do
    mount -t tmpfs none $folder || exit 77
done
mkdir -p /etc/zypp/repos.d
printf '[main]\ngpgcheck=0\nreposdir=%s/repos.d\n' "$1" >/etc/dnf/dnf.conf
cp "$1"/repos.d/* /etc/zypp/repos.d
if [ -n "$2" ]; then
    for database in /root/.rpmdb /var/lib/rpm; do
        rpm --dbpath $database -i --nodeps --force-debian "$1"/packages/tenon-test-*"$2-1.noarch.rpm" || exit 1
    done
fi
dnf -q --releasever=9 makecache && zypper --non-interactive --quiet refresh || exit 1
shift 2
"$@" >&3
'''


class Repository:
    """Two versions of a package, and a repository that has those that it is told to have."""

    def __init__(self):
        for program in PROGRAMS:
            if not shutil.which(program):
                raise Skip(f'{program} is not installed')
        if os.geteuid() != 0:
            raise Skip('only root can cover what dnf and zypper look at')
        self.dir = procs.temp_dir()
        for name in ('build', 'packages', 'repository', 'repos.d'):
            os.makedirs(self.path(name))
        for version in ('1.9', '1.10'):  # of which rpm's rules say that the second is newer
            self.write('test.spec', SPEC.format(version=version))
            procs.run(['rpmbuild', '-bb', '--define', f'_topdir {self.dir}/build', self.path('test.spec')], timeout=120)
        procs.run(['sh', '-c', f'cp {self.dir}/build/RPMS/noarch/*.rpm {self.dir}/packages'])
        self.write('repos.d/local.repo', f'[local]\nname=local\nbaseurl=file://{self.dir}/repository\nenabled=1\ngpgcheck=0\n')

    def path(self, name):
        """A path in its folder."""
        return os.path.join(self.dir, name)

    def write(self, name, text):
        """A file in its folder."""
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)

    def offer(self, *versions, parts=False):
        """Have these versions and no others."""
        shutil.rmtree(self.path('repository'))
        os.makedirs(self.path('repository'))
        for name in [*versions, *(f'part-{version}' for version in versions if parts)]:
            shutil.copy(self.path(f'packages/tenon-test-{name}-1.noarch.rpm'), self.path('repository'))
        procs.run(['createrepo_c', '-q', self.path('repository')], timeout=120)

    def run(self, manager, verb, installed=None, before=''):
        """Exit status and answer of check or install, where that version is installed. `before` runs before it."""
        self.write('tenond.conf', f'[agent]\nstatedir={self.dir}\n[update]\npackage-manager={manager}\npackage=tenon-test\n')
        command = f'{before or ":"}; exec {tenond.built("cli/tenonctl")} update {verb} --json --file {self.dir}/tenond.conf'
        done = subprocess.run(['unshare', '-m', 'sh', '-c', f'exec 3>&1 >&2; {SURROUNDINGS}', 'sh', self.dir, installed or '', 'sh',
                               '-c', command], capture_output=True, text=True, check=False, timeout=600)
        if done.returncode == 77:
            raise Skip(f'no mount namespace to be had here: {done.stderr}')
        check(done.stdout, f'{manager}: {done.stderr}')
        return done.returncode, json.loads(done.stdout)

    def close(self):
        """Remove it."""
        procs.remove_dir(self.dir)


@shared
def repository():
    """The repository."""
    return Repository()


def answers(manager, *offered, installed, before=''):
    """Exit status, status, installed and newest version, and what vouches for it."""
    repository().offer(*offered)
    status, answer = repository().run(manager, 'check', installed, before)
    return status, answer['status'], answer['installed'], answer['candidate'], answer['verified-by']


@test(timeout=600)
def newer_one_is_found():
    for manager in ('dnf', 'zypper'):
        equal(answers(manager, '1.9', '1.10', installed='1.9'), (10, 'out-of-date', '1.9-1', '1.10-1', manager), manager)


@test(timeout=600)
def nothing_newer():
    for manager in ('dnf', 'zypper'):
        equal(answers(manager, '1.9', installed='1.9'), (0, 'current', '1.9-1', '1.9-1', manager), manager)


@test(timeout=600)
def newer_than_the_repository():
    """zypper tells of the installed one only then, as of one that no repository has."""
    equal(answers('dnf', '1.9', installed='1.10'), (0, 'newer', '1.10-1', '1.9-1', 'dnf'), 'dnf')
    equal(answers('zypper', '1.9', installed='1.10'), (20, 'unmanaged', '1.10-1', None, None), 'zypper')


@test(timeout=600)
def nobody_has_it():
    for manager in ('dnf', 'zypper'):
        for installed in ('1.9', None):
            got = answers(manager, installed=installed)
            equal(got[:2], (20, 'unmanaged'), f'{manager} with {installed} installed')


@test(timeout=600)
def rubbish_is_no_good_news():
    """Lists that are no lists."""
    spoil = 'find /var/cache/dnf /var/cache/zypp -type f -exec sh -c "echo rubbish > {}" \\;'
    for manager in ('dnf', 'zypper'):
        got = answers(manager, '1.9', '1.10', installed='1.9', before=spoil)
        check(got[0] == 20 and got[1] in ('unknown', 'unmanaged'), f'{manager} with spoiled lists: {got}')


@test(timeout=600)
def newer_one_is_installed_with_its_part():
    repository().offer('1.9', '1.10', parts=True)
    for manager in ('dnf', 'zypper'):
        status, answer = repository().run(manager, 'install', '1.9')
        equal((status, answer.get('state'), answer.get('by'), answer.get('to')), (0, 'done', manager, '1.10-1'), f'{answer}')


@test(timeout=600)
def part_is_not_removed_for_it():
    repository().offer('1.9', '1.10')
    for manager in ('dnf', 'zypper'):
        status, answer = repository().run(manager, 'install', '1.9')
        check(status == 2 and 'error' in answer, f'without a newer part: {status} {answer}')
        note(answer['error']['message'])
