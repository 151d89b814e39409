#!/usr/bin/python3
"""The queue probe against a queue of 100,000 deferred messages: depth beside bare getdents64, depth and shape beside
`postqueue -j`, memory; and against one of 1,000,000: depth, shape, memory, and how near the share of the worst client comes to
the truth. Everything in one run; goals are printed, not enforced.

    BUILD=build test/bench/bench_queue.py [N [MANY]]      needs root and Postfix, and 6 GB of /dev/shm for a million
"""
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchlib import BUILD, Figure, numbers, table, tool  # also the paths of the next two

import mkqueue
import postfix


def template(relay):
    """One real deferred message of this Postfix with its log in defer/, taken out of the queue."""
    import smtplib
    with smtplib.SMTP("127.0.0.1", relay.port) as s:
        s.sendmail("a@lab.test", ["b@elsewhere.example"], "Subject: bench\r\n\r\n" + "text\r\n" * 20)
    until, found = time.monotonic() + 20, []
    while len(found) < 2 and time.monotonic() < until:
        found = [f for q in ("deferred", "defer") for f in (relay.queue / q).rglob("*") if f.is_file()]
        time.sleep(0.05)
    if len(found) < 2:
        raise RuntimeError("the message was not deferred:\n" + relay.log())
    return [shutil.move(f, relay.root / name) for f, name in zip(found, ("mould", "log"))]


def best(command, times=7):
    """Least wall time in ms, and the largest resident set in MB."""
    ms, kib = numbers(tool("least"), times, *command)
    return ms, kib / 1024


def figures(n=100000, where="/dev/shm"):
    if postfix.missing():
        yield Figure(f"queue of {n} deferred messages", "skipped: " + postfix.missing())
        return
    root = Path(tempfile.mkdtemp(prefix="bench-queue-", dir=where))
    root.chmod(0o755)  # Postfix gives up root
    relay = postfix.Postfix(root / "pf", tls=False, main={"defer_transports": "smtp", "queue_run_delay": "1d",
                                                          "minimal_backoff_time": "1d", "maximal_backoff_time": "1d"})
    try:
        with relay:
            mould, log = template(relay)
        made = mkqueue.fill(mould, relay.queue, n)
        counted, = numbers(tool("bare_getdents"), relay.queue / "deferred")
        if counted != n:
            raise RuntimeError(f"{counted} of {n} messages made")
        yield from report(root, relay, f"queue of {n:,} deferred")
        mkqueue.logs(log, relay.queue, made)
        # as a real deferred message has
        yield from report(root, relay, f"queue of {n:,}, each with its log in defer/")
    finally:
        relay.stop()
        shutil.rmtree(root)


def room(where):
    """Bytes that a tmpfs may still take, of those the memory has."""
    free = int(re.search(r"MemAvailable: *(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    return min(free, shutil.disk_usage(where).free)


def many(n=1000000, where="/dev/shm"):
    """A queue that no tool of Postfix' own lists in time. Filled by parts, whose truth is known."""
    title = f"queue of {n:,} deferred"
    if postfix.missing() or room(where) < 6000 * n:
        yield Figure(title, "skipped: " + (postfix.missing() or f"less than {6000 * n / 1e9:.0f} GB free in {where}"))
        return
    root = Path(tempfile.mkdtemp(prefix="bench-queue-", dir=where))
    root.chmod(0o755)
    relay = postfix.Postfix(root / "pf", tls=False, main={"defer_transports": "smtp"})
    parts = max(1, n // 100000)
    try:
        with relay:
            mould, _ = template(relay)
        truths = [mkqueue.truth(mkqueue.fill(mould, relay.queue, n // parts, seed=k)) for k in range(parts)]
        yield from many_figures(title, root, relay, {
            "client": sum(t["clients"]["192.0.2.7"] for t in truths) / parts, "null": sum(t["null"] for t in truths) / parts})
    finally:
        relay.stop()
        shutil.rmtree(root)


def many_figures(title, root, relay, truth, times=7):
    check = [BUILD / "check_queue", "--queue-directory", relay.queue, "--state-dir", root]
    depth, depth_mb = best([*check, "--sample=0"])
    shape, shape_mb = best(check)
    off = []
    for _ in range(times):
        out = subprocess.run(check, stdout=subprocess.PIPE, text=True).stdout
        client = float(re.search(r"^clients: (\d+) % 192\.0\.2\.7", out, re.M)[1])
        null = float(re.search(r"null_share=([\d.]+)%", out)[1])
        off.append(max(abs(client - truth["client"]), abs(null - truth["null"])))
    mb, off = max(depth_mb, shape_mb), sorted(off)
    yield Figure(f"{title}: depth", f"{depth:.0f} ms", "at most 1 s", f"{depth / 1000:.2f}x", depth <= 1000)
    yield Figure(f"{title}: depth and shape", f"{shape:.0f} ms", "at most 2 s", f"{shape / 2000:.2f}x", shape <= 2000)
    yield Figure(f"{title}: memory of check_queue", f"{mb:.1f} MB", "under 8 MB", f"{mb / 8:.2f}x", mb < 8)
    yield Figure(f"{title}: shares of the top client and of null senders, points off the truth",
                 f"median {off[times // 2]:.1f}, most {off[-1]:.1f} of {times} runs", "within 3", f"{off[times // 2] / 3:.2f}x",
                 off[times // 2] <= 3)


def report(root, relay, title):
    """The least time of 7 runs, of 3 for postqueue."""
    check = [BUILD / "check_queue", "--queue-directory", relay.queue, "--state-dir", root]
    bare, _ = best([tool("bare_getdents"), relay.queue / "deferred"])
    depth, depth_mb = best([*check, "--sample=0"])
    shape, shape_mb = best(check)
    with relay:
        peer, peer_mb = best(["/usr/sbin/postqueue", "-c", relay.etc, "-j"], 3)
    mb = max(depth_mb, shape_mb)
    yield Figure(f"{title}: depth, beside bare getdents64", f"{depth:.0f} ms beside {bare:.0f} ms", "at most 3x",
                 f"{depth / bare:.2f}x", depth <= 3 * bare)
    yield Figure(f"{title}: depth and shape, beside postqueue -j", f"{shape:.0f} ms beside {peer:.0f} ms", "20x faster",
                 f"{peer / shape:.0f}x", peer >= 20 * shape)
    yield Figure(f"{title}: memory of check_queue", f"{mb:.1f} MB beside {peer_mb:.1f} MB", "under 8 MB", f"{mb / 8:.2f}x", mb < 8)


def both(n=100000, more=1000000):
    yield from figures(n) if n else ()
    yield from many(more) if more else ()


def main():
    n, more = (int(x) for x in (sys.argv[1:] + ["100000", "1000000"][len(sys.argv) - 1:])[:2])
    print(table(list(both(n, more))))


if __name__ == "__main__":
    main()
