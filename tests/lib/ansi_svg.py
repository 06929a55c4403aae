# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What a terminal was sent, as an SVG picture: text, bold, faint and three colours, which is all that tenonctl uses."""

import html
import re

CHARACTER, LINE, MARGIN = 8.4, 19, 14  # pixels
COLORS = {'32': '#3fb950', '33': '#e3b341', '31': '#f85149'}
SGR = re.compile(r'\x1b\[([0-9;]*)m')


def style_of(codes):
    """The attributes of a <tspan>."""
    style = {}
    for code in codes:
        if code == '1':
            style['font-weight'] = 'bold'
        elif code == '2':
            style['fill'] = '#8b949e'
        elif code in COLORS:
            style['fill'] = COLORS[code]
    return ''.join(f' {name}="{value}"' for name, value in style.items())


def line_of(text, number):
    """One line as a <text>."""
    out, codes, at = [], [], 0
    for match in [*SGR.finditer(text), None]:
        piece = text[at:match.start() if match else len(text)]
        if piece:
            out.append(f'<tspan{style_of(codes)}>{html.escape(piece)}</tspan>')
        if match:
            at = match.end()
            codes = [] if match[1] in ('', '0') else [*codes, *match[1].split(';')]
    return f'<text x="{MARGIN}" y="{MARGIN + LINE * (number + 1) - 5}">{"".join(out)}</text>'


def picture(command, output):
    """The SVG of a prompt with a command, and its output."""
    lines = [f'$ \x1b[1m{command}\x1b[0m', *output.rstrip('\n').split('\n')]
    width = max(len(SGR.sub('', line)) for line in lines) * CHARACTER + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    body = '\n'.join(line_of(line, number) for number, line in enumerate(lines))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
            f'font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="14" fill="#e6edf3" xml:space="preserve">\n'
            f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n{body}\n</svg>\n')
