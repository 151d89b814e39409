#!/usr/bin/python3
"""monitord beside smstools, gammu-smsd, kannel and gnokii, each on a simulated modem of its own, in one run.

usage: BUILD=build test/servers /usr/bin/python3 test/bench/bench_peers.py

From enqueue (a file, an HTTP request, an event in the spool) to the last byte of the PDU at an idle modem; messages a minute of a
burst; and what becomes of one message when the modem answers 90 s late, when it answers three transient errors, when it is
unplugged for 5 s before it was asked. "Lost": not at the phone within three minutes. A second copy that does not say that it is
one is a double. The peers run side by side: they wait most of the time.
"""
import http.client
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import peers
from benchlib import ROOT, Figure, median  # also the paths of the next two

from pager import Pager
from phone import Phone, wait_for

NUMBER = "+819012345678"
SINGLE, BURST = 5, 10
LOST_AFTER = 180.0
FAULTS = {"late answer (90 s)": "late=90000*1", "three transient errors": "cms=500*3", "unplugged for 5 s": None}


class Monitord:
    """The whole way that a page takes: event in the spool, pagerd, notify_sms."""
    name, version = "monitord", ""

    def __init__(self, directory):
        self.dir, self.n = Path(directory), 0

    def start(self, device):
        self.pager = Pager(self.dir, lines=())
        # budget and digests stay out of it: every message is an incident of a contact of its own
        self.pager.contacts = {f"c{i}": [("modem", NUMBER)] for i in range(64)}
        self.pager.defaults = "[c0]"
        text = self.pager.text().replace("lines:\n", f"lines:\n  modem: {{notifier: sms, device: {device}}}\n", 1)
        self.pager.write_conf(text)
        self.pager.start()
        wait_for(lambda: any(x["ok"] and x["text"].startswith("registered") for x in self.pager.ask("status")["lines"]), 60, "the line")

    def enqueue(self, number, text):
        self.n += 1
        self.pager.drop_problem(f"m{self.n}", text=text, contacts=[f"c{self.n}"])

    def stop(self):
        self.pager.stop()


class Rig:
    """One contender and its modem."""

    def __init__(self, contender):
        self.directory = tempfile.TemporaryDirectory(prefix="mp.")
        d = Path(self.directory.name)
        d.chmod(0o755)
        (d / "p").mkdir()
        self.phone = Phone(d)
        self.contender = contender(d / "p")

    def __enter__(self):
        self.phone.start()
        self.contender.start(self.phone.device)
        return self

    def __exit__(self, *_):
        self.contender.stop()
        self.phone.stop()
        self.directory.cleanup()

    def send(self, text):
        began = time.time()
        # one that does not take it (kannel, while it has no modem) is asked again, as any caller would
        wait_for(lambda: self.taken(text), 60, f"{self.contender.name} takes a message")
        return began

    def taken(self, text):
        try:
            self.contender.enqueue(NUMBER, text)
            return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
            return False

    def copies(self, word):
        return [m for m in self.phone.messages() if word in m["text"]]

    def arrived(self, word, timeout=LOST_AFTER):
        """Seconds from now until it is at the phone; None: lost."""
        try:
            return wait_for(lambda: self.copies(word), timeout, word)[0]["at"]
        except AssertionError:
            return None


def speed(contender):
    with Rig(contender) as rig:
        rig.send("warm up")
        if rig.arrived("warm up", 60) is None:
            return None, None
        single = []
        for i in range(SINGLE):
            began = rig.send(f"single{i}x")
            single.append(rig.arrived(f"single{i}x", 60) - began)
        began = time.time()
        for i in range(BURST):
            rig.send(f"burst{i}x")
        last = max(rig.arrived(f"burst{i}x", 120) or float("inf") for i in range(BURST))
        return median(single), BURST / (last - began) * 60


def fault(contender, spec):
    """(seconds until it arrived or None, copies, copies that say so)"""
    with Rig(contender) as rig:
        rig.send("warm up")
        if rig.arrived("warm up", 60) is None:
            return None, 0, 0
        rig.phone.control(f"fault {spec}" if spec else "fault vanish=5000*1")
        began = rig.send("trouble1x")
        at = rig.arrived("trouble1x")
        # what would come twice comes within this
        end = time.time() + (150 if spec and "late" in spec else 45)
        while time.time() < end and len(rig.copies("trouble1x")) < 3:
            time.sleep(0.5)
        copies = rig.copies("trouble1x")
        at = copies[0]["at"] if copies else at
        return at and at - began, len(copies), sum("again" in m["text"] for m in copies)


def verdict(result):
    at, copies, marked = result
    if not copies:
        return "LOST"
    extra = copies - 1 - marked
    word = "once" if copies == 1 else f"{copies} times, {marked} marked" if extra <= 0 else f"DOUBLE ({copies} times)"
    return f"{word}, after {at:.1f} s"


def usable(peer):
    done = subprocess.run([str(ROOT / "dist/deps"), "peers"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0


def figures():
    contenders = [Monitord] + (list(peers.ALL) if usable(peers) else [])
    if len(contenders) == 1:
        yield Figure("SMS beside its peers", "skipped: they could not be unpacked")
    with ThreadPoolExecutor(32) as pool:
        jobs = {(c, f): pool.submit(fault, c, spec) for f, spec in FAULTS.items() for c in contenders}
        found = {k: j.result() for k, j in jobs.items()}
    speeds = {c: speed(c) for c in contenders}  # one after another: they would disturb each other
    ours = speeds[Monitord]
    for c in contenders:
        latency, pace = speeds[c]
        what = f"{c.name} {c.version}".strip()
        if latency is None:
            yield Figure(f"{what}: SMS", "no message came")
            continue
        yield Figure(f"{what}: enqueue -> last byte of the PDU, median of {SINGLE}", f"{latency * 1000:.0f} ms", "",
                     "" if c is Monitord else f"{latency / ours[0]:.0f}x ours")
        yield Figure(f"{what}: a burst of {BURST}", f"{pace:.0f} messages a minute", "",
                     "" if c is Monitord else f"{pace / ours[1]:.2f}x ours")
        for f in FAULTS:
            yield Figure(f"{what}: {f}", verdict(found[c, f]))


def main():
    from benchlib import table
    print(table(list(figures())))


if __name__ == "__main__":
    main()
