#!/usr/bin/python3
"""The whole product: from a relay that begins to refuse to the first byte at the modem, from a page in the spool to the
last byte of the PDU, a thousand checks a second, memory of all daemons.

    BUILD=build test/bench/run alert page thousand
"""
import contextlib
import json
import os
import select
import shutil
import tempfile
import threading
import time
import tty
from pathlib import Path

from bench_smtp import two_cores
from benchlib import Figure, Responder, cpu_seconds, descendants, filesystem, median, memory_kib, percentile
from house import NUMBER, House
from pager import stamp
from phone import Phone, wait_for

PDU_END = b"\x1a"
# a check of this host that never alerts
CALM = {"probe": "load", "warning": "1000000,1000000,1000000", "critical": "1000000,1000000,1000000"}


class Tap:
    """A serial line between the notifier and the simulated modem that notes when bytes come for the modem."""

    def __init__(self, phone):
        self.mine, theirs = os.openpty()
        tty.setraw(theirs)
        self.device = os.ttyname(theirs)
        self.held = theirs  # or the pty would hang up whenever nobody has it open
        self.modem = os.open(phone.device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.modem)
        self.seen = []  # (monotonic ns, bytes)
        self.quit, self.stop_end = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        while True:
            ready = select.select([self.mine, self.modem, self.quit], [], [])[0]
            if self.quit in ready:
                return
            if self.mine in ready:
                data = os.read(self.mine, 4096)
                self.seen.append((time.monotonic_ns(), data))
                os.write(self.modem, data)
            if self.modem in ready:
                os.write(self.mine, os.read(self.modem, 4096))

    def first(self, since, holding=b""):
        """When the first bytes after `since` came, or the first that hold something."""
        return next((t for t, data in list(self.seen) if t >= since and holding in data), None)

    def wait_quiet(self, seconds=0.25):
        wait_for(lambda: not self.seen or time.monotonic_ns() - self.seen[-1][0] > seconds * 1e9, 30, "a quiet modem")

    def close(self):
        os.write(self.stop_end, b"x")
        self.thread.join(10)
        for fd in (self.mine, self.held, self.modem, self.quit, self.stop_end):
            os.close(fd)


@contextlib.contextmanager
def house_with_tap(directory, checks, **sections):
    """A House whose only line is a modem behind a Tap."""
    with Phone(directory) as phone:
        tap = Tap(phone)
        try:
            lines = {"modem": {"notifier": "sms", "device": tap.device, "check_interval": "1h", "budget": "none"}}
            contacts = {"oncall": {"repeat": "1h", "digest": False, "routes": [{"line": "modem", "to": NUMBER}]}}
            with House(Path(directory) / "h", checks, lines=lines, contacts=contacts, **sections) as house:
                wait_for(lambda: house.ask("pagerd", do="status")["lines"][0]["ok"], 60, "the modem's line")
                tap.wait_quiet()
                yield house, tap, phone
        finally:
            tap.close()


@contextlib.contextmanager
def folder(where):
    """A new folder with a short path: sockets live in it."""
    path = tempfile.mkdtemp(prefix="bench-", dir=where)
    try:
        yield path
    finally:
        shutil.rmtree(path)


# --- a relay dies ---

def alert(times=10, interval_ms=1000):
    """The relay refuses from the end of a good check on: the worst moment, because a whole interval goes by unseen."""
    over = []
    with folder("/tmp") as d, Responder() as server:
        checks = {"relay": {"probe": "smtp", "host": "127.0.0.1", "port": server.port, "interval": f"{interval_ms}ms",
                            "retry_interval": f"{interval_ms}ms"}}
        with house_with_tap(d, checks) as (house, tap, phone):
            for i in range(times):
                house.wait_check("relay", "OK")
                tap.wait_quiet()
                server.say("refuse")
                died = int(server.line().split()[1])
                first = wait_for(lambda: tap.first(died), 30, "a byte at the modem")
                over.append((first - died) / 1e6 - interval_ms)
                wait_for(lambda: len(phone.messages()) == 2 * i + 1, 30, "the page")
                server.say("listen")
                server.line()
                wait_for(lambda: len(phone.messages()) == 2 * i + 2, 30, "the recovery")
    yield Figure(f"relay refuses -> first byte to the modem, above the check's interval (most of {times})",
                 f"{max(over):.0f} ms; median {median(over):.0f} ms", "at most 200 ms", f"{max(over) / 200:.2f}x", max(over) <= 200)


# --- a page in the spool ---

def event(n):
    at = stamp()
    return {"v": 1, "check": f"relay {n}", "host": f"mx{n}.example", "change": 1, "opened": 1, "kind": "problem",
            "state": "CRITICAL", "previous": "OK", "measured": True, "layer": "refused", "suppressed": False,
            "why_suppressed": "", "since": at, "at": at, "text": "mx.example refuses the connection at port 25", "more": "",
            "contacts": ["oncall"]}


