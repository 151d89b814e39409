"""The touch tone line: what a soft modem (spandsp) made of the dial string, heard by multimon-ng, which nobody here wrote."""
import fcntl
import json
import os
import signal
import socket
import termios

import pytest

import softmodem
from coprocess import validate
from house import House
from smsline import Notifier
from waiting import wait_for

BUILD = softmodem.Path(os.environ.get("BUILD", softmodem.ROOT / "build")).resolve()
pytestmark = pytest.mark.skipif(softmodem.missing() is not None, reason=str(softmodem.missing()))
TO = "0312345678"


@pytest.fixture
def modem(tmp_path):
    with softmodem.SoftModem(tmp_path) as m:
        yield m


@pytest.fixture
def line(modem, tmp_path):
    made = []

    def make(wait=True, env=None, **options):
        options = {"device": modem.device, "pause": "1s", "tone_length": "60ms", "state_dir": str(tmp_path / "state"), "hold": "100ms",
                   "listen_interval": "0", "dial": "{to},{code}#", **options}
        n = Notifier("dtmf", options, log=str(tmp_path / "dtmf.log"), line="pots1", env=env)
        made.append(n)
        if wait:
            n.wait_up()
        return n
    yield make
    for n in made:
        n.kill()


def page(n, id, number=12, **fields):
    """A page with a check number, and its outcome."""
    seen = len(n.outcomes(id))
    n.tell({"page": {"id": id, "to": TO, "kind": "new", "resend": False, "incident": "K7Q2M", "check": "mx1", "host": "mx1",
                     "state": "CRITICAL", "text": "connection refused", "number": number, "since_wall_ms": 1795290251000,
                     "at_wall_ms": 1795290251000, "deadline_ms": 60000, **fields}})
    return n.outcome(id, seen + 1)


# --- digits meant = digits heard ---------------------------------------------------------------------------------

def test_numeric_page_is_heard(modem, line):
    n = line(code="{number:3}*{state}*{time}")
    o = page(n, "p1")
    # check 12, CRITICAL, since 19:44 UTC
    assert o["result"] == "sent" and modem.heard() == TO + "012*2*1944#", o
    assert "nobody confirmed" in o["detail"] and "dialled 21 digits" in o["detail"]
    modem.wait_hung_up()
    assert n.of("hello") == ["dtmf"] and n.said[0]["confirms"] is False


def test_check_digit_and_incident(modem, line):
    n = line(code="{number:3}{state}{id}{check}", check_digit="luhn")
    assert page(n, "p1")["result"] == "sent"
    heard = modem.heard()
    assert heard.startswith(TO + "0122") and heard.endswith("#") and len(heard) == len(TO) + 10
    digits = [int(c) for c in heard[len(TO):-1]]
    # Luhn as every card reader does it
    assert sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))) % 10 == 0
    # the incident's id in base 36, its last four digits
    assert heard[len(TO) + 4:-2] == str(int("K7Q2M", 36) % 10000).zfill(4)


def test_a_long_string_goes_in_pieces_and_is_heard_whole(modem, line):
    n = line(format="freeword", command_length="24", init="X4")
    o = page(n, "p1", text="connection refused by the other side of the world")
    assert o["result"] == "sent", o
    pieces = modem.dialled()
    assert len(pieces) > 5 and all(len(x) <= 24 and x.endswith(";") for x in pieces)
    meant = "".join(x[4:-1] for x in pieces)
    assert modem.heard() == meant.replace(",", "") and modem.calls() == 1
    text = meant.split("*2*2")[1]
    assert text.endswith("##" + "#") and len(text) <= 100 + 3


@pytest.mark.parametrize("text,codes", [
    ("おはよう", "15618513"),
    ("ウエノエキ 17-30", "1314551422889607699800"),
])
def test_pocket_bell_text_is_heard(modem, line, text, codes):
    """The vectors of a pocket bell's manual, as a test page: its text is all that is shown behind "TEST: "."""
    n = line(dial="{to},{code}")
    o = page(n, "p1", to=TO + "/freeword", kind="test", text=text, incident="")
    assert o["result"] == "sent"
    assert modem.heard() == TO + "*2*2" + "40104940" + "8888" + codes + "##"


