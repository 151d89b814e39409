"""Every probe as a plugin under a real Nagios 4, and by way of a real NRPE: state, text, further lines and figures as Nagios keeps
them. A row for each program: one without a row fails."""
import grp
import http.server
import os
import re
import ssl
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

import dnssec
import dovecot as dovecot_module
import front as front_module
import nsd as nsd_module
import postfix as postfix_module
from dovecot import Dovecot, make_ca
from front import BUILD, NRPE, Front
from hostile import Hostile
from modbusboard import Board
from nsd import Nsd, blocklist
from pager import Pager
from postfix import Postfix
from prober import perfdata
from test_check_dkim import rsa, txt
from test_check_tlsa import record
from test_policy import Policy
from waiting import wait_for

why_not = front_module.missing() or postfix_module.missing() or dovecot_module.missing() or nsd_module.missing() or dnssec.missing()
pytestmark = pytest.mark.skipif(bool(why_not), reason=why_not or "-")

# name: (arguments, exit code, what must be in the text, labels of figures). {x} is the lab's; @STATE@: see front.py.
ROWS = {
    "cert": ("-f {tls}/server.pem -D 7,3", 0, "localhost ends in 29 d", ["cert_days"]),
    "dig": ("-H 127.0.0.1 -p {dnsport} -l mx1.lab.test -a 127.0.0.1", 0, "mx1.lab.test returns 127.0.0.1", ["time"]),
    "disk": ("-p / -w 1 -c 1 --readonly ok --state-dir @STATE@", 0, "free space: /", ["/"]),
    "dkim": ("-s {dns} -d lab.test -S sel", 0, "is RSA of 2048 bits", ["sel"]),
    "dmarc": ("-s {dns} -d lab.test", 0, "lab.test asks to reject what fails", []),
    "dns": ("-s {dns} -H mx1.lab.test -q A -a 127.0.0.1", 0, "mx1.lab.test returns 127.0.0.1", ["time"]),
    "dnsbl": ("-s {dns} -H 192.0.2.11 -l bl.test", 0, "1 address on none of 1 list", ["lists", "listed"]),
    "exec": ("--command {tmp}/long", 1, "LONG WARNING - many lines", ["depth", "size of it"]),
    "file": ("-f {tmp}/file -w 1000000 -c 2000000", 0, "/file is ", ["age", "size"]),
    "http": ("-I 127.0.0.1 -H www.lab.test -p {http} -u /page -s hello", 0, "www.lab.test: HTTP/1.0 200 OK", ["time", "size"]),
    "imap": ("-H 127.0.0.1 -p {imap} --user user@lab.test --password-file {tmp}/password --insecure-auth", 0, "messages", ["time", "messages"]),
    "lmtp": ("-H 127.0.0.1 -p {lmtp} --to user@lab.test", 0, "answers in", ["time", "rcpt"]),
    "load": ("-w 9999 -c 9999 -n 3", 0, "load average", ["load1", "load5", "load15"]),
    "log": ("-F {maillog} --from-start --state-dir @STATE@", 0, "so far: ", []),
    "mailq": ("-M postfix -d {pf}/etc -w 50 -c 100", 0, "Postfix: ", ["unsent"]),
    "memory": ("-w 0: -c 0:", 0, "MiB available", ["available", "available_percent"]),
    "modbus": ("-H 127.0.0.1 -p {modbus} -r {reading}", 0, "temperature 23 C", ["temperature"]),
    "modem": ("-l gsm --status {tmp}/status.json --stale 1h", 0, "registered at SIMNET", ["signal", "csq"]),
    "mta_sts": ("-s {dns} -d lab.test -p {https} --ca-file {tls}/ca.pem", 0, "mode enforce, 1 MX allowed", []),
    "mx": ("--dns-servers {dns} -H lab.test -p {smtp} --to user@lab.test", 0, "1 address of 1 host takes mail", ["addresses", "dead"]),
    "nrpe": ("-H 127.0.0.1 -p 1 -c load --plugin {check_nrpe}", 3, "127.0.0.1: NRPE was not asked: connect to ", []),
    "ping": ("-H 127.0.0.1 -P {smtp} -p 2 -w 5000,50% -c 9000,90%", 0, "0 % lost", ["rta", "pl"]),
    "pop3": ("-H 127.0.0.1 -p {pop3} --user user@lab.test --password-file {tmp}/password --insecure-auth", 0, "messages", ["time", "messages"]),
    "pressure": ("--memory-warning 101 --memory-critical 101 --fd-warning 101 --fd-critical 101 --oom-warning 99999999", 0, "memory pressure", ["swap", "files"]),
    "process": ("-C nagios4 -c 1:", 0, "with command name 'nagios4'", ["procs"]),
    "queue": ("-M postfix -d {pf}/etc", 0, "Postfix: ", ["deferred", "active"]),
    "rate": ("--socket {counts}", 0, "0 messages to 0 recipients", ["messages", "recipients"]),
    "relay": ("-H 127.0.0.1 -p {smtp} --domain lab.test", 0, "relays nothing for strangers", ["forms", "taken"]),
    "roundtrip": ("-H 127.0.0.1 -p {smtp} --imap-host 127.0.0.1 --imap-port {imap} --imap-tls none --imap-user user@lab.test"
                  " --imap-password-file {tmp}/password --key-file {tmp}/key --from user@lab.test --to user@lab.test --wait 20 --critical 60"
                  " --warning 50 --state-dir @STATE@", 0, "2 hops", ["time", "lost"]),
    "smtp": ("-H 127.0.0.1 -p {smtp} -S", 0, "certificate ends in 29 d", ["time", "greeting", "starttls"]),
    "tlsa": ("-s {validating} -H mx.dane.test -p {smtp}", 0, "matches TLSA 3 1 1", ["records", "failing"]),
    "spf": ("-s {dns} -d lab.test -H 127.0.0.1", 0, "1 address may send for lab.test", ["lookups"]),
}
# besides: name: [program, argument...]
MORE = {"silent": "check_smtp -H 127.0.0.1 -p {silent} -t 2", "silent web": "check_http -H 127.0.0.1 -p {silent} -t 2:WARNING",
        "hung": "check_exec --command /bin/sleep --command 600 -t 2", "wrong": "check_smtp --nonsense"}
