"""The round trip that comes back by POP3: Postfix hands over to Dovecot; a gate before it, and servers of bad will."""
import hashlib
import os
import re
import socket
import tempfile
import time
from pathlib import Path

import pytest

import dovecot as dovecot_module
import postfix as postfix_module
from dovecot import Dovecot
from postfix import Postfix
from smtpfake import Server
from trip import NAME, TOKEN, Gate, Trip, poll, sign

why_not = postfix_module.missing() or dovecot_module.missing()
pytestmark = pytest.mark.skipif(bool(why_not), reason=why_not or "-")


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory(prefix="roundtrip-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def servers(place):
    with Dovecot(place / "dc", extra="hostname = store.lab.test\n", pop3=True) as store, \
            Postfix(place / "pf", transport=store.lmtp) as relay:
        yield store, relay


@pytest.fixture
def store(servers):
    for p in servers[0].messages():
        p.unlink()
    return servers[0]


@pytest.fixture
def relay(servers):
    return servers[1]


def by_pop3(trip, port):
    return {"pop3_host": "127.0.0.1", "pop3_port": port, "pop3_tls": "none", "pop3_user": "user@lab.test",
            "pop3_password_file": trip.files / "password"}


@pytest.fixture
def trip(tmp_path, relay, store):
    t = Trip(tmp_path, relay.port)
    t.options.update(by_pop3(t, store.pop3_port))
    return t


def the_mail(store):
    poll(lambda: len(store.messages()) == 1)
    return store.messages()[0]


def test_there_and_back(trip, store):
    first = trip.run()
    assert first.code == 0, first.printed
    assert re.match(r"[0-9.]+ s, 2 hops$", first.text)
    assert 0 < first.perf["time"] < 20 and first.perf["hops"] == 2 and "pop3" in first.perf and "imap" not in first.perf
    assert first.facts.items() >= {"lost": 0, "pending": 0, "late": 0, "relay_failed": 0, "store_failed": 0}.items()
    assert store.messages() == []
    assert trip.run().code == 0 and trip.phases() == ["arrived", "arrived"] and store.messages() == []


@pytest.mark.parametrize("tls", ["starttls", "pop3s"])
def test_by_tls_and_stand_alone(trip, store, tls):
    port = store.pop3s_port if tls == "pop3s" else store.pop3_port
    good = trip.plugin(pop3_tls=tls, pop3_port=port, pop3_ca_file=store.ca, pop3_host="localhost")
    assert good.code == 0, good.printed
    assert store.messages() == []
    bad = trip.run(pop3_tls=tls, pop3_port=port, pop3_host="localhost")
    assert bad.code == 2 and "store failed: POP3 localhost" in bad.text and "TLS" in bad.text, bad.text
    assert "the relay took a mail" in bad.text


def test_only_headers_of_what_is_new_are_read(trip, store):
    """Counted at a gate: nothing is retrieved, nothing but ours deleted, and mail that was looked at is not looked at again."""
    gate = Gate(store.pop3_port)
    for i in range(12):
        store.plant(f"Subject: {i}\r\n\r\n".encode() + b"secret text\r\n" * 1000)
    sizes = []
    for _ in range(3):
        gate.commands, gate.answered = [], 0
        result = trip.run(pop3_port=gate.port, wait="0")
        assert result.code == 0, result.printed
        poll(lambda: len(store.messages()) == 13)
        sizes.append((len([c for c in gate.commands if c.startswith(b"TOP")]), gate.answered))
        assert not [c for c in gate.commands if c.split()[0] not in (b"CAPA", b"USER", b"PASS", b"AUTH", b"STAT", b"UIDL", b"TOP", b"DELE", b"QUIT")
                    and b" " in c], gate.commands
        assert all(c.endswith(b" 0") for c in gate.commands if c.startswith(b"TOP"))
    assert [n for n, _ in sizes] == [12, 1, 1] and max(b for _, b in sizes) < 12 * 1000, sizes
    assert trip.run().code == 0 and len(store.messages()) == 12
    gate.close()


def test_only_proved_own_mail_is_deleted(trip, store):
    trip.run(wait="0")
    text = the_mail(store).read_bytes()
    check, run, token, mac = TOKEN.search(text.decode()).groups()
    old = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - 7200)).encode()

    def ours(number, before=b""):
        word = hashlib.md5(str(number).encode()).hexdigest()
        return before + f"X-Monitord-Token: v1 {NAME} {number} {word} {sign(NAME, number, word)}\r\n\r\nx\r\n".encode()
    foreign = [
        text.replace(mac.encode(), sign(check, run, token, "another key of sixteen").encode()),
        text.replace(mac.encode(), b"0" * 64),
        text.replace(b"v1 " + check.encode(), b"v1 other"),
        b"Subject: foreign\r\n\r\n.\r\n.\r\n" + text,
        b"." * 70000 + b"\r\n\r\n",
        b"Subject: " + b"x" * 200000 + b"\r\n" + text,
        b"\0\0\0: \xff\r\n\r\n",
        ours(9),
    ]
    for t in foreign:
        store.plant(t)
    store.plant(ours(8, b"Received: by x.test; " + old + b"\r\n"))
    store.plant(text)
    result = trip.run()
    assert result.code == 1, result.printed
    assert "2 with our token but not our signature, left alone" in result.text and "1 arrived more than once" in result.text
    assert "1 of our mails that nobody remembered were cleaned away" in result.more
    assert sorted(p.read_bytes() for p in store.messages()) == sorted(foreign)


