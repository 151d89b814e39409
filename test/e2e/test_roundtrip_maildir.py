"""The round trip that comes back into a Maildir: Postfix's virtual(8) delivers, files of bad will lie beside."""
import os
import re
import tempfile
import time
from pathlib import Path

import pytest

import postfix as postfix_module
from postfix import Postfix
from trip import NAME, TOKEN, Trip, poll, sign

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="roundtrip-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture
def relay(place):
    with Postfix(place / "pf") as server:
        server.make_maildir()
        yield server


@pytest.fixture
def trip(place, relay):
    return Trip(place, relay.port, maildir=relay.maildir())


def the_mail(relay):
    poll(lambda: len(relay.messages()) == 1)
    return relay.messages()[0]


def plant(relay, name, data, folder="new"):
    path = relay.maildir() / folder / name
    path.write_bytes(data)
    return path


def ours(run, age=0, key=None):
    """A header of ours that nobody remembers."""
    token = f"{run:032x}"
    mac = sign(NAME, run, token, key) if key else sign(NAME, run, token)
    return f"X-Monitord-Token: v1 {NAME} {run} {token} {mac}\r\n\r\nx\r\n".encode()


def test_there_and_back(trip, relay):
    first = trip.run()
    assert first.code == 0, first.printed
    assert re.match(r"[0-9.]+ s, 1 hop$", first.text)
    assert 0 < first.perf["time"] < 20 and first.perf["hops"] == 1 and "maildir" in first.perf and "imap" not in first.perf
    assert first.facts.items() >= {"lost": 0, "pending": 0, "late": 0, "relay_failed": 0, "store_failed": 0}.items()
    assert 0 < first.facts["delay_s"] < 20
    assert relay.messages() == []
    assert trip.run().code == 0 and trip.phases() == ["arrived", "arrived"] and relay.messages() == []


def test_stand_alone(trip, relay):
    assert trip.plugin().code == 0 and relay.messages() == []


def test_mail_held_back_is_late_and_found(trip, relay):
    relay.set("defer_transports", "virtual")
    poll(lambda: "refresh" in relay.log() or "reload" in relay.log())
    assert "on the way" in trip.run(wait="0").text
    trip.age(90)
    late = trip.run(wait="0", max_outstanding="1")
    assert late.code == 1 and "1 late" in late.text and late.facts["late"] == 1, late.printed
    relay.set("defer_transports", "")

    def delivered():
        relay.command("postqueue", "-f", check=False)
        return relay.messages()
    poll(delivered)
    back = trip.run()
    assert trip.phases() == ["arrived", "arrived"] and relay.messages() == [], back.printed
    assert back.code == 0, back.printed  # the last one took as long as it took, not as long as the first


def test_a_reader_moves_it(trip, relay):
    trip.run(wait="0")
    path = the_mail(relay)
    path.rename(relay.maildir() / "cur" / (path.name + ":2,S"))
    result = trip.run()
    assert result.code == 0 and trip.phases() == ["arrived", "arrived"], result.printed
    assert relay.messages() == []


def test_a_mail_that_cannot_be_deleted_is_no_double(trip, relay):
    """A file system that is read-only to the check."""
    trip.run(wait="0")
    path = the_mail(relay)
    trip.around = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                   'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"', "sh", str(relay.maildir())]
    for moved in (False, True):
        result = trip.run(wait="0", max_outstanding="1")
        assert result.code == 1 and "cannot delete our mail: " in result.text and "Read-only file system" in result.text, result.printed
        assert result.perf["duplicates"] == 0
        if not moved:
            path.rename(relay.maildir() / "cur" / (path.name + ":2,S"))
    trip.around = []
    assert trip.run().code == 0
    assert relay.messages() == []


def test_only_proved_own_mail_is_deleted(trip, relay):
    trip.run(wait="0")
    text = the_mail(relay).read_bytes()
    check, run, token, mac = TOKEN.search(text.decode()).groups()
    foreign = [
        text.replace(mac.encode(), sign(check, run, token, "another key of sixteen").encode()),
        text.replace(mac.encode(), b"0" * 64),
        text.replace(b"v1 " + check.encode(), b"v1 other"),
        text.replace(b"X-Monitord-Token: v1", b"X-Monitord-Token: v2"),
        b"Subject: foreign\r\n\r\n" + text,
        b"\n" + text,
    ]
    for i, t in enumerate(foreign):
        plant(relay, f"{i}.planted", t)
    plant(relay, "old.planted", ours(7))
    os.utime(relay.maildir() / "new/old.planted", (time.time() - 7200,) * 2)
    plant(relay, "young.planted", ours(8))
    result = trip.run()
    assert result.code == 1, result.printed
    assert "2 with our token but not our signature, left alone" in result.text
    assert "1 of our mails that nobody remembered were cleaned away" in result.more
    assert {p.read_bytes() for p in relay.messages()} == {*foreign, ours(8)}
    assert trip.run(hold="0").code == 0


