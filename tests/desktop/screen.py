# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A screen without a monitor: Xvfb, whose frame buffer is a file, read here without any library.

The file has the format of xwd(1): a header of big-endian words, colours, then lines of pixels.
"""

import os
import struct
import subprocess
import zlib

import procs

WIDTH, HEIGHT = 640, 400


class Picture:
    """Lines of RGB pixels."""

    def __init__(self, width, height, data):
        self.width, self.height, self.data = width, height, data

    def pixel(self, x, y):
        """(red, green, blue)"""
        start = (y * self.width + x) * 3
        return tuple(self.data[start:start + 3])

    def crop(self, x, y, width, height):
        """A part of it."""
        width, height = min(width, self.width - x), min(height, self.height - y)
        lines = [self.data[((y + row) * self.width + x) * 3:((y + row) * self.width + x + width) * 3]
                 for row in range(height)]
        return Picture(width, height, b''.join(lines))

    def count(self, fits):
        """How many pixels fit."""
        return sum(1 for i in range(0, len(self.data), 3) if fits(*self.data[i:i + 3]))

    def save(self, path):
        """As a PNG."""
        lines = b''.join(b'\0' + self.data[row * self.width * 3:(row + 1) * self.width * 3]
                         for row in range(self.height))

        def chunk(kind, data):
            return (struct.pack('>I', len(data)) + kind + data
                    + struct.pack('>I', zlib.crc32(kind + data)))
        with open(path, 'wb') as file:
            file.write(b'\x89PNG\r\n\x1a\n'
                       + chunk(b'IHDR', struct.pack('>IIBBBBB', self.width, self.height, 8, 2, 0, 0, 0))
                       + chunk(b'IDAT', zlib.compress(lines, 9)) + chunk(b'IEND', b''))


class Screen:
    """One X server."""

    def __init__(self, folder):
        read, write = os.pipe()
        self.file = os.path.join(folder, 'Xvfb_screen0')
        self.child = procs.start(
            ['Xvfb', '-displayfd', write, '-screen', '0', f'{WIDTH}x{HEIGHT}x24', '-fbdir', folder,
             '-nolisten', 'tcp', '-ac', '-wr'],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as file:
            number = file.readline().strip()
        if not number:
            raise RuntimeError('Xvfb did not start')
        self.display = f':{number}'

    def close(self):
        """End it."""
        procs.end(self.child)

    def picture(self):
        """What is on the screen now."""
        with open(self.file, 'rb') as file:
            content = file.read()
        header = struct.unpack('>25I', content[:100])
        size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
        pixels = content[size + colours * 12:]
        rows = []
        for row in range(height):
            data = pixels[row * line:row * line + width * 4]
            rgb = bytearray(width * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = data[2::4], data[1::4], data[0::4]
            rows.append(bytes(rgb))
        return Picture(width, height, b''.join(rows))
