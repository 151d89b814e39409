"""pagerd end to end: event files in, pages out of scripted notifiers; failing lines, crashes, reloads, a lost monitord."""
import json
import os
import signal
import subprocess
import time

import pytest

from pager import BUILD, Pager, Supervisor, wait_for


@pytest.fixture
def pager(tmp_path):
    with Pager(tmp_path) as p:
        yield p


# --- the straight way


def test_a_problem_becomes_a_page_and_its_file_moves_to_done(pager):
    e = pager.drop_problem("mx1")
    page = pager.line("m1").wait(1)[0]
    assert page["kind"] == "new" and page["resend"] is False and page["to"] == "m1@phone"
    assert page["check"] == "mx1" and page["host"] == "mx1.example" and page["state"] == "CRITICAL"
    assert page["text"] == e["text"] and page["since_wall_ms"] == e["since"]["wall_ms"]
    assert page["deadline_ms"] == 60000
    wait_for(lambda: pager.spool_names("done") == [f"mx1@{e['change']}.json"] and not pager.spool_names("new"))
    i = wait_for(lambda: (x := pager.incident("mx1")) and x["pages"][0]["phase"] == "sent" and x)
    assert i["id"] == page["incident"] and i["phase"] == "new" and i["pages"][0]["route"] == "m1"
    assert pager.line("m2").pages() == []


def test_recovery_follows_to_whoever_was_told(pager):
    e = pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    pager.drop_recovery(e)
    first, second = pager.line("m1").wait(2)
    assert second["kind"] == "recovered" and second["state"] == "OK" and second["incident"] == first["incident"]
    assert "was CRITICAL" in second["text"] and "220 ready" in second["text"]
    wait_for(lambda: pager.incident("mx1")["phase"] == "recovered")


def test_contacts_of_the_event_and_recovery_only_for_those_who_want_it(tmp_path):
    p = Pager(tmp_path, contacts={"oncall": [("m1", "1")], "boss": [("m2", "2")]})
    p.settings["boss"] = "recovery: no"
    with p:
        e = p.drop_problem("mx1", contacts=["oncall", "boss"])
        p.line("m1").wait(1)
        p.line("m2").wait(1)
        p.drop_recovery(e, contacts=["oncall", "boss"])
        assert p.line("m1").wait(2)[1]["kind"] == "recovered"
        wait_for(lambda: p.incident("mx1")["phase"] == "recovered")
        assert len(p.line("m2").pages()) == 1


def test_an_unknown_contact_falls_back_to_the_default_ones(pager):
    pager.drop_problem("mx1", contacts=["nobody"])
    assert pager.line("m1").wait(1)[0]["check"] == "mx1"


def test_suppressed_is_recorded_and_not_paged(pager):
    e = pager.drop_problem("mx1", suppressed=True, why_suppressed="in downtime")
    i = wait_for(lambda: pager.incident("mx1"))
    assert i["phase"] == "suppressed" and i["pages"] == []
    # the downtime ends, it is still down: a new change of the same problem
    pager.drop_problem("mx1", opened=e["opened"])
    assert pager.line("m1").wait(1)[0]["incident"] == i["id"]


def test_the_same_event_again_is_no_page(pager):
    e = pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    wait_for(lambda: pager.spool_names("done"))
    pager.drop(e)
    pager.drop(e, room=pager.twin)  # the twin is read too
    wait_for(lambda: not pager.spool_names("new") and not list((pager.twin / "new").iterdir()))
    pager.drop_problem("mx2")
    assert [x["check"] for x in pager.line("m1").wait(2)] == ["mx1", "mx2"]


def test_the_twin_pages_too(pager):
    pager.drop(pager.event("mx1", "problem", "CRITICAL"), room=pager.twin)
    assert pager.line("m1").wait(1)[0]["check"] == "mx1"


def test_worse_is_paged_again(pager):
    e = pager.drop_problem("mx1", state="WARNING")
    pager.line("m1").wait(1)
    pager.drop_problem("mx1", opened=e["opened"])
    a, b = pager.line("m1").wait(2)
    assert (a["state"], b["state"]) == ("WARNING", "CRITICAL") and a["incident"] == b["incident"]


# --- files that people and accidents drop


