"""A pagerd of its own for a test: directories, configuration, spool, lines that are scripted (test/fake/notify_fake).

    with Pager(tmp_path, "fake") as pager:
        pager.drop_problem("mx1")
        page = pager.line("m1").wait(1)[0]
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from waiting import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()


def stamp():
    return {"wall_ms": int(time.time() * 1000), "boot_ms": int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000),
            "boot_id": pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()}


class Line:
    """One scripted line: what it got and what it is to do next."""

    def __init__(self, directory, name):
        self.log = directory / f"{name}.log"
        self.mode = directory / f"{name}.mode"

    def do(self, verb):
        fresh = self.mode.with_suffix(".new")
        fresh.write_text(verb + "\n")
        fresh.rename(self.mode)

    def lines(self):
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(x) for x in text.splitlines(keepends=True) if x.endswith("\n")]

    def pages(self):
        return [x for x in self.lines() if "start" not in x]

    def starts(self):
        return [x for x in self.lines() if "start" in x]

    def wait(self, n, timeout=20.0):
        try:
            wait_for(lambda: len(self.pages()) >= n, timeout)
        except AssertionError:
            raise AssertionError(f"{self.log.name}: {len(self.pages())} pages instead of {n}: {self.pages()}") from None
        return self.pages()


class Pager:
    def __init__(self, directory, *args, contacts=None, lines=("m1", "m2"), extra="", env=None, wrapper=()):
        self.dir = pathlib.Path(directory)
        self.args, self.env, self.wrapper = [str(a) for a in args], env or {}, list(wrapper)
        self.names, self.extra = lines, extra
        self.contacts = contacts or {"oncall": [(name, f"{name}@phone") for name in lines]}
        self.settings = {}  # of contacts: {"oncall": "repeat: 1s"}
        self.colours = {}
        self.conf = self.dir / "monitord.yaml"
        self.run, self.state, self.spool = self.dir / "r", self.dir / "state", self.dir / "spool"
        self.twin = self.dir / "twin"
        self.monitord_run = self.dir / "mr"
        self.deadman = "{interval: 1s, limit: 60s}"
        self.defaults = "[oncall]"
        self.process = None
        self.change = int(time.time())
        libexec = self.dir / "libexec"
        libexec.mkdir(exist_ok=True)
        for name, target in (("prober", BUILD / "prober"), ("notify_fake", ROOT / "test/fake/notify_fake")):
            if not (libexec / name).is_symlink():
                (libexec / name).symlink_to(target)
        for p in BUILD.glob("notify_*"):
            if not (libexec / p.name).is_symlink():
                (libexec / p.name).symlink_to(p)

    # --- configuration

    def text(self):
        lines = "".join(f"  {n}: {{notifier: fake, log: {self.dir}/{n}.log, mode: {self.dir}/{n}.mode"
                        f"{', colour: ' + self.colours[n] if n in self.colours else ''}}}\n" for n in self.names)
        contacts = ""
        for name, routes in self.contacts.items():
            contacts += f"  {name}:\n    {self.settings.get(name, 'repeat: 1h')}\n    routes:\n"
            contacts += "".join(f"      - {{line: {r[0]}, to: {r[1]}{', needs: [' + r[2] + ']' if len(r) > 2 else ''}}}\n"
                                for r in routes)
        return (f"paths:\n  spool: {self.spool}\n  spool_twin: {self.twin}\n  monitord_state: {self.dir}/ms\n"
                f"  pagerd_state: {self.state}\n  monitord_run: {self.monitord_run}\n  pagerd_run: {self.run}\n"
                f"  libexec: {self.dir}/libexec\ndeadman: {self.deadman}\ndefaults:\n  contacts: {self.defaults}\n"
                f"lines:\n{lines}contacts:\n{contacts}{self.extra}")

    def write_conf(self, text=None):
        self.conf.write_text(text or self.text())

    # --- the process

    def start(self, ready=True):
        self.write_conf() if not self.conf.exists() else None
        with open(self.dir / "pagerd.log", "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, str(BUILD / "pagerd"), "-c", str(self.conf), *self.args], stderr=log,
                                            env={**os.environ, **self.env})
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        wait_for(lambda: self.process.poll() is not None or (self.run / "pagerd.sock").exists() and self.try_ask("status"),
                 what="pagerd ready")
        assert self.process.poll() is None, self.log_text()

    def log_text(self):
        return (self.dir / "pagerd.log").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, expect=0):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("pagerd did not end:\n" + self.log_text())
            assert self.process.returncode == expect, self.log_text()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
            assert "Sanitizer" not in self.log_text(), self.log_text()
        elif self.process and self.process.poll() is None:
            print(self.log_text())
            self.kill()

    # --- talking

    def ask(self, what, timeout=30, **members):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(str(self.run / "pagerd.sock"))
            s.sendall((json.dumps({"v": 1, "do": what, **members}) + "\n").encode())
            data = b""
            while not data.endswith(b"\n"):
                got = s.recv(65536)
                assert got, "pagerd closed the connection"
                data += got
        return json.loads(data)

    def try_ask(self, what):
        try:
            return self.ask(what)
        except (OSError, AssertionError):
            return None

    def status(self):
        return json.loads((self.run / "status.json").read_text())

    def incident(self, check):
        found = [i for i in self.ask("status")["incidents"] if i["check"] == check]
        return found[0] if found else None

    def line(self, name):
        return Line(self.dir, name)

    # --- events

    def drop(self, event, name=None, room=None):
        room = room or self.spool
        for d in ("tmp", "new", "done", "bad"):
            (room / d).mkdir(parents=True, exist_ok=True)
        name = name or f"{event['check']}@{event['change']}.json"
        data = event if isinstance(event, (str, bytes)) else json.dumps(event)
        path = room / "tmp" / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        path.rename(room / "new" / name)
        return name

    def event(self, check, kind, state, opened=None, **members):
        self.change += 1
        return {"v": 1, "check": check, "host": f"{check}.example", "change": self.change, "opened": opened or self.change,
                "kind": kind, "state": state, "previous": "OK", "measured": True, "layer": "refused", "suppressed": False,
                "why_suppressed": "", "since": stamp(), "at": stamp(), "text": f"{check}: connection refused", **members}

    def drop_problem(self, check, state="CRITICAL", opened=None, **members):
        e = self.event(check, "problem", state, opened, **members)
        self.drop(e)
        return e

    def drop_recovery(self, problem, **members):
        e = self.event(problem["check"], "recovery", "OK", problem["opened"], text="220 ready", **members)
        self.drop(e)
        return e

    def spool_names(self, room):
        d = self.spool / room
        return sorted(p.name for p in d.iterdir()) if d.exists() else []


class Supervisor:
    """monitord's side of the heartbeat."""

    def __init__(self, pager):
        self.path = str(pager.run / "heartbeat.sock")
        self.sock = None

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        self.sock.connect(self.path)

    def beat(self, **members):
        self.sock.send(json.dumps({"v": 1, "from": "monitord", "pid": 4711, "digest": "", "overdue_ms": 0, "overdue": "",
                                   "back_ms": 0, **members}).encode())

    def receive(self):
        return json.loads(self.sock.recv(4096))

    def close(self):
        self.sock.close()
