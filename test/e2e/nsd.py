"""A private NSD for the tests: an authoritative name server on loopback, UDP and TCP, with the zones a test writes.

    with Nsd(tmp_path / "nsd", {"lab.test": LAB, "bl.test": blocklist("192.0.2.10")}) as dns:
        dns.server                    # "127.0.0.1:PORT", for an option `resolver`
        dns.change("lab.test", text)  # replaces a zone (serial included: see zone()), served when this returns
        dns.stop(); dns.start(); dns.pause(); dns.resume()

It serves as the resolver of a probe: what it does not know it answers with REFUSED. Zone texts need no SOA and NS: zone() puts
them in front, with a serial that rises.
"""
import itertools
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from waiting import wait_for

UNPACKED = Path(__file__).resolve().parents[2] / "build/dns"  # where dist/deps puts servers that are not to be installed
PLACES = [UNPACKED / "usr/sbin", Path("/usr/sbin")]


def program(name):
    """The path of a server's program, "" when it is not here."""
    return next((str(p / name) for p in PLACES if (p / name).exists()), "")


def missing():
    return "" if program("nsd") else "nsd is neither installed nor unpacked (dist/deps)"


def free_port(addresses=("127.0.0.1",)):
    """One port that is free for UDP and TCP on all these addresses."""
    for _ in range(50):
        held, port = [], 0
        try:
            for address in addresses:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
                    held.append(s)
                    s.bind((address, port))
                    port = s.getsockname()[1]
            return port
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise RuntimeError("no port is free for both UDP and TCP")


serials = itertools.count(1)


def zone(name, text, serial=None, ns="ns.lab.test.", ttl=5):
    """A whole zone file from its records."""
    return (f"$ORIGIN {name}.\n$TTL {ttl}\n@ IN SOA {ns} hostmaster.lab.test. {serial or next(serials)} 3600 600 86400 {ttl}\n"
            f"@ NS {ns}\n{text}\n")


def reversed_ip(address):
    """192.0.2.10 -> 10.2.0.192; an IPv6 address as nibbles."""
    import ipaddress
    return ipaddress.ip_address(address).reverse_pointer.replace(".in-addr.arpa", "").replace(".ip6.arpa", "")


def blocklist(*listed, answer="127.0.0.2", reason="listed: test", control=True):
    """The records of a DNS list that works: its test entries, and these addresses (or (address, answer) pairs)."""
    lines = ['2.0.0.127 A 127.0.0.2', '2.0.0.127 TXT "test entry"'] if control else []
    for entry in listed:
        address, code = entry if isinstance(entry, tuple) else (entry, answer)
        lines += [f"{reversed_ip(address)} A {code}", f'{reversed_ip(address)} TXT "{reason}"']
    return "\n".join(lines)


def query(server, name, kind=1, timeout=1.0):
    """Whether the server gives an answer without an error: used to wait, not to judge."""
    host, port = server.rsplit(":", 1)
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.strip(".").split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(struct.pack(">HHHHHH", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1), (host, int(port)))
        try:
            return s.recv(4096)
        except OSError:
            return b""


class Nsd:
    """zones: {name: records}. addresses: where it listens, all at one port."""

    def __init__(self, root, zones, addresses=("127.0.0.1",), port=None):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.addresses = addresses
        self.port = port or free_port(addresses)
        self.server = f"{addresses[0]}:{self.port}"
        self.zones = {}
        self.process = None
        for name, text in zones.items():
            self.write(name, text)

    def write(self, name, text, serial=None):
        """text: records, or a whole zone file when it has an SOA."""
        whole = text if re.search(r"\bSOA\b", text) else zone(name, text, serial)
        file = self.root / f"{name}.zone"
        file.with_suffix(".new").write_text(whole)
        file.with_suffix(".new").rename(file)
        self.zones[name] = int(re.search(r"SOA\s+\S+\s+\S+\s+\(?\s*(\d+)", whole).group(1))

    def configuration(self):
        lines = [f"  ip-address: {a}@{self.port}" for a in self.addresses]
        lines += [f'  {k}: "{self.root}/{v}"' for k, v in (("pidfile", "nsd.pid"), ("logfile", "nsd.log"), ("xfrdfile", "xfrd.state"),
                                                           ("zonelistfile", "zone.list"), ("xfrdir", ""), ("zonesdir", ""))]
        zones = "".join(f"zone:\n  name: {z}\n  zonefile: {z}.zone\n" for z in self.zones)
        return ("server:\n" + "\n".join(lines) + '\n  server-count: 1\n  username: ""\n  database: ""\n  rrl-ratelimit: 0\n'
                "  hide-version: yes\nremote-control:\n  control-enable: no\n" + zones)

    def serial(self, name):
        """What it serves now; None: it does not answer for the zone."""
        answer = query(self.server, name, 6, 0.2)
        if len(answer) < 12 or not answer[7]:
            return None
        at = 12
        while answer[at]:
            at += 1 + answer[at]
        at += 5 + 2 + 8  # the question's end; the record's pointer, type, class, ttl
        length = struct.unpack(">H", answer[at:at + 2])[0]
        return struct.unpack(">I", answer[at + 2 + length - 20:at + 2 + length - 16])[0]

    def ready(self):
        assert self.process.poll() is None, "nsd ended:\n" + self.log()
        return all(self.serial(z) == s for z, s in self.zones.items())

    def start(self):
        (self.root / "nsd.conf").write_text(self.configuration())
        env = {**os.environ, "LD_LIBRARY_PATH": str(UNPACKED / "usr/lib/x86_64-linux-gnu")}
        self.process = subprocess.Popen([program("nsd"), "-d", "-c", self.root / "nsd.conf"], env=env, start_new_session=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.ready, what="nsd serves its zones")

    def log(self):
        file = self.root / "nsd.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def change(self, name, text):
        """Replaces a zone of those it was made with, or adds one."""
        new = name not in self.zones
        self.write(name, text)
        if new:
            self.stop()
            self.start()
        else:
            self.process.send_signal(signal.SIGHUP)
            wait_for(self.ready, what=f"nsd serves the changed {name}")

    def pause(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self):
        if not self.process:
            return
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
