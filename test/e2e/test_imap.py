"""check_imap against a real Dovecot, beside monitoring-plugins' check_imap, and against servers of bad will."""
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

import dovecot as dovecot_module
from dovecot import Dovecot, free_ports
from smtpfake import Server

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_imap"
THEIRS = Path("/usr/lib/nagios/plugins/check_imap")
USER = "user@lab.test"


def run(*args, program=CHECK):
    done = subprocess.run([str(program), *map(str, args)], capture_output=True, timeout=120)
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    if dovecot_module.missing():
        pytest.skip(dovecot_module.missing())
    with Dovecot(tmp_path_factory.mktemp("imap") / "dc") as d:
        d.plant(b"Subject: one\n\nx\n")
        d.plant(b"Subject: two\n\nx\n")
        yield d


@pytest.fixture
def login(store, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(store.password() + "\n")
    secret.chmod(0o600)
    return ("--user", USER, "--password-file", secret, "--ca-file", store.ca)


def test_without_a_login_and_beside_the_other(store):
    for flags in (("-p", store.imap_port), ("-S", "-p", store.imaps_port), ("-D", "3", "-p", store.imaps_port),
                  ("-D", "90", "-p", store.imaps_port), ("-D", "90,60", "-p", store.imaps_port),
                  ("-e", "* NEIN", "-p", store.imap_port), ("-p", free_ports(1)[0]),
                  ("-w", "0", "-p", store.imap_port), ("-c", "0", "-p", store.imap_port)):
        ours, said = run("-H", "127.0.0.1", *flags)
        assert ours == run("-H", "127.0.0.1", *flags, program=THEIRS)[0], (flags, said)
        assert "|" not in said or "time=" in said


def test_login_counts_and_changes_nothing(store, login):
    for how in (("--starttls", "-p", store.imap_port), ("-S", "-p", store.imaps_port)):
        code, said = run("-H", "localhost", "-4", *how, *login)
        assert code == 0 and re.search(r" messages=2 cert_days=(29|30)\n", said), said
    code, said = run("-H", "localhost", "-4", "-S", "-p", store.imaps_port, *login, "--messages-critical", "1")
    assert code == 2 and "INBOX holds 2 messages" in said
    assert sorted(p.parent.name for p in store.messages()) == ["new", "new"], "it was only looked at"


def test_what_is_wrong_is_named(store, login, tmp_path):
    way = ("-H", "localhost", "-4", "-S", "-p", store.imaps_port)
    code, said = run(*way, *login, "--mailbox", "Nowhere")
    assert code == 2 and "EXAMINE: NO" in said
    bad = tmp_path / "bad"
    bad.write_text("wrong\n")
    bad.chmod(0o600)
    code, said = run(*way, "--user", USER, "--password-file", bad, "--ca-file", store.ca)
    assert code == 2 and "login refused" in said and "wrong\n" not in said
    code, said = run(*way, "--user", USER, "--password-file", bad)
    assert code == 2 and "TLS: " in said, "a password is not sent to a certificate nobody vouches for"
    code, said = run("-H", "localhost", "-p", store.imap_port, "--user", USER, "--password-file", bad)
    assert code == 3 and "insecure_auth" in said
    code, said = run("-H", "localhost", "--user", USER)
    assert code == 3 and "password_file" in said


class Hostile(Server):
    def __init__(self, play):
        super().__init__()
        self.play = play

    def serve(self, client):
        self.play(self, client)


def flood(piece, times):
    def play(_, client):
        for _ in range(times):
            client.sendall(piece)
    return play


def drip(server, client):
    for c in b"* OK [CAPABILITY IMAP4rev1] this never ends":
        client.sendall(bytes([c]))
        if server.over.wait(1):
            return


def after(*answers):
    """Greets, then answers commands in this order and hangs up."""
    def play(_, client):
        client.sendall(b"* OK ready\r\n")
        for answer in answers:
            tag = client.recv(4096).split(b" ")[0]
            client.sendall(answer.replace(b"TAG", tag))
    return play


@pytest.mark.parametrize("play, words", [
    pytest.param(lambda server, _: server.over.wait(60), "timed out in greeting", id="silent"),
    pytest.param(drip, "timed out in greeting", id="drip"),
    pytest.param(flood(b"x" * 65536, 1600), "greeting: answer too long, not read to its end", id="endless"),
    pytest.param(flood(b"* OK ready\r\n" + b"* 1 EXISTS\r\n" * 5000, 1700),
                 "CAPABILITY: no end to the answer", id="100MB"),
    pytest.param(flood(b"\0\0\0\r\n", 20), "", id="nul"),
    pytest.param(flood(b"* OK \xff\xfe\x80 | a=1\r\n", 1), "", id="8bit"),
    pytest.param(after(), "connection closed in CAPABILITY", id="greets"),
    pytest.param(after(b"* CAPABILITY"), "connection closed in CAPABILITY", id="cut"),
    pytest.param(after(b"* CAPABILITY IMAP4rev1\r\n"), "connection closed in CAPABILITY", id="untagged"),
    pytest.param(after(b"TAG NO\r\n"), "CAPABILITY: NO", id="no"),
    pytest.param(after(b"\0" * 70000), "", id="nuls"),
])
def test_hostile(play, words):
    with Hostile(play) as server:
        began = time.monotonic()
        code, said = run("-H", "127.0.0.1", "-p", server.port, "-t", "3")
        assert time.monotonic() - began < 30
        assert code == 2, said
        assert said.count("|") <= 1 and "\0" not in said and len(said) < 2000
        assert f"127.0.0.1:{server.port} {words}" in said, said
