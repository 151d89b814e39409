"""monitord-policy and the probe rate: a real Postfix asks, mail flows whatever becomes of the service; bad clients."""
import json
import os
import signal
import smtplib
import socket
import subprocess
import time

import pytest
import dovecot
from postfix import Postfix, free_ports
from prober import BUILD
from waiting import wait_for

needs_postfix = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/usr/sbin/postconf"), reason="needs root and Postfix")
DUNNO = b"action=DUNNO\n\n"


class Policy:
    def __init__(self, folder, *args, port=None):
        self.port = port or free_ports(1)[0]
        self.counts, self.unix = folder / "counts", folder / "policy"
        self.process = subprocess.Popen([BUILD / "monitord-policy", "--listen", f"inet:127.0.0.1:{self.port}", "--listen", f"unix:{self.unix}",
                                         "--counts", self.counts, *args], stderr=subprocess.PIPE)
        wait_for(lambda: self.process.poll() is not None or self.answers(), what="the policy service")
        assert self.process.poll() is None, self.process.stderr.read()

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5):
                return self.counts.exists()
        except OSError:
            return False

    def read(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(self.counts))
            return json.loads(b"".join(iter(lambda: s.recv(65536), b"")))

    def client(self):
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        code = self.process.wait(30)
        log = self.process.stderr.read()
        self.process.stderr.close()
        assert code in (0, -signal.SIGKILL), log
        assert b"Sanitizer" not in log, log


@pytest.fixture
def policy(tmp_path):
    with Policy(tmp_path) as p:
        yield p


def request(client="192.0.2.7", instance="1.1", **more):
    lines = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "client_address": client, "instance": instance, **more}
    return "".join(f"{k}={v}\n" for k, v in lines.items()).encode() + b"\n"


