"""Passive checks: results that come from outside, by monitorctl result, by lines as Nagios and NSCA write them; and their age."""
import contextlib
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from house import BUILD, House, wait_for

NSCA = Path(__file__).resolve().parents[2] / "build" / "nsca"

HOUR = "1h"


@pytest.fixture
def house(tmp_path):
    checks = {"backup": {"probe": "passive", "freshness_threshold": HOUR, "host": "mx1"},
              "mx1 raid": {"probe": "passive", "freshness_threshold": HOUR},
              "mx1": {"probe": "passive", "freshness_threshold": HOUR},
              "load": {"probe": "load", "warning": "1000"}}
    with House(tmp_path / "house", checks) as h:
        yield h


def feed(house, text):
    return subprocess.run([str(BUILD / "monitorctl"), "-c", str(house.config_file), "feed"], input=text, capture_output=True,
                          timeout=60)


def test_a_result_pages_and_a_better_one_recovers(house):
    assert house.check("backup")["text"] == "not checked yet"
    done = house.ctl("result", "backup", "--state", "CRITICAL", "--text", "tape 3 is full | age=90000s;86400")
    assert (done.returncode, done.stdout) == (0, "backup is CRITICAL\n"), done
    page = house.phone.wait_message(60)["text"]
    assert page.startswith("CRITICAL backup (mx1): tape 3 is full"), page
    check = house.wait_check("backup", "CRITICAL")
    assert check["perf"] == [{"label": "age", "value": 90000, "uom": "s", "warn": "86400"}], check
    assert house.ctl("result", "backup", "--state", "OK", "--text", "written").returncode == 0
    assert house.phone.wait_messages(2, 60)[1]["text"].startswith("OK backup")


def test_lines_as_nagios_and_nsca_write_them(house):
    done = feed(house, b"[1700000000] PROCESS_SERVICE_CHECK_RESULT;mx1;raid;2;disk 2 is gone\\nrebuilding|bad=1\n"
                       b"mx1\tbackup\t1\tlate \xff\x00by 2 h\n"
                       b"\n# a remark\n"
                       b"mx1\t1\tno answer")
    assert (done.returncode, done.stderr) == (0, b""), done
    raid = house.wait_check("mx1 raid", "CRITICAL")
    assert (raid["text"], raid["more"]) == ("disk 2 is gone", "rebuilding\n"), raid
    assert house.wait_check("backup", "WARNING")["text"] == "late ??by 2 h"
    assert house.wait_check("mx1", "CRITICAL")["text"] == "no answer"


