"""`make run`: monitord-run in the foreground. What it says, how it stops, and that it leaves nothing behind whoever is killed."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from house import BUILD, ask, wait_for

RUN = str(BUILD / "monitord-run")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


def processes_naming(text):
    """Pids whose command line or environment of arguments holds text."""
    found = {}
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (p / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found[int(p.name)] = line
    return found


def descendants(pid):
    parents = {}
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (p / "stat").read_text()
        except OSError:
            continue
        parents[int(p.name)] = int(stat[stat.rindex(")") + 2:].split()[1])
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def alive(pids):
    """Those that still run (a zombie does not)."""
    left = []
    for pid in pids:
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if stat[stat.rindex(")") + 2] not in "ZX":
            left.append(pid)
    return left


class Run:
    """monitord-run with its output; stopped by Ctrl-C at the end."""

    def __init__(self, *args, env=None, before=(), **popen):
        self.process = subprocess.Popen([*before, RUN, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env={**{k: v for k, v in os.environ.items() if k not in ("DEVICE", "PHONE")},
                                                        **(env or {})}, **popen)
        self.lines, self.errors = [], []
        for stream, into in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self.read, args=(stream, into), daemon=True).start()

    @staticmethod
    def read(stream, into):
        for line in stream:
            into.append(line.rstrip("\n"))

    def text(self):
        return "\n".join(self.lines)

    def wait_line(self, pattern, timeout=60):
        return wait_for(lambda: next((m for line in list(self.lines) if (m := re.search(pattern, line))), None) or
                        (self.process.poll() is not None and self.fail()), timeout, f"a line {pattern}:\n{self.text()}")

    def fail(self):
        raise AssertionError(f"monitord-run ended: {self.text()}\n{self.errors}")

    def config(self):
        return pathlib.Path(self.wait_line(r"-c (\S+/monitord\.yaml) status")[1])

    def stop(self, sig=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(40)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def test_the_embedded_default_from_start_to_end(tmp_path):
    with Run() as run:
        config = run.config()
        run.wait_line(r"line     modem ok: registered")
        run.wait_line(r"(OK|WARNING|CRITICAL) +load\b.*load average")  # on a busy machine it warns first
        run.wait_line(r"(OK|WARNING|CRITICAL) +disk")
        text = run.text()
        # each of the five is watched or it says why not
        for word in ("load", "disk", "queue", "smtp"):
            assert re.search(rf"^  ({word} |\(no {word}: )", text, re.M), text
        watched = set(re.findall(r"^  (\w+)  +(?:of|the|space)", text, re.M))
        checks = {c["name"] for c in ask(config.parent / "run" / "monitord.sock", {"do": "status"})["checks"]}
        assert watched == {c for c in checks if not c.startswith("self")}
        assert "self" not in "".join(run.lines[12:])  # its own checks are fine: no word of them
        # a first page, as the phone shows it
        done = subprocess.run([str(BUILD / "monitorctl"), "-c", str(config), "test-page", "you"], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done
        run.wait_line(r"PHONE    \+10000000000: TEST: this is a test page")
        (config.parent / "spool" / "new" / "backup.json").write_text('{"text":"backup failed"}')
        run.wait_line(r"PHONE    \+10000000000: NOTICE CRITICAL backup: backup failed #\w{5}$")
        run.wait_line(r"page     #\w{5} you told by modem")
        below = descendants(run.process.pid)
        assert len(below) >= 4, below
        assert run.stop() == 0
        assert run.lines[-1].endswith("all stopped")
        assert alive(below) == []
        assert not config.parent.exists()
        assert run.errors == []


def test_ctrl_c_in_a_terminal_reaches_only_monitord_run():
    """The whole foreground group gets SIGINT; the daemons still end in order."""
    with Run(start_new_session=True) as run:
        run.wait_line(r"line     modem ok")
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.wait(40) == 0
        assert "by signal" not in run.text()


@pytest.mark.parametrize("name", ["pagerd", "monitord"])
def test_a_killed_daemon_comes_back_and_leaves_no_children(name):
    with Run() as run:
        config = run.config()
        run.wait_line(r"line     modem ok")
        run.wait_line(r"(OK|WARNING|CRITICAL) +load")
        sock = config.parent / ("pagerd-run" if name == "pagerd" else "run") / f"{name}.sock"
        pid = ask(sock, {"do": "status"})["pid"]
        below = descendants(pid)
        os.kill(pid, signal.SIGKILL)
        run.wait_line(rf"{name} was killed by signal 9 .*starting it again")

        def back():
            try:
                return ask(sock, {"do": "status"})["pid"] != pid
            except (OSError, AssertionError):
                return False
        wait_for(back, 60, f"{name} again")
        below |= descendants(run.process.pid)
        assert run.stop() == 0
        assert alive(below) == [], [processes_naming("notify"), run.text()]


def test_what_a_killed_daemon_left_hanging_is_ended(tmp_path):
    """A notifier that does not care that its input ended."""
    script = tmp_path / "hang"
    script.write_text("#!/bin/sh\ntrap '' TERM HUP INT\nsleep 1000 & wait\nwhile :; do sleep 1000; done\n")
    script.chmod(0o755)
    config = tmp_path / "m.yaml"
    paths = {k: str(tmp_path / k) for k in ("spool", "spool_twin", "monitord_state", "pagerd_state", "monitord_run", "pagerd_run")}
    config.write_text(json.dumps({
        "paths": paths, "defaults": {"contacts": ["you"]},
        "checks": {"load": {"probe": "load", "warning": "900,900,900", "critical": "900,900,900"}},
        "lines": {"script": {"notifier": "exec", "command": [str(script)]}},
        "contacts": {"you": {"routes": [{"line": "script", "to": "x"}]}}}))
    with Run("-c", str(config)) as run:
        run.wait_line(r"watching load$")
        run.wait_line(r"line     script ok")
        wait_for(lambda: (tmp_path / "spool" / "new").exists(), 30)
        (tmp_path / "spool" / "new" / "a.json").write_text('{"text":"x"}')
        wait_for(lambda: processes_naming(str(script)), 30, "the script")
        below = descendants(run.process.pid)
        pagerd = ask(tmp_path / "pagerd_run" / "pagerd.sock", {"do": "status"})["pid"]
        os.kill(pagerd, signal.SIGKILL)
        run.wait_line(r"pagerd was killed")
        assert run.stop() == 0
        assert alive(below) == [], run.text()
        assert processes_naming(str(script)) == {}


def test_killed_itself_it_leaves_no_process():
    run = Run()
    config = run.config()
    run.wait_line(r"line     modem ok")
    below = descendants(run.process.pid)
    run.process.kill()
    run.process.wait(10)
    wait_for(lambda: alive(below) == [], 60, "the end of all")
    subprocess.run(["rm", "-rf", str(config.parent)], check=True)


def test_kept_state_and_it_goes(tmp_path):
    d = tmp_path / "it's: #1"
    with Run("--dir", str(d)) as run:
        run.wait_line(r"line     modem ok")
        (d / "spool" / "new" / "a.json").write_text('{"text":"first"}')
        run.wait_line(r"PHONE .*first")
        assert run.stop() == 0
    assert d.exists()
    with Run("--dir", str(d)) as run:
        run.wait_line(r"line     modem ok")
        assert "first" not in run.text()  # what the phone showed yesterday is not news
        os.rename(d, tmp_path / "gone")
        run.wait_line(r"the directory of all state was removed; stopping")
        assert run.process.wait(40) == 1


def test_a_daemon_that_cannot_start_says_why(tmp_path):
    """Its spool is a file: pagerd ends, its reason is shown, and it is not tried in a busy loop."""
    config = tmp_path / "m.yaml"
    paths = {k: str(tmp_path / k) for k in ("spool", "spool_twin", "monitord_state", "pagerd_state", "monitord_run", "pagerd_run")}
    (tmp_path / "pagerd_state").write_text("not a directory")
    config.write_text(json.dumps({
        "paths": paths, "defaults": {"contacts": ["you"]},
        "checks": {"load": {"probe": "load", "warning": "900,900,900", "critical": "900,900,900"}},
        "lines": {"script": {"notifier": "exec", "command": ["/bin/true"]}},
        "contacts": {"you": {"routes": [{"line": "script", "to": "x"}]}}}))
    t0 = time.monotonic()
    with Run("-c", str(config)) as run:
        wait_for(lambda: sum("pagerd exited" in line for line in run.lines) >= 2, 60, "two ends")
        n = sum("pagerd exited" in line for line in run.lines)
        assert n <= 2 + (time.monotonic() - t0)
        assert any("pagerd_state" in line for line in run.errors), run.errors
        assert run.stop() == 0


@pytest.mark.parametrize("env,said", [
    ({"DEVICE": "/dev/ttyUSB99"}, "PHONE is not"),
    ({"DEVICE": "/dev/ttyUSB99", "PHONE": "+8190"}, "DEVICE=/dev/ttyUSB99: No such file"),
    ({"DEVICE": "", "PHONE": "call me"}, "PHONE=call me: a number is digits"),
])
def test_a_modem_or_number_that_cannot_be(env, said):
    with Run(env=env) as run:
        assert run.process.wait(30) == 1
        wait_for(lambda: run.errors, 10)
        assert said in run.errors[0] and len(run.errors) == 1
        assert run.lines == []


def test_a_device_that_is_no_modem_is_said_at_once():
    with Run(env={"DEVICE": "/dev/null", "PHONE": "+8190"}) as run:
        run.wait_line(r"pages go to \+8190 through the modem at /dev/null")
        run.wait_line(r"line     modem NOT OK: .*/dev/null")
        assert run.stop() == 0


@pytest.mark.parametrize("args,code", [(["--nonsense"], 2), (["x"], 2), (["-c", "/nonexistent"], 2), (["-h"], 0), (["-V"], 0)])
def test_the_command_line(args, code):
    with Run(*args) as run:
        assert run.process.wait(30) == code


def test_a_bad_configuration_starts_nothing(tmp_path):
    (tmp_path / "m.yaml").write_text("checks: {a: {probe: laod}}\n")
    with Run("-c", str(tmp_path / "m.yaml")) as run:
        assert run.process.wait(30) == 1
        wait_for(lambda: any('did you mean "load"?' in line for line in run.errors), 10)


@needs_root
def test_as_somebody_who_may_not_read_the_queue(tmp_path):
    """Nothing pages because of what only root may see; it is left out and said."""
    programs = tmp_path / "b"
    programs.mkdir()
    for f in BUILD.iterdir():
        if f.is_file() and os.access(f, os.X_OK):
            os.symlink(f, programs / f.name)
    if not all(p.stat().st_mode & 0o001 for p in BUILD.parents if p != BUILD):
        pytest.skip("the build folder is not open to others")
    with Run(user=65534, group=65534, extra_groups=[]) as run:
        run.wait_line(r"OK       disk")
        if os.path.isdir("/var/spool/postfix/active"):
            run.wait_line(r"\(no queue: only root and postfix may read /var/spool/postfix/\w+; sudo make run watches it\)")
        config = run.config()
        assert "probe: queue" not in config.read_text()
        assert run.stop() == 0
        assert not config.parent.exists()
        assert not any("PHONE" in line for line in run.lines[12:])


def test_a_greeting_at_port_25_is_watched_when_there_is_one(tmp_path):
    """In a network of its own, so that port 25 of this host is left alone."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespaces here")
    server = tmp_path / "server.py"
    server.write_text("""
import os, socket, subprocess, sys, threading
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
s = socket.create_server(("127.0.0.1", 25))
def serve():
    while True:
        c, _ = s.accept()
        try:
            c.sendall(b"220 test ESMTP\\r\\n")
            f = c.makefile("rb")
            for line in f:
                c.sendall(b"250 test\\r\\n" if not line.upper().startswith(b"QUIT") else b"221 bye\\r\\n")
        except OSError:
            pass
        c.close()
threading.Thread(target=serve, daemon=True).start()
child = subprocess.Popen(sys.argv[1:])
while True:
    try:
        sys.exit(child.wait())
    except KeyboardInterrupt:
        pass
""")
    with Run(before=["unshare", "-rn", "/usr/bin/python3", str(server)], start_new_session=True) as run:
        run.wait_line(r"  smtp   the greeting of 127.0.0.1:25")
        run.wait_line(r"OK       smtp: ")
        os.killpg(run.process.pid, signal.SIGINT)
        run.wait_line(r"all stopped")