def test_kanji_is_told_in_english_and_blanks_are_counted(modem, line):
    n = line(format="freeword", dial="{to},{code}")
    o = page(n, "p1", text="接続が拒否されました", host="", check="中継 1", lang="ja")
    assert o["result"] == "sent" and "became" not in o["detail"], o
    heard = modem.heard()[len(TO):]
    # CRITICAL, blank, NO 12 (the check's number)
    assert heard.startswith("*2*2" + "1848294029181637" + "88" + "3930" + "88" + "9697"), heard
    o = page(n, "p2", text="café 50 %")
    assert "2 characters have no code and became blanks" in o["detail"]


# --- outcomes ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("answer,result,detail", [
    ("busy", "retry", "BUSY"),
    ("no-answer", "retry", "NO ANSWER"),
    ("no-carrier", "retry", "NO CARRIER"),
    ("no-dialtone", "retry", "NO DIALTONE"),
    ("delayed", "retry", "DELAYED"),
    ("voice", "retry", "VOICE"),
    ("error", "refused", "ERROR"),
    ("blacklisted", "retry", "rests for 30 min"),
    ("noise busy", "retry", "BUSY"),
    ("ring busy", "retry", "BUSY"),
])
def test_results_and_always_hung_up(modem, line, answer, result, detail):
    modem.script(answer)
    n = line(redial="none", answer_wait="5s")
    o = page(n, "p1")
    assert o["result"] == result and detail in o["detail"], o
    modem.wait_hung_up()
    wait_for(lambda: modem.log()[-1] == "< OK", 30, "the answer to ATH")  # it hangs up first, then says so
    assert modem.commands()[-1].startswith("ATH")
    if answer == "no-dialtone":
        assert n.wait("health", lambda h: not h["ok"])["text"].startswith("no dial tone")


def test_noise_around_a_good_call_disturbs_nothing(modem, line):
    modem.script("noise slow ring answer")
    n = line()
    assert page(n, "p1")["result"] == "sent"
    assert modem.heard() == modem.dialled()[0][4:-1].replace(",", "")


def test_busy_in_the_middle_of_a_long_string(modem, line):
    modem.script("answer", "busy")
    n = line(command_length="20", format="freeword")
    assert page(n, "p1")["result"] == "retry"
    assert len(modem.dialled()) == 2
    modem.wait_hung_up()


def test_an_answer_is_waited_for(modem, line):
    n = line(dial="{to}@{code}#")
    o = page(n, "p1")
    assert o["result"] == "sent" and "the line answered and was quiet" in o["detail"]
    assert [x[-2:] for x in modem.dialled()] == ["@;", "#;"]
    modem.script("answer", "answer", "no-answer")
    o = page(n, "p2")
    assert o["result"] == "retry" and o["detail"] == "NO ANSWER"
    # nothing of the page was dialled into the void
    assert len(modem.dialled()) == 3


def test_silence_while_dialling_is_unknown_and_hung_up(modem, line):
    modem.script("silent", "answer")
    n = line()
    o = page(n, "p1", deadline_ms=6000)
    assert o["result"] == "doubtful" and "while the page was being dialled" in o["detail"]
    modem.wait_hung_up()
    assert page(n, "p2")["result"] == "sent"


def test_a_modem_that_goes_deaf_and_comes_back(modem, line):
    n = line(check_interval="1s")
    modem.script("deaf")
    assert "does not answer" in n.wait("health", lambda h: not h["ok"])["text"]
    o = page(n, "p1")
    assert o["result"] == "retry" and "does not answer" in o["detail"]
    modem.script("answer")
    seen = len(n.of("health"))
    wait_for(lambda: any(h["ok"] for h in n.of("health")[seen:]), 60, "the modem to be found well")
    assert page(n, "p2")["result"] == "sent"


def test_no_dial_tone_is_noticed_without_a_page_and_its_return_too(modem, line):
    modem.script("no-dialtone")
    n = line(wait=False, listen_interval="1h", check_interval="1s")
    assert n.wait("health", lambda h: not h["ok"] and "dial tone" in h["text"])
    modem.script("answer")
    n.wait_up()
    assert not modem.off_hook() and modem.dialled() == []


# --- the rules of redialling -------------------------------------------------------------------------------------

