"""Flapping: monitord's percentage against a real Nagios 4's, and what is said of a check that flaps.

Nagios gets every beginning of a sequence as a service of its own, all at once, through its command file; its status file then
has what it thought after each result.
"""
import getpass
import grp
import os
import re
import subprocess
import time

import pytest

from house import House
from supervisor import Supervisor, wait_for

MAIN = """log_file={d}/nagios.log
cfg_file={d}/objects.cfg
object_cache_file={d}/objects.cache
precached_object_file={d}/objects.precache
status_file={d}/status.dat
status_update_interval=1
nagios_user={user}
nagios_group={group}
check_external_commands=1
command_file={d}/nagios.cmd
lock_file={d}/nagios.lock
temp_file={d}/nagios.tmp
temp_path={d}
log_archive_path={d}
use_syslog=0
state_retention_file={d}/retention.dat
check_result_path={d}/results
query_socket={d}/nagios.qh
interval_length=1
execute_service_checks=0
execute_host_checks=0
accept_passive_service_checks=1
enable_notifications=0
enable_flap_detection=1
low_service_flap_threshold=20.0
high_service_flap_threshold=30.0
check_for_updates=0
retain_state_information=0
"""
HEAD = """define timeperiod {
  timeperiod_name always
  alias always
  sunday 00:00-24:00
}
define command {
  command_name none
  command_line /bin/true
}
define contact {
  contact_name nobody
  service_notification_period always
  host_notification_period always
  service_notification_options n
  host_notification_options n
  service_notification_commands none
  host_notification_commands none
}
define host {
  host_name mx
  address 127.0.0.1
  max_check_attempts 1
  check_period always
  notification_period always
  contacts nobody
}
"""
SERVICE = """define service {{
  host_name mx
  service_description {name}
  check_command none
  max_check_attempts {attempts}
  check_interval 1
  retry_interval 1
  check_period always
  notification_period always
  contacts nobody
  active_checks_enabled 0
  passive_checks_enabled 1
  flap_detection_enabled 1
}}
"""
# name: max_check_attempts, states
SEQUENCES = {
    "every-time": (1, "020202020222"),
    "up-and-calm": (1, "02" * 6 + "0" * 23),
    "stays-down": (1, "0202020202" + "2" * 20),
    "all-states": (1, "012301032102310"),
    "soft-only": (3, "0202202020220"),
    "soft-and-hard": (3, "02220222000220222001110333022211"),
}


def nagios_says(directory):
    """{(name, results so far): (percent, flapping)} of a real Nagios."""
    directory.mkdir()
    (directory / "results").mkdir()
    group = grp.getgrgid(os.getgid()).gr_name
    (directory / "nagios.cfg").write_text(MAIN.format(d=directory, user=getpass.getuser(), group=group))
    services = [(name, n) for name, (_, states) in SEQUENCES.items() for n in range(1, len(states) + 1)]
    (directory / "objects.cfg").write_text(HEAD + "".join(
        SERVICE.format(name=f"{name}.{n}", attempts=SEQUENCES[name][0]) for name, n in services))
    command_file, status = directory / "nagios.cmd", directory / "status.dat"
    with open(directory / "out", "w") as out:
        nagios = subprocess.Popen(["nagios4", str(directory / "nagios.cfg")], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: command_file.exists() or nagios.poll() is not None, 60, "Nagios takes commands")
        assert nagios.poll() is None, (directory / "out").read_text()[-2000:]
        with open(command_file, "w") as f:
            for name, n in services:
                for k, state in enumerate(SEQUENCES[name][1][:n], 1):
                    f.write(f"[{int(time.time())}] PROCESS_SERVICE_CHECK_RESULT;mx;{name}.{n};{state};result {k}\n")

        def told():
            found = {}
            for block in re.findall(r"servicestatus \{(.*?)\n\t\}", status.read_text() if status.exists() else "", re.S):
                v = dict(line.strip().split("=", 1) for line in block.strip().splitlines() if "=" in line)
                name, n = v["service_description"].rsplit(".", 1)
                if v["plugin_output"] == f"result {n}":
                    found[name, int(n)] = (float(v["percent_state_change"]), v["is_flapping"] == "1")
            return found if len(found) == len(services) else None
        return wait_for(told, 120, "Nagios has judged all results")
    finally:
        nagios.terminate()
        nagios.wait(60)


def test_as_a_real_nagios_counts(tmp_path):
    theirs = nagios_says(tmp_path / "nagios")
    checks = {name: {"interval": "7d", "retry_interval": "7d", "max_check_attempts": attempts, "flap_detection": "yes"}
              for name, (attempts, _) in SEQUENCES.items()}
    with Supervisor(tmp_path / "sup", checks=checks) as sup:
        for name, (_, states) in SEQUENCES.items():
            for n, state in enumerate(states, 1):
                sup.plugin(name).says(state, f"result {n}")
                c = sup.check_now(name)
                assert c["text"].endswith(f"result {n}")
                assert (pytest.approx(c["flap_percent"], abs=0.011), c["flapping"]) == theirs[name, n], (name, n)
    # the comparison is of something: both sides of both thresholds were seen
    assert {f for _, f in theirs.values()} == {True, False} and max(p for p, _ in theirs.values()) > 50


