"""The main job: a real relay dies, a phone is told by SMS; it returns, the phone is told that too."""
import re

import pytest

import postfix
from house import NUMBER, House, wait_for
from phone import judge

needs_postfix = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing())


def relay_check(relay, **more):
    return {"probe": "smtp", "host": "127.0.0.1", "port": relay.port, **more}


@needs_postfix
def test_a_dead_relay_pages_a_phone_and_its_return_too(tmp_path):
    with postfix.Postfix(tmp_path / "pf") as relay:
        with House(tmp_path / "house", {"trunk relay": relay_check(relay)}) as house:
            house.wait_check("trunk relay", "OK")
            assert house.phone.messages() == []
            relay.stop()
            first = house.phone.wait_message()
            # judged by tshark, not by our own decoder
            seen = judge(first["pdu"])
            assert seen["to"].lstrip("+") == NUMBER.lstrip("+")
            assert seen["text"].startswith("CRITICAL trunk relay")
            assert "relay down: 127.0.0.1 (refused)" in seen["text"]
            assert len(seen["text"]) <= 160
            incident = re.search(r"#([2-9A-Z]{5})\b", seen["text"]).group(1)
            assert [i["id"] for i in house.incidents()] == [incident]
            relay.start()
            wait_for(lambda: len(house.phone.messages()) >= 2, 60, "recovery")
            recovery = judge(house.phone.messages()[1]["pdu"])["text"]
            assert recovery.startswith("OK trunk relay")
            assert incident in recovery
            assert len(house.phone.messages()) == 2


@needs_postfix
def test_a_silent_relay_is_named_as_silent(tmp_path):
    """Black hole: the kernel takes the connection, nobody speaks."""
    with postfix.Postfix(tmp_path / "pf") as relay:
        with House(tmp_path / "house", {"relay": relay_check(relay, greeting_timeout="2s")}) as house:
            house.wait_check("relay", "OK")
            relay.pause()
            text = judge(house.phone.wait_message(60)["pdu"])["text"]
            relay.resume()
            assert text.startswith("CRITICAL relay")
            assert "greeting" in text
            house.wait_check("relay", "OK")


@needs_postfix
def test_acknowledged_and_in_downtime(tmp_path):
    with postfix.Postfix(tmp_path / "pf") as relay:
        checks = {"a": relay_check(relay), "b": relay_check(relay)}
        contacts = {"oncall": {"repeat": "2s", "routes": [{"line": "modem", "to": NUMBER}]}}
        with House(tmp_path / "house", checks, contacts=contacts) as house:
            for c in checks:
                house.wait_check(c, "OK")
            done = house.ctl("downtime", "b", "--for", "1h", "-m", "upgrade")
            assert done.returncode == 0, done.stderr
            relay.stop()
            house.wait_check("b", "CRITICAL")
            wait_for(lambda: len(house.phone.messages()) >= 2, 60, "page and its repeat")
            texts = [judge(m["pdu"])["text"] for m in house.phone.messages()]
            assert all(" a" in t for t in texts), texts
            incident = re.search(r"#([2-9A-Z]{5})\b", texts[0]).group(1)
            done = house.ctl("ack", incident, "-m", "on it")
            assert done.returncode == 0, done.stderr
            n = len(house.phone.messages())
            assert next(i for i in house.incidents() if i["id"] == incident)["phase"] == "acknowledged"
            # two repeat intervals without another page: watched until a later event proves the time has passed
            relay.start()
            wait_for(lambda: any(judge(m["pdu"])["text"].startswith("OK a") for m in house.phone.messages()), 60, "recovery")
            assert len(house.phone.messages()) == n + 1
            assert house.ctl("status").returncode == 0


@needs_postfix
def test_a_dead_modem_leads_to_the_second_route(tmp_path):
    """The first line's device does not exist; the page goes by the second modem."""
    from phone import Phone
    with postfix.Postfix(tmp_path / "pf") as relay, Phone(tmp_path, name="second") as second:
        lines = {"modem1": {"notifier": "sms", "device": str(tmp_path / "no-such-device")},
                 "modem2": {"notifier": "sms", "device": second.device}}
        contacts = {"oncall": {"routes": [{"line": "modem1", "to": NUMBER}, {"line": "modem2", "to": NUMBER}]}}
        with House(tmp_path / "house", {"relay": relay_check(relay)}, lines=lines, contacts=contacts) as house:
            house.wait_check("relay", "OK")
            relay.stop()
            assert judge(second.wait_message(90)["pdu"])["text"].startswith("CRITICAL relay")
            status = house.ctl("status").stdout
            assert "modem1" in status and "NOT OK" in status
