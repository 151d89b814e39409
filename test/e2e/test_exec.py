"""Foreign plugins through the exec probe: what they get, what becomes of what they say, and that nothing of them remains."""
import os
import subprocess
import uuid

import pytest
from prober import BUILD, PLUGINS, Prober, processes_with, until


@pytest.fixture(scope="module")
def prober():
    with Prober(env={"NOTIFY_SOCKET": "/nonexistent", "SECRET": "x", "TZ": "Asia/Tokyo"}) as p:
        yield p
        assert p.finish() == 0


def sh(prober, script, timeout_ms=20000, **options):
    job = uuid.uuid4().hex
    prober.run(job, "exec", timeout_ms=timeout_ms, command=["/bin/sh", "-c", script], **options)
    return prober.wait(job)


@pytest.mark.parametrize("code,state", [(0, "OK"), (1, "WARNING"), (2, "CRITICAL"), (3, "UNKNOWN")])
def test_exit_codes_of_the_guidelines(prober, code, state):
    done = sh(prober, f"echo 'X {state} - words | a=1;2;3;0;9'; exit {code}")
    assert done["state"] == state and done["measured"] is True and done["layer"] == ""
    assert done["text"] == f"X {state} - words"
    assert done["perf"] == [{"label": "a", "value": 1, "warn": "2", "crit": "3", "min": 0, "max": 9}]


def test_unknown_said_is_not_unknown_measured(prober):
    done = sh(prober, "echo no idea; exit 3")
    assert done["state"] == "UNKNOWN" and done["measured"] is True
    assert done["text"] == "the plugin said UNKNOWN: no idea"


@pytest.mark.parametrize("script,text", [
    ("echo partial; exit 4", "could not run: exit 4: partial"),
    ("nosuchcommand", "could not run: exit 127 (a command was not found): "),
    ("exec /etc/passwd", "could not run: exit 126 (a command may not be executed): "),
    ("kill -SEGV $$", "could not run: killed by signal 11 (Segmentation fault)"),
    ("exit 255", "could not run: exit 255"),
])
def test_what_could_not_run(prober, script, text):
    done = sh(prober, script)
    assert done["state"] == "UNKNOWN" and done["measured"] is False and done["layer"] == "exec"
    assert done["text"].startswith(text)


@pytest.mark.parametrize("command,options,text", [
    (["/nonexistent/check_x"], {}, "/nonexistent/check_x: No such file or directory"),
    (["/etc/passwd"], {}, "/etc/passwd: Permission denied"),
    (["/bin/true"], {"directory": "/nonexistent"}, "chdir: No such file or directory"),
])
def test_what_could_not_be_started(prober, command, options, text):
    job = uuid.uuid4().hex
    prober.run(job, "exec", command=command, **options)
    done = prober.wait(job)
    assert done["state"] == "UNKNOWN" and done["measured"] is False
    assert done["text"].startswith("could not run: ") and text in done["text"]


def test_output(prober):
    done = sh(prober, r"printf 'line 1 | a=1\nline 2\nline 3 | b=2\nc=3\n'; echo noise >&2")
    assert done["text"] == "line 1" and done["more"] == "line 2\nline 3\n"
    assert [(x["label"], x["value"]) for x in done["perf"]] == [("a", 1), ("b", 2), ("c", 3)]
    assert sh(prober, "echo only to stderr >&2; exit 2")["text"] == "only to stderr"
    assert sh(prober, "exit 1")["text"] == "the plugin said WARNING and nothing else"
    big = sh(prober, "echo start; head -c 1000000 /dev/zero | tr '\\0' x")
    assert big["text"] == "start" and "of 1000006 bytes of output only the first 65536 were kept" in big["more"]
    hostile = sh(prober, r"printf '\033[2J\000a\377b\n'")
    assert hostile["text"] == " [2J a?b" and hostile["state"] == "OK"


def test_a_flood_is_stopped(prober):
    done = sh(prober, "exec yes")
    assert done["measured"] is False and "64 MiB" in done["text"]


def test_environment(prober):
    done = sh(prober, "env | grep -v ^PWD= | sort", env=["A=b c", "PATH=/bin:/usr/bin"], directory="/tmp")
    assert (done["text"] + "\n" + done["more"]).splitlines() == ["A=b c", "LANG=C", "PATH=/bin:/usr/bin", "TZ=Asia/Tokyo"]