def probe(policy, *args):
    return subprocess.run([BUILD / "check_rate", "--socket", policy.counts, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60)


def facts(out):
    return json.loads(next(x for x in out.stdout.splitlines() if x.startswith("facts: "))[7:])


def test_answers_and_counts_by_message(policy):
    with policy.client() as s, socket.socket(socket.AF_UNIX) as u:
        u.connect(str(policy.unix))
        for n, (one, sock) in enumerate([("1.1", s), ("1.1", s), ("1.2", s), ("1.3", u)]):
            sock.sendall(request(instance=one, sasl_username="bob", recipient=f"{n}@lab.test", local_uid="1000"))
            assert sock.recv(100) == DUNNO
        s.sendall(request(instance="1.4") + request(client="2001:db8::9", instance="1.5"))  # two at once
        got = b""
        while len(got) < 2 * len(DUNNO):
            got += s.recv(100)
        assert got == 2 * DUNNO
    c = policy.read()
    assert (c["requests"], c["s60"], c["r60"], c["cut"]) == (6, 5, 6, 0)
    assert [(x["name"], x["s60"], x["r60"]) for x in c["client"]] == [("192.0.2.7", 4, 5), ("2001:db8::9", 1, 1)]
    assert [(x["name"], x["s60"], x["peers"]) for x in c["sasl"]] == [("bob", 3, 1)] and c["uid"][0]["name"] == "1000"


@pytest.mark.parametrize("text", [b"GET / HTTP/1.0\r\n\r\n", b"\n", b"request=other\n\n", b"\x00" * 100 + b"\n", b"x=" + b"a" * 200000,
                                  b"request=smtpd_access_policy\n" + b"a=b\n" * 50000], ids=range(6))
def test_what_is_no_request_is_cut_off(policy, text):
    with policy.client() as s:
        s.settimeout(20)
        try:
            s.sendall(text)
            assert s.recv(100) in (b"", )
        except (ConnectionResetError, BrokenPipeError):
            pass
    wait_for(lambda: policy.read()["cut"] == 1, what="the cut")
    with policy.client() as s:
        s.sendall(request())
        assert s.recv(100) == DUNNO


def test_a_request_that_never_ends_is_cut_off_and_delays_nobody(tmp_path):
    with Policy(tmp_path, "--request-time", "1s") as p, p.client() as slow, p.client() as good:
        slow.settimeout(30)
        slow.sendall(b"request=smtpd_access_policy\nclient_addr")
        worst, end = 0, time.monotonic() + 30
        while time.monotonic() < end:
            begin = time.monotonic()
            good.sendall(request())
            assert good.recv(100) == DUNNO
            worst = max(worst, time.monotonic() - begin)
            try:
                slow.send(b"e")  # one byte at a time does not help
                time.sleep(0.02)
            except OSError:
                break
        else:
            raise AssertionError("never cut off")
        assert p.read()["cut"] == 1
        assert worst < 2  # 100 ms on a machine that has nothing else to do; the figure is in the benchmark


def test_who_does_not_read_is_cut_off(policy):
    with policy.client() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        with pytest.raises(OSError):
            for _ in range(1000):
                s.sendall(request() * 2000)
    wait_for(lambda: policy.read()["connections"] == 0, what="its end")


def gone(s):
    s.settimeout(0.01)
    try:
        return s.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
    finally:
        s.settimeout(10)


def test_more_clients_than_room(tmp_path):
    with Policy(tmp_path, "--connections", "5") as p:
        held = [p.client() for _ in range(20)]
        wait_for(lambda: all(gone(s) for s in held[:-5]), what="the oldest to be closed")
        for s in held[-5:]:
            s.sendall(request())
            assert s.recv(100) == DUNNO
        assert p.read()["connections"] == 5
        for s in held:
            s.close()


def test_a_socket_in_use_is_not_taken(policy, tmp_path):
    two = subprocess.run([BUILD / "monitord-policy", "--listen", f"unix:{policy.unix}", "--counts", tmp_path / "other"], capture_output=True, text=True, timeout=30)
    assert two.returncode == 1 and "another process listens there" in two.stderr
    for args, word in (([], "required"), (["--listen", "tcp:1", "--counts", "/x"], "unix: or inet:"), (["--listen", "inet:nowhere:1", "--counts", "/x"], "inet:nowhere")):
        out = subprocess.run([BUILD / "monitord-policy", *args], capture_output=True, text=True, timeout=30)
        assert out.returncode != 0 and word in out.stderr


# --- the probe ---

def flood(policy, n, **more):
    with policy.client() as s:
        for i in range(n):
            s.sendall(request(instance=f"f.{i}", **more))
            assert s.recv(100) == DUNNO


def test_rate_names_who_sends_too_much(policy):
    flood(policy, 30, client="192.0.2.25")
    flood(policy, 90, client="192.0.2.7", sasl_username="bob")
    flood(policy, 20, client="192.0.2.8", sasl_username="bob")
    args = ["--client-warning", "100", "--client-critical", "400", "--sasl-warning", "1000", "--sasl-critical", "9999", "-vvv"]
    out = probe(policy, *args)
    assert out.returncode == 2 and "client 192.0.2.7 sends " in out.stdout, out.stdout
    f = facts(out)
    assert f["top_client"] == "192.0.2.7" and f["top_client_per_min"] >= 90 and f["received_per_min"] == 140 and f["top_sasl_clients"] == 2
    assert abs(f["top_client_share"] - 90 / 140) < 0.001 and f["top_sasl"] == "bob"
    allowed = probe(policy, *args, "--allow", "192.0.2.0/28", "--allow", "192.0.2.25")
    assert allowed.returncode == 0 and "top_client" not in facts(allowed)
    assert probe(policy, "--client-warning", "9999", "--sasl-warning", "9999", "--sasl-critical", "9999", "--recipients-critical", "50").returncode == 2
    assert probe(policy, "--total-critical", "1000:", "--sasl-critical", "9999", "--sasl-warning", "9999").returncode == 2


def test_rate_beside_what_is_usual(policy, tmp_path):
    now = int(time.time() * 1000)
    boot = open("/proc/sys/kernel/random/boot_id").read().strip()
    up = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)

    def stamp(ago):
        return {"wall_ms": now - ago, "boot_ms": up - ago, "boot_id": boot}
    args = ["--client-warning", "99999", "--client-critical", "99999", "--learning", "10m", "--state-dir", tmp_path / "state"]
    assert probe(policy, *args).returncode == 0
    (file,) = (tmp_path / "state").iterdir()
    flood(policy, 100)
    # still learning; then: this one sends 100 at any time; then: 1 is usual
    for since, usual, code in ((300_000, [], 0), (900_000, [["client 192.0.2.7", 100]], 0), (900_000, [["client 192.0.2.7", 1]], 1), (900_000, [], 1)):
        file.write_text(json.dumps({"since": stamp(since), "at": stamp(1000), "usual": usual}))
        out = probe(policy, *args)
        assert out.returncode == code, (since, usual, out.stdout)
    assert "usual are 0" in out.stdout


