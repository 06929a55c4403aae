# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""tenon-tray in a real tray: Xfce's panel on a virtual screen, a real notification daemon, and a mouse. What is seen
is judged by its colours; docs/tray.md has the pictures."""

import os
import time

import desktop
import procs
import trayrig
from cases import ON_FAILURE, check, shared, test

TIMEOUT = 180


@shared
def scene():
    """One desktop for all tests."""
    made = desktop.Desktop()
    made.start()
    ON_FAILURE.append(lambda: keep_picture(made))
    return made


def keep_picture(made):
    """What was on the screen, for whoever looks for the reason."""
    path = os.path.join(trayrig.BUILD, 'logs', 'desktop.png')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    made.screen.picture().save(path)
    return f'   the screen is in {path}'


def wait_well(made):
    """The icon of an agent that is well."""
    made.agent.send(set=desktop.WELL)
    made.wait_icon(lambda icon: icon.count(desktop.is_wood) > 60 and not icon.count(desktop.is_sign),
                   'the icon in the panel')


@test(timeout=TIMEOUT)
def the_panel_shows_it():
    """The icon is in the panel, in colours: found in the theme, or sent as a pixmap."""
    wait_well(scene())


@test(timeout=TIMEOUT)
def the_panel_shows_the_pixmap():
    """A panel that finds no icon of that name shows the picture that is sent along."""
    made = desktop.Desktop(icons=False)
    try:
        made.start()
        wait_well(made)
    finally:
        made.close()


@test(timeout=TIMEOUT)
def the_tooltip():
    """The mouse over the icon: a tooltip."""
    made = scene()
    wait_well(made)
    before = made.screen.picture().crop(0, 32, 400, 150).data
    made.xdotool('mousemove', '14', '14')
    made.wait_picture(lambda picture: picture.crop(0, 32, 400, 150).data != before, 'the tooltip')
    made.xdotool('mousemove', '600', '200')
    made.wait_picture(lambda picture: picture.crop(0, 32, 400, 150).data == before, 'the tooltip to go')


@test(timeout=TIMEOUT)
def attention():
    """A problem: the sign in the panel, and a notification below."""
    made = scene()
    wait_well(made)
    made.agent.send(set=desktop.PROBLEM)
    made.wait_icon(lambda icon: icon.count(desktop.is_sign) > 20, 'the sign of attention')
    made.wait_picture(lambda picture: picture.crop(290, 32, 350, 150).count(desktop.is_dark) > 200,
                      'the notification')
    wait_well(made)


@test(timeout=TIMEOUT)
def the_menu_is_clicked():
    """A right click opens the menu; a click on an entry reaches the agent, one on another opens the terminal."""
    made = scene()
    wait_well(made)
    record = os.path.join(made.dir, 'terminal')
    made.program('xdg-terminal-exec', f'#!/bin/sh\necho "$@" >{record}\n')
    for entry, done in ((-2, lambda: made.agent.told('checked')), (-3, lambda: os.path.exists(record))):
        middles = made.entries(made.open_menu())
        check(len(middles) == 3, f'entries of the menu at {middles}')
        check(not done(), 'it was done without a click')
        made.xdotool('mousemove', '60', str(middles[entry]), 'click', '1')
        procs.wait_for(done, 60, 'the click to do something')
        made.wait_picture(lambda picture: not picture.crop(0, 60, 200, 150).count(desktop.is_dark),
                          'the menu to close')


@test(timeout=TIMEOUT)
def a_click_opens_the_status():
    """The left button opens the terminal."""
    made = scene()
    wait_well(made)
    record = os.path.join(made.dir, 'clicked')
    made.program('xdg-terminal-exec', f'#!/bin/sh\necho "$@" >{record}\n')
    time.sleep(trayrig.DOUBLE_CLICK)  # the test before may have opened one, too
    made.xdotool('mousemove', '14', '14', 'click', '1')
    procs.wait_for(lambda: os.path.exists(record), 60, 'the terminal')


@test(timeout=TIMEOUT)
def the_panel_is_restarted():
    """The new panel has the icon."""
    made = scene()
    wait_well(made)
    made.stop_panel()
    made.wait_icon(lambda icon: not icon.count(desktop.is_wood), 'the panel to go')
    made.start_panel()
    wait_well(made)


@test(timeout=TIMEOUT)
def the_agent_is_stopped():
    """The icon comes apart and loses its colour; the agent comes back, and so does the icon."""
    made = scene()
    wait_well(made)
    made.agent.stop()
    made.wait_icon(lambda icon: not icon.count(desktop.is_wood) and icon.count(desktop.is_grey) > 60,
                   'the icon of an agent that does not run')
    made.agent = made.standin('agent')
    wait_well(made)
