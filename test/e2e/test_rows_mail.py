"""Rows of the incident table that mail itself makes, with real servers: a loop of a list and a vacation responder, a directory harvest,
an open relay, a stolen account, throttling carriers. Each is named first, with its offender."""
import pytest

import dovecot as dovecot_module
import postfix as postfix_module
from dovecot import Dovecot
from postfix import Postfix
from rows import Sink, Watched, at_once, log_check, logged, queue_check, send

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")

# A vacation responder with the fault that makes a loop: it answers whatever comes, the list's own mail too, and answers to the list. It
# sends the head of what it got back with it, and so the Received lines.
RESPONDER = r"""#!/usr/bin/python3 -SE
import socket, sys
port, me, to = int(sys.argv[1]), sys.argv[2], sys.argv[3]
head = sys.stdin.buffer.read().split(b"\n\n")[0].splitlines()
keep, on = [], False
for line in head:
    on = on if line[:1] in b" \t" else line.lower().startswith(b"received:")
    keep += [line] if on else []
s = socket.create_connection(("127.0.0.1", port))
f = s.makefile("rb")
def say(text):
    s.sendall(text + b"\r\n")
    while f.readline()[3:4] == b"-":
        pass
f.readline()
say(b"HELO vacation.lab.test"), say(b"MAIL FROM:<%s>" % me.encode()), say(b"RCPT TO:<%s>" % to.encode()), say(b"DATA")
say(b"\r\n".join(keep + [b"From: " + me.encode(), b"To: " + to.encode(), b"Subject: I am away", b"", b"until Monday", b"."]))
say(b"QUIT")
"""


@pytest.fixture(scope="module")
def mta(tmp_path_factory):
    """Takes mail for lab.test; what goes elsewhere is deferred, because its relay refuses."""
    folder = tmp_path_factory.mktemp("rows")
    responder = folder / "vacation"
    responder.write_text(RESPONDER)
    responder.chmod(0o755)
    m = Postfix(folder / "mta", tls=False, users=("user@lab.test",), main={
        "default_process_limit": "30", "hopcount_limit": "15", "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "5000",
        "smtpd_soft_error_limit": "5000",
        "virtual_alias_domains": "list.test",
        "virtual_alias_maps": "inline:{ { all@list.test = away@lab.test, member@far.example } }",
        "transport_maps": "inline:{ { away@lab.test = vacation: } }",
        "virtual_mailbox_maps": "inline:{ { user@lab.test = user/Maildir/ }, { away@lab.test = away/Maildir/ } }"})
    port = postfix_module.free_ports(1)[0]
    m.service("inject", "smtpd")
    m.extra_master.append(f"vacation unix - n n - 10 pipe flags=q user=nobody argv={responder} {port} away@lab.test all@list.test")
    m.extra_master.append(f"127.0.0.1:{port} inet n - n - - smtpd")
    with m:
        yield m


@pytest.fixture(autouse=True)
def empty(mta):
    mta.mark = len(mta.log())
    yield
    mta.command("postsuper", "-d", "ALL", check=False)


def test_mail_loop(mta, tmp_path):
    """A list, and a subscriber on vacation: every answer goes to the list."""
    with Watched(tmp_path, {"log": log_check(mta, too_many_hops_critical="0")}) as house:
        send(mta.port, 8, "boss%d@else.example", "all@list.test", subject="meeting")
        logged(mta, "hopcount exceeded", 8)
        house.look("log")
        sms = house.names("mail_loop", "away@lab.test", "with too many hops", "vacation setting")
        assert "away@lab.test" in sms


def test_mail_loop_seen_by_the_queue_alone(mta, tmp_path):
    """The queue knows whose copies fill it, and who makes them."""
    with Watched(tmp_path, {"queue": queue_check(mta, critical=50)}) as house:
        house.let_pass(5)
        send(mta.port, 8, "boss%d@else.example", "all@list.test", subject="meeting")
        logged(mta, "hopcount exceeded", 8)
        house.look("queue")
        house.names("mail_loop", "member@far.example", "from away@lab.test")


