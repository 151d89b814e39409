"""check_queue against the queues of other mail transport agents than Postfix, each of them run for real (qmail: its documented
layout), and against a Postfix whose spool may not be read."""
import json
import os
import re
import shlex
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import exim  # noqa: E402
import mtas  # noqa: E402
import nullmailer  # noqa: E402
import opensmtpd  # noqa: E402
import postfix  # noqa: E402
import sendmail  # noqa: E402
from test_queue import CHECK, Answer, line, nobody, parse  # noqa: E402
from waiting import wait_for  # noqa: E402


def needs(module):
    return pytest.mark.skipif(bool(module.missing()), reason=module.missing() or "-")


def send(mta, sender, to, login=None):
    with smtplib.SMTP("127.0.0.1", mta.port) as s:
        if login:
            s.login(*login)
        s.sendmail(sender, to, "Subject: test\r\n\r\ntext\r\n")


def check(*args, title, prefix=()):
    done = subprocess.run([*prefix, CHECK, *map(str, args)], stdout=subprocess.PIPE, text=True, timeout=120)
    a = parse(done.stdout, done.returncode)
    assert a.text.startswith(title + ": "), a
    return Answer(a.state, a.text[len(title) + 2:], a.perf, a.more)


# --- sendmail ---

@needs(sendmail)
def test_sendmail_in_two_stages(tmp_path):
    """Many queue directories with df/ qf/ xf/ are one stage; the receiver's is another, with limits of its own."""
    with sendmail.Sendmail(tmp_path / "sm", two_stage=True, queues=2, split=True) as mta:
        send(mta, "a@lab.test", ["x@else.example", "y@other.example"])
        for n in range(3):
            send(mta, "", [f"x{n}@else.example"])
        assert len(mta.messages(mta.rx)) == 4
        assert mta.scan() == 4
        mta.flush()
        wait_for(lambda: mta.log().count("stat=Deferred: Connection refused") >= 4)
        send(mta, "b@lab.test", ["z@else.example"])
        # found by the configuration, the receiver's queue beside it
        a = check("-M", "sendmail", "-d", mta.cf, "--stages", "mqueue-rx w=~:0", title="sendmail")
        assert (a.state, a.text) == ("WARNING", "1 mqueue-rx, 4 mqueue")
        assert (a.perf["mqueue-rx"], a.perf["mqueue"], a.perf["unsent"], a.perf["read"]) == (1, 4, 5, 5)
        assert line(a, "senders") == {"<>": 60, "a@lab.test": 20, "b@lab.test": 20}
        assert line(a, "clients") == {"127.0.0.1": 100}
        assert line(a, "recipient domains") == {"else.example": 83, "other.example": 17}
        # the same by directories, as a glob, without any configuration
        b = check("--queue-directory", f"{mta.queue}/q*", "--queue-directory", mta.rx, title="sendmail")
        assert (b.perf["mqueue-rx"], b.perf["mqueue"]) == (1, 4)
        # and made of directories by name
        c = check("--stages", f"in {mta.rx} kind=waits c=~:0", "--stages", f"out {mta.queue}", title="sendmail")
        assert (c.state, c.text) == ("CRITICAL", "1 in, 4 out")
        # broken, cut and foreign files are counted, not believed
        files = mta.messages()
        files[0].write_bytes(files[0].read_bytes()[:-4])
        files[1].write_text("V9\nT1\nS<x>\n.\n")
        files[2].write_bytes(os.urandom(500))
        (files[3].parent / ("hf" + files[3].name[2:])).write_text("")
        (files[3].parent / ("Qf" + files[3].name[2:])).write_text("")
        d = check("-M", "sendmail", "-d", mta.cf, title="sendmail")
        assert d.perf["read"] == 2 and d.perf["quarantined"] == d.perf["lost"] == 1 and d.state == "WARNING"
        assert any("2 not readable as queue files" in x and "1 of a version" in x for x in d.more)


