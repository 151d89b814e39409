"""The SMS line against the simulated modem. PDUs are judged by tshark and python3-gammu, which nobody here wrote."""
import fcntl
import json
import os
import pathlib
import re
import subprocess
import termios
import time

import pytest

from phone import BUILD, TSHARK, Phone, judge, tpdu_of, wait_for
from smsline import Notifier, cpu_seconds, still

gammu = pytest.importorskip("gammu", reason="python3-gammu is not installed")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
TO = "+819012345678"


def gammu_text(pdu):
    """A SUBMIT is decoded by gammu too: its parser of stored messages takes the PDU with the centre's address."""
    return gammu.DecodePDU(bytes.fromhex(pdu), True)["Text"]


@pytest.fixture
def phone(tmp_path):
    with Phone(tmp_path) as p:
        yield p


@pytest.fixture
def line(phone, tmp_path):
    made = []

    def make(wait=True, env=None, name="modem1", **options):
        n = Notifier("sms", {"device": phone.device, **options}, log=str(tmp_path / f"{name}.log"), env=env, line=name)
        made.append(n)
        if wait:
            n.wait_up()
        return n
    yield make
    for n in made:
        n.kill()


# --- the message -------------------------------------------------------------------------------------------------

def test_page_reaches_the_phone_as_others_read_it(phone, line):
    n = line(validity="4h")
    assert n.send("p1")["result"] == "sent"
    m = phone.wait_message()
    seen = judge(m["pdu"])
    assert seen["malformed"] is None
    assert seen["text"] == "CRITICAL mx1: connection refused, since 19:44 #K7Q2M"
    assert gammu_text(m["pdu"]) == seen["text"]
    assert seen["to"] == TO.lstrip("+") and m["to"] == TO
    assert seen["mti"] == "1" and seen["validity_format"] == "2" and seen["header"] == "0" and seen["report"] == "1"
    assert phone.shown() == [f"PHONE {TO}: {seen['text']}"]
    assert phone.state()["violations"] == 0


@pytest.mark.parametrize("kind,extra,expected", [
    ("repeat", {}, "(again) CRITICAL mx1: connection refused, since 19:44 #K7Q2M"),
    ("recovered", {"state": "OK", "text": "220 mx1 ready in 12 ms", "at": 1795290251000 + 12 * 60000},
     "OK mx1 after 12 min: 220 mx1 ready in 12 ms #K7Q2M"),
    ("ack", {"text": "acknowledged by kei"}, "ACK CRITICAL mx1: acknowledged by kei #K7Q2M"),
    ("test", {"text": "a test page", "state": "OK"}, "TEST: a test page #K7Q2M"),
    ("new", {"resend": True}, "(again) CRITICAL mx1: connection refused, since 19:44 #K7Q2M"),
])
def test_kinds_of_pages(phone, line, kind, extra, expected):
    n = line()
    assert n.send("p", kind=kind, **extra)["result"] == "sent"
    assert judge(phone.wait_message()["pdu"])["text"] == expected


def test_a_long_reason_is_shortened_and_nothing_else(phone, line):
    n = line()
    assert n.send("p", text="reason [" + "x{y}" * 100 + "]")["result"] == "sent"
    m = phone.wait_message()
    text = judge(m["pdu"])["text"]
    assert text.startswith("CRITICAL mx1: reason [x{y}x{y}") and text.endswith("... since 19:44 #K7Q2M")
    septets = sum(2 if c in "{}[]~|\\^€\f" else 1 for c in text)
    assert 157 <= septets <= 160
    # gammu counts an escaped character twice and then reads on behind the text
    assert m["parts"] == 1 and gammu_text(m["pdu"])[:len(text)] == text


def test_typography_becomes_plain(phone, line):
    n = line()
    assert n.send("p", text="“timed out” – waited 20 s… naïve façade Łódź")["result"] == "sent"
    seen = judge(phone.wait_message()["pdu"])
    assert '"timed out" - waited 20 s... naive facade Lodz' in seen["text"]
    assert phone.wait_message()["alphabet"] == "gsm7"


