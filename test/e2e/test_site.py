"""A site in a page of configuration: one line that stands for many checks, as `monitord -t` and the daemons see it."""
import re
import subprocess
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from conftest import BUILD, ROOT
from nsd import Nsd, missing as nsd_missing
from supervisor import Supervisor
from waiting import wait_for

LINES = """
lines:
  m: {notifier: sms, device: simulated}
  z: {notifier: sms, device: simulated}
contacts:
  op: {routes: [{line: m, to: "+819012345678"}]}
last_resort: {line: z, to: "+819012345679"}
"""


def check(config, *options):
    return subprocess.run([str(BUILD / "monitord"), "-t", *options, "-c", str(config)], capture_output=True, text=True, timeout=120)


def listed(text):
    return [re.split(r"  +", line) for line in text.splitlines()]


def test_fifty_relays_in_a_page(tmp_path):
    """50 relays with 4 checks each, in at most 40 lines."""
    text = (ROOT / "conf.d" / "site.yaml").read_text()
    assert len(text.splitlines()) <= 40
    config = tmp_path / "monitord.yaml"
    config.write_text(text + LINES)
    r = check(config, "--list")
    assert r.returncode == 0, r.stderr
    rows = listed(r.stdout)
    assert len(rows) == 200
    relays = {f"relay{i:02}.example.org" for i in range(1, 51)}
    for kind in ("greets", "starttls", "submission", "smtps"):
        line = next(i for i, t in enumerate(text.splitlines(), 1) if f'"{{host}} {kind}":' in t)
        mine = [row for row in rows if row[0].endswith(f" {kind}")]
        assert {row[0] for row in mine} == {f"{h} {kind}" for h in relays}
        for name, probe, host, interval, origin in mine:
            assert (probe, name) == ("smtp", f"{host} {kind}")
            assert interval == ("5m" if kind == "smtps" or host == "relay07.example.org" else "1m")
            assert origin == f"{config}:{line}"


def test_complaints_name_line_and_host(tmp_path):
    config = tmp_path / "monitord.yaml"
    config.write_text("""\
checks:
  "{host} smtp": {probe: smtp, hosts: ["mx[1-3].example.org"], overrides: {mx2.example.org: {port: 70000}}}
  "{host} tls": {probe: smtp, hosts: ["mx[1-3].example.org"], tls: yes, starttls: yes}
  mx3.example.org tls: {probe: load, warning: 4}
""" + LINES)
    r = check(config, "-l")
    assert (r.returncode, r.stdout) == (1, "")
    out = [line.replace(f"{config}:", "") for line in r.stderr.splitlines()]
    assert out[0].startswith('2:100: checks.mx2.example.org smtp.port "70000": '), out
    # what no table can say: the prober's own verdict, once for the line that stands for three
    assert out[1].startswith("3:") and "checks.mx1.example.org tls" in out[1] and out[1].endswith("(and 2 more checks of this line)"), out
    assert out[2] == f"4:3: checks.mx3.example.org tls: is given twice; the first is at 3:3"
    assert len(out) == 4


