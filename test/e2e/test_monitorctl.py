"""monitorctl as an administrator uses it, against the real daemons: output, errors, exit codes, JSON, a terminal of 80 columns."""
import fcntl
import json
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import termios
import threading

import pytest

from house import BUILD, NUMBER, ROOT, House, wait_for

NOTE = "no file to look at, and this sentence goes on for longer than a line of a terminal has room for"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """One check that fails while a file is there, one that is always fine; one problem below the first."""
    d = tmp_path_factory.mktemp("ctl")
    script = d / "judge"
    script.write_text(f"#!/bin/sh\nif [ -e '{d}/broken' ]; then echo 'FILE CRITICAL - {NOTE}'; exit 2; fi\necho 'OK - as it should be'\n")
    script.chmod(0o755)
    checks = {"trunk relay": {"probe": "exec", "command": [str(script)], "groups": ["edge", "trunks"]},
              "child": {"probe": "exec", "command": [str(script)], "groups": ["edge"], "parents": ["group:trunks"]},
              "disk": {"probe": "disk", "path": ["/"], "warning": "0", "critical": "0"}}
    with House(d / "house", checks) as h:
        h.broken = d / "broken"
        for name in [c["name"] for c in h.status()["checks"]]:
            h.wait_check(name, "OK")
        yield h


@pytest.fixture
def broken(house):
    """The problem, paged; and back to fine afterwards."""
    house.broken.touch()
    house.wait_check("trunk relay", "CRITICAL")
    house.wait_check("child", "CRITICAL")
    incident = wait_for(lambda: next((i for i in house.incidents() if i["check"] == "trunk relay" and i["phase"] == "new"
                                      and i["pages"] and i["pages"][0]["phase"] == "sent"), None), 30, "a page")
    yield incident
    house.broken.unlink(missing_ok=True)
    house.wait_check("trunk relay", "OK")
    house.wait_check("child", "OK")
    wait_for(lambda: all(i["phase"] == "recovered" and all(p["phase"] != "waiting" for p in i["pages"])
                         for i in house.incidents() if i["check"] == "trunk relay"), 30, "recovery")


def good(done):
    assert done.returncode == 0, done
    assert done.stderr == ""
    return done.stdout


