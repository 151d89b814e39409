"""The round trip's check for tests: run by the prober as monitord does, or stand-alone; its state, its key, and a gate to put before a
server.

    trip = Trip(folder, relay.port, imap_port=store.imap_port, ...)   # or maildir=..., what its options are called
    trip.run(wait="0"); trip.plugin(); trip.phases(); trip.age(90)
"""
import hashlib
import hmac
import json
import os
import re
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
CHECK = BUILD / "check_roundtrip"
PROBER = BUILD / "prober"
KEY = "a key of more than sixteen bytes"
NAME = "way-1"
TOKEN = re.compile(r"v1 (\S+) ([0-9]+) ([0-9a-f]{32}) ([0-9a-f]{64})")


def poll(condition, seconds=30):
    """Waits until condition() is true and returns what it was."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > until:
            assert value, "timed out"
            return value
        time.sleep(0.02)


def sign(check, run, token, key=KEY):
    return hmac.new(key.encode(), f"v1 {check} {run} {token}".encode(), hashlib.sha256).hexdigest()


class Outcome:
    """What the plugin printed, or what the prober answered."""

    def __init__(self, code, text, more, perf, printed=""):
        self.code, self.text, self.more, self.perf, self.printed = code, text, more, perf, printed or text + more

    @classmethod
    def of_plugin(cls, done):
        first, _, more = done.stdout.partition("\n")
        text, _, perf = first.partition("|")
        values = {k: float(v) for k, v in re.findall(r"(\w+)=([0-9.]+)", perf)}
        return cls(done.returncode, text.strip(), more, values, done.stdout + done.stderr)

    @classmethod
    def of_prober(cls, done):
        code = ["OK", "WARNING", "CRITICAL", "UNKNOWN"].index(done["state"])
        outcome = cls(code, done["text"], done.get("more", ""), {p["label"]: p["value"] for p in done.get("perf", [])})
        outcome.measured, outcome.layer, outcome.facts = done["measured"], done["layer"], done.get("facts", {})
        return outcome


class Gate:
    """A TCP relay in front of a server: counts, keeps back, or cuts what passes."""

    def __init__(self, target):
        self.target = target
        self.mode = "pass"       # "silent": nothing passes; "no-answer": after the client's final dot nothing comes back
        self.commands = []       # whole lines of the client
        self.answered = 0        # bytes from the server
        self.visits = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        mode = self.mode
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            seen = b""
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for s in ready:
                    try:
                        data = s.recv(65536)
                    except OSError:
                        return
                    if not data:
                        return
                    if mode == "silent":
                        continue
                    if s is client:
                        seen += data
                        *lines, seen_tail = seen.split(b"\r\n")
                        self.commands += lines[len(lines) - data.count(b"\n"):]
                        server.sendall(data)
                    elif not (mode == "no-answer" and b"\r\n.\r\n" in seen):
                        self.answered += len(data)
                        client.sendall(data)


class Trip:
    """The check with the options of one lab: run() by the prober, as monitord does; plugin() stand-alone."""

    def __init__(self, root, relay_port, store_port=0, **store):
        """store_port: of IMAP; store: other options that say where the mail comes back."""
        self.root = root
        self.files = root / "secrets"
        self.files.mkdir()
        self.saved = ""      # what monitord would keep
        self.storing = True  # False: monitord cannot store
        self.process = None
        self.around = []     # argv in front of the prober's
        self.options = {
            "smtp_host": "127.0.0.1", "smtp_port": relay_port, "from": "monitord@lab.test", "to": "user@lab.test",
            "key_file": self.secret("key", KEY), "wait": "20s",
        }
        self.secret("password", "secret")
        if store_port:
            store = {"imap_host": "127.0.0.1", "imap_port": store_port, "imap_tls": "none", "imap_user": "user@lab.test",
                     "imap_password_file": self.files / "password", **store}
        self.options.update(store)

    def secret(self, name, text):
        path = self.files / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def plugin(self, state_dir="state", timeout=40, **change):
        options = {**self.options, "timeout": timeout, **change}
        if state_dir:
            options["state_dir"] = self.root / state_dir
        argv = [str(CHECK), *(f"--{k.replace('_', '-')}={v}" for k, v in options.items())]
        return Outcome.of_plugin(subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                                timeout=120))

    def run(self, timeout=40, on_store=None, **change):
        """One run; None when the prober ended before it answered."""
        options = {k: str(v) for k, v in {**self.options, **change}.items()}
        job = {"v": 1, "run": "j1", "check": NAME, "probe": "roundtrip", "options": options, "state": self.saved,
               "timeout_ms": timeout * 1000}
        with subprocess.Popen([*self.around, str(PROBER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as self.process:
            self._tell(job)
            for line in self.process.stdout:
                message = json.loads(line)
                if "store" in message:
                    self._store(message, on_store)
                elif "done" in message:
                    self.saved = message.get("state_blob", self.saved)
                    self.process.stdin.close()
                    self.process.wait(timeout=60)
                    return Outcome.of_prober(message)
        return None

    def _store(self, message, on_store):
        if on_store:
            on_store(json.loads(message["state"]))
        if self.storing:
            self.saved = message["state"]
        self._tell({"stored": message["store"], "ok": self.storing})

    def _tell(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def run_and_kill_when(self, condition, **change):
        """SIGKILL as soon as the condition holds; what was stored until then is kept."""
        runner = threading.Thread(target=self.run, kwargs=change)
        runner.start()
        poll(condition)
        self.process.kill()
        runner.join()

    # --- its state ---

    def state(self):
        return json.loads(self.saved) if self.saved else {"mails": []}

    def phases(self):
        return [m["phase"] for m in self.state()["mails"]]

    def age(self, seconds):
        """As if all it remembers had happened so much earlier."""
        state = self.state()
        for mail in state["mails"]:
            for name in ("sent", "looked", "settled"):
                if name in mail:
                    mail[name]["wall_ms"] -= int(seconds * 1000)
                    mail[name]["boot_ms"] -= int(seconds * 1000)
        self.saved = json.dumps(state)