def test_rate_without_a_service(tmp_path, policy):
    gone = subprocess.run([BUILD / "check_rate", "--socket", tmp_path / "none"], capture_output=True, text=True, timeout=30)
    assert gone.returncode == 3 and "cannot be reached: No such file" in gone.stdout
    policy.process.send_signal(signal.SIGSTOP)
    try:
        stuck = probe(policy, "-t", "2")
        assert stuck.returncode == 3 and "does not answer" in stuck.stdout
    finally:
        policy.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("text,word", [(b"", "no policy service"), (b"{}\n", "no policy service"), (b"\0\xff" * 1000, "no policy service"),
                                       (b"x" * 400000, "more than a policy service")], ids=range(4))
def test_rate_and_a_strange_service(tmp_path, text, word):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "odd"))
        s.listen()
        p = subprocess.Popen([BUILD / "check_rate", "--socket", tmp_path / "odd"], stdout=subprocess.PIPE, text=True)
        c, _ = s.accept()
        try:
            c.sendall(text)
        except OSError:
            pass
        c.close()
        out = p.communicate(timeout=60)[0]
    assert p.returncode == 3 and word in out


# --- with Postfix ---

def asked(port, *settings):
    """The restrictions of a listener that asks at this port first."""
    return f"smtpd_recipient_restrictions = check_policy_service {{ {', '.join([f'inet:127.0.0.1:{port}', *settings])} }}, permit_mynetworks, reject"


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    """`documented` asks as doc/probes.md says. There an answer that takes longer than a second is not waited for, and Postfix then asks no
    more in that session: what counts exactly asks at `patient`. The others are what the documented settings are held against."""
    port = free_ports(1)[0]
    main = {"smtpd_authorized_xclient_hosts": "127.0.0.1", "smtpd_sasl_auth_enable": "no"}
    ways = {"documented": ["timeout=1s", "try_limit=1", "default_action=DUNNO"], "patient": ["timeout=100s", "default_action=DUNNO"],
            "no_default": ["timeout=1s", "try_limit=1"], "four_seconds": ["timeout=4s", "try_limit=1", "default_action=DUNNO"]}
    p = Postfix(tmp_path_factory.mktemp("policy"), main=main, tls=False)
    for name, settings in ways.items():
        p.service(name, f"smtpd -o {{ {asked(port, *settings)} }}")
    with p:
        p.policy_port = port
        yield p


def send(port, n=10):
    """n messages in one session; the longest that one took."""
    worst = 0
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as s:
        for i in range(n):
            begin = time.monotonic()
            s.sendmail("a@lab.test", ["user@lab.test"], f"Subject: {i}\n\nx\n")
            worst = max(worst, time.monotonic() - begin)
    return worst


