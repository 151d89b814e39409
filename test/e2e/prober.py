"""A prober to talk to, and what its tests need of the system around it."""
import json
import os
import queue
import shutil
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
# another one than the build's: test/tsan gives it
PROBER = Path(os.environ.get("BUILD_PROBER", BUILD / "prober")).resolve()
PLUGINS = Path("/usr/lib/nagios/plugins")


class Prober:
    """`prober` on pipes. send() a line; wait(id) for its answer; lines that are no answers are in .others."""

    def __init__(self, *args, prefix=(), env=None):
        self.mark = uuid.uuid4().hex  # in its environment, so that its nursery can be told from others
        self.process = subprocess.Popen([*prefix, str(PROBER), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, "TEST_MARK": self.mark, **(env or {})})
        self.answers, self.others, self._lines = {}, [], queue.Queue()
        self.log = b""
        self._threads = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._read_log, daemon=True)]
        for t in self._threads:
            t.start()
        self.hello = self.next_line(30)

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _read_log(self):
        for line in self.process.stderr:
            self.log += line

    def next_line(self, timeout):
        return self._lines.get(timeout=timeout)

    def send(self, **line):
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def run(self, job, probe, timeout_ms=30000, **options):
        self.send(v=1, run=job, check="check of " + job, probe=probe, options=options, timeout_ms=timeout_ms)

    def wait(self, job, timeout=60):
        end = time.monotonic() + timeout
        while job not in self.answers:
            line = self.next_line(max(0.01, end - time.monotonic()))
            assert line is not None, f"the prober ended: {self.log.decode(errors='replace')}"
            if "done" in line:
                assert line["done"] not in self.answers, f"answered twice: {line}"
                self.answers[line["done"]] = line
            else:
                self.others.append(line)
        return self.answers[job]

    def rest(self, timeout=60):
        """Everything up to the end of its output."""
        end = time.monotonic() + timeout
        while (line := self.next_line(max(0.01, end - time.monotonic()))) is not None:
            if "done" in line:
                self.answers[line["done"]] = line
            else:
                self.others.append(line)

    def finish(self, timeout=60):
        """End of input; its exit code."""
        self.process.stdin.close()
        self.rest(timeout)
        return self.process.wait(timeout)

    def nursery(self):
        """The process id of its nursery."""
        for p in Path("/proc").glob("[0-9]*"):
            try:
                if (p / "comm").read_text() == "prober-nursery\n" and self.mark.encode() in (p / "environ").read_bytes() and \
                        "State:\tZ" not in (p / "status").read_text():
                    return int(p.name)
            except OSError:
                pass
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def until(condition, timeout=30.0, what="the condition"):
    """Polls; the last value."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come true in {timeout} s"
        time.sleep(0.02)
    return value


def processes_with(word):
    """Process ids whose command line holds the word (zombies have none)."""
    found = []
    for p in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (p / "cmdline").read_bytes():
                found.append(int(p.name))
        except OSError:
            pass
    return found


def has_namespaces():
    return os.geteuid() == 0 and shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


needs_namespaces = pytest.mark.skipif(not has_namespaces(), reason="needs root and mount namespaces")
needs_fuse = pytest.mark.skipif(not (has_namespaces() and os.access("/dev/fuse", os.R_OK | os.W_OK)),
                                reason="needs root, mount namespaces and /dev/fuse")
# Mounts a FUSE file system that never answers at argv[1], then runs the rest of argv: what a hung NFS server looks like.
HUNG = """
import ctypes, os, sys
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"hung", sys.argv[1].encode(), b"fuse", 0, options) != 0:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
if os.fork() == 0:
    os.execv(sys.argv[2], sys.argv[2:])
os.close(0), os.close(1)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]) & 255)
"""


def hung_prefix(directory):
    return ("unshare", "-m", "--propagation", "private", "/usr/bin/python3", "-c", HUNG, str(directory))


def in_namespace(script, *argv, timeout=60):
    """Runs a shell script in a mount namespace of its own; its arguments are $1 $2 ..."""
    return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "sh", *map(str, argv)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


def perfdata(output):
    """{"label": ["value with unit", "warn", "crit", "min", "max"]} of line 1."""
    line = output.splitlines()[0]
    found = {}
    if "|" not in line:
        return found
    rest = line.split("|", 1)[1].strip()
    while rest:
        if rest[0] == "'":
            label, rest = rest[1:].split("'=", 1)
        else:
            label, rest = rest.split("=", 1)
        value, _, rest = rest.partition(" ")
        found[label] = (value.split(";") + [""] * 5)[:5]
        rest = rest.strip()
    return found
