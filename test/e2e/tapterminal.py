"""A TAP 1.8 paging terminal written from the specification, independent of the product, and two ways to reach it.

Terminal(directory) listens on a Unix socket; `faults` is consumed call by call (a dict: see Terminal). TapModem is a modem on a pty
that connects at once and carries bytes to it, for faults; SoftModem(terminal=...) carries them by V.22bis, for real.
"""
import os
import pty
import re
import socket
import threading
import time
import tty

SUB, ESC = 0x1A, 0x1B


def parity_ok(b):
    return bin(b).count("1") % 2 == 0


class Terminal:
    """pages: (pager, text) of transactions that ended with ETX and had their checksum right.

    Of a call's faults: silent (no ID=), logon ("nak" | "off"), nogo, answer: a list, one a block ("ack" by default; "nak", "rs",
    "off", "silent", "hangup", "garbage"), code: said before the answer, final_rs, no_farewell."""

    def __init__(self, directory, password="", eight_bits=False, faults=()):
        self.path = str(directory / "terminal.sock")
        self.password, self.eight_bits, self.faults = password, eight_bits, list(faults)
        self.pages, self.calls, self.blocks, self.errors, self.log = [], 0, [], [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(5)
        self.over = False

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.listener.close()
        assert not self.errors, self.errors

    def accept(self):
        while not self.over:
            try:
                conn = self.listener.accept()[0]
            except OSError:
                return
            self.calls += 1
            fault = dict(self.faults.pop(0)) if self.faults else {}
            try:
                Call(self, conn, fault).run()
            except OSError:
                pass
            except Exception as e:  # shown when the test ends
                self.errors.append(repr(e))
            finally:
                conn.close()


class Call:
    def __init__(self, terminal, conn, fault):
        self.t, self.conn, self.fault, self.text = terminal, conn, fault, b""
        self.fields = [b""]
        self.buffer = b""

    def say(self, data):
        self.conn.sendall(data)

    def byte(self):
        if not self.buffer:
            self.buffer = self.conn.recv(256)
            if not self.buffer:
                raise OSError("the caller hung up")
        b, self.buffer = self.buffer[0], self.buffer[1:]
        if not self.t.eight_bits and not parity_ok(b):
            self.t.errors.append(f"byte {b:#x} has no even parity")
        return b & 0x7F

    def until(self, end):
        got = bytearray()
        while not got.endswith(end):
            got.append(self.byte())
        return bytes(got)

    def run(self):
        while self.byte() != 0x0D:
            pass
        if self.fault.get("silent"):
            while True:
                self.byte()
        self.say(b"Acme Paging\r\nID=")
        if not self.log_on():
            return
        if self.fault.get("nogo"):
            self.until(b"\x04")
            return
        self.say(b"\x1b[p\r")
        self.transactions()

    def log_on(self):
        for _ in range(3):
            got = self.until(b"\r")
            got = got[got.rfind(b"\x1b"):] if b"\x1b" in got else got  # CRs of the waking may still come
            if b"PG1" not in got:
                continue
            if self.fault.get("logon") == "off":
                self.say(b"509 Forbidden\r\x1b\x04\r")
                return False
            if self.fault.get("logon") == "nak" or got != b"\x1bPG1" + self.t.password.encode() + b"\r":
                self.say(b"507 Invalid password\r\x15\r")
                continue
            self.say(b"110 1.8\r\x06\r")
            return True
        self.say(b"\x1b\x04\r")
        return False

    def transactions(self):
        while True:
            b = self.byte()
            if b == 0x04:
                self.until(b"\r")
                if self.fault.get("final_rs"):
                    self.say(b"501 A timeout occurred\r\x1e\r")
                if not self.fault.get("no_farewell"):
                    self.say(b"115 Goodbye\r\x1b\x04\r")
                else:
                    time.sleep(0)
                return
            if b == 0x02:
                self.block()

    def block(self):
        data = bytearray([0x02])
        while data[-1] not in (0x03, 0x17, 0x1F):
            b = self.byte()
            data.append(b)
            if b == SUB:
                data.append(self.byte())  # what is escaped ends nothing
        check = self.until(b"\r")[:-1]
        total = sum(data) & 0xFFF
        right = check == bytes([0x30 + (total >> 8), 0x30 + (total >> 4 & 15), 0x30 + (total & 15)])
        if len(data) + 4 > 256:
            self.t.errors.append(f"a block of {len(data) + 4} bytes")
        self.t.blocks.append(bytes(data) + check)
        self.answer(data, right)

    def answer(self, data, right):
        answers = self.fault.get("answer") or ["ack"]
        how = answers.pop(0) if len(answers) > 1 or self.fault.get("answer") else "ack"
        if how == "silent":
            while True:
                self.byte()
        if how == "hangup":
            raise OSError("hung up")
        if how == "garbage":
            self.say(b"\x7f~~\x01zz\r\n")
            how = "ack"
        if not right or how == "nak":
            self.say(b"514 Checksum error\r\x15\r")
            return
        if how in ("rs", "off"):
            self.fields = [b""]
            self.say(self.fault.get("code", b"511 Invalid pager ID") + b"\r" + (b"\x1e\r" if how == "rs" else b"\x1b\x04\r"))
            if how == "off":
                raise OSError("hung up")
            return
        self.take(data)
        self.say(b"211 Page accepted\r\x06\r" if data[-1] == 0x03 else b"\x06\r")

    def take(self, data):
        escaped, end = False, data[-1]
        for b in data[1:-1]:
            if escaped:
                self.fields[-1] += bytes([b - 0x40])
                escaped = False
            elif b == SUB:
                escaped = True
            elif b == 0x0D:
                self.fields.append(b"")
            else:
                self.fields[-1] += bytes([b])
        if end == 0x03:
            assert self.fields[-1] == b"", self.fields
            self.t.pages.append(tuple(f.decode() for f in self.fields[:-1]))
            self.fields = [b""]


class TapModem:
    """A modem on a pty that dials nothing: ATD connects at once to the terminal's socket, or answers what the script says next."""

    def __init__(self, directory, terminal, script=(), name="tap"):
        self.device = str(directory / f"{name}.tty")
        self.terminal, self.script, self.commands = terminal, list(script), []
        self.conn = None

    def __enter__(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.keep = slave
        os.symlink(os.ttyname(slave), self.device)
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        os.unlink(self.device)
        for fd in (self.master, self.keep):
            os.close(fd)
        if self.conn:
            self.conn.close()

    def say(self, text):
        os.write(self.master, b"\r\n" + text.encode() + b"\r\n")

    def run(self):
        line = b""
        try:
            while True:
                data = os.read(self.master, 256)
                if self.conn:
                    data = self.carry(data)
                for b in data:
                    if b == 0x0D:
                        self.command(line.decode("latin-1"))
                        line = b""
                    elif 0x20 <= b < 0x7F:
                        line += bytes([b])
        except OSError:
            return

    def carry(self, data):
        """Bytes to the terminal; those behind the escape are commands again."""
        if b"+++" in data:
            self.close()
            self.say("OK")
            return data.split(b"+++", 1)[1]
        try:
            self.conn.sendall(data)
        except OSError:
            self.close()
        return b""

    def close(self):
        if self.conn:
            try:
                self.conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.conn = None

    def command(self, text):
        text = text[max(text.upper().rfind("AT"), 0):]
        self.commands.append(text)
        if re.match("(?i)ATD", text) and not text.endswith(";"):
            how = self.script.pop(0) if self.script else "CONNECT"
            if how != "CONNECT":
                if how:
                    self.say(how)
                return
            conn = socket.socket(socket.AF_UNIX)
            conn.connect(self.terminal.path)
            self.conn = conn
            self.say("CONNECT 2400")
            threading.Thread(target=self.back, args=(conn,), daemon=True).start()
        elif re.match("(?i)AT", text):
            if re.match("(?i)ATH", text):
                self.close()
            self.say("OK")

    def back(self, conn):
        try:
            while data := conn.recv(256):
                os.write(self.master, data)
        except OSError:
            pass
        if self.conn is conn:
            self.conn = None
            try:
                self.say("NO CARRIER")
            except OSError:
                pass
