# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""Curves as SVG: panels side by side, both axes logarithmic, a line for each series with its spread as a bar."""

import html
import math
import statistics

WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 180, 70, 50, 100
COLOURS = ['#2a7f62', '#b5651d', '#4062bb']


def number(value):
    """A short figure: 1200000 as 1.2M."""
    for unit, name in ((1e6, 'M'), (1e3, 'k')):
        if value >= unit:
            return f'{value / unit:.3g}{name}'
    return f'{value:.3g}'


class Panel:
    """One plot: @series is name -> {x: [samples]}; @name is how an x is written."""

    def __init__(self, title, x_label, y_label, series, name=number):
        self.title, self.x_label, self.y_label, self.series, self.name = title, x_label, y_label, series, name
        points = [(x, y) for line in series.values() for x, samples in line.items() for y in samples]
        self.xs = sorted({x for x, _ in points})
        self.low, self.high = min(y for _, y in points), max(y for _, y in points)
        self.low, self.high = self.low / 1.3, self.high * 1.3

    def place(self, x, y):
        """The pixel of a point, in the panel."""
        first, last = math.log(self.xs[0]), math.log(self.xs[-1])
        across = (math.log(x) - first) / (last - first or 1)
        up = (math.log(y) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return across * WIDTH, HEIGHT - up * HEIGHT

    def ticks(self):
        """Powers of ten within the range, or its ends."""
        inside = [10.0 ** power for power in range(-6, 10) if self.low <= 10.0 ** power <= self.high]
        return inside if len(inside) > 1 else [self.low * 1.3, self.high / 1.3]

    def draw(self, left):
        parts = [f'<g transform="translate({left},{TOP})">',
                 f'<text y="-14" class="title">{html.escape(self.title)}</text>',
                 f'<path d="M0 0V{HEIGHT}H{WIDTH}" class="axis"/>',
                 f'<text x="{WIDTH / 2}" y="{HEIGHT + 34}" class="middle">{html.escape(self.x_label)}</text>',
                 f'<text transform="translate(-48,{HEIGHT / 2}) rotate(-90)" class="middle">{html.escape(self.y_label)}</text>']
        for x in self.xs:
            across = self.place(x, self.low)[0]
            parts.append(f'<text x="{across:.1f}" y="{HEIGHT + 16}" class="middle">{self.name(x)}</text>')
        for y in self.ticks():
            up = self.place(self.xs[0], y)[1]
            parts += [f'<path d="M0 {up:.1f}H{WIDTH}" class="grid"/>',
                      f'<text x="-6" y="{up + 4:.1f}" class="end">{number(y)}</text>']
        for colour, line in zip(COLOURS, self.series.values()):
            places = [self.place(x, statistics.median(line[x])) for x in sorted(line)]
            parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" '
                         f'stroke="{colour}" stroke-width="2"/>')
            for x, samples in line.items():
                across, top = self.place(x, max(samples))
                bottom = self.place(x, min(samples))[1]
                parts.append(f'<path d="M{across:.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}"/>')
        return parts + ['</g>']


def draw(panels, label):
    """The whole picture; the names of the series stand below."""
    columns = 2
    rows = -(-len(panels) // columns)
    width, height = LEFT + columns * (WIDTH + GAP), rows * (HEIGHT + 110) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" '
             f'role="img" aria-label="{html.escape(label)}">',
             '<style>.title{font-weight:bold;font-size:13px}.middle{text-anchor:middle}.end{text-anchor:end}'
             '.axis{fill:none;stroke:#333}.grid{fill:none;stroke:#ddd}</style>',
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for index, panel in enumerate(panels):
        parts.append(f'<g transform="translate(0,{(index // columns) * (HEIGHT + 110)})">')
        parts += panel.draw(LEFT + index % columns * (WIDTH + GAP)) + ['</g>']
    names = max((panel.series for panel in panels), key=len)
    for index, (colour, name) in enumerate(zip(COLOURS, names)):
        left = LEFT + index * 120
        parts += [f'<path d="M{left} {height - 20}h20" stroke="{colour}" stroke-width="3"/>',
                  f'<text x="{left + 26}" y="{height - 16}">{html.escape(name)}</text>']
    return '\n'.join(parts + ['</svg>', ''])
