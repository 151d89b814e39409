"""The syslog line: messages parsed by the ABNF of RFC 5424 as written here from the RFC, streams by RFC 6587 and 5425, and the
journal by a real journald (systemd in namespaces) and its own journalctl."""
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

import coprocess
import systemd_ns
from waiting import wait_for

PROGRAM = Path(os.environ.get("BUILD", "build")).resolve() / "notify_syslog"
NASTY = 'a "quoted" [thing] back\\slash\nnext line\x01 日本語'

# --- RFC 5424, section 6

HEADER = re.compile(
    rb"<(0|[1-9][0-9]{0,2})>1 "
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    rb"(-|[\x21-\x7e]{1,255}) (-|[\x21-\x7e]{1,48}) (-|[\x21-\x7e]{1,128}) (-|[\x21-\x7e]{1,32}) ")
SD_NAME = rb"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}"
PARAM = re.compile(rb" (" + SD_NAME + rb')="((?:[^"\\\]]|\\["\\\]])*)"', re.S)


def parse(data):
    """The parts of one SYSLOG-MSG; fails on whatever the RFC does not allow."""
    m = HEADER.match(data)
    assert m, data
    pri, at, host, app, pid, msgid = (x.decode() for x in m.groups())
    assert int(pri) <= 191
    rest, params, sd_id = data[m.end():], {}, None
    if rest.startswith(b"-"):
        rest = rest[1:]
    else:
        start = re.match(rb"\[(" + SD_NAME + rb")", rest)
        assert start, rest
        sd_id, rest = start[1].decode(), rest[start.end():]
        while p := PARAM.match(rest):
            value = re.sub(rb'\\(["\\\]])', rb"\1", p[2]).decode("utf-8")
            assert p[1].decode() not in params
            params[p[1].decode()] = value
            rest = rest[p.end():]
        assert rest.startswith(b"]"), rest
        rest = rest[1:]
    text = None
    if rest:
        assert rest.startswith(b" \xef\xbb\xbf"), rest       # MSG-UTF8 begins with a BOM
        text = rest[4:].decode("utf-8")
    return {"facility": int(pri) // 8, "severity": int(pri) % 8, "at": at, "host": host, "app": app, "pid": pid,
            "msgid": msgid, "sd_id": sd_id, "params": params, "text": text}


def options(**more):
    return {"hostname": "ops.lab.test", "test_interval": "0", **more}


def page(opts, **fields):
    with coprocess.Notifier(PROGRAM, opts) as n:
        outcome = n.page(**fields)
        assert n.close() == 0, n.errors
        assert not any(b"Sanitizer" in e for e in n.errors)
        return outcome, n


# --- UDP

@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(30)
        yield s


def over_udp(s, **more):
    return options(transport="udp", server="127.0.0.1", port=str(s.getsockname()[1]), **more)


