"""Answers by SMS end to end: pagerd, notify_sms and the simulated modem; downtime with a real monitord."""
import json
import re
import signal
import time

import pytest

from desk import KEI, MARI, STRANGER, Desk
from house import House
from phone import judge, wait_for
from smsline import still

ONE = {"oncall": {"routes": [("m1", KEI)]}}
TWO = {"oncall": {"routes": [("m1", KEI)]}, "boss": {"routes": [("m1", MARI)]}}


@pytest.fixture
def desk(tmp_path):
    with Desk(tmp_path, ONE) as d:
        yield d


def test_a_reply_acknowledges_and_stops_the_repeats(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)], "repeat": "2s"}, "boss": {"routes": [("m1", MARI)]}}
    with Desk(tmp_path, people) as d:
        d.drop_problem("mx1", contacts=["oncall", "boss"])
        code = d.code(KEI)
        assert d.code(MARI) != code
        assert d.code(KEI, n=2) == code, "a repeat carries the same code"
        d.reply("m1", KEI, f"ack {code} on my way")
        said = d.wait_text(KEI, "you have it")
        assert said.startswith("mx1 #") and "1 other is told" in said
        assert "acknowledged by oncall: on my way" in d.wait_text(MARI, "acknowledged by")
        i = d.incident("mx1")
        assert (i["phase"], i["by"], i["comment"]) == ("acknowledged", "oncall", "on my way")
        n = len(d.texts(KEI))
        still(lambda: len(d.texts(KEI)) == n, 4)
        assert d.phone().state()["stored"] == 0


def test_a_reply_ends_the_ladder(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)]}, "boss": {"routes": [("m1", MARI)]}}
    with Desk(tmp_path, people, defaults=["l"], oncall={"timezone": "UTC"},
              ladders={"l": {"steps": [{"tell": "oncall"}, {"after": "4s", "tell": "boss"}]}}) as d:
        d.drop_problem("mx1")
        d.reply("m1", KEI, d.code(KEI))
        d.wait_text(KEI, "you have it")
        d.drop_problem("mx2")  # nobody answers this one: the clock that both are measured by
        d.wait_text(MARI, "mx2")
        assert not [t for t in d.texts(MARI) if "mx1" in t]


def test_an_answer_takes_another_way_when_the_line_fails(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI), ("m2", MARI)]}}
    with Desk(tmp_path, people, modems=("m1", "m2")) as d:
        d.drop_problem("mx1")
        code = d.code(KEI)
        d.phone("m1").control("fault cms=8")  # its subscription is barred
        d.reply("m1", KEI, code)
        assert "you have it" in d.wait_text(MARI, "you have it", name="m2")


