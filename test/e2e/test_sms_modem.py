"""What a GSM modem is good for beside one message: each class of its errors, long messages that come in, USSD, calls, the helper's resets."""
import contextlib
import json
import os
import socket
import subprocess
import threading
import time

import pytest

from phone import BUILD, Phone, wait_for
from smsline import Notifier

TO = "+819012345678"


@pytest.fixture
def modem(tmp_path):
    made = contextlib.ExitStack()

    def make(*args, **options):
        phone = made.enter_context(Phone(tmp_path, *args))
        n = made.enter_context(Notifier("sms", {"device": phone.device, "check_interval": "1s", **options}, log=str(tmp_path / "log")))
        n.wait_up()
        return phone, n
    with made:
        yield make


# --- errors: one of each class, and what is done about it ---------------------------------------------------------

@pytest.mark.parametrize("fault,result", [
    ("cms=777*1", "retry"), ("cms=97*1", "refused"), ("cms=304*1", "refused"), ("cms=197*1", "sent"),
    ("cme=30*1", "retry"), ("cme=56*1", "refused"), ("cme=50*1", "refused"),
])
def test_classes_of_errors(modem, tmp_path, fault, result):
    phone, n = modem()
    phone.control("fault " + fault)
    o = n.send("p")
    assert o["result"] == result and len(phone.messages()) == 0
    log = (tmp_path / "log").read_text()
    assert ("calls this PDU wrong: 00" in log) == (fault in ("cms=97*1", "cms=304*1", "cme=50*1"))
    if result == "sent":
        assert "had it already" in o["detail"]
    assert n.send("q")["result"] == "sent"


def test_a_few_tries(modem):
    phone, n = modem()
    phone.control("fault cms=27")
    assert [n.send("p")["result"] for _ in range(3)] == ["retry", "retry", "refused"]


@pytest.mark.parametrize("fault", ["cms=300*3", "cme=13*3"])
def test_what_needs_mending_is_said_and_mended(modem, fault):
    """The modem answers well and takes no message: it is not called well meanwhile, and restarted after three."""
    phone, n = modem()
    phone.control("fault " + fault)
    for i in range(3):
        assert n.send("p")["result"] == "retry"
        bad = n.wait("health", lambda h: not h["ok"])
        assert "failure" in bad["text"]
    assert n.send("p", deadline=40000)["result"] == "sent"
    assert phone.state()["resets"] == 1
    n.wait("health", lambda h: h["ok"] and h["values"].get("accepted_wall_ms"))


@pytest.mark.parametrize("error", ["cms=322*1", "cms=208*1", "cme=20*1"])
def test_a_full_storage_is_emptied_within_the_try(modem, error):
    phone, n = modem(check_interval="1h")
    phone.control("receive_part +8190 5 1 2 half of a long one")
    phone.control("fill 3")
    phone.control("fault " + error)
    assert n.send("p")["result"] == "sent"
    assert phone.state()["stored"] == 0
    assert [r["text"] for r in n.of("received")][-1] == "half of a long one[...]"


# --- long messages that come in -----------------------------------------------------------------------------------

@pytest.mark.parametrize("ref", ["7", "w4660"])
def test_a_long_message_is_joined(modem, ref):
    phone, n = modem()
    phone.control(f"receive_part {TO} {ref} 2 3 了解しました ")
    phone.control(f"receive_part {TO} {ref} 3 3 [K7Q2M]{{}}")
    phone.control(f"receive_part {TO} {ref} 3 3 [K7Q2M]{{}}")
    phone.control("receive +8190 another")
    assert n.wait("received")["text"] == "another"
    wait_for(lambda: phone.state()["stored"] == 3, what="only the parts are left")
    phone.control(f"receive_part {TO} {ref} 1 3 ack ")
    n.wait("received", lambda r: (r["from"], r["text"]) == (TO, "ack 了解しました [K7Q2M]{}"))
    wait_for(lambda: phone.state()["stored"] == 0, what="deleted")
    assert len(n.of("received")) == 2


def test_parts_outlive_the_process(tmp_path):
    with Phone(tmp_path) as phone:
        options = {"device": phone.device, "check_interval": "1s"}
        with Notifier("sms", options, log=str(tmp_path / "log")) as n:
            n.wait_up()
            phone.control(f"receive_part {TO} 9 1 2 ack ")
            time.sleep(0.3)
        with Notifier("sms", options, log=str(tmp_path / "log")) as n:
            n.wait_up()
            phone.control(f"receive_part {TO} 9 2 2 K7Q2M")
            assert n.wait("received")["text"] == "ack K7Q2M"
            wait_for(lambda: phone.state()["stored"] == 0, what="deleted")


def test_waiting_parts_do_not_fill_the_storage(modem):
    phone, n = modem("--slots", "8")
    for i in range(6):
        phone.control(f"receive_part {TO} {i} 1 2 first half of {i}")
    wait_for(lambda: len(n.of("received")) == 6 and phone.state()["stored"] == 0, what="told and deleted")
    assert n.of("received")[0]["text"].endswith("[...]")


# --- values -------------------------------------------------------------------------------------------------------

def test_values(modem):
    phone, n = modem()
    h = n.wait("health", lambda h: h["ok"])
    v = h["values"]
    assert (v["csq"], v["dbm"], v["operator"], v["storage_used"], v["storage_total"]) == (17, -79, "SIMNET", 0, 20)
    assert v["registration"] == "registered" and v["registered"] is True and v["voice"] == "untried"
    assert "accepted_wall_ms" not in v
    before = time.time() * 1000
    assert n.send("p")["result"] == "sent"
    phone.control("set csq 99")
    phone.control("set operator caf\u00e9 <\x01>")
    v = n.wait("health", lambda h: "delivered_wall_ms" in h["values"] and "?" in h["values"]["operator"])["values"]
    assert before - 1000 <= v["accepted_wall_ms"] <= v["delivered_wall_ms"] <= time.time() * 1000 + 1000
    assert "dbm" not in v and v["operator"] == "caf?? <>"