def test_what_a_message_says(udp):
    outcome, n = page(over_udp(udp, facility="local3"), text=NASTY, to="log ] host", kind="repeat", resend=True)
    assert outcome["result"] == "sent" and "nobody knows" in outcome["detail"]
    m = parse(udp.recv(65536))
    assert (m["facility"], m["severity"], m["host"], m["app"], m["msgid"]) == (19, 2, "ops.lab.test", "monitord", "repeat")
    at = time.mktime(time.strptime(m["at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert abs(at - time.time()) < 120 and m["pid"] == str(n.p.pid)
    assert m["sd_id"] == "monitord@32473"
    assert m["params"] == {"incident": "K7Q2M", "check": "mx1", "host": "mx1.lab.test", "state": "CRITICAL", "kind": "repeat",
                           "resend": "true", "to": "log ] host", "line": "line1", "id": "p1"}
    assert "CRITICAL" in m["text"] and "mx1" in m["text"] and "K7Q2M" in m["text"] and 'a "quoted" [thing]' in m["text"]
    assert "\n" not in m["text"]


def test_the_line_says_that_udp_confirms_nothing(udp):
    with coprocess.Notifier(PROGRAM, over_udp(udp)) as n:
        assert n._get(lambda v: "confirms" in v)["confirms"] is False
    with coprocess.Notifier(PROGRAM, options(transport="tcp", server="127.0.0.1")) as n:
        assert n.close() == 0
        said = []
        while (v := n.lines.get(timeout=30)) is not None:
            said.append(v)
        assert not any("confirms" in v for v in said)


@pytest.mark.parametrize("fields,severity", [
    ({"state": "CRITICAL"}, 2), ({"state": "WARNING"}, 4), ({"state": "UNKNOWN"}, 4), ({"kind": "recovered", "state": "OK"}, 5),
    ({"kind": "ack"}, 5), ({"kind": "notice", "state": "CRITICAL"}, 5), ({"kind": "test"}, 6), ({"kind": "info"}, 6), ({"kind": "digest"}, 2)])
def test_severities(udp, fields, severity):
    page(over_udp(udp), **fields)
    assert parse(udp.recv(65536))["severity"] == severity


def test_long_texts_are_cut_between_characters(udp):
    with coprocess.Notifier(PROGRAM, over_udp(udp, max_bytes="480")) as n:
        for i in range(8):
            n.page(id=f"p{i}", text="x" * i + "長い" * 600)
            data = udp.recv(65536)
            m = parse(data)
            assert 470 <= len(data) <= 480 and m["params"]["incident"] == "K7Q2M" and m["text"].startswith("CRITICAL")
        # no room for the structured data: the text is worth more
        n.page(id="long", to="y" * 400)
        data = udp.recv(65536)
        m = parse(data)
        assert len(data) <= 480 and m["sd_id"] is None and "K7Q2M" in m["text"]


def test_nobody_listens_for_datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        opts = over_udp(s)
    outcome, n = page(opts)
    assert outcome["result"] == "retry" and "refused" in outcome["detail"] and not n.health[-1]["ok"], outcome


# --- TCP and TLS

class Server:
    """Takes counted messages (RFC 6587, 3.4.1); act: what to do with a connection instead."""

    def __init__(self, act=None, tls=None):
        self.act, self.messages, self.context = act, [], None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(s,), daemon=True).start()

    def _talk(self, s):
        try:
            with s:
                if self.act:
                    self.act(s)
                    return
                if self.context:
                    s = self.context.wrap_socket(s, server_side=True)
                data = b""
                while piece := s.recv(65536):
                    data += piece
                    while (m := re.match(rb"([1-9][0-9]*) ", data)) and len(data) >= m.end() + int(m[1]):
                        self.messages.append(data[m.end():m.end() + int(m[1])])
                        data = data[m.end() + int(m[1]):]
                assert data == b"", data
        except (OSError, ssl.SSLError):
            pass

    def options(self, transport="tcp", **more):
        return options(transport=transport, server="127.0.0.1", port=str(self.port), **more)


def test_counted_messages_over_tcp():
    with Server() as s:
        with coprocess.Notifier(PROGRAM, s.options()) as n:
            for i in range(3):
                outcome = n.page(id=f"p{i}", text=NASTY * (i + 1))
                assert outcome == {"id": f"p{i}", "result": "sent", "detail": "taken by the other host"}
        wait_for(lambda: len(s.messages) == 3, what="messages")
        assert [parse(m)["params"]["id"] for m in s.messages] == ["p0", "p1", "p2"]


def reset(s):
    s.recv(65536)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read_and_stay(s):
    while s.recv(65536):
        pass
    time.sleep(30)


@pytest.mark.parametrize("act,result,words", [
    (reset, "doubtful", "sent"),
    (read_and_stay, "sent", "taken"),
    (lambda s: time.sleep(30), "sent", "taken"),     # its kernel has it; that is as far as syslog goes
], ids=["reset", "never ends", "never reads"])
def test_receivers_that_misbehave(act, result, words):
    with Server(act) as s:
        outcome, _ = page(s.options())
        # a reset may also come while the message is still being written: then none of it counts
        broke = act is reset and outcome["result"] == "retry" and "broke in the middle" in outcome["detail"]
        assert broke or outcome["result"] == result and words in outcome["detail"], outcome


def test_no_server():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    outcome, n = page(options(transport="tcp", server="127.0.0.1", port=str(port)))
    assert outcome["result"] == "retry" and not n.health[-1]["ok"], outcome
    with coprocess.Notifier(PROGRAM, {**options(transport="tcp", server="127.0.0.1", port=str(port)), "test_interval": "100ms"}) as n:
        assert not n.wait_health()["ok"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    d = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=log.lab.test", "-addext", "subjectAltName=DNS:log.lab.test", "-keyout", d / "key.pem", "-out",
                    d / "cert.pem"], check=True, capture_output=True)
    return d


def test_tls(certificate):
    ca = str(certificate / "cert.pem")
    with Server(tls=certificate) as s:
        for more, result in [({"tls_name": "log.lab.test", "ca_file": ca}, "sent"), ({"tls_name": "log.lab.test"}, "retry"),
                             ({"tls_name": "other.lab.test", "ca_file": ca}, "retry"), ({"ca_file": ca}, "retry")]:
            before = len(s.messages)
            outcome, _ = page(s.options("tls", **more))
            assert outcome["result"] == result, (more, outcome)
            if result == "sent":
                wait_for(lambda: len(s.messages) == before + 1, what="the message")
            else:
                assert len(s.messages) == before
        assert parse(s.messages[0])["text"].startswith("CRITICAL")
        # a server that wants to see a certificate
        s.context.verify_mode = ssl.CERT_REQUIRED
        s.context.load_verify_locations(ca)
        name = {"tls_name": "log.lab.test", "ca_file": ca}
        # its alert, or the reset that overtakes it
        assert page(s.options("tls", **name))[0]["result"] in ("retry", "doubtful")
        assert len(s.messages) == 1
        shown = {**name, "cert_file": ca, "key_file": str(certificate / "key.pem")}
        assert page(s.options("tls", **shown))[0]["result"] == "sent"
        wait_for(lambda: len(s.messages) == 2, what="the message")


# --- the journal

def journal_fields(data):
    fields = {}
    while data:
        name, rest = data.split(b"\n", 1)
        if b"=" in name:
            key, value = name.split(b"=", 1)
            data = rest
        else:
            key, (size,) = name, struct.unpack("<Q", rest[:8])
            value, data = rest[8:8 + size], rest[8 + size:]
            assert data[:1] == b"\n"
            data = data[1:]
        fields[key.decode()] = value.decode()
    return fields


def test_the_journals_protocol(tmp_path):
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(30)
        outcome, _ = page(options(socket=path), text=NASTY, more="x\n" * 3000)
        assert outcome == {"id": "p1", "result": "sent", "detail": "taken by the journal"}
        got = journal_fields(s.recv(1 << 20))
        assert got["MONITORD_TEXT"] == NASTY and got["MONITORD_MORE"] == "x\n" * 3000 and got["PRIORITY"] == "2"
    os.unlink(path)
    outcome, n = page(options(socket=path))
    assert outcome["result"] == "retry" and "No such file" in outcome["detail"] and not n.health[-1]["ok"]


def test_a_journal_that_takes_nothing_more(tmp_path):
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        others = []
        # each has a limit of its own beside the receiver's: until a fresh one cannot send either
        while not others or sent:
            others.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            others[-1].setblocking(False)
            sent = 0
            with pytest.raises(BlockingIOError):
                while True:
                    others[-1].sendto(b"x", path)
                    sent += 1
        for o in others:
            o.close()
        outcome, _ = page(options(socket=path), deadline_ms=1000)
        assert outcome["result"] == "retry" and "timed out" in outcome["detail"], outcome


@pytest.mark.skipif(bool(systemd_ns.missing()), reason=systemd_ns.missing() or "-")
def test_a_real_journald(tmp_path):
    with systemd_ns.Systemd(tmp_path / "sd") as sd:
        lines = "".join(json.dumps(v) + "\n" for v in [
            {"v": 1, "configure": {"facility": "local1"}, "line": "journal"},
            {"page": {"id": "p1", "to": "log", "kind": "new", "incident": "K7Q2M", "check": "mx1", "host": "mx1.lab.test",
                      "state": "CRITICAL", "text": NASTY, "more": "two\nthree", "deadline_ms": 20000}}])
        (sd.shared / "in").write_text(lines)
        shutil.copy(PROGRAM, sd.shared)  # wherever it was built may not be seen inside
        out = sd.run("sh", "-c", f"{sd.inside(sd.shared / 'notify_syslog')} < {sd.inside(sd.shared / 'in')}")
        assert json.loads(out.stdout.splitlines()[-1])["outcome"]["result"] == "sent", out.stdout

        def entry():
            found = sd.run("journalctl", "-o", "json", "MONITORD_INCIDENT=K7Q2M", check=False).stdout.splitlines()
            return found and json.loads(found[0])
        e = wait_for(entry, 60, "the entry in the journal")
        assert (e["PRIORITY"], e["SYSLOG_FACILITY"], e["SYSLOG_IDENTIFIER"]) == ("2", "17", "monitord")
        assert (e["MONITORD_CHECK"], e["MONITORD_STATE"], e["MONITORD_KIND"]) == ("mx1", "CRITICAL", "new")
        assert e["MONITORD_MORE"] == "two\nthree" and "K7Q2M" in e["MESSAGE"]
        # journald looks the sender up in /proc, where one that is quick is gone already
        assert e.get("_COMM", "notify_syslog") == "notify_syslog"
        text = e["MONITORD_TEXT"]      # journalctl gives what holds control bytes as numbers
        assert (bytes(text).decode() if isinstance(text, list) else text) == NASTY


def test_options_that_are_wrong():
    rows = [({"transport": "udp"}, "server"), ({"server": "192.0.2.1"}, "server"), ({"transport": "tcp", "server": "log.example"}, "server"),
            ({"transport": "udp", "server": "192.0.2.1", "ca_file": "/etc/ca"}, "transport"), ({"hostname": "a b"}, "hostname"),
            ({"app_name": "x" * 49}, "app_name"), ({"sd_id": "monitord"}, "sd_id"), ({"sd_id": "a=b@1"}, "sd_id"),
            ({"transport": "tls", "server": "::1", "key_file": "/etc/k"}, "cert_file"), ({"socket": "/" + "x" * 120}, "socket")]
    answers = coprocess.validate(PROGRAM, *({"options": o, "to": ["x"]} for o, _ in rows))
    assert [a["ok"] or a["complaints"][0]["item"] for a in answers] == [item for _, item in rows]
    fine = [{}, {"transport": "udp", "server": "2001:db8::1"}, {"transport": "tls", "server": "192.0.2.1", "tls_name": "l.example"}]
    assert coprocess.validate(PROGRAM, *({"options": o, "to": ["x"]} for o in fine)) == [{"ok": True}] * len(fine)
