#!/usr/bin/python3
"""Page line into notify_sms -> last byte of the PDU at a ready simulated modem on a pty. Goal: under 10 ms.

usage: BUILD=build /usr/bin/python3 test/bench/bench_sms.py [PAGES]
Median, 95th percentile and worst, in ms; beside it the page's whole time until its outcome.
"""
import sys
import tempfile
import time

from benchlib import Figure, median, percentile, table  # also the paths of the next two

from phone import Phone, wait_for
from smsline import Notifier


def figures(pages=100):
    with tempfile.TemporaryDirectory() as d, Phone(d) as phone, Notifier("sms", {"device": phone.device, "check_interval": "1h"}) as n:
        n.wait_up()
        sent, done = [], []
        for i in range(pages):
            sent.append(time.time())
            n.page(f"p{i}", deadline=60000)
            wait_for(lambda: n.outcomes(f"p{i}"), 30, "outcome")
            done.append(time.time())
        assert all(o["result"] == "sent" for o in n.of("outcome"))
        arrived = [m["at"] for m in phone.wait_messages(pages)]
    ms = [(a - s) * 1000 for a, s in zip(arrived, sent)]
    whole = [(b - s) * 1000 for b, s in zip(done, sent)]
    late = percentile(ms, 95)
    yield Figure("page at the SMS notifier -> PDU at the modem", f"median {median(ms):.1f} ms, 95 % {late:.1f} ms", "under 10 ms",
                 f"{late / 10:.2f}x", late < 10)
    yield Figure("  to the outcome, polled every 10 ms", f"at most {max(whole):.0f} ms")


def main():
    print(table(list(figures(*[int(n) for n in sys.argv[1:2]]))))


if __name__ == "__main__":
    main()