def test_a_doubled_mail(trip, relay):
    trip.run(wait="0")
    text = the_mail(relay).read_bytes()
    plant(relay, "copy", text)
    double = trip.run()
    assert double.code == 1 and "1 arrived more than once" in double.text and double.facts["duplicates"] == 1, double.printed
    assert relay.messages() == []


def test_what_lies_in_a_mailbox(trip, relay, place):
    """Nothing of it is followed, waited for, believed or deleted."""
    new = relay.maildir() / "new"
    elsewhere = place / "elsewhere"
    elsewhere.write_bytes(ours(1))
    os.utime(elsewhere, (time.time() - 7200,) * 2)
    (new / "link").symlink_to(elsewhere)
    (new / "dangling").symlink_to("/nonexistent")
    os.mkfifo(new / "fifo")
    (new / "folder").mkdir()
    (new / "folder" / "inside").write_bytes(ours(2))
    plant(relay, ".hidden", ours(3))
    plant(relay, "empty", b"")
    plant(relay, "nuls", b"\0" * 200000)
    plant(relay, "no end", b"X-Monitord-Token: v1 " + b"x" * 3000000)
    plant(relay, "eight\nbit \udcff", b"\xff\xfe: \x80\r\n\r\n" + ours(4))
    plant(relay, "n" * 255, b"Received: from " + b"(" * 60000 + b"\r\n\r\n")
    plant(relay, "late header", b"X: y\r\n" * 20000 + ours(5))
    before = sorted(p.name for p in relay.messages())
    result = trip.run(timeout=30)
    assert result.code == 0, result.printed
    assert trip.phases() == ["arrived"]
    assert sorted(p.name for p in relay.messages()) == before and elsewhere.exists()


def test_only_the_newest_are_looked_at(trip, relay):
    for i in range(30):
        plant(relay, f"{i}.planted", b"Subject: one of many\r\n\r\nx\r\n", folder="cur")
    result = trip.run(look_at_most="5")
    assert result.code == 0, result.printed
    # which of ours was the 31st is seen or not depends on nothing: 30 or, before it came, 25 were left out
    assert re.search(r"^2[56] older messages were not looked at$", result.more, re.M), result.more
    assert len(relay.messages()) == 30
    trip.run(wait="0")
    path = the_last(relay)
    for i in range(5):
        plant(relay, f"{i}.newer", b"Subject: newer\r\n\r\nx\r\n")
    hidden = trip.run(wait="0", look_at_most="5", max_outstanding="1")
    assert "on the way" in hidden.text and path.exists(), hidden.printed
    assert trip.run(wait="0", max_outstanding="1").code == 0 and not path.exists()


def the_last(relay):
    poll(lambda: len(relay.messages()) == 31)
    return next(p for p in relay.messages() if b"X-Monitord-Token" in p.read_bytes())


@pytest.mark.parametrize("spoil, code, words", [
    (lambda d: d.rename(d.with_name("away")), 2, "Maildir {}: No such file or directory"),
    (lambda d: (d / "cur").rmdir(), 2, "Maildir {}/cur: No such file or directory"),
    (lambda d: ((d / "cur").rmdir(), (d / "cur").symlink_to("/tmp")), 3, "Maildir {}/cur: Not a directory"),
    (lambda d: ((d / "cur").rmdir(), (d / "cur").write_text("x")), 3, "Maildir {}/cur: Not a directory"),
])
def test_what_is_no_maildir(trip, relay, spoil, code, words):
    spoil(relay.maildir())
    result = trip.run(wait="0")
    assert (result.code, result.measured) == (code, code != 3), result.printed
    assert "store failed: " + words.format(relay.maildir()) in result.text and "the relay took a mail" in result.text, result.text
    assert result.facts["store_failed"] == 1 and "lost" not in result.facts


@pytest.mark.parametrize("change, words", [
    ({"maildir": "", "imap_host": ""}, "one of imap_host, pop3_host and maildir"),
    ({"imap_host": "store"}, "one of imap_host, pop3_host and maildir"),
    ({"look_at_most": "0"}, "look"),
])
def test_bad_options(trip, change, words):
    trip.options = {k: v for k, v in {**trip.options, **change}.items() if v}
    result = trip.plugin()
    assert result.code == 3 and words in result.printed, result.printed