@pytest.mark.parametrize("text", ["{}", "ＡＣＫ　{}", "了解{}", "ok {}."])
def test_ways_to_say_it(desk, text):
    desk.drop_problem("mx1")
    code = desk.code(KEI)
    desk.reply("m1", KEI, text.format(code.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"}) if "Ａ" in text else code))
    desk.wait_text(KEI, "you have it")
    assert desk.incident("mx1")["phase"] == "acknowledged"


def test_a_code_works_once_and_an_incident_that_is_over_says_so(desk):
    e = desk.drop_problem("mx1")
    code = desk.code(KEI)
    desk.reply("m1", KEI, code)
    desk.wait_text(KEI, "you have it")
    desk.reply("m1", KEI, f"{code} again")
    assert re.search(r"#\w{5}: already acknowledged by oncall at \d\d:\d\d$", desk.wait_text(KEI, "already"))
    desk.drop_recovery(e)
    wait_for(lambda: desk.incident("mx1")["phase"] == "recovered")
    desk.reply("m1", KEI, f"ACK {code}")
    assert "is over since" in desk.wait_text(KEI, "is over")
    assert desk.incident("mx1")["comment"] == ""


def test_it_got_worse_so_there_is_a_new_code(desk):
    e = desk.drop_problem("mx1", state="WARNING")
    first = desk.code(KEI)
    desk.reply("m1", KEI, first)
    desk.wait_text(KEI, "you have it")
    desk.drop_problem("mx1", state="CRITICAL", opened=e["opened"])
    second = desk.code(KEI, n=2)
    assert second != first
    desk.reply("m1", KEI, first)
    desk.wait_text(KEI, "not valid any more")
    assert desk.incident("mx1")["phase"] == "new"
    desk.reply("m1", KEI, second)
    desk.wait_text(KEI, "you have it", n=2)


def test_a_stranger_gets_no_answer(desk):
    desk.drop_problem("mx1")
    code = desk.code(KEI)
    desk.reply("m1", STRANGER, f"ACK {code}")
    wait_for(lambda: "no contact has that number" in desk.log_text() and desk.phone().state()["stored"] == 0)
    desk.reply("m1", "docomo", "you have a new mail")
    wait_for(lambda: desk.log_text().count("no contact has that number") == 2)
    still(lambda: len(desk.phone().messages()) == 1, 1)
    assert desk.incident("mx1")["phase"] == "new"


def test_the_code_of_somebody_else_is_no_code(tmp_path):
    with Desk(tmp_path, TWO) as d:
        d.drop_problem("mx1", contacts=["oncall", "boss"])
        code = d.code(KEI)
        d.reply("m1", MARI, code)
        d.wait_text(MARI, f"^{code}: unknown")
        assert d.incident("mx1")["phase"] == "new"


def test_forwarded_and_quoted_texts_acknowledge_nothing(desk):
    desk.drop_problem("mx1")
    code = desk.code(KEI)
    page = desk.texts(KEI)[0]
    texts = [f"Fwd: {page}", f"> {page}", page, f"{code} {page}", f"> {code}"]
    for n, text in enumerate(texts, 1):
        desk.reply("m1", KEI, text)
        desk.wait_text(KEI, "forwarded or quoted", n=n)
    desk.reply("m1", KEI, "what is that about?")
    desk.wait_text(KEI, "Not understood")
    assert desk.incident("mx1")["phase"] == "new"
    desk.reply("m1", KEI, code)
    desk.wait_text(KEI, "you have it")


def test_answers_have_a_limit(tmp_path):
    with Desk(tmp_path, ONE, replies={"limit": 3}) as d:
        d.drop_problem("mx1")
        code = d.code(KEI)
        for _ in range(5):
            d.reply("m1", KEI, "hello machine")
        wait_for(lambda: d.log_text().count("this message gets none") == 2)
        d.reply("m1", KEI, code)  # it is still obeyed
        wait_for(lambda: d.incident("mx1")["phase"] == "acknowledged")
        wait_for(lambda: d.phone().state()["stored"] == 0)
        assert len([t for t in d.texts(KEI) if "Not understood" in t]) == 3
        assert not [t for t in d.texts(KEI) if "you have it" in t]


def test_status_is_one_message(desk):
    for k in range(30):
        desk.drop_problem(f"relay{k:02}", state="WARNING" if k else "CRITICAL")
    desk.code(KEI, n=1)
    wait_for(lambda: len(desk.ask("status")["incidents"]) == 30)
    desk.reply("m1", KEI, "?")
    text = desk.wait_text(KEI, "monitord is silent", timeout=90)
    first = text.split(";")[0]
    assert "CRIT relay00" in first and " +" in text
    assert re.search(r"#\w{5} " + desk.incident_code("relay00") + "$", first)
    m = next(m for m in desk.phone().messages() if "monitord is silent" in m["text"])
    assert m["parts"] == 1 and m["alphabet"] == "gsm7" and judge(m["pdu"])["text"] == text
    assert len(text) <= 160


def test_the_code_of_a_digest_acknowledges_all_it_told(desk):
    for k in range(12):
        desk.drop_problem(f"relay{k:02}")
    text = desk.wait_text(KEI, r"\d+ checks in .* ACK \d{4,6}\b", timeout=90)
    code, n = re.search(r"ACK (\d{4,6})\b", text)[1], int(re.search(r"(\d+) checks in", text)[1])
    desk.reply("m1", KEI, code)
    acked = lambda: [i for i in desk.ask("status")["incidents"] if i["phase"] == "acknowledged"]
    wait_for(lambda: len(acked()) == n, 60, f"{n} are acknowledged")
    digests = {p["digest"] for i in acked() for p in i["pages"] if "digest" in p}
    assert len(digests) == 1 and f"#{digests.pop()}" in text and all(i["by"] == "oncall" for i in acked())


def test_japanese(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)], "language": "ja"}}
    with Desk(tmp_path, people) as d:
        d.drop_problem("mx1")
        wait_for(lambda: d.texts(KEI))
        code = wait_for(lambda: d.incident_code("mx1"))
        assert code in d.texts(KEI)[0]
        d.reply("m1", KEI, "状況")
        assert "重大 mx1" in d.wait_text(KEI, "monitord無応答")
        d.reply("m1", KEI, f"{code}　対応します")
        assert d.wait_text(KEI, "対応を受付").startswith("mx1 #")
        d.reply("m1", KEI, "ヘルプ")
        d.wait_text(KEI, "ACK 番号")
        assert all(m["parts"] == 1 for m in d.phone().messages())


