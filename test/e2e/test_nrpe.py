"""Checks by NRPE, against a real daemon and Debian's check_nrpe: what the plugin over there says, and what is no answer of it."""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from prober import Prober
from supervisor import ROOT, Supervisor
from waiting import wait_for

NRPE = next((p for p in (ROOT / "build/nrpe/usr/sbin/nrpe", Path("/usr/sbin/nrpe")) if p.exists()), None)
PLUGIN = next((p for p in (ROOT / "build/nrpe/usr/lib/nagios/plugins/check_nrpe", Path("/usr/lib/nagios/plugins/check_nrpe")) if p.exists()), None)
CONFIG = """pid_file={d}/pid
server_address=127.0.0.1
server_port={port}
nrpe_user={user}
nrpe_group={group}
allowed_hosts=127.0.0.1
dont_blame_nrpe=1
command_timeout=60
connection_timeout=60
command[fine]=/bin/sh {d}/fine
command[bad]=/bin/sh {d}/bad
command[unknown]=/bin/sh {d}/unknown
command[slow]=/bin/sleep 50
command[args]=/bin/echo "got $ARG1$ $ARG2$"
"""
pytestmark = pytest.mark.skipif(not NRPE or not PLUGIN or os.geteuid() != 0, reason="no NRPE (dist/deps nrpe), or not root, which it wants to be")


