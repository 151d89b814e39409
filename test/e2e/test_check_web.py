"""http, ping and cert against real servers (python's http.server, openssl s_server, Postfix), fakes for hostile ones."""
import functools
import http.server
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import postfix as postfix_module
from hostile import KINDS, Hostile
from postfix import Authority, Postfix, free_ports
from smtpfake import BlackHole
from waiting import wait_for

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
REAL = Path("/usr/lib/nagios/plugins/check_http")
need_postfix = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")


def run(name, *args, timeout=20, program=None):
    done = subprocess.run([str(a) for a in (program or BUILD / f"check_{name}", "-t", timeout, *args)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=90)
    assert "ERROR: " not in done.stderr, done.stderr
    return done.returncode, done.stdout


class Site(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        code = {"/500": 500, "/404": 404, "/moved": 302}.get(self.path, 200)
        body = b"all is well\n" if code == 200 else b"no\n"
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/here")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


CASES = [
    (["-u", "/"], 0), (["-u", "/500"], 2), (["-u", "/404"], 1), (["-u", "/moved"], 0), (["-u", "/moved", "-f", "warning"], 1),
    (["-u", "/moved", "-f", "critical"], 2), (["-u", "/moved", "-f", "sticky"], 0), (["-s", "all is well"], 0), (["-s", "absent"], 2),
    (["-u", "/404", "-e", "404"], 0), (["-u", "/", "-e", "404,500"], 2), (["-c", "0.0000001"], 2), (["-w", "0.0000001"], 1),
    (["-w", "20", "-c", "30"], 0),
]


@pytest.mark.parametrize("args, code", CASES, ids=[" ".join(a) for a, _ in CASES])
def test_http(site, args, code):
    got, out = run("http", "-H", "127.0.0.1", "-p", site, *args)
    assert got == code and "time=" in out, out
    if REAL.exists():
        theirs, text = run("http", "-H", "127.0.0.1", "-p", site, *args, program=REAL)
        assert theirs == code, text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["at once", "after the headers"])
def test_http_hostile(kind, first):
    with Hostile(kind, first) as fake:
        start = time.monotonic()
        got, out = run("http", "-H", "127.0.0.1", "-p", fake.port, "-s", "all is well", timeout=2)
        assert got == 2 and time.monotonic() - start < 30 and fake.sent < 40e6, out
        if first and kind in ("endless line", "nuls", "eight bit", "huge"):
            assert "we stopped reading the body" in out, out


def test_http_refused():
    port = free_ports(1)[0]
    got, out = run("http", "-H", "127.0.0.1", "-p", port)
    assert got == 2 and "refuses the connection" in out, out
    assert run("http")[0] == 3
    assert run("http", "-H", "a b")[0] == 3


def test_ping(site):
    got, out = run("ping", "-H", "127.0.0.1", "-P", site, "-p", 3, "-w", "1000,20%", "-c", "2000,60%")
    assert got == 0 and "0 % lost" in out and "rta=" in out and "pl=0%" in out, out
    assert run("ping", "-H", "127.0.0.1", "-P", site, "-p", 2, "-c", "0,100%")[0] == 2
    assert run("ping", "-H", "127.0.0.1", "-P", site, "-p", 2, "-w", "0,100%")[0] == 1
    port = free_ports(1)[0]
    got, out = run("ping", "-H", "127.0.0.1", "-P", port, "-p", 2)
    assert got == 2 and "refused, 2 of 2 lost" in out, out
    assert run("ping", "-H", "127.0.0.1", "-P", port, "-p", 2, "-r", "ok")[0] == 0
    assert run("ping", "-H", "127.0.0.1", "-P", port, "-p", 2, "-r", "warn")[0] == 1
    assert run("ping", "-H", "127.0.0.1", "-w", "5")[0] == 3


def test_ping_lost():
    with BlackHole() as hole:
        got, out = run("ping", "-H", "127.0.0.1", "-P", hole.port, "-p", 2, "--connect-timeout", "300ms")
    assert got == 2 and "no answer, 2 of 2 lost" in out, out


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("web") / "tls")


@pytest.fixture
def tls(authority):
    running = []

    def start(**options):
        pem, key = authority.certificate(f"c{len(running)}-{time.time_ns()}", **options)
        port = free_ports(1)[0]
        p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pem, "-key", key, "-quiet"],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(p)
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, what="s_server")
        return port, pem

    yield start
    for p in running:
        p.kill()
        p.wait()


def test_cert_of_a_port(tls, authority):
    look = functools.partial(run, "cert", "-H", "127.0.0.1", "--ca-file", authority.ca)
    port, pem = tls(days=30)
    got, out = look("-p", port)
    assert got == 0 and "ends in 29 d" in out and "cert_days=29" in out and "chain is trusted" in out, out
    assert look("-p", port, "-D", "29")[0] == 1
    assert look("-p", port, "-D", "40,29")[0] == 2
    assert look("-p", port, "-D", "28")[0] == 0
    got, out = look("-p", port, "-n", "other.test")
    assert got == 2 and "certificate is not for other.test" in out, out
    assert look("-p", port, "-n", "other.test", "--verify", "chain")[0] == 0
    got, out = run("cert", "-H", "127.0.0.1", "-p", port)
    assert got == 2 and "certificate" in out, out
    assert run("cert", "-H", "127.0.0.1", "-p", port, "--verify", "off")[0] == 0
    port, _ = tls(days=-3)
    got, out = look("-p", port, "--verify", "off")
    assert got == 2 and "ended" in out, out


def test_cert_of_a_file(authority, tmp_path):
    pem, key = authority.certificate("file", days=30)
    got, out = run("cert", "-f", pem)
    assert got == 0 and "ends in 29 d" in out, out
    both = tmp_path / "both.pem"
    old, _ = authority.certificate("old", days=-3)
    both.write_text(key.read_text() + pem.read_text() + old.read_text())
    got, out = run("cert", "-f", both)
    assert got == 2 and "ended" in out, out
    assert run("cert", "-f", pem, "-n", "localhost")[0] == 0
    assert run("cert", "-f", pem, "-n", "other.test")[0] == 2
    got, out = run("cert", "-f", key)
    assert got == 2 and "no certificate" in out, out
    both.write_text(pem.read_text()[:-60])
    assert run("cert", "-f", both)[0] == 2
    got, out = run("cert", "-f", tmp_path / "absent")
    assert got == 3 and "cannot be read" in out, out
    os.mkfifo(tmp_path / "fifo")
    assert run("cert", "-f", tmp_path / "fifo")[0] == 3


@need_postfix
def test_cert_by_starttls(tmp_path):
    with Postfix(tmp_path / "pf") as r:
        got, out = run("cert", "-H", "127.0.0.1", "-p", r.port, "-P", "smtp", "--ca-file", r.ca)
        assert got == 0 and "ends in 29 d" in out, out
        r.set("smtpd_tls_security_level", "none")
    with Postfix(tmp_path / "plain", tls=False) as r:
        got, out = run("cert", "-H", "127.0.0.1", "-p", r.port, "-P", "smtp")
        assert got == 2 and "does not offer STARTTLS" in out, out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol, first", [("tls", b""), ("smtp", b"220 hello\r\n"), ("imap", b"* OK hello\r\n"), ("pop3", b"+OK hello\r\n")])
def test_cert_hostile(kind, protocol, first):
    with Hostile(kind, first) as fake:
        start = time.monotonic()
        got, out = run("cert", "-H", "127.0.0.1", "-p", fake.port, "-P", protocol, timeout=2)
        assert got == 2 and time.monotonic() - start < 30 and fake.sent < 40e6, out