def test_a_dropped_text_pages_once_for_each_file(pager):
    pager.drop(json.dumps({"text": "the cellar is wet"}), name="cellar.json")
    page = pager.line("m1").wait(1)[0]
    assert page["kind"] == "notice" and page["text"] == "the cellar is wet" and page["check"] == "cellar"
    wait_for(lambda: not pager.spool_names("new"))
    # the same name another day is another notice
    pager.drop(json.dumps({"text": "the cellar is wet"}), name="cellar.json")
    assert len(pager.line("m1").wait(2)) == 2


@pytest.mark.parametrize("when", [-86400 * 365, 10**10])  # 1969, 2286
def test_a_dropped_file_of_any_age_is_remembered(pager, when):
    path = pager.spool / "tmp" / "old.json"
    path.write_text(json.dumps({"text": "the cellar is wet"}))
    os.utime(path, (when, when))
    path.rename(pager.spool / "new" / "old.json")
    pager.line("m1").wait(1)
    wait_for(lambda: pager.spool_names("done") == ["old.json"] and pager.incident("old")["pages"][0]["phase"] == "sent")
    pager.stop()
    pager.start()
    assert pager.incident("old") and not pager.incident("self.pagerd-record")


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b"[]", b'{"v":1}', b'{"text":' + b'"x' * 40000])
def test_a_file_that_is_no_event_is_itself_a_page(pager, content):
    pager.drop(content, name="odd.json")
    page = pager.line("m1").wait(1)[0]
    assert page["check"] == "self.spool" and "odd.json" in page["text"]
    assert pager.spool_names("bad") == ["odd.json"] and pager.spool_names("new") == []
    pager.drop_problem("mx1")
    assert pager.line("m1").wait(2)[1]["check"] == "mx1"


def test_bad_files_are_paged_once_and_a_flood_of_them_is_not_a_flood_of_pages(pager):
    for n in range(30):
        pager.drop(b"x", name=f"odd{n}.json")
    wait_for(lambda: len(pager.spool_names("bad")) == 30)
    pager.drop_problem("mx1")
    wait_for(lambda: any(x["check"] == "mx1" for x in pager.line("m1").pages()))
    told = lambda: sum(p["phase"] == "sent" for i in pager.ask("status")["incidents"] if i["check"] == "self.spool"
                       for p in i["pages"])
    wait_for(lambda: told() == 5, 60)
    pager.stop()
    pager.start()
    pager.drop_problem("mx2")
    wait_for(lambda: any(x["check"] == "mx2" for x in pager.line("m1").pages()))
    assert told() == 5


# --- lines that fail


@pytest.mark.parametrize("verb", ["retry", "refused", "die", "nonsense"])
def test_a_failing_line_leads_to_the_second_route(pager, verb):
    pager.line("m1").do(verb)
    pager.drop_problem("mx1")
    page = pager.line("m2").wait(1)[0]
    # where it may have left, the second says that it may be a repeat
    assert page["resend"] is (verb in ("die", "nonsense"))
    assert page["to"] == "m2@phone" and page["incident"] == pager.line("m1").pages()[0]["incident"]
    wait_for(lambda: pager.incident("mx1")["pages"][0]["phase"] == "sent")
    assert pager.incident("mx1")["pages"][0]["route"] == "m2"


def test_a_hanging_notifier_is_killed_and_the_next_route_taken(tmp_path):
    with Pager(tmp_path, "-d", "1s") as p:
        p.line("m1").do("hang once")
        p.drop_problem("mx1")
        page = p.line("m2").wait(1)[0]
        assert page["resend"] is True
        wait_for(lambda: len(p.line("m1").starts()) == 2)  # another one runs
        p.drop_problem("mx2")
        assert p.line("m1").wait(2)[1]["check"] == "mx2"


def test_a_page_waits_for_a_line_that_works_and_is_never_given_up(pager):
    pager.line("m1").do("retry")
    pager.line("m2").do("refused")
    pager.drop_problem("mx1")
    pager.line("m1").wait(2)
    pager.line("m1").do("sent")
    wait_for(lambda: pager.incident("mx1")["pages"][0]["phase"] == "sent", 40)
    assert not any(x["resend"] for x in pager.line("m1").pages())  # nothing ever left before


def test_a_late_sent_is_awaited(tmp_path):
    with Pager(tmp_path, "-d", "10s") as p:
        p.line("m1").do("late 600 once")
        p.drop_problem("mx1")
        wait_for(lambda: p.incident("mx1") and p.incident("mx1")["pages"][0]["phase"] == "unsure")
        wait_for(lambda: p.incident("mx1")["pages"][0]["phase"] == "sent")
        assert len(p.line("m1").pages()) == 1 and p.line("m2").pages() == []