@needs(sendmail)
def test_sendmail_scanner_stuck(tmp_path):
    """What incident "mqueue-rx grows while mqueue drains" looks like: the receiver takes mail, nothing moves it on."""
    state = tmp_path / "state"
    state.mkdir()
    with sendmail.Sendmail(tmp_path / "sm", two_stage=True) as mta:
        send(mta, "a@lab.test", ["x@else.example"])
        mta.scan()
        args = ["-M", "sendmail", "-d", mta.cf, "--state-dir", state]
        check(*args, title="sendmail")
        kept = next(state.iterdir())
        text = kept.read_text()
        for name in ("wall_ms", "boot_ms"):
            text = re.sub(rf'"{name}":(\d+)', lambda m, n=name: f'"{n}":{int(m.group(1)) - 60000}', text)
        kept.write_text(text)
        with smtplib.SMTP("127.0.0.1", mta.port) as s:
            for n in range(30):
                s.sendmail("a@lab.test", [f"y{n}@else.example"], "Subject: test\r\n\r\ntext\r\n")
        for f in mta.messages():
            f.unlink()
        a = check(*args, title="sendmail")
        assert a.state == "WARNING" and a.text.startswith("mqueue-rx grows while mqueue drains, 30 mqueue-rx (+"), a
        assert any(x.startswith("first aid: mail comes into mqueue-rx and none goes on to mqueue") for x in a.more)


@needs(sendmail)
def test_sendmail_ids_tell_the_time(tmp_path):
    """In a zone far from GMT: the time in the name and the one in the file are the same."""
    with sendmail.Sendmail(tmp_path / "sm", two_stage=True) as mta:
        mtas.run(mta.command("-odq", "-OTimeZoneSpec=Asia/Tokyo", f"-OQueueDirectory={mta.rx}", "x@else.example"), input="Subject: x\n\n")
        assert b"+0900" in mta.messages(mta.rx)[0].read_bytes()
        name = mta.messages(mta.rx)[0].name[2:]
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
    now = time.gmtime()
    assert digits.index(name[3]) in (now.tm_hour, (now.tm_hour - 1) % 24) and digits.index(name[2]) in (now.tm_mday, now.tm_mday - 1)
    # without reading a file the oldest is known all the same
    a = check("-M", "sendmail", "--queue-directory", mta.rx, "--sample=0", title="sendmail")
    assert 0 <= a.perf["oldest"] < 600


# --- Exim ---

@needs(exim)
def test_exim(tmp_path):
    for split in (False, True):
        with exim.Exim(tmp_path / f"exim{split}", split=split) as mta:
            send(mta, "a@lab.test", ["x@else.example", "user@lab.test"], login=("bob", "secret"))
            send(mta, "", ["nosuch@lab.test"])  # a bounce that cannot be delivered: frozen
            wait_for(lambda m=mta: "Frozen" in m.log() and "Connection refused" in m.log())
            wait_for(lambda m=mta: m.command("-bpc").strip() == "2")
            listed = mta.command("-bp")
            assert "frozen" in listed and "D user@lab.test" in listed
            a = check("--queue-directory", mta.root / "spool", "--frozen-warning=0", title="Exim")
            assert (a.state, a.text) == ("WARNING", "1 frozen, 2 queued")
            assert (a.perf["queue"], a.perf["frozen"], a.perf["read"]) == (2, 1, 2)
            # the recipient that is done does not count
            assert line(a, "recipients") == {"x@else.example": 50, "nosuch@lab.test": 50}
            assert line(a, "logins") == {"bob": 50} and line(a, "clients") == {"127.0.0.1": 100}
            assert 0 <= a.perf["deferred_oldest"] < 600
            assert check("-M", "exim", "-d", mta.conf, title="Exim").perf["queue"] == 2
    header = mta.messages()[0]
    header.write_bytes(header.read_bytes()[:200])
    a = check("--queue-directory", mta.root / "spool", title="Exim")
    assert a.perf["queue"] == 2 and a.perf["read"] == 1


# --- OpenSMTPD ---

