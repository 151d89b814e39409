"""The email notifier with a real Postfix, and with servers that go wrong at each point of the dialogue."""
import base64
import email
import email.policy
import json
import os
import shutil
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

import coprocess
import postfix

PROGRAM = Path(os.environ.get("BUILD", "build")).resolve() / "notify_email"
needs_postfix = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing() or "-")


def options(port, **more):
    return {"host": "127.0.0.1", "port": str(port), "from": "monitord@lab.test", "helo": "ops.lab.test", "test_interval": "0", **more}


def send(opts, **page):
    with coprocess.Notifier(PROGRAM, opts) as n:
        outcome = n.page(**{"to": "user@lab.test", **page})
        assert n.close() == 0
        return outcome, n


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain for " + what)


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    with postfix.Postfix(tmp_path_factory.mktemp("pf") / "pf", main={"smtpd_tls_received_header": "yes"}) as r:
        yield r


def delivered(relay, before):
    new = until(lambda: [m for m in relay.messages() if m not in before], "the mail in the Maildir")
    return [email.message_from_bytes(m.read_bytes(), policy=email.policy.default) for m in new]


# --- a real server ---

@needs_postfix
@pytest.mark.parametrize("text", [
    "connect refused",
    "ホスト mx1 への接続が拒否されました: キューに 20134 通、増加 +1200/分、上位クライアント 192.0.2.7、" + "長" * 60,
    "=?UTF-8?B?SGVsbG8=?= is not an encoded word here",
    "x" * 300,
    "Zürich: ß ä ö ü",
])
def test_mail_as_a_person_reads_it(relay, text):
    before = relay.messages()
    more = ".\n..dots at the start\nFrom here\ntrailing blank \n" + "y" * 200 + "\nEnde: äöü = 100 %\n"
    outcome, n = send(options(relay.port), text=text, more=more, resend=True)
    assert outcome["result"] == "sent" and outcome["detail"].startswith("250"), outcome
    assert n.health[-1]["ok"]
    m, = delivered(relay, before)
    subject = m["Subject"]
    assert subject.startswith("CRITICAL") or "CRITICAL" in subject
    assert "K7Q2M" in subject and text[:8] in subject
    assert m["Auto-Submitted"] == "auto-generated"
    assert m["From"] == "monitord <monitord@lab.test>" and m["To"] == "user@lab.test"
    assert m["Return-Path"] == "<monitord@lab.test>"
    assert m["Message-ID"] == "<page.p1@ops.lab.test>"
    assert m["References"] == m["In-Reply-To"] == "<incident.K7Q2M@ops.lab.test>"
    assert abs(m["Date"].datetime.timestamp() - time.time()) < 120
    assert not m.defects and m.get_content_type() == "text/plain" and m.get_content_charset() == "utf-8"
    body = m.get_content()
    assert body.startswith(text + "\n")
    assert "This may have reached you already" in body
    assert more.strip("\n") in body
    assert "ops.lab.test" in m["Received"]


@needs_postfix
def test_headers_are_legal_on_the_wire(relay):
    before = relay.messages()
    send(options(relay.port), text="日本語の" * 60)
    new = until(lambda: [m for m in relay.messages() if m not in before], "the mail")
    raw = new[0].read_bytes()
    head, _, body = raw.partition(b"\n\n")
    assert all(b < 0x80 for b in raw)
    lines = head.split(b"\n")
    at = next(i for i, x in enumerate(lines) if x.startswith(b"Subject:"))
    folded = [lines[at]] + [x for x in lines[at + 1:at + 20] if x.startswith(b" ")]
    assert len(folded) > 1
    for x in folded:
        assert len(x) <= 76
        for word in x.split():
            if word.startswith(b"=?"):
                assert len(word) <= 75
                email.header.decode_header(word.decode())[0][0].decode("utf-8")  # no character is split over two words
    assert max(map(len, body.split(b"\n"))) <= 76


@needs_postfix
def test_refused_recipient_and_greylisting(tmp_path):
    rules = ("check_recipient_access inline:{ { busy@lab.test = 450 4.2.0 greylisted }"
             " { gone@lab.test = 550 5.1.1 no such user } }, permit")
    with postfix.Postfix(tmp_path / "pf", main={"smtpd_recipient_restrictions": rules}) as relay:
        outcome, n = send(options(relay.port), to="gone@lab.test")
        assert outcome["result"] == "refused" and "5.1.1" in outcome["detail"] and "no such user" in outcome["detail"]
        # about that address, not about the line
        assert all(h["ok"] for h in n.health)
        outcome, _ = send(options(relay.port), to="busy@lab.test")
        assert outcome["result"] == "retry" and "greylisted" in outcome["detail"]


