"""A notifier process as pagerd would run it: for tests of notifiers."""
import json
import os
import subprocess
import threading
import time

from phone import BUILD, wait_for


class Notifier:
    """Runs build/notify_NAME; lines it says are in self.said (dicts, oldest first)."""

    def __init__(self, name, options, line="modem1", log=None, env=None):
        self.log_path = log
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen([str(BUILD / f"notify_{name}")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, env={"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC", **(env or {})})
        self.said = []
        self.takes = True  # what is received, as pagerd does
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        if options is not None:
            self.tell({"v": 1, "configure": options, "line": line})

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            self.said.append(said)
            if self.takes and "id" in said.get("received", {}):
                self.tell({"taken": said["received"]["id"]})

    def tell(self, what):
        self.raw(json.dumps(what) + "\n")

    def raw(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def of(self, kind):
        return [v[kind] for v in list(self.said) if kind in v]

    def wait(self, kind, test=lambda v: True, timeout=30.0):
        """The first thing of that kind for which test is true."""
        def found():
            return next((v for v in self.of(kind) if test(v)), None)
        try:
            return wait_for(found, timeout, f"{kind} from the notifier")
        except AssertionError as e:
            text = open(self.log_path).read() if self.log_path else ""
            raise AssertionError(f"{e}; it said {self.said}; log:\n{text}") from None

    def wait_up(self, timeout=30.0):
        return self.wait("health", lambda h: h["ok"], timeout)

    def page(self, id, to="+819012345678", kind="new", text="connection refused", check="mx1", host="mx1", state="CRITICAL",
             incident="K7Q2M", resend=False, since=1795290251000, at=None, deadline=30000):
        self.tell({"page": {"id": id, "to": to, "kind": kind, "resend": resend, "incident": incident, "check": check,
                            "host": host, "state": state, "text": text, "more": "", "since_wall_ms": since,
                            "at_wall_ms": since if at is None else at, "deadline_ms": deadline}})

    def outcomes(self, id):
        return [o for o in self.of("outcome") if o["id"] == id]

    def outcome(self, id, nth=1, timeout=60.0):
        wait_for(lambda: len(self.outcomes(id)) >= nth or not self.thread.is_alive(), timeout, f"outcome {nth} of {id}; it said {self.said}")
        assert len(self.outcomes(id)) >= nth, self.said
        return self.outcomes(id)[nth - 1]

    def send(self, id, timeout=60.0, **page):
        """A page and its outcome."""
        n = len(self.outcomes(id))
        self.page(id, **page)
        return self.outcome(id, n + 1, timeout)

    def finish(self, timeout=30.0):
        """End of input; the exit status."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        rc = self.process.wait(timeout)
        self.thread.join(10)
        return rc

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        self.thread.join(10)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.kill()


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def still(condition, seconds):
    """Asserts that condition stays true for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition()
        time.sleep(0.05)