def test_unknown_without_a_late_answer_goes_on_marked(tmp_path):
    with Pager(tmp_path, "-d", "500ms") as p:
        p.line("m1").do("unknown once")
        p.drop_problem("mx1")
        page = p.line("m2").wait(1)[0]
        assert page["resend"] is True


def test_a_sick_line_moves_to_the_end(pager):
    pager.line("m1").do("sick once")
    pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    wait_for(lambda: not [x for x in pager.status()["lines"] if x["name"] == "m1"][0]["ok"])
    pager.drop_problem("mx2")
    assert pager.line("m2").wait(1)[0]["check"] == "mx2"


def test_a_missing_notifier_is_no_obstacle(tmp_path):
    with Pager(tmp_path) as p:
        # the program vanishes under a running pager (an upgrade gone wrong), then its process dies
        wait_for(lambda: all(p.line(n).starts() for n in ("m1", "m2")))
        p.line("m1").do("die")
        os.unlink(tmp_path / "libexec/notify_fake")
        p.drop_problem("mx1")
        p.line("m2").wait(1)
        p.line("m1").do("sent")
        p.drop_problem("mx2")
        assert p.line("m2").wait(2)[1]["check"] == "mx2"


def test_a_route_that_needs_what_is_down_comes_last(tmp_path):
    checks = 'checks:\n  uplink: {probe: load, warning: "100,100,100"}\n'
    p = Pager(tmp_path, contacts={"oncall": [("m1", "1", "uplink"), ("m2", "2")]}, extra=checks)
    with p:
        p.drop_problem("mx1")
        p.line("m1").wait(1)
        p.drop_problem("uplink")
        assert p.line("m2").wait(1)[0]["check"] == "uplink"
        p.drop_problem("mx2")
        assert p.line("m2").wait(2)[1]["check"] == "mx2"


def test_needs_are_read_from_monitords_snapshot_and_an_old_one_tells_nothing(tmp_path):
    from pager import stamp
    checks = 'checks:\n  uplink: {probe: load, warning: "100,100,100"}\n'
    p = Pager(tmp_path, contacts={"oncall": [("m1", "1", "uplink"), ("m2", "2")]}, extra=checks)
    p.monitord_run.mkdir()

    def snapshot(age):
        at = stamp()
        at["wall_ms"] -= age
        at["boot_ms"] -= age
        fresh = p.monitord_run / "status.new"
        fresh.write_text(json.dumps({"v": 1, "at": at, "checks": [{"name": "uplink", "state": "CRITICAL", "hard": True,
                                                                   "problem": True}]}))
        fresh.rename(p.monitord_run / "status.json")

    snapshot(3600000)
    with p:
        p.drop_problem("mx1")
        assert p.line("m1").wait(1)[0]["check"] == "mx1"
        assert "counts as good" in p.log_text()

        def fresh_is_seen():
            snapshot(0)
            return "fresh again" in p.log_text()
        wait_for(fresh_is_seen)
        p.drop_problem("mx2")
        assert p.line("m2").wait(1)[0]["check"] == "mx2"


# --- a real notifier: SMS through the simulated modem


def sms_pager(tmp_path, phone):
    p = Pager(tmp_path, contacts={"oncall": [("modem", "+819012345678"), ("m1", "m1@phone")]}, lines=("m1",))
    text = p.text().replace("lines:\n", f"lines:\n  modem: {{notifier: sms, device: {phone.device}}}\n")
    p.write_conf(text)
    return p


def test_a_problem_and_its_recovery_reach_the_simulated_phone(tmp_path):
    from phone import Phone
    with Phone(tmp_path) as phone, sms_pager(tmp_path, phone) as p:
        e = p.drop_problem("mx1")
        text = phone.wait_message()["text"]
        i = wait_for(lambda: (x := p.incident("mx1")) and x["pages"][0]["phase"] == "sent" and x)
        assert "CRITICAL" in text and "mx1" in text and "connection refused" in text and i["id"] in text
        assert len(text) <= 160
        p.drop_recovery(e)
        second = phone.wait_messages(2)[-1]["text"]
        assert "OK" in second and i["id"] in second
        assert p.line("m1").pages() == []


def test_a_modem_that_errs_leads_to_the_second_route(tmp_path):
    from phone import Phone
    with Phone(tmp_path) as phone:
        phone.control("fault cms=310")
        with sms_pager(tmp_path, phone) as p:
            p.drop_problem("mx1")
            assert p.line("m1").wait(1)[0]["check"] == "mx1"


