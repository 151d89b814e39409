"""Faults of the simulated modem that test_sms.py does not have: each is one option of build/simmodem, and the SMS line lives through it."""
import contextlib
import os
import time

import pytest

from phone import Phone, wait_for
from smsline import Notifier


def run(tmp_path, *args, **options):
    phone = Phone(tmp_path, *args).start()
    options = {"device": phone.device, "check_interval": "1s", **options}
    return phone, Notifier("sms", options, log=str(tmp_path / "log"))


@contextlib.contextmanager
def stopping(phone):
    try:
        yield phone
    finally:
        phone.stop()


def sent_in_the_end(n, phone, first=("sent", "retry"), timeout=60):
    """A page answered as allowed, sent at last, and at the phone once."""
    result = n.send("p", deadline=20000)["result"]
    assert result in first
    if result != "sent":
        wait_for(lambda: n.send("p", deadline=20000)["result"] == "sent", timeout, "sent")
    assert len(phone.messages()) == 1


@pytest.mark.parametrize("fault", ["slowbytes=1", "halfecho", "noprompt*1", "lostprompt*1", "garbage", "urc"])
def test_a_disturbed_line(tmp_path, fault):
    phone, line = run(tmp_path, "--fault", fault)
    with stopping(phone), line as n:
        n.wait_up()
        sent_in_the_end(n, phone)
        assert phone.state()["violations"] == 0


@pytest.mark.parametrize("step", ["e0", "cmee", "cpin", "creg", "cereg", "csq", "cmgf", "cnmi", "cmgs", "prompt", "half", "sub"])
def test_unplugged_before_anything_left(tmp_path, step):
    phone, line = run(tmp_path, "--fault", f"unplug={step}:300*1")
    with stopping(phone), line as n:
        sent_in_the_end(n, phone, ("sent", "retry", "unknown", "doubtful") if step in ("half", "sub") else ("sent", "retry"))
        assert phone.state()["resets"] == 1


def test_unplugged_after_it_left_is_doubtful(tmp_path):
    phone, line = run(tmp_path, "--fault", "unplug=sent:300*1")
    with stopping(phone), line as n:
        n.wait_up()
        assert n.send("p")["result"] == "doubtful"
        assert len(phone.messages()) == 1


@pytest.mark.parametrize("fault,copies", [("hang_cmgs=esc*1", 0), ("hang_sent=esc*1", 1)])
def test_hangs_after_the_last_byte(tmp_path, fault, copies):
    phone, line = run(tmp_path, "--fault", fault, wait_cmgs="1s", wait_late="1s")
    with stopping(phone), line as n:
        n.wait_up()
        assert n.send("p")["result"] == "unknown"
        assert len(phone.messages()) == copies
        wait_for(lambda: n.send("q", deadline=20000)["result"] == "sent", 60, "sent")
        assert len(phone.messages()) == copies + 1


def test_back_under_another_name(tmp_path):
    phone, line = run(tmp_path, "--fault", "newname")
    with stopping(phone), line as n:
        n.wait_up()
        before = os.path.realpath(phone.device)
        phone.control("fault vanish=300")
        n.wait("health", lambda h: not h["ok"])
        known = len(n.of("health"))
        wait_for(lambda: any(h["ok"] for h in n.of("health")[known:]), 30, "healthy again")
        assert os.path.realpath(phone.device) != before
        assert n.send("p")["result"] == "sent"


def test_port_locked_by_another_program(tmp_path):
    phone, line = run(tmp_path, "--fault", "locked")
    with stopping(phone), line as n:
        assert "in use" in n.wait("health")["text"]
        assert n.send("p", deadline=3000)["result"] == "retry"
        phone.control("clear locked")
        n.wait_up(60)
        assert n.send("p")["result"] == "sent"


def test_full_storage_is_emptied_and_the_page_leaves(tmp_path):
    phone, line = run(tmp_path, "--slots", "10", "--fault", "full", check_interval="1h")
    with stopping(phone), line as n:
        n.wait_up()
        phone.control("fill 10")
        assert phone.state()["stored"] == 10
        start = time.monotonic()
        sent_in_the_end(n, phone)
        assert time.monotonic() - start < 30
        wait_for(lambda: phone.state()["stored"] == 0, what="emptied")


@pytest.mark.parametrize("args,says", [(["--set", "creg=2"], "searching"), (["--pin", "1234", "--tries", "0"], "PUK"),
                                       (["--fault", "cms_cmd=302*1"], None), (["--fault", "cms_cmd=41*1"], None)])
def test_what_hinders_sending_is_told(tmp_path, args, says):
    phone, line = run(tmp_path, *args)
    with stopping(phone), line as n:
        o = n.send("p", deadline=5000)
        assert o["result"] == "retry" and len(phone.messages()) == 0
        if says:
            assert says in o["detail"]
        else:
            sent_in_the_end(n, phone)