class Daemon:
    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="nrpe"))
        self.dir.chmod(0o755)
        (self.dir / "bad").write_text("echo 'BAD CRITICAL: broken'\necho 'more of it'\nexit 2\n")
        (self.dir / "fine").write_text("echo 'FINE OK: all well | a=1s;2;3'\n")
        (self.dir / "unknown").write_text("echo 'no idea'\nexit 3\n")
        nobody = pwd.getpwnam("nobody")
        self.user, self.group = nobody.pw_name, "nogroup"

    def __enter__(self):
        for _ in range(5):  # somebody else may take the port before it does
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                self.port = s.getsockname()[1]
            (self.dir / "cfg").write_text(CONFIG.format(d=self.dir, port=self.port, user=self.user, group=self.group))
            with open(self.dir / "out", "ab") as out:
                self.process = subprocess.Popen([NRPE, "-c", self.dir / "cfg", "-f"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
            wait_for(lambda: self.process.poll() is not None or self.listens(), 60, "NRPE listens")
            if self.process.poll() is None:
                return self
        raise AssertionError((self.dir / "out").read_text(errors="replace"))

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        os.killpg(self.process.pid, 9)
        self.process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture(scope="module")
def daemon():
    with Daemon() as d:
        yield d


@pytest.fixture(scope="module")
def prober():
    with Prober() as p:
        yield p


def ask(prober, port, command, timeout_ms=30000, **options):
    ask.n = getattr(ask, "n", 0) + 1
    prober.run(f"n{ask.n}", "nrpe", timeout_ms=timeout_ms, host="127.0.0.1", port=str(port), command=command, plugin=str(PLUGIN), **options)
    return prober.wait(f"n{ask.n}")


def test_what_the_plugin_there_says(daemon, prober):
    r = ask(prober, daemon.port, "fine")
    assert (r["state"], r["measured"], r["text"]) == ("OK", True, "FINE OK: all well") and r["perf"] == [{"label": "a", "value": 1, "uom": "s", "warn": "2", "crit": "3"}], r
    r = ask(prober, daemon.port, "bad")
    assert (r["state"], r["measured"], r["text"], r["more"]) == ("CRITICAL", True, "BAD CRITICAL: broken", "more of it\n"), r
    r = ask(prober, daemon.port, "unknown")
    assert (r["state"], r["measured"]) == ("UNKNOWN", True) and "no idea" in r["text"], r


def test_what_is_no_answer(daemon, prober):
    r = ask(prober, daemon.port, "slow", timeout_ms=4000)
    assert (r["state"], r["measured"], r["layer"]) == ("UNKNOWN", False, "timeout"), r
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        r = ask(prober, s.getsockname()[1], "fine")
        assert (r["state"], r["measured"], r["layer"]) == ("UNKNOWN", False, "refused"), r
        s.listen(1)
        r = ask(prober, s.getsockname()[1], "fine", timeout_ms=4000)
        assert (r["state"], r["measured"], r["layer"]) == ("UNKNOWN", False, "timeout"), r
    r = ask(prober, daemon.port, "fine", no_ssl="yes")
    assert (r["state"], r["measured"]) == ("UNKNOWN", False), r
    r = ask(prober, daemon.port, "fine", ca_cert_file="/etc/hostname")
    assert (r["state"], r["measured"]) == ("UNKNOWN", False), r
    prober.run("gone", "nrpe", host="127.0.0.1", command="fine", plugin="/nonexistent/check_nrpe")
    r = prober.wait("gone")
    assert not r["measured"] and "/nonexistent/check_nrpe" in r["text"], r


def test_arguments(daemon, prober):
    r = ask(prober, daemon.port, "args", args=["-w", "two words"])
    assert (r["state"], r["measured"]) == ("UNKNOWN", False) and "dont_blame_nrpe" in r.get("more", ""), r
    # Debian's daemon takes none whatever its configuration says; that they are handed to check_nrpe as its last words is shown by another one
    with tempfile.TemporaryDirectory() as d:
        told = Path(d) / "check_nrpe"
        told.write_text("#!/bin/sh\nfor w in \"$@\"; do printf '<%s>' \"$w\"; done\n")
        told.chmod(0o755)
        prober.run("told", "nrpe", host="h", command="c", args=["-w", "two words"], plugin=str(told), ca_cert_file="/ca", timeout_ms=9500)
        assert prober.wait("told")["text"] == "<-H><h><-p><5666><-u><-t><8:UNKNOWN><-d><0><-A></ca><-c><c><-a><-w><two words>"


@pytest.mark.parametrize("wrong, reason", [({"host": "-x"}, "is no host"), ({"command": "a!b"}, "is no name of a command"), ({"args": ["a!b"]}, "holds '!'"),
                                           ({"client_cert": "/a"}, "go together"), ({"no_ssl": "yes", "ca_cert_file": "/a"}, "leaves no use")])
def test_what_is_refused(prober, wrong, reason):
    ask.n = getattr(ask, "n", 0) + 1
    prober.run(f"n{ask.n}", "nrpe", **{"host": "h", "command": "c", **wrong})
    assert reason in prober.wait(f"n{ask.n}")["text"]


def test_via(daemon, tmp_path):
    """As a check says it, in a template too."""
    checks = {"there {host}": {"template": "far", "command": "fine"}, "worse": {"via": "nrpe", "host": "127.0.0.1", "port": daemon.port, "command": "bad", "plugin": str(PLUGIN)}}
    with Supervisor(tmp_path, {}, templates={"far": {"via": "nrpe", "hosts": ["127.0.0.1"], "port": daemon.port, "plugin": str(PLUGIN)}}) as sup:
        sup.sections["checks"] = checks
        sup.write_config()
        assert sup.ask(do="reload")["ok"], sup.ask(do="reload")
        assert sup.wait_check("there 127.0.0.1", state="OK")["probe"] == "nrpe"
        assert sup.wait_check("worse", state="CRITICAL")["text"] == "BAD CRITICAL: broken"
        sup.sections["checks"] = {"a": {"via": "nrpe", "probe": "load"}, "b": {"via": "ssh"}}
        sup.write_config()
        said = str(sup.ask(do="reload")["complaints"])
        assert "checks.a.via: is said instead of a probe" in said and 'checks.b.via \\"ssh\\": must be nrpe' in said or 'checks.b.via "ssh": must be nrpe' in said, said
