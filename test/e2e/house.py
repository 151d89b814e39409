"""The whole product in a directory of its own: monitord, pagerd, their sockets, spool and state.

    with House(tmp_path, checks={"relay": {"probe": "smtp", "host": "127.0.0.1", "port": 2525}}) as house:
        house.wait_check("relay", "OK")
        house.phone.wait_message()

The configuration is one JSON text, which YAML is a superset of. Its pages go to a simulated modem (house.phone) unless `lines`
and `contacts` are given. Times are short so that a test waits for conditions, not for minutes.
"""
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from phone import Phone, wait_for

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
NUMBER = "+819012345678"


def ask(path, request, timeout=30.0):
    """One request to a control socket, its answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(path))
        s.sendall(json.dumps({"v": 1, **request}).encode() + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            piece = s.recv(65536)
            if not piece:
                raise AssertionError(f"{path}: closed after {data[:200]!r}")
            data += piece
    return json.loads(data)


class Daemon:
    """One daemon; its log is DIR/NAME.log."""

    def __init__(self, house, name):
        self.house, self.name, self.process, self.prefix = house, name, None, []
        self.log_file = house.dir / f"{name}.log"

    def start(self, env=None):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*self.prefix, str(BUILD / self.name), "-c", str(self.house.config_file)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})})
        return self

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, sig):
        self.process.send_signal(sig)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)

    def stop(self, timeout=40):
        """Clean stop; the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
            raise AssertionError(f"{self.name} did not stop: {self.log()[-3000:]}")
        self.process = None
        return code


class House:
    def __init__(self, directory, checks, lines=None, contacts=None, phone_args=(), **sections):
        self.dir = Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.run, self.pagerd_run = self.dir / "run", self.dir / "prun"  # each daemon writes its status.json there
        self.spool = self.dir / "spool"
        self.phone = Phone(self.dir, *phone_args) if lines is None else None
        self.config_file = self.dir / "monitord.yaml"
        self.checks, self.lines, self.contacts, self.sections = checks, lines, contacts, sections
        self.monitord, self.pagerd = Daemon(self, "monitord"), Daemon(self, "pagerd")

    def config(self):
        lines = self.lines or {"modem": {"notifier": "sms", "device": self.phone.device}}
        contacts = self.contacts or {"oncall": {"routes": [{"line": "modem", "to": NUMBER}]}}
        paths = {"spool": self.spool, "spool_twin": self.dir / "twin", "monitord_state": self.dir / "monitord",
                 "pagerd_state": self.dir / "pagerd", "monitord_run": self.run,
                 "pagerd_run": self.pagerd_run, "libexec": BUILD}
        config = {"paths": {k: str(v) for k, v in paths.items()},
                  "deadman": {"interval": "1s", "limit": "30s"},
                  "defaults": {"interval": "1s", "retry_interval": "1s", "flap_detection": "no", "max_check_attempts": 1, "timeout": "20s",
                               "contacts": sorted(contacts)[:1], "host_gap": "10ms"},
                  "checks": self.checks, "lines": lines, "contacts": contacts}
        for name, section in self.sections.items():
            config[name] = {**config.get(name, {}), **section} if isinstance(section, dict) else section
        return config

    def write_config(self):
        self.config_file.write_text(json.dumps(self.config(), indent=1))

    def start(self):
        self.write_config()
        if self.phone:
            self.phone.start()
        self.pagerd.start()
        self.monitord.start()
        self.wait_up()
        return self

    def wait_up(self):
        for daemon in (self.pagerd, self.monitord):
            wait_for(lambda d=daemon: self.socket(d.name).exists() and self.answers(d) or not d.alive(), 60,
                     f"{daemon.name} up")
            assert daemon.alive(), daemon.log()[-3000:]

    def socket(self, daemon):
        return (self.pagerd_run if daemon == "pagerd" else self.run) / f"{daemon}.sock"

    def answers(self, daemon):
        try:
            return ask(self.socket(daemon.name), {"do": "status"}).get("ok")
        except OSError:
            return False

    def stop(self):
        codes = [self.monitord.stop(), self.pagerd.stop()]
        if self.phone:
            self.phone.stop()
        return codes

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, kind, *rest):
        try:
            codes = self.stop()
        finally:
            if kind is not None:
                for d in (self.monitord, self.pagerd):
                    print(f"--- {d.name} log\n{d.log()[-6000:]}")
        if kind is None:
            logs = "".join(d.log()[-4000:] for d in (self.monitord, self.pagerd))
            assert all(c in (0, None) for c in codes), f"exit codes {codes}\n{logs}"

    # --- asking ---
    def ask(self, daemon, **request):
        return ask(self.socket(daemon), request)

    def status(self):
        return self.ask("monitord", do="status")

    def check(self, name):
        return next(c for c in self.status()["checks"] if c["name"] == name)

    def wait_check(self, name, state, timeout=60.0, hard=True):
        def there():
            c = self.check(name)
            return c if c["state"] == state and (c["hard"] or not hard) and c["last_run"] else None
        return wait_for(there, timeout, f"{name} {state}")

    def incidents(self):
        return self.ask("pagerd", do="status")["incidents"]

    def ctl(self, *args, timeout=60):
        """monitorctl; a CompletedProcess with text."""
        return subprocess.run([str(BUILD / "monitorctl"), "-c", str(self.config_file), *args], capture_output=True,
                              text=True, timeout=timeout, stdin=subprocess.DEVNULL)

    def events(self):
        """Every event file pagerd has taken or will take, oldest first."""
        found = []
        for room in ("new", "done"):
            for base in (self.spool, self.dir / "twin"):
                for f in (base / room).glob("*.json"):
                    try:
                        found.append(json.loads(f.read_text()))
                    except (FileNotFoundError, ValueError):
                        pass
        return sorted(found, key=lambda e: (e["at"]["wall_ms"], e["change"]))


def now_ms():
    return int(time.time() * 1000)