def on_terminal(house, *args, columns=80):
    """What it writes on a terminal, as text; and its exit code."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen([str(BUILD / "monitorctl"), "-c", str(house.config_file), *args], stdin=subprocess.DEVNULL,
                               stdout=slave, stderr=subprocess.STDOUT, env={k: v for k, v in os.environ.items() if k != "NO_COLOR"})
    os.close(slave)
    data = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        data += piece
    os.close(master)
    return data.decode().replace("\r\n", "\n"), process.wait(30)


def test_status_when_all_is_well(house):
    out = good(house.ctl("status"))
    lines = out.splitlines()
    assert re.fullmatch(r"monitord  up .*, 3 checks: 3 OK", lines[0])
    assert re.fullmatch(r"pagerd    up .*, no open incident", lines[1])
    assert re.fullmatch(r"line      modem \(sms\) ok: registered, signal 17/31", lines[2])
    assert re.search(r"^OK       trunk relay +\d.*  as it should be$", out, re.M)
    assert "OK       self: 5 internal checks" in lines and "self.spool" not in out
    assert "self.spool" in good(house.ctl("status", "--all"))


def test_status_of_a_problem_says_who_was_paged(house, broken):
    done = house.ctl("status")
    assert done.returncode == 1
    block = done.stdout[done.stdout.index("CRITICAL trunk relay"):].splitlines()
    assert re.fullmatch(rf"CRITICAL trunk relay  .*  #{broken['id']}", block[0])
    assert block[1].strip() == NOTE
    assert re.fullmatch(rf" +oncall paged .* ago by modem \({re.escape(NUMBER)}\)", block[2])
    # what was kept quiet is one line, below what somebody must act on
    assert re.search(r"^CRITICAL child .*no page: below trunk relay, which is down", done.stdout, re.M)
    assert "1 incident is open, 1 kept quiet" in done.stdout


def test_nothing_passes_the_80th_column_of_a_terminal(house, broken):
    for args in (["status"], ["status", "trunk relay"], ["history"], ["incidents"], ["check", "trunk relay"]):
        out, _ = on_terminal(house, *args)
        plain = re.sub(r"\x1b\[\d*m", "", out)
        assert "trunk relay" in plain, (args, plain)
        assert max(len(line) for line in plain.splitlines()) <= 80, (args, plain)
    assert "\x1b[31mCRITICAL\x1b[0m" in on_terminal(house, "status")[0]


def test_without_colour_when_told_or_piped(house):
    assert "\x1b" not in house.ctl("status").stdout
    done = subprocess.run(["script", "-qec", f"env NO_COLOR=1 {BUILD}/monitorctl -c {house.config_file} status", "/dev/null"],
                          capture_output=True, text=True, timeout=60) if shutil.which("script") else None
    assert done is None or "\x1b" not in done.stdout


def test_acknowledged_by_the_id_as_it_stands_in_the_page(house, broken):
    assert good(house.ctl("ack", "#" + broken["id"], "-m", "on it", "--by", "kei")) == \
        f"#{broken['id']} (trunk relay) is acknowledged by kei: no more repeats\n"
    status = house.ctl("status").stdout
    assert f"#{broken['id']}, acknowledged by kei: on it" in status
    assert "1 acknowledged" in status and "no open incident" in status
    shown = good(house.ctl("incidents", broken["id"]))
    assert "acknowledged by kei: on it" in shown and "oncall paged by modem" in shown


def test_history_and_incidents_of_what_was(house, broken):
    house.broken.unlink()
    wait_for(lambda: "after" in house.ctl("history", "trunk relay", "-n", "1").stdout, 30, "the recovery")
    line = good(house.ctl("history", "trunk relay", "-n", "1"))
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d OK       #{broken['id']} trunk relay  after .*: as it should be\n", line)
    shown = wait_for(lambda: "told of the recovery" in house.ctl("incidents", "trunk relay").stdout
                     and house.ctl("incidents", "trunk relay").stdout, 30, "the page")
    assert re.search(r"recovered after", shown)
    # newest last
    times = re.findall(r"opened (\S+ \S+)[,\n]", shown)
    assert times == sorted(times)


def test_check_runs_now_and_exits_with_the_state(house, broken):
    before = house.check("trunk relay")["last_run"]["wall_ms"]
    done = house.ctl("check", "trunk relay")
    assert done.returncode == 2
    assert done.stdout.startswith(f"CRITICAL trunk relay: {NOTE}\n")
    assert f"incident #{broken['id']}" in done.stdout and "oncall paged" in done.stdout
    assert house.check("trunk relay")["last_run"]["wall_ms"] > before
    assert house.ctl("check", "disk").returncode == 0
    assert "probe disk" in house.ctl("status", "disk").stdout


def test_a_group_wherever_a_name_may_stand(house, broken):
    """check, history, incidents, downtime and ack of all that is in it, and of nothing else."""
    done = house.ctl("check", "--group", "e?ge")
    assert done.returncode == 2 and done.stdout.count("CRITICAL") >= 2 and "disk" not in done.stdout, done
    assert house.ctl("check", "--group", "e?ge", "--json").stdout.count('"check":') == 2
    assert "trunk relay" in good(house.ctl("history", "--group", "edge", "-n", "4"))
    listed = json.loads(good(house.ctl("incidents", "--group", "trunks", "--json")))["incidents"]
    assert {i["check"] for i in listed} == {"trunk relay"}
    assert house.check("child")["why"] == "below trunk relay, which is down"  # its parents are a group
    assert good(house.ctl("downtime", "--group", "edge", "--for", "1h")).count("is in downtime") == 2
    assert good(house.ctl("downtime", "--group", "edge", "--cancel")).count("is cancelled") == 2
    assert f"#{broken['id']} (trunk relay) is acknowledged by ann" in good(house.ctl("ack", "--group", "trunks", "--by", "ann"))
    assert next(i for i in house.incidents() if i["id"] == broken["id"])["phase"] == "acknowledged"


def test_downtime_set_seen_and_cancelled(house):
    assert re.fullmatch(r"disk is in downtime until \d{4}-\d\d-\d\d \d\d:\d\d\n", good(house.ctl("downtime", "disk", "--for", "2h")))
    assert "in downtime until" in good(house.ctl("status"))
    assert good(house.ctl("downtime", "disk", "--cancel")) == "downtime of disk is cancelled\n"
    assert "downtime" not in good(house.ctl("status"))
    out = good(house.ctl("downtime", "disk", "--from", "23:00", "--until", "02:00", "-m", "new disk"))
    times = re.fullmatch(r"disk is in downtime from (\S+) 23:00 until (\S+) 02:00\n", out)
    assert times and times[1] < times[2], out
    assert "downtime from" in good(house.ctl("status", "disk")) and "new disk" in good(house.ctl("status", "disk"))
    good(house.ctl("downtime", "disk", "--cancel"))


def test_reload_names_what_is_in_force_and_what_is_wrong(house):
    assert re.fullmatch(r"configuration [0-9a-f]{16} is in force\n", good(house.ctl("reload")))
    kept = house.config_file.read_text()
    house.config_file.write_text(kept.replace('"probe": "disk"', '"probe": "diskk"'))
    try:
        done = house.ctl("reload")
        assert done.returncode == 1
        assert re.search(r"monitord\.yaml:\d+:\d+: .*\"diskk\".*did you mean \"disk\"", done.stderr)
        assert "the old one stays in force" in done.stderr
        assert done.stderr.count("diskk") == 1  # once is enough
        assert "CONFIGURATION NOT TAKEN, the old one is in force" in house.ctl("status").stdout
    finally:
        house.config_file.write_text(kept)
    good(house.ctl("reload"))
    house.wait_check("self.config", "OK")
    wait_for(lambda: house.ctl("status").returncode == 0, 30, "all well again")


def test_a_test_page_reaches_the_phone(house):
    n = len(house.phone.messages())
    out = good(house.ctl("test-page", "oncall"))
    assert re.match(rf"test page to oncall: sent by modem \({re.escape(NUMBER)}\)", out)
    texts = [m["text"] for m in house.phone.messages()[n:]]
    assert any(t.startswith("TEST: this is a test page") for t in texts), texts
    house.phone.control("fault cms=500*1")
    done = house.ctl("test-page", "--line", "modem", "--to", NUMBER)
    assert done.returncode == 1 and done.stdout == "" and "was not sent: modem: " in done.stderr


@pytest.mark.parametrize("args,code,said", [
    (["status", "trunk"], 1, ['there is no check "trunk"', 'did you mean "trunk relay"?']),
    (["status", "dsik"], 1, ['did you mean "disk"?']),
    (["check", "dsik"], 3, ['there is no check "dsik"', 'did you mean "disk"?']),
    (["downtime", "dsik", "--for", "1h"], 1, ['did you mean "disk"?']),
    (["downtime", "disk", "--cancel"], 1, ["disk is in no downtime"]),
    (["history", "dsik"], 0, ["no changes of dsik", 'did you mean "disk"?']),
    (["incidents", "ZZZZZ"], 0, ["no incidents of ZZZZZ"]),
    (["ack", "ZZZZZ"], 1, ['there is no incident "ZZZZZ"']),
    (["test-page", "onkall"], 1, ['there is no contact "onkall"; there are: oncall']),
    (["test-page", "oncall", "--line", "x"], 1, ['there is no line "x"']),
    (["downtime", "disk"], 2, ["needs --for DURATION or --until TIME"]),
    (["downtime", "disk", "--for", "soon"], 2, ['--for "soon"']),
    (["downtime", "disk", "--until", "3 pm"], 2, ['--until "3 pm": write HH:MM']),
    (["statsu"], 2, ['there is no command "statsu"', 'did you mean "status"?']),
    (["ack"], 2, ["ack needs a name"]),
    (["ack", "--group", "edg"], 1, ['no check is in a group "edg"; did you mean "edge"?']),
    (["ack", "--group", "edge"], 1, ['nothing in the group "edge" waits for an acknowledgement']),
    (["check", "--group", "zzzzzz"], 3, ['no check is in a group "zzzzzz"']),
    (["status", "--group", "edg"], 1, ['did you mean "edge"?']),
    (["downtime", "--group", "edge"], 2, ["needs --for DURATION"]),
    (["explain", "--group", "edge"], 2, ["explain takes no --group"]),
    (["history", "disk", "--group", "edge"], 2, ["history takes a name or --group, not both"]),
    (["check", "trunk", "relay"], 2, ['unexpected argument "relay"; quote what holds blanks']),
    (["history", "-n", "0"], 2, ['-n "0"']),
    (["--nonsense"], 2, ["monitorctl -h"]),
    ([], 2, ["usage: monitorctl"]),
])
def test_mistakes_are_named(house, args, code, said):
    done = house.ctl(*args)
    assert done.returncode == code, done
    assert done.stdout == ""
    for words in said:
        assert words in done.stderr, done.stderr
    assert "Sanitizer" not in done.stderr


def test_json_of_each(house, broken):
    def answer(*args, code=0):
        done = house.ctl("--json", *args)
        assert done.returncode == code, done
        return json.loads(done.stdout)

    both = answer("status", code=1)
    assert {c["name"] for c in both["monitord"]["checks"]} >= {"disk", "child", "trunk relay", "self"}
    assert both["pagerd"]["lines"][0]["name"] == "modem"
    one = answer("status", "trunk relay", code=1)
    assert [c["name"] for c in one["monitord"]["checks"]] == ["trunk relay"]
    assert {i["check"] for i in one["pagerd"]["incidents"]} == {"trunk relay"}
    assert answer("check", "trunk relay", code=2)["check"]["state"] == "CRITICAL"
    assert answer("history")["events"][0]["at"]["wall_ms"] > 0
    assert answer("incidents")["incidents"][0]["pages"] is not None
    assert answer("downtime", "disk", "--for", "1h")["ok"] is True
    assert answer("downtime", "disk", "--cancel")["ok"] is True
    assert answer("ack", broken["id"])["incident"]["phase"] == "acknowledged"
    both = answer("reload")
    assert both["monitord"]["digest"] == both["pagerd"]["digest"]
    assert answer("test-page", "oncall")["result"] == "sent"
    refused = answer("ack", "ZZZZZ", code=1)
    assert refused["ok"] is False and "ZZZZZ" in refused["error"]


def members(value):
    """Every member's name, at any depth; a line's values are its notifier's."""
    if isinstance(value, dict):
        return set(value) | {m for k, v in value.items() if k != "values" for m in members(v)}
    return {m for v in value for m in members(v)} if isinstance(value, list) else set()


