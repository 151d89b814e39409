"""Real servers that are busy and well: nothing may be named. A large old queue of mostly bounces to one domain, a newsletter sent as fast as it goes, and
beside both what every day brings: some unknown users, a few wrong passwords' worth of refusals, a mail or two deferred."""
import random
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "fake")]
import mkqueue  # noqa: E402
import postfix as postfix_module  # noqa: E402
from postfix import Postfix  # noqa: E402
from rows import Sink, Watched, at_once, flood, log_check, logged, queue_check, send  # noqa: E402
from waiting import wait_for  # noqa: E402

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")
OLD = 20000


def old_mail(seed):
    """Hours to days old; most of it bounces for one domain, nearly all from one client."""
    r, now = random.Random(seed), int(time.time())
    return [mkqueue.Message("" if r.random() < 0.7 else f"s{i % 900}@x.example", [f"r{i}@" + ("big.example" if r.random() < 0.8 else f"d{i % 300}.example")],
                            "192.0.2.9" if r.random() < 0.9 else f"192.0.2.{i % 200}", now - r.randrange(7200, 4 * 86400), long_id=bool(i % 2)) for i in range(OLD)]


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """(Postfix, sink): the queue was there before; to news.example all mail flows, to local users too, what else there is waits."""
    root = tmp_path_factory.mktemp("busy")
    slow = {"queue_run_delay": "1d", "minimal_backoff_time": "1d", "maximal_backoff_time": "1d", "smtpd_error_sleep_time": "0",
            "default_process_limit": "30"}
    with Sink() as sink:
        mta = Postfix(root / "mta", tls=False, main={**slow, "transport_maps": f"inline:{{ {{ news.example = smtp:[127.0.0.1]:{sink.port} }} }}"})
        with mta:
            send(mta.port, 1, "a@lab.test", "b@else.example")
            logged(mta, "status=deferred", 1)
            found = wait_for(lambda: [p for p in (mta.queue / "deferred").rglob("*") if p.is_file()], 30, "a deferred message")
            template = shutil.move(found[0], root / "template")
        mkqueue.fill(template, mta.queue, OLD, messages=old_mail(7))
        with mta:
            yield mta


def test_nothing_is_named(busy, tmp_path):
    mta = busy
    checks = {"log": log_check(mta), "queue": queue_check(mta, sample=1000), "mail": {"probe": "smtp", "host": "127.0.0.1", "port": mta.port}}
    with Watched(tmp_path, checks) as house:
        assert re.search(r"\b2\d{4} deferred", house.check("queue")["text"]), house.check("queue")
        house.names_nothing()
        house.let_pass(5)
        at_once(lambda: flood(mta.port, 800, "reader@news.example"),
                *[lambda i=i: send(mta.port, 20, f"p{i}n%d@x%d.example", "user@lab.test", source=f"127.0.0.{30 + i}") for i in range(10)],
                lambda: send(mta.port, 5, "x%d@spam.example", "nobody%d@lab.test", source="127.0.0.90"),
                lambda: send(mta.port, 1, "a@lab.test", "b@else.example"))
        logged(mta, "status=sent", 1000)
        wait_for(lambda: not [p for q in ("incoming", "active") for p in (mta.queue / q).iterdir() if p.is_file()], 30, "nothing under way")
        house.look("log", "queue", "mail")
        house.names_nothing()
        assert house.check("log")["state"] == house.check("mail")["state"] == "OK"
        assert "1001 received" in house.check("log")["text"], house.check("log")["text"]
