"""The webhook with a real HTTP stack at the other end (Python's http.server, TLS by Python's ssl), and its signature verified by
Python's own hmac."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

import coprocess
from waiting import wait_for

PROGRAM = Path(os.environ.get("BUILD", "build")).resolve() / "notify_webhook"


class Receiver:
    """`answers`: what to do with each request in turn (the last one for all that follow): a status, or a function of the handler."""

    def __init__(self, *answers, tls=None):
        self.answers, self.requests = list(answers) or [200], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                what = outer.answers[min(len(outer.requests), len(outer.answers)) - 1]
                if callable(what):
                    what(self)
                else:
                    self.reply(what)
            do_POST = do_PUT = do_GET = answer

            def reply(self, status, body=b"thanks\r\n", **headers):
                self.send_response(status)
                for k, v in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(k.replace("_", "-"), v)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"

    def url(self, host="127.0.0.1", path="/hook"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def line(receiver, **options):
    return coprocess.Notifier(PROGRAM, {"url": receiver.url(), "test_interval": "0", **options})


def post(receiver, options=None, **page):
    with line(receiver, **(options or {})) as n:
        outcome = n.page(**page)
        assert n.close() == 0, n.errors
        return outcome, n


NASTY = 'quote " backslash \\ brace {check} } newline \n tab \t control \x01 日本語 😀 </script>'


# --- the body

def test_the_default_body_is_json_whatever_a_page_says():
    with Receiver() as r:
        outcome, n = post(r, to="ops room", text=NASTY, more="a\nb\"", kind="repeat", resend=True)
        assert outcome == {"id": "p1", "result": "sent", "detail": "answers 200: thanks  "}
        (method, path, headers, body), = r.requests
        assert (method, path, headers["Content-Type"]) == ("POST", "/hook", "application/json")
        got = json.loads(body)
        assert "CRITICAL" in got["summary"] and "K7Q2M" in got.pop("summary")
        assert got == {"v": 1, "id": "p1", "line": "line1", "to": "ops room", "kind": "repeat", "resend": True,
                       "incident": "K7Q2M", "check": "mx1", "host": "mx1.lab.test", "state": "CRITICAL", "text": NASTY,
                       "more": 'a\nb"', "since": "2026-11-21T19:26:52.000Z", "at": "2026-11-21T19:27:52.000Z"}
        assert n.health[-1]["ok"]


def test_a_body_of_ones_own():
    with Receiver() as r:
        post(r, {"body": '{"text":"{state} {check}: {text}","nested":{"again":{resend},"n":{number}},"literal":"{}{ check}"}',
                 "method": "PUT", "headers": ["X-Room: ops", "X-Other:  a b"]}, text=NASTY, number=12)
        (method, _, headers, body), = r.requests
        assert json.loads(body) == {"text": f"CRITICAL mx1: {NASTY}", "nested": {"again": False, "n": 12}, "literal": "{}{ check}"}
        assert (method, headers["X-Room"], headers["X-Other"]) == ("PUT", "ops", "a b")
    with Receiver() as r:
        post(r, {"body": "To={to}&Body={state}+{text}", "escape": "form"}, to="+81 90&x=y", text=NASTY)
        _, _, headers, body = r.requests[0]
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert urllib.parse.parse_qs(body.decode(), strict_parsing=True) == {"To": ["+81 90&x=y"], "Body": ["CRITICAL " + NASTY]}


# --- the signature

@pytest.mark.parametrize("prefixed", [False, True])
def test_the_signature(tmp_path, prefixed):
    key = os.urandom(24) if prefixed else b"a plain secret"
    (tmp_path / "key").write_bytes(b"whsec_" + base64.b64encode(key) + b"\n" if prefixed else key + b"\n")
    (tmp_path / "key").chmod(0o600)
    with Receiver() as r:
        post(r, {"secret": str(tmp_path / "key")}, id="K7Q2M-1.1.0badcafe")
        _, _, headers, body = r.requests[0]
        headers = {k.lower(): v for k, v in headers.items()}
        assert headers["webhook-id"] == "K7Q2M-1.1.0badcafe" and abs(int(headers["webhook-timestamp"]) - time.time()) < 120
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert hmac.compare_digest(headers["webhook-signature"], expected)


def test_secrets_that_cannot_be_used(tmp_path):
    (tmp_path / "key").write_text("whsec_not base64")
    (tmp_path / "key").chmod(0o600)
    with Receiver() as r:
        outcome, n = post(r, {"secret": str(tmp_path / "key")})
        assert outcome["result"] == "retry" and "base64" in outcome["detail"] and not r.requests
        assert not any(b"not base64\"" in e or b"whsec_not" in e for e in n.errors)
        with coprocess.Notifier(PROGRAM, {"url": r.url(), "secret": str(tmp_path / "none")}) as n:
            assert n.p.wait(60) == 1


def test_a_token(tmp_path):
    (tmp_path / "token").write_text("abc.def\n")
    (tmp_path / "token").chmod(0o600)
    with Receiver() as r:
        post(r, {"token": str(tmp_path / "token")})
        assert r.requests[0][2]["Authorization"] == "Bearer abc.def"


# --- what answers mean

ANSWERS = [(200, "sent"), (201, "sent"), (204, "sent"), (299, "sent"), (300, "refused"), (301, "refused"), (302, "refused"),
           (304, "refused"), (308, "refused"), (400, "refused"), (401, "refused"), (404, "refused"), (410, "refused"),
           (413, "refused"), (408, "retry"), (425, "retry"), (429, "retry"), (500, "retry"), (502, "retry"), (503, "retry"),
           (599, "retry")]


def test_each_status():
    with Receiver(*(s if s not in (204, 304) else (lambda h, s=s: (h.send_response(s), h.end_headers())) for s, _ in ANSWERS)) as r:
        with line(r) as n:
            for i, (status, result) in enumerate(ANSWERS):
                outcome = n.page(id=f"p{i}")
                assert outcome["result"] == result and f"answers {status}" in outcome["detail"], (status, outcome)


def test_redirects_are_not_followed():
    with Receiver() as elsewhere, Receiver(lambda h: h.reply(307, Location=elsewhere.url())) as r:
        outcome, _ = post(r)
        assert outcome["result"] == "refused" and elsewhere.url() in outcome["detail"] and "not followed" in outcome["detail"]
        assert not elsewhere.requests and len(r.requests) == 1


def test_retry_after_is_honoured():
    with Receiver(lambda h: h.reply(503, Retry_After="2"), 200) as r:
        with line(r) as n:
            begin = time.monotonic()
            assert n.page(id="p1")["result"] == "retry"
            assert not n.health[-1]["ok"]
            outcome = n.page(id="p2")
            assert outcome["result"] == "retry" and "left alone for" in outcome["detail"] and len(r.requests) == 1
            wait_for(lambda: n.wait_health()["ok"], what="it may be asked again")
            assert time.monotonic() - begin >= 1.9
            assert n.page(id="p3")["result"] == "sent" and len(r.requests) == 2
    # a date, and nonsense
    for value in ("Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-5", "99999999999999999999"):
        with Receiver(lambda h: h.reply(429, Retry_After=value)) as r:
            assert post(r)[0]["result"] == "retry"


# --- what goes wrong on the way

def close_after(what):
    def act(handler):
        if what:
            handler.wfile.write(what)
            handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
    return act


def drip(handler):
    handler.wfile.write(b"HTTP/1.1 2")
    for _ in range(100):
        time.sleep(0.1)
        handler.wfile.write(b"0")
        handler.wfile.flush()


def endless(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass


def headers_without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    try:
        for i in range(100000):
            handler.wfile.write(b"X-%d: %s\r\n" % (i, b"y" * 1000))
    except OSError:
        pass


@pytest.mark.parametrize("act,result,words", [
    (close_after(b""), "doubtful", "may have been taken"),
    (close_after(b"HTTP/1.1 "), "doubtful", "may have been taken"),
    (close_after(b"220 mx1 ESMTP\r\n"), "doubtful", "may have been taken"),
    (close_after(b"\0" * 3000), "doubtful", "may have been taken"),
    (close_after(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"), "sent", "answers 200: half"),
    (close_after(b"HTTP/1.1 503 No\r\nContent-Length: 500\r\n\r\n"), "retry", "answers 503"),
    (lambda h: time.sleep(5), "doubtful", "may have been taken"),
    (drip, None, None),
    (endless, "sent", "answers 200: xxx"),
    (headers_without_end, None, None),
], ids=["closed", "half a line", "not http", "zeros", "half a body", "half of a 503", "no answer", "drips", "endless body",
        "endless headers"])
def test_answers_that_go_wrong(act, result, words):
    with Receiver(act) as r:
        begin = time.monotonic()
        outcome, n = post(r, deadline_ms=1500)
        assert time.monotonic() - begin < 20
        if result:
            assert outcome["result"] == result and words in outcome["detail"], outcome
        assert outcome["result"] in ("sent", "doubtful") or result, outcome
        assert not any(b"Sanitizer" in e for e in n.errors)


def test_what_never_left_is_retried():
    class Nobody:
        def url(self):
            return f"http://127.0.0.1:{port}/"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # held, so that nobody else listens there
        port = s.getsockname()[1]
        outcome, n = post(Nobody())
    assert outcome["result"] == "retry" and not n.health[-1]["ok"], outcome
    # listens and does not accept: its queue is full
    with socket.create_server(("127.0.0.1", 0), backlog=0) as s:
        port = s.getsockname()[1]
        filling = [socket.socket() for _ in range(4)]
        for f in filling:
            f.setblocking(False)
            f.connect_ex(("127.0.0.1", port))
        outcome, _ = post(Nobody(), {"connect_limit": "500ms"})
        assert outcome["result"] == "retry" and "time" in outcome["detail"].lower(), outcome
        for f in filling:
            f.close()


def test_the_environments_proxy_is_not_asked():
    with Receiver() as r, Receiver() as proxy:
        env = {**os.environ, **{k: proxy.url() for k in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}}
        with coprocess.Notifier(PROGRAM, {"url": r.url(), "test_interval": "0"}, env=env) as n:
            assert n.page()["result"] == "sent"
        assert len(r.requests) == 1 and not proxy.requests
        assert post(r, {"proxy": proxy.url(path="")})[0]["result"] == "sent"
        assert len(r.requests) == 1 and proxy.requests[0][1] == r.url()


# --- TLS

@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    d = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=hook.lab.test", "-addext", "subjectAltName=DNS:hook.lab.test", "-keyout", d / "key.pem", "-out",
                    d / "cert.pem"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "x509", "-in", d / "cert.pem", "-pubkey", "-noout"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True, capture_output=True).stdout
    (d / "pin").write_text("sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode())
    return d


def test_tls(certificate):
    pin = (certificate / "pin").read_text()
    wrong = "sha256//" + base64.b64encode(bytes(32)).decode()
    with Receiver(tls=certificate) as r:
        name = {"url": r.url("hook.lab.test"), "address": "127.0.0.1"}
        ca = {"ca_file": str(certificate / "cert.pem")}
        for options, result in [({**name, **ca}, "sent"), ({**name, **ca, "pin": pin}, "sent"),
                                ({**name, **ca, "pin": wrong}, "retry"), (name, "retry"),
                                ({**name, **ca, "url": r.url("other.lab.test")}, "retry"), ({"url": r.url(), **ca}, "retry")]:
            before = len(r.requests)
            outcome, n = post(r, options)
            assert outcome["result"] == result, (options, outcome)
            assert len(r.requests) - before == (result == "sent"), options    # nothing leaves before the certificate is looked at
        # the test between pages looks at it too
        with line(r, **{**name, **ca, "test_interval": "100ms"}) as n:
            assert n.wait_health() == {"ok": True, "text": "the receiver can be reached"}
        with line(r, **{**name, "test_interval": "100ms"}) as n:
            assert not n.wait_health()["ok"]


# --- configuration

def test_options_that_are_wrong():
    rows = [({"url": "ftp://192.0.2.1/"}, "url"), ({"url": "https://hook.example/"}, "address"),
            ({"url": "https://hook.example/", "address": "other.example"}, "address"),
            ({"url": "https://u:p@192.0.2.1/"}, "url"), ({"url": "nonsense"}, "url"), ({"body": '{"a":"{chekc}"}'}, "body"),
            ({"body": '{"a":{text}}'}, "body"), ({"body": "plain {text}"}, "body"), ({"headers": ["no colon"]}, "headers"),
            ({"headers": ["A: b\r\nC: d"]}, "headers"), ({"escape": "form"}, "escape"), ({"pin": "md5//x"}, "pin"),
            ({"url": "http://192.0.2.1/", "token": "/etc/t"}, "token"), ({"url": "http://192.0.2.1/", "ca_file": "/etc/ca"}, "url")]
    answers = coprocess.validate(PROGRAM, *({"options": {"url": "https://192.0.2.1/", **o}, "to": ["x"]} for o, _ in rows))
    assert [a["ok"] or a["complaints"][0]["item"] for a in answers] == [item for _, item in rows]
    fine = [{"url": "https://192.0.2.1/x"}, {"url": "https://[2001:db8::1]:8443/"}, {"url": "http://h.example/", "address": "::1"},
            {"url": "https://192.0.2.1/", "body": "a={text}", "escape": "form"}]
    assert coprocess.validate(PROGRAM, *({"options": o, "to": ["x"]} for o in fine)) == [{"ok": True}] * len(fine)
