"""Command definitions of monitoring-plugins for the network, run with theirs and with ours, long names of options included: the same
exit code and the same performance labels. A name server on port 53 stands in a network namespace of its own."""
import http.server
import os
import shutil
import subprocess
import threading

import pytest

import dovecot as dovecot_module
import nsd
from dovecot import Dovecot
from nsd import Nsd
from prober import PLUGINS, needs_namespaces
from test_drop_in import both, same
from waiting import wait_for

pytestmark = pytest.mark.skipif(not (PLUGINS / "check_dns").exists(), reason="monitoring-plugins are not installed")
ZONE = """@ MX 10 mx1
@ MX 20 mx2
@ TXT "hello"
mx1 A 192.0.2.1
mx2 A 192.0.2.2
pair A 192.0.2.1
pair A 192.0.2.2
six AAAA 2001:db8::1
both A 192.0.2.1
both AAAA 2001:db8::1
alias CNAME mx1"""


class Port53(Nsd):
    """An NSD on 127.0.0.1:53, and resolv.conf that names it, where only run() gets."""

    def __init__(self, root, zones):
        super().__init__(root, zones, port=53)
        (self.root / "nsd.conf").write_text(self.configuration())
        (self.root / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")

    def start(self):
        script = 'ip link set lo up; mount --bind "$1" /etc/resolv.conf; shift; exec "$@"'
        env = {**os.environ, "LD_LIBRARY_PATH": str(nsd.UNPACKED / "usr/lib/x86_64-linux-gnu")}
        self.process = subprocess.Popen(["unshare", "-n", "-m", "--propagation", "private", "sh", "-ec", script, "sh", self.root / "resolv.conf",
                                         nsd.program("nsd"), "-d", "-c", self.root / "nsd.conf"], env=env, start_new_session=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.process.poll() is not None or self.run("dig", "+short", "+time=1", "+tries=1", "@127.0.0.1", "mx1.lab.test").stdout.strip() == "192.0.2.1",
                 60, "nsd answers")
        assert self.process.poll() is None, self.log()

    def run(self, *argv):
        return subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", "-m", *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)


@pytest.fixture(scope="module")
def resolver(tmp_path_factory):
    if nsd.missing() or not shutil.which("dig") or not shutil.which("nslookup"):
        pytest.skip("no nsd, or no dig and nslookup for the other side")
    with Port53(tmp_path_factory.mktemp("dns"), {"lab.test": ZONE, "2.0.192.in-addr.arpa": "1 PTR mx1.lab.test."}) as d:
        yield d


@needs_namespaces
@pytest.mark.parametrize("args,code", [
    ("-H mx1.lab.test", 0), ("-H mx1.lab.test -s 127.0.0.1", 0), ("--hostname=mx1.lab.test --server=127.0.0.1 --expected-address=192.0.2.1", 0),
    ("-H mx1.lab.test -s 127.0.0.1 -a 192.0.2.9", 2), ("-H pair.lab.test -a 192.0.2.1", 0), ("-H pair.lab.test -a 192.0.2.1 -L", 2),
    ("-H pair.lab.test -a 192.0.2.1,192.0.2.2 --all", 0), ("-H pair.lab.test -a 192.0.2.1 -a 192.0.2.2 -L", 0),
    ("-H mx1.lab.test -a 192.0.2.0/24", 0), ("-H mx1.lab.test -a 198.51.100.0/24", 2), ("-H six.lab.test -a 2001:db8::1", 0),
    ("-H mx1.lab.test -a 192.0.2.0/31", 0), ("-H mx2.lab.test -a 192.0.2.0/31", 2),
    ("-H nosuch.lab.test", 2), ("-H nosuch.lab.test -n", 0), ("-H mx1.lab.test --expect-nxdomain", 2), ("-H mx1.lab.test -A", 0),
    ("-H 192.0.2.1", 0), ("-H 192.0.2.1 -a mx1.lab.test.", 0), ("-H 192.0.2.1 -a other.lab.test.", 2), ("-H both.lab.test", 0),
    ("-H alias.lab.test -a 192.0.2.1", 0), ("-H mx1.lab.test -w 5 -c 10 -t 20", 0), ("-H mx1.lab.test -w 0.000000001", 1),
    ("-H mx1.lab.test -w 5 -c 0.000000001", 2), ("-H mx1.lab.test -s 127.0.0.7 -t 3", 2), ("-H mx1.elsewhere.example", 2), ("-n -a 192.0.2.1 -H x.test", 3),
])
def test_check_dns(resolver, args, code):
    same("check_dns", args.split(), code, resolver.run)


@needs_namespaces
@pytest.mark.parametrize("args,code", [
    ("-H 127.0.0.1 -l mx1.lab.test", 0), ("-l mx1.lab.test", 0), ("-H 127.0.0.1 -l mx1.lab.test -a 192.0.2.1", 0),
    ("-H 127.0.0.1 -l mx1.lab.test -a 192.0.2.9", 1), ("-H 127.0.0.1 -l lab.test -T MX", 0), ("-H 127.0.0.1 -l lab.test -T MX -a mx1.lab.test", 0),
    ("-H 127.0.0.1 -l lab.test -T TXT -a hello", 0), ("-H 127.0.0.1 -l six.lab.test -T AAAA -a 2001:db8::1", 0),
    ("-H 127.0.0.1 -l nosuch.lab.test", 2), ("-H 127.0.0.1 -l six.lab.test", 2), ("-H 127.0.0.1 -l mx1.elsewhere.example", 2),
    ("-H 127.0.0.1 -l mx1.lab.test -A +tcp", 0), ("-H 127.0.0.1 -l mx1.lab.test -w 5 -c 10", 0), ("-H 127.0.0.1 -l mx1.lab.test -w 0.0000001", 1),
    ("-H 127.0.0.1 -l mx1.lab.test -c 0.0000001", 2), ("-H 127.0.0.1 -p 53 -4 -t 5 -l mx1.lab.test", 0), ("-H 127.0.0.1 -l lab.test -T SOA", 0),
    ("-H 127.0.0.1 -l lab.test -T NS -a ns.lab.test", 0), ("-H 127.0.0.1 -l alias.lab.test -T CNAME", 0), ("-H 127.0.0.1 -l alias.lab.test", 0),
    ("--hostname=127.0.0.1 --query_address=mx1.lab.test --record_type=A --expected_address=192.0.2.1 --timeout=5", 0), ("-H 127.0.0.1", 3),
])
def test_check_dig(resolver, args, code):
    same("check_dig", args.split(), code, resolver.run)


@needs_namespaces
def test_check_dig_differs(resolver):
    """A dead server is CRITICAL, not WARNING; other options of dig are refused in one line."""
    ours, theirs = both("check_dig", ["-H", "127.0.0.7", "-t", "3", "-l", "mx1.lab.test"], resolver.run)
    assert (ours.returncode, theirs.returncode) == (2, 1)
    ours, _ = both("check_dig", ["-H", "127.0.0.1", "-l", "mx1.lab.test", "-A", "-x 192.0.2.1"], resolver.run)
    assert ours.returncode == 3 and ours.stdout.splitlines()[0].endswith("no dig is run, so it has no arguments; see check_dns")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    if dovecot_module.missing():
        pytest.skip(dovecot_module.missing())
    with Dovecot(tmp_path_factory.mktemp("imap") / "dc") as d:
        yield d


@pytest.mark.parametrize("args,code", [
    ("-H 127.0.0.1 -p PLAIN", 0), ("--hostname=127.0.0.1 --port=PLAIN --timeout=20", 0), ("-H 127.0.0.1 -p PLAIN -4 -w 10 -c 20", 0),
    ("-H 127.0.0.1 -p PLAIN -e nothing", 1), ("-H 127.0.0.1 -p PLAIN -e *", 0), ("-H 127.0.0.1 -p TLS -S", 0), ("-H 127.0.0.1 -p TLS --ssl -D 10", 0),
    ("-H 127.0.0.1 -p TLS -D 60,40", 2), ("-H 127.0.0.1 -p TLS -D 60,4", 1), ("-H 127.0.0.1 -p 1", 2), ("-H 127.0.0.1 -p PLAIN -c 0.0000001", 2),
])
def test_check_imap(store, args, code):
    same("check_imap", args.replace("PLAIN", str(store.imap_port)).replace("TLS", str(store.imaps_port)).split(), code)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.headers['Host']} {self.headers['X-Test']} {self.headers['User-Agent']}\n".encode())

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.mark.parametrize("args,code", [
    ("-I 127.0.0.1 -p PORT", 0), ("--IP-address=127.0.0.1 --port=PORT --hostname=www.lab.test --string=www.lab.test", 0),
    ("-I 127.0.0.1 -H www.lab.test -p PORT -s other", 2), ("-I 127.0.0.1 -p PORT -k X-Test:yes -s yes", 0), ("-I 127.0.0.1 -p PORT -A me/1 -s me/1", 0),
    ("-I 127.0.0.1 -p PORT -N -t 20 -w 10 -c 20", 0), ("-I 127.0.0.1 -p PORT -e 200,301", 0), ("-I 127.0.0.1 -p 1", 2), ("-4 -H localhost -p PORT", 0),
])
def test_check_http(site, args, code):
    same("check_http", args.replace("PORT", str(site)).split(), code)


