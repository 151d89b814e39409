"""Many pages at once: what goes first, what is folded into digests, what that costs a route, and that a digest survives a crash as
single pages do."""
import re

import pytest

from pager import Pager, wait_for

HOSTS = 10


@pytest.fixture
def pager(tmp_path):
    with Pager(tmp_path, lines=("m1",)) as p:
        yield p


def calls(pager, kind=None):
    return [dict(p, check=i["check"]) for i in pager.ask("status")["incidents"] for p in i["pages"] if kind in (None, p["kind"])]


def told(pager, kind, n, timeout=90):
    """Until so many pages of that kind are sent."""
    wait_for(lambda: sum(p["phase"] == "sent" for p in calls(pager, kind)) == n, timeout, f"{n} pages of kind {kind} sent")


def fail(pager, n, first=0, **members):
    events = [pager.event(f"check{k}", "problem", "CRITICAL", host=f"relay{k % HOSTS}", **members) for k in range(first, first + n)]
    for e in events:
        pager.drop(e)
    return events


def number(page):
    """How many pages a digest speaks of."""
    return int(re.match(r"(?:[A-Z]+: )?(?:[^ :]+: )?(\d+) ", page["text"])[1])


def lead(pager, k=1):
    """The line is busy from now on: k pages are out."""
    return pager.line("m1").wait(k)[k - 1]


def test_a_storm_is_told_in_few_messages_and_another_cause_goes_next(pager):
    line = pager.line("m1")
    line.do("slow 2500")
    fail(pager, 1)
    assert lead(pager)["kind"] == "new"
    fail(pager, 150, 1)
    digest = line.wait(2, 60)[1]
    assert digest["kind"] == "digest" and digest["state"] == "CRITICAL" and digest["check"] == "" and number(digest) >= 20
    fail(pager, 50, 151)
    pager.drop_problem("other", host="elsewhere")
    third = line.wait(3, 60)[2]
    assert (third["kind"], third["check"]) == ("new", "other")
    told(pager, "new", 202)
    pages = line.pages()
    assert len(pages) <= 6 and all(p["kind"] == "digest" for p in pages[3:]), [p["text"] for p in pages]
    assert sum(number(p) for p in pages if p["kind"] == "digest") == 200
    assert not any(p["resend"] for p in pages)


def test_a_digest_is_acknowledged_as_one_and_recoveries_are_folded(pager):
    line = pager.line("m1")
    line.do("slow 1500")
    events = fail(pager, 40)
    told(pager, "new", 40)
    digest = next(p for p in line.pages() if p["kind"] == "digest")
    answer = pager.ask("ack", incident=digest["incident"], by="taro")
    assert answer["ok"] and answer["incidents"] == number(digest)
    acked = [i for i in pager.ask("status")["incidents"] if i["phase"] == "acknowledged"]
    assert len(acked) == number(digest) and all(i["by"] == "taro" for i in acked)
    assert digest["incident"] in {p["digest"] for i in acked for p in i["pages"] if "digest" in p}
    assert not pager.ask("ack", incident="ZZZZZ")["ok"]
    before = len(line.pages())
    for e in events:
        pager.drop_recovery(e, host=e["host"])
    told(pager, "recovered", 40)
    after = line.pages()[before:]
    assert len(after) <= 4 and sum(number(p) if p["kind"] == "digest" else 1 for p in after) == 40
    assert any("recovered" in p["text"] and p["kind"] == "digest" and p["state"] == "OK" for p in after)


def test_a_contact_that_wants_no_digests_gets_each_page(tmp_path):
    p = Pager(tmp_path, lines=("m1",))
    p.settings["oncall"] = "digest: no"
    p.colours["m1"] = "red, budget: none"
    with p:
        fail(p, 80)
        pages = p.line("m1").wait(80, 60)
        assert {x["kind"] for x in pages} == {"new"} and len({x["check"] for x in pages}) == 80


def test_repeats_of_many_are_folded(tmp_path):
    p = Pager(tmp_path, lines=("m1",))
    p.settings["oncall"] = "repeat: 15s"
    with p:
        line = p.line("m1")
        fail(p, 30)
        told(p, "new", 30)
        wait_for(lambda: sum(x["phase"] == "sent" for x in calls(p, "repeat")) >= 25, 90)
        repeats = [x for x in line.pages() if "still fail" in x["text"]]
        assert repeats and sum(number(x) for x in repeats) >= 20
        assert len([x for x in line.pages() if x["kind"] == "repeat"]) <= 6


def test_an_alarm_goes_before_all_else(pager):
    line = pager.line("m1")
    old = pager.drop_problem("old")
    told(pager, "new", 1)
    line.do("slow 2000")
    pager.drop_problem("first")
    lead(pager, 2)
    pager.drop_recovery(old)
    pager.drop({"text": "the cellar is wet", "check": "cellar", "v": 1, "kind": "notice", "change": pager.change})
    wait_for(lambda: sum(p["phase"] == "waiting" for p in calls(pager)) == 2)
    pager.drop_problem("late")
    kinds = [(p["kind"], p["check"]) for p in line.wait(5)[2:]]
    assert kinds == [("new", "late"), ("notice", "cellar"), ("recovered", "old")]


