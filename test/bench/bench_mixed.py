#!/usr/bin/python3
"""A whole site: 2,000 checks of many kinds, each once a minute, monitord and its probers together on one core.

    BUILD=build test/bench/run mixed
"""
import os
import socket
import threading
import time
from pathlib import Path

from bench_house import CALM, daemons, folder
from bench_smtp import two_cores
from benchlib import BUILD, Figure, Responder, median, memory_kib, percentile
from house import House
from phone import wait_for

CHECKS, MINUTES = 2000, 2


class Resolver(threading.Thread):
    """A name server that answers each question for an address at once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(2048)
            at = 12
            while query[at]:
                at += 1 + query[at]
            head = query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
            self.socket.sendto(head + query[12:at + 5] + b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\xc0\0\2\1", peer)


def spool(directory):
    """A deferred queue with nothing in it, as Postfix lays it out, and a log of some thousand lines."""
    for queue in ("active", "bounce", "corrupt", "deferred", "defer", "hold", "incoming", "maildrop"):
        (directory / "spool" / queue).mkdir(parents=True)
    (directory / "maillog").write_text("".join(
        f"Nov 25 10:00:{i % 60:02} mx postfix/qmgr[1]: 4X{i:08X}: removed\n" for i in range(5000)))
    return directory


def site(directory, smtp, resolver):
    """{name: check}: half of it talks to servers, a third looks at the host, the rest asks the DNS or starts a plugin."""
    log = directory / "maillog"
    kinds = [
        (800, lambda i: {"probe": "smtp", "host": f"127.0.{1 + i // 250}.{1 + i % 250}", "port": smtp}),
        (200, lambda i: {"probe": "ping", "host": f"127.1.0.{1 + i % 250}", "port": smtp}),
        (250, lambda i: {"probe": "dns", "host": f"host{i}.test", "resolver": resolver}),
        (150, lambda i: CALM),
        (100, lambda i: {"probe": "disk", "path": [str(directory)]}),
        (150, lambda i: {"probe": "queue", "mta": "postfix", "queue_directory": str(directory / "spool")}),
        (100, lambda i: {"probe": "log", "path": str(log)}),
        (50, lambda i: {"probe": "process", "command": "no-such-daemon", "critical": "0:"}),
        (50, lambda i: {"probe": "memory", "critical": "1:"}),
        (50, lambda i: {"probe": "file", "file": str(log)}),
        (100, lambda i: {"probe": "exec", "command": [str(BUILD / "check_load"), "-w", "1000000", "-c", "1000000"]}),
    ]
    checks = {}
    for n, make in kinds:
        for i in range(n):
            check = make(i)
            checks[f"{check['probe']} {i}"] = {**check, "interval": "60s"}
    assert len(checks) == CHECKS
    return checks


def used(pids):
    """CPU seconds of these processes and of the children that they waited for."""
    ticks = 0
    for p in pids:
        fields = Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += sum(int(x) for x in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def every_one_ran(house):
    found = house.status()["checks"]
    bad = [c for c in found if c["last_run"] and c["state"] != "OK"]
    if bad:
        raise RuntimeError(f"{len(bad)} checks are not OK, such as {bad[0]}")
    return all(c["last_run"] for c in found)


def measure(house, core):
    pids = [p for p, name in daemons(house).items() if name in ("monitord", "prober")]
    for p in pids:
        for task in os.listdir(f"/proc/{p}/task"):
            os.sched_setaffinity(int(task), {core})
    late, skipped, before, start = [], sum(c["skipped"] for c in house.status()["checks"]), used(pids), time.monotonic()
    for _ in range(MINUTES):
        time.sleep(60)
        late += [c["late_ms"] for c in house.status()["checks"]]
    wall = time.monotonic() - start
    share = (used(pids) - before) / wall * 100
    missed = sum(c["skipped"] for c in house.status()["checks"]) - skipped
    worst = percentile(late, 99)
    yield Figure(f"{CHECKS} mixed checks, each once a minute, monitord and probers on one core", f"{share:.1f} % of it", "under 25 %",
                 f"{share / 25:.2f}x", share < 25)
    yield Figure("  late", f"median {median(late):.0f} ms, 99 % {worst:.0f} ms, most {max(late):.0f} ms, {missed} left out",
                 "99 % under 100 ms", f"{worst / 100:.2f}x", worst < 100)
    yield Figure("  resident, all daemons", f"{sum(memory_kib(p)[0] for p in daemons(house)) / 1024:.1f} MB")


def figures():
    core, other = two_cores()
    resolver = Resolver()
    resolver.start()
    with folder("/dev/shm") as d, Responder(cpu=other) as server:
        checks = site(spool(Path(d)), server.port, resolver.server)
        with House(Path(d) / "h", checks) as house:
            wait_for(lambda: every_one_ran(house), 180, "a run of each check")
            yield from measure(house, core)
