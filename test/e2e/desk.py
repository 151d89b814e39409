"""A pagerd whose lines are simulated modems, and people who answer: for tests of replies and of the proof that lines work.

    with Desk(tmp_path, contacts={"oncall": {"routes": [("m1", KEI)]}}) as desk:
        desk.drop_problem("mx1")
        code = desk.code_of(desk.phone("m1").wait_message()["text"])
        desk.reply("m1", KEI, code)
"""
import json
import re
import time

from pager import Pager
from phone import Phone, wait_for

KEI, MARI, STRANGER = "+819012345678", "+819087654321", "+819000000000"


class Desk(Pager):
    def __init__(self, directory, contacts, modems=("m1",), defaults=None, line_options=None, **sections):
        super().__init__(directory, env={"TZ": "UTC"})
        self.people, self.sections, self.line_options = contacts, sections, line_options or {}
        self.defaults = defaults or sorted(contacts)[:1]
        self.phones = {name: Phone(self.dir, name=name) for name in modems}
        self.checks = {}
        self.more_lines, self.replies = {}, {}

    def text(self):
        lines = {name: {"notifier": "sms", "device": p.device, "check_interval": "1s", **self.line_options.get(name, {})}
                 for name, p in self.phones.items()}
        contacts = {name: {"repeat": "1h", **c, "routes": [{"line": r[0], "to": r[1]} for r in c["routes"]]}
                    for name, c in self.people.items()}
        paths = {"spool": self.spool, "spool_twin": self.twin, "monitord_state": self.dir / "ms", "pagerd_state": self.state,
                 "monitord_run": self.monitord_run, "pagerd_run": self.run, "libexec": self.dir / "libexec"}
        return json.dumps({"paths": {k: str(v) for k, v in paths.items()}, "deadman": {"interval": "1s", "limit": "600s"},
                           "defaults": {"contacts": self.defaults, "interval": "1s", "max_check_attempts": 1, "host_gap": "1ms"},
                           "checks": self.checks, "lines": {**lines, **self.more_lines}, "contacts": contacts, **self.sections}, indent=1)

    def start(self, ready=True):
        for p in self.phones.values():
            if p.process is None:
                p.start()
        return super().start(ready)

    def __exit__(self, kind, *rest):
        try:
            super().__exit__(kind, *rest)
        finally:
            for p in self.phones.values():
                p.stop()

    def phone(self, name="m1"):
        return self.phones[name]

    def reply(self, name, number, text):
        """A message from that number reaches the modem. Nobody writes the same text twice within a second: that would be the
        network, delivering one message twice (see again)."""
        if (number, text) in self.replies:
            wait_for(lambda: int(time.time()) > self.replies[number, text])
        self.replies[number, text] = int(time.time()) + 1
        self.phone(name).control(f"receive {number} {text}")

    def texts(self, number, name="m1"):
        """What the phone of that number was sent, oldest first."""
        return [m["text"] for m in self.phone(name).messages() if m["to"] == number]

    def wait_text(self, number, pattern, name="m1", n=1, timeout=30):
        """The nth text to that number that matches."""
        def found():
            hits = [t for t in self.texts(number, name) if re.search(pattern, t)]
            return hits[n - 1] if len(hits) >= n else None
        try:
            return wait_for(found, timeout)
        except AssertionError:
            raise AssertionError(f"no {n} texts like {pattern!r} to {number}: {self.texts(number, name)}\n{self.log_text()[-3000:]}") from None

    def code(self, number, name="m1", n=1):
        """The code that the nth page to that number carries."""
        text = self.wait_text(number, r"\bACK \d{4,6}\b", name, n)
        return re.search(r"\bACK (\d{4,6})\b", text)[1]

    def incident_code(self, check, contact="oncall"):
        """The same from pagerd's own record."""
        for f in (self.state / "incidents").glob("*.json"):
            r = json.loads(f.read_text())
            if r["check"] == check:
                return next(c["code"] for c in r["contacts"] if c["name"] == contact)
        return None

    def routes(self):
        return {(r["line"], r["to"]): r for r in self.status()["routes"]}
