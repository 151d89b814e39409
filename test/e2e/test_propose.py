"""monitorctl propose: a real NSD, Postfix and Dovecot are looked at; what is written loads, is green where all is well, says what is
not, and nothing but greetings was on the wire."""
import re
import socket
import subprocess
import time

import pytest
import yaml

import dovecot as dovecot_module
import nsd
import postfix as postfix_module
from conftest import BUILD
from dovecot import Dovecot
from house import House, ask
from nsd import Nsd, blocklist
from postfix import Postfix
from prober import needs_namespaces
from rows import over
from smtpfake import SILENT, FakeSMTP
from test_check_dkim import rsa, txt

need = pytest.mark.skipif(bool(nsd.missing() or postfix_module.missing() or dovecot_module.missing()),
                          reason=nsd.missing() or postfix_module.missing() or dovecot_module.missing() or "-")
need_nsd = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")

LINES = """
lines:
  m: {notifier: sms, device: simulated}
  z: {notifier: sms, device: simulated}
contacts:
  op: {routes: [{line: m, to: "+819012345678"}]}
last_resort: {line: z, to: "+819012345679"}
"""
DEAD = "submission=1,smtps=1,imap=1,imaps=1,pop3=1,pop3s=1"


def propose(*args, timeout=120, prefix=()):
    r = subprocess.run([*prefix, str(BUILD / "monitorctl"), "propose", *map(str, args)], capture_output=True, text=True, timeout=timeout,
                       stdin=subprocess.DEVNULL)
    assert "ERROR: " not in r.stderr, r.stderr
    return r


