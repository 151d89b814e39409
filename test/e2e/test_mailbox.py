"""check_imap and check_pop3 against a real Dovecot, beside monitoring-plugins' check_imap and check_pop, and against servers of bad
will at every stage: at the greeting, inside TLS, after the login."""
import hashlib
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import dovecot as dovecot_module
from dovecot import Dovecot, free_ports, make_ca
from hostile import KINDS, Hostile
from smtpfake import BlackHole, Server

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
PLUGINS = Path("/usr/lib/nagios/plugins")
USER = "user@lab.test"
QUOTA = """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=100K
  quota_rule2 = *:messages=50
}
"""


def run(name, *args, theirs=False, timeout=20):
    program = PLUGINS / name if theirs else BUILD / name
    done = subprocess.run([str(program), "-t", str(timeout), *map(str, args)], capture_output=True, timeout=120)
    assert b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    if dovecot_module.missing():
        pytest.skip(dovecot_module.missing())
    with Dovecot(tmp_path_factory.mktemp("mailbox") / "dc", pop3=True, extra=QUOTA) as d:
        d.plant(b"Subject: one\n\nx\n")
        d.plant(b"Subject: two\n\n" + b"y" * 40000 + b"\n")
        yield d


def secret_file(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def login(store, tmp_path):
    return ("--user", USER, "--password-file", secret_file(tmp_path / "password", store.password()), "--ca-file", store.ca)


# --- POP3 ---

def test_pop3_login_and_count(store, login):
    for how in (("--starttls", "-p", store.pop3_port), ("-S", "-p", store.pop3s_port)):
        for kind in ("best", "user", "plain"):
            code, said = run("check_pop3", "-H", "localhost", "-4", *how, *login, "--login", kind)
            assert code == 0 and ", 2 messages" in said, said
            assert re.search(r" size=\d{5}B messages=2 cert_days=(29|30)\n", said), said
            assert all(f" {x}=" in said for x in ("greeting", "connect", "tls", "login", "command")), said
    code, said = run("check_pop3", "-H", "localhost", "-4", "-S", "-p", store.pop3s_port, *login, "--messages-critical", "1")
    assert code == 2 and "holds 2 messages" in said
    assert len(store.messages()) == 2, "it was only looked at"


def test_pop3_what_is_wrong_is_named(store, login, tmp_path):
    way = ("-H", "localhost", "-4", "-S", "-p", store.pop3s_port)
    bad = secret_file(tmp_path / "bad", "wrong")
    for kind in ("user", "plain"):
        code, said = run("check_pop3", *way, "--user", USER, "--password-file", bad, "--ca-file", store.ca, "--login", kind)
        assert code == 2 and "login refused: " in said and "wrong\n" not in said, said
    code, said = run("check_pop3", *way, "--user", USER, "--password-file", bad)
    assert code == 2 and "TLS: " in said, "a password is not sent to a certificate nobody vouches for"
    code, said = run("check_pop3", "-H", "localhost", "-p", store.pop3_port, "--user", USER, "--password-file", bad)
    assert code == 3 and "insecure_auth" in said
    code, said = run("check_pop3", *way, *login, "--login", "apop")
    assert code == 2 and "offers no APOP" in said, said
    code, said = run("check_pop3", "-H", "localhost", "-p", store.pop3_port, "--starttls", "--verify")
    assert code == 2 and "TLS: " in said


class Pop3(Server):
    """An old store: no CAPA, a greeting with a stamp, APOP."""

    def serve(self, client):
        lines = client.makefile("rb")
        client.sendall(b"+OK old <1896.697170952@dbc.mtview.ca.us>\r\n")
        self.said = []
        for line in lines:
            self.said.append(line.decode().strip())
            word = self.said[-1].split()[0]
            if word == "APOP":
                digest = hashlib.md5(b"<1896.697170952@dbc.mtview.ca.us>tanstaaf").hexdigest()
                client.sendall(b"+OK in\r\n" if self.said[-1] == f"APOP mrose {digest}" else b"-ERR no\r\n")
            else:
                client.sendall({"STAT": b"+OK 3 4567\r\n", "QUIT": b"+OK\r\n"}.get(word, b"-ERR what?\r\n"))


def test_pop3_apop(tmp_path):
    """The digest of RFC 1939's own example, and the password does not go over the line."""
    with Pop3() as fake:
        args = ("-H", "127.0.0.1", "-p", fake.port, "--user", "mrose", "--insecure-auth", "--password-file")
        code, said = run("check_pop3", *args, secret_file(tmp_path / "p", "tanstaaf"))
        assert code == 0 and "3 messages" in said and "size=4567B" in said, said
        assert fake.said[0] == "CAPA" and fake.said[1] == "APOP mrose c4c9334bac560ecc979e58001b3e22fb"
        code, said = run("check_pop3", *args, secret_file(tmp_path / "q", "other"))
        assert code == 2 and "login refused: no" in said, said


@pytest.mark.parametrize("answer, layer", [(b"-ERR [IN-USE] locked\r\n", "IN-USE"), (b"-ERR [SYS/TEMP] later\r\n", "SYS/TEMP"),
                                           (b"-ERR [AUTH] no\r\n", "AUTH")])
def test_pop3_refusals(tmp_path, answer, layer):
    class Refuses(Server):
        def serve(self, client):
            client.sendall(b"+OK\r\n")
            for line in client.makefile("rb"):
                client.sendall(b"+OK\r\nUSER\r\n.\r\n" if line == b"CAPA\r\n" else b"+OK\r\n" if line.startswith(b"USER") else answer)
    with Refuses() as fake:
        code, said = run("check_pop3", "-H", "127.0.0.1", "-p", fake.port, "--user", "u", "--insecure-auth", "--password-file",
                         secret_file(tmp_path / "p", "x"))
        assert code == 2 and f"login refused: [{layer}]" in said, said


# --- IMAP: the quota ---

def test_imap_quota(store, login):
    way = ("-H", "localhost", "-4", "-S", "-p", store.imaps_port, *login)
    code, said = run("check_imap", *way)
    assert code == 0 and "% of the quota are used (STORAGE " in said, said
    used = float(re.search(r" quota=([0-9.]+)%", said)[1])
    assert 35 < used < 50, said
    code, said = run("check_imap", *way, "--quota-warning", "20")
    assert code == 1 and "of the quota are used" in said.splitlines()[0], said
    code, said = run("check_imap", *way, "--quota-warning", "10", "--quota-critical", "20")
    assert code == 2, said
    assert run("check_imap", *way, "--quota-critical", "90")[0] == 0
    code, said = run("check_imap", "-H", "localhost", "-p", store.imap_port, "--quota-critical", "90")
    assert code == 3 and "needs a user" in said


def test_imap_no_quota(tmp_path):
    with Dovecot(tmp_path / "dc") as d:
        way = ("-H", "localhost", "-4", "-S", "-p", d.imaps_port, "--ca-file", d.ca, "--user", USER, "--password-file",
               secret_file(tmp_path / "p", d.password()))
        code, said = run("check_imap", *way)
        assert code == 0 and "quota" not in said, said
        code, said = run("check_imap", *way, "--quota-critical", "90")
        assert code == 2 and "tells no quotas" in said, said


# --- beside the others ---

KIND = {"check_imap": ("imap_port", "imaps_port", "* OK", "a CAPABILITY\\r\\n"), "check_pop": ("pop3_port", "pop3s_port", "+OK", "CAPA\\r\\n")}


def both(store, name, args, code=None):
    plain, secure, ok, ask = KIND[name]
    words = {"PORT": getattr(store, plain), "TLS": getattr(store, secure), "FREE": free_ports(1)[0], "OK": ok, "ASK": ask}
    args = [words.get(a, a) for a in args]
    ours, said = run(name, "-H", "127.0.0.1", *args)
    theirs, told = run(name, "-H", "127.0.0.1", *args, theirs=True)
    assert ours == theirs, (args, said, told)
    assert code is None or theirs == code, told
    if theirs != 3 and "time=" in told:
        assert "time=" in said, said


@pytest.mark.parametrize("name", KIND)
@pytest.mark.parametrize("args, code", [
    (["-p", "PORT"], 0), (["-p", "PORT", "-4", "-v"], 0), (["-p", "PORT", "-w", "20", "-c", "30"], 0),
    (["-p", "PORT", "-w", "0.0000001", "-c", "30"], 1), (["-p", "PORT", "-c", "0.0000001"], 2),
    (["-p", "FREE"], 2), (["-p", "FREE", "-r", "warn"], None), (["-p", "FREE", "-r", "ok"], None), (["-p", "FREE", "-r", "crit"], 2),
    (["-p", "PORT", "-e", "OK"], 0), (["-p", "PORT", "-e", "nothing"], 1), (["-p", "PORT", "-e", "nothing", "-M", "crit"], 2),
    (["-p", "PORT", "-e", "nothing", "-M", "ok"], 0), (["-p", "PORT", "-e", "nothing", "-M", "warn"], 1),
    (["-p", "PORT", "-e", "OK", "-e", "nothing"], 0), (["-p", "PORT", "-A", "-e", "OK", "-e", "nothing"], 1),
    (["-p", "PORT", "-j"], 0), (["-p", "PORT", "-q", "QUIT"], 0), (["-p", "PORT", "-E", "-q", "x\\r\\n"], 0),
    (["-p", "PORT", "-E", "-s", "ASK"], 0), (["-p", "PORT", "-E", "-s", "ASK", "-e", "OK", "-m", "100"], 0),
    (["-p", "PORT", "-E", "-s", "ASK", "-e", "nothing"], 1), (["-p", "PORT", "-s", "x", "-d", "1"], 0),
    (["-S", "-p", "TLS"], 0), (["-S", "-p", "TLS", "--sni", "localhost"], 0), (["-S", "-p", "TLS", "-E", "-s", "ASK"], 0),
    (["-p", "TLS", "-D", "3"], 0), (["-p", "TLS", "-D", "90"], 1), (["-p", "TLS", "-D", "90,60"], 2), (["-S", "-p", "TLS", "-D", "90,3"], 1),
    (["-p", "PORT", "--nosuch"], 3),
])
def test_beside_the_others(store, name, args, code):
    if not (PLUGINS / name).exists():
        pytest.skip("monitoring-plugins are not installed")
    both(store, name, args, code)


def test_unix_socket(tmp_path):
    path = tmp_path / "pop"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen(5)

        def serve():
            while True:
                try:
                    client = s.accept()[0]
                except OSError:
                    return
                with client:
                    client.sendall(b"+OK here\r\n")
                    client.recv(100)
                    client.sendall(b"-ERR no CAPA\r\n")
                    client.recv(100)
        threading.Thread(target=serve, daemon=True).start()
        code, said = run("check_pop3", "-H", path)
        assert code == 0 and f"POP3 OK: {path} answers" in said, said
        assert run("check_pop3", "-H", tmp_path / "none")[0] == 2
        s.shutdown(socket.SHUT_RDWR)


# --- bad will ---

@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    where = tmp_path_factory.mktemp("tls")
    make_ca(where)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(where / "server.pem", where / "server.key")
    return context, where / "ca.pem"


class Turns(Hostile):
    """A store that is what it should be until a stage; stage: "greeting", "login" (from its answer to the password on) or
    "after" (from the first command behind the login on)."""

    def __init__(self, kind, protocol, stage, context=None):
        super().__init__(kind)
        self.protocol, self.stage, self.context = protocol, stage, context

    def serve(self, client):
        if self.context:
            client = self.context.wrap_socket(client, server_side=True)
            self.clients.append(client)
        if self.stage != "greeting":
            self.play(client)
        super().serve(client)
        client.close()

    def play(self, client):
        client.sendall(b"* OK ready\r\n" if self.protocol == "imap" else b"+OK ready\r\n")
        inside = False
        for line in client.makefile("rb"):
            words = line.upper().split()
            tag, word = (words[0], words[1]) if self.protocol == "imap" else (b"", words[0])
            login = word in (b"LOGIN", b"PASS")
            if inside and word not in (b"CAPABILITY", b"CAPA") or login and self.stage == "login":
                return
            inside = inside or login
            if self.protocol == "imap":
                client.sendall(b"* CAPABILITY IMAP4REV1\r\n" + tag + b" OK\r\n")
            else:
                client.sendall(b"+OK\r\n" + (b"USER\r\n.\r\n" if word == b"CAPA" else b""))


def ill_treated(protocol, kind, stage, context, args):
    """"" or what went wrong."""
    with Turns(kind, protocol, stage, context) as fake:
        start = time.monotonic()
        code, said = run(f"check_{protocol}", "-H", "127.0.0.1", "-p", fake.port, *args, timeout=3)
        took = time.monotonic() - start
    fine = code == 2 and took < 60 and fake.sent < 60e6 and len(said) < 3000 and "\0" not in said and said.count("|") <= 1
    words = {"silent": ["timed out in "], "drips": ["timed out in "], "closes": ["connection closed in "],
             "endless line": ["not read to its end", "timed out in "]}.get(kind, [""])
    return "" if fine and any(w in said for w in words) else f"{kind} {stage} {bool(context)}: {code} {took} {fake.sent} {said}"


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_hostile(protocol, tls, tmp_path):
    """All kinds at every stage, plain and inside TLS; a few at a time, as most of it is waiting."""
    password = ("--user", "u", "--password-file", secret_file(tmp_path / "p", "x"))
    cases = [(protocol, kind, stage, context, (*password, *how)) for kind in KINDS for stage in ("greeting", "login", "after")
             for context, how in ((None, ["--insecure-auth"]), (tls[0], ["-S", "--ca-file", tls[1]]))]
    with ThreadPoolExecutor(14) as pool:
        assert not [x for x in pool.map(lambda c: ill_treated(*c), cases) if x]


@pytest.mark.parametrize("protocol, greeting, ask, offer, word", [
    ("imap", b"* OK\r\n", b"CAPABILITY", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%s OK\r\n", b"STARTTLS"),
    ("pop3", b"+OK\r\n", b"CAPA", b"+OK\r\nSTLS\r\n.\r\n%s", b"STLS")])
def test_bytes_behind_the_answer_to_starttls(protocol, greeting, ask, offer, word):
    """They would be taken for protected ones (CVE-2021-22947)."""
    class Injects(Server):
        def serve(self, client):
            client.sendall(greeting)
            for line in client.makefile("rb"):
                tag = line.split()[0] if protocol == "imap" else b""
                if ask in line:
                    client.sendall(offer % tag)
                elif word in line:
                    client.sendall((tag + b" OK\r\n* BYE" if protocol == "imap" else b"+OK\r\n+OK") + b" injected\r\n")
    with Injects() as fake:
        code, said = run(f"check_{protocol}", "-H", "127.0.0.1", "-p", fake.port, "--starttls")
        assert code == 2 and "unprotected bytes come behind the answer to STARTTLS" in said, said


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_each_phase_has_its_limit(protocol, store, tmp_path):
    with BlackHole() as hole:
        if hole.works():
            code, said = run(f"check_{protocol}", "-H", "127.0.0.1", "-p", hole.port, "--connect-timeout", "300ms")
            assert code == 2 and "timed out in connect" in said, said
    with Hostile("silent") as fake:
        start = time.monotonic()
        code, said = run(f"check_{protocol}", "-H", "127.0.0.1", "-p", fake.port, "--greeting-timeout", "300ms")
        assert code == 2 and "timed out in greeting" in said and time.monotonic() - start < 15, said
        code, said = run(f"check_{protocol}", "-H", "127.0.0.1", "-p", fake.port, "-S", "--tls-timeout", "300ms")
        assert code == 2 and "timed out in TLS" in said, said
    for stage, option in (("login", "login"), ("after", "command")):
        with Turns("silent", protocol, stage) as fake:
            code, said = run(f"check_{protocol}", "-H", "127.0.0.1", "-p", fake.port, "--user", "u", "--insecure-auth", "--password-file",
                             secret_file(tmp_path / "p", "x"), f"--{option}-timeout", "300ms")
            assert code == 2 and "timed out in " in said, said
            assert ("login" in said) == (stage == "login") or " login=" in said, said
