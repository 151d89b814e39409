"""The spf probe against a real NSD: the RFC's examples, a generated corpus held against python3-spf, and what an administrator sees."""
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

import nsd
from nsd import Nsd

spf = pytest.importorskip("spf")
CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_spf"
pytestmark = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")


def check(server, domain, addresses, *more):
    done = subprocess.run([CHECK, "-s", server, "-d", domain, *[x for a in addresses for x in ("-H", a)], *more],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


def verdicts(out):
    """{address: result} from the further lines."""
    return dict(re.findall(r"^([0-9a-f.:]+): (\w+)", "\n".join(out.splitlines()[1:]), re.M))


def txt(record):
    """A TXT of several strings, as long ones must be."""
    return " ".join('"' + record[i:i + 200].replace("\\", "\\\\").replace('"', '\\"') + '"' for i in range(0, len(record), 200))


# --- RFC 7208, appendix A: its zones ---

EXAMPLE_COM = """@ MX 10 mail-a
@ MX 20 mail-b
@ A 192.0.2.10
@ A 192.0.2.11
amy A 192.0.2.65
bob A 192.0.2.66
mail-a A 192.0.2.129
mail-b A 192.0.2.130
www CNAME example.com.
"""
EXAMPLE_ORG = "@ MX 10 mail-c\nmail-c A 192.0.2.140\n"
REVERSE = "65 PTR amy.example.com.\n66 PTR bob.example.com.\n129 PTR mail-a.example.com.\n130 PTR mail-b.example.com.\n140 PTR mail-c.example.org.\n"
TENTH = "4.0.0 PTR bob.example.com.\n"
RFC = [
    ("v=spf1 +all", {"192.0.2.1": "pass"}),
    ("v=spf1 a -all", {"192.0.2.10": "pass", "192.0.2.11": "pass", "192.0.2.65": "fail"}),
    ("v=spf1 a:example.org -all", {"192.0.2.10": "fail"}),
    ("v=spf1 mx -all", {"192.0.2.129": "pass", "192.0.2.130": "pass", "192.0.2.10": "fail"}),
    ("v=spf1 mx:example.org -all", {"192.0.2.140": "pass", "192.0.2.129": "fail"}),
    ("v=spf1 mx mx:example.org -all", {"192.0.2.129": "pass", "192.0.2.130": "pass", "192.0.2.140": "pass"}),
    ("v=spf1 mx/30 mx:example.org/30 -all", {"192.0.2.131": "pass", "192.0.2.143": "pass", "192.0.2.144": "fail"}),
    ("v=spf1 ptr -all", {"192.0.2.65": "pass", "192.0.2.140": "fail", "10.0.0.4": "fail"}),
    ("v=spf1 ip4:192.0.2.128/28 -all", {"192.0.2.65": "fail", "192.0.2.129": "pass"}),
]


def test_the_examples_of_the_rfc(tmp_path):
    base = {"example.org": EXAMPLE_ORG, "2.0.192.in-addr.arpa": REVERSE, "10.in-addr.arpa": TENTH, "example.com": EXAMPLE_COM}
    with Nsd(tmp_path / "nsd", base) as d:
        for record, expected in RFC:
            d.change("example.com", EXAMPLE_COM + f"@ TXT {txt(record)}\n")
            _, out = check(d.server, "example.com", list(expected))
            assert verdicts(out) == expected, (record, out)


# --- a corpus of random records, some of them broken ---

ADDRESSES = ["192.0.2.7", "192.0.2.130", "198.51.100.9", "203.0.113.77", "2001:db8::7", "2001:db8:1::9"]
BROKEN = ["ip4:192.0.2", "ip4:192.0.2.0/33", "ip4:192.0.2.0/08", "a:", "include", "all:x", "foo", "a:nodot", "exists:%{z}.spf.test",
          "ip6:2001:db8::/129", "ip6:192.0.2.1", "mx/33", "a//129", "redirect=", "include:%", "ptr/24", "a/24/", "ip4", "exists:%{d0}.x"]
QUALIFIERS = ["", "", "+", "-", "~", "?"]


class Corpus:
    def __init__(self, seed, n):
        self.random, self.n = random.Random(seed), n
        self.records, self.lines = {}, []
        # both families each: python3-spf asks for the addresses of every MX, and counts those without any, before it compares
        for i in range(12):
            addresses = self.random.sample(ADDRESSES, self.random.randint(1, 2)) + [f"192.0.2.{i + 100}", f"2001:db8:ff::{i + 1}"]
            for a in addresses:
                self.lines.append((f"h{i}", "AAAA" if ":" in a else "A", a))
        for i in range(6):
            for k in range(self.random.choice([1, 2, 3, 11])):
                self.lines.append((f"m{i}", "MX", (10 + k, f"h{(i + k) % 12}")))
        for a in ADDRESSES[:3]:
            for i in range(2):
                self.lines.append((f"{a}._spf", "A", "127.0.0.2")) if i == 0 and a != ADDRESSES[1] else None
        for i in range(n):
            self.records[f"d{i}"] = self.record(i)

    def term(self, i):
        r = self.random
        kind = r.choice(["ip4", "ip6", "ip4", "a", "mx", "include", "exists", "void", "a-cidr", "mx-cidr", "include", "unknown"])
        q = r.choice(QUALIFIERS)
        return {
            "ip4": lambda: f"{q}ip4:{r.choice(ADDRESSES[:4])}{r.choice(['', '/24', '/25', '/0', '/32'])}",
            "ip6": lambda: f"{q}ip6:{r.choice(ADDRESSES[4:])}{r.choice(['', '/64', '/32', '/48'])}",
            "a": lambda: f"{q}{r.choice(['a', 'A'])}:h{r.randrange(12)}.spf.test",
            "a-cidr": lambda: f"{q}a:h{r.randrange(12)}.spf.test{r.choice(['/24', '/24//64', '//32'])}",
            "mx": lambda: f"{q}mx:m{r.randrange(6)}.spf.test",
            "mx-cidr": lambda: f"{q}mx:m{r.randrange(6)}.spf.test/24//48",
            # not itself: python3-spf refuses that before it evaluates
            "include": lambda: f"{q}include:d{r.choice([k for k in range(self.n + 3) if k != i])}.spf.test",
            "exists": lambda: f"{q}exists:{r.choice(['%{i}._spf.spf.test', '%{ir}.%{v}.spf.test', '%{l}.%{d2}', 'h%{d1r}.%{o}', '%{i}._spf.%{D2}'])}",
            "void": lambda: f"{q}a:nothing{r.randrange(99)}.spf.test",
            "unknown": lambda: f"x-{r.randrange(10 ** 9)}=%{{l}}y",  # never the same twice: python3-spf minds, the RFC does not
        }[kind]()

    def record(self, i):
        r = self.random
        terms = [self.term(i) for _ in range(r.choice([0, 1, 2, 3, 4, 5, 14]))]
        if r.random() < 0.08:
            terms.insert(r.randrange(len(terms) + 1), r.choice(BROKEN))
        if r.random() < 0.6:
            terms.append(r.choice(["-all", "~all", "?all", "+all", "-ALL"]))
        elif r.random() < 0.5:
            terms.append(f"redirect=d{r.randrange(self.n + 3)}.spf.test")
        return r.choice(["v=spf1 ", "v=spf1  ", "V=SPF1 "]) + r.choice([" ", "  "]).join(terms)

    def zone(self):
        lines = [f"{name} {kind} {v[0]} {v[1]}" if kind == "MX" else f"{name} {kind} {v}" for name, kind, v in self.lines]
        return "\n".join(lines + [f"{n} TXT {txt(r)}" for n, r in self.records.items()])

    def lookup(self, name, kind, *_, **__):
        """The zone as python3-spf asks it: nothing of our own DNS is between."""
        label = name.lower().rstrip(".")
        if not label.endswith(".spf.test"):
            return []
        label = label[:-len(".spf.test")]
        if kind == "TXT":
            return [((name, kind), [self.records[label].encode()])] if label in self.records else []
        return [((name, kind), (v[0], v[1] + ".spf.test") if kind == "MX" else v) for n, k, v in self.lines if n == label and k == kind]


def test_corpus_against_another_evaluator(tmp_path, monkeypatch):
    corpus = Corpus(7208, 300)
    seen, wrong, counted = {}, [], 0
    monkeypatch.setattr(spf, "DNSLookup", corpus.lookup)
    with Nsd(tmp_path / "nsd", {"spf.test": corpus.zone(), "lab.test": "", "arpa": ""}) as d:
        for i in range(300):
            domain = f"d{i}.spf.test"
            _, out = check(d.server, domain, ADDRESSES)
            ours = verdicts(out)
            for a in ADDRESSES:
                other = spf.check2(i=a, s=f"postmaster@{domain}", h=domain)
                seen[other[0]] = seen.get(other[0], 0) + 1
                line = re.search(f"^{re.escape(a)}: .*", out, re.M).group()
                if "Too many DNS lookups" in other[1] and 8 <= int(re.search(r"(\d+) look-ups", line).group(1)) <= 10:
                    # it counts the redirect of a record whose mechanism matched; RFC 7208 4.6.4 counts what is evaluated
                    counted += 1
                elif ours.get(a) != other[0]:
                    wrong.append((domain, corpus.records[f"d{i}"], a, other, line))
    assert not wrong, f"{len(wrong)} of {300 * len(ADDRESSES)} differ:\n" + "\n".join(map(str, wrong[:12]))
    assert counted <= 20
    # the corpus shows every result that there is without a broken DNS
    assert all(seen.get(r, 0) >= 20 for r in ("pass", "fail", "softfail", "neutral", "permerror")), seen


# --- what an administrator sees ---

LAB = {
    "lab.test": "\n".join([
        f'@ TXT {txt("v=spf1 ip4:192.0.2.10 include:relay.lab.test -all")}', f'relay TXT {txt("v=spf1 ip4:198.51.100.5 ~all")}',
        "out A 192.0.2.10", "out A 192.0.2.11", f'soft TXT {txt("v=spf1 ip4:192.0.2.10 ~all")}', f'two TXT {txt("v=spf1 -all")}',
        f'two TXT {txt("v=spf1 ~all")}', f'loop TXT {txt("v=spf1 include:loop.lab.test -all")}', "none A 192.0.2.1",
        f'long TXT {txt("v=spf1 " + "a:none.lab.test " * 200 + "-all")}', f'void TXT {txt("v=spf1 a:x1.lab.test a:x2.lab.test a:x3.lab.test -all")}',
        f'big TXT {txt("v=spf1 ip4:192.0.2.10 " + "a:none.lab.test " * 11 + "-all")}',
        f'gone TXT {txt("v=spf1 include:nobody.lab.test -all")}', f'refused TXT {txt("v=spf1 include:elsewhere.example -all")}']),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with Nsd(tmp_path_factory.mktemp("spf"), LAB) as d:
        yield d


@pytest.mark.parametrize("domain, address, code, words", [
    ("lab.test", "192.0.2.10", 0, "1 address may send for lab.test"),
    ("lab.test", "198.51.100.5", 0, "pass by include:relay.lab.test > ip4:198.51.100.5 (1 look-ups)"),
    ("lab.test", "192.0.2.11", 2, "192.0.2.11 may not send for lab.test: fail by -all"),
    ("lab.test", "out.lab.test", 2, "192.0.2.11 may not send for lab.test: fail by -all"),
    ("lab.test", "2001:db8::1", 2, "2001:db8::1 may not send for lab.test: fail by -all"),
    ("soft.lab.test", "192.0.2.99", 1, "softfail by ~all"),
    ("two.lab.test", "192.0.2.99", 2, "permerror: more than one SPF record: two.lab.test"),
    ("none.lab.test", "192.0.2.99", 2, "none: none.lab.test has no SPF record"),
    ("loop.lab.test", "192.0.2.99", 2, "permerror: more than 10 terms that need the DNS"),
    ("long.lab.test", "192.0.2.99", 2, "permerror: more than 10 terms that need the DNS"),
    ("void.lab.test", "192.0.2.99", 2, "permerror: more than 2 look-ups find nothing, the last one: x3.lab.test"),
    ("big.lab.test", "192.0.2.10", 1, "big.lab.test needs 11 look-ups when all its terms are gone through, 10 are allowed"),
    ("gone.lab.test", "192.0.2.10", 2, "permerror: an included domain has no SPF record: nobody.lab.test"),
    ("refused.lab.test", "192.0.2.10", 3, "temperror: elsewhere.example: the resolver answers REFUSED"),
])
def test_what_is_said(lab, domain, address, code, words):
    got, out = check(lab.server, domain, [address])
    assert got == code and words in out, out


def test_a_new_relay_that_is_missing_in_the_record(lab):
    got, out = check(lab.server, "lab.test", ["192.0.2.10", "198.51.100.5", "203.0.113.8"])
    assert got == 2 and "203.0.113.8 may not send for lab.test: fail by -all" in out.splitlines()[0], out
    assert verdicts(out) == {"192.0.2.10": "pass", "198.51.100.5": "pass", "203.0.113.8": "fail"}
    assert check(lab.server, "soft.lab.test", ["192.0.2.99"], "--softfail=critical")[0] == 2


def test_resolver_down(lab):
    lab.pause()
    try:
        got, out = check(lab.server, "lab.test", ["192.0.2.10"], "--answer-limit=1s")
    finally:
        lab.resume()
    assert got == 3 and "lab.test: the resolver does not answer" in out, out


def test_bad_configuration():
    for args in (["-d", "a..b", "-H", "192.0.2.1"], ["-d", "lab.test"], ["-d", "lab.test", "-H", "192.0.2.1", "--sender", "x"]):
        done = subprocess.run([CHECK, *args], stdout=subprocess.PIPE, text=True)
        assert done.returncode == 3 and "Usage: check_spf" in done.stdout, done.stdout