@needs_postfix
def test_mail_flows_whatever_becomes_of_the_service(relay, tmp_path):
    before, port = len(relay.messages()), relay.ports["documented"]
    with Policy(tmp_path, port=relay.policy_port) as p:
        send(relay.ports["patient"])
        c = p.read()
        assert (c["requests"], c["client"][0]["name"]) == (10, "127.0.0.1")
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as s:  # in the middle of a session
            s.sendmail("a@lab.test", ["user@lab.test"], "Subject: before\n\nx\n")
            p.process.send_signal(signal.SIGSTOP)
            begin = time.monotonic()
            s.sendmail("a@lab.test", ["user@lab.test"], "Subject: stopped\n\nx\n")
            assert time.monotonic() - begin < 20  # its timeout, 1 s, and what the machine adds
            p.process.send_signal(signal.SIGCONT)
            s.sendmail("a@lab.test", ["user@lab.test"], "Subject: goes on\n\nx\n")
            p.process.kill()
            p.process.wait()
            s.sendmail("a@lab.test", ["user@lab.test"], "Subject: killed\n\nx\n")
        send(port)  # nobody listens there
    sent = 24
    wait_for(lambda: len(relay.messages()) - before == sent, 60, "all of the mail")
    with Policy(tmp_path, port=relay.policy_port) as p:  # back again, without Postfix being told
        wait_for(lambda: send(port, 1) and p.read()["requests"] > 0, 60, "a request")
    assert ": 451 " not in relay.log() and "warning: access table" not in relay.log()