@pytest.mark.skipif(not shutil.which("ping"), reason="the other side needs ping")
@pytest.mark.parametrize("args,code", [
    ("-H 127.0.0.1 -w 3000,80% -c 5000,100%", 0), ("--hostname=127.0.0.1 --warning=3000,80% --critical=5000,100% --packets=2", 0),
    ("-H 127.0.0.1 -w 0.0000001,80% -c 5000,100% -p 1", 1), ("-4 -H 127.0.0.1 -w 0.0000001,80% -c 0.0000002,100% -p 1 -t 20", 2),
])
def test_check_ping(site, args, code):
    """Ours asks a port by TCP; that port apart the command is the same."""
    ours, theirs = both("check_ping", args.split(), lambda p, *a: subprocess.run(
        [p, *a, *(("--port", str(site)) if p.parent != PLUGINS else ())], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60))
    if "perations not permitted" in theirs.stdout or theirs.returncode == 3:
        pytest.skip("ping may not send here: " + theirs.stdout)
    assert (ours.returncode, theirs.returncode) == (code, code), ours.stdout + theirs.stdout
    labels = [{x.split("=")[0].strip("' ") for x in o.stdout.splitlines()[0].split("|")[1].split()} for o in (ours, theirs)]
    assert labels[1] <= labels[0]