def test_what_gsm_lacks_goes_as_ucs2(phone, line):
    n = line()
    assert n.send("p", text="接続が拒否されました 😀" + "あ" * 80)["result"] == "sent"
    m = phone.wait_message()
    text = judge(m["pdu"])["text"]
    assert m["alphabet"] == "ucs2" and m["parts"] == 1
    assert text.startswith("CRITICAL mx1: 接続が拒否されました 😀あ") and text.endswith("#K7Q2M")
    assert len(text.encode("utf-16-le")) // 2 <= 70 and gammu_text(m["pdu"]) == text


@pytest.mark.parametrize("text,alphabet", [("queue {deferred} " * 22, "gsm7"), ("遅延 😀" * 33, "ucs2")])
def test_long_messages_are_joined_by_the_phone(phone, line, text, alphabet):
    n = line(max_parts="3")
    assert n.send("p", text=text)["result"] == "sent"
    parts = phone.wait_messages(3)
    assert len(parts) == 3 and {m["alphabet"] for m in parts} == {alphabet}
    seen = [judge(m["pdu"]) for m in parts]
    assert [(s["part"], s["parts"]) for s in seen] == [("1", "3"), ("2", "3"), ("3", "3")]
    assert len({s["ref"] for s in seen}) == 1 and all(s["malformed"] is None for s in seen)
    joined = "".join(s["text"] for s in seen)
    assert joined == "".join(gammu_text(m["pdu"])[:len(s["text"])] for m, s in zip(parts, seen))
    assert joined.startswith("CRITICAL mx1: " + text[:120]) and joined.endswith("since 19:44 #K7Q2M")
    assert phone.shown() == [f"PHONE {TO}: {joined}"]


def test_validity_duplicates_and_centre(phone, line):
    n = line(validity="0", status_report="no", reject_duplicates="yes", smsc="+4912345")
    assert n.send("p", to="0901234567")["result"] == "sent"
    m = phone.wait_message()
    seen = judge(m["pdu"])
    assert (seen["validity_format"], seen["reject_duplicates"], seen["report"]) == ("0", "1", "0")
    assert seen["to"] == "0901234567" and m["pdu"].startswith("059194214365"[:4])
    assert gammu.DecodePDU(bytes.fromhex(m["pdu"]), True)["SMSC"]["Number"] == "+4912345"


# --- outcomes ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code,result", [
    (41, "retry"), (331, "retry"), (500, "retry"), (513, "retry"), (38, "retry"), (17, "retry"), (310, "retry"),
    (8, "refused"), (50, "refused"), (1, "refused"), (28, "refused"), (196, "refused"), (304, "refused"), (127, "refused"),
    (197, "sent"),
])
def test_modem_errors(phone, line, code, result):
    n = line()
    phone.control(f"fault cms={code}*1")
    o = n.send("p")
    assert o["result"] == result, o
    if result != "sent":
        assert str(code) in o["detail"]
        assert n.send("p2")["result"] == "sent"
        assert len(phone.messages()) == 1
    assert phone.state()["violations"] == 0


def test_few_tries_then_the_next_route(phone, line):
    n = line()
    phone.control("fault cms=21*3")
    assert [n.send("p")["result"] for _ in range(3)] == ["retry", "retry", "refused"]


def test_late_result_is_heard_and_the_page_not_sent_twice(phone, line):
    n = line(wait_cmgs="1s", wait_late="60s")
    phone.control("fault late=4000*1")
    assert n.send("p")["result"] == "unknown"
    # the pager tries again while the result is still owed: it waits for that, and sends nothing
    assert n.send("p", resend=True)["result"] == "sent"
    still(lambda: len(phone.messages()) == 1, 0.5)
    assert phone.state()["violations"] == 0
    assert n.send("q")["result"] == "sent" and len(phone.messages()) == 2