@needs_postfix
def test_what_the_documented_settings_are_for(relay, tmp_path):
    """Without default_action a dead service stops the mail; timeout is what a hanging one costs."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(relay.ports["no_default"], 1)
    assert refused.value.recipients["user@lab.test"][0] == 451
    send(relay.ports["documented"], 1)
    with Policy(tmp_path, port=relay.policy_port) as p:
        p.process.send_signal(signal.SIGSTOP)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(relay.ports["no_default"], 1)
        assert send(relay.ports["documented"], 1) >= 0.9
        assert send(relay.ports["four_seconds"], 1) >= 3.9


@needs_postfix
def test_a_bomb_of_many_sessions(relay, tmp_path):
    """smtp-source floods in parallel sessions; the account and address are what Postfix was told by XCLIENT."""
    with Policy(tmp_path, port=relay.policy_port) as p:
        port = relay.ports["patient"]
        subprocess.run(["/usr/sbin/smtp-source", "-s", "4", "-m", "120", "-f", "a@lab.test", "-t", "user@lab.test", f"127.0.0.1:{port}"],
                       check=True, timeout=120)
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as s:
            s.ehlo()
            assert s.docmd("XCLIENT", "NAME=client.example ADDR=127.0.0.9 LOGIN=bob@lab.test")[0] == 220
            for _ in range(15):
                s.ehlo_resp = s.helo_resp = None
                s.sendmail("b@lab.test", ["user@lab.test"], "Subject: x\n\nx\n")
        c = p.read()
        assert c["requests"] == 135  # every one; the last minute holds as many of them as the machine did in it
        out = probe(p, "--client-critical", "20", "--client-warning", "19", "--sasl-warning", "2", "--sasl-critical", "1000", "-vvv")
        assert out.returncode == 2 and "client 127.0.0.1 sends " in out.stdout, out.stdout
        f = facts(out)
        assert f["top_client"] == "127.0.0.1" and 30 <= f["received_per_min"] <= 135, f
        assert f["top_sasl"] == "bob@lab.test" and 3 <= f["top_sasl_per_min"] <= 90, f  # six times the last ten seconds, where that is more


# --- a real login, and the log as the source ---

def from_log(path, state, *args):
    return subprocess.run([BUILD / "check_rate", "--log", path, "--state-dir", state, "-vvv", *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)


@needs_postfix
@pytest.mark.skipif(bool(dovecot.missing()), reason=dovecot.missing() or "-")
def test_a_real_login_by_both_sources(tmp_path):
    """Accounts that log in at Postfix, by Dovecot's SASL: the policy service and the log name the same one."""
    port = free_ports(1)[0]
    users = {"bob@lab.test": "swordfish", "eve@lab.test": "hunter2"}
    with dovecot.Dovecot(tmp_path / "dc", users=users) as store:
        main = {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": store.auth_socket, "smtpd_authorized_xclient_hosts": "127.0.0.1"}
        smtpd = f"smtpd -o {{ {asked(port, 'timeout=100s', 'default_action=DUNNO').replace('permit_mynetworks', 'permit_mynetworks, permit_sasl_authenticated')} }}"
        with Postfix(tmp_path / "pf", main=main, tls=False, smtpd=smtpd) as relay, Policy(tmp_path, port=port) as p:
            state = tmp_path / "state"
            out = from_log(relay.log_file, state)
            assert out.returncode == 0 and "counting begins at the end" in out.stdout, out.stdout + out.stderr
            for user, address, n in (("bob@lab.test", "192.0.2.1", 8), ("bob@lab.test", "192.0.2.2", 6), ("eve@lab.test", "192.0.2.3", 2)):
                with smtplib.SMTP("127.0.0.1", relay.port, timeout=60) as s:
                    s.ehlo()
                    assert s.docmd("XCLIENT", f"ADDR={address} NAME=c.example")[0] == 220
                    s.ehlo_resp = s.helo_resp = None
                    s.login(user, users[user])
                    for i in range(n):
                        s.sendmail("a@lab.test", ["user@lab.test"], f"Subject: {i}\n\nx\n")
            for _ in range(3):
                relay.sendmail("root@lab.test", ["user@lab.test"], "Subject: cron\n\nx\n")
            wait_for(lambda: relay.log().count(": uid=") == 3, 60, "what was handed in")
            by_policy = probe(p, "--sasl-warning", "5", "--sasl-critical", "999", "-vvv")
            by_log = from_log(relay.log_file, state)
            f, g = facts(by_policy), facts(by_log)
            assert f["top_sasl"] == g["top_sasl"] == "bob@lab.test" and f["top_sasl_clients"] == g["top_sasl_clients"] == 2
            assert by_policy.returncode == 1 and "sasl bob@lab.test sends " in by_policy.stdout
            assert p.read()["requests"] == 16 and f["top_client"] == g["top_client"] == "192.0.2.1"
            # the log knows who hands in on the host too; 19 in the 10 s or more since the last run, as a minute's
            assert g["top_uid"] == "0" and abs(g["top_uid_share"] - 3 / 19) < 0.001 and abs(g["top_sasl_share"] - 14 / 19) < 0.001
            assert 0 < g["received_per_min"] <= 19 * 6 + 0.001
            again = from_log(relay.log_file, state)
            assert again.returncode == 0 and "0 messages a minute" in again.stdout and "top_sasl" not in facts(again)


def test_rate_from_a_log_alerts_and_fails(tmp_path):
    log, state = tmp_path / "mail.log", tmp_path / "state"
    log.write_text("")
    assert from_log(log, state, "--client-critical", "3000").returncode == 0
    with open(log, "a") as f:
        for i in range(200000):
            f.write(f"Nov 21 03:12:45 mx1 postfix/smtpd[9]: {i:X}: client=c[192.0.2.{7 if i % 2 else i % 100 + 100}]\n")
    out = from_log(log, state, "--client-critical", "3000")
    assert out.returncode == 2 and "client 192.0.2.7 sends " in out.stdout, out.stdout
    f = facts(out)
    assert f["top_client"] == "192.0.2.7" and abs(f["top_client_share"] - 0.5) < 0.001 and f["received_per_min"] > 3000
    with open(log, "a") as f:
        f.write("Nov 21 03:12:45 mx1 postfix/smtpd[9]: A: client=c[192.0.2.7]\n" * 100000)
    assert from_log(log, state, "--client-critical", "3000", "--allow", "192.0.2.0/24").returncode == 0, "other options, another state: it begins"
    log.unlink()
    gone = from_log(log, state, "--client-critical", "3000")
    assert gone.returncode == 0 and "there is no log now" in gone.stdout, gone.stdout
    never = from_log(tmp_path / "none.log", state)
    assert never.returncode == 3 and "none.log does not exist" in never.stdout, never.stdout