def test_checks_behind_a_parent_are_counted(pager):
    pager.line("m1").do("slow 2000")
    pager.drop_problem("elsewhere")
    lead(pager)
    pager.drop_problem("relay1", host="relay1")
    for k in range(14):
        pager.drop_problem(f"relay1 service {k}", host="relay1", suppressed=True, why_suppressed="below relay1, which is down",
                           parent="relay1")
    page = pager.line("m1").wait(2)[1]
    assert page["check"] == "relay1" and page["text"].endswith(", 14 checks behind it")
    assert all(i["phase"] == "suppressed" for i in pager.ask("status")["incidents"] if "service" in i["check"])


def test_a_digest_that_was_on_its_way_when_the_pager_died_comes_again_marked(pager):
    line = pager.line("m1")
    line.do("slow 2500")
    fail(pager, 30)
    wait_for(lambda: any(p["kind"] == "digest" for p in line.pages()), 60)
    n = len(line.pages())
    lost = line.pages()[-1]
    pager.kill()
    line.do("sent")
    pager.start()
    told(pager, "new", 30)
    again = line.pages()[n:]
    assert sum(number(p) if p["kind"] == "digest" else 1 for p in again if p["resend"]) >= number(lost)
    marked = " ".join(p["more"] if p["kind"] == "digest" else f"{p['check']} " for p in again if p["resend"])
    assert all(re.search(rf"{line.split()[1]}\b", marked) for line in lost["more"].splitlines())
    assert sum(p["attempts"] for p in calls(pager, "new")) >= 30 + number(lost)


def test_a_digest_that_was_sent_when_the_pager_died_does_not_come_again(pager):
    line = pager.line("m1")
    line.do("slow 1500")
    fail(pager, 40)
    told(pager, "new", 40)
    pager.kill()
    n = len(line.pages())
    line.do("sent")
    pager.start()
    assert all(p["phase"] == "sent" for p in calls(pager, "new"))
    pager.drop_problem("another", host="elsewhere")
    assert line.wait(n + 1)[n]["check"] == "another"
    wait_for(lambda: not list((pager.state / "digests").iterdir()), what="no note is left")


def test_a_budget_folds_and_says_so_and_holds_back_no_alarm(tmp_path):
    p = Pager(tmp_path, lines=("m1",))
    p.colours["m1"] = "red, budget: 2/20s"
    with p:
        line = p.line("m1")
        for k in range(2):
            p.drop({"text": f"note {k}"}, name=f"note{k}.json")
            told(p, "notice", k + 1)
        assert line.pages()[1]["text"].endswith("; from now on more is folded, see monitorctl status")
        for k in range(2, 6):
            p.drop({"text": f"note {k}"}, name=f"note{k}.json")
        wait_for(lambda: sum(x["phase"] == "waiting" for x in calls(p, "notice")) == 4)
        p.drop_problem("mx1")
        pages = line.wait(4, 90)
        assert pages[2]["check"] == "mx1"
        text = pages[3]["text"]
        assert text.startswith("4 notices: ") and all(f"note {k}" in text for k in range(2, 6))
        assert text.endswith("; more is folded: 4 incidents, see monitorctl status")


@pytest.mark.parametrize("budget", ["0/1h", "5", "5/", "x/1h", "5/1h/2", "5/0s", "-1/1h"])
def test_a_budget_that_is_none_is_refused(tmp_path, budget):
    p = Pager(tmp_path, lines=("m1",))
    p.colours["m1"] = f'red, budget: "{budget}"'
    p.start(ready=False)
    assert p.process.wait(30) == 1
    assert "lines.m1.budget" in p.log_text() and budget in p.log_text()


# --- lines that confirm nothing


@pytest.mark.parametrize("confirm", [True, False])
def test_a_page_over_a_line_that_confirms_nothing(tmp_path, confirm):
    p = Pager(tmp_path)
    p.colours["m1"] = "grey"
    p.settings["oncall"] = f"confirm: {'yes' if confirm else 'no'}"
    with p:
        p.drop_problem("mx1")
        p.line("m1").wait(1)
        if confirm:
            again = p.line("m2").wait(1)[0]
            assert again["resend"] and again["incident"] == p.line("m1").pages()[0]["incident"]
        told(p, "new", 1)
        page = calls(p, "new")[0]
        assert page.get("confirmed", True) is confirm and page["route"] == ("m2" if confirm else "m1")
        assert len(p.line("m1").pages()) == 1 and len(p.line("m2").pages()) == int(confirm)


def test_when_no_line_can_confirm_it_the_page_is_sent_unconfirmed(tmp_path):
    p = Pager(tmp_path)
    p.colours = {"m1": "grey", "m2": "grey"}
    p.settings["oncall"] = "confirm: yes"
    with p:
        e = p.drop_problem("mx1")
        told(p, "new", 1)
        assert calls(p, "new")[0]["confirmed"] is False
        assert len(p.line("m1").pages()) == 1 and len(p.line("m2").pages()) == 1
        p.stop()
        p.start()
        p.drop_recovery(e)
        told(p, "recovered", 1)
        assert [x["kind"] for x in p.line("m1").pages()] == ["new", "recovered"]