LONG = """#!/usr/bin/python3
print("LONG WARNING - many lines " + "and a long one " * 60 + "| depth=3;1;5;0;10 'size of it'=12.5MB;;;; " + " ".join(f"n{i}={i}s" for i in range(40)))
for i in range(200):
    print(f"line {i}: " + "x" * 90)
raise SystemExit(1)
"""
ZONE = """@ MX 10 mx1
mx1 A 127.0.0.1
@ TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc TXT "v=DMARC1; p=reject"
_mta-sts TXT "v=STSv1; id=20260101;"
mta-sts A 127.0.0.1
sel._domainkey TXT {dkim}"""


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        policy = self.path == "/.well-known/mta-sts.txt"
        body = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.lab.test\r\nmax_age: 604800\r\n" if policy else b"hello\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def web(stack, tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "server.pem", tls / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    return server.server_address[1]


def modem_status(root):
    """What a real pagerd tells of a simulated modem."""
    (root / "pager").mkdir()
    pager = Pager(root / "pager", lines=("m1",))
    pager.write_conf(pager.text().replace("lines:\n", "lines:\n  gsm: {notifier: sms, device: simulated}\n", 1))
    with pager:
        wait_for(lambda: next((x for x in pager.status()["lines"] if x["name"] == "gsm" and x.get("values", {}).get("registered")), None),
                 60, "the modem registered")
        return (pager.run / "status.json").read_text()


def make_files(root):
    for name, text in (("file", "hello"), ("password", "secret"), ("key", "a key of more than sixteen bytes"), ("long", LONG),
                       ("status.json", modem_status(root))):
        (root / name).write_text(text)
        (root / name).chmod(0o755 if name == "long" else 0o640 if name in ("password", "key") else 0o644)
        os.chown(root / name, 0, grp.getgrnam("postdrop").gr_gid)


def start_lab(stack, root):
    """Everything that is watched, each once; what the rows may name."""
    make_files(root)
    make_ca(root / "tls", "DNS:mta-sts.lab.test,DNS:localhost")
    dovecot = stack.enter_context(Dovecot(root / "dc", pop3=True))
    relay = Postfix(root / "pf", users=("user@lab.test", "postmaster@lab.test"), mail_root=dovecot.mail_root, transport=dovecot.lmtp,
                    smtpd="smtpd -o disable_vrfy_command=yes", main={"mynetworks": "192.0.2.1", "smtpd_relay_restrictions": "reject_unauth_destination"})
    stack.enter_context(relay)
    relay.wait_greetings()
    zones = {"lab.test": ZONE.format(dkim=txt("v=DKIM1; p=" + rsa(2048))), "bl.test": blocklist("192.0.2.10")}
    dane = f"mx A 127.0.0.1\n_{relay.port}._tcp.mx TLSA {record(3, 1, 1, relay.settings['smtpd_tls_cert_file'])}"
    zones["dane.test"], anchor = dnssec.sign(root, "dane.test", dane)
    dns = stack.enter_context(Nsd(root / "nsd", zones))
    unbound = stack.enter_context(dnssec.Unbound(root / "unbound", dns, [anchor]))
    (root / "policy").mkdir()
    policy = stack.enter_context(Policy(root / "policy"))
    policy.counts.chmod(0o666)
    board = stack.enter_context(Board(root))
    silent = stack.enter_context(Hostile("silent"))
    postfix_module.reachable_by_daemons(root)
    return {
        "tmp": root, "tls": root / "tls", "pf": relay.root,
        "dns": dns.server, "dnsport": dns.port, "validating": unbound.server,
        "smtp": relay.port, "maillog": relay.log_file, "silent": silent.port,
        "imap": dovecot.imap_port, "pop3": dovecot.pop3_port, "lmtp": dovecot.lmtp_port,
        "check_nrpe": NRPE / "usr/lib/nagios/plugins/check_nrpe",
        "counts": policy.counts,
        "modbus": board.port,
        "http": web(stack), "https": web(stack, root / "tls"),
    }


def words(text, values):
    """An argument may hold blanks only by way of {reading}."""
    reading = "temperature input:0 s16 *0.1 unit=C w=~:30 c=~:35"
    return [w.format(reading=reading, **values) for w in text.split()]


@pytest.fixture(scope="module")
def front():
    """Not in pytest's folder: another pytest that begins closes that one to other users, and user nagios must get in."""
    with tempfile.TemporaryDirectory(prefix="watched", ignore_cleanup_errors=True) as root, ExitStack() as stack:
        Path(root).chmod(0o755)
        values = start_lab(stack, Path(root))
        commands = {name: ["check_" + name, *words(row[0], values)] for name, row in ROWS.items()}
        commands.update({name: words(line, values) for name, line in MORE.items()})
        # of the queues the sockets of Postfix tell whoever is in group postdrop
        yield stack.enter_context(Front(commands, group="postdrop"))


def test_every_program_has_a_row():
    """A further name of one (check_pop is check_pop3) is a link."""
    assert {p.name[len("check_"):] for p in BUILD.glob("check_*") if not p.is_symlink()} == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("nrpe", [False, True], ids=["nagios", "nrpe"])
def test_as_plugin(front, name, nrpe):
    _, code, text, labels = ROWS[name]
    got = front.service(name, nrpe)
    said = got["plugin_output"]
    assert (int(got["current_state"]), text in said) == (code, True), got
    known = perfdata("|" + got["performance_data"])
    assert set(labels) <= set(known), got
    for label, (value, *limits) in known.items():
        assert re.fullmatch(r"(U|-?[0-9.]+(s|ms|us|%|B|KB|MB|GB|TB|c)?)", value), (label, got)
        assert all(re.fullmatch(r"(@?[-~0-9.:]*)", x) for x in limits), (label, got)
    assert "|" not in said and "Sanitizer" not in said + got["long_plugin_output"]


@pytest.mark.parametrize("nrpe", [False, True], ids=["nagios", "nrpe"])
def test_many_lines_and_figures(front, nrpe):
    """Cut where a line ends or not at all; the figures that Nagios keeps are all whole."""
    got = front.service("exec", nrpe)
    lines = got["long_plugin_output"].split("\\n")
    assert lines[0].startswith("line 0: xxx") and len(lines) > 40
    assert len(got["plugin_output"]) + len(got["long_plugin_output"]) + len(got["performance_data"]) < 8192
    known = perfdata("|" + got["performance_data"])
    assert known["depth"] == ["3", "1", "5", "0", "10"] and known["size of it"][0] == "12.5MB"
    assert all(known[f"n{i}"][0] == f"{i}s" for i in range(40))


def test_an_old_nrpe_takes_a_kibibyte(front):
    """Packets of version 2 hold 1024 bytes: the state, the text and the first figures come through."""
    code, out = front.nrpe("exec", "-2")
    assert code == 1 and out.startswith(b"EXEC WARNING: LONG WARNING - many lines") and len(out) <= 1024
    assert perfdata(out.decode())["depth"] == ["3", "1", "5", "0", "10"]


@pytest.mark.parametrize("nrpe", [False, True], ids=["nagios", "nrpe"])
@pytest.mark.parametrize("name, code, text", [("silent", 2, "no greeting"), ("silent web", 1, "no answer in time"), ("hung", 3, "timed out"),
                                              ("wrong", 3, "nonsense: unknown option")])
def test_who_is_late_says_so_before_it_is_killed(front, nrpe, name, code, text):
    got = front.service(name, nrpe)
    assert int(got["current_state"]) == code and text in got["plugin_output"], got
    assert "after 60" not in got["plugin_output"] and "Socket timeout" not in got["plugin_output"]


def test_our_own_limit_is_below_theirs():
    """Without -t: 50 s; what the two are shipped with gives a plugin more."""
    theirs = [int(re.search(rf"^{key}=([0-9]+)", Path(file).read_text(), re.M)[1]) for key, file in
              (("service_check_timeout", "/etc/nagios4/nagios.cfg"), ("command_timeout", NRPE / "etc/nagios/nrpe.cfg")) if Path(file).exists()]
    source = (front_module.ROOT / "probes/plugin/main.c").read_text()
    assert theirs and int(re.search(r"TIMEOUT_S = ([0-9]+)", source)[1]) + 5 <= min(theirs)