def drop(house, n):
    """Writes one event as the spool demands; the time just before it can be seen."""
    name = f"relay {n}@1.json"
    with open(house.spool / "tmp" / name, "w") as f:
        f.write(json.dumps(event(n)))
        f.flush()
        os.fsync(f.fileno())
    before = time.monotonic_ns()
    os.rename(house.spool / "tmp" / name, house.spool / "new" / name)
    return before


def pages(where, times):
    took = []
    with folder(where) as d, house_with_tap(d, {"load": CALM}) as (house, tap, phone):
        for n in range(times):
            before = drop(house, n)
            last = wait_for(lambda: tap.first(before, PDU_END), 30, "the PDU")
            took.append((last - before) / 1e6)
            wait_for(lambda: len(phone.messages()) == n + 1, 30, "the message")
            tap.wait_quiet(0.05)
    return took


def bare_store(where, times):
    """What the attempt record costs on that file system, which must be safe before the first byte: ms."""
    took = []
    with folder(where) as d:
        directory = os.open(d, os.O_DIRECTORY)
        for n in range(times):
            before = time.monotonic_ns()
            with open(f"{d}/tmp", "wb") as f:
                f.write(b"x" * 1500)
                f.flush()
                os.fsync(f.fileno())
            os.rename(f"{d}/tmp", f"{d}/{n}")
            os.fsync(directory)
            took.append((time.monotonic_ns() - before) / 1e6)
            time.sleep(0.05)
        os.close(directory)
    return took


def page(times=60):
    for where, title in (("/dev/shm", "tmpfs"), ("/var/tmp", "disk")):
        took, bare = pages(where, times), bare_store(where, times)
        late = percentile(took, 95)
        yield Figure(f"page in the spool -> last byte of the PDU, {title} ({filesystem(where)})",
                     f"median {median(took):.1f} ms, 95 % {late:.1f} ms", "under 10 ms", f"{late / 10:.2f}x", late < 10)
        yield Figure("  a bare write, fsync, rename, fsync there", f"median {median(bare):.1f} ms, 95 % {percentile(bare, 95):.1f} ms")


# --- a thousand checks ---

def relays(port, n, interval):
    checks = {f"relay {i}": {"probe": "smtp", "host": f"127.0.{1 + i // 250}.{1 + i % 250}", "port": port, "interval": interval}
              for i in range(n)}
    checks["load"] = CALM
    return checks


def daemons(house):
    """{pid: name} of all that runs of the product."""
    return descendants(house.monitord.process.pid, house.pagerd.process.pid)


def all_ran(house):
    found = house.status()["checks"]
    bad = [c for c in found if c["last_run"] and c["state"] != "OK"]
    if bad:
        raise RuntimeError(f"{len(bad)} checks are not OK, such as {bad[0]}")
    return all(c["last_run"] for c in found)


def memory(house, title):
    rss = {p: memory_kib(p) for p in daemons(house)}
    names = daemons(house)
    total, shared = (sum(m[i] for m in rss.values()) / 1024 for i in (0, 1))
    each = ", ".join(f"{names[p]} {rss[p][0] / 1024:.1f}" for p in rss)
    return [Figure(f"all daemons, 1,000 plain checks, each every {title}: resident", f"{total:.1f} MB (proportional {shared:.1f} MB)",
                   "under 40 MB", f"{total / 40:.2f}x", total < 40),
            Figure("  each", each)]


def on_one_core(house, server, core, seconds=8):
    """monitord and its probers share a core while a thousand checks a second are due."""
    pids = [p for p, name in daemons(house).items() if name in ("monitord", "prober")]
    for p in pids:
        for task in os.listdir(f"/proc/{p}/task"):
            os.sched_setaffinity(int(task), {core})
    skipped = {c["name"]: c["skipped"] for c in house.status()["checks"]}
    before, done, start = [cpu_seconds(p) for p in pids], server.counts()[1], time.monotonic()
    time.sleep(seconds)
    wall, ran = time.monotonic() - start, server.counts()[1] - done
    used = {}
    for p, was in zip(pids, before):
        name = descendants(p)[p]
        used[name] = used.get(name, 0) + (cpu_seconds(p) - was) / wall * 100
    found = house.status()["checks"]
    late = [c["late_ms"] for c in found]
    missed = sum(c["skipped"] - skipped[c["name"]] for c in found)
    yield Figure("monitord and prober on one core, 1,000 plain checks each every second", f"{ran / wall:.0f}/s", "1,000/s",
                 f"{ran / wall / 1000:.2f}x", ran / wall >= 995)
    yield Figure("  of the core", ", ".join(f"{n} {u:.0f} %" for n, u in used.items()))
    yield Figure("  late", f"median {median(late):.0f} ms, most {max(late):.0f} ms, {missed} left out")


def thousand():
    core, other = two_cores()
    for interval in ("10s", "1s"):
        with folder("/dev/shm") as d, Responder(cpu=other) as server:
            with House(Path(d) / "h", relays(server.port, 1000, interval)) as house:
                wait_for(lambda: all_ran(house), 60, "a run of each check")
                if interval == "1s":
                    yield from on_one_core(house, server, core)
                yield from memory(house, interval)
