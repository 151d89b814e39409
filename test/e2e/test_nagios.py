"""A real Nagios 4 and a real Icinga 2 in front, with the definitions that are shipped: a relay dies, is acknowledged there and
recovers. Their own mail cannot tell of it, for it would go through that relay; our line does.

Both run as user nagios, as installed, and so may only drop files.
"""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from pager import BUILD, ROOT, Pager, wait_for

USER = "nagios"


def closed_port():
    """A port nobody listens on: the relay is dead."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Relay:
    """What is watched: a listener that greets, while it lives."""

    def __init__(self):
        self.port, self.process = closed_port(), None

    def start(self):
        code = ("import socket\ns = socket.create_server(('127.0.0.1', %d))\nwhile True:\n"
                "    c = s.accept()[0]\n    c.sendall(b'220 relay ready\\r\\n')\n    c.close()\n" % self.port)
        self.process = subprocess.Popen(["/usr/bin/python3", "-c", code])

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class Site:
    """Files of the monitor in front, and pagerd behind it with a script as its line."""

    def __init__(self, source):
        self.dir = Path(tempfile.mkdtemp(prefix="front"))
        self.dir.chmod(0o755)
        self.relay, self.process = Relay(), None
        shutil.copy(BUILD / "notify-by-monitord", self.dir / "notify-by-monitord")
        self.script("check", f"import socket, sys\ntry:\n    s = socket.create_connection(('127.0.0.1', {self.relay.port}), 5)\n"
                    "    print('SMTP OK - ' + s.recv(100).decode().strip())\n"
                    f"    open('{self.dir}/var/fine', 'w')\nexcept OSError as e:\n"
                    "    print('SMTP CRITICAL - connection refused')\n    sys.exit(2)\n")
        # their own way out: mail through the relay they watch
        self.mail_log = self.dir / "var" / "mail.log"
        self.script("mail", f"import smtplib\ntry:\n    smtplib.SMTP('127.0.0.1', {self.relay.port}, timeout=5).quit()\n    said = 'sent'\n"
                    f"except (OSError, smtplib.SMTPException) as e:\n    said = type(e).__name__\nopen('{self.mail_log}', 'a').write(said + '\\n')\n")
        self.pages_log = self.dir / "pages"
        self.script("line", f"import os, sys\nopen('{self.pages_log}', 'a').write('|'.join([os.environ['MONITORD_KIND'], "
                    "os.environ['MONITORD_INCIDENT'], sys.stdin.readline()]))\n")
        (self.dir / "var").mkdir()
        shutil.chown(self.dir / "var", USER, USER)
        self.pager = Pager(self.dir, contacts={"oncall": []})
        self.pager.deadman = "{interval: 1s, limit: 1h}"  # no monitord beside it
        for room in ("tmp", "new", "done", "bad"):
            (self.pager.spool / room).mkdir(parents=True)
        for room in ("tmp", "new"):
            (self.pager.spool / room).chmod(0o1777)
        text = self.pager.text()
        self.pager.write_conf(text[:text.index("lines:\n")] + "checks: {relay: {probe: load, warning: 100}}\n"
                              f"lines:\n  script: {{notifier: exec, command: [{self.dir}/line]}}\n"
                              f"contacts:\n  oncall: {{routes: [{{line: script, to: x}}]}}\nsources:\n  {source}: {{user: {USER}}}\n")

    def script(self, name, body):
        (self.dir / name).write_text("#!/usr/bin/python3\n" + body)
        (self.dir / name).chmod(0o755)

    def shipped(self, name):
        """The definitions as installed, but for where the program is and how it is told of this spool."""
        text = (ROOT / "dist" / name).read_text().replace("@BINDIR@", str(self.dir))
        assert str(self.dir) in text
        return text

    def pages(self):
        return [x.split("|", 2) for x in self.pages_log.read_text().splitlines()] if self.pages_log.exists() else []

    def wait_page(self, n, timeout=60):
        wait_for(lambda: len(self.pages()) >= n, timeout, f"page {n}: {self.pages()}")
        return self.pages()[n - 1]

    def mails(self):
        return self.mail_log.read_text().split() if self.mail_log.exists() else []

    def command(self, pipe, text):
        with open(pipe, "w") as f:
            f.write(f"[{int(time.time())}] {text}\n")

    def stop(self):
        self.relay.stop()
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.pager.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def needs(program):
    if os.getuid() != 0:
        pytest.skip("needs root to run it as user nagios")
    if not shutil.which(program) or USER not in [u.pw_name for u in pwd.getpwall()]:
        pytest.skip(f"{program} is not here")


NAGIOS = """log_file={d}/var/nagios.log
cfg_dir={d}/objects
object_cache_file={d}/var/objects.cache
precached_object_file={d}/var/objects.precache
resource_file={d}/resource.cfg
status_file={d}/var/status.dat
nagios_user=nagios
nagios_group=nagios
check_external_commands=1
command_file={d}/var/nagios.cmd
lock_file={d}/var/nagios.lock
temp_file={d}/var/nagios.tmp
temp_path={d}/var
log_archive_path={d}/var
use_syslog=0
state_retention_file={d}/var/retention.dat
check_result_path={d}/var
check_result_reaper_frequency=1
query_socket={d}/var/nagios.qh
interval_length=1
check_for_updates=0
bare_update_check=1
retain_state_information=0
date_format=iso8601
illegal_macro_output_chars=`~$&|'<>
"""

NAGIOS_OBJECTS = """define command {{
  command_name check-relay
  command_line {d}/check
}}
define command {{
  command_name by-mail
  command_line {d}/mail
}}
define contact {{
  contact_name by-mail
  service_notification_period monitord-always
  host_notification_period monitord-always
  service_notification_options w,u,c,r
  host_notification_options n
  service_notification_commands by-mail
  host_notification_commands by-mail
}}
define host {{
  host_name mx
  address 127.0.0.1
  max_check_attempts 1
  check_period monitord-always
  notification_period monitord-always
  contacts monitord
}}
define service {{
  host_name mx
  service_description smtp
  check_command check-relay
  max_check_attempts 1
  check_interval 1
  retry_interval 1
  check_period monitord-always
  notification_interval 0
  notification_period monitord-always
  contacts monitord,by-mail
}}
"""


@pytest.fixture(scope="module")
def nagios():
    needs("nagios4")
    site = Site("nagios")
    (site.dir / "objects").mkdir()
    (site.dir / "resource.cfg").write_text("")
    (site.dir / "nagios.cfg").write_text(NAGIOS.format(d=site.dir))
    (site.dir / "objects" / "site.cfg").write_text(NAGIOS_OBJECTS.format(d=site.dir))
    (site.dir / "objects" / "monitord.cfg").write_text(site.shipped("nagios/monitord.cfg.in").replace(
        "notify-by-monitord -q", f"notify-by-monitord -c {site.dir}/monitord.yaml -q"))
    site.relay.start()
    site.pager.start()
    with open(site.dir / "out", "w") as out:
        site.process = subprocess.Popen(["nagios4", str(site.dir / "nagios.cfg")], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                        start_new_session=True)
    site.pipe = site.dir / "var" / "nagios.cmd"
    wait_for(site.pipe.exists, 60, "nagios up")
    yield site
    site.stop()


ICINGA = """const NodeName = "site"
const ZoneName = "site"
include <itl>
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object ExternalCommandListener "command" {{ command_path = "{d}/var/icinga2.cmd" }}
object CheckCommand "relay" {{ command = [ "{d}/check" ] }}
object Host "mx" {{ check_command = "passive"; enable_active_checks = false }}
object Service "smtp" {{
  host_name = "mx"
  check_command = "relay"
  check_interval = 1
  retry_interval = 1
  max_check_attempts = 1
  vars.monitord = true
}}
object User "mail" {{ }}
object NotificationCommand "by-mail" {{ command = [ "{d}/mail" ] }}
apply Notification "mail" to Service {{
  command = "by-mail"
  users = [ "mail" ]
  types = [ Problem, Recovery ]
  interval = 0
  assign where true
}}
"""


@pytest.fixture(scope="module")
def icinga():
    needs("icinga2")
    site = Site("icinga2")
    var = site.dir / "var"
    (site.dir / "icinga2.conf").write_text(ICINGA.format(d=site.dir) + site.shipped("icinga2/monitord.conf.in").replace(
        '"-q", ', f'"-c", "{site.dir}/monitord.yaml", "-q", '))
    defines = {"DataDir": var, "LogDir": var, "CacheDir": var, "SpoolDir": var, "InitRunDir": var, "PidPath": var / "pid",
               "ZonesDir": var / "zones.d", "RunAsUser": USER, "RunAsGroup": USER, "ObjectsPath": var / "objects",
               "VarsPath": var / "vars", "ModAttrPath": var / "modified", "StatePath": var / "state"}
    (var / "zones.d").mkdir()
    args = [x for k, v in defines.items() for x in ("-D", f"Configuration.{k}={v}")]
    site.relay.start()
    site.pager.start()
    with open(site.dir / "out", "w") as out:
        site.process = subprocess.Popen(["icinga2", "daemon", "-c", str(site.dir / "icinga2.conf"), *args], stdout=out, stderr=out,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
    site.pipe = var / "icinga2.cmd"
    try:
        wait_for(site.pipe.exists, 60, "icinga2 up")
    except AssertionError:
        print((site.dir / "out").read_text())
        site.stop()
        raise
    yield site
    site.stop()


def a_problem_its_acknowledgement_and_its_end(site):
    """From the first check to the recovery; what the person with the phone sees."""
    wait_for((site.dir / "var" / "fine").exists, 60, "a first check")
    site.relay.stop()
    kind, incident, text = site.wait_page(1)
    assert kind == "new" and text.startswith("CRITICAL mx/smtp: connection refused, since "), text
    # who relies on mail alone was told nothing
    wait_for(site.mails, 60, "their own notification")
    assert set(site.mails()) == {"ConnectionRefusedError"}
    site.command(site.pipe, "ACKNOWLEDGE_SVC_PROBLEM;mx;smtp;1;1;0;kei;on it")
    i = wait_for(lambda: (x := site.pager.incident("mx/smtp")) and x["phase"] == "acknowledged" and x, 60, "acknowledged here")
    assert i["by"] == "kei" and i["comment"] == "on it" and i["id"] == incident
    site.relay.start()
    kind, same, text = site.wait_page(2)
    assert kind == "recovered" and same == incident and text.startswith("OK mx/smtp after "), text
    assert "was CRITICAL: connection refused; now: 220 relay ready" in text
    # and once more: another problem, not the old one
    site.relay.stop()
    kind, other, text = site.wait_page(3)
    assert kind == "new" and other != incident, site.pages()
    site.relay.start()
    kind, same, text = site.wait_page(4)
    assert kind == "recovered" and same == other, site.pages()
    assert site.pager.spool_names("bad") == []
    return [json.loads((site.pager.spool / "done" / name).read_text()) for name in site.pager.spool_names("done")]


def numbers(events, kind):
    """By which a problem is told from another."""
    return sorted({e["opened"] for e in events if e["kind"] == kind})


def test_nagios_in_front(nagios):
    events = a_problem_its_acknowledgement_and_its_end(nagios)
    assert numbers(events, "problem") == [1, 2] and numbers(events, "ack") == [1]


def test_icinga2_in_front(icinga):
    events = a_problem_its_acknowledgement_and_its_end(icinga)
    first, second = numbers(events, "problem")
    assert 0 < second - first < 600 and abs(time.time() - second) < 600  # when it was last fine
    assert numbers(events, "ack") == [first]
