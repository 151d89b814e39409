"""The tlsa probe: a real Postfix shows certificates made here, a signed zone served by NSD and validated by Unbound holds the
records, and OpenSSL's own DANE is the second opinion."""
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import dnssec
import nsd
import postfix as postfix_module
from hostile import KINDS, Hostile
from nsd import Nsd
from postfix import Postfix

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_tlsa"
why_not = dnssec.missing() or nsd.missing() or postfix_module.missing()
pytestmark = pytest.mark.skipif(bool(why_not), reason=why_not or "-")


def der(pem, key):
    """What a record is of, as openssl(1) writes it: the certificate, or its public key."""
    if not key:
        return subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
    public = subprocess.run(["openssl", "x509", "-in", pem, "-pubkey", "-noout"], check=True, stdout=subprocess.PIPE).stdout
    return subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, check=True, stdout=subprocess.PIPE).stdout


def record(usage, selector, matching, pem):
    data = der(pem, selector)
    data = {0: bytes, 1: lambda d: hashlib.sha256(d).digest(), 2: lambda d: hashlib.sha512(d).digest()}[matching](data)
    return f"{usage} {selector} {matching} {data.hex()}"


# name: (which server, its records as (usage, selector, matching, whose) or as text, exit code, words). OpenSSL is asked as well.
CASES = {
    "key": ("leaf", [(3, 1, 1, "leaf")], 0, "matches TLSA 3 1 1 "),
    "key512": ("leaf", [(3, 1, 2, "leaf")], 0, "matches TLSA 3 1 2 "),
    "keyfull": ("leaf", [(3, 1, 0, "leaf")], 0, "matches TLSA 3 1 0 "),
    "cert": ("leaf", [(3, 0, 1, "leaf")], 0, "matches TLSA 3 0 1 "),
    "certfull": ("leaf", [(3, 0, 0, "leaf")], 0, "matches TLSA 3 0 0 "),
    "cert512": ("leaf", [(3, 0, 2, "leaf")], 0, "matches TLSA 3 0 2 "),
    "other": ("leaf", [(3, 1, 1, "soon")], 2, "none of 1 TLSA record matches its certificate"),
    "rolled": ("leaf", [(3, 1, 1, "soon"), (3, 1, 1, "leaf")], 0, "matches TLSA 3 1 1 "),
    "twowrong": ("leaf", [(3, 1, 1, "soon"), (3, 0, 1, "ca")], 2, "none of 2 TLSA records matches its certificate"),
    "caasleaf": ("chain", [(3, 1, 1, "ca")], 2, "none of 1 TLSA record matches"),
    "anchor": ("chain", [(2, 1, 1, "ca")], 0, "matches TLSA 2 1 1 "),
    "anchorcert": ("chain", [(2, 0, 2, "ca")], 0, "matches TLSA 2 0 2 "),
    "anchorfull": ("leaf", [(2, 0, 0, "ca")], 0, "matches TLSA 2 0 0 "),   # the record brings what the server does not show
    "anchornotshown": ("leaf", [(2, 1, 1, "ca")], 2, "none of 1 TLSA record matches"),
    "anchorother": ("chain", [(2, 1, 1, "soon")], 2, "none of 1 TLSA record matches"),
    "anchorname": ("othername", [(2, 0, 1, "ca")], 2, "is of its chain, but: the certificate is not for anchorname.dane.test"),
    "keyname": ("othername", [(3, 1, 1, "othername")], 0, "matches TLSA 3 1 1 "),   # usage 3 asks for no name
    "anchorexpired": ("expired", [(2, 0, 1, "ca")], 2, "is of its chain, but: certificate has expired"),
    "keyexpired": ("expired", [(3, 1, 1, "expired")], 0, "matches TLSA 3 1 1 "),    # nor for a date
    "half": ("chain", [(2, 1, 1, "soon"), (3, 0, 1, "leaf"), (2, 0, 1, "ca")], 0, " matches TLSA "),
}
# what OpenSSL has no opinion of
MORE = {
    "pkix": ("leaf", [(1, 1, 1, "leaf")], 1, "no TLSA record can be used, so nothing is proved: 1 1 1 "),
    "pkixtoo": ("leaf", [(0, 0, 1, "ca"), (3, 1, 1, "leaf")], 0, "matches TLSA 3 1 1 "),
    "odd": ("leaf", ["3 1 9 abcdef"], 1, "unknown matching type"),
    "short": ("leaf", ["3 1 1 abcdef"], 1, "its digest has the wrong length"),
    "selector": ("leaf", ["3 7 1 " + "ab" * 32], 1, "unknown selector"),
    "usage": ("leaf", ["9 1 1 " + "ab" * 32], 1, "unknown usage"),
    "soonkey": ("soon", [(3, 1, 1, "soon")], 0, "the next certificate must keep this key"),
    "sooncert": ("soon", [(3, 0, 1, "soon")], 1, "the certificate ends in 4 d and no TLSA record is there for the next one"),
    "soonready": ("soon", [(3, 0, 1, "soon"), (3, 0, 1, "leaf")], 0, "matches TLSA 3 0 1 "),
    "notls": ("notls", [(3, 1, 1, "leaf")], 2, "shows no certificate"),
    "none": ("leaf", [], 2, "has no TLSA record"),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("tlsa")
    relay = Postfix(root / "pf")
    names = ",".join(f"DNS:{n}.dane.test" for n in ("anchor", "anchorcert", "anchorfull", "anchorexpired", "half", "mx1", "mx2", "anchorother"))
    certs = {"ca": relay.ca, "leaf": relay.authority.certificate("leaf", names=names), "soon": relay.authority.certificate("soon", days=5),
             "othername": relay.authority.certificate("othername", names="DNS:elsewhere.test"),
             "expired": relay.authority.certificate("expired", days=-3, names=names)}
    for name, (own, chained) in {"leaf": ("leaf", False), "soon": ("soon", False), "chain": ("leaf", True), "othername": ("othername", True),
                                 "expired": ("expired", True)}.items():
        pem, key = certs[own]
        shown = root / f"{name}.shown"
        shown.write_text(pem.read_text() + (relay.ca.read_text() if chained else ""))
        relay.service(name, f"smtpd -o smtpd_tls_cert_file={shown} -o smtpd_tls_key_file={key}")
    relay.service("notls", "smtpd -o smtpd_tls_security_level=none")
    relay.pems = {k: v if k == "ca" else v[0] for k, v in certs.items()}
    with relay:
        relay.wait_greetings()
        lines = []
        for name, (server, records, *_) in {**CASES, **MORE}.items():
            lines += [f"{name} A 127.0.0.1"] + [f"_{relay.ports[server]}._tcp.{name} TLSA " + (r if isinstance(r, str) else record(*r[:3], relay.pems[r[3]]))
                                               for r in records]
        good, wrong = (f"_{relay.ports['chain']}._tcp.%s TLSA {record(3, 1, 1, relay.pems[w])}" for w in ("leaf", "soon"))
        lines += ["@ MX 10 mx1", "@ MX 20 mx2", "mx1 A 127.0.0.1", "mx2 A 127.0.0.1", good % "mx1", good % "mx2",
                  "half-done MX 10 mx1", "half-done MX 20 mx3", "mx3 A 127.0.0.1", wrong % "mx3", "nomail MX 0 .",
                  "abroad MX 10 mx.plain.test.", "elsewhere MX 10 mx.bad.test.", "lost MX 10 gone", good % "gone", "none-of-two MX 10 none", "none-of-two MX 20 mx1"]
        signed, anchor = dnssec.sign(root, "dane.test", "\n".join(lines))
        host = "mx A 127.0.0.1\n@ MX 10 mx\n" + good % "mx"
        bad, bad_anchor = dnssec.sign(root, "bad.test", host)
        # a signature over other bytes
        spoilt = re.sub(r"(_\d+\._tcp\.mx\.bad\.test\.\s+\d+\s+IN\s+TLSA\s+3 1 1 )(..)", lambda m: m[1] + ("00" if m[2] != "00" else "11"), bad)
        assert spoilt != bad
        with Nsd(root / "nsd", {"dane.test": signed, "bad.test": spoilt, "plain.test": host}) as d, dnssec.Unbound(root / "ub", d, [anchor, bad_anchor]) as u:
            relay.resolver, relay.nsd = u.server, d.server
            yield relay


def check(lab, *args, server=None):
    done = subprocess.run([str(a) for a in (CHECK, "-s", server or lab.resolver, "-vvv", *args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=90)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


def facts(out):
    return json.loads(next(x for x in out.splitlines() if x.startswith("facts: "))[7:])


@pytest.mark.parametrize("name", [*CASES, *MORE])
def test_records(lab, name):
    server, _, code, words = {**CASES, **MORE}[name]
    got, out = check(lab, "-H", f"{name}.dane.test", "-p", lab.ports[server])
    assert got == code and words in out.splitlines()[0], out
    if name != "none":
        assert facts(out)["tlsa_match"] == (0 if code == 2 or "can be used" in words or "unknown" in words or "wrong length" in words else 1)


@pytest.mark.parametrize("name", CASES)
def test_openssl_agrees(lab, name):
    server, records, code, _ = CASES[name]
    args = [x for r in records for x in ("-dane_tlsa_rrdata", record(*r[:3], lab.pems[r[3]]))]
    done = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{lab.ports[server]}", "-dane_tlsa_domain", f"{name}.dane.test",
                           "-dane_ee_no_namechecks", "-verify_return_error", *args], input=b"QUIT\r\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    assert (b"Verify return code: 0 (ok)" in done.stdout) == (code == 0), done.stdout.decode(errors="replace")


@pytest.mark.parametrize("domain, code, words", [
    ("dane.test", 0, "2 addresses of 2 hosts: "),
    ("half-done.dane.test", 2, "mx3.dane.test:"),
    ("abroad.dane.test", 1, "do not count: not validated"),
    ("plain.test", 1, "are not validated"),
    ("elsewhere.dane.test", 2, "mx.bad.test is bogus: mail from senders with DANE is deferred"),
    ("nomail.dane.test", 2, "takes no mail"),
    ("lost.dane.test", 2, "gone.dane.test has no address"),
    ("none-of-two.dane.test", 2, "_tcp.none.dane.test has no TLSA record"),
    ("mx1.dane.test", 0, "1 address of 1 host: "),  # no MX: the domain itself
    ("nowhere.dane.test", 2, "has no TLSA record: no such name"),
])
def test_domains(lab, domain, code, words):
    got, out = check(lab, "-d", domain, "-p", lab.ports["chain"])
    assert got == code and words in out.splitlines()[0], out
    if domain == "half-done.dane.test":
        assert facts(out)["tlsa_match"] == 0 and facts(out)["host"] == "mx3.dane.test" and "mx1.dane.test" in out


def test_who_does_not_validate_or_answer(lab):
    """An authoritative server says no AD; a dead one nothing."""
    got, out = check(lab, "-H", "mx1.dane.test", "-p", lab.ports["chain"], server=lab.nsd)
    assert got == 1 and "do not count" in out.splitlines()[0] and "matches TLSA 3 1 1" in out, out
    got, out = check(lab, "-H", "mx1.dane.test", "--answer-limit", "300ms", server=f"127.0.0.1:{nsd.free_port()}")
    assert got == 3 and facts(out)["resolver_dead"] == 1, out


@pytest.mark.parametrize("kind", KINDS)
def test_hostile(tmp_path, kind):
    with Hostile(kind, b"220 mx\r\n") as h:
        with Nsd(tmp_path / "nsd", {"lab.test": f"mx A 127.0.0.1\n_{h.port}._tcp.mx TLSA 3 1 1 {'ab' * 32}"}) as d:
            done = subprocess.run([CHECK, "-s", d.server, "-H", "mx.lab.test", "-p", str(h.port), "-t", "2"], stdout=subprocess.PIPE, text=True, timeout=60)
            assert done.returncode == 2 and "mx.lab.test:" in done.stdout.splitlines()[0], done.stdout


@pytest.mark.parametrize("args", [[], ["-d", "a.test", "-H", "b.test"], ["-d", "a..b"], ["-H", "a.test", "-p", "0"], ["-d", "a.test", "-s", "x"]])
def test_bad_configuration(args):
    done = subprocess.run([CHECK, *args], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 3 and "Usage: check_tlsa" in done.stdout, done.stdout
