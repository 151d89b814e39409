#!/usr/bin/python3
"""The queue probe against a queue of 100,000 deferred messages: depth beside bare getdents64, depth and shape beside
`postqueue -j`, memory. Everything in one run; goals are printed, not enforced.

    BUILD=build test/bench/bench_queue.py [N] [DIRECTORY]      needs root and Postfix; DIRECTORY: a tmpfs, /dev/shm
"""
import shutil
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


def main():
    print(table(list(figures(*[int(n) for n in sys.argv[1:2]], *sys.argv[2:3]))))


if __name__ == "__main__":
    main()
