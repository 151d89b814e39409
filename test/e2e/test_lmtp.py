"""check_lmtp and check_smtp -L against a real Dovecot, beside monitoring-plugins' check_smtp -L, and against servers of bad will."""
import os
import re
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dovecot as dovecot_module
from dovecot import Dovecot, free_ports
from hostile import KINDS, Hostile
from smtpfake import CLOSE, SILENT, FakeSMTP

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
THEIRS = Path("/usr/lib/nagios/plugins/check_smtp")
USER = "user@lab.test"


def run(name, *args, theirs=False, timeout=20):
    program = THEIRS if theirs else BUILD / name
    done = subprocess.run([str(program), "-t", str(timeout), *map(str, args)], capture_output=True, timeout=120)
    assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    if dovecot_module.missing():
        pytest.skip(dovecot_module.missing())
    full = "lmtp_rcpt_check_quota = yes\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=1K\n}\nprotocol lmtp {\n  mail_plugins = quota\n}\n"
    users = {USER: "secret", "other@lab.test": "secret"}
    with Dovecot(tmp_path_factory.mktemp("lmtp") / "dc", users=users, extra=full) as d:
        yield d


def where(store):
    return {"tcp": ("-H", "127.0.0.1", "-p", store.lmtp_port), "socket": ("-H", store.lmtp_socket)}


@pytest.mark.parametrize("way", ["tcp", "socket"])
def test_recipients(store, way):
    at = where(store)[way]
    code, said = run("check_lmtp", *at)
    assert code == 0 and " ehlo=" in said and " rcpt=" not in said, said
    code, said = run("check_lmtp", *at, "--to", USER, "--to", "other@lab.test")
    assert code == 0 and f"{USER}: taken\nother@lab.test: taken\n" in said and " rcpt=" in said, said
    code, said = run("check_lmtp", *at, "--to", USER, "--to", "nobody@lab.test")
    assert code == 2 and "answers RCPT: 550 5.1.1" in said and "(1 of 2 recipients)" in said, said
    assert f"{USER}: taken\n" in said and re.search("nobody@lab.test: answers RCPT: 550", said), said
    assert store.messages() == [], "nothing was sent"


def test_mailbox_full(store):
    """Over its quota: told at RCPT, and before anybody's mail bounces."""
    store.plant(b"Subject: x\n\n" + b"y" * 4000 + b"\n", user="other@lab.test")
    (store.maildir("other@lab.test") / "maildirsize").unlink(missing_ok=True)  # what was counted before
    code, said = run("check_lmtp", "-H", store.lmtp_socket, "--to", "other@lab.test", "--to", USER)
    assert code == 2 and re.search(r"answers RCPT: (552|452) [45]\.2\.2", said), said


def test_tls_and_names(store):
    at = where(store)["tcp"]
    code, said = run("check_lmtp", *at, "--starttls", "--ca-file", store.ca)
    assert code == 0 and " starttls=" in said and re.search(r"cert_days=(29|30)", said), said
    code, said = run("check_lmtp", *at, "--starttls", "--verify", "full")
    assert code == 2 and "TLS: " in said, said
    code, said = run("check_lmtp", *at, "--extensions", "NOSUCH")
    assert code == 1 and "does not offer NOSUCH" in said, said
    code, said = run("check_lmtp", "-H", "/nonexistent/socket")
    assert code == 2 or code == 3, said
    assert run("check_lmtp", "-H", "127.0.0.1", "-p", free_ports(1)[0])[0] == 2
    assert run("check_lmtp", "-H", "a b")[0] == 3


@pytest.mark.skipif(not THEIRS.exists(), reason="monitoring-plugins are not installed")
@pytest.mark.parametrize("args, code", [
    ([], 0), (["-e", "220"], 0), (["-e", "nothing"], 1), (["-f", "a@lab.test"], 0), (["-F", "watch.lab.test"], 0), (["-4"], 0),
    (["-C", "RSET", "-R", "250"], 0), (["-C", "FOO", "-R", "250"], 1), (["-w", "0.0000001"], 1), (["-c", "0.0000001"], 2), (["-q"], 0),
])
def test_beside_check_smtp(store, args, code):
    at = where(store)["tcp"]
    theirs, told = run("check_smtp", *at, "-L", *args, theirs=True)
    ours, said = run("check_smtp", *at, "-L", *args)
    assert (ours, theirs) == (code, code), said + told
    # the word is what the flag is for
    assert run("check_smtp", *at, *args)[0] != 0, "Dovecot takes no EHLO by LMTP"


LMTP = {"LHLO": "250-fake\r\n250 PIPELINING\r\n", "EHLO": "500 5.5.1 what?\r\n", "HELO": "500 5.5.1 what?\r\n", "RSET": "250 ok\r\n"}


@pytest.mark.parametrize("answers, args, code, words", [
    ({"LHLO": "500 5.5.1 I speak SMTP\r\n"}, [], 2, "answers LHLO: 500 5.5.1"),
    ({"RCPT": "451 4.3.0 internal error\r\n"}, ["--to", "a@b.test"], 2, "answers RCPT: 451 4.3.0"),
    ({"RCPT": "421 4.3.2 too many concurrent\r\n"}, ["--to", "a@b.test", "--to", "c@d.test"], 1, "limits us: 421"),
    ({"RCPT": CLOSE}, ["--to", "a@b.test", "--to", "c@d.test"], 2, "closes the connection in RCPT"),
    ({"RCPT": SILENT}, ["--to", "a@b.test", "--command-timeout", "300ms"], 2, "no answer in RCPT"),
    ({"LHLO": SILENT}, ["--lhlo-timeout", "300ms"], 2, "no answer in LHLO"),
    ({"LHLO": "+OK\r\n"}, [], 2, "does not speak LMTP, no reply code in LHLO"),
    ({}, ["--to", "a@b.test"], 0, "answers in"),
])
def test_answers(answers, args, code, words):
    with FakeSMTP({**LMTP, **answers}) as fake:
        got, said = run("check_lmtp", "-H", "127.0.0.1", "-p", fake.port, *args)
        assert got == code and words in said, said
        if code == 0:
            assert [x.split(" ")[0] for x in fake.sessions[0]] == ["LHLO", "MAIL", "RCPT", "RSET", "QUIT"]
            assert fake.sessions[0][1] == "MAIL FROM:<>"


def test_a_socket_that_nobody_serves(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        code, said = run("check_lmtp", "-H", path)
        assert code == 2 and "refuses the connection" in said, said
        s.listen(1)
        threading.Thread(target=lambda: s.accept(), daemon=True).start()
        code, said = run("check_lmtp", "-H", path, "--greeting-timeout", "300ms")
        assert code == 2 and said.startswith(f"LMTP CRITICAL: {path} "), said


def ill_treated(kind, first):
    with Hostile(kind, first) as fake:
        start = time.monotonic()
        code, said = run("check_lmtp", "-H", "127.0.0.1", "-p", fake.port, "--to", "a@b.test", timeout=3)
        fine = code == 2 and time.monotonic() - start < 60 and fake.sent < 60e6 and len(said) < 3000 and "\0" not in said
    return "" if fine else f"{kind} {first}: {code} {said}"


def test_hostile():
    """Also after the greeting, and in the middle of an answer to LHLO."""
    cases = [(kind, first) for kind in KINDS for first in (b"", b"220 hello\r\n", b"220 hello\r\n250-fake\r\n")]
    with ThreadPoolExecutor(14) as pool:
        assert not [x for x in pool.map(lambda c: ill_treated(*c), cases) if x]
