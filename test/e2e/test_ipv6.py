"""The probes of mail, web and DNS by IPv6: a real Postfix, NSD and web server at ::1, where the machine has it."""
import functools
import http.server
import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import nsd as nsd_module
import postfix as postfix_module
from nsd import Nsd
from postfix import Postfix, free_ports

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
pytestmark = pytest.mark.skipif(not postfix_module.has_ipv6(), reason="no IPv6 on loopback")
need_postfix = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")
need_nsd = pytest.mark.skipif(bool(nsd_module.missing()), reason=nsd_module.missing() or "-")

CLOSED = "reject_unauth_destination"
ZONE = """@ MX 10 both
@ MX 20 six
both A 127.0.0.1
both AAAA ::1
six AAAA ::1
half A 127.0.0.9
half AAAA ::1
dead MX 10 six
dead MX 20 half
"""


def check(probe, *args, timeout=30):
    done = subprocess.run([BUILD / f"check_{probe}", "-t", str(timeout), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


def prober(probe, **options):
    job = {"v": 1, "run": "1", "check": probe, "probe": probe, "options": options, "state": "", "timeout_ms": 30000}
    done = subprocess.run([BUILD / "prober", "--place", "net"], input=json.dumps(job) + "\n", stdout=subprocess.PIPE, text=True, timeout=90)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    server = Postfix(tmp_path_factory.mktemp("six") / "pf", users=("user@lab.test", "postmaster@lab.test"), ipv6=True,
                     smtpd="smtpd -o disable_vrfy_command=yes", main={"mynetworks": "192.0.2.1", "smtpd_relay_restrictions": CLOSED})
    for name, rule in (("client", "check_client_access inline:{ {::1 = OK} }"),
                       ("literal", "check_sender_access inline:{ {[IPv6:::1] = OK} }")):
        server.service(name, f"smtpd -o disable_vrfy_command=yes -o {{ smtpd_relay_restrictions = {rule}, {CLOSED} }}")
    with server:
        yield server


@pytest.fixture(scope="module")
def dns(tmp_path_factory):
    with Nsd(tmp_path_factory.mktemp("six") / "nsd", {"lab.test": ZONE}, addresses=("127.0.0.1", "::1")) as server:
        server.six = f"[::1]:{server.port}"
        yield server


@need_postfix
def test_smtp(relay):
    code, out = check("smtp", "-H", "::1", "-p", relay.port)
    assert code == 0 and f"[::1]:{relay.port}" in out, out
    code, out = check("smtp", "-H", "::1", "-p", free_ports(1)[0])
    assert code == 2 and "refuses the connection" in out, out


@need_postfix
@need_nsd
def test_smtp_by_a_name_that_is_asked_for_by_ipv6(relay, dns):
    for name, family, want in (("six.lab.test", (), 0), ("both.lab.test", ("-6",), 0), ("half.lab.test", ("-6",), 0), ("half.lab.test", ("-4",), 2)):
        code, out = check("smtp", "-H", name, "-p", relay.port, "--dns-servers", dns.six, *family)
        assert code == want, out
    code, out = check("smtp", "-H", "six.lab.test", "-p", relay.port, "--dns-servers", dns.six, "-4")
    assert code == 2 and "six.lab.test" in out, out


@need_postfix
@need_nsd
def test_mx(relay, dns):
    code, out = check("mx", "-H", "lab.test", "-p", relay.port, "--dns-servers", dns.six, "-v")
    assert code == 0 and "3 addresses of 2 hosts take mail" in out, out
    code, out = check("mx", "-H", "lab.test", "-p", relay.port, "--dns-servers", dns.six, "-6")
    assert code == 0 and "2 addresses of 2 hosts take mail" in out and "127.0.0.1" not in out, out
    code, out = check("mx", "-b", f"[::1]:{relay.port}", "--fallback-to", "user@lab.test")
    assert code == 0 and "1 address of 1 host takes mail" in out, out


@need_postfix
@need_nsd
def test_mx_tells_the_diagnosis_of_a_dead_backup(relay, dns):
    """One host whose IPv6 address works and whose IPv4 address does not is half dead; a backup without any is dead."""
    half = prober("mx", domain="dead.lab.test", port=str(relay.port), to="user@lab.test", dns_servers=[dns.six], require="any")
    assert half["state"] == "WARNING" and "half.lab.test" in half["text"] and "[127.0.0.9]" in half["text"], half
    assert half["facts"].items() >= {"addresses": 3, "dead": 1, "backup_dead": 0}.items(), half["facts"]
    dead = prober("mx", domain="dead.lab.test", port=str(relay.port), to="user@lab.test", dns_servers=[dns.six], require="any", use_ipv4="yes")
    assert dead["facts"]["backup_dead"] == 1 and dead["facts"]["backup_host"] == "half.lab.test", dead
    assert "half.lab.test" in dead["facts"]["dead_list"], dead


@need_postfix
def test_relay(relay):
    code, out = check("relay", "-H", "::1", "-p", relay.port, "--domain", "lab.test")
    assert code == 0 and "relays nothing for strangers, 21 forms tried" in out, out
    code, out = check("relay", "-H", "::1", "-p", relay.ports["client"], "--domain", "lab.test")
    assert code == 2 and "(plain)" in out.splitlines()[0], out
    code, out = check("relay", "-H", "::1", "-p", relay.ports["literal"], "--domain", "lab.test")
    assert code == 2 and "(own address as sender)" in out.splitlines()[0], out
    assert "queued" not in relay.log()


@need_nsd
def test_dns(dns):
    code, out = check("dns", "-H", "six.lab.test", "-s", dns.six, "-a", "::1")
    assert code == 0 and "::1" in out, out
    result = prober("dns", host="six.lab.test", resolver=f"[::1]:{nsd_module.free_port(('::1',))}")
    assert result["state"] != "OK" and result["facts"]["resolver_dead"] == 1 and "::1" in result["facts"]["resolver"], result


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    (folder / "index.html").write_text("the page\n")

    class Six(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with Six(("::1", 0), functools.partial(handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_http(web):
    for how in (("-H", "::1"), ("-H", "[::1]"), ("-H", "www.lab.test", "-I", "::1")):
        code, out = check("http", *how, "-p", web, "-s", "the page")
        assert code == 0, out
    code, out = check("http", "-H", "::1", "-4", "-p", web)
    assert code != 0, out


def test_ping(web):
    code, out = check("ping", "-H", "::1", "-P", web, "-w", "5000,50%", "-c", "9000,80%")
    assert code == 0 and re.search(r"\bpl=0%", out), out
    assert check("ping", "-H", "::1", "-P", free_ports(1)[0], "-w", "5000,50%", "-c", "9000,80%")[0] == 2