def flap(sup, name, states):
    for state in states:
        sup.plugin(name).says(state, f"says {state}")
        sup.check_now(name)


def kinds(sup, name):
    """As wait_said's words, with how the event is stamped."""
    return [(w, e.get("flapping", "")) for w, e in zip(sup.said(name), sup.events(name))]


CALM = "0" * 21
BEGUN = [("problem CRITICAL", ""), ("recovery OK", "")] * 2 + [("problem CRITICAL", ""), ("notice CRITICAL", "started")]


def flapping_supervisor(tmp_path):
    return Supervisor(tmp_path, checks={"mx1": {"interval": "7d", "flap_detection": "yes"}})


def test_one_page_says_it_and_the_last_state_is_told(tmp_path):
    with flapping_supervisor(tmp_path) as sup:
        flap(sup, "mx1", "0202020")
        wait_for(lambda: kinds(sup, "mx1") == BEGUN, 40, "that it flaps is said")
        begun = sup.events("mx1")[-1]
        assert "flaps (36 %" in begun["text"] and "last: OK says 0" in begun["text"]
        assert begun["opened"] == sup.events("mx1")[-2]["opened"]  # within the problem that is open
        # its changes are recorded and page nobody, also over a crash
        recorded = [("(notice CRITICAL)", "on"), ("(notice OK)", "on"), ("(notice CRITICAL)", "on")]
        flap(sup, "mx1", "20")
        wait_for(lambda: kinds(sup, "mx1") == BEGUN + recorded[:2], 40, "changes are recorded")
        sup.kill()
        sup.start()
        flap(sup, "mx1", "2")
        wait_for(lambda: kinds(sup, "mx1") == BEGUN + recorded, 40, "changes are recorded")
        assert sup.events("mx1")[-1]["why_suppressed"] == "flapping: changes are not paged"
        assert sup.check("mx1")["flapping"]
        # it stays down: the flapping problem ends, and what is now is told as a new one
        flap(sup, "mx1", "2" * 21)
        ended = [("(recovery OK)", "stopped"), ("problem CRITICAL", "")]
        wait_for(lambda: kinds(sup, "mx1") == BEGUN + recorded + ended, 40, "the last state is told")
        last = sup.events("mx1")[-1]
        assert last["opened"] == last["change"] and not sup.check("mx1")["flapping"]
        flap(sup, "mx1", "0")
        sup.wait_said("mx1", *[w for w, _ in BEGUN + recorded + ended], "recovery OK")


def test_the_recovery_is_said_when_it_is_calm(tmp_path):
    with flapping_supervisor(tmp_path) as sup:
        flap(sup, "mx1", "0202020" + CALM)
        wait_for(lambda: kinds(sup, "mx1") == BEGUN + [("recovery OK", "stopped")], 40, "it ends well")
        assert sup.events("mx1")[-1]["text"] == "no longer flaps: OK says 0"


def test_what_people_get(tmp_path):
    """Through pagerd: as many pages as there were unsuppressed events, the last of them true."""
    out = tmp_path / "pages"
    script = tmp_path / "note"
    script.write_text(f'#!/bin/sh\necho "$MONITORD_KIND $MONITORD_STATE" >> {out}\n')
    script.chmod(0o755)
    says = tmp_path / "says"
    says.write_text("0\n")
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\nread code < {says}\necho says $code\nexit $code\n")
    plugin.chmod(0o755)
    checks = {"mx1": {"probe": "exec", "command": [str(plugin)], "interval": "7d", "flap_detection": "yes"}}
    contacts = {"oncall": {"routes": [{"line": "note", "to": "me"}], "repeat": "0ms"}}

    def pages():
        return out.read_text().split("\n")[:-1] if out.exists() else []
    with House(tmp_path / "house", checks, lines={"note": {"notifier": "exec", "command": [str(script)]}}, contacts=contacts) as house:
        told = []
        for k, state in enumerate("0202020" + "202" + "2" * 20):
            says.write_text(f"{state}\n")
            house.ask("monitord", do="check", name="mx1")
            if k and k < 7:  # each page is let out, or the next one would take its place
                told.append("notice CRITICAL" if k == 6 else "new CRITICAL" if state == "2" else "recovered OK")
                wait_for(lambda: len(pages()) == len(told), 60, f"page {len(told)}")
        wait_for(lambda: len(pages()) > len(told), 60, "the last state is paged")
        assert pages() == told + ["new CRITICAL"]
        assert [i["state"] for i in house.incidents() if i["phase"] == "new"] == ["CRITICAL"]