def test_late_result_is_told_when_nobody_asks(phone, line):
    n = line(wait_cmgs="1s", wait_late="60s")
    phone.control("fault late=3000*1")
    assert n.send("p")["result"] == "unknown"
    assert n.outcome("p", 2)["result"] == "sent"
    # a try that was on its way already does not send it again
    assert n.send("p", resend=True)["result"] == "sent"
    assert len(phone.messages()) == 1


def test_another_page_waits_for_the_late_result(phone, line):
    n = line(wait_cmgs="1s", wait_late="60s")
    phone.control("fault late=3000*1")
    assert n.send("p")["result"] == "unknown"
    assert n.send("q")["result"] == "sent"
    assert n.outcome("p", 2)["result"] == "sent"
    assert len(phone.messages()) == 2 and phone.state()["violations"] == 0


def test_result_that_never_comes(phone, line):
    n = line(wait_cmgs="1s", wait_late="1s")
    phone.control("fault lost*1")
    assert n.send("p")["result"] == "unknown"
    assert n.send("p", resend=True)["result"] == "sent"
    texts = [m["text"] for m in phone.messages()]
    assert len(texts) == 2 and texts[1] == "(again) " + texts[0]


@pytest.mark.parametrize("fault,first", [("cms=41*1+1", "retry"), ("late=3000*1+1", "unknown"), ("lost*1+1", "unknown")])
def test_a_long_message_goes_on_where_it_stopped(phone, line, fault, first):
    n = line(max_parts="3", wait_cmgs="1s", wait_late="5s")
    long = "word " * 60
    phone.control(f"fault {fault}")
    assert n.send("p", text=long)["result"] == first
    assert n.send("p", text=long, resend=True)["result"] == "sent"
    # only the part whose fate nobody knows may be there twice, and then the phone sees by its number that it is the same
    expected = [1, 2, 2, 3] if fault.startswith("lost") else [1, 2, 3]
    sent = phone.messages()
    assert [m["part"] for m in sent] == expected
    assert len({m["ref"] for m in sent}) == 1 and len({m["pdu"] for m in sent}) == 3
    assert len(phone.shown()) == 1


def test_no_prompt_is_safe_to_try_again(phone, line):
    n = line()
    phone.control("fault noprompt*1")
    assert n.send("p")["result"] == "sent"
    assert len(phone.messages()) == 1


def test_a_prompt_left_open_is_rescued(phone, line):
    fd = os.open(phone.device, os.O_RDWR | os.O_NOCTTY)
    os.write(fd, b"AT+CMGS=20\r")
    wait_for(lambda: phone.state()["prompt"], what="prompt")
    os.close(fd)
    assert line().send("p")["result"] == "sent"


@pytest.mark.parametrize("fault", ["urc", "garbage", "slow=200", "urc,garbage,slow=50"])
def test_noise_disturbs_nothing(phone, line, fault):
    for f in fault.split(","):
        phone.control(f"fault {f}")
    n = line()
    assert n.send("p")["result"] == "sent"
    assert n.send("q")["result"] == "sent"
    assert len(phone.messages()) == 2 and phone.state()["violations"] == 0


# --- the modem goes and comes ------------------------------------------------------------------------------------

def test_unplug_and_replug(phone, line):
    n = line(check_interval="1s")
    phone.control("fault vanish=1500")
    n.wait("health", lambda h: not h["ok"])
    before = len(n.of("health"))
    assert n.send("p", deadline=1000)["result"] == "retry"
    wait_for(lambda: any(h["ok"] for h in n.of("health")[before:]), what="healthy again")
    assert n.send("p")["result"] == "sent"
    assert len(phone.messages()) == 1