@needs(opensmtpd)
def test_opensmtpd(tmp_path):
    with opensmtpd.OpenSmtpd(tmp_path / "osmtpd") as mta:
        send(mta, "a@lab.test", ["x@else.example", "y@else.example"])
        send(mta, "", ["z@else.example"])
        # envelopes are what smtpctl lists, messages what we count
        assert len(mta.envelopes()) == 3 == len(mta.smtpctl("show", "queue").splitlines())
        a = check("--queue-directory", mta.spool, title="OpenSMTPD")
        assert (a.state, a.text) == ("OK", "2 queued")
        assert a.perf["read"] == 2
        assert line(a, "senders") == {"<>": 50, "a@lab.test": 50} and line(a, "clients") == {"127.0.0.1": 100}
        assert line(a, "recipients") == {f"{n}@else.example": 33 for n in "xyz"}
    mta.envelopes()[0].write_bytes(b"\x1f\x8b compressed")
    mta.envelopes()[0].with_name("message").unlink()
    check("--queue-directory", mta.spool, title="OpenSMTPD")


# --- nullmailer ---

@needs(nullmailer)
def test_nullmailer(tmp_path):
    mta = nullmailer.Nullmailer(tmp_path / "nm")
    mta.inject("a@lab.test", ["x@else.example", "y@else.example"])
    mta.inject("", ["z@else.example"])
    a = check("--queue-directory", mta.spool, title="nullmailer")
    assert a.perf["queue"] == 2 == a.perf["read"] and a.perf["failed"] == 0
    assert line(a, "senders") == {"<>": 50, "a@lab.test": 50}
    assert line(a, "recipients") == {f"{n}@else.example": 33 for n in "xyz"}
    assert 0 <= a.perf["deferred_oldest"] < 600
    mta.messages()[0].write_text("a@lab.test")
    assert check("--queue-directory", mta.spool, title="nullmailer").perf["read"] == 1


# --- qmail, by its documented layout ---

def qmail_message(queue, number, sender, todo=(), done=(), client="192.0.2.7", fresh=False, split=23):
    part = str(number % split)
    received = f"Received: (qmail 77 invoked from network); 25 Nov 2026\nReceived: from unknown (HELO x) ({client})\n  by mx with SMTP\n"
    for name in ("mess", "info", "local", "remote"):
        (queue / name / part).mkdir(parents=True, exist_ok=True)
    (queue / "todo").mkdir(exist_ok=True)
    (queue / "mess" / part / str(number)).write_text(received + "Subject: x\n\n")
    if fresh:
        (queue / "todo" / str(number)).write_bytes(b"u0\0p7\0" + b"".join(x.encode() + b"\0" for x in ["F" + sender, *("T" + t for t in todo)]))
        return
    (queue / "info" / part / str(number)).write_bytes(b"F" + sender.encode() + b"\0")
    (queue / "remote" / part / str(number)).write_bytes(b"".join(b"T" + t.encode() + b"\0" for t in todo) + b"".join(b"D" + t.encode() + b"\0" for t in done))


def test_qmail_layout(tmp_path):
    queue = tmp_path / "queue"
    qmail_message(queue, 1001, "a@lab.test", ["x@else.example"], ["gone@else.example"])
    qmail_message(queue, 1002, "", ["y@else.example"])
    qmail_message(queue, 1003, "b@lab.test", ["z@else.example"], fresh=True, client="bob@2001:db8::1")
    a = check("--queue-directory", queue, title="qmail")
    assert (a.perf["mess"], a.perf["todo"], a.perf["remote"], a.perf["local"], a.perf["unsent"], a.perf["read"]) == (3, 1, 2, 0, 3, 3)
    assert a.text.startswith("3 queued, 1 not yet preprocessed, 2 remote")
    assert line(a, "recipients") == {f"{n}@else.example": 33 for n in "xyz"}
    assert line(a, "clients") == {"192.0.2.7": 67, "2001:db8::1": 33}
    old = time.time() - 7200
    os.utime(queue / "todo" / "1003", (old, old))
    a = check("--queue-directory", queue, title="qmail")
    assert a.state == "CRITICAL" and a.text.startswith("mail waits in todo for ")
    (queue / "info" / str(1001 % 23) / "1001").write_bytes(b"Fcut")
    assert check("--queue-directory", queue, title="qmail").perf["read"] == 2


# --- Postfix whose spool may not be read ---

def postdrop(program, *args):
    return ["setpriv", "--reuid=nobody", "--regid=postdrop", "--clear-groups", program, *map(str, args)]