def test_list_is_for_the_test(tmp_path):
    r = subprocess.run([str(BUILD / "monitord"), "--list", "-c", "/nowhere"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 2 and "--list is for -t" in r.stderr


# --- lists of hosts from elsewhere --------------------------------------------------------------------------------

def site(sup, where, **lists):
    """One check for each host of a list; says what the test writes into HOST.says."""
    sup.checks = {"{host} up": {"probe": "exec", "command": [str(sup.plugin("mx1").script), f"{sup.dir}/{{host}}.says"],
                                "groups": ["edge", "at {host}"], "hosts_from": where}}
    sup.sections = {"lists": lists} if lists else {}


def says(sup, host, code, text):
    (sup.dir / f"{host}.says").write_text(f"{code}\n{text}\n")


def names(sup):
    return {c["name"] for c in sup.status()["checks"] if not c["name"].startswith("self")}


def test_a_file_of_hosts_is_watched(tmp_path):
    sup = Supervisor(tmp_path / "s")
    hosts = tmp_path / "hosts"
    hosts.write_text("# our relays\nmx[1-2].example.org\n\n192.0.2.7   # by address\n")
    for host in ("mx1.example.org", "mx2.example.org", "mx3.example.org", "192.0.2.7"):
        says(sup, host, 0, f"{host} is up")
    says(sup, "mx2.example.org", 2, "down")
    site(sup, str(hosts))
    with sup:
        sup.wait_check("mx2.example.org up", state="CRITICAL", hard=True, host="mx2.example.org", groups=["edge", "at mx2.example.org"])
        sup.wait_check("192.0.2.7 up", state="OK", text="192.0.2.7 is up")
        assert sup.check("mx1.example.org up")["groups"] == ["edge", "at mx1.example.org"]
        since, digest = sup.check("mx2.example.org up")["since"], sup.status()["digest"]
        # another order, one more, one less: who stays keeps what is known of it
        hosts.write_text("mx3.example.org\nmx2.example.org\nmx1.example.org\n")
        wait_for(lambda: names(sup) == {f"mx{i}.example.org up" for i in (1, 2, 3)}, 60, "one host is new, one is gone")
        sup.wait_check("mx3.example.org up", state="OK")
        assert sup.check("mx2.example.org up")["since"] == since
        assert sup.status()["digest"] != digest
        assert sup.status()["lists"][0]["hosts"] == 3
        # a list that cannot be taken: the old one stays in force, and that is a problem; then it is mended
        hosts.write_text("mx1.example.org\nmx two\n")
        wait_for(lambda: f"{hosts}:2:1: " in sup.check("self.config")["text"], 30, "said")
        assert "a line holds one host" in sup.check("self.config")["text"]
        assert len(names(sup)) == 3
        hosts.write_text("mx1.example.org\n")
        wait_for(lambda: names(sup) == {"mx1.example.org up"}, 30, "mended")
        sup.wait_check("self.config", state="OK")


@pytest.mark.skipif(bool(nsd_missing()), reason=nsd_missing())
def test_the_mx_of_a_domain(tmp_path):
    """What the DNS says, as it says it; and as it said it, when it says nothing."""
    zone = "@ MX 10 mx1\n@ MX 20 mx2\nmx1 A 192.0.2.1\nmx2 A 192.0.2.2\n"
    with Nsd(tmp_path / "nsd", {"lab.test": zone}) as dns:
        sup = Supervisor(tmp_path / "s")
        for i in (1, 2, 3):
            says(sup, f"mx{i}.lab.test", 0, "up")
        site(sup, "mx:lab.test", refresh="1s", resolver=dns.server)
        with sup:
            assert names(sup) == {"mx1.lab.test up", "mx2.lab.test up"}
            dns.change("lab.test", "@ MX 10 mx2\n@ MX 20 mx3\n")
            wait_for(lambda: names(sup) == {"mx2.lab.test up", "mx3.lab.test up"}, 60, "the new list")
            assert "mx:lab.test: mx3.lab.test is new, mx1.lab.test is gone" in sup.log()
            dns.stop()
            sup.wait_check("self.config", timeout=90, state="WARNING")
            assert re.search(r"mx:lab\.test: .*the last known list stays", sup.check("self.config")["text"])
            assert names(sup) == {"mx2.lab.test up", "mx3.lab.test up"}
            assert sup.ask(do="reload")["ok"]
            assert names(sup) == {"mx2.lab.test up", "mx3.lab.test up"}
            sup.stop()
            sup.start()  # without a resolver
            assert names(sup) == {"mx2.lab.test up", "mx3.lab.test up"}
            dns.start()
        # what is no list is said: of a name there is none, and of one that was never known
        config = tmp_path / "t.yaml"
        text = f"paths: {{monitord_state: {tmp_path}/none}}\nlists: {{resolver: \"{dns.server}\"}}\nchecks:\n" \
               '  "{host} a": {probe: smtp, hosts_from: [mx:lab.test]}\n'
        config.write_text(text + LINES)
        r = check(config, "-l")
        assert (r.returncode, [row[0] for row in listed(r.stdout)]) == (0, ["mx2.lab.test a", "mx3.lab.test a"]), r.stderr
        config.write_text(text.replace("mx:lab", "mx:no.lab") + LINES)
        r = check(config)
        assert r.returncode == 1 and f'{config}:4:42: hosts_from "mx:no.lab.test": ' in r.stderr, r.stderr
        config.write_text(text.replace(dns.server, "127.0.0.1:9") + LINES)
        r = check(config)
        assert r.returncode == 0 and "was never known: none of its hosts is watched until it is" in r.stderr, r.stderr


# --- time periods ---------------------------------------------------------------------------------------------------

def test_outside_its_time_a_check_is_not_run(tmp_path):
    """Days are Tokyo's; "other" is every day but yesterday, today and tomorrow, so that midnight breaks nothing."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    today = datetime.now(ZoneInfo("Asia/Tokyo")).weekday()
    other = [days[(today + k) % 7] for k in (2, 3, 4, 5)]
    sup = Supervisor(tmp_path / "s", {"now": {"when": ["office", days[today]]}, "later": {"when": "other"}, "any": {}},
                     oncall={"timezone": "Asia/Tokyo"}, periods={"other": other, "office": ["09:00-18:00", days[today - 1], days[(today + 1) % 7]]})
    sup.plugin("later").says(2, "down")
    with sup:
        sup.wait_ok("now", "any")
        later = sup.check("later")
        assert re.match(rf"outside its time until {other[0].capitalize()} \S+ 00:00 \+09:00$", later["not_run"]), later
        assert (sup.plugin("later").runs(), later["stale"]) == (0, False)
        runs = sup.plugin("any").runs()
        wait_for(lambda: sup.plugin("any").runs() >= runs + 5, 60, "others run")
        assert sup.plugin("later").runs() == 0
        assert "not_run" not in sup.check("now")
        # who asks for a run gets one; nobody is paged for it
        assert sup.ask(do="check", name="later")["check"]["state"] == "CRITICAL"
        assert sup.plugin("later").runs() == 1
        assert sup.said("later") in ([], ["(problem CRITICAL)"])
        assert sup.check("later")["why"] == "outside its time, and so not run"
        # its time comes: it runs, and only then pages
        sup.checks["later"]["when"] = "always"
        sup.write_config()
        assert sup.ask(do="reload")["ok"]
        wait_for(lambda: "problem CRITICAL" in sup.said("later"), 60, "paged")


def test_complaints_about_periods(tmp_path):
    config = tmp_path / "monitord.yaml"
    config.write_text("""\
periods: {mon: "09:00-18:00", a: [b], b: [tue 25:00], c: always}
checks:
  x: {probe: load, warning: 4, when: c}
  y: {probe: load, warning: 4, when: office}
""" + LINES)
    out = [line.replace(f"{config}:", "") for line in check(config).stderr.splitlines()]
    assert out[0].startswith("1:11: periods.mon: is a time of the week itself")
    assert out[1].startswith('1:35: periods.a "b": ') and out[2].startswith('1:43: periods.b "tue 25:00": ')
    assert out[3].startswith("3:38: checks.x.timezone: is missing, and so is oncall.timezone")
    assert out[4].startswith('4:38: checks.y.when "office": ')
    assert len(out) == 6, out
