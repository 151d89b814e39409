"""The front door: monitord-page and notify-by-monitord, what pagerd makes of their events, who may say what, and how much."""
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from pager import BUILD, Pager, wait_for

NOBODY, DAEMON = "nobody", "daemon"  # users of every Debian system


def run(pager, program, *args, text=None, user=None, env=None):
    who = {"user": pwd.getpwnam(user).pw_uid, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    return subprocess.run([str(BUILD / program), "--spool", str(pager.spool), "--twin", str(pager.twin), *args], input=text,
                          capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})},
                          stdin=None if text is not None else subprocess.DEVNULL, **who)


def page(pager, *args, **more):
    return run(pager, "monitord-page", *args, **more)


def notify(pager, kind, state, *args, **more):
    return run(pager, "notify-by-monitord", "--type", kind, "--state", state, "--host", "mx", "--service", "smtp", *args, **more)


def queued(done):
    assert done.returncode == 0 and done.stderr == "", done
    return done


@pytest.fixture
def pager(tmp_path):
    with Pager(tmp_path) as p:
        yield p


# --- monitord-page


def test_a_text_from_the_command_line_or_stdin_is_paged_once(pager):
    queued(page(pager, "--check", "backup", "--host", "mx1", "backup", "of mx1", "failed"))
    first = pager.line("m1").wait(1)[0]
    assert (first["kind"], first["state"], first["check"], first["host"]) == ("notice", "CRITICAL", "backup", "mx1")
    assert first["text"] == "backup of mx1 failed"
    queued(page(pager, "--state", "warning", text="disk\x01 \x00odd\nline 2\n\nline 4\n"))
    second = pager.line("m1").wait(2)[1]
    assert second["check"] == pwd.getpwuid(os.getuid()).pw_name and second["state"] == "WARNING"
    assert second["text"].split() == ["disk", "odd"] and second["more"].split("\n")[0] == "line 2" and "line 4" in second["more"]


def test_a_problem_with_a_key_is_paged_once_and_its_recovery_closes_it(pager):
    queued(page(pager, "--id", "raid md0", "degraded"))
    first = pager.line("m1").wait(1)[0]
    assert first["kind"] == "new" and first["check"] == "raid md0"
    queued(page(pager, "--id", "raid md0", "still degraded"))
    queued(page(pager, "--id", "raid md0", "--kind", "ack", "--by", "kei", "on it"))
    i = wait_for(lambda: (x := pager.incident("raid md0")) and x["phase"] == "acknowledged" and x)
    assert i["by"] == "kei" and i["comment"] == "on it" and i["text"] == "still degraded"
    queued(page(pager, "--id", "raid md0", "--kind", "recovery", "rebuilt"))
    last = pager.line("m1").wait(2)[1]
    assert last["kind"] == "recovered" and last["incident"] == first["incident"] and "rebuilt" in last["text"]
    wait_for(lambda: not pager.spool_names("new"))
    assert len(pager.line("m1").pages()) == 2


def test_a_recovery_without_a_key_ends_what_is_open_and_only_once(pager):
    queued(page(pager, "--check", "ups", "--kind", "problem", "on battery"))
    queued(page(pager, "--check", "ups", "--kind", "problem", "battery low"))  # without a key: another problem
    pager.line("m1").wait(2)
    queued(page(pager, "--check", "ups", "--kind", "recovery", "mains"))
    queued(page(pager, "--check", "ups", "--kind", "recovery", "mains still"))
    pages = pager.line("m1").wait(4)
    assert [p["kind"] for p in pages] == ["new", "new", "recovered", "recovered"]
    wait_for(lambda: not pager.spool_names("new"))
    assert len(pager.line("m1").pages()) == 4 and not pager.spool_names("bad")