def test_unplugged_before_the_message_left(phone, line):
    n = line()
    phone.control("fault vanish_prompt=300*1")
    assert n.send("p")["result"] in ("sent", "retry")
    if not phone.messages():
        wait_for(lambda: n.send("p")["result"] == "sent", what="sent")
    assert len(phone.messages()) == 1


def test_unplugged_after_the_message_left(phone, line):
    n = line()
    phone.control("fault vanish_cmgs=300*1")
    assert n.send("p")["result"] == "doubtful"
    assert len(phone.messages()) == 1


@pytest.mark.parametrize("cure", ["atz", "cfun"])
def test_reset_ladder(phone, line, cure):
    n = line(check_interval="1s")
    phone.control(f"fault hang={cure}")
    n.wait("health", lambda h: not h["ok"])
    before = len(n.of("health"))
    wait_for(lambda: any(h["ok"] for h in n.of("health")[before:]), 90, "the ladder cured it")
    assert n.send("p")["result"] == "sent"


def test_a_page_climbs_the_ladder_itself(phone, line):
    n = line(check_interval="1h")
    phone.control("fault hang=atz")
    assert n.send("p", deadline=60000)["result"] == "sent"
    assert len(phone.messages()) == 1


def test_dead_modem_answers_retry_soon_and_comes_back(phone, line):
    n = line(check_interval="1s")
    phone.control("fault hang")
    n.wait("health", lambda h: not h["ok"])
    start = time.monotonic()
    assert n.send("p", deadline=60000)["result"] == "retry"
    assert time.monotonic() - start < 20
    phone.control("clear hang")
    wait_for(lambda: n.send("p")["result"] == "sent", 90, "sent")


def test_absent_modem_is_not_fatal(tmp_path):
    with Notifier("sms", {"device": str(tmp_path / "phone.tty")}, log=str(tmp_path / "log")) as n:
        h = n.wait("health")
        assert not h["ok"] and "No such file" in h["text"]
        assert n.send("p", deadline=3000)["result"] == "retry"
        with Phone(tmp_path) as phone:
            n.wait_up(60)
            assert n.send("p")["result"] == "sent"
            assert len(phone.messages()) == 1


def test_registration_decides(phone, line):
    phone.control("set creg 2")
    n = line(wait=False)
    h = n.wait("health")
    assert not h["ok"] and "searching" in h["text"]
    o = n.send("p")
    assert o["result"] == "retry" and "searching" in o["detail"]
    phone.control("set creg 0")
    phone.control("set cereg 7")
    assert n.send("p")["result"] == "sent"
    n.wait("health", lambda x: x["ok"] and "SMS only" in x["text"])


# --- the SIM -----------------------------------------------------------------------------------------------------

def locked(tmp_path, pin, *args, tries=3):
    secret = tmp_path / "pin"
    secret.write_text(pin + "\n")
    secret.chmod(0o600)
    phone = Phone(tmp_path, "--pin", "1234", "--tries", str(tries), *args)
    options = {"device": phone.device, "pin_file": str(secret), "state_dir": str(tmp_path / "state")}
    return phone, options


def test_pin_is_given(tmp_path):
    phone, options = locked(tmp_path, "1234")
    with phone, Notifier("sms", options, log=str(tmp_path / "log")) as n:
        n.wait_up()
        assert n.send("p")["result"] == "sent"
        assert phone.state()["pins"] == 1
        assert list((tmp_path / "state").iterdir()) == []
    assert "1234" not in (tmp_path / "log").read_text()


def test_refused_pin_is_never_tried_again(tmp_path):
    phone, options = locked(tmp_path, "9999")
    with phone:
        for _ in range(2):
            with Notifier("sms", options, log=str(tmp_path / "log")) as n:
                assert "PIN" in n.wait("health")["text"]
                o = n.send("p", deadline=5000)
                assert o["result"] == "retry" and "PIN" in o["detail"]
                assert phone.state()["pins"] == 1 and phone.state()["tries"] == 2
        record = next((tmp_path / "state").iterdir())
        assert record.stat().st_mode & 0o077 == 0 and "9999" not in record.read_text()
        (tmp_path / "pin").write_text("1234")
        with Notifier("sms", options, log=str(tmp_path / "log")) as n:
            n.wait_up()
            assert phone.state()["pins"] == 2