def test_what_a_plugin_inherits(prober):
    done = sh(prober, "pwd; ls /proc/self/fd | tr '\\n' ' '; echo; readlink /proc/self/fd/0; umask; ulimit -c;"
                      "grep -E '^Sig(Blk|Ign)' /proc/self/status", directory="/usr")
    lines = (done["text"] + "\n" + done["more"]).split("\n")
    assert lines[0] == "/usr"
    assert lines[1].split() == ["0", "1", "2", "3"]  # 3 is ls reading the directory
    assert lines[2] == "/dev/null" and lines[3] == "0022" and lines[4] == "0"
    # signals 32 and 33 belong to the C library: some versions leave them ignored in a child
    masks = {l.split()[0]: int(l.split()[1], 16) & 0x7FFFFFFF for l in lines[5:7]}
    assert masks == {"SigBlk:": 0, "SigIgn:": 0}


def test_own_session(prober):
    done = sh(prober, "ps -o sid= -p $$; echo $$")
    assert done["text"].strip() == done["more"].strip()
    assert int(done["text"]) != os.getsid(prober.process.pid)


@pytest.mark.parametrize("end", ["exit", "timeout"])
def test_all_it_started_is_killed(prober, end):
    number = uuid.uuid4().int % 10**12
    word = f"96.{number}"
    # a child, one with a session of its own, a double fork, a double fork with its own session, all deaf
    script = (f"sleep {word} & setsid sleep {word} & (sleep {word} &) ; (setsid setsid sleep {word} &);"
              f"(trap '' TERM HUP INT; setsid sh -c \"trap '' TERM HUP; sleep {word}\" &)"
              f"; while [ $(pgrep -fxc 'sleep {word}') -lt 5 ]; do :; done; echo all started;")
    done = sh(prober, script + ("exit 0" if end == "exit" else f"sleep {word}"), timeout_ms=20000 if end == "exit" else 4000)
    assert processes_with(word) == []  # already when the answer comes
    if end == "exit":
        assert done["state"] == "OK" and done["text"] == "all started"
    else:
        assert done["state"] == "UNKNOWN" and done["measured"] is False and done["layer"] == "timeout"
        assert done["text"].startswith("plugin timed out after ") and "all started" in done["more"]


def test_time_out(prober):
    done = sh(prober, "echo working; exec sleep 100", timeout_ms=1000)
    assert done["text"].startswith("plugin timed out after ") and done["text"].endswith("and was killed: /bin/sh")
    assert 900 <= done["run_ms"] < 10000


def test_many_at_once():
    number = uuid.uuid4().int % 10**12
    with Prober() as p:
        for i in range(100):
            p.run(f"j{i}", "exec", command=["/bin/sleep", f"95.{number}"], timeout_ms=6000)
        until(lambda: len(processes_with(f"95.{number}")) == 100, 60, "100 plugins")
        assert p.finish() == 0
        assert len(p.answers) == 100
        assert all(d["layer"] == "timeout" for d in p.answers.values())
        assert processes_with(f"95.{number}") == []


@pytest.mark.parametrize("plugin,args,labels", [
    ("check_load", ["-w", "9999", "-c", "9999"], {"load1", "load5", "load15"}),
    ("check_disk", ["-w", "0", "-c", "0", "-p", "/"], {"/"}),
    ("check_dummy", ["0", "hello"], set()),
])
def test_real_plugins_unmodified(prober, plugin, args, labels):
    if not (PLUGINS / plugin).exists():
        pytest.skip(f"{plugin} is not installed")
    job = uuid.uuid4().hex
    prober.run(job, "exec", command=[str(PLUGINS / plugin), *args])
    done = prober.wait(job)
    assert done["state"] == "OK" and done["measured"] is True, done
    assert {x["label"] for x in done.get("perf", [])} == labels
    direct = subprocess.run([PLUGINS / plugin, *args], capture_output=True, text=True, timeout=60)
    assert done["text"].split()[:2] == direct.stdout.split()[:2]


def test_stand_alone():
    out = subprocess.run([BUILD / "check_exec", "--command", "/bin/sh", "--command=-c", "--command", "echo said; exit 1"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 1 and out.stdout == "EXEC WARNING: said\n"
    out = subprocess.run([BUILD / "check_exec", "-t", "1:WARNING", "--command", "/bin/sleep", "--command", "60"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 1 and out.stdout.startswith("EXEC WARNING: plugin timed out after ")