def test_redials_are_limited_across_kills(modem, line):
    modem.script("busy")
    n = line(redial="japan")
    for i in range(3):
        assert page(n, f"p{i}")["detail"] == "BUSY"
        n.kill()
        n = line(redial="japan")
    o = page(n, "p3")
    assert o["result"] == "retry" and "japan" in o["detail"] and "may be dialled again in" in o["detail"], o
    assert len(modem.dialled()) == 3
    # another number is not concerned
    assert page(n, "p4", to="0398765432")["detail"] == "BUSY"


def test_a_dial_is_remembered_before_it_is_made(modem, line, tmp_path):
    modem.script("silent")
    n = line(redial="cautious")
    n.page("p1", to=TO)
    wait_for(lambda: modem.dialled(), 30, "the dial")
    n.kill()
    kept = json.loads((tmp_path / "state" / "redial-pots1.json").read_text())
    assert [(x["number"], len(x["dialled"])) for x in kept["numbers"]] == [(TO, 1)]
    # the receiver is still up: the next life hangs it up first
    assert modem.off_hook()
    line(redial="cautious")
    modem.wait_hung_up()


def test_a_sent_page_is_no_reason_to_hold_the_next(modem, line):
    n = line(redial="cautious")
    for i in range(4):
        assert page(n, f"p{i}")["result"] == "sent"


def test_blacklisted_rests_even_when_nothing_else_does(modem, line, tmp_path):
    modem.script("blacklisted", "answer")
    n = line(redial="japan", emergency="yes", blacklist_rest="1h")
    page(n, "p1")
    kept = json.loads((tmp_path / "state" / "redial-pots1.json").read_text())["numbers"]
    assert [(x["rest_ms"], x["dialled"]) for x in kept] == [(3600000, [])]
    o = page(n, "p2")
    assert o["result"] == "retry" and "again in 1 h" in o["detail"].replace("59 min", "1 h"), o
    assert len(modem.dialled()) == 1


# --- the port ----------------------------------------------------------------------------------------------------

def test_another_program_has_the_port(modem, line):
    fd = os.open(modem.device, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    n = line(wait=False)
    o = page(n, "p1")
    assert o["result"] == "retry" and "in use by another program" in o["detail"]
    os.close(fd)
    n.wait_up()
    assert page(n, "p2")["result"] == "sent"


def test_the_kernel_hangs_up_for_a_killed_program(modem, line):
    """DTR falls with the last close: a pty has no DTR, but the flag that asks for it can be seen."""
    line()
    fd = os.open(modem.device, os.O_RDWR | os.O_NOCTTY)
    assert termios.tcgetattr(fd)[2] & termios.HUPCL
    os.close(fd)


def test_unplugged_and_back_as_another_device(modem, line):
    n = line(check_interval="1s")
    first = os.path.realpath(modem.device)
    keep = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    modem.unplug()
    assert "went away" in n.wait("health", lambda h: not h["ok"])["text"]
    # its old number may be taken meanwhile
    taken = [os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY) for _ in range(4)]
    modem.plug_in()
    seen = len(n.of("health"))
    wait_for(lambda: any(h["ok"] for h in n.of("health")[seen - 1:]), 60, "the modem to be found again")
    assert os.path.realpath(modem.device) != first
    assert page(n, "p1")["result"] == "sent"
    for fd in [keep, *taken]:
        os.close(fd)


def test_unplugged_while_dialling(modem, line):
    modem.script("silent")
    n = line()
    n.page("p1", to=TO)
    wait_for(lambda: modem.dialled(), 30, "the dial")
    modem.unplug()
    o = n.outcome("p1")
    assert o["result"] == "doubtful" and "went away" in o["detail"]


@pytest.mark.parametrize("answer", ["silent", "answer"])
def test_sigterm_hangs_up_and_tells_the_outcome(modem, line, answer):
    modem.script(answer)
    n = line(hold="20s")
    n.page("p1", to=TO)
    wait_for(lambda: modem.off_hook() and modem.dialled(), 30, "the dial")
    n.process.send_signal(signal.SIGTERM)
    assert n.outcome("p1")["result"] in (("doubtful",) if answer == "silent" else ("sent", "doubtful"))
    assert n.process.wait(30) == -signal.SIGTERM
    assert not modem.off_hook()


