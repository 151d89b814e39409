"""A notifier as its parent sees it: JSON lines on two pipes."""
import json
import queue
import subprocess
import threading
import time


class Notifier:
    """with Notifier(program, options) as n: n.page(to="x")["result"]"""

    def __init__(self, program, options, line="line1", env=None):
        self.p = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self.lines = queue.Queue()
        self.health = []
        self.errors = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._complaints, daemon=True).start()
        self.hello = self._get(lambda v: "hello" in v)
        self.say({"v": 1, "configure": options, "line": line})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        for text in self.p.stdout:
            self.lines.put(json.loads(text))
        self.lines.put(None)

    def _complaints(self):
        self.errors += self.p.stderr

    def say(self, value):
        self.p.stdin.write(json.dumps(value).encode() + b"\n")
        self.p.stdin.flush()

    def _get(self, want, seconds=60):
        end = time.monotonic() + seconds
        while True:
            value = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            assert value is not None, b"".join(self.errors).decode()
            if "health" in value:
                self.health.append(value["health"])
            if want(value):
                return value

    def send(self, id="p1", to="someone", **fields):
        page = {"id": id, "to": to, "kind": "new", "resend": False, "incident": "K7Q2M", "check": "mx1", "host": "mx1.lab.test",
                "state": "CRITICAL", "text": "connect refused", "more": "line two\nline three", "since_wall_ms": 1795289212000,
                "at_wall_ms": 1795289272000, "deadline_ms": 20000, **fields}
        self.say({"page": page})
        return page

    def outcome(self, id="p1", seconds=60):
        return self._get(lambda v: v.get("outcome", {}).get("id") == id, seconds)["outcome"]

    def page(self, id="p1", **fields):
        self.send(id, **fields)
        return self.outcome(id)

    def wait_health(self, seconds=60):
        return self._get(lambda v: "health" in v, seconds)["health"]

    def close(self):
        """End of input; the exit status, and nothing is left over."""
        if self.p.stdin and not self.p.stdin.closed:
            self.p.stdin.close()
        return self.p.wait(60)


def validate(program, *lines):
    text = "".join(json.dumps(x) + "\n" for x in lines)
    done = subprocess.run([program, "--validate"], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(x) for x in done.stdout.splitlines()]