@pytest.mark.parametrize("args,tries,says", [(["--hide-tries"], 3, "how many tries"), ([], 1, "1 try left"), ([], 0, "PUK")])
def test_pin_is_not_risked(tmp_path, args, tries, says):
    phone, options = locked(tmp_path, "1234", *args, tries=tries)
    with phone, Notifier("sms", options, log=str(tmp_path / "log")) as n:
        assert says in n.wait("health", lambda h: says in h["text"])["text"]
        assert phone.state()["pins"] == 0


def test_a_modem_that_restarts_by_itself_is_set_up_again(tmp_path):
    phone, options = locked(tmp_path, "1234")
    with phone, Notifier("sms", options, log=str(tmp_path / "log")) as n:
        n.wait_up()
        phone.control("power")
        wait_for(lambda: phone.state()["pins"] == 2 and phone.state()["ready"], what="unlocked again")
        assert n.send("p")["result"] == "sent"
        phone.control("receive +8190 hello")
        assert n.wait("received")["text"] == "hello"


def test_no_service_centre(tmp_path):
    with Phone(tmp_path, "--no-smsc") as phone, Notifier("sms", {"device": phone.device}, log=str(tmp_path / "log")) as n:
        n.wait_up()
        o = n.send("p")
        assert o["result"] == "retry" and "330" in o["detail"]


# --- what comes in -----------------------------------------------------------------------------------------------

def test_received_messages_are_told_and_deleted(phone, line):
    phone.control("receive +819011112222 ack K7Q2M (stored before)")
    n = line(check_interval="1s")
    first = n.wait("received")
    assert (first["from"], first["text"]) == ("+819011112222", "ack K7Q2M (stored before)")
    assert abs(first["at_wall_ms"] / 1000 - time.time()) < 120
    phone.control("receive +819011112222 ack [K7Q2N] ä€")
    assert n.wait("received", lambda r: "K7Q2N" in r["text"])["text"] == "ack [K7Q2N] ä€"
    phone.control("receive 0901111 了解 😀")
    assert n.wait("received", lambda r: r["from"] == "0901111")["text"] == "了解 😀"
    wait_for(lambda: phone.state()["stored"] == 0, what="deleted")
    assert len(n.of("received")) == 3


def test_a_message_stays_until_it_is_taken_whoever_dies(phone, line):
    n = line(check_interval="1s")
    n.takes = False
    phone.control("receive +819011112222 ack 4711")
    first = n.wait("received")
    phone.control("receive +819011112222 ack 4712")
    second = n.wait("received", lambda r: r["text"] == "ack 4712")
    assert second["id"] != first["id"]
    n.tell({"taken": second["id"]})
    wait_for(lambda: phone.state()["stored"] == 1, what="the one that was taken is deleted")
    n.kill()
    n = line(name="again", check_interval="1s")
    assert n.wait("received") == first
    wait_for(lambda: phone.state()["stored"] == 0, what="deleted")
    assert len(n.of("received")) == 1 and phone.state()["violations"] == 0


def test_a_full_storage_is_emptied(tmp_path):
    with Phone(tmp_path, "--slots", "40") as phone:
        for i in range(40):
            phone.control(f"receive +8190 message {i}")
        with Notifier("sms", {"device": phone.device}, log=str(tmp_path / "log")) as n:
            wait_for(lambda: phone.state()["stored"] == 0, 30, "emptied")
            assert [r["text"] for r in n.of("received")] == [f"message {i}" for i in range(40)]


