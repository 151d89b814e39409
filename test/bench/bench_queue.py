#!/usr/bin/python3
"""The queue probe against a queue of 100,000 deferred messages: depth beside bare getdents64, depth and shape beside
`postqueue -j`, memory. Everything in one run; goals are printed, not enforced.

    BUILD=build test/bench/bench_queue.py [N] [DIRECTORY]      needs root and Postfix; DIRECTORY: a tmpfs, /dev/shm
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "fake")]
import mkqueue  # noqa: E402
import postfix  # noqa: E402

BUILD = Path(os.environ.get("BUILD", "build")).resolve()


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


def best(root, command, times=7):
    """Least wall time in ms, and the largest resident set in MB."""
    done = subprocess.run([root / "least", str(times), *command], stdout=subprocess.PIPE, check=True, text=True)
    ms, kib = done.stdout.split()
    return float(ms), int(kib) / 1024


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    where = sys.argv[2] if len(sys.argv) > 2 else "/dev/shm"
    if postfix.missing():
        sys.exit("skipped: " + postfix.missing())
    root = Path(tempfile.mkdtemp(prefix="bench-queue-", dir=where))
    root.chmod(0o755)  # Postfix gives up root
    relay = postfix.Postfix(root / "pf", tls=False, main={"defer_transports": "smtp", "queue_run_delay": "1d",
                                                          "minimal_backoff_time": "1d", "maximal_backoff_time": "1d"})
    try:
        for name in ("bare_getdents", "least"):
            subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", root / name, HERE / f"{name}.c"], check=True)
        with relay:
            mould, log = template(relay)
        made = mkqueue.fill(mould, relay.queue, n)
        counted = subprocess.run([root / "bare_getdents", relay.queue / "deferred"], stdout=subprocess.PIPE, check=True)
        if int(counted.stdout) != n:
            raise RuntimeError(f"{counted.stdout} of {n} messages made")
        print(f"queue of {n} deferred messages on {where} (least of 7 runs; of 3 for postqueue)")
        report(root, relay)
        mkqueue.logs(log, relay.queue, made)
        print("each with its log in defer/, as a real deferred message has:")
        report(root, relay)
    finally:
        relay.stop()
        shutil.rmtree(root)


def report(root, relay):
    check = [str(BUILD / "check_queue"), "--queue-directory", str(relay.queue), "--state-dir", str(root)]
    bare, _ = best(root, [root / "bare_getdents", relay.queue / "deferred"])
    depth, depth_mb = best(root, [*check, "--sample=0"])
    shape, shape_mb = best(root, check)
    with relay:
        peer, peer_mb = best(root, ["/usr/sbin/postqueue", "-c", relay.etc, "-j"], 3)
    print(f"  bare getdents64              {bare:8.1f} ms")
    print(f"  check_queue --sample=0       {depth:8.1f} ms {depth_mb:5.1f} MB   {depth / bare:.2f}x bare (goal: at most 3)")
    print(f"  check_queue, depth and shape {shape:8.1f} ms {shape_mb:5.1f} MB   (goal: under 8 MB)")
    print(f"  postqueue -j                 {peer:8.1f} ms {peer_mb:5.1f} MB   {peer / shape:.1f}x depth and shape "
          "(goal: at least 20)")


if __name__ == "__main__":
    main()