def test_help_says_what_this_sender_may(tmp_path):
    people = {"oncall": {"routes": [("m1", KEI)], "reply": {"from": ["090-1234-5678"], "may": ["ack"]}},
              "boss": {"routes": [("m1", MARI)], "reply": "no"}}
    with Desk(tmp_path, people, replies={"country": "+81"}) as d:
        d.drop_problem("mx1", contacts=["oncall", "boss"])
        d.code(KEI)
        assert "ACK" not in wait_for(lambda: d.texts(MARI))[0], "who may not acknowledge gets no code"
        d.reply("m1", KEI, "HELP")
        assert d.wait_text(KEI, "You may send") == "You may send: ACK code [comment], HELP"
        d.reply("m1", KEI, "STATUS")
        d.wait_text(KEI, "may not do that")
        d.reply("m1", MARI, "HELP")
        wait_for(lambda: "no contact has that number" in d.log_text())


# --- crashes --------------------------------------------------------------------------------------------------------


def test_delivered_twice_by_the_network_is_once(desk):
    desk.drop_problem("mx1")
    desk.code(KEI)
    for _ in range(20):
        second = int(time.time())
        for _ in range(2):
            desk.phone().control(f"receive {KEI} HELP")
        if int(time.time()) == second:  # both bear one stamp of the centre
            break
        time.sleep(0.2)
    else:
        pytest.skip("this machine is too busy for two messages within a second")
    n = len(desk.texts(KEI))
    desk.wait_text(KEI, "You may send")
    wait_for(lambda: desk.phone().state()["stored"] == 0)
    desk.reply("m1", KEI, "STATUS")
    desk.wait_text(KEI, "monitord is silent")
    entries = json.loads((desk.state / "replies.json").read_text())["messages"]
    assert len(entries) == len({e["key"] for e in entries}) == len(desk.texts(KEI)) - 1 and n


