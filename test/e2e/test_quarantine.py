"""A check that kills its prober: it is named by the dying prober, left alone after the second time, and said; those beside it go on."""
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from house import House, wait_for

FUTEX = {"x86_64": "202", "aarch64": "98"}
TGKILL = {"x86_64": 234, "aarch64": 131}
MACHINE = os.uname().machine
pytestmark = pytest.mark.skipif(sys.platform != "linux" or MACHINE not in TGKILL, reason="needs tgkill's number")


def prober_pid(house):
    return next((p["pid"] for p in house.status()["probers"] if p["up"]), None)


def running_thread(pid):
    """The thread that runs a check: the only one beside the first that waits for something else than a lock."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            if int(task.name) != pid and (task / "syscall").read_text().split()[0] not in (FUTEX[MACHINE], "running"):
                found.append(int(task.name))
        except OSError:
            pass
    return found[0] if len(found) == 1 else None


def crash(house, before):
    """A segmentation fault in the run of the slow check; the pid that died."""
    seen = {}

    def ready():
        """The same thread for longer than the quick check takes: its own may be the only one for a moment."""
        pid = prober_pid(house)
        slow = house.check("slow")
        tid = running_thread(pid) if pid and pid != before and slow["running"] else None
        return (pid, tid) if tid and time.monotonic() - seen.setdefault((pid, tid), time.monotonic()) > 1 else None
    pid, tid = wait_for(ready, 60, "the slow check runs")
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syscall(TGKILL[MACHINE], pid, tid, signal.SIGSEGV) == 0, os.strerror(ctypes.get_errno())
    return pid


@pytest.fixture
def house(tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\n[ -e {tmp_path}/cured ] || exec sleep 100\necho 'SLOW OK: cured'\n")
    plugin.chmod(0o755)
    checks = {"slow": {"probe": "exec", "command": [str(plugin)], "interval": "1s", "max_check_attempts": 3},
              "quick": {"probe": "exec", "command": ["/bin/true"], "interval": "1s"}}
    with House(tmp_path / "house", checks) as h:
        yield h


def test_twice_is_enough(house, tmp_path):
    first = crash(house, None)
    second = crash(house, first)
    slow = house.wait_check("slow", "UNKNOWN")
    assert slow["text"].startswith("quarantined: it killed its prober 2 times (prober died: killed by signal 11"), slow
    assert not slow["measured"] and slow["layer"] == "quarantine" and slow["next_in_ms"] > 3000000, slow
    page = house.phone.wait_message(60)["text"]
    assert "slow" in page and "quarantined" in page, page
    # what ran beside it is not blamed, and goes on in a prober that lives
    since = house.check("quick")["last_run"]["boot_ms"]
    wait_for(lambda: house.check("quick")["last_run"]["boot_ms"] > since, 60, "the quick check goes on")
    assert house.check("quick")["state"] == "OK"
    third = prober_pid(house)
    assert third not in (first, second)
    # who asks for it gets a run, and a good one ends it
    (tmp_path / "cured").touch()
    assert house.ctl("check", "slow").returncode == 0
    assert house.wait_check("slow", "OK")["text"] == "SLOW OK: cured"
    assert house.check("slow")["next_in_ms"] < 3000000 and prober_pid(house) == third


def test_a_reload_is_a_new_chance(house, tmp_path):
    crash(house, crash(house, None))
    assert house.wait_check("slow", "UNKNOWN")["layer"] == "quarantine"
    (tmp_path / "cured").touch()
    house.checks["slow"]["interval"] = "2s"
    house.write_config()
    assert house.ctl("reload").returncode == 0
    assert house.wait_check("slow", "OK")["text"] == "SLOW OK: cured"


def test_a_restart_of_monitord_is_none_and_release_ends_it(house, tmp_path):
    crash(house, crash(house, None))
    assert house.wait_check("slow", "UNKNOWN")["layer"] == "quarantine"
    house.phone.wait_message(60)
    house.monitord.kill()
    house.monitord.start()
    house.wait_up()
    slow = house.wait_check("slow", "UNKNOWN")
    assert slow["quarantined"] and slow["next_in_ms"] > 3000000 and not slow["running"], slow
    wait_for(lambda: house.check("quick")["state"] == "OK" and house.check("quick")["last_run"], 60, "the others run")
    assert not house.check("slow")["running"], "and it does not"
    assert house.ctl("release", "quick").returncode == 1
    (tmp_path / "cured").touch()
    done = house.ctl("release", "slow")
    assert done.returncode == 0 and "released" in done.stdout, done
    assert house.wait_check("slow", "OK")["text"] == "SLOW OK: cured"
    assert "quarantined" not in house.check("slow") and house.check("slow")["next_in_ms"] < 3000000
    # that is remembered, too
    house.monitord.kill()
    house.monitord.start()
    house.wait_up()
    assert "quarantined" not in house.check("slow")


def test_once_is_not(house):
    died = crash(house, None)
    wait_for(lambda: prober_pid(house) not in (None, died), 60, "another prober")
    again = wait_for(lambda: next((c for c in [house.check("slow")] if c["running"]), None), 60, "its next run")
    assert again["layer"] == "prober" and "prober died" in again["text"], again
