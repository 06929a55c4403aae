# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What the guest answered, as a page for a person: aligned, with units. Pure: values in, text out."""

import datetime


def size(count):
    """Bytes as a person says them: 1.9 GiB."""
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if count < 1024:
            return f'{count:.0f} {unit}' if unit == 'B' else f'{count:.1f} {unit}'
        count /= 1024
    return f'{count:.1f} TiB'


def rows(pairs, indent=2):
    """Two aligned columns."""
    pairs = [(name, str(value)) for name, value in pairs]
    width = max((len(name) for name, _ in pairs), default=0)
    return [' ' * indent + f'{name:<{width}}  {value}'.rstrip() for name, value in pairs]


def words(parts):
    """A list for people, or none."""
    return ', '.join(parts) or 'none'


def system(osinfo, host_name, now_ns):
    """What runs there."""
    when = datetime.datetime.fromtimestamp(now_ns / 1e9, datetime.timezone.utc)
    return ['System', *rows([
        ('host name', host_name['host-name']),
        ('system', osinfo.get('pretty-name', '?')),
        ('kernel', f"{osinfo.get('kernel-release', '?')} ({osinfo.get('machine', '?')})"),
        ('clock', when.strftime('%Y-%m-%d %H:%M:%S UTC'))])]


def interfaces(cards):
    """The network."""
    lines = ['Network']
    for card in cards:
        addresses = [f"{a['ip-address']}/{a['prefix']}" for a in card.get('ip-addresses', [])]
        traffic, mac = card.get('statistics', {}), card.get('hardware-address', '-')
        moved = f"{size(traffic.get('rx-bytes', 0))} in, {size(traffic.get('tx-bytes', 0))} out"
        first = addresses[0] if addresses else 'no address'
        lines.append(f"  {card['name']:<8}  {mac:<17}  {first:<34}  {moved}")
        lines += [f"  {'':<8}  {'':<17}  {address}" for address in addresses[1:]]
    return lines


def filesystems(entries):
    """The file systems."""
    lines = ['File systems']
    for entry in entries:
        used, total, usage = entry.get('used-bytes'), entry.get('total-bytes'), 'size not known'
        if total:
            usage = f'{size(used)} of {size(total)} used ({100 * used // total} %)'
        buses = words(f"{disk['bus-type']} {disk.get('dev', '')}".strip() for disk in entry['disk'])
        lines.append(f"  {entry['mountpoint']:<8}  {entry['type']:<6}  {usage:<34}  {buses}")
    return lines


def channel(value):
    """One connection to the outside."""
    connected = sum(client['connected'] for client in value['clients'])
    problem = f": {value['problem']}" if 'problem' in value else ''
    return f"{value['method']} at {value['path']}: {value['state']}, {connected} connected{problem}"


def evidence(fact):
    """What was found and the first two reasons for it."""
    reasons = fact['evidence'].split('; ')
    more = f' and {len(reasons) - 2} more' if len(reasons) > 2 else ''
    return f"{fact['id']} ({'; '.join(reasons[:2])}{more})"


def plugin(value):
    """One plugin and how much it can do."""
    count = len(value.get('commands', []))
    return f"{value['name']} {value['state']} ({count} command{'' if count == 1 else 's'})"


def status(value):
    """What the agent says of itself and of the machine."""
    pairs = [('version', value['version']),
             ('health', '; '.join([value['health']['state'], *value['health']['problems']]))]
    pairs += [(fact['kind'], evidence(fact)) for fact in value['hypervisor']['facts']]
    pairs += [(f"{end['role']} channel", channel(end)) for end in value['channels']]
    pairs += [('policy', value['policy']['preset']),
              ('plugins', words(plugin(one) for one in value['plugins'])),
              ('drivers', words(sorted({one['driver'] or '-' for one in value['drivers'] if one['kind'] == 'paravirtual'}))),
              ('watchdog', words(f"{one['device']} {one['identity']} ({one['state']})"
                                 for one in value['watchdog']['devices'])),
              ('clock source', value['time']['clocksource']),
              ('requests', value['counters']['requests'])]
    return ['Tenon', *rows(pairs)]


def page(answers):
    """The whole report, from {command: value}."""
    parts = [
        system(answers['guest-get-osinfo'], answers['guest-get-host-name'], answers['guest-get-time']),
        interfaces(answers['guest-network-get-interfaces']),
        filesystems(answers['guest-get-fsinfo']),
        status(answers['tenon-get-status'])]
    return '\n\n'.join('\n'.join(part) for part in parts)
