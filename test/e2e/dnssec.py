"""Signed zones and a resolver that validates them: ldns signs, NSD serves, Unbound validates.

    signed, anchor = sign(tmp_path, "good.test", "a A 192.0.2.1")
    with Nsd(tmp_path / "nsd", {"good.test": signed}) as d, Unbound(tmp_path / "ub", d, [anchor]) as u:
        u.server        # "127.0.0.1:PORT", for an option `resolver`
"""
import os
import re
import subprocess
from pathlib import Path

import nsd
from waiting import wait_for

SIGN, KEYGEN = "/usr/bin/ldns-signzone", "/usr/bin/ldns-keygen"


def missing():
    if not nsd.program("unbound"):
        return "unbound is neither installed nor unpacked (dist/deps)"
    return "" if Path(SIGN).exists() else "ldnsutils is not installed"


def sign(folder, name, text):
    """(the signed zone file's text, its key as a trust anchor). text: records without SOA and NS."""
    folder = Path(folder)
    (folder / f"{name}.zone").write_text(nsd.zone(name, text, ns=f"ns.{name}.").replace("@ NS", "ns A 127.0.0.1\n@ NS"))
    key = subprocess.run([KEYGEN, "-a", "ECDSAP256SHA256", "-k", name], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run([SIGN, "-f", f"{name}.signed", f"{name}.zone", key], cwd=folder, check=True)
    return (folder / f"{name}.signed").read_text(), re.sub(r";.*", "", (folder / f"{key}.key").read_text()).strip().replace("\t", " ")


class Unbound:
    """Asks one NSD for all its zones; anchors: of those that are signed."""

    def __init__(self, root, server, anchors):
        self.root, self.port = Path(root), nsd.free_port()
        self.root.mkdir(parents=True, exist_ok=True)
        self.server = f"127.0.0.1:{self.port}"
        self.zones = list(server.zones)
        trust = "".join(f'  trust-anchor: "{a}"\n' for a in anchors)
        stubs = "".join(f"stub-zone:\n  name: {z}\n  stub-addr: 127.0.0.1@{server.port}\n" for z in self.zones)
        (self.root / "unbound.conf").write_text(
            f'server:\n  interface: 127.0.0.1@{self.port}\n  username: ""\n  chroot: ""\n  directory: "{self.root}"\n  pidfile: ""\n'
            f'  use-syslog: no\n  do-not-query-localhost: no\n  local-zone: "test." nodefault\n  do-daemonize: no\n'
            f'  module-config: "validator iterator"\n{trust}{stubs}')

    def log(self):
        return (self.root / "log").read_text()

    def __enter__(self):
        env = {**os.environ, "LD_LIBRARY_PATH": str(nsd.UNPACKED / "usr/lib/x86_64-linux-gnu")}
        with open(self.root / "log", "w") as log:
            self.process = subprocess.Popen([nsd.program("unbound"), "-d", "-c", self.root / "unbound.conf"], env=env, stdout=log, stderr=log)
        wait_for(lambda: self.process.poll() is not None or nsd.query(self.server, self.zones[0], 6, timeout=0.3), 60, "unbound answers")
        assert self.process.poll() is None, self.log()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