def test_no_modem_at_all_leads_to_the_second_route(tmp_path):
    from phone import Phone
    phone = Phone(tmp_path)  # never started: the device is not there
    with sms_pager(tmp_path, phone) as p:
        p.drop_problem("mx1")
        assert p.line("m1").wait(1)[0]["check"] == "mx1"


# --- people


def test_ack_stops_repeats(tmp_path):
    p = Pager(tmp_path)
    p.settings["oncall"] = "repeat: 1s"
    with p:
        p.drop_problem("mx1")
        first, second = p.line("m1").wait(2)[:2]
        assert (first["kind"], second["kind"]) == ("new", "repeat") and second["resend"] is False
        answer = p.ask("ack", incident=first["incident"], by="ann", comment="on it")
        assert answer["ok"] and answer["incident"]["phase"] == "acknowledged" and answer["incident"]["by"] == "ann"
        n = len(p.line("m1").pages())
        p.drop_problem("mx2")  # its repeats show that time passes
        wait_for(lambda: sum(x["check"] == "mx2" for x in p.line("m1").pages()) >= 4)
        assert sum(x["check"] == "mx1" for x in p.line("m1").pages()) <= n + 1  # one may have been in flight
        assert p.ask("ack", incident="mx2", by="ann")["ok"]  # by the check's name
        assert p.incident("mx2")["phase"] == "acknowledged"


def test_ack_of_nothing_says_so(pager):
    a = pager.ask("ack", incident="XXXXX", by="ann")
    assert a["ok"] is False and "XXXXX" in a["error"]
    assert pager.ask("ack", by="ann")["ok"] is False
    e = pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    pager.drop_recovery(e)
    pager.line("m1").wait(2)
    a = pager.ask("ack", incident="mx1", by="ann")
    assert a["ok"] is False and "over" in a["error"]


def test_test_page_answers_with_the_outcome(pager):
    a = pager.ask("test_page", contact="oncall")
    assert a["ok"] and a["result"] == "sent" and a["line"] == "m1"
    assert pager.line("m1").pages()[0]["kind"] == "test"
    a = pager.ask("test_page", line="m2", to="99")
    assert a["ok"] and pager.line("m2").pages()[0]["to"] == "99"
    pager.line("m1").do("refused")
    a = pager.ask("test_page", contact="oncall", line="m1")
    assert a["ok"] is False and a["result"] == "refused" and "the fake says refused" in a["error"]
    a = pager.ask("test_page", contact="oncall")
    assert a["ok"] and a["line"] == "m2"  # once over the routes
    pager.line("m2").do("retry")
    assert pager.ask("test_page", contact="oncall")["ok"] is False
    assert pager.ask("test_page", contact="nobody")["ok"] is False
    assert pager.ask("test_page", line="nothing", to="1")["ok"] is False
    assert list(pager.state.joinpath("incidents").iterdir()) == []


def test_subscribers_see_pages_and_outcomes(pager):
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(pager.run / "pagerd.sock"))
        s.sendall(b'{"v":1,"do":"subscribe"}\n')
        f = s.makefile()
        assert json.loads(f.readline())["ok"]
        pager.drop_problem("mx1")
        phases = []
        while "sent" not in phases:
            phases.append(json.loads(f.readline())["page"]["phase"])
    assert phases[0] == "trying"


def test_history_and_unknown_requests(pager):
    e = pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    pager.drop_recovery(e)
    pager.drop_problem("mx2")
    pager.line("m1").wait(3)
    assert [i["check"] for i in pager.ask("history")["incidents"]] == ["mx2", "mx1"]
    assert [i["check"] for i in pager.ask("history", name="mx1")["incidents"]] == ["mx1"]
    assert len(pager.ask("history", limit=1)["incidents"]) == 1
    a = pager.ask("fly")
    assert a["ok"] is False and "fly" in a["error"]


# --- who is who


def test_two_incidents_of_one_id_do_not_take_each_others_outcomes(pager):
    # the ids of mx1's changes 3114 and 3540 are the same five characters
    pager.change = 3113
    first = pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    pager.change = 3539
    second = pager.drop_problem("mx1")
    a, b = pager.line("m1").wait(2)
    assert a["incident"] == b["incident"] and a["id"] != b["id"]
    pager.drop_recovery(second)
    pager.line("m1").wait(3)
    pager.change = 3114
    pager.drop_recovery(first)
    pager.line("m1").wait(4)
    wait_for(lambda: [p["phase"] for i in pager.ask("status")["incidents"] for p in i["pages"]] == ["sent"] * 4)


