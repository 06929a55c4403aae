# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
#
# For the tests beside it: the installed agent with a socket in place of a host's port, asked by tenon-host(1).

cd "$AUTOPKGTEST_TMP"

# start [OPTION…]: the agent, everything allowed; it ends with the test.
start() {
        printf '[agent]\nstatedir=%s\ncontrol-socket=%s/control.sock\n[policy]\npreset=open\n' "$PWD" "$PWD" >tenond.conf
        tenond --config="$PWD/tenond.conf" --method=unix-listen --path="$PWD/host.sock" "$@" >log 2>&1 &
        agent=$!
        trap 'kill $agent; cat log' EXIT
        tries=0
        until [ -S host.sock ]; do
                tries=$((tries + 1))
                [ $tries -lt 100 ] || exit 1
                sleep 0.1
        done
}

ask() {
        tenon-host --json --socket="$PWD/host.sock" ask "$@"
}

# has TEXT PATTERN: fails with both, unless the text has it.
has() {
        printf '%s\n' "$1" | grep -q -e "$2" || {
                printf 'no "%s" in: %s\n' "$2" "$1"
                exit 1
        }
}
