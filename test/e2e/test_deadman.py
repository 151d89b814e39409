"""Each daemon pages when the other is gone, killed or wedged, and when the prober is stuck; through two modems."""
import os
import signal
from pathlib import Path

import pytest

from house import NUMBER, House, wait_for
from phone import Phone, judge


@pytest.fixture
def house(tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\n[ ! -e {tmp_path}/down ] || {{ echo 'X CRITICAL: it is down'; exit 2; }}\necho 'X OK: fine'\n")
    plugin.chmod(0o755)
    with Phone(tmp_path, name="first") as first, Phone(tmp_path, name="spare") as spare:
        lines = {"modem": {"notifier": "sms", "device": first.device}, "spare": {"notifier": "sms", "device": spare.device}}
        h = House(tmp_path / "h", {"thing": {"probe": "exec", "command": [str(plugin)]}}, lines=lines,
                  contacts={"oncall": {"routes": [{"line": "modem", "to": NUMBER}]}},
                  last_resort={"line": "spare", "to": NUMBER}, deadman={"interval": "200ms", "limit": "3s"})
        h.first, h.spare = first, spare
        h.down = tmp_path / "down"
        try:
            h.start()
            h.wait_check("thing", "OK")
            yield h
        finally:
            for d in (h.monitord, h.pagerd):
                if d.process is not None and d.alive():
                    d.signal(signal.SIGCONT)
            print(h.monitord.log()[-4000:], h.pagerd.log()[-4000:])
            h.stop()


def texts(phone):
    return [judge(m["pdu"])["text"] for m in phone.messages()]


def wait_text(phone, *words, timeout=60):
    return wait_for(lambda: next((t for t in texts(phone) if all(w in t for w in words)), None), timeout, f"a page with {words}")


def test_monitord_killed(house):
    house.monitord.kill()
    wait_text(house.first, "CRITICAL", "monitord")
    house.monitord.start()
    wait_text(house.first, "OK", "monitord")


def test_monitord_wedged(house):
    house.monitord.signal(signal.SIGSTOP)
    wait_text(house.first, "CRITICAL", "monitord")
    house.monitord.signal(signal.SIGCONT)
    wait_text(house.first, "OK", "monitord")


def test_pagerd_killed_and_an_incident_meanwhile(house):
    house.pagerd.kill()
    wait_text(house.spare, "pagerd")
    house.down.touch()
    wait_text(house.spare, "CRITICAL", "thing", "it is down")
    assert texts(house.first) == []
    # back again: what happened meanwhile is paged by the usual way too, under the same incident id
    house.pagerd.start()
    usual = wait_text(house.first, "CRITICAL", "thing")
    spare = next(t for t in texts(house.spare) if "thing" in t)
    assert usual.rsplit("#", 1)[1][:5] == spare.rsplit("#", 1)[1][:5]


def test_pagerd_wedged(house):
    house.pagerd.signal(signal.SIGSTOP)
    wait_text(house.spare, "pagerd")
    house.pagerd.signal(signal.SIGCONT)
    wait_text(house.spare, "OK", "pagerd")


def test_a_stuck_prober_is_replaced_and_pages_do_not_wait_for_it(house):
    """SIGSTOP to the prober: its runs are answered as not measured, another one takes over, the alert still comes."""
    pid = next(p["pid"] for p in house.status()["probers"] if p["place"] == "net")
    os.kill(pid, signal.SIGSTOP)
    house.down.touch()
    wait_text(house.first, "CRITICAL", "thing", "it is down", timeout=120)
    now = next(p for p in house.status()["probers"] if p["place"] == "net")
    assert now["pid"] != pid
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), 30, "the stuck prober is gone")