def test_an_outcome_that_ends_the_oldest_page_of_a_large_incident(tmp_path):
    names = [f"c{n:02}" for n in range(50)]
    p = Pager(tmp_path, lines=("m1",), contacts={n: [("m1", n)] for n in names})
    p.settings = {n: "recovery: no" for n in names}
    p.defaults = "[c00]"
    with p:
        p.line("m1").do("hang once")
        e = p.drop_problem("mx1", contacts=names)
        p.line("m1").wait(1)
        p.drop_recovery(e, contacts=names)
        wait_for(lambda: p.incident("mx1")["phase"] == "recovered")
        os.kill(p.line("m1").starts()[0]["start"], signal.SIGKILL)
        # each of the fifty hears of it, the first perhaps twice
        pages = p.line("m1").wait(51, 60)
        assert sorted(x["to"] for x in pages) == sorted([*names, pages[0]["to"]])
        assert {x["kind"] for x in pages[1:]} == {"recovered"}


# --- crashes


def test_killed_while_in_flight_it_is_sent_again_and_says_so(tmp_path):
    p = Pager(tmp_path, lines=("m1",)).start()
    p.line("m1").do("hang once")
    p.drop_problem("mx1")
    p.line("m1").wait(1)
    p.kill()
    os.kill(p.line("m1").starts()[0]["start"], signal.SIGKILL)  # systemd would: it hangs and sees no end of input
    p.start()
    first, second = p.line("m1").wait(2)
    assert first["resend"] is False and second["resend"] is True and first["incident"] == second["incident"]
    wait_for(lambda: p.incident("mx1")["pages"][0]["phase"] == "sent")
    p.stop()


def test_killed_after_it_was_sent_nothing_is_sent_again(tmp_path):
    p = Pager(tmp_path).start()
    e = p.drop_problem("mx1")
    wait_for(lambda: p.incident("mx1") and p.incident("mx1")["pages"][0]["phase"] == "sent")
    files = list((tmp_path / "state/incidents").iterdir())
    wait_for(lambda: json.loads(files[0].read_text())["pages"][0]["phase"] == "sent")
    p.kill()
    p.drop(e)  # and monitord writes it again after a crash of its own
    p.start()
    p.drop_problem("mx2")
    assert [x["check"] for x in p.line("m1").wait(2)] == ["mx1", "mx2"]
    p.drop_recovery(e)
    assert p.line("m1").wait(3)[2]["kind"] == "recovered"
    p.stop()


def test_what_happened_while_it_was_down_is_one_page(tmp_path):
    p = Pager(tmp_path)
    for d in ("tmp", "new"):
        (p.spool / d).mkdir(parents=True)
    e = p.drop_problem("mx1")
    p.drop_recovery(e)
    p.drop_problem("mx2")
    with p:
        pages = p.line("m1").wait(2)
        assert [x["check"] for x in pages] == ["mx2", "mx1"]  # what lasts first
        assert pages[1]["kind"] == "recovered" and "was CRITICAL" in pages[1]["text"]


def test_a_broken_record_is_set_aside_and_paged(tmp_path):
    p = Pager(tmp_path).start()
    p.drop_problem("mx1")
    p.line("m1").wait(1)
    p.stop()
    name = next((tmp_path / "state/incidents").iterdir())
    name.write_text(name.read_text()[:100])
    (tmp_path / "state/incidents/left.json.tmp77").write_text("{")
    p.start()
    page = p.line("m1").wait(2)[1]
    assert page["check"] == "self.pagerd-record" and name.name in page["text"]
    assert len(list((tmp_path / "state/bad").iterdir())) == 1
    assert not (tmp_path / "state/incidents/left.json.tmp77").exists()
    p.stop()


def test_the_twin_of_a_record_that_the_disk_lacks_counts(tmp_path):
    p = Pager(tmp_path).start()
    e = p.drop_problem("mx1")
    wait_for(lambda: p.incident("mx1") and p.incident("mx1")["pages"][0]["phase"] == "sent")
    p.stop()
    name = next((tmp_path / "state/incidents").iterdir())
    (p.run / "incidents").mkdir(exist_ok=True)
    name.rename(p.run / "incidents" / name.name)
    p.drop(e)
    p.start()
    p.drop_problem("mx2")
    assert [x["check"] for x in p.line("m1").wait(2)] == ["mx1", "mx2"]
    wait_for(lambda: name.exists() and not (p.run / "incidents" / name.name).exists())
    p.stop()


