#!/usr/bin/python3
"""Page line into notify_sms -> last byte of the PDU at a ready simulated modem on a pty. Goal: under 10 ms.

usage: BUILD=build /usr/bin/python3 test/bench/bench_sms.py [PAGES]
Prints one line: median, 95th percentile and worst, in ms; beside it the page's whole time until its outcome.
"""
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from phone import Phone, wait_for  # noqa: E402
from smsline import Notifier  # noqa: E402


def main():
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 200
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
    ms = sorted((a - s) * 1000 for a, s in zip(arrived, sent))
    whole = sorted((b - s) * 1000 for b, s in zip(done, sent))
    print(f"sms: {pages} pages, line in -> PDU at the modem: median {statistics.median(ms):.2f} ms, "
          f"95 % {ms[int(pages * 0.95)]:.2f} ms, worst {ms[-1]:.2f} ms (goal 10 ms); outcome within {whole[-1]:.1f} ms (polled every 10 ms)")


if __name__ == "__main__":
    main()
