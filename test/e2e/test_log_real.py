"""check_log against what real servers write: each is sent mail whose fate is known, and the counts are held against that."""
import imaplib
import json
import re
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dovecot  # noqa: E402
import exim  # noqa: E402
import mtas  # noqa: E402
import opensmtpd  # noqa: E402
import postfix  # noqa: E402
import sendmail  # noqa: E402
from prober import BUILD  # noqa: E402
from waiting import wait_for  # noqa: E402

HOPS = "".join(f"Received: from a{i} by b{i}; Wed, 25 Nov 2026 10:00:00 +0000\n" for i in range(110)) + "Subject: loop\n\nx\n"
NAMES = ["received", "sent", "deferred", "bounced", "rejected", "failed logins"]


def needs(*modules):
    why = "; ".join(m.missing() for m in modules if m.missing())
    return pytest.mark.skipif(bool(why), reason=why or "-")


def counted(path):
    """({"received": 3, ...}, {"client": {...}, ...}, facts) of a log."""
    done = subprocess.run([BUILD / "check_log", "-F", path, "--from-start", "-vvv", "--top", "10"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    figures = {name: int(re.search(rf"(\d+) {name}", lines[0]).group(1)) for name in NAMES}
    more = {}
    for line in lines[1:]:
        key, _, rest = line.partition(": ")
        if re.fullmatch(r"[a-z ]+", key):
            more[key] = {m[1]: int(m[2]) for m in re.finditer(r"(\S[^,]*?) (\d+)(?: \(\d+ %\))?(?:, |$)", rest)}
    facts = json.loads(next((x for x in lines if x.startswith("facts: ")), "facts: {}")[7:])
    return figures, more, facts


def figures(**more):
    return {**dict.fromkeys(NAMES, 0), **{k.replace("_", " "): v for k, v in more.items()}}


def send(port, to="user@lab.test", text="Subject: x\n\nx\n", sender="a@lab.test", login=None, xclient=None):
    """One message in a session of its own; the replies that refuse it, as a text, or an empty one."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as s:
        s.ehlo()
        if xclient:
            assert s.docmd("XCLIENT", xclient)[0] == 220
            s.ehlo_resp = s.helo_resp = None
        try:
            if login:
                s.login(*login)
            refused = s.sendmail(sender, to, text)
            return str(refused) if refused else ""
        except smtplib.SMTPException as e:
            return str(e) or "refused"


def took(port, n=1, **more):
    for _ in range(n):
        assert send(port, **more) == ""


def refused(port, word, n=1, **more):
    for _ in range(n):
        assert word in send(port, **more)


@needs(postfix, dovecot)
def test_postfix_and_dovecot(tmp_path):
    main = {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_authorized_xclient_hosts": "127.0.0.1",
            "mynetworks": "127.0.0.1/32", "minimal_backoff_time": "1h",
            "transport_maps": "inline:{ { gone.example = error:5.1.1 mailbox gone } }", "smtpd_reject_unlisted_recipient": "no",
            "smtpd_recipient_restrictions": "check_recipient_access inline:{ { grey@lab.test = 450 4.7.1 greylisted } }"}
    with dovecot.Dovecot(tmp_path / "dc", users={"user@lab.test": "secret", "bob@lab.test": "swordfish"}) as store:
        main["smtpd_sasl_path"] = store.auth_socket
        with postfix.Postfix(tmp_path / "pf", main=main, tls=False) as relay:
            took(relay.port, 5)
            took(relay.port, 3, login=("bob@lab.test", "swordfish"), xclient="ADDR=192.0.2.8 NAME=c8.example")
            took(relay.port, 2, login=("bob@lab.test", "swordfish"), xclient="ADDR=192.0.2.9 NAME=c9.example")
            took(relay.port, 2, to=["q@else.example", "r@other.example"])  # the relay is dead: deferred, both
            took(relay.port, 1, to="q@gone.example")
            refused(relay.port, "greylisted", 2, to="grey@lab.test")
            refused(relay.port, "Access denied", 3, to="q@else.example", xclient="ADDR=192.0.2.7 NAME=c7.example")
            refused(relay.port, "too many hops", 2, text=HOPS)
            refused(relay.port, "authentication failed", 1, login=("bob@lab.test", "guess"))  # PLAIN, then LOGIN
            for text in ("Subject: y\n\ny\n", HOPS):  # what has too many hops is said 60 times, and bounced
                relay.sendmail("user@lab.test", ["user@lab.test"], text)
            relay.sendmail("user@lab.test", ["nobody@lab.test"], "Subject: y\n\ny\n")
            # every message has come to its end, or waits; reports of failures to user@ are delivered too
            wait_for(lambda: relay.log().count("status=sent") >= 13 and relay.log().count("status=bounced") >= 4 and
                     relay.log().count("status=deferred") >= 4, 60, "all of the mail")
            wait_for(lambda: not list((relay.queue / "active").rglob("*[0-9A-F]")), 60, "an idle queue")
            got, more, facts = counted(relay.log_file)
            # a message is received when a queue file is made for it: the two with too many hops are refused only at their end
            assert got == figures(received=5 + 5 + 2 + 1 + 2 + 3, sent=5 + 5 + 1 + 2, deferred=4, bounced=4, rejected=2 + 3 + 2, failed_logins=2), relay.log()
            assert more["clients"] == {"127.0.0.1": 10, "192.0.2.8": 3, "192.0.2.9": 2} and more["local users"] == {"0": 3}
            assert more["logins"] == {"bob@lab.test": 5} and facts["top_sasl_clients"] == 2
            assert more["deferred because of"] == {"refused or lost": 4} and more["deferred for"] == {"else.example": 2, "other.example": 2}
            assert more["bounced because of"] == {"user unknown": 3, "too many hops": 1}, more
            assert more["rejected because of"] == {"limited": 2, "other": 3, "too many hops": 2}
            assert more["rejected from"] == {"127.0.0.1": 2, "192.0.2.7": 3} and facts["hops_rcpt"] == "user@lab.test"
        with imaplib.IMAP4("127.0.0.1", store.imap_port) as m:
            for _ in range(2):
                with pytest.raises(imaplib.IMAP4.error):
                    m.login("user@lab.test", "guess")
        with imaplib.IMAP4("127.0.0.1", store.imap_port) as m:
            m.login("user@lab.test", "secret")
        with smtplib.LMTP("127.0.0.1", store.lmtp_port) as s:
            for _ in range(3):
                s.sendmail("a@lab.test", ["user@lab.test"], "Subject: l\n\nl\n")
        wait_for(lambda: store.log().count("saved mail to") == 3 and "auth failed, 2 attempts" in store.log(), 60, "Dovecot's log")
        got, more, facts = counted(store.log_file)
        assert got == figures(sent=3, failed_logins=2), store.log()
        assert more["failed logins from"] == {"127.0.0.1": 2}
        assert "lines of no mail program" not in str(more)


@needs(dovecot)
def test_dovecot_through_syslog(tmp_path):
    """The same lines with the host and "dovecot: " before them; and a file whose stamps have the year."""
    stamps = "log_timestamp = \"%Y-%m-%d %H:%M:%S \"\n"
    with dovecot.Dovecot(tmp_path / "dc", extra=stamps) as store:
        with imaplib.IMAP4("127.0.0.1", store.imap_port) as m, pytest.raises(imaplib.IMAP4.error):
            m.login("user@lab.test", "guess")
        wait_for(lambda: "auth failed" in store.log(), 60, "Dovecot's log")
        assert counted(store.log_file)[0] == figures(failed_logins=1), store.log()


EXIM = exim.CONF.replace("acl_smtp_data = accept", "acl_smtp_data = acl_data\nreceived_headers_max = 30").replace("acl_rcpt:\n", """acl_data:
  deny message = spam message rejected
    condition = ${if match{$h_subject:}{spam}}
  accept
acl_rcpt:
  deny message = relay not permitted
    domains = denied.example
  deny message = Unknown user
    domains = lab.test
    !local_parts = user : grey
  defer message = greylisted
    local_parts = grey
""", 1)


@needs(exim)
@pytest.mark.parametrize("way", ["mainlog", "syslog"])
def test_exim(tmp_path, monkeypatch, way):
    syslog = mtas.Syslog(tmp_path / "mail.log", "mx1") if way == "syslog" else None
    conf = EXIM.replace("log_file_path = @W@/log/%slog", "log_file_path = syslog") if syslog else EXIM
    monkeypatch.setattr(exim, "CONF", conf)

    class Exim(exim.Exim):
        def argv(self, *args):
            return mtas.private([mtas.program("exim"), "-C", self.conf, *args], self.root / "accounts", syslog=syslog and syslog.socket)
    with Exim(tmp_path / "exim") as mta:
        log = tmp_path / "mail.log" if syslog else mta.root / "log" / "mainlog"
        took(mta.port, 3)
        took(mta.port, 2, login=("bob", "secret"))
        took(mta.port, 2, to="q@else.example")
        refused(mta.port, "Unknown user", 3, to="nobody@lab.test")
        refused(mta.port, "relay not permitted", 2, to="q@denied.example")
        refused(mta.port, "greylisted", 1, to="grey@lab.test")
        refused(mta.port, "spam message", 1, text="Subject: spam\nX-Long: a\n b\n\nx\n")
        refused(mta.port, "Incorrect authentication", 2, login=("bob", "guess"))
        took(mta.port, 1, text=HOPS, sender="user@lab.test")
        mtas.run(mta.argv("-i", "-f", "a@lab.test", "user@lab.test"), input="Subject: l\n\nl\n")
        # 3 + 2 + 1 delivered, and the report of the loop
        wait_for(lambda: log.read_text().count(" => user") >= 7 and log.read_text().count(" == ") >= 2, 60, "all of the mail")
        got, more, facts = counted(log)
        assert got == figures(received=9, sent=7, deferred=2, bounced=1, rejected=7, failed_logins=2), log.read_text()
        assert more["clients"] == {"127.0.0.1": 8} and more["local users"] == {"root": 1} and more["logins"] == {"bob": 2}
        assert more["rejected because of"] == {"user unknown": 3, "relay denied": 2, "limited": 1, "content": 1}
        assert more["bounced because of"] == {"too many hops": 1} and facts["hops_rcpt"] == "user@lab.test"
        assert more["deferred for"] == {"else.example": 2} and "lines of no mail program" not in str(more)
        if not syslog:  # the reject log has the headers of what was refused behind the lines
            got, more, _ = counted(mta.root / "log" / "rejectlog")
            assert got == figures(rejected=7, failed_logins=2)
    if syslog:
        syslog.close()


@needs(sendmail)
def test_sendmail(tmp_path, monkeypatch):
    unknown = "LOCAL_RULE_0\nR nobody < @ lab.test . >\t$#error $@ 5.1.1 $: \"550 User unknown\"\n"
    monkeypatch.setattr(sendmail, "MC", sendmail.MC.replace("LOCAL_RULE_0\n", unknown))
    with sendmail.Sendmail(tmp_path / "sm") as mta:
        took(mta.port, 4)
        took(mta.port, 2, to="q@else.example")
        refused(mta.port, "User unknown", 3, to="nobody@lab.test")
        refused(mta.port, "User unknown", 1, to=["user@lab.test", "nobody@lab.test"])  # taken for the one of them
        took(mta.port, 1, text=HOPS)
        mtas.run(mta.command("-i", "user@lab.test"), input="Subject: l\n\nl\n")
        wait_for(lambda: mta.log().count("stat=Sent") >= 6 and mta.log().count("stat=Deferred") >= 2 and "Too many hops" in mta.log(), 60, "all of the mail")
        got, more, facts = counted(mta.log_file)
        assert got == figures(received=4 + 2 + 1 + 1 + 1, sent=6, deferred=2, bounced=1, rejected=4), mta.log()
        assert more["clients"] == {"127.0.0.1": 8} and more["local users"] == {"root": 1}
        assert more["rejected because of"] == {"user unknown": 4} and more["bounced because of"] == {"too many hops": 1}
        assert more["deferred for"] == {"else.example": 2} and facts["hops_rcpt"] == "user@lab.test"


@needs(opensmtpd, postfix)
@pytest.mark.parametrize("reply,kind", [("-r", "deferred"), ("-f", "bounced")])
def test_opensmtpd(tmp_path, monkeypatch, reply, kind):
    """Its relay is a smtp-sink that puts recipients off (-r) or refuses them (-f)."""
    syslog, relay_port = mtas.Syslog(tmp_path / "mail.log", "mx1"), mtas.free_port()
    plain = mtas.private
    monkeypatch.setattr(mtas, "private", lambda argv, folder, script="", **kw: plain(
        ["-F" if x == "-d" else x for x in argv], folder, script, syslog=syslog.socket, **kw))
    monkeypatch.setattr(opensmtpd, "CONF", opensmtpd.CONF.replace('match from any for any', 'match from any for domain "else.example"'))
    log = tmp_path / "mail.log"
    sink = subprocess.Popen(["/usr/sbin/smtp-sink", "-u", "nobody", reply, "RCPT", f"127.0.0.1:{relay_port}", "10"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: mtas.answers(relay_port), 60, "the relay")
        with opensmtpd.OpenSmtpd(tmp_path / "os", relay_port=relay_port) as mta:
            took(mta.port, 4)
            took(mta.port, 2, to="q@else.example", sender="user@lab.test")
            refused(mta.port, "524", 3, to="nobody@lab.test")
            refused(mta.port, "Invalid recipient", 2, to="q@denied.example")
            refused(mta.port, "Routing loop", 1, text=HOPS)
            result = {"deferred": "TempFail", "bounced": "PermFail"}[kind]
            sent = 4 if kind == "deferred" else 6  # what bounced is reported to the sender, who is here
            wait_for(lambda: len(re.findall(f'result="?{result}', log.read_text())) >= 2 and
                     len(re.findall('result="?Ok', log.read_text())) >= sent, 60, "all of the mail")
            got, more, facts = counted(log)
            reports = sent - 4  # they are received like what is handed in on the host
            assert got == figures(received=6 + reports, sent=sent, rejected=6, **{kind: 2}), log.read_text()
            assert more["clients"] == {"127.0.0.1": 6, **({"local": reports} if reports else {})} and more["rejected from"] == {"127.0.0.1": 6}
            assert more["senders"]["a@lab.test"] == 4 and more["senders"]["user@lab.test"] == 2
            assert more["rejected because of"] == {"user unknown": 5, "too many hops": 1}
            assert more[f"{kind} for"] == {"else.example": 2}
    finally:
        sink.kill()
        sink.wait()
        syslog.close()
