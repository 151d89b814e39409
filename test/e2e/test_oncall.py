"""Who must know, end to end: ladders, rotas, groups and quiet hours in a real pagerd whose lines are scripted. Time that
takes longer than a test is simulated in test_rota_year.py."""
import datetime
import json
import os
import re
import subprocess
import time

import pytest

from pager import BUILD, Pager, wait_for

PEOPLE = {"a": [("m1", "a@phone")], "b": [("m2", "b@phone")], "c": [("m3", "c@phone")]}
LADDER = "ladders:\n  l:\n    steps: [{tell: a}, {after: 1s, tell: b}, {after: 1s, tell: c}]\n"
SLOW = LADDER.replace("after: 1s, tell: c", "after: 1h, tell: c")


def oncall(tmp_path, extra, default="[l]"):
    p = Pager(tmp_path, contacts=PEOPLE, lines=("m1", "m2", "m3"), extra="oncall: {timezone: UTC}\n" + extra)
    p.defaults = default
    return p


def told(p, names="123"):
    return [[x["kind"] for x in p.line(f"m{n}").pages()] for n in names]


def quiet_now(hours=2):
    """Quiet hours that began an hour ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return "".join(f"{(now + datetime.timedelta(hours=h)):%H}:00{'-' if h < 0 else ''}" for h in (-1, hours))


def test_a_ladder_is_climbed_until_somebody_acknowledges(tmp_path):
    with oncall(tmp_path, LADDER.replace("    steps", "    again: 1s\n    steps")) as p:
        e = p.drop_problem("mx1")
        a, b, c = (p.line(f"m{n}").wait(1)[0] for n in "123")
        assert a["kind"] == b["kind"] == c["kind"] == "new" and a["incident"] == c["incident"]
        starts = [x["made"]["wall_ms"] for x in p.incident("mx1")["pages"][:3]]
        assert starts[1] - starts[0] >= 990 and starts[2] - starts[1] >= 990  # another clock, rounded
        assert p.line("m1").wait(2)[1]["kind"] == "repeat"  # from the first step on
        assert p.ask("ack", incident=a["incident"], by="b")["ok"]
        # whoever was told hears that b acts; b knows
        wait_for(lambda: told(p)[0][-1] == "ack" and told(p)[2][-1] == "ack")
        before = told(p)
        time.sleep(2.5)  # two steps' worth of nothing: that nothing comes cannot be waited for otherwise
        assert told(p) == before and "ack" not in before[1]
        p.drop_recovery(e)
        wait_for(lambda: all(x[-1] == "recovered" for x in told(p)))


def test_who_was_not_told_hears_of_no_recovery(tmp_path):
    with oncall(tmp_path, SLOW) as p:
        e = p.drop_problem("mx1")
        p.line("m2").wait(1)
        p.drop_recovery(e)
        wait_for(lambda: p.incident("mx1")["phase"] == "recovered" and told(p)[1] == ["new", "recovered"])
        assert told(p) == [["new", "recovered"], ["new", "recovered"], []]


def test_a_ladder_survives_a_crash(tmp_path):
    p = oncall(tmp_path, LADDER.replace("after: 1s, tell: b", "after: 4s, tell: b").replace("after: 1s, tell: c", "after: 1h, tell: c"))
    with p:
        p.drop_problem("mx1")
        p.line("m1").wait(1)
        wait_for(lambda: p.incident("mx1")["pages"][0]["phase"] == "sent" and not p.spool_names("new"))
        p.kill()
        p.start()
        assert told(p)[1] == []
        p.line("m2").wait(1)
        assert told(p) == [["new"], ["new"], []]


def test_suppressed_stops_the_ladder(tmp_path):
    with oncall(tmp_path, LADDER.replace("after: 1s", "after: 2s")) as p:
        e = p.drop_problem("mx1")
        p.line("m1").wait(1)
        p.drop_problem("mx1", opened=e["opened"], suppressed=True, why_suppressed="in downtime")
        wait_for(lambda: p.incident("mx1")["suppressed"])
        time.sleep(2.5)  # as above
        assert told(p) == [["new"], [], []]
        # the downtime ends: the step's time begins anew
        p.drop_problem("mx1", opened=e["opened"])
        p.line("m2").wait(1)
        assert told(p)[0] == ["new"]


def rota(who, extra=""):
    return f"groups:\n  both: [a, b]\nrotas:\n  r:\n    shifts: [{{when: always, who: {who}}}]\n{extra}"


def test_whoever_is_on_duty_is_told_and_handover_tells_the_next(tmp_path):
    with oncall(tmp_path, rota("a"), "[r]") as p:
        e = p.drop_problem("mx1")
        p.line("m1").wait(1)
        p.extra = "oncall: {timezone: UTC}\n" + rota("b")
        p.write_conf()
        assert p.ask("reload")["ok"]
        p.line("m2").wait(1)
        p.drop_recovery(e)
        wait_for(lambda: told(p, "12") == [["new", "recovered"], ["new", "recovered"]])
        f = p.drop_problem("mx2")
        p.line("m2").wait(3)
        assert told(p) == [["new", "recovered"], ["new", "recovered", "new"], []]
        # to both, and back
        p.extra = "oncall: {timezone: UTC}\n" + rota("both")
        p.write_conf()
        assert p.ask("reload")["ok"]
        p.line("m1").wait(3)
        assert p.ask("ack", incident="mx2", by="a")["ok"]
        wait_for(lambda: told(p)[1][-1] == "ack")
        p.drop_recovery(f)
        wait_for(lambda: told(p)[0][-1] == told(p)[1][-1] == "recovered")


def quiet(p, hours, more=""):
    p.settings["a"] = f"quiet: {{hours: \"{hours}\"{more}}}"


def test_a_warning_waits_for_the_morning_and_a_critical_does_not(tmp_path):
    p = oncall(tmp_path, "", "[a]")
    quiet(p, quiet_now())
    with p:
        e = p.drop_problem("mx1", state="WARNING")
        page = wait_for(lambda: (i := p.incident("mx1")) and i["pages"] and i["pages"][0].get("held_until_wall_ms") and i["pages"][0])
        assert page["phase"] == "waiting" and 3_000_000 < page["held_until_wall_ms"] - time.time() * 1000 < 7_300_000
        p.drop_problem("mx2")
        assert [x["check"] for x in p.line("m1").wait(1)] == ["mx2"]
        # worse: it leaves at once, and says so
        p.drop_problem("mx1", opened=e["opened"])
        assert [(x["check"], x["state"]) for x in p.line("m1").wait(2)] == [("mx2", "CRITICAL"), ("mx1", "CRITICAL")]


@pytest.mark.parametrize("recovered", ["tell", "drop"])
def test_what_came_and_went_at_night_is_said_once_in_the_morning(tmp_path, recovered):
    p = oncall(tmp_path, "", "[a]")
    quiet(p, quiet_now(), f", recovered: {recovered}")
    with p:
        e = p.drop_problem("mx1", state="WARNING")
        wait_for(lambda: (i := p.incident("mx1")) and i["pages"] and i["pages"][0].get("held_until_wall_ms"))
        p.drop_recovery(e)
        wait_for(lambda: p.incident("mx1")["phase"] == "recovered" and not p.spool_names("new"))
        assert told(p)[0] == []
        p.kill()
        p.start()
        # the morning: no quiet hours any more
        p.settings["a"] = "repeat: 1h"
        p.write_conf()
        assert p.ask("reload")["ok"]
        p.drop_problem("mx2")
        pages = p.line("m1").wait(2 if recovered == "tell" else 1)
        if recovered == "tell":
            said = [x for x in pages if x["check"] == "mx1"]
            assert [x["kind"] for x in said] == ["recovered"] and "was WARNING" in said[0]["text"]
        assert [x["kind"] for x in pages if x["check"] == "mx2"] == ["new"]


def test_no_ladder_is_climbed_while_everybody_sleeps(tmp_path):
    p = oncall(tmp_path, LADDER)
    quiet(p, quiet_now())
    with p:
        p.drop_problem("mx1", state="WARNING")
        wait_for(lambda: (i := p.incident("mx1")) and i["pages"] and i["pages"][0].get("held_until_wall_ms"))
        time.sleep(2.5)  # as above: two steps' time
        assert told(p) == [[], [], []]
        p.settings["a"] = "repeat: 1h"
        p.write_conf()
        assert p.ask("reload")["ok"]
        for n in "123":
            p.line(f"m{n}").wait(1)


# --- what monitorctl says of it


def ctl(p, *args):
    r = subprocess.run([BUILD / "monitorctl", "-c", p.conf, *args], capture_output=True, text=True, timeout=60,
                       env={**os.environ, "TZ": "UTC"})
    assert "Sanitizer" not in r.stderr, r.stderr
    return r


CHECKS = "checks:\n  relay: {probe: load, warning: 99, parents: [], contacts: [l]}\n  disk: {probe: load, warning: 99, contacts: [a]}\n"


def test_explain_tells_what_pagerd_then_does(tmp_path):
    p = oncall(tmp_path, CHECKS + "rotas:\n  r:\n    shifts: [{when: always, who: [b, c], rotate: 1d, from: 2026-01-01}]\n"
               "ladders:\n  l:\n    again: 1h\n    steps: [{tell: a}, {after: 1s, tell: r}]\n")
    with p:
        r = ctl(p, "explain", "relay")
        assert r.returncode == 0, r.stderr
        lines = r.stdout.splitlines()
        assert re.fullmatch(r"relay becomes CRITICAL on \d{4}-\d\d-\d\d \d\d:\d\d [A-Z+0-9-]+, and nobody acknowledges:", lines[0]), lines[0]
        on_duty = next(x for x in lines if "duty in rota r until" in x).split()[1].rstrip(":")
        other = {"b": "c", "c": "b"}[on_duty]
        assert any(x.split()[1] == "a:" and "step 1 of ladder l" in x for x in lines)
        assert any(x.split() == ["1.", {"b": "m2", "c": "m3"}[on_duty], f"{on_duty}@phone"] for x in lines)
        assert any("from the first step again" in x for x in lines)
        assert any(x.startswith(f"  {other}: not on duty; in rota r from ") for x in lines), r.stdout
        p.drop_problem("relay", contacts=["l"])
        p.line({"b": "m2", "c": "m3"}[on_duty]).wait(1)
        assert told(p)[0] == ["new"] and told(p, {"b": "2", "c": "3"}[other]) == [[]]


def test_explain_of_a_night(tmp_path):
    p = oncall(tmp_path, CHECKS + LADDER)
    quiet(p, "22:00-07:00")
    with p:
        at = ["--at", "2026-11-28 23:00"]
        warning = ctl(p, "explain", "disk", "--state", "WARNING", *at).stdout
        critical = ctl(p, "explain", "disk", *at).stdout
        assert "  23:00 a: named by the check; quiet hours: it waits until 11-29 07:00; then every 30 min\n" in warning, warning
        assert "quiet hours" not in critical
        assert ctl(p, "explain", "disk", "--at", "yesterday").returncode == 2
        bad = ctl(p, "explain", "dusk")
        assert bad.returncode == 1 and 'did you mean "disk"?' in bad.stderr


def test_coverage_shows_routes_and_their_proof(tmp_path):
    p = oncall(tmp_path, CHECKS + LADDER)
    p.contacts = {**PEOPLE, "a": [("m1", "a@phone", "relay"), ("m2", "a2@phone")]}
    with p:
        r = ctl(p, "coverage")
        assert r.returncode == 0, r.stderr
        down = r.stdout[r.stdout.index("when down: relay\n"):].split("when down:")[1]
        assert "lost    m1 a@phone" in down and "remains m2 a2@phone" in down and "  c\n" in down, r.stdout
        assert "never proved" in down
        p.drop_problem("disk", contacts=["a"])
        p.line("m1").wait(1)
        wait_for(lambda: any(x["proof"].endswith("ago by a page") for o in json.loads(ctl(p, "--json", "coverage").stdout)
                             for x in o["routes"] if x["line"] == "m1" and x["to"] == "a@phone"))


def test_coverage_fails_when_a_check_takes_all_routes_along(tmp_path):
    p = oncall(tmp_path, CHECKS + LADDER)
    p.contacts = {**PEOPLE, "c": [("m3", "c@phone", "relay")]}
    p.write_conf()
    r = ctl(p, "coverage")
    assert r.returncode == 1 and "  c: NO ROUTE REMAINS\n" in r.stdout, r.stdout + r.stderr
    assert subprocess.run([BUILD / "monitord", "-t", "-c", p.conf], capture_output=True).returncode == 1