def test_far_looks_tell_only_between(trip, store):
    """POP3 does not say when a mail came: what was not there at one look and there at the next came between them."""
    gate = Gate(store.pop3_port)
    trip.run(wait="0", pop3_port=gate.port)
    the_mail(store)
    trip.age(50)
    result = trip.run(wait="0", warning="40s", pop3_port=gate.port)
    assert re.search(r"between [0-9.]+ s and 5[0-9] s \(the store does not tell when\)|between .* and 1 min", result.text), result.printed
    assert result.facts["delay_s"] < 40 and result.code == 0, result.printed
    gate.close()


def test_at_most_so_many_are_looked_at(trip, store):
    for i in range(9):
        store.plant(f"Subject: {i}\r\n\r\nx\r\n".encode())
    first = trip.run(wait="0", look_at_most="4")
    assert "5 older messages were not looked at" in first.more, first.printed
    poll(lambda: len(store.messages()) == 10)
    second = trip.run(wait="0", look_at_most="4")
    assert second.code == 0 and "not looked at" not in second.more and trip.phases()[0] == "arrived", second.printed


def test_a_store_that_is_gone_or_refuses(trip, store, servers):
    wrong = trip.run(pop3_password_file=trip.secret("wrong", "wr0ng-secret"))
    assert wrong.code == 2 and "store failed: POP3" in wrong.text and "login refused" in wrong.text and "wr0ng" not in wrong.printed
    assert trip.run(pop3_password_file="/nonexistent").measured is False
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    gone = trip.run(pop3_port=port)
    assert gone.code == 2 and "connection refused" in gone.text and "the relay took a mail" in gone.text, gone.text
    assert gone.facts["store_failed"] == 1 and "lost" not in gone.facts
    assert trip.phases() == ["pending"] * 3
    assert trip.run().code == 0 and store.messages() == []


@pytest.mark.parametrize("change, words", [
    ({"pop3_user": ""}, "is required with pop3_host"),
    ({"pop3_password_file": ""}, "is required with pop3_host"),
    ({"maildir": "/tmp"}, "one of imap_host, pop3_host and maildir"),
])
def test_bad_options(trip, change, words):
    trip.options = {k: v for k, v in {**trip.options, **change}.items() if v}
    result = trip.plugin()
    assert result.code == 3 and words in result.printed, result.printed


