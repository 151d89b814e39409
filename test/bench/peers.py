"""The peers of the SMS line, each as its own documentation sets it up, on a simulated modem of ours.

Every peer has the same face: start(device), enqueue(number, text), stop(). They are unpacked, not installed (dist/deps peers).
"""
import os
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

from benchlib import BUILD, ROOT
from phone import wait_for

PEERS = ROOT / "build" / "peers"
LIBS = ":".join(f"{PEERS}/{d}" for d in ("usr/lib/x86_64-linux-gnu", "usr/lib", "lib/x86_64-linux-gnu"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    name, version = "", ""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.processes = []

    def run(self, program, *args, **more):
        log = open(self.dir / "out.log", "ab")
        return subprocess.Popen([str(PEERS / program), *map(str, args)], cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, env={**os.environ, "LD_LIBRARY_PATH": LIBS, "HOME": str(self.dir)},
                                start_new_session=True, **more)

    def daemon(self, program, *args):
        self.processes.append(self.run(program, *args))

    def stop(self):
        for p in reversed(self.processes):
            for sig in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(p.pid, sig)
                    p.wait(5)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass
        self.processes = []


class Smstools(Peer):
    name, version = "smstools", "3.1.21"

    def start(self, device):
        for d in ("outgoing", "checked", "failed", "sent", "incoming"):
            (self.dir / d).mkdir()
        (self.dir / "smsd.conf").write_text(f"""devices = GSM1
outgoing = {self.dir}/outgoing
checked = {self.dir}/checked
failed = {self.dir}/failed
sent = {self.dir}/sent
incoming = {self.dir}/incoming
logfile = {self.dir}/smsd.log
infofile = {self.dir}/smsd.working
pidfile = {self.dir}/smsd.pid
delaytime = 1
stats = {self.dir}
loglevel = 7
[GSM1]
device = {device}
baudrate = 115200
incoming = no
rtscts = no
""")
        self.daemon("usr/sbin/smsd", "-t", f"-c{self.dir}/smsd.conf")

    def enqueue(self, number, text):
        tmp = self.dir / f"{time.monotonic_ns()}.tmp"
        tmp.write_text(f"To: {number.lstrip('+')}\n\n{text}\n")
        tmp.rename(self.dir / "outgoing" / tmp.stem)


class GammuSmsd(Peer):
    name, version = "gammu-smsd", "1.42.0"

    def start(self, device):
        for d in ("inbox", "outbox", "sent", "error"):
            (self.dir / d).mkdir()
        self.conf = self.dir / "smsdrc"
        self.conf.write_text(f"""[gammu]
device = {device}
connection = at115200
[smsd]
service = files
logfile = {self.dir}/smsd.log
debuglevel = 1
inboxpath = {self.dir}/inbox/
outboxpath = {self.dir}/outbox/
sentsmspath = {self.dir}/sent/
errorsmspath = {self.dir}/error/
checksecurity = 0
smsc = +819044440001
""")
        self.daemon("usr/bin/gammu-smsd", "-c", self.conf)

    def enqueue(self, number, text):
        p = self.run("usr/bin/gammu-smsd-inject", "-c", self.conf, "TEXT", number, "-text", text)
        assert p.wait(30) == 0, (self.dir / "out.log").read_text()


class Kannel(Peer):
    name, version = "kannel", "1.4.5"

    def start(self, device):
        admin, box, self.http = free_port(), free_port(), free_port()
        conf = self.dir / "kannel.conf"
        conf.write_text(f"""group = core
admin-port = {admin}
admin-password = x
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
log-file = {self.dir}/bearerbox.log
log-level = 1
store-type = spool
store-location = {self.dir}/store
box-allow-ip = 127.0.0.1

group = smsc
smsc = at
modemtype = auto
device = {device}
speed = 115200

group = modems
id = generic
name = generic
detect-string = NEVER

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {self.http}
sendsms-interface = 127.0.0.1
log-file = {self.dir}/smsbox.log
log-level = 1

group = sendsms-user
username = u
password = p
user-allow-ip = 127.0.0.1
max-messages = 1

group = sms-service
keyword = default
text = none
""")
        (self.dir / "store").mkdir()
        self.daemon("usr/sbin/bearerbox", conf)
        wait_for(lambda: self.listens(box), 30, "bearerbox")
        self.daemon("usr/sbin/smsbox", conf)
        wait_for(lambda: self.listens(self.http), 30, "smsbox")

    @staticmethod
    def listens(port):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def enqueue(self, number, text):
        q = urllib.parse.urlencode({"username": "u", "password": "p", "to": number, "text": text, "from": "1"})
        urllib.request.urlopen(f"http://127.0.0.1:{self.http}/cgi-bin/sendsms?{q}", timeout=30).read()


class Gnokii(Peer):
    """One program a message and no queue: whoever calls it waits, and what fails is the caller's."""
    name, version = "gnokii", "0.6.30"

    def start(self, device):
        (self.dir / "gnokiirc").write_text(f"""[global]
port = {device}
model = AT
connection = serial
initlength = default
serial_baudrate = 115200
use_locking = no
smsc_timeout = 10
[logging]
debug = off
rlpdebug = off
xdebug = off
""")

    def enqueue(self, number, text):
        p = subprocess.Popen([str(PEERS / "usr/bin/gnokii"), "--config", str(self.dir / "gnokiirc"), "--sendsms", number],
                             stdin=subprocess.PIPE, stdout=open(self.dir / "out.log", "ab"), stderr=subprocess.STDOUT,
                             env={**os.environ, "LD_LIBRARY_PATH": LIBS, "HOME": str(self.dir)}, start_new_session=True)
        p.stdin.write(text.encode())
        p.stdin.close()
        self.processes.append(p)
        try:
            p.wait(120)
        except subprocess.TimeoutExpired:
            p.kill()


ALL = (Smstools, GammuSmsd, Kannel, Gnokii)
assert BUILD