@needs_postfix
@pytest.mark.parametrize("more, result, detail", [
    ({"tls": "required", "ca_file": "CA", "tls_name": "mx.lab.test"}, "sent", "250"),
    ({"tls": "required", "ca_file": "CA"}, "sent", "250"),                       # the certificate has 127.0.0.1 in it
    ({"tls": "opportunistic"}, "sent", "250"),
    ({"tls": "none"}, "sent", "250"),
    ({"tls": "required"}, "retry", "certificate"),                               # the system does not know this authority
    ({"tls": "required", "ca_file": "CA", "tls_name": "other.example"}, "retry", "other.example"),
    ({"tls": "opportunistic", "ca_file": "CA", "tls_name": "other.example"}, "retry", "other.example"),
])
def test_tls(relay, more, result, detail):
    more = {k: str(relay.ca) if v == "CA" else v for k, v in more.items()}
    before = relay.messages()
    outcome, _ = send(options(relay.port, **more))
    assert outcome["result"] == result and detail in outcome["detail"], outcome
    if result == "sent":
        m, = delivered(relay, before)
        seen = "(using TLS" in str(m["Received"])
        assert seen == (more["tls"] != "none")


@needs_postfix
def test_ipv6_and_no_tls_offered(tmp_path):
    if not postfix.has_ipv6():
        pytest.skip("no IPv6 here")
    with postfix.Postfix(tmp_path / "pf", ipv6=True, tls=False) as relay:
        outcome, _ = send(dict(options(relay.port), host="::1"))
        assert outcome["result"] == "sent"
        outcome, _ = send(options(relay.port, tls="required"))
        assert outcome["result"] == "retry"  # never in the clear when that was asked for


def started(relay):
    """Meanwhile anybody may have been given its port for a connection."""
    try:
        return relay.start()
    except RuntimeError:
        return None


@needs_postfix
def test_stopped_and_started_again(tmp_path):
    with postfix.Postfix(tmp_path / "pf") as relay:
        with coprocess.Notifier(PROGRAM, options(relay.port, test_interval="1")) as n:
            assert n.wait_health()["ok"]  # it tries the server by itself
            relay.stop()
            until(lambda: not n.wait_health()["ok"], "the line to say that it is down")
            assert n.page(id="a", to="user@lab.test")["result"] == "retry"
            until(lambda: started(relay), "Postfix to start again")
            until(lambda: n.wait_health()["ok"], "the line to say that it is up")
            assert n.page(id="b", to="user@lab.test")["result"] == "sent"
        until(lambda: len(relay.messages()) == 1, "one mail")


# --- servers that go wrong ---

class Server:
    """Answers as told: a function (command line or None for the greeting, state) -> bytes, or None to close."""

    def __init__(self, answer, tls=None):
        self.answer, self.tls = answer, tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn:
                self._session(conn)

    def _session(self, conn):
        if self.tls:
            conn = self.tls.wrap_socket(conn, server_side=True)
        data, body = conn.makefile("rb"), False
        reply = self.answer("connect")
        while reply is not None:
            conn.sendall(reply)
            if reply.startswith(b"354"):
                body = True
            line = data.readline()
            if not line:
                return
            if body:
                while line not in (b".\r\n", b""):
                    self.got.append(line)
                    line = data.readline()
                body = False
                reply = self.answer("dot")
            else:
                self.got.append(line)
                reply = self.answer(line.split()[0].decode().upper().split(":")[0])

    def close(self):
        self.listener.close()


GOOD = {"connect": b"220 hello\r\n", "EHLO": b"250-hello\r\n250 8BITMIME\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n",
        "DATA": b"354 go on\r\n", "dot": b"250 2.0.0 taken\r\n", "QUIT": b"221 bye\r\n"}


@pytest.fixture
def server():
    made = []

    def make(changes, tls=None):
        made.append(Server(lambda c: {**GOOD, **changes}.get(c, b"502 what?\r\n"), tls))
        return made[-1]
    yield make
    for s in made:
        s.close()


@pytest.mark.parametrize("changes, result, detail", [
    ({}, "sent", "250 2.0.0 taken"),
    ({"connect": b"220-one\r\n220-two\r\n220 three\r\n"}, "sent", "250"),
    ({"MAIL": b"250-a\r\n250-b\r\n250 c\r\n"}, "sent", "250"),
    ({"QUIT": None}, "sent", "250"),
    ({"connect": b"554 go away\r\n"}, "refused", "554 go away"),
    ({"connect": b"421 too busy\r\n"}, "retry", "421 too busy"),
    ({"connect": None}, "retry", ""),
    ({"connect": b"HTTP/1.1 400 Bad Request\r\n"}, "retry", ""),
    ({"MAIL": b"451 later\r\n"}, "retry", "451 later"),
    ({"MAIL": b"550 not you\r\n"}, "refused", "550 not you"),
    ({"MAIL": None}, "retry", "broke"),
    ({"MAIL": b"nonsense\r\n"}, "retry", ""),
    ({"RCPT": b"452 full\r\n"}, "retry", "452 full"),
    ({"RCPT": b"550 unknown\r\n"}, "refused", "550 unknown"),
    ({"RCPT": None}, "retry", "broke"),
    ({"DATA": b"451 no\r\n"}, "retry", "451"),
    ({"DATA": b"554 no\r\n"}, "refused", "554"),
    ({"DATA": b"250 what\r\n"}, "retry", "250 what"),
    ({"dot": b"452 4.3.1 disk full\r\n"}, "retry", "452"),
    ({"dot": b"554 5.7.1 spam\r\n"}, "refused", "554"),
    ({"dot": None}, "doubtful", "may have been taken"),
    ({"dot": b"25"}, "doubtful", "may have been taken"),
])
def test_each_answer(server, changes, result, detail):
    s = server(changes)
    outcome, _ = send(options(s.port), deadline_ms=3000)
    assert outcome["result"] == result and detail in outcome["detail"], outcome


