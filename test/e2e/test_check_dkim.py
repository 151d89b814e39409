"""The dkim and dmarc probes against a real NSD, with keys that OpenSSL made."""
import base64
import os
import subprocess
from pathlib import Path

import pytest

import nsd
from nsd import Nsd

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
pytestmark = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")


def check(probe, server, *args):
    done = subprocess.run([BUILD / f"check_{probe}", "-s", server, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


def public(*args):
    key = subprocess.run(["openssl", "genpkey", *args], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=key, check=True, stdout=subprocess.PIPE).stdout


def rsa(bits):
    return base64.b64encode(public("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")).decode()


def txt(record):
    return " ".join('"' + record[i:i + 200] + '"' for i in range(0, len(record), 200))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    strong, ed = rsa(2048), base64.b64encode(public("-algorithm", "ED25519")[-32:]).decode()
    keys = {
        "strong": f"v=DKIM1; k=rsa; p={strong}", "plain": f"p={strong[:100]} {strong[100:]}", "weak": f"v=DKIM1; p={rsa(1024)}",
        "tiny": f"v=DKIM1; p={rsa(512)}", "ed": f"v=DKIM1; k=ed25519; p={ed}", "edshort": f"v=DKIM1; k=ed25519; p={ed[:40]}",
        "revoked": "v=DKIM1; p=", "nokey": "v=DKIM1; k=rsa", "testing": f"v=DKIM1; t=y:s; p={strong}", "strict": f"v=DKIM1; t=s; p={strong}",
        "cut": f"v=DKIM1; p={strong[:200]}", "rubbish": "v=DKIM1; p=!!!!", "version": f"v=DKIM2; p={strong}", "twice": f"p={strong}; p=x",
        "notags": "hello world", "future": "v=DKIM1; k=mldsa; p=AAAA",
    }
    lines = [f"{k}._domainkey TXT {txt(v)}" for k, v in keys.items()] + [f"two._domainkey TXT {txt(keys['strong'])}", 'two._domainkey TXT "p="']
    dmarc = {
        "good": "v=DMARC1; p=reject; rua=mailto:d@good.lab.test", "none": "v=DMARC1;p=none", "nop": "v=DMARC1; rua=mailto:a@lab.test",
        "odd": "v=DMARC1; p=destroy", "sub": "v=DMARC1; p=reject; sp=maybe", "pct": "v=DMARC1; p=reject; pct=200",
        "rua": "v=DMARC1; p=reject; rua=https://x.test/", "other": "v=DMARC1; p=quarantine; rua=mailto:x@taker.test!10m",
        "stranger": "v=DMARC1; p=reject; rua=mailto:x@refuser.test", "twotags": "v=DMARC1; p=reject; p=none", "spf": "v=spf1 -all",
    }
    lines += [f"_dmarc.{k} TXT {txt(v)}" for k, v in dmarc.items()] + ['_dmarc.twice TXT "v=DMARC1; p=none"', '_dmarc.twice TXT "v=DMARC1; p=reject"']
    zones = {"lab.test": "\n".join(lines), "taker.test": 'other.lab.test._report._dmarc TXT "v=DMARC1"', "refuser.test": ""}
    # below public suffixes of several labels; what stands at a suffix itself is nobody's
    strict = '_dmarc TXT "v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@reports.example.co.jp"'
    zones.update({"example.co.jp": strict + '\n_dmarc.own TXT "v=DMARC1; p=none"\n_dmarc.other TXT "v=spf1 -all"\n_dmarc.odd TXT "v=DMARC1; p=odd"',
                  "plain.ac.uk": '_dmarc TXT "v=DMARC1; p=reject"', "co.jp": '_dmarc TXT "v=DMARC1; p=reject"', "empty.co.jp": "x A 192.0.2.1",
                  "weak.co.jp": '_dmarc TXT "v=DMARC1; p=reject; sp=none"', "twice.co.jp": '_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"'})
    with Nsd(tmp_path_factory.mktemp("dkim"), zones) as d:
        yield d


@pytest.mark.parametrize("selector, code, words", [
    ("strong", 0, "the key strong._domainkey.lab.test is RSA of 2048 bits"),
    ("plain", 0, "is RSA of 2048 bits"),
    ("ed", 0, "is Ed25519"),
    ("strict", 0, "is RSA of 2048 bits"),
    ("weak", 1, "is weak: RSA of 1024 bits"),
    ("tiny", 2, "is weak: RSA of 512 bits"),
    ("testing", 1, "only being tested"),
    ("edshort", 2, "cannot be read"),
    ("revoked", 2, "is revoked"),
    ("nokey", 2, "has no key"),
    ("cut", 2, "cannot be read: it is no RSA key"),
    ("rubbish", 2, "cannot be read: it is no base64"),
    ("version", 2, "version that is not DKIM1"),
    ("twice", 2, "cannot be read: a tag twice"),
    ("notags", 2, "cannot be read: a tag without"),
    ("future", 2, "k=mldsa"),
    ("two", 2, "more than one TXT record"),
    ("missing", 2, "is not there: no such name"),
])
def test_keys(lab, selector, code, words):
    got, out = check("dkim", lab.server, "-d", "lab.test", "-S", selector)
    assert got == code and words in out, out


def test_several_selectors_and_limits(lab):
    got, out = check("dkim", lab.server, "-d", "lab.test", "-S", "strong", "-S", "weak", "-S", "ed")
    assert got == 1 and "the key weak._domainkey.lab.test is weak" in out.splitlines()[0] and "strong=2048" in out, out
    assert check("dkim", lab.server, "-d", "lab.test", "-S", "weak", "--bits-warning=1024")[0] == 0
    assert check("dkim", lab.server, "-d", "elsewhere.example", "-S", "x")[0] == 3


@pytest.mark.parametrize("domain, code, words", [
    ("good", 0, "good.lab.test asks to reject what fails"),
    ("none", 0, "asks to do nothing with what fails, and for no reports"),
    ("other", 0, "asks to quarantine"),
    ("nop", 2, "has no policy"),
    ("odd", 2, "has a policy that is none: destroy"),
    ("sub", 1, "subdomains that is none: maybe"),
    ("pct", 1, "percentage that is none: 200"),
    ("rua", 1, "reports' address that is none"),
    ("stranger", 1, "has not agreed to take them: refuser.test"),
    ("twotags", 2, "cannot be read: a tag twice"),
    ("twice", 2, "more than once"),
    ("spf", 2, "is not there: a TXT that is none"),
    ("missing", 2, "is not there: no such name"),
])
def test_dmarc(lab, domain, code, words):
    got, out = check("dmarc", lab.server, "-d", f"{domain}.lab.test")
    assert got == code and words in out, out


@pytest.mark.parametrize("domain, args, code, words", [
    ("example.co.jp", [], 0, "example.co.jp asks to reject what fails"),
    ("a.b.example.co.jp", [], 0, "a.b.example.co.jp (by the record of example.co.jp) asks to quarantine what fails"),
    ("A.Example.CO.JP", [], 0, "(by the record of example.co.jp) asks to quarantine"),
    ("own.example.co.jp", [], 0, "own.example.co.jp asks to do nothing with"),
    ("x.own.example.co.jp", [], 0, "by the record of example.co.jp"),  # not of the domain between
    ("other.example.co.jp", [], 0, "by the record of example.co.jp"),  # its TXT is no DMARC record
    ("odd.example.co.jp", [], 2, "has a policy that is none: odd"),    # its own, bad as it is
    ("www.plain.ac.uk", [], 0, "(by the record of plain.ac.uk) asks to reject"),
    ("a.weak.co.jp", ["--policy=quarantine"], 1, "is weaker than it shall be: none"),
    ("a.example.co.jp", ["--policy=reject"], 1, "is weaker than it shall be: quarantine"),
    ("a.twice.co.jp", [], 2, "more than once"),
    ("empty.co.jp", [], 2, "is not there"),                            # co.jp is a public suffix
    ("a.empty.co.jp", [], 2, "is not there"),
    ("co.jp", [], 0, "co.jp asks to reject"),
])
def test_dmarc_of_the_organisational_domain(lab, domain, args, code, words):
    got, out = check("dmarc", lab.server, "-d", domain, *args)
    assert got == code and words in out.splitlines()[0], out


def test_dmarc_policy_and_resolver(lab):
    assert check("dmarc", lab.server, "-d", "none.lab.test", "--policy=quarantine")[0] == 1
    assert check("dmarc", lab.server, "-d", "good.lab.test", "--policy=reject")[0] == 0
    assert check("dmarc", lab.server, "-d", "x.example")[0] == 3
    lab.pause()
    try:
        for args in (("dmarc", lab.server, "-d", "good.lab.test"), ("dkim", lab.server, "-d", "lab.test", "-S", "strong")):
            got, out = check(*args, "--answer-limit=500ms")
            assert got == 3 and "does not answer" in out, out
    finally:
        lab.resume()