def test_the_contract_names_what_the_daemons_say(house, broken):
    """doc/contracts.md and the real snapshots, member by member, both ways."""
    contracts = (ROOT / "doc/contracts.md").read_text()
    good(house.ctl("downtime", "disk", "--for", "1h"))
    house.ctl("check", "trunk relay")
    for daemon, begin, end in (("monitord", "monitord's snapshot", "`state` is of"), ("pagerd", "pagerd's snapshot:\n", "`incidents` holds")):
        text = contracts[contracts.index(begin):]
        written = set(re.findall(r'"(\w+)":', text[:text.index(end)]))
        wait_for(lambda: daemon == "monitord" or any(p["phase"] == "sent" for i in house.incidents() for p in i["pages"]), 30)
        snapshot = json.loads(((house.run if daemon == "monitord" else house.pagerd_run) / "status.json").read_text())
        said = members(house.ask(daemon, do="status")) - {"wall_ms", "boot_ms", "boot_id"}
        perf = {"label", "value", "uom", "warn", "crit", "min", "max"} if daemon == "monitord" else set()
        assert said - written - perf <= {"ok"}, (daemon, said - written - perf)
        sometimes = {"closed", "more", "delivered", "held_until_wall_ms", "sent_at", "values", "pools", "good", "because", "rank", "text_ja",
                     "explains", "in_trouble", "since_wall_ms"}
        assert written - said - sometimes == set(), daemon
        assert set(snapshot) == set(house.ask(daemon, do="status")) - {"ok"}
    good(house.ctl("downtime", "disk", "--cancel"))


