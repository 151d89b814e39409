#!/usr/bin/python3
"""The log probe: 1.5 GB of a busy relay's log, cold and warm, beside grep -c and pflogsumm, taking turns in one run.

    BUILD=build test/bench/run log
"""
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchlib import BUILD, ROOT, Figure, median, numbers, tool

SIZE, SLICE, ROUNDS = 1_500_000_000, 60_000_000, 3
COLD_GOAL, GREP_GOAL, PFLOGSUMM_GOAL, MEMORY_GOAL = 3.0, 10, 25, 8 * 1024


class Run:
    """A program that has run: seconds by the wall clock and of CPU, KiB at most resident (no less than ours), what it printed."""

    def __init__(self, *argv, env=None):
        begin = time.monotonic()
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env)
        self.out = p.stdout.read().decode(errors="replace")
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        self.wall, self.cpu, self.kib = time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss
        if p.returncode not in (0, 1):
            raise RuntimeError(f"{argv[0]}: {p.returncode}: {self.out[:500]}")


def command(path):
    return [BUILD / "check_log", "-F", path, "--from-start", "--read-time", "280s", "-t", "300"]


def resident(path):
    """KiB; by a small program, as a child's largest resident set starts with that of who forked it."""
    return numbers(tool("least"), 1, *command(path))[1]


def ours(path):
    run = Run(*command(path))
    run.received = int(re.search(r"(\d+) received", run.out).group(1))
    if "carries on" in run.out:
        raise RuntimeError(run.out[:300])
    return run


def pflogsumm(path):
    tree = ROOT / "build" / "pflogsumm" / "usr"
    libs = [tree / "share" / "perl5", *(tree / "lib").glob("*/perl5/*")]
    run = Run("perl", tree / "sbin" / "pflogsumm", path, env={**os.environ, "PERL5LIB": ":".join(map(str, libs))})
    run.received = int(re.search(r"(\d+)\s+received", run.out).group(1))
    return run


def forget(path):
    """Out of the page cache: what is read next comes from the disk."""
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def make(path, size):
    with open(path, "wb") as f:
        subprocess.run([tool("maillog"), str(size)], stdout=f, check=True)


def beside_pflogsumm(folder):
    """It takes minutes for all of it: a slice, told by its own bytes."""
    if not (ROOT / "build" / "pflogsumm" / "usr").exists():
        subprocess.run([ROOT / "dist" / "deps", "pflogsumm"], cwd=ROOT, stdout=subprocess.DEVNULL)
    if not shutil.which("perl") or not (ROOT / "build" / "pflogsumm" / "usr").exists():
        return [Figure("pflogsumm", "skipped: it is not there")]
    path = folder / "slice.log"
    make(path, SLICE)
    pairs = [(pflogsumm(path), ours(path)) for _ in range(ROUNDS)]
    theirs, mine = pairs[0]
    if theirs.received != mine.received:
        raise RuntimeError(f"received: pflogsumm says {theirs.received}, we say {mine.received}")
    ratio = median(a.cpu / b.cpu for a, b in pairs)
    what = f"CPU of pflogsumm / check_log, a slice of {SLICE / 1e6:.0f} MB, the same messages received"
    measured = f"{median(a.cpu for a, _ in pairs):.2f} s, {median(b.cpu for _, b in pairs):.3f} s"
    return [Figure(what, measured, f"at least {PFLOGSUMM_GOAL}x", f"{ratio:.0f}x", ratio >= PFLOGSUMM_GOAL),
            Figure(f"memory of pflogsumm for that slice, {theirs.received} messages", f"{theirs.kib / 1024:.0f} MiB")]


def big(path):
    cold, warm, grep, cold_grep = [], [], [], []
    for _ in range(ROUNDS):
        forget(path)
        cold_grep.append(Run("grep", "-c", "status=sent", path))
        forget(path)
        cold.append(ours(path))
        grep.append(Run("grep", "-c", "status=sent", path))
        warm.append(ours(path))
    wall, kib = median(r.wall for r in cold), resident(path)
    cpu = median(w.cpu / g.cpu for w, g in zip(warm, grep))
    size = f"{path.stat().st_size / 1e9:.1f} GB"
    return [Figure(f"{size}, from the disk, nothing of it cached", f"{wall:.2f} s", f"at most {COLD_GOAL:.0f} s", "", wall <= COLD_GOAL),
            Figure("grep -c of it, the same way", f"{median(g.wall for g in cold_grep):.2f} s"),
            Figure(f"{size} in the page cache", f"{median(w.wall for w in warm):.2f} s, {median(w.cpu for w in warm):.2f} s CPU"),
            Figure("CPU of check_log / grep -c, cached", f"{median(w.cpu for w in warm):.2f} s, {median(g.cpu for g in grep):.2f} s",
                   f"at most {GREP_GOAL}x", f"{cpu:.1f}x", cpu <= GREP_GOAL),
            Figure("largest resident set", f"{kib / 1024:.1f} MiB", f"below {MEMORY_GOAL // 1024} MiB", "", kib < MEMORY_GOAL)]


def worst(path):
    """Every name new, and as long as names are kept: what the memory comes to at most."""
    with open(path, "w") as f:
        for i in range(150_000):
            q, name = f"{i:010X}", f"{i:06d}" + "x" * 240
            f.write(f"Nov 21 03:12:45 mx1 postfix/smtpd[9]: {q}: client=c[10.0.{i}.{name}], sasl_method=x, sasl_username={name}\n"
                    f"Nov 21 03:12:45 mx1 postfix/pickup[9]: {q}: uid={name} from=<{name}>\n"
                    f"Nov 21 03:12:45 mx1 postfix/qmgr[9]: {q}: from=<{name}@{name}>, size=1\n"
                    f"Nov 21 03:12:45 mx1 postfix/smtp[9]: {q}: to=<{name}@{name}>, dsn=4, status=deferred (too many hops)\n"
                    f"Nov 21 03:12:45 mx1 postfix/smtp[9]: {q}: to=<{name}@{name}>, dsn=4, status=bounced (blocked using {name})\n"
                    f"Nov 21 03:12:45 mx1 postfix/smtpd[9]: NOQUEUE: reject: RCPT from c[{name}]: 550 User unknown; from=<> to=<{name}>\n"
                    f"Nov 21 03:12:45 mx1 postfix/smtpd[9]: warning: c[{name}]: SASL x authentication failed\n")
    kib = resident(path)
    return [Figure("resident set when every name is new and long", f"{kib / 1024:.1f} MiB", f"below {MEMORY_GOAL // 1024} MiB", "",
                   kib < MEMORY_GOAL)]


def figures():
    found = []
    where = os.environ.get("BENCH_DISK", str(BUILD))
    if shutil.disk_usage(where).free < 2 * SIZE:
        return [Figure("log", f"skipped: {where} has no {2 * SIZE / 1e9:.0f} GB free")]
    with tempfile.TemporaryDirectory(dir=where) as folder:
        folder = Path(folder)
        path = folder / "mail.log"
        make(path, SIZE)
        found += big(path)
        path.unlink()
        found += beside_pflogsumm(folder)
        found += worst(folder / "worst.log")
    return found