@needs(postfix)
def test_showq_where_the_spool_may_not_be_read(tmp_path):
    root = Path(tempfile.mkdtemp(prefix="showq-"))
    root.chmod(0o755)
    try:
        program = shutil.copy(CHECK, root / "check_queue")
        relay = postfix.Postfix(root / "pf", tls=False, main={"defer_transports": "smtp"})
        with relay:
            send(relay, "a@lab.test", ["x@else.example", "y@else.example"])
            send(relay, "", ["z@else.example"])
            wait_for(lambda: len([p for p in (relay.queue / "deferred").rglob("*") if p.is_file()]) == 2)
            done = subprocess.run(postdrop(program, "-d", relay.etc), stdout=subprocess.PIPE, text=True)
            a = parse(done.stdout, done.returncode)
            assert (a.state, a.perf["deferred"], a.perf["read"]) == ("OK", 2, 2), done.stdout
            assert line(a, "senders") == {"<>": 50, "a@lab.test": 50}
            assert line(a, "recipients") == {f"{n}@else.example": 33 for n in "xyz"}
            assert any("told by showq" in x for x in a.more)
            # without the group not even that
            done = subprocess.run([*nobody(), program, "-d", relay.etc], stdout=subprocess.PIPE, text=True)
            assert done.returncode == 3 and "CAP_DAC_READ_SEARCH" in done.stdout and "showq tell: Permission denied" in done.stdout
    finally:
        shutil.rmtree(root)


ANSWERS = {
    "silent": (b"", True, "the time was up"),
    "closes": (b"", False, "closed before the list was whole"),
    "half": (b"protocol\0mail_queue_list_protocol\0\0queue_name\0deferred\0queue_id\0AB", False, "closed before the list was whole"),
    "another": (b"-Queue ID- --Size-- ----Arrival Time---- -Sender/Recipient-------\n" * 2000, False, "sends no list that we know"),
    "endless": (b"\xff" * 200000, False, "sends no list that we know"),
    "other protocol": (b"protocol\0mail_queue_list_protocol_2\0\0", False, "sends no list that we know"),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
@pytest.mark.parametrize("kind", ANSWERS)
def test_showq_that_answers_badly(kind):
    data, stay, words = ANSWERS[kind]
    root = Path(tempfile.mkdtemp(prefix="showq-"))
    try:
        root.chmod(0o755)
        for q in ("maildrop", "incoming", "active", "deferred", "hold", "corrupt"):
            (root / q).mkdir(mode=0o700)
        (root / "public").mkdir()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(root / "public" / "showq"))
        (root / "public" / "showq").chmod(0o666)
        listener.listen()
        over = threading.Event()

        def serve():
            peer, _ = listener.accept()
            try:
                peer.sendall(data)
            except OSError:
                pass
            if stay:
                over.wait(60)
            peer.close()
        t = threading.Thread(target=serve, daemon=True)
        t.start()
        program = shutil.copy(CHECK, root / "check_queue")
        done = subprocess.run([*nobody(), program, "-t", "3", "--queue-directory", root], stdout=subprocess.PIPE, text=True)
        over.set()
        assert done.returncode == 3 and words in done.stdout, done.stdout
        listener.close()
    finally:
        shutil.rmtree(root)


# --- which agent ---

@needs(exim)
@needs(postfix)
def test_which_agent_is_told_from_what_is_there(tmp_path):
    """In a mount namespace: an Exim spool and no Postfix, then both."""
    for name in ("spool/exim4/input", "spool/postfix/deferred", "spool/postfix/active", "none"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "spool/exim4/input/1xW7um-0005gE-15-H").write_text("x")

    def run(*lines):
        script = "; ".join([f"mount --bind {tmp_path}/spool /var/spool", "mount -t tmpfs none /etc/postfix", *lines, f"exec {CHECK}"])
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        return done.stdout
    shutil.move(tmp_path / "spool/postfix", tmp_path / "pf")
    assert run().startswith("QUEUE OK: Exim: 1 queued")
    shutil.move(tmp_path / "pf", tmp_path / "spool/postfix")
    both = run()
    # /usr/sbin/postfix is installed here, Exim's program is not
    assert both.startswith("QUEUE OK: Postfix: all queues are empty") and "seems to have Exim, too" in both


