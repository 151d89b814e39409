"""The mta_sts probe against a real NSD and an HTTPS server with real certificates; its misbehaviour is the server's, on purpose."""
import http.server
import os
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

import nsd
from dovecot import make_ca
from nsd import Nsd

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_mta_sts"
pytestmark = pytest.mark.skipif(bool(nsd.missing()), reason=nsd.missing() or "-")
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.lab.test\r\nmx: *.pool.test\r\nmax_age: 604800\r\n"
POLICIES = {
    "good": POLICY, "lf": POLICY.replace("\r", ""), "testing": POLICY.replace("enforce", "testing"), "off": "version: STSv1\nmode: none\nmax_age: 1\n",
    "forgot": POLICY.replace("mx1", "old"), "forgottest": POLICY.replace("mx1", "old").replace("enforce", "testing"), "deep": POLICY,
    "short": POLICY.replace("604800", "60"), "odd": POLICY.replace("enforce", "maybe"), "nomx": "version: STSv1\nmode: enforce\nmax_age: 86400\n",
    "version": POLICY.replace("STSv1", "STSv2"), "nul": POLICY + "\0", "huge": "x: y\n" * 100000, "noid": POLICY, "twice": POLICY, "nohost": POLICY,
    "notls": POLICY, "gone": None, "moved": 301, "silent": time.sleep,
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = POLICIES.get(self.headers["Host"].split(".")[1])
        if body is time.sleep:
            self.server.over.wait(30)
            return
        self.send_response(404 if body is None else body if isinstance(body, int) else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        if isinstance(body, str):
            try:
                self.wfile.write(body.encode())
            except OSError:
                pass

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("sts")
    names = [n for n in POLICIES if n != "notls"]
    make_ca(root / "ca", ",".join(f"DNS:mta-sts.{n}.lab.test" for n in names))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.over = threading.Event()
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(root / "ca/server.pem", root / "ca/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lines = []
    for n in POLICIES:
        lines += [f"{n} MX 10 mx1", f"{n} MX 20 a.pool.test.", f'_mta-sts.{n} TXT "v=STSv1; id={"" if n == "noid" else "20260101"};"']
        lines += [] if n == "nohost" else [f"mta-sts.{n} A 127.0.0.1"]
    lines += ["deep MX 30 a.b.pool.test.", '_mta-sts.twice TXT "v=STSv1; id=2;"']
    with Nsd(root / "nsd", {"lab.test": "\n".join(lines)}) as d:
        d.https, d.ca = server.server_address[1], root / "ca/ca.pem"
        yield d
    server.over.set()
    server.shutdown()


def check(lab, name, *more, ca=True):
    args = ["-s", lab.server, "-p", str(lab.https), "-d", f"{name}.lab.test", *(["--ca-file", lab.ca] if ca else []), *more]
    done = subprocess.run([CHECK, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("name, code, words", [
    ("good", 0, "MTA-STS of good.lab.test: mode enforce, 2 MX allowed"),
    ("lf", 0, "mode enforce"),
    ("testing", 0, "mode testing"),
    ("off", 0, "switched off (mode none)"),
    ("forgot", 2, "the policy does not allow the MX: mx1.lab.test"),
    ("forgottest", 1, "the policy does not allow the MX: mx1.lab.test"),
    ("deep", 2, "the policy does not allow the MX: a.b.pool.test"),
    ("short", 1, "max_age: 60 s"),
    ("odd", 2, "its mode is none of enforce, testing, none"),
    ("nomx", 2, "it has no mx"),
    ("version", 2, "its version is not STSv1"),
    ("nul", 2, "a NUL in it"),
    ("huge", 2, "longer than 64 KiB"),
    ("gone", 2, "the policy is not there: HTTP 404"),
    ("moved", 2, "the policy is not there: HTTP 301"),
    ("noid", 2, "has no id"),
    ("twice", 2, "more than one TXT record"),
    ("nohost", 2, "mta-sts.nohost.lab.test has no address: no such name"),
    ("notls", 2, "certificate is not for mta-sts.notls.lab.test"),
    ("missing", 2, "no TXT record v=STSv1 at _mta-sts: no such name"),
])
def test_policies(lab, name, code, words):
    got, out = check(lab, name)
    assert got == code and words in out, out


def test_a_server_that_says_nothing_and_a_stranger(lab):
    begin = time.monotonic()
    got, out = check(lab, "silent", "--answer-limit=500ms")
    assert got == 2 and "does not come in time" in out and time.monotonic() - begin < 20, out
    got, out = check(lab, "good", ca=False)
    assert got == 2 and "unable to get local issuer certificate" in out, out
    got, out = check(lab, "good", "-p", str(nsd.free_port()))
    assert got == 2 and "cannot be fetched" in out, out


def test_resolver_down(lab):
    lab.pause()
    try:
        got, out = check(lab, "good", "--answer-limit=500ms")
    finally:
        lab.resume()
    assert got == 3 and "the resolver: does not answer" in out, out