def test_facts_come_along_and_name_the_incident(tmp_path):
    """A queue that somebody else measures is diagnosed as one measured here; the facts are nothing for people, and bounded."""
    checks = {"far queue": {"probe": "passive", "freshness_threshold": HOUR, "host": "relay9", "facts_of": "queue"},
              "own": {"probe": "passive", "freshness_threshold": HOUR}}
    own = {"tapes are out": {"when": ["passive.tapes <= 1"], "text": "tapes are out: {passive.tapes} left", "rank": 90}}
    with House(tmp_path / "house", checks, incidents=own) as h:
        facts = '{"total": 5000, "frozen": 4000, "junk": [1], "Bad Name": 1}'
        done = h.ctl("result", "far queue", "--state", "CRITICAL", "--text", f"5000 in the queue\nsee the relay\nfacts: {facts}\nbye | n=1")
        assert done.returncode == 0, done
        c = h.wait_check("far queue", "CRITICAL")
        assert (c["text"], c["more"]) == ("5000 in the queue", "see the relay\nbye\n") and c["perf"][0]["label"] == "n", c
        done = feed(h, b'relay9\tfar queue\t2\tworse\\nfacts: {"total": 9000}\nown\t2\tno tape\\nfacts: {"tapes": 1}\n')
        assert done.returncode == 0, done
        told = wait_for(lambda: [d["text"] for d in h.status().get("diagnosis", []) if "tapes" in d["name"]], 60, "named")
        assert told == ["tapes are out: 1 left"], told
        # what is no object of facts is a line like any other
        h.ctl("result", "own", "--state", "WARNING", "--text", "text\nfacts: {broken")
        assert h.wait_check("own", "WARNING")["more"] == "facts: {broken\n"
        wait_for(lambda: not h.status().get("diagnosis"), 60, "a result without facts has none")
    done = subprocess.run([BUILD / "monitord", "-t", "-c", str(h.config_file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    h.checks["own"]["facts_of"] = "quue"
    h.write_config()
    done = subprocess.run([BUILD / "monitord", "-t", "-c", str(h.config_file)], capture_output=True, text=True, timeout=60)
    assert 'checks.own.facts_of "quue": there is no such probe' in done.stdout + done.stderr, done


def test_what_is_refused_is_said_and_the_rest_is_taken(house):
    done = feed(house, b"mx1\tload\t2\tx\nwhat is this\nmx2\tbackup\t2\tof another host\nmx1\tbackup\t9\tx\nmx1\tbackup\t2\t"
                + b"y" * 40000 + b"\nmx1\traid\t0\tgood\n")
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()
    for line, words in ((1, "there is no check \"mx1 load\""), (2, "neither a Nagios command"), (3, "mx2 backup"), (4, "0 to 3"), (5, "it is cut")):
        assert any(s.startswith(f"monitorctl: line {line}: ") and words in s for s in said), (line, said)
    assert len(said) == 5, said
    assert house.wait_check("mx1 raid", "OK")["text"] == "good"
    assert house.wait_check("backup", "CRITICAL")["text"].startswith("yyy")


@pytest.mark.parametrize("args, words", [
    (("result", "backup", "--state", "BAD"), "OK, WARNING, CRITICAL or UNKNOWN is needed"),
    (("result", "backups", "--state", "OK"), "there is no check \"backups\""),
    (("result", "load", "--state", "OK"), "load is not passive (probe load)"),
    (("check", "backup"), "backup is passive"),
])
def test_wrong_requests(house, args, words):
    done = house.ctl(*args)
    assert done.returncode != 0 and words in done.stderr, done


def test_no_result_in_time_pages_once(tmp_path):
    checks = {"backup": {"probe": "passive", "freshness_threshold": "4s", "host": "mx1"}}
    with House(tmp_path / "house", checks) as house:
        house.ctl("result", "backup", "--state", "OK", "--text", "written")
        assert house.wait_check("backup", "OK")["stale"] is False
        stale = house.wait_check("backup", "UNKNOWN")
        assert stale["stale"] and not stale["measured"] and "no result for" in stale["text"], stale
        page = house.phone.wait_message(60)["text"]
        assert "backup" in page and "no result for" in page, page
        house.ctl("result", "backup", "--state", "OK", "--text", "written")
        assert house.phone.wait_messages(2, 60)[1]["text"].startswith("OK backup")


def test_a_restart_makes_no_result_younger(tmp_path):
    checks = {"backup": {"probe": "passive", "freshness_threshold": "8s"}}
    with House(tmp_path / "house", checks) as house:
        house.ctl("result", "backup", "--state", "OK", "--text", "written")
        last = house.wait_check("backup", "OK")["last_run"]["boot_ms"]
        house.monitord.stop()
        house.monitord.start()
        house.wait_up()
        assert house.check("backup")["last_run"]["boot_ms"] == last
        stale = wait_for(lambda: next((c for c in [house.check("backup")] if c["stale"]), None), 60, "its staleness")
        assert stale["since"]["boot_ms"] - last < 8000 + 5000, (stale, last)


def test_it_must_say_how_long_a_result_counts(tmp_path):
    config = tmp_path / "m.yaml"
    config.write_text("checks:\n  backup:\n    probe: passive\n")
    done = subprocess.run([str(BUILD / "monitord"), "-t", "-c", str(config)], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "checks.backup.freshness_threshold" in done.stdout + done.stderr, done


# --- NSCA-ng ---

def nsca_env():
    return {**os.environ, "LD_LIBRARY_PATH": str(next(NSCA.glob("usr/lib/*-linux-gnu")))}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def nsca_server(directory, fifo):
    """A real nsca-ng with a port that was free a moment ago; its port."""
    port, config, log = free_port(), directory / "nsca.cfg", directory / "nsca.log"
    config.write_text(f'command_file = "{fifo}"\nlisten = "127.0.0.1:{port}"\ntemp_directory = "{directory}"\n'
                      'authorize "*" {\n password = "secret"\n hosts = ".*"\n services = ".*"\n}\n')
    with open(log, "wb") as out:
        server = subprocess.Popen([str(NSCA / "usr/sbin/nsca-ng"), "-c", str(config), "-F", "-S", "-l", "4"], env=nsca_env(),
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(lambda: re.search("starting up", log.read_text()) or server.poll() is not None, 60, "nsca-ng")
        assert server.poll() is None, log.read_text()
        yield port
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.skipif(not (NSCA / "usr").exists(), reason="nsca-ng is not unpacked (dist/deps nsca)")
def test_behind_a_real_nsca_ng(house, tmp_path):
    fifo = tmp_path / "commands"
    os.mkfifo(fifo)
    (tmp_path / "send.cfg").write_text('password = "secret"\n')
    with open(os.open(fifo, os.O_RDWR), "rb") as end, nsca_server(tmp_path, fifo) as port:
        reader = subprocess.Popen([str(BUILD / "monitorctl"), "-c", str(house.config_file), "feed"], stdin=end)
        try:
            sent = subprocess.run([str(NSCA / "usr/sbin/send_nsca"), "-c", str(tmp_path / "send.cfg"), "-H", "127.0.0.1", "-p", str(port)],
                                  input="mx1\traid\t2\tdisk 2 is gone\x17mx1\tbackup\t0\twritten; all of it\x17mx1\t1\tno answer\n", text=True, env=nsca_env(),
                                  capture_output=True, timeout=60)
            assert sent.returncode == 0, sent
            assert house.wait_check("mx1 raid", "CRITICAL")["text"] == "disk 2 is gone"
            assert house.wait_check("backup", "OK")["text"] == "written; all of it"
            assert house.wait_check("mx1", "CRITICAL")["text"] == "no answer"
        finally:
            reader.terminate()
            reader.wait(30)
