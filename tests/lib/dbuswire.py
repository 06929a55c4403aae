# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""A client of D-Bus that does what well-behaved ones do not: many calls at once, no waiting, leaving in between.

Knows as much of the wire format (D-Bus specification, "Message Protocol") as that takes: arguments of the types s, u
and b, little endian.
"""

import os
import socket
import struct

import procs

HEADER = '<BBBBIII'
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
CALL, RETURN, ERROR, SIGNAL = range(1, 5)
INTERACTIVE = 4


def pad(data, size):
    """Zeros up to the next multiple."""
    return data + b'\0' * (-len(data) % size)


def text(value):
    """A string or an object path."""
    raw = value.encode()
    return struct.pack('<I', len(raw)) + raw + b'\0'


def field(code, kind, value):
    """A header field."""
    head = bytes([code, 1]) + kind.encode() + b'\0'
    return head + (bytes([len(value)]) + value.encode() + b'\0' if kind == 'g' else text(value))


def marshal(signature, values):
    """The body of a message."""
    body = b''
    for kind, value in zip(signature, values):
        body = pad(body, 4)
        body += text(value) if kind == 's' else struct.pack('<I', int(value))
    return body


class Client:
    """A connection with a name, as the user that this process is."""

    def __init__(self, address):
        self.sock = procs.connect(address.removeprefix('unix:path='))
        self.sock.settimeout(20)
        self.buffer = b''
        self.serial = 0
        uid = str(os.getuid()).encode().hex()
        self.sock.sendall(b'\0AUTH EXTERNAL ' + uid.encode() + b'\r\n')
        self._line()
        self.sock.sendall(b'BEGIN\r\n')
        hello = self.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'Hello')
        self.name = self.answer(hello)['destination']

    def _line(self):
        while b'\r\n' not in self.buffer:
            self.buffer += self.sock.recv(4096)
        line, self.buffer = self.buffer.split(b'\r\n', 1)
        if not line.startswith(b'OK'):
            raise ConnectionError(line)

    def _bytes(self, count):
        while len(self.buffer) < count:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError('the bus has closed the connection')
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def call(self, destination, path, interface, member, signature='', values=(), flags=0):
        """Send a method call; its serial number."""
        self.serial += 1
        body = marshal(signature, values)
        fields = [field(PATH, 'o', path), field(INTERFACE, 's', interface), field(MEMBER, 's', member),
                  field(DESTINATION, 's', destination)]
        if signature:
            fields.append(field(SIGNATURE, 'g', signature))
        raw = b''
        for one in fields:
            raw = pad(raw, 8) + one
        head = struct.pack(HEADER, ord('l'), CALL, flags, 1, len(body), self.serial, len(raw))
        self.sock.sendall(pad(head + raw, 8) + body)
        return self.serial

    def read(self):
        """The next message: type, reply_serial, error, destination, body."""
        head = self._bytes(16)
        _, kind, _, _, body_len, _, fields_len = struct.unpack(HEADER, head)
        raw = self._bytes(fields_len + -fields_len % 8)
        message = {'type': kind, 'reply_serial': None, 'error': None, 'destination': None,
                   'body': self._bytes(body_len)}
        at = 0
        while at < fields_len:
            at += -at % 8
            code, kind_len = raw[at], raw[at + 1]
            kind = raw[at + 2:at + 2 + kind_len].decode()
            at += 3 + kind_len
            if kind == 'g':
                size = raw[at]
                at += size + 2
                continue
            at += -at % 4
            number, = struct.unpack_from('<I', raw, at)
            at += 4
            if kind == 'u':
                value = number
            else:
                value = raw[at:at + number].decode()
                at += number + 1
            name = {REPLY_SERIAL: 'reply_serial', ERROR_NAME: 'error', DESTINATION: 'destination'}.get(code)
            if name:
                message[name] = value
        return message

    def answer(self, serial):
        """The answer to a call; what comes before it is dropped."""
        while True:
            message = self.read()
            if message['type'] in (RETURN, ERROR) and message['reply_serial'] == serial:
                return message

    def close(self):
        """Leave."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
