"""The incident's name, end to end: monitord with its real prober looks at a real Postfix and a real name server while real
mail makes each incident; the page's event, `monitorctl diagnose` and `monitorctl status` name it, with the offender, and
nothing else first."""
import os
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import nsd  # noqa: E402
import postfix  # noqa: E402
import sendmail  # noqa: E402
from house import House  # noqa: E402
from prober import needs_namespaces  # noqa: E402
from supervisor import BUILD, Plugin, Supervisor  # noqa: E402
from waiting import wait_for  # noqa: E402

pytestmark = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing() or "-")


@pytest.fixture(scope="module")
def mta(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diagnose")
    with postfix.Postfix(folder / "mta", tls=False, main={"default_process_limit": "20"}) as m:
        yield m
        m.stop()


@pytest.fixture(autouse=True)
def empty(mta):
    mta.command("postsuper", "-d", "ALL", check=False)


def ctl(sup, *words):
    done = subprocess.run([BUILD / "monitorctl", "--run", sup.run, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout


def queue_check(mta, **more):
    return {"probe": "queue", "queue_directory": [str(mta.queue)], "mta": "postfix", "interval": "1s", "retry_interval": "1s", **more}


def growth_known(sup):
    """Readings must be five seconds apart to say anything about a minute."""
    sup.wait_ok("queue")
    wait_for(lambda: any(p["label"] == "growth" and p["value"] is not None for p in sup.check("queue")["perf"]), 60, "the growth")


def burst(mta, sender, count, recipient="r%d@far%d.example"):
    """Real sessions; every message has a recipient of its own."""
    with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as s:
        s.ehlo("client.lab.test")
        for i in range(count):
            s.sendmail(sender, [recipient % (i, i % 40)], f"Subject: {i}\r\n\r\ntext\r\n")


def named(sup, check, name, *words):
    """The name is first in what is said, shown and asked."""
    event = wait_for(lambda: next((e for e in sup.events(check) if e["kind"] == "problem"), None), 60, f"a problem of {check}")
    for word in words:
        assert word in event["text"], event["text"]
    found = wait_for(lambda: sup.status()["diagnosis"], 30, "a diagnosis")
    assert found[0]["name"] == name, found
    assert event["text"].startswith(found[0]["text"].split(":")[0]), (event["text"], found)
    code, text = ctl(sup, "diagnose")
    assert code == 1 and f"name      {name}\n" in text and "evidence  " in text, text
    assert ctl(sup, "status")[1].startswith("incident: "), text
    return event


def test_a_quiet_host_names_nothing_and_an_unknown_trouble_is_not_recognised(mta, tmp_path):
    with Supervisor(tmp_path, {"queue": queue_check(mta), "other": {}}) as sup:
        sup.wait_ok("queue", "other")
        assert sup.status()["diagnosis"] == []
        assert ctl(sup, "diagnose") == (0, "nothing to name: no check has a problem and no incident is recognised\n")
        sup.plugin("other").says(2, "strange")
        event = sup.wait_said("other", "problem CRITICAL")
        assert event["text"] == "strange"
        code, text = ctl(sup, "diagnose")
        assert code == 1 and text.startswith("not recognised: 1 check has a problem"), text


def test_mail_bomb_from_inside(mta, tmp_path):
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=150)}) as sup:
        growth_known(sup)
        burst(mta, "bomber@big.example", 400)
        event = named(sup, "queue", "mail_bomb", "mail bomb from inside: bomber@big.example", "from 127.0.0.1", "block that client")
        assert len(event["text"].split(" (")[0]) <= 160
        mta.command("postsuper", "-d", "ALL")
        over = wait_for(lambda: next((e for e in sup.events("queue") if e["kind"] == "recovery"), None), 60, "its end")
        assert "mail bomb" not in over["text"]  # the pager says what it was; see the test of a late name
        assert sup.status()["diagnosis"] == []


def test_backscatter(mta, tmp_path):
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=150)}) as sup:
        growth_known(sup)
        burst(mta, "", 400)
        named(sup, "queue", "backscatter", "backscatter: 100 % of ", "reject at RCPT")


@needs_namespaces
def test_a_disk_that_really_fills(tmp_path):
    """A small file system of monitord's own mount namespace."""
    mnt = tmp_path / "spool"
    mnt.mkdir()
    sup = Supervisor(tmp_path / "s", {"spool": {"probe": "disk", "path": [str(mnt)], "critical": ["10%"], "interval": "1s", "retry_interval": "1s"}})
    sup.wrapper = ["unshare", "-m", "--propagation", "private", "sh", "-ec", 'mount -t tmpfs -o size=16m t "$1"; shift; exec "$@"', "sh", str(mnt)]
    with sup:
        sup.wait_ok("spool")
        assert sup.status()["diagnosis"] == []
        file = Path(f"/proc/{sup.process.pid}/root{mnt}/file")
        file.write_bytes(bytes(31 << 19))  # 15.5 of 16 MiB
        event = named(sup, "spool", "disk_full", f"disk or log full: {mnt}, 97 % used", "make room")
        assert len(event["text"].split(" (")[0]) <= 160
        file.unlink()
        wait_for(lambda: sup.status()["diagnosis"] == [], 60, "its end")


