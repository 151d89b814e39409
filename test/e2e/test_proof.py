"""The proof that lines work, end to end: real pages, reports, test pages, loopback between two modems, what nobody proves, and
the daily summary. Real pagerd and notify_sms on simulated modems."""
import datetime
import json
import threading
import time

import pytest

from desk import KEI, MARI, Desk
from phone import wait_for
from smsline import still

ONE = {"oncall": {"routes": [("m1", KEI)]}}
NUMBERS = {"m1": "+817011111111", "m2": "+817022222222"}


def zone(hour):
    """A TZ in which it is now about that hour."""
    now = datetime.datetime.now(datetime.timezone.utc).hour
    return f"LOC{(now - hour + 12) % 24 - 12:+d}"


def desk(directory, contacts, hour=12, **kw):
    d = Desk(directory, contacts, **kw)
    d.env["TZ"] = zone(hour)
    return d


def wall(d, number, line="m1"):
    r = d.routes()[line, number]
    return r["proved"] and r["proved"]["wall_ms"], r["how"]


class Network:
    """Carries what one modem sends to the other's number, as a network would."""

    def __init__(self, d, delay=0.0):
        self.d, self.delay, self.stopping, self.carried = d, delay, False, 0
        self.seen = {name: 0 for name in NUMBERS}
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.stopping:
            for name, phone in self.d.phones.items():
                messages = phone.messages()
                for m in messages[self.seen[name]:]:
                    for other, number in NUMBERS.items():
                        if m["to"] == number:
                            time.sleep(self.delay)
                            self.d.phones[other].control(f"receive {NUMBERS[name]} {m['text']}")
                            self.carried += 1
                self.seen[name] = len(messages)
            time.sleep(0.05)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(20)


def test_a_real_page_proves_its_route_and_a_report_says_it_arrived(tmp_path):
    with desk(tmp_path, ONE) as d:
        assert d.routes()["m1", KEI] == {"line": "m1", "to": KEI, "contact": "oncall", "proved": None, "how": "", "used": None,
                                         "doubted": False}
        before = time.time() * 1000
        d.drop_problem("mx1")
        wait_for(lambda: wall(d, KEI)[1] == "page")
        page = wait_for(lambda: (p := d.incident("mx1")["pages"][0]).get("delivered") and p)
        assert before - 1 <= page["done"]["wall_ms"] <= page["delivered"]["wall_ms"]
        proved = wait_for(lambda: (w := wall(d, KEI)[0]) and w >= page["delivered"]["wall_ms"] and w)
        wait_for(lambda: (d.state / "proofs.json").exists() and str(proved) in (d.state / "proofs.json").read_text())
        d.kill()
        d.start()
        assert wall(d, KEI) == (proved, "page")
        assert d.incident("mx1")["pages"][0]["delivered"]["wall_ms"] == page["delivered"]["wall_ms"]


def test_what_the_network_could_not_deliver_proves_nothing(tmp_path):
    with desk(tmp_path, ONE) as d:
        d.phone().control("set report 70")  # given up
        d.drop_problem("mx1")
        wait_for(lambda: "did not arrive" in d.log_text())
        wait_for(lambda: wall(d, KEI) == (None, "") and d.routes()["m1", KEI]["used"])


def test_test_pages_by_day(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)], "test": {"every": "2s", "at": "10:00"}},
              "boss": {"routes": [("m1", MARI)]}}
    with desk(tmp_path, people) as d:
        assert d.wait_text(KEI, "^TEST:").startswith("TEST: line m1 works, this is its regular test: nothing is wrong")
        wait_for(lambda: wall(d, KEI)[1] == "test")
        d.wait_text(KEI, "^TEST:", n=2)
        assert d.texts(MARI) == [] and wall(d, MARI) == (None, "")


def test_the_zone_of_those_on_call_counts(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)]}}
    hour = datetime.datetime.now(datetime.timezone.utc).hour
    # somewhere it is about noon while the host's clock says night
    zone_name = f"Etc/GMT{(hour - 12 + 12) % 24 - 12:+d}"
    with desk(tmp_path, people, hour=2, proof={"every": "1s"}, oncall={"timezone": zone_name}) as d:
        d.wait_text(KEI, "^TEST:")


def test_no_test_pages_by_night(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)]}}
    with desk(tmp_path, people, hour=2, proof={"every": "1s"}) as d:
        still(lambda: d.texts(KEI) == [], 4)


