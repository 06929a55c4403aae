#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What d-feet shows of a name on a bus: dfeet_rows.py ADDRESS NAME UNIQUE-NAME

Its page for the name is made as its window makes it. When nothing more is added to the tree, each row goes out as a
line of JSON: its depth, its kind and its text; of a property the value, too, as a double click on it gets it. Run by
Debian's interpreter, which d-feet is for.
"""

import json
import re
import sys

import gi
gi.require_version('Gtk', '3.0')
# pylint: disable=wrong-import-position
from gi.repository import GLib, Gtk
from dfeet.introspection import AddressInfo
from dfeet.introspection_helper import DBusProperty

DATA = '/usr/share/d-feet/'


def find_tree(widget):
    """The tree in the page."""
    if isinstance(widget, Gtk.TreeView):
        return widget
    children = widget.get_children() if isinstance(widget, Gtk.Container) else []
    return next((found for found in map(find_tree, children) if found), None)


def rows(model, depth=0, first=None):
    """(iter, depth) of all rows."""
    place = model.get_iter_first() if depth == 0 else first
    while place:
        yield place, depth
        if model.iter_has_child(place):
            yield from rows(model, depth + 1, model.iter_children(place))
        place = model.iter_next(place)


def main():
    """Show, wait, tell."""
    page = AddressInfo(DATA, *sys.argv[1:4])
    window = Gtk.Window()
    window.add(page.introspect_box)
    window.show_all()
    tree = find_tree(window)
    counts = []

    def look():
        counts.append(sum(1 for _ in rows(tree.get_model())))
        if counts[-1] and counts[-4:] == [counts[-1]] * 4:
            Gtk.main_quit()
        return True
    GLib.timeout_add(500, look)
    Gtk.main()
    model = tree.get_model()
    for place, depth in list(rows(model)):
        thing = model[place][1]
        if isinstance(thing, DBusProperty):
            tree.row_activated(model.get_path(place), tree.get_column(0))
        print(json.dumps([depth, type(thing).__name__, re.sub(r'<[^>]*>', '', model[place][0])]))


if __name__ == '__main__':
    main()
