#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""The interfaces of org.tenon.Agent1(5), as scdoc, from the XML that the agent answers with: the comment before an
element is its text, and holds for the elements after it that have none."""

import re
import sys
import xml.etree.ElementTree as xml

PREFIX = 'org.tenon.'


def escape(text):
    """What scdoc would take for markup; `name` becomes an argument, the blanks of lines one."""
    text = re.sub(r'([\\_*<>#\[\]~^])', r'\\\1', ' '.join(text.split()))
    return re.sub('`([^`]*)`', r'_\1_', text)


def arguments(element, direction):
    """The arguments of a method or signal: name: type, …"""
    rows = [one for one in element.iter('arg') if one.get('direction', '') == direction]
    return ', '.join(f"_{escape(one.get('name'))}_: {escape(one.get('type'))}" for one in rows)


def title(element):
    """The line of a property, method or signal."""
    name = f"*{escape(element.get('name'))}*"
    if element.tag == 'property':
        kinds = {one.get('value') for one in element.iter('annotation')}
        tail = ' (no signal)' if 'false' in kinds else ' (constant)' if 'const' in kinds else ''
        return f"{name}: {escape(element.get('type'))}{tail}"
    if element.tag == 'signal':
        return f"{name}({arguments(element, '')})"
    out = arguments(element, 'out')
    return f"{name}({arguments(element, 'in')})" + (f' → {out}' if out else '')


def rows(interface):
    """[(comment, [elements])] of an interface."""
    groups, comment = [], None
    for one in interface:
        if one.tag is xml.Comment:
            comment = one.text
        elif comment is not None or not groups:
            groups.append((comment or '', [one]))
            comment = None
        else:
            groups[-1][1].append(one)
    return groups


def main():
    """Print the sections."""
    root = xml.parse(sys.argv[1], xml.XMLParser(target=xml.TreeBuilder(insert_comments=True))).getroot()
    comment = ''
    for one in root:
        if one.tag is xml.Comment:
            comment = one.text
            continue
        if not one.get('name').startswith(PREFIX):
            continue
        print(f"# {escape(one.get('name').removeprefix(PREFIX)).upper()}\n\n{escape(comment)}\n")
        for tag, heading in (('property', 'Properties'), ('method', 'Methods'), ('signal', 'Signals')):
            groups = [(text, [element for element in elements if element.tag == tag]) for text, elements in rows(one)]
            groups = [(text, elements) for text, elements in groups if elements]
            if groups:
                print(f'## {heading}\n')
            for text, elements in groups:
                lines = ', '.join(title(element) for element in elements)
                print(f'{lines}\n\t{escape(text)}\n')


if __name__ == '__main__':
    main()