@pytest.mark.parametrize("args,code,said", [
    ([], 65, "there is no text on standard input"),
    (["  \t"], 65, "there is no text"),
    (["--check", "a\x07b", "x"], 65, "--check: holds a control character"),
    (["--check", "c" * 128, "x"], 65, "longer than 127 bytes"),
    (["--kind", "alarm", "x"], 64, '--kind "alarm": must be'),
    (["--state", "bad", "x"], 64, '--state "bad": must be'),
    (["--kind", "recovery", "x"], 64, "needs --id or --check"),
    (["--nonsense", "x"], 64, "monitord-page -h"),
])
def test_the_exit_code_says_why_not(tmp_path, args, code, said):
    p = Pager(tmp_path)
    (tmp_path / "spool" / "new").mkdir(parents=True)
    (tmp_path / "spool" / "tmp").mkdir()
    done = page(p, *args)
    assert done.returncode == code and said in done.stderr, done
    assert not p.spool_names("new")


def test_without_pagerd_it_is_queued_and_that_is_said(tmp_path):
    p = Pager(tmp_path)
    (tmp_path / "spool" / "new").mkdir(parents=True)
    (tmp_path / "spool" / "tmp").mkdir()
    done = page(p, "x")
    assert done.returncode == 0 and "queued, but pagerd does not run" in done.stderr
    assert page(p, "-q", "x").stderr == ""
    assert len(p.spool_names("new")) == 2
    with p:
        assert len(p.line("m1").wait(2)) == 2
        assert page(p, "y").stderr == ""


def test_a_spool_that_fails_is_replaced_by_its_twin_or_the_exit_says_so(tmp_path):
    p = Pager(tmp_path)
    with p:
        shutil.rmtree(p.spool / "tmp")
        (p.spool / "tmp").write_text("in the way")  # ENOTDIR, whoever asks
        done = page(p, "x")
        assert done.returncode == 0 and "queued in the twin" in done.stderr, done
        assert p.line("m1").wait(1)[0]["text"] == "x"
        shutil.rmtree(p.twin)
        p.twin.write_text("in the way")
        done = page(p, "y")
        assert done.returncode == 73 and "not queued" in done.stderr, done
        p.twin.unlink()
        (p.spool / "tmp").unlink()


# --- who may say what


@pytest.fixture
def shared():
    """A spool that other users may write into, as installed: pagerd (root here) and two users."""
    if os.getuid() != 0:
        pytest.skip("needs root to be somebody else")
    d = Path(tempfile.mkdtemp(prefix="front"))
    d.chmod(0o755)
    p = Pager(d)
    for room in ("tmp", "new", "done", "bad"):
        (p.spool / room).mkdir(parents=True)
    for room in ("tmp", "new"):
        (p.spool / room).chmod(0o1777)
    p.extra = (f"checks:\n  mx1 smtp: {{probe: load, warning: 100}}\nsources:\n"
               f"  theirs: {{user: {NOBODY}, contacts: [boss], budget: 2/1h}}\n")
    p.contacts["boss"] = [("m2", "b")]
    yield p
    shutil.rmtree(d)


def test_a_user_speaks_for_its_own_source_and_for_nobody_else(shared):
    with shared as p:
        queued(page(p, "--check", "ours", "--id", "k", "broken", user=NOBODY))
        assert p.line("m2").wait(1)[0]["check"] == "ours"  # its source's contact, found by the file's owner
        assert p.incident("ours")["source"] == "theirs"
        # in another's name; about a check of monitord's own; about another's problem
        queued(page(p, "--source", "theirs", "--id", "k", "--kind", "recovery", "lie 1", user=DAEMON))
        queued(page(p, "--check", "mx1 smtp", "--kind", "problem", "lie 2", user=NOBODY))
        queued(page(p, "--check", "ours", "--kind", "recovery", "lie 3", user=DAEMON))
        told = p.line("m1").wait(3)
        assert sorted(t["text"][-5:] for t in told) == ["lie 1", "lie 2", "lie 3"]
        assert all(t["check"] == "self.spool" and t["text"].startswith("an event was not taken as what it says: ") for t in told)
        assert f'user {DAEMON} speaks for source "theirs"' in "".join(t["text"] for t in told)
        assert p.incident("ours")["phase"] == "new"
        queued(page(p, "--id", "k", "--check", "ours", "--kind", "recovery", "fixed", user=NOBODY))
        assert p.line("m2").wait(2)[1]["kind"] == "recovered"