def test_sigterm_finishes_what_is_in_flight(tmp_path):
    p = Pager(tmp_path).start()
    p.line("m1").do("slow 1000 once")
    p.drop_problem("mx1")
    p.line("m1").wait(1)
    p.stop()
    p.start()
    assert p.incident("mx1")["pages"][0]["phase"] == "sent"
    p.drop_problem("mx2")
    assert len(p.line("m1").wait(2)) == 2
    p.stop()


def test_only_one_runs(pager):
    second = subprocess.run([str(BUILD / "pagerd"), "-c", str(pager.conf)], capture_output=True, text=True, timeout=60)
    assert second.returncode == 1 and "another pagerd" in second.stderr


# --- a disk that does not take it


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a small tmpfs")
def test_a_full_disk_does_not_hold_a_page_up(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(state)], capture_output=True).returncode:
        pytest.skip("cannot mount a tmpfs here")
    try:
        with Pager(tmp_path) as p:
            (state / "filler").write_bytes(b"")
            with open(state / "filler", "wb", buffering=0) as f, pytest.raises(OSError):
                while True:
                    f.write(b"x" * 4096)
            e = p.drop_problem("mx1")
            pages = p.line("m1").wait(2)
            assert {x["check"] for x in pages} == {"mx1", "self.pagerd-state"}
            assert e["change"] and p.spool_names("new")  # not let go of
            assert p.ask("status")["state_trouble"] is True
            # a crash in that state: the twin knows
            twins = [p.run / "incidents" / f"{x['incident']}-" for x in pages]
            wait_for(lambda: all('"outcome":"sent"' in f.read_text() for t in twins for f in t.parent.glob(t.name + "*.json")))
            p.kill()
            p.start()
            p.drop_problem("mx2")
            wait_for(lambda: any(x["check"] == "mx2" for x in p.line("m1").pages()))
            assert sum(x["check"] == "mx1" for x in p.line("m1").pages()) == 1
            (state / "filler").unlink()
            wait_for(lambda: any(x["check"] == "self.pagerd-state" and x["kind"] == "recovered"
                                 for x in p.line("m1").pages()), 40)
            wait_for(lambda: not p.spool_names("new"))
    finally:
        subprocess.run(["umount", "-l", str(state)], check=False)


# --- the dead-man switch


def deadman(tmp_path):
    p = Pager(tmp_path)
    p.deadman = "{interval: 100ms, limit: 2s, planned_stop: 3s}"
    return p


def test_a_silent_monitord_is_paged_and_its_return_too(tmp_path):
    with deadman(tmp_path) as p:
        s = Supervisor(p)
        s.connect()
        s.beat(digest="0123456789abcdef")
        assert s.receive()["from"] == "pagerd"
        wait_for(lambda: p.ask("status")["supervisor"]["verdict"] == "alive" and p.ask("status")["supervisor"]["pid"] == 4711)
        s.close()
        page = p.line("m1").wait(1)[0]
        assert page["check"] == "self.monitord" and "4711" in page["text"] and page["state"] == "CRITICAL"
        s.connect()

        def heard():
            s.beat()
            return len(p.line("m1").pages()) == 2
        wait_for(heard)
        assert p.line("m1").pages()[1]["kind"] == "recovered"


def test_monitord_never_heard_is_paged(tmp_path):
    with deadman(tmp_path) as p:
        assert "not heard" in p.line("m1").wait(1)[0]["text"]


def test_a_wedged_monitord_that_beats_is_paged(tmp_path):
    with deadman(tmp_path) as p:
        s = Supervisor(p)
        s.connect()

        def stuck():
            s.beat(overdue_ms=9000, overdue="mx7")
            return p.line("m1").pages()
        wait_for(stuck)
        assert "mx7" in p.line("m1").pages()[0]["text"]


def test_a_planned_stop_is_not_paged_until_it_overruns(tmp_path):
    p = deadman(tmp_path)
    p.deadman = "{interval: 100ms, limit: 500ms, planned_stop: 3s}"
    with p:
        s = Supervisor(p)
        s.connect()
        s.beat(back_ms=3000)
        sent = time.monotonic()
        s.close()
        wait_for(lambda: p.ask("status")["supervisor"]["verdict"] == "planned")
        page = p.line("m1").wait(1)[0]
        assert time.monotonic() - sent > 2.5 and "planned" in page["text"]


