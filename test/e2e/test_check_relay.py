"""The relay probe against a real Postfix: closed, and open in one form after the other; a fake for the forms that Postfix takes
apart before it decides, and for hostile servers."""
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

import dovecot as dovecot_module
import postfix as postfix_module
from dovecot import Dovecot
from hostile import KINDS, Hostile
from postfix import Postfix
from smtpfake import FakeSMTP

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_relay"
need_postfix = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")
need_dovecot = pytest.mark.skipif(bool(dovecot_module.missing()), reason=dovecot_module.missing() or "-")


def check(port, *more, timeout=20):
    args = [CHECK, "-H", "127.0.0.1", "-p", port, "-t", timeout, *more]
    done = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


CLOSED = "reject_unauth_destination"
OPEN = {
    "plain": f"check_client_access inline:{{127.0.0.1=OK}}, {CLOSED}",
    "own domain as sender": f"check_sender_access inline:{{lab.test=OK}}, {CLOSED}",
    "empty sender": f"check_sender_access inline:{{ {{<> = OK}} }}, {CLOSED}",
    "own address as sender": f"check_sender_access inline:{{ {{[127.0.0.1] = OK}} }}, {CLOSED}",
    "sender at localhost": f"check_sender_access inline:{{localhost=OK}}, {CLOSED}",
}


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    r = Postfix(tmp_path_factory.mktemp("relay") / "pf", smtpd="smtpd -o disable_vrfy_command=yes",
                main={"mynetworks": "192.0.2.1", "smtpd_relay_restrictions": CLOSED})
    for form, rules in OPEN.items():
        r.service(form.replace(" ", "-"), f"smtpd -o {{ smtpd_relay_restrictions = {rules} }}")
    r.service("vrfy", f"smtpd -o disable_vrfy_command=no -o {{ smtpd_relay_restrictions = {CLOSED} }}")
    r.service("greylist", "smtpd -o { smtpd_relay_restrictions = defer_unauth_destination }")
    r.service("catch-all", f"smtpd -o smtpd_reject_unlisted_recipient=no -o {{ smtpd_relay_restrictions = {CLOSED} }}")
    with r:
        yield r


@need_postfix
def test_closed_postfix(relay):
    code, out = check(relay.port, "--domain", "lab.test")
    assert code == 0 and "relays nothing for strangers, 21 forms tried" in out, out
    # without a domain of ours the forms that need one are left out: seven
    code, out = check(relay.port)
    assert code == 0 and "14 forms tried" in out, out


@need_postfix
@pytest.mark.parametrize("form", OPEN)
def test_open_postfix(relay, form):
    code, out = check(relay.ports[form.replace(" ", "-")], "--domain", "lab.test")
    assert code == 2 and "is an open relay: takes RCPT TO:<" in out and f"({form})" in out.splitlines()[0], out


@need_postfix
def test_nothing_is_sent(relay):
    check(relay.ports["plain"], "--domain", "lab.test")
    assert "queued" not in relay.log() and not [p for q in ("incoming", "active", "deferred") for p in (relay.queue / q).rglob("*")
                                                if p.is_file()]


@need_postfix
def test_what_is_no_relay(relay):
    code, out = check(relay.ports["vrfy"], "--domain", "lab.test")
    assert code == 1 and "tells users by VRFY" in out, out
    assert check(relay.ports["vrfy"], "--domain", "lab.test", "--allow-vrfy")[0] == 0
    code, out = check(relay.ports["greylist"], "--domain", "lab.test")
    assert code == 1 and "forms off: 45" in out, out
    code, out = check(relay.ports["catch-all"], "--domain", "lab.test")
    assert code != 2 and "takes any user of its own domain" in out, out


@need_postfix
@need_dovecot
def test_submission(tmp_path):
    secret = tmp_path / "secret"
    with Dovecot(tmp_path / "dc") as store:
        r = Postfix(tmp_path / "pf", smtpd="smtpd -o disable_vrfy_command=yes", main={"mynetworks": "192.0.2.1", "smtpd_sasl_type": "dovecot",
                                            "smtpd_sasl_path": store.auth_socket, "smtpd_sasl_auth_enable": "yes"})
        with r:
            secret.write_text(store.password("user@lab.test"))
            secret.chmod(0o600)
            args = ["--mode", "both", "--submission-port", r.port, "-U", "user@lab.test", "--password-file", secret, "--sender",
                    "user@lab.test", "--domain", "lab.test", "--ca-file", r.ca]
            code, out = check(r.port, *args)
            assert code == 0 and "relays nothing" in out and "takes mail of user@lab.test" in out, out
            secret.write_text("wrong")
            code, out = check(r.port, *args)
            assert code == 2 and "submission 127.0.0.1" in out and "AUTH" in out, out


