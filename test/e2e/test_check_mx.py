"""The mx probe: a real NSD names the hosts, real Postfixes and fakes stand behind them on several addresses of loopback."""
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

import nsd
import postfix as postfix_module
from hostile import KINDS, Hostile
from nsd import Nsd
from postfix import Postfix
from smtpfake import FakeSMTP

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_mx"
need_nsd = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")
need_postfix = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")


def check(*args, timeout=20):
    done = subprocess.run([str(a) for a in (CHECK, "-t", timeout, *args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=90)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


ZONE = """@ MX 10 mx1
@ MX 20 mx2
mx1 A 127.0.0.1
mx2 A 127.0.0.2
pair A 127.0.0.1
pair A 127.0.0.2
two MX 10 pair
gone MX 10 mx1
gone MX 20 nowhere
none MX 0 .
mx1only MX 10 mx1
plain A 127.0.0.1
back MX 10 mx2
back MX 20 mx1
"""


@pytest.fixture(scope="module")
def dns(tmp_path_factory):
    with Nsd(tmp_path_factory.mktemp("mx"), {"lab.test": ZONE}) as d:
        yield d


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    r = Postfix(tmp_path_factory.mktemp("mx") / "pf", users=("user@lab.test", "postmaster@lab.test"), main={"mynetworks": "192.0.2.1", "smtpd_relay_restrictions": "reject_unauth_destination"})
    r.service("refuses", "smtpd -o { smtpd_recipient_restrictions = reject }")
    with r:
        yield r


GOOD = {"RSET": "250 ok\r\n"}


@need_nsd
@need_postfix
def test_a_real_pair(dns, relay):
    with FakeSMTP(GOOD, host="127.0.0.2", port=relay.port) as second:
        code, out = check("-H", "lab.test", "-p", relay.port, "--dns-servers", dns.server)
        assert code == 0 and "lab.test: 2 addresses of 2 hosts take mail" in out, out
        assert second.sessions[-1][1:] == ["MAIL FROM:<>", "RCPT TO:<postmaster@lab.test>", "RSET", "QUIT"]
    assert "queued" not in relay.log()


@need_nsd
@need_postfix
@pytest.mark.parametrize("require, code", [("all", 2), ("quorum", 2), ("any", 1)])
def test_dead_backup(dns, relay, require, code):
    got, out = check("-H", "lab.test", "-p", relay.port, "--dns-servers", dns.server, "-r", require)
    assert got == code and "backup mx2.lab.test" in out and "refuses the connection (1 of 2 addresses dead)" in out, out
    assert "addresses=2" in out and "dead=1" in out


@need_nsd
@need_postfix
def test_one_address_of_a_pair(dns, relay):
    got, out = check("-H", "two.lab.test", "--to", "user@lab.test", "-p", relay.port, "--dns-servers", dns.server, "-r", "any")
    assert got == 1 and "pair.lab.test" in out and "[127.0.0.2] refuses the connection" in out, out
    with FakeSMTP({**GOOD, "RCPT": "550 no\r\n"}, host="127.0.0.2", port=relay.port):
        got, out = check("-H", "two.lab.test", "--to", "user@lab.test", "-p", relay.port, "--dns-servers", dns.server)
    assert got == 2 and "answers RCPT: 550" in out, out
    with FakeSMTP({**GOOD, "RCPT": "450 wait\r\n"}, host="127.0.0.2", port=relay.port):
        got, out = check("-H", "two.lab.test", "--to", "user@lab.test", "-p", relay.port, "--dns-servers", dns.server)
    assert got == 1 and "450 wait" in out, out


@need_nsd
@need_postfix
def test_what_the_dns_says(dns, relay):
    base = ["-p", relay.port, "--to", "user@lab.test", "--dns-servers", dns.server]
    got, out = check("-H", "gone.lab.test", *base, "-r", "any")
    assert got == 1 and "backup nowhere.lab.test: no such name" in out, out
    got, out = check("-H", "none.lab.test", *base)
    assert got == 2 and "takes no mail" in out, out
    got, out = check("-H", "no.lab.test", *base)
    assert got == 2 and "no such domain" in out, out
    got, out = check("-H", "plain.lab.test", *base)
    assert got == 0 and "(no MX record)" in out, out
    got, out = check("-H", "elsewhere.test", *base)
    assert got == 3 and "cannot be looked up" in out, out


@need_postfix
def test_fallbacks(relay):
    good, bad = f"127.0.0.1:{relay.port}", f"127.0.0.1:{relay.ports['refuses']}"
    got, out = check("-b", good, "--fallback-to", "user@lab.test")
    assert got == 0 and "fallbacks: 1 address of 1 host takes mail" in out, out
    got, out = check("-b", good, "-b", bad, "--fallback-to", "user@lab.test", "-r", "any")
    assert got == 1 and f"backup {bad} answers RCPT: 554" in out, out
    # relaying for elsewhere is refused to us
    got, out = check("-b", good, "--fallback-to", "user@example.net")
    assert got == 2 and "answers RCPT: 554" in out, out


@pytest.mark.parametrize("kind", KINDS)
def test_hostile(kind):
    with Hostile(kind, b"220 hello\r\n") as fake:
        start = time.monotonic()
        got, out = check("-b", f"127.0.0.1:{fake.port}", "--fallback-to", "user@lab.test", timeout=2)
        assert got == 2 and time.monotonic() - start < 30 and fake.sent < 20e6, out


def test_bad_options():
    assert check()[0] == 3
    assert check("-b", "x:y", "--fallback-to", "a@b")[0] == 3
    assert check("-H", "a..b")[0] == 3


@need_postfix
def test_facts(relay):
    """What the diagnosis reads."""
    good, bad = f"127.0.0.1:{relay.port}", f"127.0.0.1:{relay.ports['refuses']}"
    job = {"v": 1, "run": "1", "check": "mx", "probe": "mx", "state": "", "timeout_ms": 20000,
           "options": {"fallback": [good, bad], "fallback_to": "user@lab.test"}}
    done = subprocess.run([CHECK.parent / "prober", "--place", "net"], input=json.dumps(job) + "\n", stdout=subprocess.PIPE, text=True,
                          timeout=60)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["facts"] == {"addresses": 2, "dead": 1, "backup_dead": 1, "dead_list": bad, "backup_host": "127.0.0.1"}, result
