"""The dns probe against real NSDs (two with different serials) and a validating unbound with a signed zone and a broken one."""
import os
import re
import subprocess
from pathlib import Path

import pytest

import dnssec
import nsd
from nsd import Nsd, free_port
from prober import Prober

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_dns"
pytestmark = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")


def check(server, host, *more):
    servers = [x for s in ([server] if isinstance(server, str) else server) for x in ("-s", s)]
    done = subprocess.run([CHECK, *servers, "-H", host, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


LAB = """mx A 192.0.2.9
mx AAAA 2001:db8::9
two A 192.0.2.9
two A 192.0.2.10
stray A 192.0.2.11
lost A 192.0.2.12
@ MX 10 mx
@ MX 20 two
alias CNAME mx
text TXT "v=x, y"
ns A 127.0.0.1
ns2 A 127.0.0.2
"""
ZONES = {
    "lab.test": LAB,
    "2.0.192.in-addr.arpa": "9 PTR mx.lab.test.\n10 PTR mx.lab.test.\n11 PTR nobody.lab.test.",
    "8.b.d.0.1.0.0.2.ip6.arpa": "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx.lab.test.",
    "zone.test": "@ NS ns2.lab.test.\n",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Nsd(tmp_path_factory.mktemp("dns"), ZONES) as d:
        yield d


@pytest.mark.parametrize("args, code, words", [
    (["mx.lab.test"], 0, "seconds response time. mx.lab.test returns 192.0.2.9, 2001:db8::9"),
    (["alias.lab.test"], 0, "returns 192.0.2.9"),
    (["no.lab.test"], 2, "no.lab.test: no such name"),
    (["mx.lab.test", "-q", "MX"], 2, "mx.lab.test: no record of this type"),
    (["lab.test", "-q", "mx"], 0, "10 mx.lab.test"),
    (["lab.test", "-q", "MX", "-a", "10 mx.lab.test,20 two.lab.test", "-L"], 0, "20 two.lab.test"),
    (["lab.test", "-q", "MX", "-a", "MX.lab.test.", "-L"], 2, "not what is expected"),
    (["mx.lab.test", "-a", "192.0.2.9"], 0, "192.0.2.9"),
    (["mx.lab.test", "-a", "2001:DB8:0::9,192.0.2.9", "-L"], 0, "192.0.2.9"),
    (["mx.lab.test", "-a", "192.0.2.8"], 2, "not what is expected: 192.0.2.8"),
    (["text.lab.test", "-q", "TXT", "-a", "v=x, y", "-L"], 0, "v=x, y"),
    (["192.0.2.9"], 0, "mx.lab.test"),
    (["mx.lab.test", "-A"], 0, "192.0.2.9"),
    (["elsewhere.example"], 2, "answers REFUSED"),
    (["mx.lab.test", "--forward-confirm"], 0, "192.0.2.9 is mx.lab.test and back"),
    (["two.lab.test", "--forward-confirm"], 2, "the name of 192.0.2.10 is mx.lab.test, which does not lead back to it"),
    (["stray.lab.test", "--forward-confirm"], 2, "the name of 192.0.2.11 is nobody.lab.test, which does not"),
    (["lost.lab.test", "--forward-confirm"], 2, "192.0.2.12 has no name: no such name"),
    (["192.0.2.10", "--forward-confirm"], 2, "does not lead back"),
    (["192.0.2.9", "--forward-confirm"], 0, "192.0.2.9 is mx.lab.test and back"),
    (["mx.lab.test", "-w", "0.0000001"], 1, "takes 0.0"),
    (["mx.lab.test", "-w", "0.0000001", "-c", "0.0000002"], 2, "takes 0.0"),
    (["mx.lab.test", "--dnssec=secure"], 2, "is not validated by"),
])
def test_answers(lab, args, code, words):
    got, out = check(lab.server, *args)
    assert got == code and words in out, out
    assert re.search(r"\btime=[0-9.e-]+s", out) or "REFUSED" in out, out


def test_resolvers_that_do_not_answer(lab):
    lab_dead = f"127.0.0.1:{free_port()}"
    got, out = check([lab_dead, lab.server], "mx.lab.test", "--answer-limit=2s")
    assert got == 1 and f"1 of 2 resolvers do not answer: {lab_dead}" in out.splitlines()[0], out
    with Prober() as p:  # of several one that is dead is not DNS that is down
        p.run("j", "dns", host="mx.lab.test", resolver=[lab_dead, lab.server], answer_limit="2s")
        found = p.wait("j")["facts"]
    assert (found["resolver_dead"], found["resolvers_dead"], found["resolver"]) == (0, 1, lab_dead), found
    got, out = check(lab_dead, "mx.lab.test", "--answer-limit=2s")
    assert got == 2 and f"no resolver answers: {lab_dead}" in out, out
    lab.pause()
    try:
        got, out = check(lab.server, "mx.lab.test", "--answer-limit=1s")
    finally:
        lab.resume()
    assert got == 2 and "no resolver answers" in out, out


def test_serials(tmp_path):
    zones = {"zone.test": "@ NS ns2.lab.test.", "lab.test": LAB}
    port = free_port(("127.0.0.1", "127.0.0.2"))
    with Nsd(tmp_path / "one", zones, port=port) as one:
        args = ("--serials", f"--name-server-port={port}")
        got, out = check(one.server, "zone.test", *args, "--answer-limit=2s")
        assert got == 2 and f"ns2.lab.test at 127.0.0.2:{port} does not serve zone.test" in out, out
        with Nsd(tmp_path / "two", {}, addresses=("127.0.0.2",), port=port) as two:
            two.write("zone.test", zones["zone.test"], one.zones["zone.test"])
            two.stop()
            two.start()
            got, out = check(one.server, "zone.test", *args)
            assert got == 0 and f"2 name server addresses serve zone.test with serial {one.zones['zone.test']}" in out, out
            one.change("zone.test", zones["zone.test"])
            got, out = check(one.server, "zone.test", *args)
            assert got == 2 and f"others {one.zones['zone.test']}" in out and "127.0.0.2" in out.splitlines()[0], out


@pytest.mark.skipif(bool(dnssec.missing()), reason=dnssec.missing() or "-")
def test_dnssec(tmp_path):
    signed, anchors = zip(*(dnssec.sign(tmp_path, z, "a A 192.0.2.1") for z in ("good.test", "bad.test")))
    zones = {"good.test": signed[0], "bad.test": signed[1].replace("192.0.2.1", "192.0.2.66"), "plain.test": "a A 192.0.2.1"}
    with Nsd(tmp_path / "nsd", zones) as d, dnssec.Unbound(tmp_path / "unbound", d, anchors) as u:
        got, out = check(u.server, "a.good.test", "-q", "A", "--dnssec=secure")
        assert got == 0, out + u.log()
        got, out = check(u.server, "a.plain.test", "-q", "A", "--dnssec=secure")
        assert got == 2 and "a.plain.test is not validated by" in out, out
        got, out = check(u.server, "a.bad.test", "-q", "A")
        assert got == 2 and "a.bad.test is bogus" in out, out + u.log()


def test_bad_configuration():
    for args in (["-H", "a..b"], [], ["-H", "a.test", "-q", "NONSENSE"], ["-H", "a.test", "-s", "x"]):
        done = subprocess.run([CHECK, *args], stdout=subprocess.PIPE, text=True)
        assert done.returncode == 3 and "Usage: check_dns" in done.stdout, done.stdout