def test_a_route_that_nothing_proves_is_a_problem_told_by_another(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI), ("m2", MARI)]},
              "boss": {"routes": [("m2", MARI)], "test": {"every": "1s"}}}  # proves m2's route, and m1's nobody
    with desk(tmp_path, people, modems=("m1", "m2"), defaults=["oncall"], proof={"unproven_after": "10s"}) as d:
        wait_for(lambda: wall(d, MARI, "m2")[1] == "test")
        text = d.wait_text(MARI, "self.route m1", name="m2", timeout=60)
        assert KEI in text or KEI in d.incident("self.route m1")["text"]
        wait_for(lambda: d.routes()["m1", KEI]["doubted"])
        assert d.texts(KEI) == [], "the alert about m1 went over m1"
        assert d.ask("test_page", contact="oncall", line="m1", timeout=90)["ok"]
        wait_for(lambda: d.incident("self.route m1")["phase"] == "recovered")
        wait_for(lambda: not d.routes()["m1", KEI]["doubted"])


def loopback(limit="60s", every="2s"):
    return {"line_options": {"m1": {"number": NUMBERS["m1"], "loopback": {"to": "m2", "every": every, "limit": limit}},
                             "m2": {"number": NUMBERS["m2"], "loopback": {"to": "m1", "every": every, "limit": limit}}},
            "modems": ("m1", "m2")}


def test_two_modems_prove_each_other(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI), ("m2", KEI)]}}
    with desk(tmp_path, people, **loopback()) as d, Network(d) as net:
        wait_for(lambda: all(wall(d, KEI, m)[1] == "loopback" for m in ("m1", "m2")), 60)
        assert d.routes()["m1", NUMBERS["m2"]]["how"] == "loopback"
        assert "loopback page of line m1 received by line m2 after" in d.log_text()
        assert net.carried >= 2 and d.texts(KEI) == [] and "no contact has that number" not in d.log_text()
        first = wall(d, KEI, "m1")[0]
        wait_for(lambda: wall(d, KEI, "m1")[0] > first, 60)
        wait_for(lambda: all(p.state()["stored"] == 0 for p in d.phones.values()))
        assert not [i for i in d.ask("status")["incidents"] if i["check"].startswith("self.")]


def test_a_loopback_page_that_is_lost_is_an_alert_by_another_line(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI), ("m2", KEI)]}}
    options = loopback(limit="4s", every="3s")
    del options["line_options"]["m2"]["loopback"]
    with desk(tmp_path, people, **options) as d:
        text = d.wait_text(KEI, "self.loopback m1", name="m2", timeout=60)
        assert "line m1 to line m2 has not arrived within 4 s" in text
        assert d.texts(KEI, "m1") == []
        with Network(d):
            wait_for(lambda: d.incident("self.loopback m1")["phase"] == "recovered", 60)
            assert "took" in d.wait_text(KEI, "took", name="m1", timeout=60), "m1 is first again"


def test_the_day_is_summed_up(tmp_path):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    people = {"oncall": {"routes": [("m1", KEI)], "all_well": at.strftime("%H:%M")}}
    d = Desk(tmp_path, people)
    d.monitord_run.mkdir()
    d.state.mkdir()
    day = {"boot_ms": 0, "boot_id": "", "wall_ms": int((time.time() - 86400) * 1000)}
    (d.state / "proofs.json").write_text(json.dumps({"v": 1, "rev": 7, "routes": [
        {"line": "", "to": "oncall", "how": "", "reports": False, "first": day, "tested": day},
        {"line": "m1", "to": KEI, "how": "test", "reports": False, "first": day, "proved": day}]}))
    snapshot(d, ["OK", "OK"])
    with d:
        said = wait_for(lambda: snapshot(d, ["OK", "OK"]) or d.texts(KEI), 30)[0]
        yesterday = time.strftime("%m-%d %H:%M", time.gmtime(day["wall_ms"] / 1000))
        assert said == f"all well: 2 checks OK, 1 line proved since {yesterday}, last page none"
        still(lambda: len(d.texts(KEI)) == 1, 2)
    records = json.loads((d.state / "proofs.json").read_text())
    tested = next(r for r in records["routes"] if r["line"] == "")["tested"]["wall_ms"]
    assert tested / 1000 > day["wall_ms"] / 1000 + 86000
    # another day, another picture
    for r in records["routes"]:
        if r["line"] == "":
            r["tested"] = day
    (d.state / "proofs.json").write_text(json.dumps(records))
    snapshot(d, ["OK", "CRITICAL"])
    with d:
        wait_for(lambda: snapshot(d, ["OK", "CRITICAL"]) or len(d.texts(KEI)) > 1, 30)
        assert d.texts(KEI)[1] == "NOT well: 1 CRIT 1 OK"


def snapshot(d, states):
    """monitord's, as it would write it."""
    from pager import stamp
    checks = [{"name": f"c{n}", "probe": "smtp", "state": s, "hard_state": s, "hard": True} for n, s in enumerate(states)]
    fresh = d.monitord_run / "status.new"
    fresh.write_text(json.dumps({"v": 1, "daemon": "monitord", "at": stamp(), "checks": checks}))
    fresh.rename(d.monitord_run / "status.json")