@pytest.mark.parametrize("moment", ["taken", "noted", "acked"])
def test_killed_between_receipt_and_confirmation(tmp_path, moment):
    """taken: with the message in the modem; noted: it stands in the book and is not done; acked: done and not confirmed."""
    d = Desk(tmp_path, ONE)
    with d:
        d.drop_problem("mx1")
        code = d.code(KEI)
        if moment == "taken":
            d.kill()
            wait_for(lambda: d.phone().state()["open"] is False if "open" in d.phone().state() else True)
            d.reply("m1", KEI, f"{code} me")
        else:
            d.phone().control("fault cms=500*50")  # the confirmation cannot leave
            d.reply("m1", KEI, f"{code} me")
            wait_for(lambda: d.incident("mx1")["phase"] == "acknowledged")
            book = d.state / "replies.json"
            d.kill()
            if moment == "noted":
                noted = json.loads(book.read_text())
                noted["messages"][0]["phase"] = 0
                book.write_text(json.dumps(noted))
                for f in (d.state / "incidents").glob("*.json"):  # as it was before
                    r = json.loads(f.read_text())
                    r.update(phase="new", by="", comment="")
                    r["contacts"][0].update(code=code, used_code="", excused=False)
                    f.write_text(json.dumps(r))
            d.phone().control("clear")
        d.start()
        d.wait_text(KEI, "you have it", timeout=60)
        i = d.incident("mx1")
        assert (i["phase"], i["by"], i["comment"]) == ("acknowledged", "oncall", "me")
        wait_for(lambda: d.phone().state()["stored"] == 0)
        still(lambda: len([t for t in d.texts(KEI) if "you have it" in t]) == 1, 1)
        assert not [t for t in d.texts(KEI) if "already" in t]
        entries = json.loads((d.state / "replies.json").read_text())["messages"]
        assert len(entries) == 1


# --- downtime, with a real monitord -----------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path):
    people = {"oncall": {"routes": [{"line": "modem", "to": KEI}], "reply": {"from": [KEI], "may": ["ack", "status", "downtime"]}}}
    script = tmp_path / "plugin"
    script.write_text("#!/bin/sh\necho refused\nexit 2\n")
    script.chmod(0o755)
    with House(tmp_path, {"mx1 smtp": {"probe": "exec", "command": [str(script)]}}, contacts=people) as h:
        yield h


def talk(house, text, pattern, n=1):
    house.phone.control(f"receive {KEI} {text}")
    return house_text(house, pattern, n)


def house_text(house, pattern, n=1):
    def found():
        hits = [m["text"] for m in house.phone.messages() if re.search(pattern, m["text"])]
        return hits[n - 1] if len(hits) >= n else None
    return wait_for(found, 60, f"{pattern}; {[m['text'] for m in house.phone.messages()]}")


def test_downtime_by_sms(house):
    code = re.search(r"ACK (\d+)", house_text(house, "mx1 smtp.*ACK"))[1]
    assert "0 OK: CRIT mx1 smtp" in talk(house, "STATUS", "OK: CRIT")
    before = time.time()
    said = talk(house, f"DOWN 2h {code}", "downtime from")
    assert re.search(r"^mx1 smtp: downtime from \d\d:\d\d until (\d\d-\d\d )?\d\d:\d\d. UP mx1 smtp ends it$", said)
    d = wait_for(lambda: house.check("mx1 smtp")["downtime"])
    assert d["active"] and d["by"] == "oncall (by SMS)"
    assert before + 7200 - 5 <= d["until_wall_ms"] / 1000 <= time.time() + 7200
    assert talk(house, "UP mx1 smtp", "downtime is ended") == "mx1 smtp: the downtime is ended"
    assert house.check("mx1 smtp")["downtime"] is None
    assert "not done: mx1 smtp is in no downtime" in talk(house, "up MX1 SMTP", "not done")
    assert "unknown" in talk(house, "DOWN 1h mx7", "^mx7: unknown")
    assert "For how long" in talk(house, "DOWN 2", "For how long")
    talk(house, "DOWN 30m", "downtime from", n=2)  # the only open incident
    assert house.check("mx1 smtp")["downtime"]["active"]


def test_a_wedged_monitord_does_not_stop_the_pager(house):
    code = re.search(r"ACK (\d+)", house_text(house, "mx1 smtp.*ACK"))[1]
    house.monitord.signal(signal.SIGSTOP)
    try:
        house.phone.control(f"receive {KEI} DOWN 2h {code}")
        wait_for(lambda: f"message from {KEI}" in house.pagerd.log())
        began = time.time()
        assert "you have it" in talk(house, code, "you have it")
        assert time.time() - began < 8, "that one waited for monitord"
        assert "not done: monitord: it gives no answer" in house_text(house, "not done")
    finally:
        house.monitord.signal(signal.SIGCONT)