def test_mail_bomb_at_one_recipient(mta, tmp_path):
    """Many senders, one recipient: no loop."""
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=150)}) as sup:
        growth_known(sup)
        with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as s:
            for i in range(300):
                s.sendmail(f"s{i}@x{i}.example", ["list@loop.example"], "Subject: away\r\n\r\nI am away\r\n")
        named(sup, "queue", "mail_bomb_at_one", "mail bomb at list@loop.example: 100 % of ", "100 % from 127.0.0.1", "hold mail to it")


def test_what_a_loop_leaves_in_the_queue(mta, tmp_path):
    """Many messages, one recipient, from nobody and from this host."""
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=150)}) as sup:
        growth_known(sup)
        with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as s:
            for i in range(300):
                s.sendmail("" if i % 3 else "list-owner@loop.example", ["list@loop.example"], "Subject: away\r\n\r\nI am away\r\n")
        named(sup, "queue", "mail_loop", "mail loop: list@loop.example", "vacation")


def test_some_domains_only(mta, tmp_path):
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=150)}) as sup:
        sup.wait_ok("queue")
        with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as s:
            for i in range(300):
                domain = "docomo.example" if i % 10 else f"other{i}.example"
                s.sendmail(f"s{i}@x{i}.example", [f"r{i}@{domain}"], "Subject: x\r\n\r\nx\r\n")
        # the client is this test alone, so a bomb would be named too; from outside each comes from its own address
        found = wait_for(lambda: [d for d in sup.status()["diagnosis"] if d["name"] == "some_domains_queued"], 60, "the domain")
        assert "docomo.example" in found[0]["text"]


def test_a_name_that_comes_after_the_first_page_goes_to_the_pager(mta, tmp_path):
    """At once no rate is known: the page says what the check says."""
    burst(mta, "early@big.example", 200)
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=150, timeout="10s")}) as sup:
        event = sup.wait_said("queue", "problem CRITICAL")
        assert "mail bomb" not in event["text"]
        burst(mta, "early@big.example", 400)
        wait_for(lambda: "early@big.example" in sup.check("queue").get("diagnosis", ""), 60, "the name in the status")
        first, late = wait_for(lambda: (e := sup.events("queue")) and len(e) > 1 and e, 60, "the name on its way")
        assert late["named"] and not first.get("named") and late["opened"] == first["opened"] and late["state"] == "CRITICAL"
        assert late["text"].startswith("mail bomb from inside: early@big.example") and "内部メール爆弾: early@big.example" in late["text_ja"]
        sup.kill()
        sup.start()
        sup.check_now("queue")
        sup.check_now("queue")
        assert len(sup.events("queue")) == 2 and "early@big.example" in sup.check("queue")["diagnosis"]  # told once, restart or not


def test_a_late_name_is_in_the_next_page_in_the_readers_language_and_makes_none(tmp_path):
    """From the check to the phones: the repeat says what the first page could not, and the end says what it was."""
    marker, says = tmp_path / "marker", Plugin(tmp_path, "odd")
    marker.touch()
    rows = {"odd_file": {"when": ["exec.state = critical", "file.size_bytes >= 1"], "text": "odd file: {file.size_bytes} bytes; remove it",
                         "text_ja": "変なファイル: {file.size_bytes}バイト; 消す"}}
    contacts = {"ann": {"repeat": "3s", "routes": [{"line": "modem", "to": "+818011110001"}]},
                "kei": {"repeat": "3s", "language": "ja", "routes": [{"line": "modem", "to": "+818011110002"}]}}
    checks = {"odd": {"probe": "exec", "command": [str(says.script), str(says.file)]}, "marker": {"probe": "file", "file": str(marker)}}
    with House(tmp_path / "house", checks, contacts=contacts, incidents=rows, defaults={"contacts": ["ann", "kei"]}) as house:
        def texts(number):
            return [m["text"] for m in house.phone.messages() if m["to"].endswith(number)]

        house.wait_check("marker", "OK")
        says.says(2, "strange")
        wait_for(lambda: texts("1") and texts("2"), 60, "the first pages")
        assert "odd file" not in texts("1")[0] and "変な" not in texts("2")[0] and "障害" in texts("2")[0]
        marker.write_text("rubbish")
        wait_for(lambda: "odd file: 7 bytes; remove it" in texts("1")[-1] and "変なファイル: 7バイト; 消す" in texts("2")[-1], 60, "the name")
        assert "odd file" not in texts("2")[-1]
        kinds = [p["kind"] for i in house.incidents() if i["check"] == "odd" for p in i["pages"]]
        assert kinds.count("new") == 2 and set(kinds) == {"new", "repeat"}, kinds
        says.says(0, "fine")
        wait_for(lambda: "was CRITICAL: odd file" in texts("1")[-1] and "前は障害: 変なファイル" in texts("2")[-1], 60, "the end")
        history = house.ctl("history").stdout
        assert "recognised: odd file: 7 bytes" in history, history


