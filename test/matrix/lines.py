"""The far ends of the fault matrix: one class per kind of line. Each knows how to make its fault and how to end it, and what arrived.

A far end is a context manager; `options` go into the line of monitord.yaml, `to` into the route. arm() makes the fault, mend() ends
it, copies(word) lists what arrived with that word in it: True for each copy that says that it may be a repetition.
"""
import http.server
import socket
import struct
import threading
import time

from phone import Phone
from smtpfake import CLOSE, RESET, SILENT, Server
from softmodem import SoftModem
from tapterminal import TapModem, Terminal

WAIT_CMGS, WAIT_LATE = "1500ms", "2s"


class Sms:
    notifier, to = "sms", "+819012345678"

    def __init__(self, directory, row):
        self.row, self.dir = row, directory
        self.phone = Phone(directory, *row.get("args", ()), name="main")
        self.options = {"device": self.phone.device, "wait_cmgs": WAIT_CMGS, "wait_late": WAIT_LATE, "check_interval": "1s",
                        "status_report": "no"}
        if "pin" in row:
            self.pin = directory / "pin"
            self.write_pin(row["pin"])
            self.options |= {"pin_file": str(self.pin), "state_dir": str(directory / "modemstate")}

    def write_pin(self, pin):
        self.pin.write_text(pin + "\n")
        self.pin.chmod(0o600)

    def __enter__(self):
        self.phone.start()
        return self

    def __exit__(self, *_):
        self.phone.stop()

    def arm(self):
        for line in self.row.get("arm", ()):
            self.phone.control(line)

    def mend(self):
        self.phone.control("clear")
        for line in self.row.get("mend", ()):
            self.phone.control(line)
        if "good_pin" in self.row:
            self.write_pin(self.row["good_pin"])

    def copies(self, word):
        return [(m["at"], "again" in m["text"]) for m in self.phone.messages() if word in m["text"]]


class Script:
    """The exec line: an administrator's script that fails in its own ways."""
    notifier, to = "exec", "somebody"

    def __init__(self, directory, row):
        self.row, self.out, self.how = row, directory / "main.out", directory / "main.how"
        self.script = directory / "main.sh"
        self.script.write_text(f"""#!/bin/sh
how=$(cat {self.how} 2>/dev/null)
case $how in
	*after) cat >> {self.out}; echo >> {self.out};;
esac
case $how in
	"") cat >> {self.out}; echo >> {self.out}; exit 0;;
	exit*) n=${{how#exit}}; exit ${{n%after}};;
	signal*) kill -9 $$;;
	hang*) exec sleep 1000;;
esac
""")
        self.script.chmod(0o755)
        self.options = {"command": [str(self.script)]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def arm(self):
        self.how.write_text(self.row["arm"])

    def mend(self):
        self.how.unlink(missing_ok=True)

    def copies(self, word):
        text = self.out.read_text() if self.out.exists() else ""
        return [(0, "again" in line) for line in text.splitlines() if word in line]


class MailServer(Server):
    """Takes mail; `fault` names a phase (greeting, a command, "." for the end of the text) and what comes then."""

    GOOD = {"greeting": "220 fake.test ESMTP\r\n", "EHLO": "250 fake.test\r\n", "MAIL": "250 Ok\r\n", "RCPT": "250 Ok\r\n",
            "DATA": "354 go on\r\n", ".": "250 2.0.0 queued\r\n", "QUIT": "221 Bye\r\n", "RSET": "250 Ok\r\n", "NOOP": "250 Ok\r\n"}

    def __init__(self):
        super().__init__()
        self.fault, self.taken = {}, []

    def serve(self, client):
        lines = client.makefile("rb")
        self.say(client, "greeting")
        while line := lines.readline():
            word = line.decode("latin-1").split()[0].upper() if line.strip() else ""
            self.say(client, word)
            if word == "DATA" and "DATA" not in self.fault:
                text = b""
                while (line := lines.readline()) not in (b".\r\n", b""):
                    text += line
                if "." not in self.fault or self.fault.get("taken"):
                    self.taken.append(text.decode("latin-1"))
                self.say(client, ".")
            elif word == "QUIT":
                return

    def say(self, client, phase):
        answer = self.fault.get(phase, self.GOOD.get(phase, "502 what?\r\n"))
        if answer is SILENT:
            self.silence()
        if answer is RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if answer in (CLOSE, RESET):
            raise EOFError
        client.sendall(answer.encode())


class Mail:
    """The bypass mail route."""
    notifier, to = "email", "oncall@example.net"

    def __init__(self, directory, row):
        self.row, self.server = row, MailServer()
        self.options = {"host": "127.0.0.1", "port": str(self.server.port), "from": "monitord@example.org", "tls": "none",
                        "helo": "ops.lab.test", "test_interval": "0"}

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def arm(self):
        self.server.fault = self.row["arm"]

    def mend(self):
        self.server.fault = {}

    def copies(self, word):
        return [(0, "may have reached you already" in m) for m in list(self.server.taken) if word in m]


class Webhook:
    """A real HTTP server (Python's) with a fault in its answer."""
    notifier, to = "webhook", "oncall"

    def __init__(self, directory, row):
        self.row, self.got, self.fault = row, [], None
        end = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                end.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.options = {"url": f"http://127.0.0.1:{self.server.server_port}/page"}

    def serve(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0))).decode()
        fault = self.fault
        if not fault or fault.get("after"):
            self.got.append(body)
        if not fault:
            request.send_response(204)
            request.end_headers()
        elif fault.get("hang"):
            time.sleep(fault["hang"])
        elif fault.get("drop"):
            request.close_connection = True
            request.connection.close()
        else:
            request.send_response(fault["code"])
            for key, value in fault.get("headers", {}).items():
                request.send_header(key, value)
            request.send_header("Content-Length", "0")
            request.end_headers()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def arm(self):
        self.fault = self.row["arm"]

    def mend(self):
        self.fault = None

    def copies(self, word):
        return [(0, '"resend":true' in b.replace(" ", "") or "again" in b) for b in list(self.got) if word in b]