class Store(Server):
    """Speaks POP3 up to a command, then does something else; messages: their headers."""

    def __init__(self, messages=(), play=None, at="", answers=None):
        super().__init__()
        self.messages, self.play, self.at, self.answers = list(messages), play, at, answers or {}
        self.said = []

    def reply(self, verb, words):
        if verb in self.answers:
            return self.answers[verb]
        n = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        return {"CAPA": b"-ERR no\r\n", "STAT": f"+OK {len(self.messages)} 100\r\n".encode(), "UIDL": f"+OK {n} id{n}\r\n".encode(),
                "TOP": b"+OK\r\n" + (self.messages[n - 1] if 0 < n <= len(self.messages) else b"") + b"\r\n.\r\n"}.get(verb, b"+OK\r\n")

    def serve(self, client):
        if not self.at:
            return self.play(self, client)
        client.sendall(b"+OK ready\r\n")
        lines = client.makefile("rb")
        for line in lines:
            words = line.decode("latin1").split()
            self.said.append(line.decode("latin1").strip())
            if words[0] == self.at:
                return self.play(self, client)
            client.sendall(self.reply(words[0], words))
            if words[0] == "QUIT":
                return


def flood(piece, times):
    def play(_, client):
        for _ in range(times):
            client.sendall(piece)
    return play


def drip(server, client):
    for _ in range(60):
        client.sendall(b"+")
        if server.over.wait(1):
            return


SILENT = (lambda server, _: server.over.wait(60), "timed out in")
DRIP = (drip, "timed out in")
CLOSES = (lambda *_: None, "closed in")
ENDLESS = (flood(b"x" * 65536, 1600), "")
NULS = (flood(b"\0\0\0\r\n", 20), "not a POP3 answer")
EIGHT_BIT = (flood(b"\xff\xfe\x80 +OK\r\n", 2), "not a POP3 answer")


@pytest.mark.parametrize("at, play, words", [
    ("", *DRIP), *[(at, *SILENT) for at in ("", "TOP", "QUIT")],
    *[(at, *kind) for at in ("", "STAT", "UIDL", "TOP", "DELE", "QUIT") for kind in (CLOSES, ENDLESS, NULS, EIGHT_BIT)],
])
def test_hostile(trip, relay, at, play, words):
    """Each step; that mail of ours is there for the later ones is arranged. What was said before is never taken back."""
    messages = [header_of(trip, relay)] if at in ("DELE", "QUIT") else [b"Subject: x\r\n"]
    with Store(messages, play, at) as fake:
        began = time.monotonic()
        result = trip.run(wait="0", timeout=4 if "timed" in words else 20, **by_pop3(trip, fake.port))
        assert time.monotonic() - began < 40
    assert result.code == 2 and len(result.text) < 1000 and "store failed: POP3 127.0.0.1" in result.text, result.printed
    if at in ("DELE", "QUIT"):
        assert trip.phases()[0] == "arrived"
    assert (words if at else words.replace("not a POP3 answer", "does not speak POP3")) in result.text, result.text


@pytest.mark.parametrize("verb", ["DELE", "QUIT"])
def test_a_store_that_does_not_delete(trip, relay, verb):
    """It goes on working, the mail is no double when it is seen again, and it is deleted when that is possible."""
    with Store([header_of(trip, relay)], at="NOTHING", answers={verb: b"-ERR read-only\r\n"}) as fake:
        for _ in range(2):
            result = trip.run(wait="0", **by_pop3(trip, fake.port))
            assert result.code == 1 and f"cannot delete our mail: {verb}: read-only" in result.text, result.text
            assert result.perf["duplicates"] == 0 and trip.phases()[0] == "arrived"
        fake.answers = {}
        assert trip.run(wait="0", **by_pop3(trip, fake.port)).code == 0
        assert fake.said.count("DELE 1") == 3