# what each form says, written down by hand: FROM, TO
FORMS = {
    "plain": ("<relay-test@example.org>", "<relay-test@example.net>"),
    "empty sender": ("<>", "<relay-test@example.net>"),
    "own domain as sender": ("<postmaster@own.test>", "<relay-test@example.net>"),
    "own address as sender": ("<postmaster@[127.0.0.1]>", "<relay-test@example.net>"),
    "sender without a domain": ("<postmaster>", "<relay-test@example.net>"),
    "sender at localhost": ("<postmaster@localhost>", "<relay-test@example.net>"),
    "percent": ("<relay-test@example.org>", "<relay-test%example.net>"),
    "percent at own domain": ("<relay-test@example.org>", "<relay-test%example.net@own.test>"),
    "percent at own address": ("<relay-test@example.org>", "<relay-test%example.net@[127.0.0.1]>"),
    "quoted": ("<relay-test@example.org>", '<"relay-test@example.net">'),
    "quoted percent": ("<relay-test@example.org>", '<"relay-test%example.net">'),
    "quoted at own domain": ("<relay-test@example.org>", '<"relay-test@example.net"@own.test>'),
    "quoted at own address": ("<relay-test@example.org>", '<"relay-test@example.net"@[127.0.0.1]>'),
    "two at signs, own domain": ("<relay-test@example.org>", "<relay-test@example.net@own.test>"),
    "two at signs, own address": ("<relay-test@example.org>", "<relay-test@example.net@[127.0.0.1]>"),
    "source route by own domain": ("<relay-test@example.org>", "<@own.test:relay-test@example.net>"),
    "source route by own address": ("<relay-test@example.org>", "<@[127.0.0.1]:relay-test@example.net>"),
    "bang": ("<relay-test@example.org>", "<example.net!relay-test>"),
    "bang at own domain": ("<relay-test@example.org>", "<example.net!relay-test@own.test>"),
    "bang at own address": ("<relay-test@example.org>", "<example.net!relay-test@[127.0.0.1]>"),
    "own sender and percent": ("<postmaster@own.test>", "<relay-test%example.net@own.test>"),
}


class Takes(FakeSMTP):
    """Refuses every recipient but one form's."""

    def __init__(self, form):
        super().__init__({"RSET": "250 ok\r\n", "VRFY": "502 no\r\n", "EXPN": "502 no\r\n"})
        self.form = form

    def act(self, client, answer):
        said = self.sessions[-1]
        if said and said[-1].startswith("RCPT TO:"):
            sender = [x for x in said if x.startswith("MAIL FROM:")][-1][10:]
            answer = "250 ok\r\n" if (sender, said[-1][8:]) == FORMS[self.form] else "550 no\r\n"
        super().act(client, answer)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_found(form):
    with Takes(form) as fake:
        code, out = check(fake.port, "--domain", "own.test")
        said = [line for s in fake.sessions for line in s]
    assert code == 2 and f"({form})" in out.splitlines()[0] and FORMS[form][1][1:-1] in out, out
    assert "taken=1;" in out or re.search(r"taken=1\b", out), out
    assert not [x for x in said if x.startswith("DATA")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [b"", b"220 hello\r\n"], ids=["at once", "after the greeting"])
def test_hostile(kind, first):
    with Hostile(kind, first) as fake:
        start = time.monotonic()
        code, out = check(fake.port, timeout=2)
        assert code == 2 and time.monotonic() - start < 30, out
        assert fake.sent < 20e6
        words = {"silent": "no ", "drips": "no ", "closes": "closes"}.get(kind, "does not speak SMTP")
        assert words in out or "no greeting" in out, out


def test_refused():
    with FakeSMTP() as fake:
        port = fake.port
    code, out = check(port)
    assert code == 2 and "refuses the connection" in out, out
    assert check(port, "--from", "x y")[0] == 3
    assert check(port, "--mode", "submission")[0] == 3


def facts(port):
    job = {"v": 1, "run": "1", "check": "r", "probe": "relay", "state": "", "timeout_ms": 20000,
           "options": {"host": "127.0.0.1", "port": str(port), "domain": "own.test"}}
    done = subprocess.run([CHECK.parent / "prober", "--place", "net"], input=json.dumps(job) + "\n", stdout=subprocess.PIPE, text=True,
                          timeout=60)
    return json.loads(done.stdout.splitlines()[-1])["facts"]


def test_facts():
    """What the diagnosis reads; nothing is said of a relay that nobody could ask."""
    with Takes("bang") as fake:
        assert facts(fake.port) == {"addresses": 1, "open_relay": 1, "open_relay_form": "bang", "vrfy": 0, "expn": 0}
    with FakeSMTP({"RSET": "250 ok\r\n", "RCPT": "550 no\r\n"}) as fake:
        assert facts(fake.port) == {"addresses": 1, "open_relay": 0, "vrfy": 0, "expn": 0}
    assert facts(fake.port) == {"addresses": 1}
