"""The TAP line: through a real V.22bis call on the soft modem (spandsp), and with a terminal that goes wrong at each step."""
import os

import pytest

import softmodem
from smsline import Notifier
from tapterminal import TapModem, Terminal
from waiting import wait_for

BUILD = softmodem.Path(os.environ.get("BUILD", softmodem.ROOT / "build")).resolve()


class Rig:
    def __init__(self, tmp_path, script=(), **terminal):
        self.dir = tmp_path
        self.terminal = Terminal(tmp_path, **terminal)
        self.modem = TapModem(tmp_path, self.terminal, script)
        self.made = []

    def __enter__(self):
        self.terminal.__enter__()
        self.modem.__enter__()
        return self

    def __exit__(self, *_):
        for n in self.made:
            n.kill()
        self.modem.__exit__()
        self.terminal.__exit__()

    def line(self, **options):
        n = Notifier("tap", {"device": self.modem.device, "terminal": "0355501234", "listen_interval": "0", "redial": "none", "wake": "500ms",
                             "answer": "2s", "linger": "0", **options}, log=str(self.dir / "tap.log"), line="pots1")
        self.made.append(n)
        return n


def hung_up(rig):
    wait_for(lambda: rig.modem.conn is None, 30, "the call to be over")


# --- what arrives ------------------------------------------------------------------------------------------------

@pytest.mark.skipif(softmodem.missing() is not None, reason=str(softmodem.missing()))
def test_a_real_call_by_v22bis(tmp_path):
    with Terminal(tmp_path) as terminal, softmodem.SoftModem(tmp_path, terminal=terminal.path) as modem:
        n = Notifier("tap", {"device": modem.device, "terminal": "0355501234", "listen_interval": "0", "redial": "none", "linger": "0",
                             "answer": "20s", "wake": "4s"}, log=str(tmp_path / "tap.log"), line="pots1")
        n.wait_up()
        o = n.send("p1", to="12345", timeout=120, deadline=100000)
        assert o["result"] == "sent" and "211 Page accepted" in o["detail"], o
        (pager, text), = terminal.pages
        assert pager == "12345" and text.startswith("CRITICAL mx1") and "connection refused" in text and "#K7Q2M" in text
        modem.wait_hung_up()
        assert modem.dialled() == ["ATDT0355501234"]
        n.kill()


def test_the_page_as_the_terminal_reads_it(tmp_path):
    with Rig(tmp_path) as rig:
        n = rig.line()
        o = n.send("p1", to="12345", text="a\x1bb \u65e5\u672c")
        assert o["result"] == "sent" and "2 characters" in o["detail"], o
        (pager, text), = rig.terminal.pages
        assert pager == "12345" and "a b ??" in text
        hung_up(rig)


def test_a_long_page_goes_in_blocks(tmp_path):
    with Rig(tmp_path) as rig:
        n = rig.line(max_length="900")
        assert n.send("p1", to="12345", text="long " * 180)["result"] == "sent"
        (_, text), = rig.terminal.pages
        assert len(text) > 850 and len(rig.terminal.blocks) == 4 and "long long" in text


def test_no_parity_and_a_password(tmp_path):
    secret = tmp_path / "pw"
    secret.write_text("OPEN7\n")
    secret.chmod(0o600)
    with Rig(tmp_path, password="OPEN7", eight_bits=True) as rig:
        n = rig.line(parity="none", password=str(secret))
        assert n.send("p1", to="1")["result"] == "sent"
        assert rig.terminal.pages[0][0] == "1"
        assert "OPEN7" not in (tmp_path / "tap.log").read_text()


def test_several_pages_in_one_call(tmp_path):
    with Rig(tmp_path) as rig:
        n = rig.line(linger="3s")
        for i in range(3):
            assert n.send(f"p{i}", to=str(100 + i))["result"] == "unknown"
        for i in range(3):
            assert n.outcome(f"p{i}", 2)["result"] == "sent"
        assert [p for p, _ in rig.terminal.pages] == ["100", "101", "102"] and rig.terminal.calls == 1
        hung_up(rig)
        # the end of input ends the call that is open, and says what became of it
        assert n.send("q", to="7")["result"] == "unknown"
        assert n.finish() == 0
        assert n.outcomes("q")[-1]["result"] == "sent" and rig.terminal.calls == 2


def test_acknowledged_and_taken_back_at_the_end(tmp_path):
    with Rig(tmp_path, faults=[{"final_rs": True}, {"final_rs": True}]) as rig:
        n = rig.line(linger="500ms")
        assert n.send("p1", to="1")["result"] == "unknown"
        late = n.outcome("p1", 2)
        assert late["result"] == "doubtful" and "501 A timeout" in late["detail"]
        n.kill()
        o = rig.line().send("p2", to="1")
        assert o["result"] == "doubtful" and "rejects what it acknowledged" in o["detail"]


# --- what goes wrong ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("fault,result,detail,again", [
    ({"silent": True}, "retry", "no ID= came", True),
    ({"logon": "nak"}, "retry", "507 Invalid password", True),
    ({"logon": "off"}, "retry", "hangs up", True),
    ({"nogo": True}, "retry", "does not take pages", True),
    ({"answer": ["nak"]}, "sent", "211 Page accepted", False),
    ({"answer": ["nak", "nak", "nak"]}, "retry", "damaged three times", True),
    ({"answer": ["rs"]}, "refused", "511 Invalid pager ID", False),
    ({"answer": ["rs"], "code": b"516 Temporarily cannot deliver"}, "retry", "516 Temporarily", True),
    ({"answer": ["off"], "code": b"510 Illegal function"}, "refused", "510 Illegal", False),
    ({"answer": ["rs"], "code": b"503 Excessive attempts"}, "retry", "503 Excessive", True),
    ({"answer": ["silent"]}, "doubtful", "no answer to a block", True),
    ({"answer": ["hangup"]}, "doubtful", "", True),
    ({"answer": ["garbage"]}, "sent", "211", False),
    ({"no_farewell": True}, "sent", "211", False),
], ids=lambda v: str(v) if isinstance(v, dict) else None)
def test_a_terminal_that_goes_wrong(tmp_path, fault, result, detail, again):
    with Rig(tmp_path, faults=[fault]) as rig:
        n = rig.line()
        o = n.send("p1", to="12345")
        assert o["result"] == result and detail in o["detail"], o
        if again:
            assert n.send("p1", to="12345", resend=True)["result"] == "sent"
        assert len(rig.terminal.pages) == (0 if result == "refused" else 1)
        hung_up(rig)


@pytest.mark.parametrize("said", ["BUSY", "NO CARRIER", "NO DIALTONE", "NO ANSWER"])
def test_no_connection(tmp_path, said):
    with Rig(tmp_path, script=[said]) as rig:
        n = rig.line()
        o = n.send("p1", to="12345")
        assert o["result"] == "retry" and o["detail"], o
        assert n.send("p1", to="12345")["result"] == "sent"
        assert len(rig.terminal.pages) == 1


def test_what_an_administrator_may_get_wrong():
    import coprocess
    answers = coprocess.validate(str(BUILD / "notify_tap"),
                                 {"options": {"device": "ttyS0", "terminal": "hello", "redial": "none"}, "to": ["1 2"]})
    text = str(answers[0])
    assert not answers[0]["ok"]
    for word in ("device", "terminal", "hello", "1 2", "printable ASCII"):
        assert word in text
