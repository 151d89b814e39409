"""The exec notifier with real scripts: what they get, what their exit means, what is left of them."""
import json
import os
import time
from pathlib import Path

import pytest

import coprocess

PROGRAM = Path(os.environ.get("BUILD", "build")).resolve() / "notify_exec"


@pytest.fixture
def script(tmp_path):
    def make(text, name="script"):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
        return path
    return make


def run(path, *args, options=None, **page):
    with coprocess.Notifier(PROGRAM, {"command": [str(path), *args], **(options or {})}) as n:
        assert n.hello == {"v": 1, "hello": "exec"}
        outcome = n.page(**page)
        assert n.close() == 0
        return outcome, n


SHOW = """#!/usr/bin/python3
import json, os, signal, sys
json.dump({"env": dict(os.environ), "stdin": sys.stdin.read(), "argv": sys.argv[1:], "cwd": os.getcwd(),
           "fds": sorted(os.listdir("/proc/self/fd")), "group": os.getpgrp() == os.getpid(),
           "pipe": signal.getsignal(signal.SIGPIPE).name if hasattr(signal.getsignal(signal.SIGPIPE), "name") else "",
           "ignored": [l for l in open("/proc/self/status") if l.startswith("SigIgn")]},
          open(sys.argv[1], "w"))
print("taken as 4711")
"""


def test_what_the_script_gets(tmp_path, script):
    shown = tmp_path / "shown"
    text = 'port 25: "connect refused" $(touch /tmp/never); ひどい'
    outcome, n = run(script(SHOW), str(shown), "--flag", to="ops team; rm -rf", text=text, kind="repeat", resend=True,
                     options={"environment": ["GATE=left=right"]})
    assert outcome == {"id": "p1", "result": "sent", "detail": "taken as 4711"}
    got = json.loads(shown.read_text())
    assert got["argv"] == [str(shown), "--flag"]
    env = got["env"]
    assert {k: v for k, v in env.items() if k.startswith("MONITORD_")} == {
        "MONITORD_ID": "p1", "MONITORD_TO": "ops team; rm -rf", "MONITORD_KIND": "repeat", "MONITORD_RESEND": "1",
        "MONITORD_INCIDENT": "K7Q2M", "MONITORD_CHECK": "mx1", "MONITORD_HOST": "mx1.lab.test",
        "MONITORD_STATE": "CRITICAL", "MONITORD_TEXT": text, "MONITORD_SINCE": "2026-11-21T19:26:52.000Z",
        "MONITORD_AT": "2026-11-21T19:27:52.000Z"}
    # nothing else of ours but what was asked for
    assert set(env) - {"TZ", "LC_CTYPE"} - {k for k in env if k.startswith("MONITORD_")} == {"PATH", "HOME", "LANG", "GATE"}
    assert env["GATE"] == "left=right"
    lines = got["stdin"].splitlines()
    assert "CRITICAL" in lines[0] and "mx1" in lines[0] and "K7Q2M" in lines[0] and "ひどい" in lines[0]
    assert lines[1:] == ["line two", "line three"]
    assert got["cwd"] == "/" and got["group"]
    assert set(got["fds"]) <= {"0", "1", "2", "3"}  # 3: the listing itself
    # Python ignores SIGPIPE (bit 12) and SIGXFSZ (bit 24) by itself, bits 31 and 32 belong to the C library; nothing else is
    assert int(got["ignored"][0].split()[1], 16) & ~0x181001000 == 0
    assert n.health[0]["ok"]


@pytest.mark.parametrize("body, result, detail", [
    ("exit 0", "sent", "exit 0"),
    ("echo gateway says hello; echo more; exit 0", "sent", "gateway says hello"),
    ("exit 75", "retry", "exit 75"),
    ("echo busy >&2; exit 75", "retry", "exit 75: busy"),
    ("exit 126", "retry", "exit 126"),
    ("exit 127", "retry", "exit 127"),
    ("/no/such/program", "retry", "exit 127: "),
    ("kill -9 $$", "doubtful", "killed by signal 9"),
    ("kill -TERM $$", "doubtful", "killed by signal 15"),
    ("exit 1", "refused", "exit 1"),
    ("echo no such person; exit 3", "refused", "exit 3: no such person"),
    ("exec <&-; exit 0", "sent", "exit 0"),              # does not read its input
    ("exec >&- 2>&-; cat > /dev/null; exit 0", "sent", "exit 0"),
    ("yes | head -c 3000000; exit 0", "sent", "y"),      # says more than anyone wants to hear
    ("printf 'a\\033[2Jb\\n'", "sent", "a [2Jb"),        # no control bytes in the parent's log
])
def test_what_its_exit_means(script, body, result, detail):
    outcome, n = run(script("#!/bin/sh\n" + body + "\n"), more="x" * 5000)
    assert outcome["result"] == result
    assert outcome["detail"].startswith(detail)
    # a refusal is about that page, all else about the line
    if result != "refused":
        assert n.health[-1]["ok"] == (result == "sent")


def test_killed_at_the_deadline_with_all_it_started(tmp_path, script):
    pids = tmp_path / "pids"
    path = script(f"#!/bin/sh\ntrap '' TERM\nsleep 300 &\necho $$ $! > {pids}.new; mv {pids}.new {pids}\necho begun\nwait\n")
    start = time.monotonic()
    outcome, _ = run(path, deadline_ms=1500)
    assert outcome["result"] == "doubtful" and outcome["detail"] == "killed at the deadline: begun"
    assert 1.4 < time.monotonic() - start < 15
    for pid in pids.read_text().split():
        assert gone(pid)


def gone(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_what_it_leaves_behind_does_not_hold_us_up(tmp_path, script):
    pid = tmp_path / "pid"
    path = script(f"#!/bin/sh\nsleep 300 &\necho $! > {pid}\nexit 0\n")
    start = time.monotonic()
    outcome, _ = run(path)
    assert outcome["result"] == "sent" and time.monotonic() - start < 15
    assert gone(pid.read_text().strip())


@pytest.mark.parametrize("make, text", [
    (lambda s, t: t / "missing", "No such file"),
    (lambda s, t: t, "Permission denied"),
    (lambda s, t: s("no shebang at all\n"), "Exec format error"),
    (lambda s, t: s("#!/no/such/interpreter\n"), "No such file"),
])
def test_cannot_be_run(tmp_path, script, make, text):
    outcome, n = run(make(script, tmp_path))
    assert outcome["result"] == "retry" and text in outcome["detail"]
    assert not n.health[-1]["ok"]


def test_pages_in_order_one_outcome_each(script, tmp_path):
    log = tmp_path / "log"
    path = script(f"#!/bin/sh\necho $MONITORD_ID >> {log}\n")
    with coprocess.Notifier(PROGRAM, {"command": [str(path)]}) as n:
        for i in range(5):
            n.send(id=f"p{i}")
        assert [n.outcome(f"p{i}")["result"] for i in range(5)] == ["sent"] * 5
    assert log.read_text().split() == [f"p{i}" for i in range(5)]


def test_validate():
    good, *bad = coprocess.validate(
        PROGRAM, {"options": {"command": ["/bin/true"]}, "to": ["x"]}, {"options": {}, "to": ["x"]},
        {"options": {"command": ["true"]}, "to": []}, {"options": {"command": ["/bin/true"], "environment": ["X"]}},
        {"options": {"command": ["/bin/true"], "environment": ["MONITORD_TO=me"]}},
        {"options": {"command": ["/bin/true"]}, "to": [""]})
    assert good == {"ok": True}
    assert [b["complaints"][0]["item"] for b in bad] == ["command", "command", "environment", "environment", "to"]
