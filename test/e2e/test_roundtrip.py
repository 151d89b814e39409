"""The round trip through a real Postfix and a real Dovecot: delays, hops, what is late, lost, doubled, forged."""
import email
import hashlib
import json
import os
import re
import select
import socket
import tempfile
import time
from pathlib import Path

import pytest

import dovecot as dovecot_module
import postfix as postfix_module
from dovecot import Dovecot
from postfix import Postfix
from trip import KEY, NAME, TOKEN, Gate, Trip, poll, sign

why_not = postfix_module.missing() or dovecot_module.missing()
pytestmark = pytest.mark.skipif(bool(why_not), reason=why_not or "-")


@pytest.fixture
def place():
    """Not tmp_path: pytest closes the folder above it to all other users again whenever a second session starts."""
    with tempfile.TemporaryDirectory(prefix="roundtrip-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture
def store(place):
    with Dovecot(place / "dc", extra="hostname = store.lab.test\n") as server:
        yield server


@pytest.fixture
def relay(place, store):
    with Postfix(place / "pf", transport=store.lmtp) as server:
        yield server


@pytest.fixture
def trip(place, relay, store):
    return Trip(place, relay.port, store.imap_port)


def queued(relay):
    """Queue ids that Postfix has."""
    out = relay.command("postqueue", "-j").stdout
    return {json.loads(line)["queue_id"] for line in out.splitlines()}


def hold_back(relay):
    """From now on the relay takes mail and delivers none."""
    relay.set("defer_transports", "lmtp")
    # a reload is done when a new process of the queue manager has read it
    poll(lambda: "refresh" in relay.log() or "reload" in relay.log())


def let_go(relay, store, n):
    relay.set("defer_transports", "")

    def delivered():
        relay.command("postqueue", "-f", check=False)
        return len(store.messages()) >= n
    poll(delivered)


def the_mail(store):
    """The one message in the mailbox, once it is there."""
    poll(lambda: len(store.messages()) == 1)
    return store.messages()[0]


# --- it works ---

def test_both_servers_and_the_hops_between(trip, store, relay):
    first = trip.run()
    assert first.code == 0, first.printed
    assert re.match(r"[0-9.]+ s, 2 hops$", first.text)
    assert 0 < first.perf["time"] < 20
    assert first.perf["hops"] == 2
    assert first.perf["lost"] == first.perf["pending"] == first.perf["duplicates"] == 0
    assert re.search(r"^hop 1 mx\.lab\.test: ", first.more, re.M)
    assert re.search(r"^hop 2 store\.lab\.test: ", first.more, re.M)
    assert store.messages() == []
    assert trip.run().code == 0
    assert trip.phases() == ["arrived", "arrived"]
    assert store.messages() == []


def test_stand_alone(trip, store):
    first = trip.plugin()
    assert first.code == 0, first.printed
    assert re.match(r"ROUNDTRIP OK: [0-9.]+ s, 2 hops$", first.text)
    assert 0 < first.perf["time"] < 20
    state = list((trip.root / "state").glob("*.state"))
    assert len(state) == 1
    assert [m["phase"] for m in json.loads(state[0].read_text())["mails"]] == ["arrived"]
    assert trip.plugin().code == 0
    assert [m["phase"] for m in json.loads(state[0].read_text())["mails"]] == ["arrived", "arrived"]
    assert store.messages() == []


def test_the_mail_itself(trip, store):
    assert trip.run(wait="0").code == 0
    assert trip.phases() == ["pending"]
    text = the_mail(store).read_bytes()
    mail = email.message_from_bytes(text)
    check, run, token, mac = TOKEN.fullmatch(mail["X-Monitord-Token"]).groups()
    assert check == NAME
    assert mac == sign(check, run, token)
    assert [m["token"] for m in trip.state()["mails"]] == [token]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"] == "monitord@lab.test" and mail["To"] == "user@lab.test"
    assert token in mail["Message-ID"]
    assert mail["Subject"].isascii() and mail["Date"]
    assert KEY.encode() not in text
    # and the next run settles it
    second = trip.run()
    assert second.code == 0, second.printed
    assert trip.phases() == ["arrived", "arrived"]
    assert store.messages() == []


def test_a_slow_hop_is_named(trip, store, relay):
    hold_back(relay)
    assert trip.run(wait="0").code == 0
    poll(lambda: "deferred" in relay.log())
    sent = trip.state()["mails"][0]["sent"]["wall_ms"] / 1000
    poll(lambda: time.time() - sent > 3)
    let_go(relay, store, 1)
    hold_back(relay)
    second = trip.run(wait="0")
    assert re.search(r"slowest hop store\.lab\.test [0-9]+ s", second.text), second.printed
    assert second.facts["hop_slow"] == "store.lab.test" and second.facts["delay_s"] > 2, second.facts
    assert re.search(r"^hop 1 mx\.lab\.test: under 1 s$", second.more, re.M), second.printed
    assert second.perf["time"] > 2


@pytest.mark.parametrize("tls", ["starttls", "imaps"])
def test_store_by_tls(trip, store, tls):
    port = store.imaps_port if tls == "imaps" else store.imap_port
    good = trip.run(imap_tls=tls, imap_port=port, imap_ca_file=store.ca, imap_host="localhost")
    assert good.code == 0, good.printed
    other = store.root / "other"
    dovecot_module.make_ca(other)
    bad = trip.run(imap_tls=tls, imap_port=port, imap_ca_file=other / "ca.pem", imap_host="localhost")
    assert bad.code == 2
    assert "store failed" in bad.text and "TLS" in bad.text
    assert "the relay took a mail" in bad.text


def test_certificate_of_another_name(trip, store):
    dovecot_module.make_ca(store.root / "tls", names="DNS:elsewhere.lab.test")
    store.stop()
    store.start()
    bad = trip.run(imap_tls="starttls", imap_ca_file=store.ca, imap_port=store.imap_port)
    assert bad.code == 2
    assert "store failed" in bad.text and "TLS" in bad.text


def test_relay_with_login(place, store):
    settings = {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": store.auth_socket,
                "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
                "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject"}
    with Postfix(place / "pf", transport=store.lmtp, main=settings) as relay:
        trip = Trip(place, relay.port, store.imap_port)
        stranger = trip.run()
        assert stranger.code in (1, 2) and "relay" in stranger.text and "RCPT" in stranger.text
        assert trip.phases() == []
        login = {"smtp_host": "localhost", "smtp_tls": "starttls", "smtp_ca_file": relay.ca,
                 "smtp_user": "user@lab.test", "smtp_password_file": trip.files / "password"}
        known = trip.run(**login)
        assert known.code == 0, known.printed + relay.log()
        wrong = trip.run(**{**login, "smtp_password_file": trip.secret("wrong", "wr0ng-secret")})
        assert wrong.code == 2 and "relay" in wrong.text
        assert "wr0ng-secret" not in wrong.printed


# --- late, lost, doubled, forged ---

def test_pending_late_lost_and_back(trip, store, relay):
    hold_back(relay)
    first = trip.run(wait="0")
    assert first.code == 0 and "on the way" in first.text
    trip.age(90)
    late = trip.run(wait="0")
    assert late.code == 1
    assert "1 late, on the way for 1 min" in late.text
    assert late.facts["late"] == 1 and late.facts["pending"] == 2 and late.facts["oldest_s"] >= 90, late.facts
    assert late.perf["late"] == 1
    trip.age(240)
    assert trip.run(wait="0").code == 2
    trip.age(1800)
    lost = trip.run(wait="0")
    assert lost.code == 2
    assert re.search(r"[23] lost", lost.text) and lost.perf["lost"] >= 2
    assert lost.facts["lost"] >= 2 and lost.facts["relay_failed"] == 0 and "delay_s" not in lost.facts, lost.facts
    trip.age(3 * 3600)
    n = len(queued(relay))
    let_go(relay, store, n)
    back = trip.run()
    assert "counted lost" in back.text and re.search(r"arrived after 3 h", back.text), back.printed
    assert back.code == 0, back.printed
    assert store.messages() == []
    assert set(trip.phases()) == {"arrived"}


def test_lost_while_later_mail_arrives(trip, store, relay):
    hold_back(relay)
    assert trip.run(wait="0").code == 0
    relay.command("postsuper", "-d", "ALL")
    relay.set("defer_transports", "")
    trip.age(1900)
    mixed = trip.run()
    assert mixed.code == 1, mixed.printed
    assert "1 lost, later mail arrives" in mixed.text
    trip.age(1900)
    assert trip.run().code == 0


def test_a_doubled_mail(trip, store):
    trip.run(wait="0")
    original = the_mail(store)
    store.plant(original.read_bytes())
    double = trip.run()
    assert double.code == 1
    assert "1 arrived more than once" in double.text
    assert double.perf["duplicates"] == 1
    assert store.messages() == []
    assert trip.run().code == 1  # long enough for a second and third look to confirm it
    trip.age(1900)
    assert trip.run().code == 0


def test_a_copy_that_comes_after_the_first_was_deleted(trip, store):
    trip.run(wait="0")
    text = the_mail(store).read_bytes()
    assert trip.run().code == 0
    store.plant(text)
    assert trip.run().code == 1
    assert store.messages() == []


def test_only_proved_own_mail_is_deleted(trip, store):
    trip.run(wait="0")
    original = the_mail(store)
    text = original.read_bytes()
    check, run, token, mac = TOKEN.search(text.decode()).groups()
    foreign = [
        text.replace(mac.encode(), sign(check, run, token, "another key of sixteen").encode()),
        text.replace(mac.encode(), b"0" * 64),
        text.replace(b"v1 " + check.encode(), b"v1 other"),
        text.replace(b"X-Monitord-Token: v1", b"X-Monitord-Token: v2"),
        b"Subject: just talking about X-Monitord-Token: " + TOKEN.search(text.decode()).group().encode() + b"\r\n\r\nx\r\n",
        b"X-Monitord-Token: " + token.encode() + b"\r\n\r\nx\r\n",
        b"Subject: foreign\r\n\r\n" + text,
    ]
    planted = [store.plant(t) for t in foreign]
    marked = store.plant(b"Subject: somebody else marked this deleted\r\n\r\nx\r\n", folder="cur")
    marked = marked.rename(marked.with_name(marked.name + "T"))
    result = trip.run()
    assert result.code == 1, result.printed
    assert "2 with our token but not our signature, left alone" in result.text
    left = {p.read_bytes() for p in store.messages()}
    assert left == set(foreign) | {b"Subject: somebody else marked this deleted\r\n\r\nx\r\n"}
    assert len(planted) == len(foreign) and trip.phases() == ["arrived", "arrived"]


def test_store_without_uidplus(place):
    capability = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+"
    with Dovecot(place / "dc", capability=capability) as store, \
            Postfix(place / "pf", transport=store.lmtp) as relay:
        other = store.plant(b"Subject: marked deleted by somebody\r\n\r\nx\r\n", folder="cur")
        other.rename(other.with_name(other.name + "T"))
        trip = Trip(place, relay.port, store.imap_port)
        for _ in range(3):
            result = trip.run()
            assert result.code == 0, result.printed
            assert "no UIDPLUS" in result.more
            assert result.perf["duplicates"] == 0
        assert len(store.messages()) == 4
        assert all(p.name.endswith("T") for p in store.messages())


def test_mail_of_a_lost_state_is_cleaned(trip, store):
    def planted(run, age, key=KEY):
        token = hashlib.md5(str(run).encode()).hexdigest()
        path = store.plant(f"X-Monitord-Token: v1 {NAME} {run} {token} {sign(NAME, run, token, key)}\r\n\r\nx\r\n".encode())
        os.utime(path, (time.time() - age, time.time() - age))
    planted(1, 7200)
    planted(2, 7200, "some other key of sixteen")
    planted(3, 60)  # perhaps another check with the same key still waits for it
    result = trip.run()
    assert "1 of our mails that nobody remembered were cleaned away" in result.more, result.printed
    assert len(store.messages()) == 2


def test_a_damaged_state_is_said(trip):
    assert trip.run().code == 0
    trip.saved = '{"v":1,"mails":"x"}'
    result = trip.run()
    assert result.code == 0
    assert "the stored state was thrown away" in result.more


# --- which side failed ---

def test_relay_stopped(trip, store, relay):
    assert trip.run().code == 0
    relay.stop()
    result = trip.run()
    assert result.code == 2
    assert "relay 127.0.0.1" in result.text and "store" not in result.text
    assert result.facts.items() >= {"relay_failed": 1, "store_failed": 0, "refused": 1, "lost": 0}.items(), result.facts
    assert trip.phases() == ["arrived"]  # certainly not sent: not under way
    relay.start()
    assert trip.run().code == 0


def test_store_stopped(trip, store, relay):
    assert trip.run().code == 0
    store.stop()
    result = trip.run()
    assert result.code == 2
    assert "store failed: IMAP 127.0.0.1" in result.text and "connection refused" in result.text
    assert "the relay took a mail" in result.text
    for _ in range(6):
        trip.run()
    assert trip.phases().count("pending") == 5
    trip.age(200)  # nobody could look: neither late nor lost
    assert "late" not in trip.run().text
    store.start()
    let_go(relay, store, 5)
    back = trip.run()
    assert back.code == 0, back.printed
    assert back.perf["pending"] == 0 and store.messages() == []


def test_store_says_nothing(trip, store, relay):
    gate = Gate(store.imap_port)
    gate.mode = "silent"
    start = time.monotonic()
    result = trip.run(imap_port=gate.port, timeout=20, wait="1s")
    assert time.monotonic() - start < 40
    assert result.code == 2
    assert "store failed" in result.text and "timed out in greeting" in result.text
    assert "the relay took a mail" in result.text
    gate.close()


def test_wrong_password(trip, store):
    result = trip.run(imap_password_file=trip.secret("wrong", "wr0ng-secret"))
    assert result.code == 2
    assert "store failed" in result.text and "login refused" in result.text
    assert "wr0ng-secret" not in result.printed


def test_no_such_mailbox(trip):
    result = trip.run(mailbox="Nowhere")
    assert result.code == 2
    assert "store failed" in result.text and "SELECT: NO" in result.text


@pytest.mark.parametrize("change, words", [
    ({"state_dir": None}, "the token could not be stored"),
    ({"key_file": "/nonexistent/key"}, "key_file"),
    ({"from": "not an address"}, "not a plain mail address"),
    ({"critical": "1s"}, "must not be less than warning"),
    ({"max_outstanding": "6"}, "max"),
    ({"smtp_user": "me"}, "go together"),
    ({"mailbox": "a\r\nb"}, "mailbox"),
])
def test_what_cannot_be_measured_sends_nothing(trip, store, relay, change, words):
    result = trip.plugin(**change)
    assert result.code == 3
    assert words in result.printed
    assert "250 2.0.0 Ok: queued" not in relay.log() and queued(relay) == set() and store.messages() == []


def test_a_short_or_open_key_is_refused(trip):
    assert "shorter than 16 bytes" in trip.run(key_file=trip.secret("short", "fifteen bytes..")).text
    open_key = trip.secret("open", KEY)
    open_key.chmod(0o644)
    assert trip.run(key_file=open_key).code == 3


# --- limits ---

def test_at_most_five_under_way(trip, relay):
    hold_back(relay)
    for i in range(8):
        result = trip.run(wait="0")
        assert len(queued(relay)) == min(i + 1, 5)
    assert "nothing was sent" in result.more
    assert result.perf["pending"] == 5


def test_fewer_when_so_configured(trip, relay):
    hold_back(relay)
    for _ in range(4):
        trip.run(wait="0", max_outstanding="2")
    assert len(queued(relay)) == 2


def test_a_full_mailbox_is_not_read(trip, store, relay, capsys):
    """Counted, not timed: as many commands, and hardly more bytes, as for an empty mailbox."""
    gate = Gate(store.imap_port)

    def measure():
        gate.commands, gate.answered = [], 0
        start = time.monotonic()
        result = trip.run(imap_port=gate.port, wait="0")
        seconds = time.monotonic() - start
        assert result.code == 0, result.printed
        poll(lambda: len(store.messages()) == measure.others + 1)
        return [c.split()[1:3] for c in gate.commands], gate.answered, seconds
    measure.others = 0
    for _ in range(2):
        small = measure()
    measure.others = 50000
    seed = store.plant(b"Subject: one of many\r\nFrom: a@lab.test\r\n\r\n" + b"x" * 500 + b"\r\n")
    for i in range(49999):
        os.link(seed, seed.with_name(f"{i}.many.planted"))
    measure()  # the server takes them into its index once
    large = measure()
    assert large[0] == small[0]
    assert [b"UID", b"SEARCH"] in large[0]
    assert large[1] < small[1] + 1000
    with capsys.disabled():
        print(f"\nround trip beside 0 mails: {small[1]} bytes, {small[2]:.3f} s;"
              f" beside 50,000: {large[1]} bytes, {large[2]:.3f} s")
    gate.close()


# --- crashes ---

def test_killed_between_store_and_send(trip, store, relay):
    gate = Gate(relay.port)
    gate.mode = "silent"
    trip.run_and_kill_when(lambda: gate.visits, smtp_port=gate.port)
    assert trip.phases() == ["sent"]
    result = trip.run()
    assert result.code == 0, result.printed
    assert trip.phases() == ["sent", "arrived"]
    trip.age(1900)
    assert trip.run().code == 0  # never confirmed, so never lost
    assert trip.phases()[0] == "unconfirmed"
    gate.close()


def test_answer_to_the_mail_never_comes(trip, store, relay):
    """It was taken all the same: the token is known, and the next run finds the mail."""
    gate = Gate(relay.port)
    gate.mode = "no-answer"
    result = trip.run(timeout=6, wait="0", smtp_port=gate.port)
    assert result.code == 2 and "relay" in result.text, result.printed
    assert trip.phases() == ["sent"]
    the_mail(store)
    assert trip.run().code == 0
    assert trip.phases() == ["arrived", "arrived"]
    assert store.messages() == []
    gate.close()


def test_killed_between_finding_and_deleting(trip, store):
    """What was seen is stored before it is deleted, so it is neither lost nor doubled."""
    trip.run(wait="0")
    the_mail(store)

    class Stopper(Gate):
        """Keeps the deletion back."""
        def _serve(self, client):
            process = trip.process
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                while True:
                    ready, _, _ = select.select([client, server], [], [])
                    for s in ready:
                        data = s.recv(65536)
                        if not data:
                            return
                        if b" STORE " in data:
                            self.commands.append(data)
                            process.wait(timeout=60)
                            return
                        (server if s is client else client).sendall(data)
    gate = Stopper(store.imap_port)
    trip.run_and_kill_when(lambda: gate.commands, imap_port=gate.port)
    assert trip.phases() == ["arrived"]
    assert len(store.messages()) == 1
    result = trip.run()
    assert result.code == 0, result.printed
    assert store.messages() == []
    gate.close()


def test_the_token_is_stored_before_the_mail_goes(trip, relay, store):
    stored = []

    def look(state):
        stored.append([m["phase"] for m in state["mails"]])
        assert relay.log().count("status=sent") == len(stored) - 1
        assert queued(relay) == set()
    trip.storing = False
    refused = trip.run(on_store=look)
    assert (refused.code, refused.measured) == (3, False)
    assert "could not be stored" in refused.text
    assert stored == [["sent"]]
    assert trip.phases() == []
    trip.storing = True
    stored.clear()
    assert trip.run(on_store=look).code == 0
    assert stored == [["sent"], ["arrived"]]
    assert store.messages() == []