def test_relay_down(tmp_path):
    with postfix.Postfix(tmp_path / "relay", tls=False) as relay:
        checks = {"relay": {"probe": "smtp", "host": "127.0.0.1", "port": relay.port, "interval": "1s", "retry_interval": "1s"}}
        with Supervisor(tmp_path / "m", checks) as sup:
            sup.wait_ok("relay")
            relay.stop()
            named(sup, "relay", "relay_down", "relay down: 127.0.0.1 (refused)", "route around")


need_nsd = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")


@need_nsd
def test_own_address_on_a_list(tmp_path):
    with nsd.Nsd(tmp_path / "nsd", {"bl.test": nsd.blocklist()}) as dns:
        checks = {"lists": {"probe": "dnsbl", "address": ["192.0.2.10"], "list": ["bl.test"], "resolver": dns.server, "interval": "1s"}}
        with Supervisor(tmp_path / "m", checks) as sup:
            sup.wait_ok("lists")
            dns.change("bl.test", nsd.blocklist("192.0.2.10"))
            named(sup, "lists", "own_address_listed", "own address listed: 192.0.2.10 on bl.test since ", "ask for removal")


@need_nsd
def test_an_address_that_was_added_is_told_from_one_that_always_was(tmp_path):
    with nsd.Nsd(tmp_path / "nsd", {"lab.test": '@ TXT "v=spf1 ip4:192.0.2.1 -all"'}) as dns:
        spf = {"probe": "spf", "domain": "lab.test", "address": ["192.0.2.1"], "resolver": dns.server, "interval": "1s"}
        with Supervisor(tmp_path / "m", {"ours": spf}) as sup:
            sup.wait_ok("ours")
            spf["address"] = ["192.0.2.1", "192.0.2.99"]
            sup.checks["ours"] = spf
            sup.write_config()
            assert sup.ask(do="reload")["ok"]
            named(sup, "ours", "spf_drift", "SPF does not pass 192.0.2.99 (fail by -all), sends for us since ", "add the address to the record")
            sup.kill()
            sup.start()
            sup.check_now("ours")
            assert "sends for us since " in sup.status()["diagnosis"][0]["text"]
            # the record changes under an address that always was there
            dns.change("lab.test", '@ TXT "v=spf1 ip4:192.0.2.99 -all"')
            found = wait_for(lambda: [d for d in sup.status()["diagnosis"] if "pass 192.0.2.1 " in d["text"]], 60, "the other address")
            assert "sends for us" not in found[0]["text"], found


@need_nsd
def test_dns_down(tmp_path):
    with nsd.Nsd(tmp_path / "nsd", {"bl.test": nsd.blocklist()}) as dns:
        checks = {"lists": {"probe": "dnsbl", "address": ["192.0.2.10"], "list": ["bl.test"], "resolver": dns.server, "interval": "1s",
                            "answer_limit": "1s"}}
        with Supervisor(tmp_path / "m", checks) as sup:
            sup.wait_ok("lists")
            dns.pause()
            try:
                named(sup, "lists", "dns_down", "DNS down; mend the resolver")
            finally:
                dns.resume()


def test_own_rows_and_switched_off_ones(mta, tmp_path):
    rows = {"ours": {"when": ["queue.total >= 20", "not queue.total >= 5000"], "text": "ours: {queue.total} wait[ of {queue.nothing}]", "rank": 90},
            "mail_bomb": {"enabled": "no"}}
    with Supervisor(tmp_path, {"queue": queue_check(mta, critical=20), "other": {}}, incidents=rows) as sup:
        sup.wait_ok("queue", "other")
        burst(mta, "bomber@big.example", 60)
        event = named(sup, "queue", "ours", "ours: ")
        sup.plugin("other").says(2, "strange")
        sup.wait_said("other", "problem CRITICAL")
        text = ctl(sup, "diagnose")[1]
        assert "\n  why       explains 1 of 2 checks in trouble\n" in text and text.endswith("\nnot recognised: other\n"), text
        assert "nothing" not in event["text"]
        assert [d["name"] for d in sup.status()["diagnosis"]] == ["ours"]


@pytest.mark.skipif(bool(sendmail.missing()), reason=sendmail.missing() or "-")
def test_scanner_stage_stuck(tmp_path):
    """sendmail in two stages: the receiver takes mail, what stands between moves nothing, the sender has sent all it had."""
    with sendmail.Sendmail(tmp_path / "sm", two_stage=True) as mta:
        checks = {"queue": {"probe": "queue", "mta": "sendmail", "config_directory": [str(mta.cf)], "interval": "1s", "retry_interval": "1s"}}
        with Supervisor(tmp_path / "m", checks) as sup:
            growth_known(sup)
            with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as s:
                for n in range(40):  # fewer a minute than a bomb
                    s.sendmail(f"a{n}@lab.test", [f"y{n}@else{n}.example"], "Subject: test\r\n\r\ntext\r\n")
            named(sup, "queue", "scanner_stuck", "scanner stage stuck: mqueue-rx ", "restart the stage between")