def test_status_reports(phone, line):
    n = line()
    assert n.send("good")["result"] == "sent"
    assert n.wait("report", lambda r: r["id"] == "good")["delivered"] is True
    phone.control("set report 70")
    assert n.send("bad")["result"] == "sent"
    assert n.wait("report", lambda r: r["id"] == "bad")["delivered"] is False
    phone.control("set report 48")
    assert n.send("slow")["result"] == "sent"
    still(lambda: not [r for r in n.of("report") if r["id"] == "slow"], 0.5)


def test_stored_status_reports_are_read_and_deleted(phone, line):
    phone.control("set no_cds 1")
    n = line()
    assert n.send("p")["result"] == "sent"
    assert n.wait("report")["delivered"] is True
    wait_for(lambda: phone.state()["stored"] == 0, what="deleted")


def test_report_of_a_long_message_counts_all_parts(phone, line):
    n = line(max_parts="3")
    assert n.send("p", text="word " * 60)["result"] == "sent"
    assert n.wait("report")["delivered"] is True
    still(lambda: len(n.of("report")) == 1, 0.3)


# --- the device --------------------------------------------------------------------------------------------------

def test_device_is_locked_and_private(phone, line):
    n = line()
    tty = os.path.realpath(phone.device)
    fds = pathlib.Path(f"/proc/{n.process.pid}/fd")
    own = [f.name for f in fds.iterdir() if os.path.realpath(f) == tty]
    assert own
    for fd in own:
        flags = int(re.search(r"flags:\s+(\d+)", (fds.parent / "fdinfo" / fd).read_text()).group(1), 8)
        assert flags & os.O_CLOEXEC
    fd = os.open(tty, os.O_RDWR | os.O_NOCTTY)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert termios.tcgetattr(fd)[2] & termios.HUPCL == 0
    finally:
        os.close(fd)
    second = line(wait=False, name="modem2")
    assert "in use" in second.wait("health")["text"]
    assert n.send("p")["result"] == "sent"


def test_killed_notifier_frees_the_device(phone, line):
    line().kill()
    assert line(name="modem2").send("p")["result"] == "sent"


@pytest.fixture(scope="session")
def ptyshim(tmp_path_factory):
    so = tmp_path_factory.mktemp("shim") / "ptyshim.so"
    source = pathlib.Path(__file__).resolve().parents[1] / "fake" / "ptyshim.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", so, source, "-ldl"], check=True)
    return str(so)


def test_libserialport_itself(phone, line, ptyshim, tmp_path):
    """The back end of real ports, on a pty: a page, an unplug without a busy loop, a replug, a page."""
    if b"__asan_init" in (BUILD / "notify_sms").read_bytes():
        pytest.skip("LD_PRELOAD does not mix with the address sanitizer")
    n = line(env={"LD_PRELOAD": ptyshim}, check_interval="1s")
    assert "(libserialport)" in (tmp_path / "modem1.log").read_text()
    assert n.send("p")["result"] == "sent"
    phone.control("fault vanish=2500")
    n.wait("health", lambda h: not h["ok"])
    before = cpu_seconds(n.process.pid)
    time.sleep(1.5)
    assert cpu_seconds(n.process.pid) - before < 0.3
    known = len(n.of("health"))
    wait_for(lambda: any(h["ok"] for h in n.of("health")[known:]), what="healthy again")
    assert n.send("q")["result"] == "sent"
    assert len(phone.messages()) == 2
    assert (tmp_path / "modem1.log").read_text().count("(libserialport)") == 2