def test_directory_harvest(mta, tmp_path):
    """Two clients of many ask for users that there are not."""
    with Watched(tmp_path, {"log": log_check(mta, user_unknown_critical="100")}) as house:
        send(mta.port, 8, "friend%d@x%d.example", "user@lab.test", source="127.0.0.5")
        at_once(lambda: send(mta.port, 900, "h%d@spam.example", "name%d@lab.test", source="127.0.0.77"),
                lambda: send(mta.port, 500, "h%d@spam.example", "name%d@lab.test", source="127.0.0.78"))
        logged(mta, "User unknown", 1400)
        house.look("log")
        house.names("backscatter", "unknown users a minute", "from 127.0.0.77", "reject at RCPT", alone=True)
        assert house.check("log")["state"] == "CRITICAL"


def test_open_relay_and_its_flood(mta, tmp_path):
    """It takes strangers' mail for strangers; the probe is let through, and the flood through it waits in the queue."""
    checks = {"relay": {"probe": "relay", "host": "127.0.0.1", "port": mta.port, "domain": "lab.test"}, "queue": queue_check(mta, critical=150)}
    with Watched(tmp_path, checks) as house:
        house.let_pass(5)
        at_once(*[lambda i=i: send(mta.port, 60, f"stranger{i}@spam{i}.example", f"victim%d@v{i}x%d.example", source=f"127.0.0.{100 + i}") for i in range(5)])
        house.look("queue")
        house.names("open_relay", "127.0.0.1 is an open relay", "by plain", "close it, hold what is queued")


@pytest.mark.skipif(bool(dovecot_module.missing()), reason=dovecot_module.missing() or "-")
def test_stolen_account(tmp_path):
    """One account, right password, from nine addresses; what it sends is deferred."""
    with Dovecot(tmp_path / "dc", users={"bob@lab.test": "secret", "eve@lab.test": "secret"}) as store:
        auth = {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": store.auth_socket, "mynetworks": "192.0.2.1"}
        with Postfix(tmp_path / "mta", tls=False, main=auth) as mta:
            checks = {"queue": queue_check(mta, critical=150), "log": log_check(mta, deferred_critical="30")}
            with Watched(tmp_path / "m", checks) as house:
                house.let_pass(5)
                send(mta.port, 10, "eve@lab.test", "friend%d@else.example", source="127.0.0.9", login=("eve@lab.test", "secret"))
                at_once(*[lambda i=i: send(mta.port, 30, "bob@lab.test", f"victim{i}x%d@v%d.example", source=f"127.0.0.{20 + i}",
                                           login=("bob@lab.test", "secret")) for i in range(9)])
                logged(mta, "status=deferred", 280)
                house.look("queue", "log")
                house.names("auth_abuse", "bob@lab.test from 9 addresses", "disable the account, hold its mail")


def test_some_domains_only(tmp_path):
    """A newsletter; two carriers throttle it, all else flows."""
    with Sink("-r", "data") as slow, Sink() as good:
        to = {d: slow for d in ("docomo.ne.jp", "ezweb.ne.jp")} | {f"d{i}.example": good for i in range(60)}
        maps = "inline:{ " + ", ".join(f"{{ {d} = smtp:[127.0.0.1]:{s.port} }}" for d, s in to.items()) + " }"
        with Postfix(tmp_path / "mta", tls=False, main={"transport_maps": maps, "default_process_limit": "30"}) as mta:
            checks = {"log": log_check(mta, deferred_critical="30"), "queue": queue_check(mta, critical=100)}
            with Watched(tmp_path / "m", checks) as house:
                house.let_pass(5)
                at_once(*[lambda d=d: send(mta.port, 100, "news@lab.test", f"r%d@{d}") for d in ("docomo.ne.jp", "ezweb.ne.jp")],
                        lambda: send(mta.port, 60, "news@lab.test", "r%d@d%d.example"))
                logged(mta, "status=deferred", 200)
                logged(mta, "status=sent", 60)
                house.look("log", "queue")
                sms = house.names("some_domains", "docomo.ne.jp, ezweb.ne.jp", "100 % of", "do not resend blindly")
                assert "ezweb" in sms
