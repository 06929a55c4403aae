# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A small desktop: Xvfb, Xfce's panel with its status tray, dunst for notifications, and tenon-tray in it.

The panel, the notification daemon and the buses are real; the agent is a stand-in.
"""

import os
import subprocess

import procs
import screen
import trayrig

PANEL = '''<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="{dark}"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="30"/>
      <property name="icon-size" type="uint" value="{icon}"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
      <property name="icon-size" type="int" value="{icon}"/>
    </property>
  </property>
</channel>
'''

DUNST = '''[global]
    width = 360
    origin = top-right
    offset = 8x40
    icon_theme = hicolor
    enable_recursive_icon_lookup = true
    font = Sans 10
    show_indicators = no
    min_icon_size = 32
    max_icon_size = 32
    icon_position = left
    frame_width = 1
    frame_color = "#888888"
    background = "#f6f5f4"
    foreground = "#202020"
[urgency_critical]
    background = "#f6f5f4"
    foreground = "#202020"
    frame_color = "#d9381e"
'''

SERVICES = '<standard_session_servicedirs/>'


WELL = {
    'org.tenon.Agent1': {'State': 'ok', 'Version': '0.1.0', 'Problems': [], 'Remedies': []},
    'org.tenon.Agent1.Hypervisor': {'State': 'present', 'Id': 'kvm'},
    'org.tenon.Agent1.Channels': {'State': 'open'},
    'org.tenon.Agent1.Drivers': {'State': 'ok', 'Advice': []},
    'org.tenon.Agent1.Watchdog': {'State': 'fed', 'Device': 'watchdog0'},
    'org.tenon.Agent1.Time': {'State': 'present', 'Owner': 'chronyd', 'Source': 'ptp_kvm'},
    'org.tenon.Agent1.Updates': {'State': 'present', 'Status': 'current', 'Installed': '0.1.0'},
}
PROBLEM = {
    'org.tenon.Agent1': {'State': 'degraded', 'Problems': ['check disk: 96 % of /var are used'],
                         'Remedies': ['free some space']},
}
ADVICE = {
    'org.tenon.Agent1.Drivers': {'State': 'advice',
                                 'Advice': ['eth0 is emulated; ask for a virtio network card']},
}
ICON = (0, 0, 30, 30)  # where the panel shows the first icon


class Desktop(trayrig.Rig):
    """All of it, running."""

    def __init__(self, dark=False, icon=22, icons=True):
        self.folder = procs.temp_dir()
        self.screen = screen.Screen(self.folder)
        super().__init__(services=SERVICES, extra_env={'DISPLAY': self.screen.display, 'NO_AT_BRIDGE': '1'})
        self.icons = self.install_icons() if icons else '/nowhere'
        self.write('config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml',
                   PANEL.format(dark=str(dark).lower(), icon=icon))
        self.write('config/dunst/dunstrc', DUNST)
        self.logs = open(os.path.join(self.folder, 'log'), 'ab')  # pylint: disable=consider-using-with
        self.panel = None
        self.start_panel()
        self.dunst = self.run('dunst')
        self.agent = None

    def close(self):
        """End all of it."""
        procs.end(self.dunst)
        self.stop_panel()
        super().close()
        self.screen.close()
        self.logs.close()
        procs.remove_dir(self.folder)

    def start_panel(self):
        """The panel."""
        self.panel = self.run('xfce4-panel', '--disable-wm-check')

    def stop_panel(self):
        """End it."""
        procs.end(self.panel)

    def write(self, name, text):
        """A file in HOME."""
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def install_icons(self):
        """The icons of the build directory where a user's icons are; the folder."""
        root = os.path.join(self.dir, 'data', 'icons')
        source = os.path.join(trayrig.BUILD, 'data', 'icons')
        for name in os.listdir(source):
            if name.endswith('.svg'):
                size, icon = name.split('-', 1)
                folder = os.path.join(root, 'hicolor', size, 'apps')
                os.makedirs(folder, exist_ok=True)
                os.symlink(os.path.join(source, name), os.path.join(folder, icon))
        os.symlink('/usr/share/icons/hicolor/index.theme', os.path.join(root, 'hicolor', 'index.theme'))
        return root

    def run(self, *words):
        """A program on this desktop."""
        return procs.start(words, env=self.env, stdout=self.logs, stderr=subprocess.STDOUT)

    def xdotool(self, *words):
        """Move and click."""
        return procs.run(['xdotool', *words], env=self.env)

    def wait_picture(self, fits, what, timeout=60):
        """Wait until the screen fits; the picture."""
        def look():
            picture = self.screen.picture()
            return picture if fits(picture) else None
        return procs.wait_for(look, timeout, what)

    def start(self, *options):
        """The agent that is well, and tenon-tray."""
        self.agent = self.standin('agent')
        self.agent.send(set=WELL)
        self.start_tray('--icon-path', self.icons, *options)

    def icon(self):
        """The part of the screen with the icon."""
        return self.screen.picture().crop(*ICON)

    def wait_icon(self, fits, what):
        """Wait until the icon's colours fit."""
        return procs.wait_for(lambda: fits(self.icon()), 60, what)

    def open_menu(self):
        """Open it by the right button; the picture when it has been drawn."""
        self.xdotool('mousemove', '14', '14', 'click', '3')
        return self.wait_picture(lambda picture: len(self.entries(picture)) >= 3, 'the menu')

    def entries(self, picture):
        """The middles of the menu's entries that can be chosen, from above: their text is dark, that of others grey."""
        part = picture.crop(20, ICON[3] + 1, 200, screen.HEIGHT - ICON[3] - 1)
        rows = [any(is_dark(*part.pixel(x, y)) for x in range(part.width)) for y in range(part.height)]
        middles, start = [], None
        for y, dark in enumerate(rows + [False] * 6):
            if dark and start is None:
                start = y
            elif start is not None and not any(rows[y:y + 5]):
                middles.append(ICON[3] + 1 + (start + y) // 2)
                start = None
        return middles


def is_dark(red, green, blue):
    """Text that is no grey."""
    return max(red, green, blue) < 90


def is_wood(red, green, blue):
    """The tenon of an agent that runs."""
    return red > 130 and red - blue > 70 and 30 < red - green < 110


def is_sign(red, green, blue):
    """The sign of attention."""
    return red > 180 and green < 90 and blue < 70


def is_grey(red, green, blue):
    """The icon of an agent that does not run, and the post of the other icons."""
    return max(red, green, blue) - min(red, green, blue) < 12 and 110 < red < 170