def test_simulated_device(tmp_path):
    shown = tmp_path / "phone.txt"
    log = tmp_path / "log"
    with Notifier("sms", {"device": "simulated", "phone_file": str(shown)}, log=str(log)) as n:
        n.wait_up()
        children = pathlib.Path(f"/proc/{n.process.pid}/task/{n.process.pid}/children").read_text().split()
        assert len(children) == 1
        assert n.send("p")["result"] == "sent"
        assert shown.read_text() == f"PHONE {TO}: CRITICAL mx1: connection refused, since 19:44 #K7Q2M\n"
        assert n.finish() == 0
        wait_for(lambda: not os.path.exists(f"/proc/{children[0]}"), what="the simulated modem ended")
    with Notifier("sms", {"device": "simulated"}, log=str(log)) as n:
        assert n.send("p")["result"] == "sent"
        child = pathlib.Path(f"/proc/{n.process.pid}/task/{n.process.pid}/children").read_text().split()[0]
        n.kill()
        wait_for(lambda: not os.path.exists(f"/proc/{child}"), what="the simulated modem ended")
    assert f"PHONE {TO}: CRITICAL mx1" in log.read_text()


# --- the framework -----------------------------------------------------------------------------------------------

def test_bad_lines_are_survived(phone, line):
    n = line()
    n.raw("nonsense\n")
    n.raw("[1,2]\n")
    n.raw('{"unknown":true}\n')
    n.raw("x" * 70000 + "\n")
    n.raw('{"page":{"id":"a","to":7}}\n')
    assert n.outcome("a")["result"] == "refused"
    n.raw('{"page":{"id":"b"}}\n')
    assert n.outcome("b")["result"] == "refused"
    n.raw('{"page":{"id":"c","to":"+81","kind":"odd"}}\n')
    assert n.outcome("c")["result"] == "refused"
    n.raw('{"page":{"to":"+81"}}\n')
    o = n.send("d", to="kei")
    assert o["result"] == "refused" and "digits" in o["detail"]
    assert n.send("e")["result"] == "sent"


def test_end_of_input_finishes_what_was_read(phone, line):
    n = line()
    phone.control("fault slow=300")
    for i in range(3):
        n.page(f"p{i}")
    assert n.finish() == 0
    assert [o["result"] for o in n.of("outcome")] == ["sent"] * 3
    assert len(phone.messages()) == 3


def test_page_before_configure_and_bad_configure():
    with Notifier("sms", None) as n:
        assert n.wait("v") == 1
        assert n.send("p")["result"] == "retry"
        n.tell({"v": 1, "configure": {"device": "/dev/null", "bauds": "1"}, "line": "x"})
        assert "bauds" in n.wait("health", lambda h: not h["ok"])["text"]
        assert n.process.wait(10) == 1


def test_describe_and_validate():
    program = str(BUILD / "notify_sms")
    d = json.loads(subprocess.run([program, "--describe"], stdout=subprocess.PIPE, check=True).stdout)
    assert d["v"] == 1 and d["name"] == "sms"
    options = {o["name"]: o for o in d["options"]}
    assert options["device"]["required"] and options["pin_file"]["type"] == "secret"
    lines = [
        {"options": {"device": "simulated"}, "to": ["+819012345678"]},
        {"options": {"device": "ttyUSB0"}, "to": ["+0123", ""]},
        {"options": {"device": "usb:12d1:150"}},
        {"options": {"device": "usb:12d1:1506:ABC@02", "pin_file": "/x"}},
        {"options": {}},
    ]
    text = "".join(json.dumps(v) + "\n" for v in lines) + "{\n"
    run = subprocess.run([program, "--validate"], input=text.encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(v) for v in run.stdout.splitlines()]
    assert answers[0] == {"ok": True}
    assert [a["ok"] for a in answers[1:]] == [False] * 5
    assert [c["item"] for c in answers[1]["complaints"]] == ["device", "to", "to"]
    assert answers[3]["complaints"][0]["item"] == "state_dir"
    assert answers[4]["complaints"][0]["item"] == "device"
    for flag in ("-h", "-V"):
        assert subprocess.run([program, flag], stdout=subprocess.PIPE).returncode == 0
    assert subprocess.run([program, "--nonsense"], stderr=subprocess.PIPE).returncode == 2
