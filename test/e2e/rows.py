"""What the tests of the incidents' rows share: the whole product beside real servers, checks that run when a test says so, and what
must be said of a row: its name first, its offender, on the status page, by monitorctl and on the phone.

    with Watched(tmp_path, {"log": log_check(mta)}) as house:     # every check has looked once
        ... real traffic ...
        house.look("log")                                         # what came since then is its finding, until the next look
        house.names("mail_loop", "list@lab.test", first=["log"])
"""
import ctypes
import os
import re
import smtplib
import subprocess
import threading
import time

from house import House
from postfix import free_ports
from waiting import wait_for

SINK = "/usr/sbin/smtp-sink"
ONE_TRY = {"default_process_limit": "30", "queue_run_delay": "1d", "minimal_backoff_time": "1d", "maximal_backoff_time": "1d"}  # main.cf
SOURCE = "/usr/sbin/smtp-source"


class Watched(House):
    """A House whose checks run only when look() is called: what they found stays until then, however slow the machine is."""

    def __init__(self, directory, checks, prefix=(), **sections):
        checks = {name: {"interval": "6h", "retry_interval": "6h", "timeout": "40s", **c} for name, c in checks.items()}
        super().__init__(directory, checks, **{"deadman": {"interval": "1s", "limit": "600s"}, **sections})
        self.monitord.prefix = list(prefix)
        self.since = 0

    def __enter__(self):
        super().__enter__()
        self.look(*self.checks)
        return self

    def look(self, *names):
        """Runs them now, one after the other; never so soon after the last look that a rate could not be told."""
        self.let_pass(1.5)
        for name in names:
            self.ask("monitord", do="check", name=name)
        self.since = time.monotonic()

    def let_pass(self, seconds):
        """Until so long ago was the last look: rates need a span."""
        wait_for(lambda: time.monotonic() - self.since > seconds, 60, "a span to take rates over")

    def diagnosis(self):
        return self.status()["diagnosis"]

    def named(self):
        return [d["name"] for d in self.diagnosis()]

    def names(self, name, *words, alone=False, paged=True):
        """That name comes first, with the words in its sentence, or is the only one. The same is said by monitorctl and, with paged, on
        the phone."""
        found = self.diagnosis()
        seen = "\n".join(f"{c['name']}: {c['state']} {c['text']} {c.get('facts')}" for c in self.status()["checks"])
        assert found and found[0]["name"] == name, (found, seen)
        assert len(found) == 1 or not alone, (found, seen)
        for word in words:
            assert word in found[0]["text"], (word, found[0]["text"], seen)
        asked = self.ctl("diagnose")
        assert asked.returncode == 1, asked
        assert re.search(r"^\s*name +(\w+)$", asked.stdout, re.M)[1] == name, asked.stdout
        rest = re.search(r"^not recognised: (.*)$", asked.stdout, re.M)
        assert not {c for d in found for c in d["checks"]} & set(rest[1].split(", ") if rest else ()), asked.stdout
        assert self.ctl("status").stdout.startswith("incident: " + found[0]["text"][:30]), self.ctl("status").stdout
        if paged:
            begins = found[0]["text"].split(":")[0]
            return wait_for(lambda: next((m["text"] for m in self.phone.messages() if begins in m["text"]), None), 60,
                            f"a page that says {begins}: {[m['text'] for m in self.phone.messages()]}")
        return found[0]["text"]

    def names_nothing(self):
        seen = "\n".join(f"{c['name']}: {c['state']} {c['text']}" for c in self.status()["checks"])
        assert self.diagnosis() == [], (self.diagnosis(), seen)
        assert not re.search(r"^\s*name ", self.ctl("diagnose").stdout, re.M), seen


def over(real, shown):
    """The beginning of a command line: what it starts sees one file in place of another."""
    return ["unshare", "-m", "--propagation", "private", "sh", "-ec", 'mount --bind "$2" "$1"; shift 2; exec "$@"', "sh", str(real), str(shown)]


class Island:
    """A network of its own with a loopback interface and every port free; what is started inside stays there."""

    def __init__(self):
        self.libc, self.outside = ctypes.CDLL(None, use_errno=True), os.open("/proc/self/ns/net", os.O_RDONLY)
        if self.libc.unshare(0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            self.own = os.open("/proc/self/ns/net", os.O_RDONLY)
        finally:
            self._enter(self.outside)

    def _enter(self, where):
        if self.libc.setns(where, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self._enter(self.own)
        return self

    def __exit__(self, *_):
        self._enter(self.outside)


def log_check(mta, **limits):
    return {"probe": "log", "path": str(mta.log_file), **limits}


def queue_check(mta, **more):
    return {"probe": "queue", "queue_directory": [str(mta.queue)], "mta": "postfix", **more}


def logged(mta, pattern, count, timeout=90):
    """Waits until the log has that many lines of the kind, since mta.mark when there is one."""
    mark = getattr(mta, "mark", 0)
    wait_for(lambda: len(re.findall(pattern, mta.log()[mark:])) >= count, timeout, f"{count} times {pattern} in the log")


class Sink:
    """smtp-sink: takes mail, or answers as its options say."""

    def __init__(self, *options, host="127.0.0.1", port=None):
        self.port = port or free_ports(1)[0]
        self.process = subprocess.Popen([SINK, "-u", "nobody", *options, f"inet:{host}:{self.port}", "200"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def listens():
            try:
                smtplib.SMTP(host, self.port, timeout=5).close()
                return True
            except OSError:
                return False
        wait_for(listens, 30, "smtp-sink")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def send(port, count, sender="s%d@x%d.example", to="r%d@far%d.example", source=None, size=0, login=None, subject="m"):
    """One session from an address of loopback; %d is the message's number."""
    def numbered(text, i):
        return text % ((i,) * text.count("%d")) if "%d" in text else text
    body = ("x" * 70 + "\r\n") * (size // 72 + 1)
    refused = 0
    with smtplib.SMTP("127.0.0.1", port, timeout=60, local_hostname="client.lab.test", source_address=source and (source, 0)) as s:
        s.ehlo()
        if login:
            s.login(*login)
        for i in range(count):
            try:
                s.sendmail(numbered(sender, i), [numbered(to, i)], f"Subject: {subject} {i}\r\n\r\n{body}")
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError):
                refused += 1
    return refused


def flood(port, count, to="user@lab.test", sender="news@lab.test"):
    """smtp-source: parallel sessions, as fast as they go."""
    subprocess.run([SOURCE, "-s", "5", "-m", str(count), "-f", sender, "-t", to, f"127.0.0.1:{port}"], check=True, timeout=120,
                   stdout=subprocess.DEVNULL)


def at_once(*jobs):
    """Runs them side by side to their ends."""
    threads = [threading.Thread(target=j) for j in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