class Tones:
    """The soft modem of test/fake; its far end answers as the script says. Digits cannot say that they come again: the
    incident's digits among them make two the same page."""
    notifier, to = "dtmf", "0312345678"

    def __init__(self, directory, row):
        self.row = row
        self.modem = SoftModem(directory, script=["answer"])
        self.options = {"device": self.modem.device, "redial": "none", "listen_interval": "0", "hold": "0", "pause": "1s", "tone_length": "50ms",
                        "command_length": "100", "dial": "{to},{code}#", "answer_wait": "5s", "dial_tone_wait": "2s", "check_interval": "1s",
                        "blacklist_rest": "1s"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.modem.unplug()

    def arm(self):
        if "script" in self.row:
            self.modem.script(self.row["script"])
        else:
            self.modem.unplug()

    def mend(self):
        self.modem.script("answer")
        if self.modem.process.poll() is not None:
            self.modem.plug_in()

    def copies(self, _):
        """Calls whose digits were all dialled."""
        found, awaited = [], False
        for line in self.modem.log():
            if line.startswith(">"):
                awaited = line.startswith("> ATD") and "W;" not in line
            elif line.startswith("<") and awaited:
                found.append(line == "< OK")
                awaited = False
        return [(0, i > 0) for i, whole in enumerate(x for x in found if x)]


class Tap:
    """A paging terminal behind a modem that connects at once."""
    notifier, to = "tap", "12345"

    def __init__(self, directory, row):
        self.row = row
        self.terminal = Terminal(directory)
        self.modem = TapModem(directory, self.terminal)
        self.options = {"device": self.modem.device, "terminal": "0355501234", "redial": "none", "listen_interval": "0", "wake": "200ms",
                        "answer": "1s", "linger": "0", "check_interval": "1s"}

    def __enter__(self):
        self.terminal.__enter__()
        self.modem.__enter__()
        return self

    def __exit__(self, *_):
        self.modem.__exit__()
        self.terminal.over = True
        self.terminal.listener.close()

    def arm(self):
        if "said" in self.row:
            self.modem.script = [self.row["said"]] * 100
        else:
            self.terminal.faults = [self.row["arm"]] * 100

    def mend(self):
        self.modem.script, self.terminal.faults = [], []

    def copies(self, word):
        return [(0, "again" in text) for _, text in list(self.terminal.pages) if word in text]


class Board(Server):
    """A Modbus TCP board with sixteen coils that goes wrong on demand: a fake for faults only."""

    def __init__(self):
        super().__init__()
        self.coils, self.fault = [0] * 16, None

    def serve(self, client):
        while len(head := client.recv(7, socket.MSG_WAITALL)) == 7:
            number, _, length, unit = struct.unpack(">HHHB", head)
            body = client.recv(length - 1, socket.MSG_WAITALL)
            answer = self.answer(body)
            if answer is CLOSE:
                return
            if answer is SILENT:
                continue
            client.sendall(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)

    def answer(self, body):
        function, address, value = struct.unpack(">BHH", body[:5])
        if self.fault in (SILENT, CLOSE):
            return self.fault
        if self.fault == "garbage":
            return b"\x00" * 3
        if self.fault:
            return bytes([function | 0x80, self.fault])
        if function == 5:
            self.coils[address % 16] = int(value == 0xFF00)
            return body[:5]
        if function == 1:
            bits = sum(self.coils[(address + i) % 16] << i for i in range(min(value, 8)))
            return bytes([1, 1, bits])
        return bytes([function | 0x80, 1])


class Siren:
    notifier, to = "modbus", "coil:3"

    def __init__(self, directory, row):
        self.row, self.board = row, Board()
        self.options = {"host": "127.0.0.1", "port": str(self.board.port), "state_dir": str(directory / "siren"), "answer_limit": "500ms",
                        "refresh": "1s"}

    def __enter__(self):
        self.board.__enter__()
        return self

    def __exit__(self, *_):
        self.board.__exit__()

    def arm(self):
        self.board.fault = self.row["arm"]

    def mend(self):
        self.board.fault = None

    def copies(self, _):
        """It sounds or it does not: twice on is on."""
        return [(0, False)] if self.board.coils[3] else []
