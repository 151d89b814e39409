"""check_log: rotation in every way without a line lost or told twice, rubbish, memory, what it counts against a count made here."""
import gzip
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest
from prober import BUILD
from waiting import wait_for

CHECK = BUILD / "check_log"
NAMES = ["received", "sent", "deferred", "bounced", "rejected", "failed logins"]


class Log:
    """A log that grows, and the check that follows it; what both counted in all."""

    def __init__(self, tmp_path, *args):
        self.path, self.state, self.args = tmp_path / "mail.log", tmp_path / "state", args
        self.state.mkdir()
        self.written, self.counted, self.n = 0, 0, 0

    def write(self, lines, path=None):
        with open(path or self.path, "a") as f:
            for _ in range(lines):
                f.write(f"Nov 21 03:12:45 mx1 postfix/smtp[9]: {self.n:010X}: to=<u{self.n}@y.example>, relay=m[192.0.2.9]:25, "
                        f"delay=0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {self.n:010X})\n")
                self.n += 1
        self.written += lines

    def run(self, *args):
        p = subprocess.run([CHECK, "-F", self.path, "--state-dir", self.state, *self.args, *args], capture_output=True, text=True,
                           errors="replace", timeout=60)
        self.out = p.stdout
        m = re.search(r"(\d+) sent", p.stdout)
        self.counted += int(m.group(1)) if m else 0
        return p.returncode


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path, "--from-start")


def test_from_where_it_stood(tmp_path):
    log = Log(tmp_path)
    log.write(10)
    assert log.run() == 0 and log.counted == 0, "without --from-start it begins at the end"
    log.write(7)
    assert log.run() == 0 and log.counted == 7
    assert log.run() == 0 and log.counted == 7


def test_rename(log):
    log.write(100)
    log.run()
    for _ in range(3):
        log.write(5)
        log.path.rename(log.path.with_name("mail.log.1"))
        log.write(3, log.path.with_name("mail.log.1"))  # the writer has not opened the new one yet
        log.run()
        log.write(4, log.path.with_name("mail.log.1"))
        log.write(6)
        log.run()
        assert log.counted == log.written, log.out
        log.path.with_name("mail.log.1").unlink()


def test_several_rotations_while_down(log):
    log.write(50)
    log.run()
    log.write(10)
    for name in ("mail.log-20261119", "mail.log-20261120", "mail.log-20261121"):
        log.path.rename(log.path.with_name(name))
        log.write(20)
    log.run()
    assert log.counted == log.written, log.out
    assert "rotated: 3 older" in log.out


def compress(path):
    with open(path, "rb") as i, gzip.open(str(path) + ".gz", "wb") as o:
        shutil.copyfileobj(i, o)
    t = path.stat().st_mtime_ns
    path.unlink()
    os.utime(str(path) + ".gz", ns=(t, t))


def test_gz_of_yesterday(log):
    log.write(5000)
    log.run()
    log.write(3000)
    log.path.rename(log.path.with_name("mail.log.2"))
    log.write(2000)
    log.path.rename(log.path.with_name("mail.log.1"))
    compress(log.path.with_name("mail.log.2"))
    compress(log.path.with_name("mail.log.1"))
    log.write(10)
    log.run()
    assert log.counted == log.written, log.out


@pytest.mark.parametrize("more", [3, 500])
def test_copytruncate(log, more):
    """Also when the new log is soon longer than the old one was: then its size tells nothing, the fingerprint does."""
    log.write(100)
    log.run()
    log.write(20)
    shutil.copy(log.path, log.path.with_name("mail.log.1"))
    os.truncate(log.path, 0)
    log.write(more)
    log.run()
    assert log.counted == log.written, log.out


def test_truncated_is_said(log):
    log.write(100)
    log.run()
    os.truncate(log.path, 0)
    log.write(3)
    log.run()
    assert log.counted == log.written and "lost" in log.out


def test_no_log_yet(tmp_path):
    log = Log(tmp_path)
    assert log.run() == 3 and "does not exist" in log.out
    log.write(5)
    assert log.run() == 0 and log.counted == 5, "what appears later is new from its first line"


def test_half_a_line(log):
    log.write(1)
    whole = log.path.read_text()
    log.path.write_text(whole[:60])
    log.run()
    assert log.counted == 0
    log.path.write_text(whole)
    log.run()
    assert log.counted == 1


def test_rubbish_and_long_lines(log):
    r = random.Random(7)
    log.write(10)
    with open(log.path, "ab") as f:
        f.write(r.randbytes(300000) + b"\n" + b"x" * 3000000 + b"\n" + bytes(1000) + b"\n")
    log.write(10)
    assert log.run() == 0
    assert log.counted == 20, log.out


