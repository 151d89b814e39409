#!/usr/bin/python3
"""The smtp probe in a resident prober: CPU of a check beside an exec of monitoring-plugins' check_smtp and a bare epoll
client, in one run against one server, taking turns; 1,000 checks a second on one core; 500 checks that hang.

    BUILD=build test/bench/run smtp
"""
import os
import tempfile
import time
from pathlib import Path

from benchlib import BUILD, Figure, Responder, cpu_seconds, median, memory_kib, numbers, threads, tool

HANG_MS = 6000
PLUGIN = "/usr/lib/nagios/plugins/check_smtp"


def check(what, good, wanted):
    if int(good) != wanted:
        raise RuntimeError(f"{what}: {int(good)} of {wanted} checks were OK")


def in_prober(port, n, at_once, option=()):
    us, good, *_ = numbers(tool("feed"), f"at-once={at_once}", BUILD / "prober", -1, n, port, *option)
    check("prober", good, n)
    return us


def bare(port, n, at_once):
    us, good = numbers(tool("bare_smtp"), port, n, at_once)
    check("bare client", good, n)
    return us


def by_exec(port, n, option=()):
    us, good = numbers(tool("execs"), n, PLUGIN, "-H", "127.0.0.1", "-p", port, *option)
    check("check_smtp", good, n)
    return us


def turns(rounds, measures):
    """Medians of each measure and of the ratios to the first within each round: what disturbs the machine disturbs all."""
    seen = [[] for _ in measures]
    for r in range(rounds):
        for k in range(len(measures)):
            i = (k + r) % len(measures)
            seen[i].append(measures[i]())
    return [median(s) for s in seen], [median(a / b for a, b in zip(seen[0], s)) for s in seen]


def beside(title, us, ratio_exec, goal, ratio_bare=None):
    """The lines of one comparison; us: prober, exec and perhaps bare client."""
    found = [Figure(f"{title}: CPU, beside an exec of check_smtp", f"{us[0]:.0f} us beside {us[1]:.0f} us",
                    f"at most 1/{goal}", f"1/{1 / ratio_exec:.1f}", ratio_exec <= 1 / goal)]
    if ratio_bare is not None:
        found.append(Figure(f"{title}: CPU, beside a bare epoll client", f"{us[0]:.0f} us beside {us[2]:.0f} us", "at most 4x",
                            f"{ratio_bare:.1f}x", ratio_bare <= 4))
    return found


def cost():
    with Responder() as server:
        for at_once, title in ((1, "one plain check at a time"), (16, "plain checks, 16 at once")):
            us, ratio = turns(7, [lambda: in_prober(server.port, 1500, at_once), lambda: by_exec(server.port, 40),
                                  lambda: bare(server.port, 3000, at_once)])
            yield from beside(title, us, ratio[1], 10, ratio[2])


def cost_with_postfix():
    import postfix
    if postfix.missing():
        yield Figure("SMTP checks of a real Postfix, STARTTLS", "skipped: " + postfix.missing())
        return
    with tempfile.TemporaryDirectory(prefix="bench-smtp-") as d:
        Path(d).chmod(0o755)  # Postfix gives up root
        with postfix.Postfix(Path(d) / "pf") as relay:
            us, ratio = turns(5, [lambda: in_prober(relay.port, 250, 4), lambda: by_exec(relay.port, 30),
                                  lambda: bare(relay.port, 250, 4)])
            yield from beside("plain check of a real Postfix, 4 at once", us, ratio[1], 10, ratio[2])
            us, ratio = turns(5, [lambda: in_prober(relay.port, 150, 4, ["starttls"]),
                                  lambda: by_exec(relay.port, 30, ["-S"])])
            yield from beside("STARTTLS check of a real Postfix, 4 at once", us, ratio[1], 3)


def two_cores():
    """The core to measure on and another one, if there is one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def rate():
    core, other = two_cores()
    with Responder(cpu=other) as server:
        us, good, per_s, mid, late, _ = numbers(tool("feed"), "rate=1000", BUILD / "prober", core, 8000, server.port)
        check("prober at 1,000 a second", good, 8000)
        yield Figure("prober on one core, fed 1,000 plain checks a second", f"{per_s:.0f}/s with {us / 10:.0f} % of the core",
                     "1,000/s", f"{per_s / 1000:.2f}x", per_s >= 995)
        yield Figure("  from planned start to answer", f"median {mid:.1f} ms, 99 % within {late:.1f} ms")
        most = median(numbers(tool("feed"), "at-once=16", BUILD / "prober", core, 4000, server.port)[2] for _ in range(3))
        yield Figure("  the most it can do on that core", f"{most:.0f}/s", "1,000/s", f"{most / 1000:.1f}x", most >= 1000)


def hanging(mode, title, n=500, **options):
    """n checks that nobody answers: memory while they hang, and whether each ends at its limit."""
    from prober import Prober, until
    with Responder(mode) as server, Prober("--place", "net") as p:
        pid = p.process.pid
        idle = memory_kib(pid)[0]
        for i in range(n):
            p.run(f"j{i}", "smtp", host="127.0.0.1", port=str(server.port), **options)
        until(lambda: server.counts()[2] >= n, 30, "all connected")
        time.sleep(HANG_MS / 2000)  # handshakes begin, timers of libcurl's own run out
        before = cpu_seconds(pid)
        time.sleep(HANG_MS / 4000)  # what they cost while nothing happens
        busy = (cpu_seconds(pid) - before) / (HANG_MS / 4000)
        rss, count = memory_kib(pid)[0], threads(pid)
        answers = [p.wait(f"j{i}", 30) for i in range(n)]
    if strange := [a for a in answers if a["layer"] != "timeout"]:
        raise RuntimeError(f"not a time-out: {strange[0]}")
    late = max(a["run_ms"] for a in answers) - HANG_MS
    yield Figure(f"{n} checks hanging at once, {title}: memory of the prober",
                 f"{rss / 1024:.1f} MB, {(rss - idle) / n:.0f} KiB a check", "to report")
    yield Figure("  while they hang", f"{count} threads, {busy * 100:.1f} % CPU; the last ends {late:.0f} ms past its limit")


def figures():
    yield from cost()
    yield from cost_with_postfix()
    yield from rate()
    yield from hanging("silent", "no greeting", greeting_timeout=f"{HANG_MS}ms")
    yield from hanging("tls-silent", "within the TLS handshake", starttls="true", starttls_timeout=f"{HANG_MS}ms")
