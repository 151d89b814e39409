"""Servers that do what a real relay cannot be made to do: go silent, hang up or talk nonsense at a chosen moment.

    with FakeSMTP({"EHLO": CLOSE}) as fake:       # what to answer to which command; the rest is answered well
        fake.port; fake.early; fake.sessions      # sessions: what each client said, line by line

Also a name server with chosen answers (FakeDNS) and a listener whose backlog is full (BlackHole).
"""
import base64
import hmac
import socket
import ssl
import struct
import threading
import time

SILENT, CLOSE, RESET = object(), object(), object()


class Server:
    """Accepts on a port from the kernel, one thread per client."""

    def __init__(self, host="127.0.0.1", port=0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.socket.listen(50)
        self.port = self.socket.getsockname()[1]
        self.over = threading.Event()
        self.clients = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for s in (self.socket, *self.clients):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def _accept(self):
        while not self.over.is_set():
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            self.serve(client)
            client.close()
        except (OSError, ssl.SSLError, EOFError):
            client.close()

    def silence(self):
        self.over.wait(120)
        raise EOFError


class FakeSMTP(Server):
    """answers: by first word of the command; "greeting" and "LOGIN" (each line within AUTH) too. A text, SILENT, CLOSE, RESET."""

    EHLO = "250-fake.test\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"
    GOOD = {"greeting": "220 fake.test ESMTP\r\n", "EHLO": EHLO, "HELO": "250 fake.test\r\n", "MAIL": "250 2.1.0 Ok\r\n",
            "RCPT": "250 2.1.5 Ok\r\n", "STARTTLS": "220 2.0.0 Ready\r\n", "AUTH": "334 \r\n",
            "LOGIN": "235 2.7.0 Authentication successful\r\n", "QUIT": "221 2.0.0 Bye\r\n", "DATA": "354 go on\r\n",
            "NOOP": "250 2.0.0 Ok\r\n"}

    def __init__(self, answers=None, host="127.0.0.1", port=0, pause=0.0, tls=None, secret=None):
        """pause: between the lines of the greeting, watching for early talkers; tls: (certificate, key); secret: for CRAM-MD5."""
        super().__init__(host, port)
        self.answers = {**self.GOOD, **(answers or {})}
        self.pause, self.tls, self.secret = pause, tls, secret
        self.early = b""
        self.sessions = []

    def serve(self, client):
        said = []
        self.sessions.append(said)
        self.greet(client)
        lines = client.makefile("rb")
        while True:
            line = lines.readline()
            if not line:
                return
            text = line.decode("latin-1").rstrip("\r\n")
            said.append(text)
            word = text.split(" ")[0].upper()
            if word == "AUTH":
                self.login(client, lines, said, text)
                continue
            self.act(client, self.answers.get(word, "500 5.5.2 what?\r\n"))
            if word == "STARTTLS" and self.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.tls)
                client = context.wrap_socket(client, server_side=True)
                lines = client.makefile("rb")
            elif word == "QUIT":
                return

    def greet(self, client):
        greeting = self.answers["greeting"]
        if not self.pause or not isinstance(greeting, str):
            return self.act(client, greeting)
        for line in greeting.splitlines(keepends=True):
            client.settimeout(self.pause)
            try:
                self.early += client.recv(100)
            except socket.timeout:
                pass
            client.settimeout(None)
            client.sendall(line.encode())

    def login(self, client, lines, said, text):
        if self.secret and "CRAM-MD5" in text:
            challenge = b"<17.4@fake.test>"
            client.sendall(b"334 " + base64.b64encode(challenge) + b"\r\n")
            user, digest = base64.b64decode(lines.readline()).decode().split(" ")
            good = digest == hmac.new(self.secret.encode(), challenge, "md5").hexdigest()
            said.append(f"cram {user} {good}")
            return self.act(client, self.answers["LOGIN"] if good else "535 5.7.8 no\r\n")
        self.act(client, self.answers["AUTH"])
        if isinstance(self.answers["AUTH"], str) and self.answers["AUTH"].startswith("334"):
            said.append(lines.readline().decode().strip())
            self.act(client, self.answers["LOGIN"])

    def act(self, client, answer):
        if answer is SILENT:
            self.silence()
        if answer is RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer in (CLOSE, RESET):
            raise EOFError
        client.sendall(answer if isinstance(answer, bytes) else answer.encode("latin-1"))


class BlackHole:
    """A port whose backlog is full: SYNs stay unanswered, a connect hangs."""

    def __enter__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fill = []
        for _ in range(8):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            self.fill.append(s)
        return self

    def __exit__(self, *_):
        for s in (*self.fill, self.listener):
            s.close()

    def works(self):
        """Some kernels take the connect all the same."""
        with socket.socket() as s:
            s.settimeout(0.5)
            try:
                s.connect(("127.0.0.1", self.port))
            except socket.timeout:
                return True
            except OSError:
                pass
        return False


class FakeDNS:
    """A name server on UDP. zone: {"mx.test": ["192.0.2.1", "::1"]}; a name not there is NXDOMAIN; a value may be a
    number (the response code) or SILENT."""

    def __init__(self, zone):
        self.zone = zone
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.asked = []
        self.over = False

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.socket.getsockname())
        time.sleep(0)
        self.socket.close()

    def _serve(self):
        while not self.over:
            try:
                query, peer = self.socket.recvfrom(2048)
            except OSError:
                return
            answer = self.answer(query) if len(query) > 12 else None
            if answer:
                try:
                    self.socket.sendto(answer, peer)
                except OSError:
                    return

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        found = self.zone.get(name, 3)
        if found is SILENT:
            return None
        code = found if isinstance(found, int) else 0
        records = []
        for address in found if code == 0 else []:
            six = ":" in address
            if kind == (28 if six else 1):
                data = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, address)
                records.append(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 5, len(data)) + data)
        return (query[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(records), 0, 0) + question + b"".join(records))
