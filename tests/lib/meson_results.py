# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Adds meson's test log to the results of scripts/test: meson_results.py TESTLOG.JSON RESULTS

One test is one test program as meson counts it. A log without tests is a failure, because a suite that
runs nothing must not look like one that passes.
"""

import json
import sys

WORDS = {'OK': 'ok', 'EXPECTEDFAIL': 'ok', 'SKIP': 'skip'}


def main():
    """Read the log, append the results."""
    log, results = sys.argv[1:]
    try:
        with open(log, encoding='utf-8') as file:
            tests = [json.loads(line) for line in file if line.strip()]
    except FileNotFoundError:
        tests = []
    with open(results, 'a', encoding='utf-8') as file:
        for test in tests:
            file.write(f"{WORDS.get(test['result'], 'FAIL')} unit.{test['name'].replace(' ', '')}\n")
        if not tests:
            print('FAIL unit: meson ran no test')
            file.write('FAIL unit\n')


if __name__ == '__main__':
    main()