# --- what the diagnosis reads ---

@needs(sendmail)
def test_facts(tmp_path):
    """By the prober, as monitord gets them."""
    with sendmail.Sendmail(tmp_path / "sm", two_stage=True) as mta:
        send(mta, "a@lab.test", ["x@else.example"])
        job = {"v": 1, "run": "1", "check": "q", "probe": "queue", "state": "", "timeout_ms": 30000,
               "options": {"mta": "sendmail", "config_directory": [str(mta.cf)]}}
        done = subprocess.run([CHECK.parent / "prober", "--place", "local"], input=json.dumps(job) + "\n", stdout=subprocess.PIPE,
                              text=True, timeout=60)
        facts = next(x["facts"] for x in map(json.loads, done.stdout.splitlines()) if "done" in x)
    assert facts["mta"] == "sendmail" and facts["stage_mqueue_rx"] == facts["total"] == facts["incoming"] == 1
    assert facts["top_sender"] == "a@lab.test" and facts["top_sender_share"] == facts["young_share"] == 1
    assert facts["top_client"] == "127.0.0.1" and facts["top_domain"] == "else.example" and facts["null_sender_share"] == 0


# --- as check_mailq ---

MAILQ = Path("/usr/lib/nagios/plugins/check_mailq")
needs_mailq = pytest.mark.skipif(not MAILQ.exists(), reason="monitoring-plugins' check_mailq is not installed")


def beside(flags, mailq, *lines):
    """Our plugin and monitoring-plugins' with the same flags, where /usr/bin/mailq is that script: (code, labels) of each."""
    mailq.chmod(0o755)
    found = []
    for program in (MAILQ, CHECK.with_name("check_mailq")):
        script = "; ".join([*lines, f"mount --bind {mailq} $(readlink -f /usr/bin/mailq)", 'exec "$@"'])
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", program, *map(str, flags)], stdout=subprocess.PIPE, text=True)
        perf = done.stdout.splitlines()[0].partition("|")[2].split()
        found.append((done.returncode, [x.split(";")[0] for x in perf], done.stdout))
    return found


def same(flags, mailq, *lines):
    peer, ours = beside(flags, mailq, *lines)
    assert peer[:2] == ours[:2], (flags, peer, ours)
    return ours


@needs_mailq
@needs(sendmail)
def test_mailq_of_sendmail_beside_check_mailq(tmp_path):
    with sendmail.Sendmail(tmp_path / "sm", two_stage=True, queues=2, split=True) as mta:
        for n in range(5):
            send(mta, f"a{n}@mail.big.example" if n else "b@other.test", [f"x{n}@else.example"])
        mta.scan()
        for n, envelope in enumerate(sorted(mta.messages())):  # as two hosts would have deferred them
            text = envelope.read_bytes()
            host = b"mx.slow.example." if n < 3 else b"fast.example."
            envelope.write_bytes(text.replace(b"\nF", b"\nMDeferred: Connection timed out with " + host + b"\nF", 1))
        send(mta, "r@lab.test", ["still@received.example"])  # not in the queue that mailq lists
        mailq = tmp_path / "mailq"
        mailq.write_text(f"#!/bin/sh\nexec {shlex.join(mta.command('-bp'))}\n")
        for w, c, more in ((5, 6, []), (6, 7, []), (4, 5, []), (9, 99, ["-W", "4", "-C", "9"]), (9, 99, ["-W", "5", "-C", "9"]),
                           (9, 99, ["-W", "2", "-C", "3"]), (9, 99, ["-W", "3", "-C", "4"])):
            code, perf, out = same(["-M", "sendmail", "-d", mta.cf, "-w", w, "-c", c, *more], mailq)
            assert perf == ["unsent=5"]
        # there a domain that is critical beside a total that is a warning is said, and exits with 1
        peer, ours = beside(["-M", "sendmail", "-d", mta.cf, "-w", 5, "-c", 99, "-W", 1, "-C", 2], mailq)
        assert peer[2].startswith("CRITICAL") and (peer[0], ours[0]) == (1, 2)
        assert "4 from big.example" in out and "3 deferred by slow.example" in out