def test_beyond_its_budget_a_source_is_recorded_and_not_paged(shared):
    with shared as p:
        for n in range(6):
            queued(page(p, "--id", f"k{n}", f"problem {n}", user=NOBODY))
        told = p.line("m2").wait(3)
        assert [t["check"] for t in told[:2]] == ["k0", "k1"]
        assert told[2]["check"] == "self.source-theirs" and "budget of 2 pages within 1 h" in told[2]["text"]
        wait_for(lambda: not p.spool_names("new"))
        for n in range(2, 6):  # nothing is lost: each is an incident
            i = p.incident(f"k{n}")
            assert i["phase"] == "suppressed" and i["why_suppressed"].startswith("beyond the budget of source theirs")
        # what people know of is not held back: its end, and its getting worse
        queued(page(p, "--id", "k0", "--kind", "recovery", "fine", user=NOBODY))
        assert p.line("m2").wait(4)[3]["kind"] == "recovered"
        assert len(p.line("m2").pages()) == 4


def test_who_may_not_write_is_told_so(shared):
    with shared as p:
        (p.spool / "tmp").chmod(0o700)
        done = page(p, "x", user=NOBODY)
        assert done.returncode == 77 and "this user may not write into" in done.stderr, done


def test_what_a_link_points_to_is_not_read(shared):
    with shared as p:
        secret = p.dir / "secret"
        secret.write_text('{"text":"the secret"}')
        (p.spool / "new" / "x.json").symlink_to(secret)
        assert "not a regular file" in p.line("m1").wait(1)[0]["text"]
        assert "the secret" not in json.dumps(p.line("m1").pages())


# --- notify-by-monitord


def test_problem_acknowledged_recovered(pager):
    queued(notify(pager, "PROBLEM", "CRITICAL", "--output", "SMTP CRITICAL - refused", "--problem", "7", "--since", "1700000000"))
    first = pager.line("m1").wait(1)[0]
    assert (first["check"], first["host"], first["state"]) == ("mx/smtp", "mx", "CRITICAL")
    assert first["text"] == "SMTP CRITICAL - refused" and first["since_wall_ms"] == 1700000000000
    # Nagios runs the command once for each of its contacts: no second page
    queued(notify(pager, "PROBLEM", "CRITICAL", "--output", "SMTP CRITICAL - refused", "--problem", "7"))
    queued(notify(pager, "ACKNOWLEDGEMENT", "CRITICAL", "--problem", "7", "--author", "kei", "--comment", "on it"))
    i = wait_for(lambda: (x := pager.incident("mx/smtp")) and x["phase"] == "acknowledged" and x)
    assert i["by"] == "kei" and i["comment"] == "on it"
    queued(notify(pager, "RECOVERY", "OK", "--output", "SMTP OK", "--problem", "0"))
    assert pager.line("m1").wait(2)[1]["kind"] == "recovered"
    # the next problem is another one
    queued(notify(pager, "PROBLEM", "WARNING", "--output", "slow", "--problem", "9"))
    third = pager.line("m1").wait(3)[2]
    assert third["kind"] == "new" and third["incident"] != first["incident"]


def test_without_numbers_the_open_problem_is_meant(pager):
    queued(notify(pager, "PROBLEM", "WARNING", "--output", "slow"))
    pager.line("m1").wait(1)
    queued(notify(pager, "PROBLEM", "CRITICAL", "--output", "dead", "--problem", "$service.last_state_ok$"))
    first, second = pager.line("m1").wait(2)
    assert second["state"] == "CRITICAL" and second["incident"] == first["incident"]
    queued(notify(pager, "RECOVERY", "OK", "--output", "fine"))
    assert pager.line("m1").wait(3)[2]["incident"] == first["incident"]


