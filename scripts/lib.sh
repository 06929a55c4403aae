# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
# shellcheck shell=bash
#
# What the scripts share: where the tree is, how progress and results are told. Sourced, never run.
# A result is one line `ok NAME`, `FAIL NAME: why` or `skip NAME: why` on the terminal, and its first two
# words in the file $TENON_RESULTS when that is set; scripts/test adds those up.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The tree may belong to another user than the one who builds (a checkout mounted into a container).
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$top

# TENON_BUILD names another build directory.
build=$(realpath -m "${TENON_BUILD:-$top/build}")
export TENON_BUILD=$build

say() {
        printf '%s\n' "$*"
}

heading() {
        printf '\n== %s\n' "$*"
}

die() {
        printf '%s: %s\n' "${0##*/}" "$*" >&2
        exit 1
}

# result WORD NAME [WHY]: tell one result and keep it for the count.
result() {
        local word=$1 name=$2 why=${3:-}
        say "$word $name${why:+$([ "$word" = ok ] && printf ' (%s)' "$why" || printf ': %s' "$why")}"
        [ -z "${TENON_RESULTS:-}" ] || printf '%s %s\n' "$word" "$name" >>"$TENON_RESULTS"
}

# check NAME LOG COMMAND…: run a command as one counted check; its output goes to LOG, the end of which is
# shown when it fails.
check() {
        local name=$1 log=$2 begin=$SECONDS
        shift 2
        mkdir -p "$(dirname "$log")"
        if "$@" >"$log" 2>&1 </dev/null; then
                result ok "$name" "$((SECONDS - begin)) s"
                return 0
        fi
        result FAIL "$name" "see ${log#"$top"/}"
        tail -n 30 "$log" | sed 's/^/    | /'
        return 1
}

# debian_base TARGET [OPTION…]: a small bookworm from the sources of this machine's apt, by mmdebstrap, whose mounts stay its
# own; its kind follows from the name of the target. For root.
debian_base() {
        local target=$1 sources
        shift
        sources=$(PYTHONPATH=$top/tests/guest python3 -c 'import sources; print("\n".join(sources.find()))')
        [ -n "$sources" ] || { say 'this machine has no Debian sources for bookworm' && return 1; }
        unshare --mount mmdebstrap --variant=minbase "$@" bookworm "$target" <<<"$sources"
}
