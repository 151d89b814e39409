"""A pool of lines: one idle is taken before any is waited for, one that is not well comes last, and a page that one still owes is
not given to another. Scripted lines; two simulated modems at the end."""
import contextlib
import time

import pytest

from pager import BUILD, Pager
from phone import Phone, wait_for
from test_config import check, write


def pool_of(tmp_path, *args, third=False):
    contacts = {"oncall": [("sms", "+81")] + ([("m3", "c@d")] if third else [])}
    return Pager(tmp_path, *args, contacts=contacts, lines=("m1", "m2", "m3"), extra="")


@contextlib.contextmanager
def start(pager):
    """Runs it, and waits for all lines: a pool does not wait for one that just starts."""
    pager.write_conf(pager.text().replace("lines:\n", "lines:\n  sms: {pool: [m1, m2]}\n", 1))
    with pager:
        wait_for(lambda: all(x["up"] for x in pager.ask("status")["lines"]), 30, "all lines up")
        yield pager


def test_pages_are_spread_over_idle_lines(tmp_path):
    with start(pool_of(tmp_path)) as pager:
        pager.line("m1").do("slow 4000 once")
        pager.drop_problem("a")
        pager.line("m1").wait(1)
        pager.drop_problem("b")
        assert pager.line("m2").wait(1)[0]["check"] == "b"
        pager.drop_problem("c")
        assert [p["check"] for p in pager.line("m2").wait(2)] == ["b", "c"]
        assert [p["check"] for p in pager.line("m1").pages()] == ["a"]
        pools = pager.ask("status")["pools"]
        assert pools == [{"name": "sms", "lines": ["m1", "m2"], "good": 2}]


def test_a_page_that_one_owes_is_not_given_to_another(tmp_path):
    with start(pool_of(tmp_path, "-d", "10s")) as pager:
        pager.line("m1").do("late 600 once")
        pager.drop_problem("a")
        wait_for(lambda: (pager.incident("a") or {"pages": [{}]})["pages"][0].get("phase") == "sent", 30, "sent late")
        assert len(pager.line("m1").pages()) == 1 and pager.line("m2").pages() == []


def test_one_that_fails_leads_to_its_equal_before_the_next_route(tmp_path):
    with start(pool_of(tmp_path, third=True)) as pager:
        pager.line("m1").do("retry")
        pager.drop_problem("a")
        assert pager.line("m2").wait(1)[0]["resend"] is False
        assert pager.line("m3").pages() == []


CONFIG = """\
checks:
  a: {probe: load, warning: 4}
  link: {probe: load, warning: 4}
lines:
  m1: {notifier: sms, device: simulated}
  m2: {notifier: sms, device: simulated%s}
  spare: {notifier: sms, device: simulated}
  sms: {pool: [m1, m2]}
contacts:
  op: {routes: [{line: sms, to: "+819012345678"%s}]}
last_resort: {line: spare, to: "+819012345678"}
"""


@pytest.mark.parametrize("old,new,said", [
    ("", "", None), ("[m1, m2]", "[m1, m3]", 'lines.sms.pool "m3": there is no such line'),
    ("[m1, m2]", "[m1, sms]", "is a pool itself"), ("[m1, m2]", "[]", "must name at least one"), ("[m1, m2]", "[m1, m1]", "named twice"),
    ("pool: [m1, m2]", "pool: [m1, m2], needs: [a]", "lines.sms.needs: unknown"), ("line: spare", "line: sms", "the last resort is one line"),
    ("[m1, m2]", "[m1, spare]", "keeps for itself"), ("+819012345678\"%s}]", "kei\"%s}]", "contacts.op.routes[1].to")])
def test_what_the_loader_says(tmp_path, old, new, said):
    r = check(write(tmp_path, CONFIG.replace(old, new, 1) % ("", "")))
    assert (r.returncode == 0) == (said is None), r.stderr
    assert said is None or said in r.stderr, r.stderr


def test_a_pool_remains_when_one_of_its_lines_does(tmp_path):
    assert check(write(tmp_path, CONFIG % (", needs: [link]", ""))).returncode == 0
    r = check(write(tmp_path, CONFIG.replace("device: simulated}", "device: simulated, needs: [link]}", 1) % (", needs: [link]", "")))
    assert r.returncode == 1 and 'remains when "link" is down' in r.stderr
    r = check(write(tmp_path, CONFIG % ("", ", needs: [link]")))
    assert r.returncode == 1 and 'remains when "link" is down' in r.stderr


def test_two_modems_one_dead(tmp_path):
    pager = Pager(tmp_path, lines=("m1",), contacts={"oncall": [("sms", "+819012345678"), ("m1", "x")]})
    with Phone(tmp_path, name="one") as one, Phone(tmp_path, name="two") as two:
        pager.write_conf(pager.text().replace("lines:\n", f"""lines:
  one: {{notifier: sms, device: {one.device}, check_interval: 1s}}
  two: {{notifier: sms, device: {two.device}, check_interval: 1s}}
  sms: {{pool: [one, two]}}
""", 1))
        with pager:
            wait_for(lambda: pager.ask("status")["pools"][0]["good"] == 2 and
                     all("values" in x for x in pager.ask("status")["lines"] if x["name"] != "m1"), 30, "both are well")
            # both answer slowly: two pages at once go over both
            for phone in (one, two):
                phone.control("fault late=1500")
            start = time.monotonic()
            pager.drop_problem("a")
            pager.drop_problem("b")
            one.wait_messages(1)
            two.wait_messages(1)
            assert time.monotonic() - start < 15
            wait_for(lambda: all(i["pages"][0]["phase"] == "sent" for i in pager.ask("status")["incidents"]), 30, "both told")
            one.stop()
            wait_for(lambda: pager.ask("status")["pools"][0]["good"] == 1, 30, "one is not well")
            pager.drop_problem("c")
            assert two.wait_messages(2)[-1]["text"].startswith("CRITICAL c")
            assert pager.line("m1").pages() == []
