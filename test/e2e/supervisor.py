"""A monitord of its own for a test, without pagerd: plugins whose answers the test writes, probers real or scripted.

    with Supervisor(tmp_path) as sup:
        sup.plugin("mx1").says(2, "no answer")
        event = sup.wait_event("mx1", "problem")
"""
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
FAKES = ROOT / "test" / "fake"


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def write(path, text):
    """Whole or not at all."""
    fresh = path.with_name(path.name + ".fresh")
    fresh.write_text(text)
    fresh.rename(path)


class Plugin:
    """A Nagios plugin that says what the test told it; counts its runs."""

    SCRIPT = '#!/bin/sh\necho >> "$1.runs"\nwhile [ -e "$1.hang" ]; do sleep 0.05; done\n' \
             '{ read code; cat; } < "$1"\nexit $code\n'

    def __init__(self, directory, name):
        self.file = directory / f"{name}.says"
        self.script = directory / "plugin"
        if not self.script.exists():
            self.script.write_text(self.SCRIPT)
            self.script.chmod(0o755)
        self.says(0, "fine")

    def says(self, code, text):
        write(self.file, f"{code}\n{text}\n")

    def runs(self):
        runs = Path(f"{self.file}.runs")
        return len(runs.read_bytes()) if runs.exists() else 0

    def hang(self, on=True):
        flag = Path(f"{self.file}.hang")
        flag.touch() if on else flag.unlink()


class Supervisor:
    def __init__(self, directory, checks=("mx1",), **sections):
        self.dir = Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.run, self.state, self.spool, self.twin = (self.dir / d for d in ("run", "state", "spool", "twin"))
        self.pagerd_run = self.dir / "prun"
        self.pagerd_run.mkdir()
        self.conf_file = self.dir / "monitord.yaml"
        self.log_file = self.dir / "monitord.log"
        self.plugins = {}
        self.libexec = BUILD
        self.checks = {name: {} for name in checks} if not isinstance(checks, dict) else dict(checks)
        self.sections = sections
        self.process = None
        self.wrapper = []

    # --- the configuration ---
    def plugin(self, name):
        if name not in self.plugins:
            self.plugins[name] = Plugin(self.dir, name)
        return self.plugins[name]

    def config(self):
        checks = {}
        for name, own in self.checks.items():
            base = {} if "probe" in own else {"probe": "exec", "command": [str(self.plugin(name).script),
                                                                            str(self.plugin(name).file)]}
            checks[name] = {**base, **own}
        conf = {"paths": {"spool": str(self.spool), "spool_twin": str(self.twin), "monitord_state": str(self.state),
                          "pagerd_state": str(self.dir / "pstate"), "monitord_run": str(self.run),
                          "pagerd_run": str(self.pagerd_run), "libexec": str(self.libexec)},
                "deadman": {"interval": "500ms", "limit": "600s"},
                "defaults": {"interval": "300ms", "retry_interval": "200ms", "flap_detection": "no", "max_check_attempts": 1, "timeout": "20s",
                             "host_gap": "1ms", "contacts": ["oncall"]},
                "checks": checks,
                "lines": {"script": {"notifier": "exec", "command": ["/bin/true"]}},
                "contacts": {"oncall": {"routes": [{"line": "script", "to": "me"}]}}}
        for name, section in self.sections.items():
            conf[name] = {**conf.get(name, {}), **section} if isinstance(section, dict) else section
        return conf

    def write_config(self):
        write(self.conf_file, json.dumps(self.config(), indent=1))

    # --- the process ---
    def start(self, wait=True, args=(), env=None):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, str(BUILD / "monitord"), "-c", str(self.conf_file), *args], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        if wait:
            wait_for(lambda: self.answers() or self.process.poll() is not None, 60, "monitord answers")
            assert self.process.poll() is None, self.log()[-3000:]
        return self

    def answers(self):
        try:
            return self.ask(do="status").get("ok")
        except OSError:
            return False

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait(30)

    def stop(self, timeout=60):
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"monitord did not stop:\n{self.log()[-3000:]}") from None

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def __enter__(self):
        self.write_config()
        return self.start()

    def __exit__(self, kind, *rest):
        code = self.stop()
        for pid in self.__dict__.get("stopped", []):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        if kind is not None:
            print(self.log()[-8000:])
        elif code not in (0, -9):
            raise AssertionError(f"monitord exited {code}\n{self.log()[-5000:]}")

    # --- asking ---
    def ask(self, timeout=60.0, **request):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(str(self.run / "monitord.sock"))
            s.sendall(json.dumps({"v": 1, **request}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                piece = s.recv(65536)
                if not piece:
                    raise AssertionError(f"closed after {data[:200]!r}")
                data += piece
        return json.loads(data)

    def status(self):
        return self.ask(do="status")

    def check(self, name):
        return next(c for c in self.status()["checks"] if c["name"] == name)

    def wait_check(self, name, timeout=40.0, **want):
        def there():
            c = self.check(name)
            return c if all(c.get(k) == v for k, v in want.items()) else None
        try:
            return wait_for(there, timeout)
        except AssertionError:
            raise AssertionError(f"{name}: not {want} within {timeout} s but {self.check(name)}") from None

    def wait_ok(self, *names):
        for name in names or self.checks:
            self.wait_check(name, state="OK", hard=True)

    def events(self, check=None):
        """What is in the spool, by check and number."""
        found = {}
        for base in (self.spool, self.twin):
            for f in (base / "new").glob("*.json"):
                found[f.stem] = json.loads(f.read_text())
        out = [e for e in found.values() if check in (None, e["check"])]
        return sorted(out, key=lambda e: (e["check"], e["change"]))

    def said(self, check):
        """The events of a check as short words: 'problem CRITICAL', '(problem CRITICAL)' when not for paging."""
        words = []
        for e in self.events(check):
            word = f"{e['kind']} {e['state']}"
            words.append(f"({word})" if e["suppressed"] else word)
        return words

    def wait_said(self, check, *want, timeout=40.0):
        try:
            wait_for(lambda: self.said(check) == list(want), timeout)
        except AssertionError:
            raise AssertionError(f"{check}: said {self.said(check)} instead of {list(want)}") from None
        return self.events(check)[-1]

    def check_now(self, name):
        return self.ask(do="check", name=name)["check"]


class FakePager:
    """The other end of the heartbeat: beats, or stops beating, as told."""

    def __init__(self, sup):
        self.path = str(sup.pagerd_run / "heartbeat.sock")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(self.path)
        self.sock.listen(4)
        self.sock.settimeout(30)
        self.peer = None
        self.heard = []

    def accept(self):
        self.peer, _ = self.sock.accept()
        self.peer.settimeout(30)
        return self

    def beat(self, **members):
        self.peer.send(json.dumps({"v": 1, "from": "pagerd", "pid": 1, "digest": "", "overdue_ms": 0, "overdue": "",
                                   "back_ms": 0, **members}).encode() + b"\n")

    def hear(self):
        beat = json.loads(self.peer.recv(4096))
        self.heard.append(beat)
        return beat

    def close(self):
        for s in (self.peer, self.sock):
            if s:
                s.close()
        os.unlink(self.path)