def test_its_own_sleep_is_not_monitords_silence(tmp_path):
    with deadman(tmp_path) as p:
        s = Supervisor(p)
        s.connect()
        s.beat()
        p.process.send_signal(signal.SIGSTOP)  # as a suspended host: monitord sleeps too
        time.sleep(8)
        p.process.send_signal(signal.SIGCONT)
        wait_for(lambda: "did not run for" in p.log_text())
        s.close()
        s.connect()

        def beats():
            s.beat()
            return time.monotonic() > end
        end = time.monotonic() + 3
        wait_for(beats)
        assert p.line("m1").pages() == []


def test_a_monitord_that_is_restarted_again_and_again_is_paged(tmp_path):
    with deadman(tmp_path) as p:
        s = Supervisor(p)
        for pid in range(100, 106):
            assert p.line("m1").pages() == []
            s.connect()
            s.beat(pid=pid)
            wait_for(lambda pid=pid: p.ask("status")["supervisor"]["pid"] == pid)
            s.close()
        page = p.line("m1").wait(1)[0]
        assert page["check"] == "self.monitord" and "again and again" in page["text"]
        s.connect()

        def beats():
            s.beat(pid=105)
            return time.monotonic() > end
        end = time.monotonic() + 2
        wait_for(beats)
        assert len(p.line("m1").pages()) == 1  # that it lives just now is no recovery


def test_planned_restarts_are_nobodys_alarm(tmp_path):
    with deadman(tmp_path) as p:
        s = Supervisor(p)
        for pid in range(100, 110):
            s.connect()
            s.beat(pid=pid)
            wait_for(lambda pid=pid: p.ask("status")["supervisor"]["pid"] == pid)
            s.beat(pid=pid, back_ms=3000)
            wait_for(lambda: p.ask("status")["supervisor"]["verdict"] == "planned")
            s.close()
        assert p.line("m1").pages() == []


def test_strangers_on_the_heartbeat_do_not_keep_monitord_out(tmp_path):
    with deadman(tmp_path) as p:
        s = Supervisor(p)
        strangers = [Supervisor(p) for _ in range(8)]
        for x in strangers:
            x.connect()
            x.receive()
        s.connect()

        def beats():
            s.beat()
            return time.monotonic() > end
        end = time.monotonic() + 4
        wait_for(beats)
        assert p.line("m1").pages() == []
        strangers.append(s)
        for x in strangers:
            x.close()


def test_pagerd_says_when_it_stops_as_planned(tmp_path):
    p = deadman(tmp_path).start()
    s = Supervisor(p)
    s.connect()
    p.process.send_signal(signal.SIGTERM)
    wait_for(lambda: s.receive()["back_ms"] == 3000)
    p.process.wait(30)
    assert p.process.returncode == 0


# --- configuration


def test_reload_keeps_lines_that_did_not_change(pager):
    pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    wait_for(lambda: all(pager.line(n).starts() for n in ("m1", "m2")))
    pids = [pager.line(n).starts()[0]["start"] for n in ("m1", "m2")]
    pager.colours["m2"] = "red"
    pager.write_conf()
    answer = pager.ask("reload")
    assert answer["ok"] and answer["complaints"] == []
    wait_for(lambda: len(pager.line("m2").starts()) == 2)
    assert pager.line("m2").starts()[1]["options"]["colour"] == "red"
    assert [x["start"] for x in pager.line("m1").starts()] == [pids[0]]
    assert pager.status()["digest"] == answer["digest"] or wait_for(lambda: pager.status()["digest"] == answer["digest"])
    wait_for(lambda: not os.path.exists(f"/proc/{pids[1]}"))


def test_a_line_that_becomes_the_last_resort_is_let_go(pager):
    wait_for(lambda: pager.line("m2").starts())
    pid = pager.line("m2").starts()[0]["start"]
    pager.contacts = {"oncall": [("m1", "m1@phone")]}
    pager.extra = "last_resort: {line: m2, to: boss}\n"
    pager.write_conf()
    answer = pager.ask("reload")
    assert answer["ok"], answer
    # monitord must find the device free
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
    assert [x["name"] for x in pager.ask("status")["lines"]] == ["m1"]


