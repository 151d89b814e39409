"""The dnsbl probe against a real NSD that serves lists which work, are dead, list everything or refuse us; fakes for what no real
server sends."""
import os
import re
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

import nsd
from nsd import Nsd, blocklist

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_dnsbl"
need_nsd = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")


def check(server, lists, addresses, *more):
    args = [x for one in lists for x in ("-l", one)] + [x for one in addresses for x in ("-H", one)]
    done = subprocess.run([CHECK, "-s", server, *args, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    zones = {
        "bl.test": blocklist("192.0.2.10", ("2001:db8::1", "127.0.0.4"), reason="seen spamming"),
        "odd.test": blocklist(("192.0.2.10", "127.0.0.77")),
        "parked.test": "* A 203.0.113.5",
        "dead.test": "",
        "all.test": "* A 127.0.0.2",
        "barred.test": "* A 127.255.255.254",
        "six.test": f"{nsd.reversed_ip('::ffff:127.0.0.2')} A 127.0.0.2\n{nsd.reversed_ip('2001:db8::1')} A 127.0.0.2",
        "lab.test": "out A 192.0.2.10\nout AAAA 2001:db8::2\nclean A 192.0.2.11",
    }
    with Nsd(tmp_path_factory.mktemp("dnsbl"), zones) as d:
        yield d


@need_nsd
@pytest.mark.parametrize("address, code, words", [
    ("192.0.2.11", 0, "1 address on none of 1 list"),
    ("192.0.2.10", 2, "192.0.2.10 is on bl.test (127.0.0.2): seen spamming"),
    ("2001:db8::1", 2, "2001:db8::1 is on bl.test (127.0.0.4): seen spamming"),
    ("2001:db8::2", 0, "on none of"),
    ("out.lab.test", 2, "192.0.2.10 is on bl.test"),
    ("clean.lab.test", 0, "on none of"),
    ("no.lab.test", 2, "no.lab.test has no address: no such name"),
])
def test_listed(lists, address, code, words):
    got, out = check(lists.server, ["bl.test"], [address])
    assert got == code and words in out, out


@need_nsd
@pytest.mark.parametrize("name, words", [
    ("dead.test", "dead.test is dead: it does not list its test entry 127.0.0.2"),
    ("all.test", "all.test is dead: it lists everything, even 127.0.0.1 (127.0.0.2)"),
    ("barred.test", "barred.test refuses our resolver: it answers 127.255.255.254"),
    ("parked.test", "parked.test is dead: for its test entry 127.0.0.2 it answers 203.0.113.5"),
    ("elsewhere.example", "elsewhere.example cannot be asked: it answers REFUSED"),
    ("odd.test", "odd.test answers 127.0.0.77 for 192.0.2.10, which means nothing we know"),
    ("barred.test control=no", "refuses our resolver"),
    ("parked.test control=no", "answers 203.0.113.5 for 192.0.2.10, which means nothing"),
])
def test_a_list_that_says_nothing_is_never_listed(lists, name, words):
    words = [words] if name != "odd.test" else []
    got, out = check(lists.server, [name + (" codes=2-11" if name == "odd.test" else "")], ["192.0.2.10"])
    assert got == 3 and all(w in out for w in words) and "listed=0" in out and "unusable=1" in out, out
    # others that work still have their say, and a dead one may be allowed
    got, out = check(lists.server, [name, "bl.test"], ["192.0.2.10"], "--unusable=1")
    assert (got == 2 and "is on bl.test" in out) or name == "odd.test", out
    got, out = check(lists.server, [name, "bl.test"], ["192.0.2.11"], "--unusable=1")
    assert got == 0, out


@need_nsd
def test_ipv6_list_codes_and_warning(lists):
    assert check(lists.server, ["six.test"], ["2001:db8::1"])[0] == 2
    assert check(lists.server, ["odd.test codes=2,77"], ["192.0.2.10"])[0] == 2
    got, out = check(lists.server, ["bl.test warning"], ["192.0.2.10"])
    assert got == 1 and out.startswith("DNSBL WARNING"), out
    # the worse one is told first
    got, out = check(lists.server, ["bl.test warning", "odd.test codes=2,77"], ["192.0.2.10"])
    assert got == 2 and "is on odd.test" in out.splitlines()[0] and "and 1 more" in out, out


@need_nsd
def test_resolver_down(lists):
    lists.pause()
    try:
        begin = time.monotonic()
        got, out = check(lists.server, ["bl.test"], ["192.0.2.10"], "--answer-limit=1s")
    finally:
        lists.resume()
    assert got == 3 and "the resolver does not answer" in out and time.monotonic() - begin < 20, out
    got, out = check(f"127.0.0.1:{nsd.free_port()}", ["bl.test"], ["192.0.2.10"], "--answer-limit=1s")
    assert got == 3 and "resolver" in out, out


class Fake:
    """A UDP server whose answers are a function of the query: a list of datagrams."""

    def __init__(self, answers):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.answers = answers
        self.asked = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(2048)
            self.asked += 1
            for datagram in self.answers(query):
                self.socket.sendto(datagram, peer)


def question(query):
    at = 12
    while query[at]:
        at += 1 + query[at]
    return query[12:at + 5]


def answer(query, records=b"", count=0, flags=0x8180, id=None):
    return (id or query[:2]) + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question(query) + records


A2 = b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 5, 4, b"\x7f\0\0\2")


@pytest.mark.parametrize("answers, words", [
    (lambda q: [answer(q, b"\xc0\x0c" + struct.pack(">HHIH2s", 5, 1, 5, 2, b"\xc0\x0c"), 1)], "CNAMEs go in circles"),
    (lambda q: [answer(q, A2[:-2], 1)], "cannot be read: it ends"),
    (lambda q: [answer(q, b"\xff" * 300, 20)], "cannot be read"),
    (lambda q: [b"\0" * 5, b"rubbish" * 100], "does not answer"),
    # another id: forged, not taken
    (lambda q: [answer(q, A2, 1, id=bytes([q[0] ^ 1, q[1]]))], "does not answer"),
    (lambda q: [answer(q, flags=0x8182)], "answers SERVFAIL"),
    (lambda q: [answer(q, flags=0x818b)], "answers RCODE 11"),
    # truncated, and nobody listens on TCP
    (lambda q: [answer(q, flags=0x8380)], "cannot be"),
], ids=["loop", "cut", "rubbish records", "rubbish", "forged", "servfail", "odd code", "truncated"])
def test_bad_answers(answers, words):
    fake = Fake(answers)
    got, out = check(fake.server, ["bl.test"], ["192.0.2.10"], "--answer-limit=1s")
    assert got == 3 and words in out and "listed=0" in out, out


def test_forged_answer_before_the_real_one_is_not_taken():
    fake = Fake(lambda q: [answer(q, A2, 1, id=bytes([q[0] ^ 1, q[1]])), answer(q, flags=0x8183)])
    got, out = check(fake.server, ["bl.test control=no"], ["192.0.2.10"])
    assert got == 0, out


def test_bad_configuration():
    for args in (["-H", "192.0.2.1"], ["-l", "bl.test"], ["-l", "bl..test", "-H", "192.0.2.1"], ["-l", "x codes=300", "-H", "192.0.2.1"],
                 ["-l", "x", "-H", "192.0.2.1", "-s", "resolver.example"], ["-l", "x", "-H", "a..b"]):
        done = subprocess.run([CHECK, *args], stdout=subprocess.PIPE, text=True)
        assert done.returncode == 3 and re.search(r"Usage: check_dnsbl", done.stdout), done.stdout