@pytest.mark.parametrize("silent, result", [("connect", "retry"), ("EHLO", "retry"), ("MAIL", "retry"), ("DATA", "retry"),
                                            ("dot", "doubtful"), ("QUIT", "sent")])
def test_silence_is_bounded_by_the_deadline(server, silent, result):
    s = server({silent: b""})
    start = time.monotonic()
    outcome, _ = send(options(s.port), deadline_ms=2000)
    assert outcome["result"] == result, outcome
    assert time.monotonic() - start < 20


def test_connection_cut_in_the_text(server):
    """Before the dot nothing can have been taken: retry."""
    s = server({})
    original = s._session

    def cut(conn):
        data = conn.makefile("rb")
        conn.sendall(GOOD["connect"])
        for line in data:
            word = line.split()[0].decode().upper().split(":")[0]
            conn.sendall(GOOD[word])
            if word == "DATA":
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
    s._session = cut
    assert original
    outcome, _ = send(options(s.port), more="x" * 6000, deadline_ms=5000)
    # small mails fit into the socket's buffer: then the dot left, too, and nobody knows
    assert outcome["result"] in ("retry", "doubtful")


def test_text_is_not_ended_early(server):
    s = server({})
    outcome, _ = send(options(s.port), text=".", more=".\n.\r\n..\nQUIT\n")
    assert outcome["result"] == "sent"
    body = b"".join(s.got)
    assert body.count(b"=2E") == 4 and b"\r\n.\r\n" not in body


def test_address_is_no_command(server):
    s = server({})
    for bad in ("a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", "nobody", "@x", "x@", "ü@x.example", "a@b@c", "<a@b.example>"):
        outcome, _ = send(options(s.port), to=bad)
        assert outcome["result"] == "refused" and "mail address" in outcome["detail"]
    assert s.got == []


def test_password_only_over_tls_and_from_a_file(tmp_path, server):
    authority = postfix.Authority(tmp_path / "tls")
    pem, key = authority.certificate("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    secret = tmp_path / "secret"
    secret.write_text("s3cret word\n")
    secret.chmod(0o600)
    word = base64.b64encode(b"\0ops\0s3cret word")
    auth = {"EHLO": b"250-hello\r\n250 AUTH PLAIN\r\n", "AUTH": b"334 \r\n", word.decode().upper(): b"235 welcome\r\n"}
    s = server(auth, context)
    opts = options(s.port, tls="wrapped", ca_file=str(authority.ca), user="ops", password=str(secret))
    outcome, n = send(opts)
    assert outcome["result"] == "sent", outcome
    assert word + b"\r\n" in s.got
    assert b"s3cret" not in b"".join(n.errors)
    s = server({**auth, word.decode().upper(): b"535 5.7.8 no\r\n"}, context)
    outcome, _ = send(dict(opts, port=str(s.port)))
    assert outcome["result"] == "refused" and "535" in outcome["detail"]
    # a password that others may read is no secret: the line says so and does not start
    secret.chmod(0o644)
    n = coprocess.Notifier(PROGRAM, opts)
    assert not n.wait_health()["ok"]
    assert n.p.wait(30) == 1


def test_no_name_is_looked_up_and_no_proxy_asked(server):
    s = server({})
    env = dict(os.environ, http_proxy="http://127.0.0.1:1", all_proxy="socks5://127.0.0.1:1", ALL_PROXY="socks5://127.0.0.1:1")
    with coprocess.Notifier(PROGRAM, options(s.port, tls_name="no.such.name.invalid"), env=env) as n:
        assert n.page(to="user@lab.test")["result"] == "sent"


def test_validate():
    base = {"host": "192.0.2.1", "from": "m@lab.test"}
    cases = [(base, ["a@b.example"], None), ({"from": "m@lab.test"}, [], "host"), (dict(base, host="mx.lab.test"), [], "host"),
             (dict(base, host="::1"), [], None), ({"host": "192.0.2.1"}, [], "from"), (dict(base, **{"from": "x"}), [], "from"),
             (dict(base, user="u"), [], "password"), (dict(base, user="u", password="/p"), [], "tls"),
             (dict(base, user="u", password="/p", tls="required"), [], None), (dict(base, port="0"), [], "port"),
             (dict(base, tls="none", tls_name="x"), [], "tls"), (dict(base, helo="a b"), [], "helo"),
             (base, ["nobody"], "to"), (dict(base, prot="1"), [], "prot")]
    answers = coprocess.validate(PROGRAM, *({"options": o, "to": t} for o, t, _ in cases))
    for (o, t, item), a in zip(cases, answers):
        assert a["ok"] == (item is None), (o, t, a)
        if item:
            assert a["complaints"][0]["item"] == item, (o, a)
    assert shutil.which("true") and json.dumps(answers)