def header_of(trip, relay):
    """A mail of ours that is under way, as the store would show it."""
    trip.run(wait="0")
    new = relay.root.parent / "dc/mail/user/Maildir/new"
    poll(lambda: list(new.iterdir()))
    found = list(new.iterdir())
    text = found[0].read_bytes().split(b"\r\n\r\n")[0].split(b"\n\n")[0]
    for p in found:
        p.unlink()
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"


@pytest.mark.parametrize("answers, words", [
    ({"STAT": b"+OK many\r\n"}, "STAT: not how many"),
    ({"STAT": b"+OK 1000000000000 1\r\n", "TOP": b"-ERR no such message\r\n"}, "no such message"),
    ({"UIDL": b"+OK 1 " + b"u" * 71 + b"\r\n"}, "UIDL: no unique id of message 1"),
    ({"UIDL": b"+OK 2 other\r\n"}, "UIDL: no unique id of message 1"),
    ({"UIDL": b"-ERR unknown command\r\n"}, "UIDL: unknown command"),
    ({"TOP": b"+OK\r\nSubject: x\r\n\r\n.\r\n+OK and more\r\n"}, "TOP: more comes than was asked for"),
    ({"TOP": b"+OK\r\n" + b"X: y\r\n" * 200000}, "is longer than 1048576 bytes, not read to its end"),
])
def test_answers_that_make_no_sense(trip, answers, words):
    with Store([b"Subject: x\r\n"], at="NOTHING", answers=answers) as fake:
        result = trip.run(wait="0", timeout=20, **by_pop3(trip, fake.port))
    assert result.code == 2 and words in result.text, result.text


def test_a_lying_store_never_makes_us_delete_what_is_not_ours(trip, relay):
    messages = [b"Subject: x\r\n", b"X-Monitord-Token: v1 %s 1 %s %s\r\n" % (NAME.encode(), b"0" * 32, b"0" * 64)] * 30
    with Store(messages, at="NOTHING") as fake:
        result = trip.run(wait="0", **by_pop3(trip, fake.port))
        assert "30 with our token but not our signature" in result.text, result.text
        assert not [c for c in fake.said if c.startswith(("DELE", "RETR"))]


def test_more_of_ours_than_one_look_takes(trip, store):
    """A mailbox full of forgotten mail of ours is emptied look by look."""
    old = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - 7200))
    for number in range(70):
        word = hashlib.md5(str(number).encode()).hexdigest()
        store.plant(f"Received: by x.test; {old}\r\nX-Monitord-Token: v1 {NAME} {number} {word} {sign(NAME, number, word)}\r\n\r\nx\r\n".encode())
    store.plant(b"Subject: foreign\r\n\r\nx\r\n")
    first = trip.run(wait="0")
    assert first.code == 0 and "64 of our mails that nobody remembered were cleaned away" in first.more, first.printed
    second = trip.run(wait="0", max_outstanding="1")
    assert "6 of our mails that nobody remembered were cleaned away" in second.more, second.printed
    assert [p.read_bytes() for p in store.messages() if b"X-Monitord" not in p.read_bytes()] == [b"Subject: foreign\r\n\r\nx\r\n"]


def test_a_mailbox_in_use_while_we_wait_is_no_failure(trip, relay):
    """The first look was good; what a later one is refused for is only that the mailbox is busy."""
    class Busy(Store):
        def serve(self, client):
            self.answers = {} if not self.said else {"PASS": b"-ERR [IN-USE] locked\r\n", "USER": b"+OK\r\n"}
            super().serve(client)
    with Busy([], at="NOTHING") as fake:
        result = trip.run(wait="1s", **by_pop3(trip, fake.port))
        assert result.code == 0 and "1 on the way" in result.text, result.text
        assert fake.said.count("STAT") == 1 and len([c for c in fake.said if c.startswith("PASS")]) > 1
