# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 the Tenon developers
"""What the benchmarks share: the peer's program, an agent on a unix socket, the cells of a table, the page."""

import glob
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TENON_BUILD", TOP / "build"))
PAGE = TOP / "docs/benchmarks.md"


def fetch_peer(folder):
    """Debian's package, unpacked; returns (program, version)."""
    subprocess.run(["apt-get", "download", "-q", "qemu-guest-agent"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    package = glob.glob(f"{folder}/qemu-guest-agent_*.deb")[0]
    subprocess.run(["dpkg", "-x", package, f"{folder}/peer"], check=True)
    program = f"{folder}/peer/usr/sbin/qemu-ga"
    missing = [line for line in subprocess.run(["ldd", program], capture_output=True, text=True).stdout.splitlines()
               if "not found" in line]
    if missing:
        sys.exit("qemu-ga lacks libraries here; apt-get install qemu-guest-agent\n" + "\n".join(missing))
    version = subprocess.run(["dpkg-deb", "-f", package, "Version"], capture_output=True, text=True).stdout.strip()
    return program, version


class Agent:
    """One agent process on a unix socket."""

    def __init__(self, name, folder, argv, **options):
        self.name, self.path = name, f"{folder}/{name}.sock"
        if os.path.exists(self.path):
            os.unlink(self.path)
        started = time.monotonic()
        options.setdefault("stderr", subprocess.DEVNULL)
        self.process = subprocess.Popen([*argv, "-m", "unix-listen", "-p", self.path, "-t", folder],
                                        stdout=subprocess.DEVNULL, **options)
        self.first_answer_ms = self.wait_for_answer(started)

    def wait_for_answer(self, started):
        while time.monotonic() - started < 10:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(5)
                    client.connect(self.path)
                    client.sendall(b'{"execute": "guest-ping"}\n')
                    if client.recv(100):
                        return (time.monotonic() - started) * 1000
            except OSError:
                time.sleep(0.0005)
        self.stop()
        sys.exit(f"{self.name} did not answer within 10 s")

    def memory_kib(self):
        fields = {}
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                key, value = line.split()[:2]
                fields[key.rstrip(":")] = int(value)
        return {"Rss": fields["Rss"], "Private": fields["Private_Dirty"] + fields["Private_Clean"]}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def agents(folder, peer):
    """The command lines of both."""
    config = f"{folder}/tenond.conf"
    pathlib.Path(config).write_text("[agent]\ncontrol-socket=\n[policy]\npreset=open\n"
                                    "[exec]\ntransient-units=no\n", encoding="ascii")
    tenond = [f"{BUILD}/agent/tenond", "-c", config]
    tenond += [f"--plugin-dir={path.parent}" for path in sorted(BUILD.glob("plugins/*/*.so"))]
    return {"tenond": tenond, "qemu-ga": [peer]}


def cell(values, digits):
    """The median, and in parentheses the smallest and the largest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def row(label, ours, theirs, digits):
    """One line of a table: ours, the peer's, and the ratio of the medians."""
    ratio = statistics.median(ours) / statistics.median(theirs)
    return f"| {label} | {cell(ours, digits)} | {cell(theirs, digits)} | {ratio:.2f} |"


def write_section(heading, text):
    """Put a section of docs/benchmarks.md in place of the one with that heading, or at the end."""
    parts = re.split("^(?=## )", PAGE.read_text(encoding="utf-8"), flags=re.M)
    section = f"## {heading}\n\n{text.strip()}\n\n"
    places = [number for number, part in enumerate(parts) if part.startswith(f"## {heading}\n")]
    if places:
        parts[places[0]] = section
    else:
        parts[-1] = parts[-1].rstrip("\n") + "\n\n"
        parts.append(section)
    write_whole("".join(parts))


def write_head(text):
    """Put the text before the first section, which has the page's title."""
    parts = re.split("^(?=## )", PAGE.read_text(encoding="utf-8"), flags=re.M)
    write_whole("".join([text.strip() + "\n\n", *parts[1:]]))


def write_whole(text):
    """The whole page, all of it or nothing."""
    new = PAGE.with_suffix(".md.new")
    new.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    new.rename(PAGE)