def loads(tmp_path, text):
    """What the proposal becomes beside lines and contacts: its checks, as YAML has them."""
    config = tmp_path / "t" / "monitord.yaml"
    (config.parent / "conf.d").mkdir(parents=True, exist_ok=True)
    config.write_text(f"paths: {{libexec: {BUILD}}}\n" + LINES)
    (config.parent / "conf.d" / "site.yaml").write_text(text)
    r = subprocess.run([str(BUILD / "monitord"), "-t", "-c", str(config)], capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stderr + text
    assert text.isascii() and not re.search(r"[^\n -~]", text)
    return yaml.load(text, Loader=yaml.BaseLoader)["checks"]


def today(text, name):
    """What is said of a check: the comment before it."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() in (f'"{name}":', f"{name}:"))
    first = at
    while lines[first - 1].strip().startswith("#"):
        first -= 1
    return " ".join(line.strip(" #") for line in lines[first:at])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A healthy site: two exchangers, submission with and without STARTTLS, a store, SPF, DKIM, DMARC, a list that works."""
    root = tmp_path_factory.mktemp("site")
    # on some machines localhost is [::1] too
    six = any(family == socket.AF_INET6 for family, *_ in socket.getaddrinfo("localhost", 25))
    relay = Postfix(root / "pf", users=("user@lab.test", "postmaster@lab.test"), ipv6=six)
    relay.service("submission", "smtpd -o smtpd_tls_security_level=encrypt")
    relay.service("smtps", "smtpd -o smtpd_tls_wrappermode=yes")
    relay.service("plain", "smtpd -o smtpd_tls_security_level=none")
    records = f"""@ MX 10 mx
@ MX 20 localhost.
mx A 127.0.0.1
mail A 127.0.0.1
imap A 127.0.0.77
@ TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc TXT "v=DMARC1; p=reject"
k1._domainkey TXT {txt("v=DKIM1; k=rsa; p=" + rsa(2048))}
bare TXT "nothing here"
null MX 0 .
host A 127.0.0.1
"""
    zones = {"lab.test": records, "localhost": "@ A 127.0.0.1\n", "ill.test": "@ MX 10 gone\ngone A 127.0.0.1\n", "bl.test": blocklist()}
    with relay, Dovecot(root / "dc", pop3=True) as store, Nsd(root / "dns", zones) as dns:
        ca = root / "ca.pem"
        ca.write_text(relay.ca.read_text() + store.ca.read_text())
        yield type("Site", (), dict(relay=relay, store=store, dns=dns, ca=ca, ports=",".join([
            f"smtp={relay.port}", f"submission={relay.ports['submission']}", f"smtps={relay.ports['smtps']}", f"imap={store.imap_port}",
            f"imaps={store.imaps_port}", f"pop3={store.pop3_port}", f"pop3s={store.pop3s_port}"])))


@need
def test_a_healthy_site_is_green(site, tmp_path):
    out = tmp_path / "h" / "conf.d" / "lab.yaml"
    out.parent.mkdir(parents=True)
    args = ["lab.test", "--resolver", site.dns.server, "--ports", site.ports, "--ca-file", site.ca, "--no-local", "--outbound", "127.0.0.1",
            "--selector", "k1", "--dnsbl", "bl.test", "-o", out]
    r = propose(*args)
    assert r.returncode == 0, r.stderr
    text = out.read_text()
    assert re.match(r"# lab\.test as it was found on \d{4}-\d\d-\d\d at \d\d:\d\d UTC by `monitorctl propose`: \d+ checks, 0 not OK today\.",
                    text), text
    assert re.search(r"# - MX 10 mx\.lab\.test 127\.0\.0\.1; smtp STARTTLS, certificate until \d{4}-\d\d-\d\d", text), text
    checks = loads(tmp_path, text)
    # nothing but greetings: no envelope, no login; what Postfix counts of each session at its end
    sessions = [line for line in site.relay.log().splitlines() if "disconnect from" in line]
    assert sessions and not [s for s in sessions if re.search(r"\b(mail|rcpt|data|auth)=", s)], sessions
    assert "ehlo=" in site.relay.log() and "queued" not in site.relay.log()
    assert "Login: user" not in site.store.log()
    assert checks["mx.lab.test smtp"]["verify"] == checks["mx.lab.test submission"]["verify"] == "full"
    assert checks["mx.lab.test smtps"]["tls"] and checks["localhost imaps"]["verify"]
    assert checks["localhost pop3"]["starttls"] and checks["localhost pop3s"]["verify"]
    assert checks["localhost imap"]["parents"] == ["self", "localhost smtp"]
    assert checks["lab.test mx record"]["expected_address"] == ["10 mx.lab.test", "20 localhost"]
    assert "mail.lab.test smtp" not in checks  # it is no other host
    assert not [c for c in checks if c.startswith("imap.lab.test")]  # nor is there any mail
    assert "# - imap.lab.test 127.0.0.77; nobody answers at any port of mail" in text
    assert checks["lab.test blocklists"]["list"] == ["bl.test"]
    assert "# MTA-STS is not published" in text and "lab.test mta-sts" not in checks
    assert "lab.test tlsa" not in checks and ("# DANE is not published" in text) == (BUILD / "check_tlsa").exists()
    assert "SUGGEST" not in text and '  #  "lab.test round trip":' in text
    # a file is never overwritten
    r = propose(*args)
    assert r.returncode == 1 and "is there already" in r.stderr and out.read_text() == text
    # the daemon agrees, with the first run of each
    with House(tmp_path / "h", {"other": {"probe": "load", "warning": "1000", "interval": "1h"}}) as house:
        for name in checks:
            c = ask(house.socket("monitord"), {"do": "check", "name": name}, timeout=90)["check"]
            assert (c["state"], c["measured"]) == ("OK", True), c
        assert {c["name"] for c in house.status()["checks"] if c["probe"]} == {*checks, "other"}


@need
def test_what_is_not_well_is_a_check_and_is_said(site, tmp_path):
    """No STARTTLS, an authority that nobody knows, a host that refuses, no SPF, no DMARC, an outbound address that may not send."""
    ports = f"smtp={site.relay.ports['plain']}," + DEAD
    r = propose("lab.test", "--resolver", site.dns.server, "--ports", ports, "--no-local", "--outbound", "192.0.2.9")
    checks = loads(tmp_path, r.stdout)
    assert "starttls" not in checks["mx.lab.test smtp"] and "offers no STARTTLS" in today(r.stdout, "mx.lab.test smtp")
    assert "today: CRITICAL 192.0.2.9 may not send for lab.test" in today(r.stdout, "lab.test spf")
    assert "# not OK: lab.test spf" in r.stdout
    # a certificate by nobody known: opportunistic TLS does with it, and that it is not verified is said
    r = propose("lab.test", "--resolver", site.dns.server, "--ports", f"smtp={site.relay.port}," + DEAD, "--no-local")
    checks = loads(tmp_path, r.stdout)
    assert checks["mx.lab.test smtp"]["verify"] == "off" and checks["mx.lab.test smtp"]["certificate"] == "21,7"
    said = today(r.stdout, "mx.lab.test smtp")
    assert "the certificate is not verified; with that it would be CRITICAL today" in said and "today: OK" in said
    assert "lab.test spf" in checks and "put in yours" in today(r.stdout, "lab.test spf")
    assert "lab.test dkim" not in checks and "--selector" in today(r.stdout.replace('#  "', '"'), "lab.test dkim")
    # what is only suggested loads too, once it is no comment any more
    whole = loads(tmp_path, re.sub(r"(?m)^  #(?=  )", "", r.stdout))
    assert {"lab.test round trip", "lab.test relays nothing", "lab.test dkim", "lab.test blocklists"} == set(whole) - set(checks)
    # nobody there
    r = propose("ill.test", "--resolver", site.dns.server, "--ports", "smtp=1," + DEAD, "--no-local")
    checks = loads(tmp_path, r.stdout)
    assert "today: CRITICAL gone.ill.test" in today(r.stdout, "gone.ill.test smtp") and "refuses the connection" in r.stdout
    assert "today: CRITICAL" in today(r.stdout, "ill.test dmarc") and "today: CRITICAL" in today(r.stdout, "ill.test spf")
    assert not [c for c in checks if c.endswith(("imap", "submission"))]


@need
def test_a_host_and_an_address(site, tmp_path):
    r = propose("Host.Lab.Test.", "--resolver", site.dns.server, "--ports", site.ports, "--ca-file", site.ca, "--no-local")
    checks = loads(tmp_path, r.stdout)
    assert {"host.lab.test smtp", "host.lab.test submission", "host.lab.test dns"} <= set(checks)
    assert not [c for c in checks if re.search("spf|dmarc| mx", c)]
    assert "It has no MX record" in r.stdout
    r = propose("127.0.0.1", "--ports", site.ports, "--ca-file", site.ca, "--no-local")
    checks = loads(tmp_path, r.stdout)
    assert set(checks) == {f"127.0.0.1 {s}" for s in ("smtp", "submission", "smtps", "imap", "imaps", "pop3", "pop3s")}
    assert "0 not OK today" in r.stdout and checks["127.0.0.1 imaps"]["verify"]
    assert not [k for c in checks.values() for k in c if k == "resolver"]


@need_nsd
def test_what_the_dns_says(site, tmp_path):
    base = ["--resolver", site.dns.server, "--ports", "smtp=1," + DEAD, "--no-local"]

    def refused(subject, words):
        r = propose(subject, *base)
        assert (r.returncode, r.stdout) == (1, "") and words in r.stderr, r.stderr
        assert len(r.stderr.splitlines()) == 1

    refused("no.lab.test", "the DNS says that there is no such name")
    refused("bare.lab.test", "has neither an MX record nor an address")
    refused("elsewhere.test", "is the resolver right")
    r = propose("null.lab.test", *base)
    checks = loads(tmp_path, r.stdout)
    assert "takes no mail (a null MX)" in r.stdout and set(checks) == {"null.lab.test spf", "null.lab.test dmarc"}
    r = propose("bare.lab.test", *base, "--outbound", "192.0.2.1")
    assert "it only sends" in r.stdout and "bare.lab.test spf" in loads(tmp_path, r.stdout)
    r = propose("lab.test", "--resolver", "127.0.0.1:1", "--no-local")
    assert r.returncode == 1 and "is the resolver right" in r.stderr


@pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")
def test_this_host(tmp_path):
    """What runs here is told by the same probes as the proposal has; where there is no agent nothing of it is proposed."""
    with Postfix(tmp_path / "pf") as relay:
        r = propose("127.0.0.1", "--ports", f"smtp={relay.port}," + DEAD)
        checks = loads(tmp_path, r.stdout)
        queue = [n for n, c in checks.items() if c["probe"] == "queue"]
        alone = subprocess.run([str(BUILD / "check_queue")], capture_output=True, text=True, timeout=60).stdout
        if " no " in alone and " queue at " in alone:
            assert set(checks) == {"127.0.0.1 smtp"}
            return
        assert len(queue) == 1 and re.match(r"QUEUE \w+: (\w+)", alone)[1] in today(r.stdout, queue[0])
        if "Postfix" in alone:
            master = next(n for n in checks if n.endswith(" Postfix master"))
            assert "today: OK" in today(r.stdout, master)
        assert {c["probe"] for c in checks.values()} - {"log"} == {"smtp", "queue", "disk", "load", "process"}


def test_usage(tmp_path):
    for args, words in [((), "needs a name"), (("a b",), "neither a domain nor a host"), (("user@lab.test",), "behind the @"),
                        (("例え.jp",), "xn--"), (("x" * 300,), "longer than 253 bytes"), (("-o", "/nowhere/x", "--ports", "smtp=0", "a.test"), "--ports"),
                        (("a.test", "--timeout", "1s"), "from 5s to 10m"), (("a.test", "--resolver", "ns.a.test"), "must be an address"),
                        (("a.test", "--outbound", 'x"y'), "neither an address nor a name"), (("a.test", "--ca-file", "ca.pem"), "absolute path"),
                        (("a.test", "--selector", ",".join("abcdefghijklmnopq")), "at most 16")]:
        r = propose(*args)
        assert r.returncode == 2 and words in r.stderr and r.stdout == "", (args, r)
    assert "never" not in propose("--help").stderr and "--outbound" in propose("--help").stdout


@need_nsd
def test_hostile_names_and_greetings(tmp_path):
    """What a name server or a greeting says stays in comments, and in one line."""
    evil = '554 x"\\\'\u202e\x1b[31m: [{\r\n  evil: {probe: exec, command: [/bin/true]}\r\n'.encode()
    zone = ('@ MX 10 mx\n@ MX 5 a\\010checks\\058\\032evil\\034.lab.test.\n@ MX 20 "q\\"#".lab.test.\nmx A 127.0.0.1\n'
            '@ TXT "v=spf1 \\010evil: ip4:x"\n_dmarc TXT "v=DMARC1; p=\\027[31m\\010evil: x"\n')
    with Nsd(tmp_path / "dns", {"lab.test": zone}) as dns, FakeSMTP({"greeting": evil}) as fake:
        r = propose("lab.test", "--resolver", dns.server, "--ports", f"smtp={fake.port}," + DEAD, "--no-local")
        assert r.returncode == 0, r.stderr
        checks = loads(tmp_path, r.stdout)
        assert all(re.fullmatch(r"(lab\.test|mx\.lab\.test) [a-z ]+", name) for name in checks), checks
        assert not [c for c in checks.values() if c["probe"] == "exec"]
        assert checks["lab.test mx record"]["expected_address"] == ["10 mx.lab.test"] and "all" not in checks["lab.test mx record"]
        assert r.stdout.count("is no name of a host") == 2
        assert "today: CRITICAL" in today(r.stdout, "mx.lab.test smtp") and "554" in today(r.stdout, "mx.lab.test smtp")


@need_nsd
def test_who_says_nothing(tmp_path):
    """A host that takes the connection and is silent: the time is kept, and what was found of the others stands."""
    with Nsd(tmp_path / "dns", {"lab.test": "@ MX 10 mx\nmx A 127.0.0.1\n_dmarc TXT \"v=DMARC1; p=none\"\n"}) as dns, \
            FakeSMTP({"greeting": SILENT}) as fake:
        began = time.monotonic()
        r = propose("lab.test", "--resolver", dns.server, "--ports", f"smtp={fake.port}," + DEAD, "--no-local", "--timeout", "6s")
        assert time.monotonic() - began < 40 and r.returncode == 0, r
        checks = loads(tmp_path, r.stdout)
        assert "today: CRITICAL mx.lab.test" in today(r.stdout, "mx.lab.test smtp") and "no greeting" in today(r.stdout, "mx.lab.test smtp")
        assert "today: OK" in today(r.stdout, "lab.test dmarc") and "starttls" not in checks["mx.lab.test smtp"]


@need_nsd
def test_bounded(tmp_path):
    """Thirty exchangers, and hosts that say nothing: the time is kept, and what is left out is said."""
    zone = "".join(f"@ MX {i} mx{i}\nmx{i} A 127.0.0.1\n" for i in range(1, 31))
    with Nsd(tmp_path / "dns", {"lab.test": zone}) as dns, FakeSMTP({"greeting": "220-slow\r\n" * 40000}) as fake:
        r = propose("lab.test", "--resolver", dns.server, "--ports", f"smtp={fake.port}," + DEAD, "--no-local", "--timeout", "8s", timeout=60)
        assert r.returncode == 0, r.stderr
        checks = loads(tmp_path, r.stdout)
        assert len([c for c in checks if c.endswith(" smtp")]) == 16
        assert "14 more MX" in r.stdout and "all" not in checks["lab.test mx record"]


@needs_namespaces
@pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")
def test_a_host_that_only_the_hosts_file_knows(tmp_path):
    """Whatever the DNS says of it, or nothing: its checks find it there too."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.1 gate.corp.invalid gate\n")
    with Postfix(tmp_path / "pf", tls=False) as relay:
        r = propose("gate", "--ports", f"smtp={relay.port},{DEAD}", "--no-local", prefix=over("/etc/hosts", hosts))
    assert r.returncode == 0, r.stderr
    assert "Found in this host's /etc/hosts, not in the DNS." in r.stdout and "1 check, 0 not OK today" in r.stdout, r.stdout
    checks = loads(tmp_path, r.stdout)
    assert list(checks) == ["gate smtp"] and checks["gate smtp"]["host"] == "gate", checks
    r = propose("nosuch.corp.invalid", "--ports", DEAD, "--no-local", prefix=over("/etc/hosts", hosts))
    assert r.returncode == 1 and not r.stdout, r
