#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Renders the tray's icons for hosts that find no theme: pixmaps.py OUTPUT NAME_SIZE:ICON.svg…

Writes a C header with one array of bytes for each icon, ARGB in network byte order as a StatusNotifierItem sends
it. Our icons are polygons of M, H, V, L and Z in one colour each, and this knows nothing else: so building needs no
library for SVG, and the shapes stand in one place.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

SVG = '{http://www.w3.org/2000/svg}'
SAMPLES = 4  # in each direction of a pixel


def points(path):
    """The corners of a path."""
    words = re.findall(r'[A-Z]|-?[\d.]+', path)
    x = y = 0.0
    corners = []
    while words:
        letter = words.pop(0)
        if letter == 'Z':
            continue
        if letter not in 'MLHV':
            raise ValueError(f'only M, L, H, V and Z are known here, not {letter}')
        if letter != 'V':
            x = float(words.pop(0))
        if letter != 'H':
            y = float(words.pop(0))
        corners.append((x, y))
    return corners


def inside(corners, x, y):
    """Is the point in the polygon? By the number of edges to its left."""
    hit = False
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1]):
        if (y1 > y) != (y2 > y) and x > x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            hit = not hit
    return hit


def read(source):
    """Width of the drawing, and its polygons with their colours, the topmost first."""
    root = ElementTree.parse(source).getroot()
    shapes = [(points(path.get('d')), bytes.fromhex(path.get('fill')[1:])) for path in root.iter(SVG + 'path')]
    return float(root.get('width')), shapes[::-1]


def pixel(shapes, left, top, step):
    """Four bytes: how much of the pixel is covered, and the mean colour of that."""
    found = []
    for i in range(SAMPLES * SAMPLES):
        x = left + (i % SAMPLES + 0.5) * step / SAMPLES
        y = top + (i // SAMPLES + 0.5) * step / SAMPLES
        found += [colour for corners, colour in shapes if inside(corners, x, y)][:1]
    if not found:
        return bytes(4)
    mean = [round(sum(colour[i] for colour in found) / len(found)) for i in range(3)]
    return bytes([round(255 * len(found) / SAMPLES**2), *mean])


def render(source, size):
    """The whole icon."""
    width, shapes = read(source)
    step = width / size
    return b''.join(pixel(shapes, column * step, row * step, step)
                    for row in range(size) for column in range(size))


def main():
    """Write the header."""
    output, *icons = sys.argv[1:]
    with open(output, 'w', encoding='ascii') as file:
        file.write('/* Made by tray/pixmaps.py. */\n')
        for name, source in (icon.split(':', 1) for icon in icons):
            data = ','.join(map(str, render(source, int(name.rpartition('_')[2]))))
            file.write(f'static const unsigned char {name}[] = {{{data}}};\n')


if __name__ == '__main__':
    main()