# --- USSD ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form,packed", [("text", "no"), ("ucs2", "no"), ("packed", "no"), ("packed", "yes")])
def test_balance(modem, form, packed):
    phone, n = modem("--set", "ussd=Balance 1,234.50 JPY valid until 2027/01/31", "--set", f"ussd_form={form}",
                     ussd="*100#", ussd_packed=packed, ussd_balance="Balance ([0-9.,]+)",
                     ussd_validity="until ([0-9]+)/([0-9]+)/([0-9]+)")
    v = n.wait("health", lambda h: "ussd_text" in h.get("values", {}))["values"]
    assert v["ussd_text"] == "Balance 1,234.50 JPY valid until 2027/01/31"
    assert v["balance"] == 1234.5 and v["valid_until"] == "2027-01-31" and "ussd_error" not in v
    assert phone.state()["ussd_code"] == ("AA180C3602" if packed == "yes" else "*100#")
    assert n.send("p")["result"] == "sent"
    assert phone.state()["violations"] == 0


def test_balance_in_several_lines_and_again(modem):
    phone, n = modem("--set", "ussd_form=text", "--set", "ussd_ms=-1", ussd="*100#", ussd_interval="1s",
                     ussd_balance="残高は([0-9]+)円")
    wait_for(lambda: phone.state()["ussds"] == 0 and phone.state()["ussd_code"] == "*100#", what="asked")
    phone.control('say +CUSD: 0,"first line')
    phone.control('say OK and more')
    phone.control('say 6B8B9AD8",15')
    v = n.wait("health", lambda h: "ussd_text" in h.get("values", {}))["values"]
    assert v["ussd_text"] == "first line\nOK and more\n6B8B9AD8" and "amount" in v["ussd_error"]
    phone.control("set ussd_form ucs2")
    phone.control("set ussd_ms 10")
    phone.control("set ussd 残高は980円です")
    v = n.wait("health", lambda h: "balance" in h.get("values", {}))["values"]
    assert v["balance"] == 980 and "ussd_error" not in v


@pytest.mark.parametrize("settings,says", [(["ussd_form=none"], "+CME ERROR 4"), (["ussd_form=text", "ussd_status=5"], "did not answer"),
                                           (["ussd_form=text"], "not supported")])
def test_no_balance_is_told_and_hinders_nothing(modem, settings, says):
    args = [a for s in settings for a in ("--set", s)]
    phone, n = modem(*args, ussd="*100#")
    v = n.wait("health", lambda h: "ussd_error" in h.get("values", {}))["values"]
    assert says in v["ussd_error"]
    assert n.send("p")["result"] == "sent"


# --- calls --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("voice,ms,says,end", [
    ("ring", 0, "the phone rang for", "hung up"), ("busy", 300, "BUSY", "far end"), ("noanswer", 2000, "NO ANSWER", "far end"),
    ("nocarrier", 300, "NO CARRIER", "far end"), ("connect", 1000, "answered", "hung up")])
def test_an_alarm_rings(modem, voice, ms, says, end):
    phone, n = modem("--set", f"voice={voice}", "--set", f"voice_ms={ms}", call="critical", call_seconds="5s")
    start = time.monotonic()
    o = n.send("p")
    assert o["result"] == "sent" and says in o["detail"] and time.monotonic() - start < 20
    s = phone.state()
    assert (s["rings"], s["call_to"], s["call_end"], s["in_call"]) == (1, TO, end, False)
    # the same number is left alone for a while, others are not
    assert n.send("q")["detail"].count(";") == 0
    assert phone.state()["rings"] == 1 and phone.state()["violations"] == 0
    assert len(phone.messages()) == 2


def test_what_rings(modem):
    phone, n = modem("--set", "voice=busy", call="critical", call_seconds="5s", call_pause="0")
    for kind, state, rings in (("new", "WARNING", 0), ("recovered", "OK", 0), ("test", "OK", 0), ("ack", "CRITICAL", 0),
                               ("new", "CRITICAL", 1), ("repeat", "CRITICAL", 2)):
        assert n.send(f"p-{kind}-{state}", kind=kind, state=state)["result"] == "sent"
        assert phone.state()["rings"] == rings, kind


def test_a_modem_without_voice_says_so_once(modem):
    phone, n = modem(call="alarms", call_pause="0")
    o = n.send("p")
    assert o["result"] == "sent" and "cannot call: +CME ERROR 4" in o["detail"]
    assert n.send("q")["detail"].count("call") == 0
    assert "cannot call" in n.wait("health", lambda h: h["ok"] and "cannot call" in h["text"])["text"]
    assert len(phone.messages()) == 2


def test_a_hang_while_it_rings_takes_nothing_back(modem):
    phone, n = modem("--set", "voice=ring", call="alarms", call_seconds="5s")
    threading.Timer(1.5, lambda: phone.control("fault hang=atz")).start()
    assert n.send("p")["result"] == "sent"
    assert n.send("q", kind="recovered", deadline=60000)["result"] == "sent"
    assert len(phone.messages()) == 2


def test_a_call_ends_by_the_deadline(modem):
    phone, n = modem("--set", "voice=ring", call="alarms", call_seconds="45s")
    start = time.monotonic()
    o = n.send("p", deadline=9000)
    assert o["result"] == "sent" and "rang" in o["detail"] and time.monotonic() - start < 12
    assert phone.state()["in_call"] is False
