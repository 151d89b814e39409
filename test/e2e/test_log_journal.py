"""check_log --journal, with a real journald under a real systemd: followed through rotation and vacuum, its place kept."""
import re
import shutil

import pytest

import systemd_ns
from postfix import reachable_by_daemons
from prober import BUILD
from waiting import wait_for

pytestmark = pytest.mark.skipif(bool(systemd_ns.missing()), reason=systemd_ns.missing())
SENT = "A{n}: to=<u{n}@d.example>, relay=m[192.0.2.9]:25, dsn=2.0.0, status=sent (250 ok)"


class Journal:
    def __init__(self, sd):
        self.sd, self.n = sd, 0
        shutil.copy(BUILD / "check_log", sd.shared / "check_log")
        (sd.shared / "check_log").chmod(0o755)
        self.check = sd.inside(sd.shared / "check_log")

    def write(self, lines, tag="postfix/smtp", facility="mail"):
        """As programs do: through /dev/log; there when it returns."""
        text = "".join(SENT.format(n=self.n + i) + "\n" for i in range(lines))
        self.n += lines
        self.sd.run("logger", "-p", f"{facility}.info", "-t", tag, text=text)
        last = SENT.format(n=self.n - 1)
        self.sd.run("journalctl", "--sync")
        wait_for(lambda: last in self.sd.run("journalctl", "-q", "-o", "cat", "-t", tag, "-n", "1", "--no-pager", check=False).stdout, 60, "the journal")

    def run(self, *args, state="one", user=None):
        prefix = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"] if user else []
        done = self.sd.run(*prefix, self.check, "--journal", "--state-dir", f"/tmp/{state}", *args, check=False)
        assert "Sanitizer" not in done.stderr, done.stderr
        m = re.search(r"(\d+) sent", done.stdout)
        self.out, self.code = done.stdout, done.returncode
        return int(m[1]) if m else None


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    work = tmp_path_factory.mktemp("journal")
    reachable_by_daemons(work)
    with systemd_ns.Systemd(work / "ns") as sd:
        sd.run("mkdir", "/tmp/one", "/tmp/two", "/tmp/three", "/tmp/four")
        yield Journal(sd)


def test_it_is_followed_from_where_it_stood(journal):
    journal.write(5)
    assert journal.run() == 0 and journal.code == 0, journal.out
    journal.write(7)
    journal.write(3, tag="noise", facility="daemon")
    assert journal.run() == 7, journal.out
    assert journal.run() == 0 and "no mail program" not in journal.out
    journal.sd.run("journalctl", "--rotate")
    journal.write(4)
    journal.sd.run("journalctl", "--rotate")
    journal.write(2)
    assert journal.run() == 6 and "gone" not in journal.out, journal.out
    assert journal.run("--from-start", state="two") >= 18


def test_who_is_asked_for(journal):
    journal.run("--identifier", "postfix/qmgr", "--identifier", "postfix/lmtp", state="four")
    journal.write(3, tag="postfix/lmtp", facility="daemon")
    journal.write(2, tag="postfix/qmgr", facility="daemon")
    journal.write(1)
    assert journal.run("--identifier", "postfix/qmgr", "--identifier", "postfix/lmtp", state="four") == 5, journal.out
    assert journal.run("--unit", "nothing.service", "--from-start", state="three") == 0
    assert journal.run() == 1


def test_what_was_vacuumed_is_said(journal):
    """The entry it stood at and those behind it go, unread."""
    assert journal.run() == 0
    journal.write(40)
    journal.sd.run("journalctl", "--rotate")
    journal.sd.run("journalctl", "--vacuum-size=1", "--vacuum-files=1")
    journal.write(3)
    got = journal.run()
    m = re.search(r"(\d+) entries of the journal are gone unread", journal.out)
    assert m and 40 <= int(m[1]) < 400 and got == 3, journal.out
    journal.write(2)
    assert journal.run() == 2 and "gone" not in journal.out, journal.out


def test_a_quiet_mail_system_loses_nothing(journal):
    """The place moves with the journal though no mail is logged: what is vacuumed then was not of interest."""
    journal.run()
    journal.write(30, tag="noise", facility="daemon")
    assert journal.run() == 0
    journal.sd.run("journalctl", "--rotate")
    journal.sd.run("journalctl", "--vacuum-files=1")
    journal.write(2)
    assert journal.run() == 2 and not re.search(r"[4-9]\d+ entries|\d{3,} entries", journal.out), journal.out


def test_deadline_and_permission(journal):
    journal.run("--read-time", "100ms")
    journal.write(3000)
    total, runs = journal.run("--read-time", "100ms"), 1
    while "carries on" in journal.out and runs < 300:
        total += journal.run("--read-time", "100ms")
        runs += 1
    assert total == 3000, journal.out
    assert journal.run(state="nowhere", user="nobody") is None
    assert journal.code == 3 and "systemd-journal" in journal.out
    assert journal.run("--journal-directory", "/tmp/one", state="two") is None and "no journal that may be read in /tmp/one" in journal.out