def test_downtime_there_keeps_a_problem_quiet_here(pager):
    pager.stop()
    pager.settings["oncall"] = "repeat: 1s"
    pager.write_conf()
    pager.start()
    queued(notify(pager, "PROBLEM", "CRITICAL", "--output", "dead", "--problem", "7"))
    pager.line("m1").wait(2)  # it repeats
    queued(notify(pager, "DOWNTIMESTART", "CRITICAL", "--output", "dead", "--problem", "7", "--comment", "new disk"))
    i = wait_for(lambda: (x := pager.incident("mx/smtp")) and x["suppressed"] and x)
    assert i["why_suppressed"] == "in downtime there: new disk"
    wait_for(lambda: not pager.spool_names("new"))
    n = len(pager.line("m1").pages())
    queued(page(pager, "--check", "marker", "one second later"))
    pager.line("m1").wait(n + 1)
    queued(notify(pager, "DOWNTIMEEND", "CRITICAL", "--output", "dead still", "--problem", "7"))
    assert [p["kind"] for p in pager.line("m1").wait(n + 2)[n:n + 2]] == ["notice", "repeat"]
    # it ended within a downtime, so nothing was said there: the downtime's end closes it without a word
    queued(notify(pager, "DOWNTIMEEND", "OK", "--output", "fine", "--problem", "0"))
    wait_for(lambda: pager.incident("mx/smtp")["phase"] == "recovered")
    assert "recovered" not in [p["kind"] for p in pager.line("m1").pages()]


def test_macros_come_from_the_environment_too_and_a_host_has_a_problem_as_well(pager):
    env = {"NAGIOS_NOTIFICATIONTYPE": "PROBLEM", "NAGIOS_HOSTNAME": "mx", "NAGIOS_SERVICEDESC": "", "NAGIOS_HOSTSTATE": "DOWN",
           "NAGIOS_SERVICESTATE": "", "NAGIOS_HOSTOUTPUT": "PING CRITICAL", "NAGIOS_HOSTPROBLEMID": "3"}
    queued(run(pager, "notify-by-monitord", env=env))
    first = pager.line("m1").wait(1)[0]
    assert (first["check"], first["state"], first["text"]) == ("mx/host", "CRITICAL", "PING CRITICAL")
    done = notify(pager, "DOWNTIMESTART", "OK")
    assert done.returncode == 0 and "nothing to say" in done.stdout
    for kind, state in (("FLAPPINGSTART", "OK"), ("FLAPPINGSTART", "OK")):
        queued(notify(pager, kind, state, "--output", "up and down"))
    assert pager.line("m1").wait(2)[1]["text"] == "flapping: up and down"


@pytest.mark.parametrize("args,code,said", [
    (["--type", "ALARM", "--state", "OK", "--host", "h"], 65, 'notification type "ALARM": not known'),
    (["--type", "PROBLEM", "--state", "OK"], 65, "the host's name is missing"),
    (["--type", "PROBLEM", "--state", "$X$", "--host", "h"], 65, 'state ""'),
    (["stray"], 64, 'unexpected argument "stray"'),
])
def test_macros_that_mean_nothing(tmp_path, args, code, said):
    done = run(Pager(tmp_path), "notify-by-monitord", *args)
    assert done.returncode == code and said in done.stderr, done


def test_the_help_fits_a_terminal():
    for program in ("monitord-page", "notify-by-monitord"):
        out = subprocess.run([str(BUILD / program), "-h"], capture_output=True, text=True, timeout=60).stdout
        assert out.startswith(f"usage: {program} ") and max(map(len, out.splitlines())) <= 84
