#!/usr/bin/python3
"""A storm: 1,000 checks on 40 hosts fail within 10 s while the only line takes 3 s a message. How soon the first page, how many
messages until all is told, which message an alarm of another cause is; and what a turn costs with 10,000 open incidents.

    BUILD=build test/bench/run storm
"""
import json
import re
import tempfile
import time

from benchlib import Figure, cpu_seconds
from pager import Pager, stamp, wait_for

CHECKS, HOSTS, SPAN, MESSAGE_MS = 1000, 40, 10.0, 3000
OPEN = 10000


def event(change, check, host):
    return {"v": 1, "check": check, "host": host, "change": change, "opened": change, "kind": "problem", "state": "CRITICAL",
            "previous": "OK", "measured": True, "layer": "refused", "suppressed": False, "why_suppressed": "", "since": stamp(),
            "at": stamp(), "text": f"{check}: connection refused"}


def drop(pager, e):
    for d in ("tmp", "new"):
        (pager.spool / d).mkdir(parents=True, exist_ok=True)
    path = pager.spool / "tmp" / f"{e['check']}@{e['change']}.json"
    path.write_text(json.dumps(e))
    path.rename(pager.spool / "new" / path.name)


def told(pager, n):
    return sum(p["phase"] == "sent" for i in pager.ask("status", timeout=120)["incidents"] for p in i["pages"]) >= n


def number(page):
    return int(re.match(r"(?:[A-Z]+: )?(?:[^ :]+: )?(\d+) ", page["text"])[1]) if page["kind"] == "digest" else 1


def storm(directory):
    with Pager(directory, lines=("m1",)) as p:
        line = p.line("m1")
        line.do(f"slow {MESSAGE_MS}")
        begin, busy = time.time(), cpu_seconds(p.process.pid)
        for k in range(CHECKS):
            time.sleep(max(0.0, begin + k * SPAN / CHECKS - time.time()))
            drop(p, event(p.change + k, f"check{k}", f"relay{k % HOSTS}"))
            if k == CHECKS // 2:
                other = time.time()
                drop(p, event(p.change + k, "another", "elsewhere"))
        wait_for(lambda: told(p, CHECKS + 1), 300, "all told")
        pages, cpu = line.pages(), cpu_seconds(p.process.pid) - busy
    assert sum(number(x) for x in pages) == CHECKS + 1, [x["text"] for x in pages]
    after = [x for x in pages if x["got"] > other]
    place = next(k for k, x in enumerate(after) if x["check"] == "another") + 1
    storm_pages = len(pages) - 1
    return (pages[0]["got"] - begin, storm_pages, pages[-1]["got"] + MESSAGE_MS / 1000 - begin, place, cpu)


def many_open(directory):
    """From one more in the spool to the notifier, and the CPU that costs pagerd, while OPEN others are open and told."""
    with Pager(directory, lines=("m1",)) as p:
        line = p.line("m1")
        drop(p, event(p.change, "check", "relay"))
        wait_for(lambda: told(p, 1), 60, "the first is told")
        p.stop()
        pattern = next((p.state / "incidents").iterdir())
        record = json.loads(pattern.read_text())
        pattern.unlink()
        for k in range(OPEN):
            (p.state / "incidents" / f"{k}.json").write_text(
                json.dumps({**record, "check": f"check{k}", "host": f"relay{k % HOSTS}"}))
        p.start()
        wait_for(lambda: told(p, OPEN), 60, "all are known")
        before, n, one = cpu_seconds(p.process.pid), len(line.pages()), []
        for k in range(4):
            begin = time.time()
            drop(p, event(p.change + OPEN + k, f"one more {k}", f"elsewhere {k}"))
            one.append(line.wait(n + k + 1, 60)[n + k]["got"] - begin)
        return max(one), (cpu_seconds(p.process.pid) - before) / 4


def figures():
    with tempfile.TemporaryDirectory() as d:
        first, messages, whole, place, cpu = storm(d)
    yield Figure("storm of 1,000 checks in 10 s, 3 s a message: first page", f"{first * 1000:.0f} ms", "<= 1 s", "", first <= 1)
    yield Figure("messages until all of it is told", f"{messages}", "<= 4", "", messages <= 4)
    yield Figure("the last of them has arrived after", f"{whole:.1f} s")
    yield Figure("an alarm of another cause in the middle is message", f"{place}", "1 (the next)", "", place == 1)
    yield Figure("CPU of pagerd for the whole storm", f"{cpu:.2f} s")
    with tempfile.TemporaryDirectory() as d:
        slowest, each = many_open(d)
    yield Figure("10,000 incidents open: from one more in the spool to the notifier", f"{slowest * 1000:.0f} ms", "<= 1 s", "",
                 slowest <= 1)
    yield Figure("CPU of pagerd for each of these", f"{each * 1000:.0f} ms")


if __name__ == "__main__":
    from benchlib import table
    print(table(list(figures())))