def test_a_line_that_goes_away_in_mid_page_finishes_it(pager):
    pager.line("m1").do("slow 1500 once")
    pager.drop_problem("mx1")
    pager.line("m1").wait(1)
    pager.contacts = {"oncall": [("m2", "m2@phone")]}
    pager.names = ("m2",)
    pager.write_conf()
    assert pager.ask("reload")["ok"]
    i = wait_for(lambda: (x := pager.incident("mx1")) and x["pages"][0]["phase"] == "sent" and x)
    assert i["pages"][0]["route"] == "m1" and pager.line("m2").pages() == []


def test_a_bad_reload_changes_nothing_and_pages_and_sighup_mends_it(pager):
    good = pager.conf.read_text()
    digest = pager.ask("status")["digest"]
    pager.write_conf(good + "contcts: {}\n")
    answer = pager.ask("reload")
    assert answer["ok"] is False and any("contcts" in c and "monitord.yaml" in c for c in answer["complaints"])
    page = pager.line("m1").wait(1)[0]
    assert page["check"] == "self.pagerd-config" and "contcts" in page["text"]
    assert pager.ask("status")["digest"] == digest and "contcts" in pager.ask("status")["config_error"]
    assert pager.ask("reload")["ok"] is False  # again: the same complaint is no second page
    pager.drop_problem("mx1")
    assert pager.line("m1").wait(2)[1]["check"] == "mx1"
    pager.write_conf(good)
    pager.process.send_signal(signal.SIGHUP)
    page = pager.line("m1").wait(3)[2]
    assert page["check"] == "self.pagerd-config" and page["kind"] == "recovered"
    assert pager.ask("status")["config_error"] == ""


def test_a_start_on_a_bad_file_runs_the_last_good_copy_and_pages(tmp_path):
    p = Pager(tmp_path).start()
    p.stop()
    p.write_conf(p.text() + "contcts: {}\n")
    p.start()
    page = p.line("m1").wait(1)[0]
    assert page["check"] == "self.pagerd-config" and "last good copy" in page["text"]
    assert p.ask("status")["from_copy"] is True
    p.drop_problem("mx1")
    p.line("m1").wait(2)
    p.write_conf(p.text())
    assert p.ask("reload")["ok"]
    assert p.line("m1").wait(3)[2]["kind"] == "recovered"
    assert p.ask("status")["from_copy"] is False
    p.stop()


def test_a_start_on_a_bad_file_without_a_copy_fails_with_the_reason(tmp_path):
    p = Pager(tmp_path)
    p.write_conf(p.text() + "contcts: {}\n")
    run = subprocess.run([str(BUILD / "pagerd"), "-c", str(p.conf)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "contcts" in run.stderr


def test_command_line(tmp_path):
    def run(*args):
        return subprocess.run([str(BUILD / "pagerd"), *args], capture_output=True, text=True, timeout=60)
    p = Pager(tmp_path)
    p.write_conf()
    assert run("-t", "-c", str(p.conf)).returncode == 0
    p.write_conf(p.text() + "contcts: {}\n")
    bad = run("-t", "-c", str(p.conf))
    assert bad.returncode == 1 and "contcts" in bad.stderr and "monitord.yaml:" in bad.stderr
    assert run("-V").stdout.startswith("pagerd ")
    assert "usage" in run("-h").stdout
    assert run("--nonsense").returncode == 2 and run("extra").returncode == 2 and run("-d", "soon").returncode == 2


# --- systemd's side, without systemd


def test_notify_and_watchdog(tmp_path):
    import socket
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(20)
        p = Pager(tmp_path, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        p.start()
        seen = ""
        while seen.count("WATCHDOG=1") < 3:
            seen += s.recv(4096).decode() + "\n"
        assert "READY=1" in seen
        p.process.send_signal(signal.SIGHUP)
        while "RELOADING=1" not in seen or "MONOTONIC_USEC" not in seen:
            seen += s.recv(4096).decode() + "\n"
        p.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in seen:
            seen += s.recv(4096).decode() + "\n"
        p.process.wait(30)


def test_latency_from_spool_to_line(pager):
    """The page is on its way without a timer in between: far below the 2 s rescan."""
    pager.drop_problem("warm")
    pager.line("m1").wait(1)
    took = []
    for n in range(5):
        begin = time.time()
        pager.drop_problem(f"mx{n}")
        took.append(pager.line("m1").wait(n + 2)[-1]["got"] - begin)
        wait_for(lambda: len(pager.spool_names("done")) == n + 2)
    assert min(took) < 0.5, took