def test_killed_between(log):
    """kill -9 at any time: the state is the old or the new one, so a run counts again, or not, never half."""
    log.write(200000)
    p = subprocess.Popen([CHECK, "-F", log.path, "--state-dir", log.state, "--from-start"], stdout=subprocess.PIPE)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    left = any(log.state.iterdir()) and any(f.suffix == ".state" for f in log.state.iterdir())
    log.run()
    assert log.counted == (0 if left else log.written)


def test_the_deadline_bounds_a_run(log):
    log.write(1)
    with open(log.path, "a") as f:
        f.write((log.path.read_text() * 1000) * 900)
    log.written = 900001
    log.run("--read-time", "100ms")
    runs = 1
    while "carries on" in log.out:
        log.run("--read-time", "100ms")
        runs += 1
    assert log.counted == log.written and runs < 600


def a_second():
    """The least time that says anything of a minute."""
    until = time.monotonic() + 1.1
    wait_for(lambda: time.monotonic() > until)


def test_limits_high_and_low(tmp_path):
    log = Log(tmp_path, "--sent-critical", "1:1000")
    log.write(1)
    assert log.run() == 0
    a_second()
    assert log.run() == 2 and "0.0 sent a minute (limit 1:1000)" in log.out
    log.write(20000)
    a_second()
    assert log.run() == 2 and "sent a minute (limit 1:1000)" in log.out and "20000 sent" in log.out


KINDS = [
    ("received", "postfix/smtpd[9]: {q}: client=c{c}.example[192.0.2.{c}]"),
    ("sent", "postfix/smtp[9]: {q}: to=<u@d{c}.example>, relay=m, dsn=2.0.0, status=sent (250 ok)"),
    ("deferred", "postfix/smtp[9]: {q}: to=<u@d{c}.example>, relay=none, dsn=4.4.1, status=deferred (connect to m: Connection timed out)"),
    ("bounced", "postfix/smtp[9]: {q}: to=<u@d{c}.example>, relay=m, dsn=5.1.1, status=bounced (550 5.1.1 User unknown)"),
    ("rejected", "postfix/smtpd[9]: NOQUEUE: reject: RCPT from c[192.0.2.{c}]: 554 5.7.1 <x@y>: Relay access denied; from=<> to=<x@y>"),
    ("failed logins", "postfix/smtpd[9]: warning: c[192.0.2.{c}]: SASL PLAIN authentication failed: x"),
]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counts(tmp_path, seed):
    r = random.Random(seed)
    log = Log(tmp_path, "--from-start")
    truth = dict.fromkeys(NAMES, 0)
    clients = {}
    with open(log.path, "w") as f:
        for i in range(20000):
            name, text = r.choices(KINDS, weights=range(1, 7))[0]
            c = min(r.randrange(1, 255), r.randrange(1, 255))
            stamp = r.choice(["Nov 21 03:12:45", "2026-11-21T03:12:45.123456+09:00"])
            f.write(f"{stamp} mx1 " + text.format(q=f"{i:X}", c=c) + "\n")
            truth[name] += 1
            if name == "received":
                clients[c] = clients.get(c, 0) + 1
    log.run()
    for name in NAMES:
        assert f"{truth[name]} {name}" in log.out, (name, truth, log.out)
    m = re.search(r"clients: 192\.0\.2\.(\d+) (\d+) ", log.out)
    assert clients[int(m[1])] == int(m[2]) == max(clients.values()) and "up to" not in log.out, "with room for all of them it is exact"


def test_more_names_than_room(tmp_path):
    """30,000 clients, few of them busy: none is too high, none is short by more than is said, and that is at most 1/1024 of all."""
    r, log, clients = random.Random(5), Log(tmp_path, "--from-start", "-vv", "--top", "10"), {}
    with open(log.path, "w") as f:
        for i in range(60000):
            c = r.randrange(20) if r.random() < 0.3 else r.randrange(20, 30000)
            clients[c] = clients.get(c, 0) + 1
            f.write(f"Nov 21 03:12:45 mx1 postfix/smtpd[9]: {i:X}: client=c[10.0.{c // 256}.{c % 256}]\n")
    log.run()
    m = re.search(r"clients: (.*); each may be up to (\d+) more", log.out)
    short, found = int(m[2]), re.findall(r"10\.0\.(\d+)\.(\d+) (\d+) ", m[1])
    assert 0 < short <= 60000 / 1024 and len(found) == 10
    for high, low, count in found:
        c = int(high) * 256 + int(low)
        assert c < 20 and int(count) <= clients[c] <= int(count) + short