def test_a_call_left_open_by_a_crash_is_ended_at_the_start(tmp_path, line):
    """Killed in a data call: only the escape sequence gets the modem back (a pty has no DTR)."""
    socket_path = str(tmp_path / "terminal")
    server = socket.socket(socket.AF_UNIX)
    server.bind(socket_path)
    server.listen()
    (tmp_path / "call").mkdir()
    with softmodem.SoftModem(tmp_path / "call", speed=10, terminal=socket_path) as m:
        fd = os.open(m.device, os.O_RDWR | os.O_NOCTTY)
        os.write(fd, b"ATDT0399\r")
        terminal, _ = server.accept()
        wait_for(lambda: "< CONNECT 2400" in m.log(), 60, "the call")
        os.close(fd)
        n = line(device=m.device)
        assert not m.off_hook()
        assert terminal.recv(100) is not None
        o = page(n, "p1")
        assert o["result"] == "sent", o
        terminal.close()
    server.close()


# --- the whole house ---------------------------------------------------------------------------------------------

def house_with_two_lines(tmp_path, modem):
    check = {"probe": "exec", "command": ["/bin/sh", "-c", "echo connection refused; exit 2"], "number": 12}
    house = House(tmp_path / "house", {"relay 1": check})
    house.lines = {"modem1": {"notifier": "sms", "device": house.phone.device},
                   "pots1": {"notifier": "dtmf", "device": modem.device, "state_dir": str(tmp_path / "state"), "pause": "1s",
                             "tone_length": "60ms", "hold": "100ms", "dial": "{to},{code}#", "code": "{number:3}{state}{id}"}}
    house.contacts = {"night": {"routes": [{"line": "pots1", "to": TO}, {"line": "modem1", "to": "+819012345678"}]}}
    return house


def test_a_failing_check_is_heard_by_its_number(modem, tmp_path):
    with house_with_two_lines(tmp_path, modem) as house:
        modem.wait_hung_up()
        page = wait_for(lambda: [p for i in house.incidents() for p in i["pages"] if p.get("outcome") == "sent"], 60, "the page")[0]
        call = modem.calls()  # the first only listened for dial tone
        incident = next(i["id"] for i in house.incidents() if i["check"] == "relay 1")
        assert page["route"] == "pots1" and "nobody confirmed" in page["detail"]
        # check 12 is CRITICAL, and the incident by its id's number
        assert modem.heard(call) == TO + "0122" + str(int(incident, 36) % 10000).zfill(4) + "#"
        assert house.phone.messages() == []


def test_a_busy_number_is_no_lost_page(modem, tmp_path):
    modem.script("busy")
    with house_with_two_lines(tmp_path, modem) as house:
        assert "relay 1" in house.phone.wait_message(60)["text"]
        attempts = next(i["pages"][0]["attempts"] for i in house.incidents() if i["check"] == "relay 1")
        assert attempts == 2 and len(modem.dialled()) == 1


# --- configuration -----------------------------------------------------------------------------------------------

def test_what_is_wrong_is_said():
    program = str(BUILD / "notify_dtmf")
    good = {"device": "/dev/ttyS1", "state_dir": "/var/lib/x"}
    answers = validate(program,
                       {"options": good, "to": [TO, "0120-123-456", "(090) 1234/freeword", "W0,0312/numeric"]},
                       {"options": good, "to": ["+81312345678", "0312/kana", "", "---", "0312;"]},
                       {"options": {"device": "modem"}, "to": []},
                       {"options": {**good, "dial": "{to}", "code": "{nr}", "answer_wait": "3m", "init": "X4\r"}, "to": []},
                       {"options": {**good, "dial": "{access}{code}"}, "to": []})
    assert answers[0] == {"ok": True}
    assert [x["value"] for x in answers[1]["complaints"] if "value" in x] == ["+81312345678", "0312/kana", "", "---", "0312;"]
    assert [x["item"] for x in answers[2]["complaints"]] == ["device", "state_dir"]
    assert {x["item"] for x in answers[3]["complaints"]} == {"dial", "code", "answer_wait", "init"}
    assert [x["item"] for x in answers[4]["complaints"]] == ["access"]
