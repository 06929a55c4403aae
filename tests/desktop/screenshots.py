#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Makes the pictures of docs/tray.md from the tree that is built: tests/desktop/screenshots.py [FOLDER]

They are of the desktop of the tests, with a stand-in for the agent.
"""

import os
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')]

# pylint: disable=wrong-import-position
import desktop
import procs
import trayrig

SETTLE = 1.0  # seconds, for what fades in; a picture for people is no test


def save(made, folder, name, width, height):
    """The upper left part of the screen."""
    time.sleep(SETTLE)
    path = os.path.join(folder, f'tray-{name}.png')
    made.screen.picture().crop(0, 0, width, height).save(path)
    print(path)


def light(folder):
    """Well, with the tooltip; attention, with its notification; the menu; stopped."""
    made = desktop.Desktop()
    try:
        made.start('--icons', 'on-light')
        made.wait_icon(lambda icon: icon.count(desktop.is_wood) > 60, 'the icon')
        made.xdotool('mousemove', '14', '14')
        save(made, folder, 'normal', 380, 180)
        made.xdotool('mousemove', '600', '200')
        made.agent.send(set={**desktop.PROBLEM, **desktop.ADVICE})
        made.wait_icon(lambda icon: icon.count(desktop.is_sign) > 20, 'the sign')
        save(made, folder, 'attention', desktop.screen.WIDTH, 190)
        procs.end(made.dunst)
        made.open_menu()
        save(made, folder, 'menu', 420, 345)
        made.xdotool('key', 'Escape')
        made.agent.stop()
        made.wait_icon(lambda icon: not icon.count(desktop.is_wood), 'the stopped icon')
        made.xdotool('mousemove', '14', '14')
        save(made, folder, 'stopped', 480, 100)
    finally:
        made.close()


def dark(folder):
    """A dark panel."""
    made = desktop.Desktop(dark=True)
    try:
        made.start('--icons', 'on-dark')
        made.wait_icon(lambda icon: icon.count(desktop.is_wood) > 60, 'the icon')
        made.xdotool('mousemove', '14', '14', 'click', '3')
        save(made, folder, 'dark', 420, 300)
    finally:
        made.close()


def main():
    """All of them."""
    procs.exit_on_signals()
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(trayrig.TOP, 'docs')
    light(folder)
    dark(folder)


if __name__ == '__main__':
    main()