def test_no_answer(tmp_path):
    def ctl(*args):
        return subprocess.run([str(BUILD / "monitorctl"), *args], capture_output=True, text=True, timeout=60)

    done = ctl("--run", str(tmp_path), "status")
    assert done.returncode == 3
    assert "monitord  DOES NOT ANSWER" in done.stdout and "pagerd    DOES NOT ANSWER" in done.stdout and "(is it running?)" in done.stdout
    assert json.loads(ctl("--run", str(tmp_path), "--json", "status").stdout) == {"monitord": None, "pagerd": None}
    for args in (["ack", "x"], ["history"], ["incidents"], ["reload"], ["test-page", "x"], ["downtime", "x", "--cancel"], ["check", "x"]):
        done = ctl("--run", str(tmp_path), *args)
        assert done.returncode == 3 and "is it running?" in done.stderr, done
    assert ctl("-c", str(tmp_path / "nope.yaml"), "status").returncode == 2
    # someone else closes at once
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "pagerd.sock"))
        s.listen(1)
        threading.Thread(target=lambda: s.accept()[0].close(), daemon=True).start()
        done = ctl("--run", str(tmp_path), "ack", "x")
        assert done.returncode == 3 and "closed the connection" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_stranger_is_told_what_he_lacks(house, tmp_path):
    reader = tmp_path / "monitorctl"
    shutil.copy(BUILD / "monitorctl", reader)
    path = tmp_path
    while path != path.parent:  # a stranger must get as far as the socket
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
        path = path.parent
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "monitord.sock"))
        (tmp_path / "monitord.sock").chmod(0o660)
        s.listen(1)
        done = subprocess.run([str(reader), "--run", str(tmp_path), "history"], capture_output=True, text=True, timeout=60,
                              user=65534, group=65534, extra_groups=[], env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 3
    assert "Permission denied" in done.stderr and "sudo" in done.stderr


def test_help_and_version():
    done = subprocess.run([str(BUILD / "monitorctl"), "-h"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "usage: monitorctl" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    done = subprocess.run([str(BUILD / "monitorctl"), "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and re.fullmatch(r"monitorctl \S+\n", done.stdout)
