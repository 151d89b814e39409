"""The Modbus probe and siren with a board nobody here wrote (python3-pymodbus), read back by mbpoll; and with ends that go wrong
in ways a real board cannot be made to."""
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

import coprocess
from modbusboard import SIREN, WATCHDOG, Board
from pager import Pager
from waiting import wait_for

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
CHECK, NOTIFY = BUILD / "check_modbus", BUILD / "notify_modbus"


@pytest.fixture(params=[False, True], ids=["tcp", "rtu"])
def board(request, tmp_path):
    with Board(tmp_path, tty=request.param) as b:
        yield b


def check(where, *reads, **options):
    args = [x for k, v in {**where, **options}.items() for x in ("--" + k.replace("_", "-"), v)]
    args += [x for r in reads for x in ("--read", r)]
    return subprocess.run([CHECK, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


# --- the probe

@pytest.mark.parametrize("tty", [False, True], ids=["tcp", "rtu"])
def test_values(tmp_path, tty):
    with Board(tmp_path, tty=tty) as board:
        rows = [
            (["temperature input:0 s16 *0.1 unit=C w=~:30 c=~:35"], 0, "MODBUS OK: temperature 23 C | temperature=23;~:30;~:35"),
            (["temperature input:0 s16 *0.1 unit=C w=~:20 c=~:35"], 1, "MODBUS WARNING: temperature 23 C (limit ~:20)"),
            (["a input:1", "b input:2 unit=% c=90:"], 2, "MODBUS CRITICAL: b 87% (limit 90:); a 501 | a=501 b=87%;;90:"),
            (["cold input:3 s16 *0.1"], 0, "cold -10 "),
            (["door discrete:0 on=open off=closed c=0"], 2, "door open |"),
            (["door discrete:1 on=open off=closed c=0"], 0, "door closed |"),
            (["f holding:16 f32", "g holding:18 f32 swap", "h holding:20 s32", "i holding:22 u32"], 0,
             "f 1.5, g 1.5, h -70000, i 4294967295 |"),
            (["n holding:24 f32"], 3, "n is no number | n=U"),
            (["coil coil:2 c=1:"], 2, "coil 0 (limit 1:)"),
            (["x input:300"], 3, "illegal data address (2), asked for x"),
        ]
        for reads, code, text in rows:
            out = check(board.options(), *reads)
            assert (out.returncode, text in out.stdout) == (code, True), (reads, out)
        board.write_coil(2, 1)
        board.write_holding(3, 4711)
        out = check(board.options(), "coil coil:2 c=1:", "h holding:3")
        assert out.returncode == 0 and "coil 1, h 4711" in out.stdout, out
        # a unit that is not there does not answer; the bus and the board do
        out = check(board.options(), "x input:1@9", answer_limit="300ms")
        assert out.returncode == 2 and "no answer in time, asked for x" in out.stdout, out


def test_bad_usage():
    for args, word in [(["-H", "mail.example.org", "-r", "a input:1"], "address"), (["-r", "a input:1"], "give host"),
                       (["-H", "::1", "--device", "/dev/null", "-r", "a input:1"], "one of them"),
                       (["-H", "::1", "-r", "a output:1"], "coil:N"), (["-H", "::1", "-r", "a input:1", "-r", "a input:2"], "label"),
                       (["--device", "/dev/null", "-u", "0", "-r", "a input:1"], "answered by none"), (["-H", "::1"], "required")]:
        out = subprocess.run([CHECK, *args], capture_output=True, text=True, timeout=60)
        assert out.returncode == 3 and word in out.stdout, (args, out)


def test_a_port_that_is_in_use_is_waited_for(tmp_path):
    with Board(tmp_path, tty=True) as board:
        with open(board.device, "rb+", buffering=0) as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            out = check(board.options(), "a input:1", timeout="2")
            assert out.returncode == 3 and "in use by another program" in out.stdout, out
            run = subprocess.Popen([CHECK, "--device", board.device, "-r", "a input:1", "--answer-limit", "30s"], text=True,
                                   stdout=subprocess.PIPE)
            wait_for(lambda: "bus" in "".join(os.readlink(f) for f in Path(f"/proc/{run.pid}/fd").iterdir() if f.exists()) or
                     run.poll() is None, what="it waits")
            fcntl.flock(other, fcntl.LOCK_UN)
        assert run.communicate(timeout=60)[0].startswith("MODBUS OK: a 501") and run.returncode == 0


def test_no_such_device(tmp_path):
    out = check({"device": str(tmp_path / "none")}, "a input:1")
    assert out.returncode == 3 and "No such file" in out.stdout, out


class Wrong:
    """A Modbus TCP end that does what `answer` says with each request: bytes to send, None to close."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(s,), daemon=True).start()

    def _talk(self, s):
        with s:
            try:
                while request := s.recv(300):
                    self.requests.append(request)
                    for piece in self.answer(request, len(self.requests)):
                        if piece is None:
                            return
                        if isinstance(piece, float):
                            time.sleep(piece)
                        else:
                            s.sendall(piece)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def options(self):
        return {"host": "127.0.0.1", "port": str(self.port)}


def good(request, value=42):
    return request[:4] + struct.pack(">HBBBH", 5, request[6], request[7], 2, value)


WRONG = {
    "silence": (lambda r, n: [], "no answer in time"),
    "closes": (lambda r, n: [None], "connection was closed"),
    "text": (lambda r, n: [b"HTTP/1.0 400 Bad Request\r\n\r\n" * 4], None),
    "zeros": (lambda r, n: [bytes(260)], None),
    "ones": (lambda r, n: [b"\xff" * 300], None),
    "half": (lambda r, n: [good(r)[:7]], "no answer in time"),
    "other transaction": (lambda r, n: [b"\x77" + good(r)[1:]], "does not fit"),
    "other function": (lambda r, n: [good(r)[:7] + b"\x01" + good(r)[8:]], "does not fit"),
    "too many bytes": (lambda r, n: [r[:4] + b"\x00\x07" + r[6:8] + b"\x04\x00\x01\x00\x02"], "does not fit"),
    "huge length": (lambda r, n: [r[:4] + b"\xff\xff" + r[6:8] + b"\xff" + bytes(500)], None),
    "busy": (lambda r, n: [r[:4] + b"\x00\x03" + r[6:7] + bytes([r[7] | 0x80, 6])], "device busy (6)"),
    "failure": (lambda r, n: [r[:4] + b"\x00\x03" + r[6:7] + bytes([r[7] | 0x80, 4])], "device failure (4)"),
    "unknown exception": (lambda r, n: [r[:4] + b"\x00\x03" + r[6:7] + bytes([r[7] | 0x80, 99])], None),
    "byte by byte, for ever": (lambda r, n: [x for b in good(r)[:9] for x in (bytes([b]), 0.4)], "no answer in time"),
}


@pytest.mark.parametrize("how", WRONG)
def test_ends_that_go_wrong(how):
    answer, words = WRONG[how]
    with Wrong(answer) as end:
        begin = time.monotonic()
        out = check(end.options(), "x holding:1", answer_limit="500ms")
        assert out.returncode == 2 and (words or "127.0.0.1") in out.stdout and "Sanitizer" not in out.stderr, out
        # three tries of half a second; an answer that trickles in does not begin the time anew
        assert time.monotonic() - begin < 15


def test_one_spoiled_answer_is_asked_for_again():
    with Wrong(lambda r, n: [b"\x77" + good(r)[1:]] if n == 1 else [None] if n == 2 else [good(r)]) as end:
        out = check(end.options(), "x holding:1")
        assert out.returncode == 0 and "x 42" in out.stdout and len(end.requests) == 3, out


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    out = check({"host": "127.0.0.1", "port": str(port)}, "x holding:1")
    assert out.returncode == 2 and "Connection refused" in out.stdout, out


# --- the siren

def siren(board, tmp_path, **more):
    return coprocess.Notifier(NOTIFY, {**board.options(), "state_dir": str(tmp_path / "state"), **more})


def test_on_at_critical_off_when_the_last_one_is_over(board, tmp_path):
    with siren(board, tmp_path) as n:
        assert n.hello == {"v": 1, "hello": "modbus", "confirms": False, "follows": True, "beats": True}
        assert n.page(id="1", to="coil:3")["result"] == "sent" and board.coil(3) == 1
        assert n.page(id="2", to="coil:3", incident="OTHER", check="mx2")["result"] == "sent"
        assert n.page(id="3", to="holding:5", state="WARNING")["result"] == "sent" and board.holding(5) == 0
        assert n.page(id="4", to="holding:5")["result"] == "sent" and board.holding(5) == 1
        assert n.page(id="5", to="coil:3", kind="ack")["detail"] == "still on for another incident" and board.coil(3) == 1
        assert n.page(id="6", to="coil:3", kind="recovered", incident="OTHER", state="OK")["detail"] == "off"
        assert (board.coil(3), board.holding(5)) == (0, 1)
        assert n.page(id="7", to="holding:5", kind="recovered", state="OK")["result"] == "sent" and board.holding(5) == 0
        assert n.page(id="8", to="coil:300")["result"] == "refused"
        assert "input cannot be written" in n.page(id="9", to="discrete:1")["detail"]
        assert n.close() == 0


def test_killed_and_started_again_it_knows_what_sounds(tmp_path):
    with Board(tmp_path) as board:
        n = siren(board, tmp_path)
        assert n.page(id="1", to="coil:1")["result"] == "sent"
        assert n.page(id="2", to="coil:1", incident="OTHER")["result"] == "sent"
        n.p.kill()
        n.p.wait()
        board.write_coil(1, 0)     # a power cut of the board
        with siren(board, tmp_path) as n:
            wait_for(lambda: board.coil(1) == 1, what="it sounds again")
            assert n.page(id="3", to="coil:1", kind="ack")["detail"].startswith("still on") and board.coil(1) == 1
            assert n.page(id="4", to="coil:1", kind="ack", incident="OTHER")["detail"] == "off" and board.coil(1) == 0
        # a file that is none: said, and nothing sounds
        (tmp_path / "state" / "siren-line1.json").write_text('{"v":1,"places":[{"to":"coil:1","active":tr')
        with siren(board, tmp_path) as n:
            assert n.page(id="5", to="coil:1", kind="ack", incident="OTHER")["detail"] == "off"
            assert n.close() == 0
            assert b"is damaged" in b"".join(n.errors)


def test_not_longer_than_max_on_pulses_and_tests(tmp_path):
    with Board(tmp_path) as board:
        with siren(board, tmp_path, max_on="3s", test_on="300ms") as n:
            assert n.page(id="1", to="coil:0")["result"] == "sent" and board.coil(0) == 1
            n.page(id="2", to="coil:1", kind="test")
            wait_for(lambda: board.coil(1) == 0, what="the test ends")
            wait_for(lambda: board.coil(0) == 0, what="max_on")
            assert n.page(id="3", to="coil:0", kind="repeat")["result"] == "sent" and board.coil(0) == 1
            wait_for(lambda: board.coil(0) == 0, what="max_on again")
        with siren(board, tmp_path, pulse_on="200ms", pulse_off="200ms", invert="yes") as n:
            assert n.page(id="4", to="coil:2")["result"] == "sent"
            for value in (1, 0, 1, 0):
                wait_for(lambda: board.coil(2) == value, what=f"a pulse of {value}")
            n.page(id="5", to="coil:2", kind="ack")
            assert board.coil(2) == 1      # inverted: 1 is silence


def test_a_board_that_was_away(tmp_path):
    with Board(tmp_path) as board:
        with siren(board, tmp_path, refresh="300ms", answer_limit="1s") as n:
            assert n.page(id="1", to="coil:1")["result"] == "sent"
            board.stop()
            outcome = n.page(id="2", to="coil:1", kind="ack")
            assert outcome["result"] == "retry" and "refused" in outcome["detail"], outcome
            assert n.page(id="3", to="coil:2", incident="OTHER")["result"] == "retry"
            assert n.health[-1] == {"ok": False, "text": f"127.0.0.1 port {board.port}: Connection refused"}
            board.start()
            board.write_coil(1, 1)
            board.write_coil(2, 1)
            # it goes on by itself: the acknowledged one ends, what never reached the board is not sounded behind the pager's back
            wait_for(lambda: (board.coil(1), board.coil(2)) == (0, 0), 60, "switched off by itself")
            wait_for(lambda: n.wait_health()["ok"], 60, "good again")
            assert n.page(id="4", to="coil:2", incident="OTHER")["result"] == "sent" and board.coil(2) == 1


def test_what_is_written_is_read_back(tmp_path):
    with Wrong(lambda r, n: [r] if r[7] == 5 else [r[:4] + b"\x00\x04" + r[6:8] + b"\x01\x00"]) as end:
        with siren(end, tmp_path) as n:
            outcome = n.page(to="coil:0")
            assert outcome["result"] == "retry" and "coil:0 was written 1 and reads 0" in outcome["detail"], outcome


def test_options_that_are_wrong():
    good_options = {"host": "127.0.0.1", "state_dir": "/var/lib/x"}
    rows = [({"host": "siren.example"}, [], "host"), ({"states": ["BAD"]}, [], "states"), ({"pulse_on": "1s"}, [], "pulse_on"),
            ({"watchdog": "input:1"}, [], "watchdog"), ({"watchdog_values": ["1"]}, [], "watchdog_values"),
            ({"watchdog": "holding:1", "watchdog_values": ["70000"]}, [], "watchdog_values"), ({"on_value": "0"}, [], "on_value"),
            ({"unit": "250"}, [], "unit"), ({}, ["input:3"], "to"), ({}, ["coil:3", "coil:x"], "to")]
    answers = coprocess.validate(NOTIFY, *({"options": {**good_options, **o}, "to": to} for o, to, _ in rows))
    assert [a["complaints"][0]["item"] for a in answers] == [item for _, _, item in rows]
    assert coprocess.validate(NOTIFY, {"options": good_options, "to": ["coil:0", "holding:0xff@247"]}) == [{"ok": True}]


# --- the watchdog

def fed(board):
    return board.log.read_text().count("fed ")


def test_the_watchdog_is_fed_while_all_is_well_and_only_then(tmp_path):
    with Board(tmp_path) as board:
        with siren(board, tmp_path, watchdog=f"holding:{WATCHDOG}", watchdog_interval="100ms", watchdog_values=["5", "6"],
                   beat_limit="2s") as n:
            n.page(id="0", to="coil:0", kind="ack")
            assert fed(board) == 0         # nobody said that all is well
            n.say({"beat": {"ok": True}})
            wait_for(lambda: fed(board) >= 3, what="fed")
            assert "fed [5]" in board.log.read_text() and "fed [6]" in board.log.read_text()
            n.say({"beat": {"ok": False, "why": "monitord is silent"}})
            n.page(id="1", to="coil:0", kind="ack")    # an answer: the beat before it was taken
            before = fed(board)
            for i in range(10):
                n.page(id=f"x{i}", to="coil:0", kind="ack")
            assert fed(board) <= before + 1
            # beats that just stop: a pager that hangs
            n.say({"beat": {"ok": True}})
            wait_for(lambda: fed(board) > before + 3, what="fed again")
            wait_for(lambda: any(b"the pager is silent" in e for e in n.errors), what="silence is noticed")
            before = fed(board)
            for i in range(10):
                n.page(id=f"y{i}", to="coil:0", kind="ack")
            assert fed(board) <= before + 1


def start_pager(tmp_path, board, **options):
    pager = Pager(tmp_path, contacts={"oncall": [("m1", "m1@phone")]}, lines=("m1",))
    (tmp_path / "conf.d").mkdir()
    line = {"notifier": "modbus", **board.options(), "state_dir": str(tmp_path / "siren"), **options}
    (tmp_path / "conf.d" / "siren.yaml").write_text(json.dumps({
        "lines": {"siren": line},
        "contacts": {"horn": {"routes": [{"line": "siren", "to": "coil:3"}], "recovery": "no", "repeat": "0"}}}))
    return pager


def test_the_whole_way_through_pagerd(tmp_path):
    with Board(tmp_path) as board, start_pager(tmp_path, board) as pager:
        both = {"contacts": ["oncall", "horn"]}
        # told alone, with no wish for recoveries: it is switched off all the same
        pager.drop_problem("mx1", contacts=["horn"])
        wait_for(lambda: board.coil(3) == 1, what="the siren")
        assert pager.ask("ack", incident="mx1", by="somebody", comment="")["ok"]
        wait_for(lambda: board.coil(3) == 0, what="silence after the acknowledgement")
        # two incidents: the recovery of the last one ends it
        first, second = pager.drop_problem("mx2", **both), pager.drop_problem("mx3", **both)
        wait_for(lambda: board.coil(3) == 1, what="the siren again")
        wait_for(lambda: len(pager.line("m1").pages()) >= 2, what="the phone")
        pager.drop_recovery(first, **both)
        wait_for(lambda: [p for p in pager.line("m1").pages() if p["kind"] == "recovered"], what="the phone hears of the recovery")

        def ended(check):
            pages = [p for p in pager.incident(check)["pages"] if p["contact"] == "horn" and p["kind"] == "recovered"]
            return pages and pages[0]["phase"] == "sent"
        wait_for(lambda: ended("mx2"), what="the siren hears of it")
        assert board.coil(3) == 1
        pager.drop_recovery(second, **both)
        wait_for(lambda: board.coil(3) == 0, what="silence")
        # one acknowledged by the only person who was told: no page to that person, one to the siren
        pager.drop_problem("mx4", **both)
        wait_for(lambda: board.coil(3) == 1 and pager.incident("mx4"), what="the siren")
        wait_for(lambda: all(p["phase"] == "sent" for p in pager.incident("mx4")["pages"]), what="both told")
        assert pager.ask("ack", incident="mx4", by="me", comment="")["ok"]
        wait_for(lambda: board.coil(3) == 0, what="silence")
        assert [p["contact"] for p in pager.incident("mx4")["pages"] if p["kind"] == "ack"] == ["horn"]


def test_many_at_once_are_switched_off_one_by_one(tmp_path):
    """No digest reaches a siren: it could not tell which incidents are over."""
    with Board(tmp_path) as board, start_pager(tmp_path, board) as pager:
        problems = [pager.event(f"relay{i}", "problem", "CRITICAL", contacts=["horn"]) for i in range(12)]
        for p in problems:
            pager.drop(p)
        wait_for(lambda: board.coil(3) == 1, what="the siren")

        def sent(kind):
            pages = [p for i in range(12) for p in (pager.incident(f"relay{i}") or {"pages": []})["pages"]]
            return sum(p["kind"] == kind and p["phase"] == "sent" for p in pages)
        wait_for(lambda: sent("new") == 12, 60, "all of them told")
        assert pager.log_text().count("(new of relay") == 12
        for p in problems[:-1]:
            pager.drop_recovery(p, contacts=["horn"])
        wait_for(lambda: sent("recovered") == 11, 60, "all but one over")
        assert board.coil(3) == 1 and pager.log_text().count("(recovered of relay") == 11
        pager.drop_recovery(problems[-1], contacts=["horn"])
        wait_for(lambda: board.coil(3) == 0, what="silence")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_pager_sounds_the_siren(tmp_path, how):
    with Board(tmp_path, watchdog=5.0) as board:
        pager = start_pager(tmp_path, board, watchdog=f"holding:{WATCHDOG}", watchdog_interval="200ms", beat_limit="3s").start()
        try:
            wait_for(lambda: fed(board) >= 8, 60, "fed by pagerd's beats")
            assert board.coil(SIREN) == 0
            pager.process.send_signal(how)
            wait_for(lambda: board.coil(SIREN) == 1, 60, "the board's own watchdog sounds the siren")
        finally:
            pager.process.send_signal(signal.SIGCONT)
            pager.kill()