@needs_mailq
@needs(exim)
def test_mailq_of_exim_and_nullmailer_beside_check_mailq(tmp_path):
    mailq = tmp_path / "mailq"
    with exim.Exim(tmp_path / "exim", split=True) as mta:
        for n in range(3):
            send(mta, "a@lab.test", [f"x{n}@else.example"])
        wait_for(lambda: mta.command("-bpc").strip() == "3")
        mailq.write_text(f"#!/bin/sh\nexec {mtas.program('exim')} -C {mta.conf} -bp\n")
        folder = tmp_path / "exim" / "accounts"
        users = [f"mount --bind {folder}/passwd /etc/passwd", f"mount --bind {folder}/group /etc/group"]
        for w, c in ((3, 4), (4, 5), (2, 3)):
            same(["-M", "exim", "-d", mta.conf, "-w", w, "-c", c], mailq, *users)
    null = nullmailer.Nullmailer(tmp_path / "nm")
    for n in range(3):
        null.inject("a@lab.test", [f"x{n}@else.example"])
    mailq.write_text(f"#!/bin/sh\nexec {mtas.TREE}/usr/bin/mailq\n")
    spool = ["mount -t tmpfs none /var/spool; mkdir /var/spool/nullmailer", f"mount --bind {null.spool} /var/spool/nullmailer"]
    for w, c in ((3, 4), (4, 5), (2, 3)):
        same(["-M", "nullmailer", "-w", w, "-c", c], mailq, *spool)


@needs_mailq
@needs(postfix)
def test_mailq_of_postfix_beside_check_mailq():
    """Also: none of the queue probe's own limits hold here (anything in corrupt/, old mail in incoming/)."""
    root = Path(tempfile.mkdtemp(prefix="mailq-"))
    root.chmod(0o755)
    try:
        with postfix.Postfix(root / "pf", tls=False, main={"defer_transports": "smtp"}) as relay:
            for n in range(3):
                send(relay, "a@lab.test", [f"x{n}@elsewhere.example"])
            wait_for(lambda: len([p for p in (relay.queue / "deferred").rglob("*") if p.is_file()]) == 3)
            (relay.queue / "corrupt" / "0A1B2C3D4E5").touch()
            for w, c in ((3, 4), (4, 5), (2, 3)):
                flags = ["-M", "postfix", "-d", relay.etc, "-w", w, "-c", c]
                found = []
                for program in (MAILQ, CHECK.with_name("check_mailq")):
                    done = subprocess.run([program, *map(str, flags)], env=dict(os.environ, MAIL_CONFIG=str(relay.etc)),
                                          stdout=subprocess.PIPE, text=True)
                    found.append((done.returncode, done.stdout.partition("|")[2].split(";")[0].strip()))
                assert found[0] == found[1] and found[0][1] == "unsent=3", found
    finally:
        shutil.rmtree(root)


def test_mailq_qmail_and_usage(tmp_path):
    program = CHECK.with_name("check_mailq")

    def run(*args, script=None):
        argv = [program, *map(str, args)]
        if script:
            argv = ["unshare", "-m", "sh", "-c", script + '; exec "$@"', "sh", *argv]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
        return done.returncode, done.stdout
    for args in ([], ["-w", "5"], ["-w", "5", "-c", "5"], ["-w", "5", "-c", "9", "-W", "3"], ["-w", "5", "-c", "9", "-W", "3", "-C", "3"],
                 ["-w", "5", "-c", "9", "-M", "mailenable"]):
        assert run(*args)[0] == 3, args
    if os.geteuid() != 0 or sendmail.mtas.missing("sendmail"):
        return
    queue = tmp_path / "qmail" / "queue"
    for n in range(4):
        qmail_message(queue, 1000 + n, "a@lab.test", ["x@else.example"], fresh=n > 1)
    script = f"mount -t tmpfs none /var/opt; mkdir /var/opt/u /var/opt/w; mount -t overlay -o lowerdir={tmp_path}:/var,upperdir=/var/opt/u,workdir=/var/opt/w none /var"
    code, out = run("-M", "qmail", "-w", "9", "-c", "10", "-W", "2", "-C", "3", script=script)
    assert code == 1 and "qmail: 4 queued, 2 not yet preprocessed" in out and "unsent=4;" in out
