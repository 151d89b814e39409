"""The prober as monitord sees it: contract 1 over pipes and over a socket."""
import json
import os
import signal
import socket
import subprocess
import uuid

import pytest
from prober import BUILD, PROBER, Prober, hung_prefix, needs_fuse, processes_with, until

LOAD = {"warning": "10000"}


def tool(*args, stdin=""):
    return subprocess.run([PROBER, *args], input=stdin, capture_output=True, text=True, timeout=60)


def test_describe_is_the_contract():
    out = tool("--describe")
    assert out.returncode == 0
    d = json.loads(out.stdout)
    assert d["v"] == 1
    probes = {p["name"]: p for p in d["probes"]}
    assert {"load", "disk", "exec"} <= set(probes)
    assert probes["load"]["place"] == "local" and probes["exec"]["place"] == "net"
    assert probes["load"]["host_option"] is None
    types = {"string", "bool", "int", "number", "duration", "size", "range", "enum", "list", "path", "secret"}
    for p in d["probes"]:
        assert p["help"] and p["options"]
        for o in p["options"]:
            assert o["type"] in types and o["help"] and isinstance(o["required"], bool) and "default" in o
            assert "-" not in o["name"]
    units = next(o for o in probes["disk"]["options"] if o["name"] == "units")
    assert units["type"] == "enum" and "GB" in units["choices"] and units["default"] == "MB"
    assert "kilobytes" not in {o["name"] for o in probes["disk"]["options"]}  # only for the command line


@pytest.mark.parametrize("place", ["net", "local"])
def test_describe_of_one_place(place):
    probes = json.loads(tool("--describe", "--place", place).stdout)["probes"]
    assert probes and {p["place"] for p in probes} == {place}


def test_every_plugin_describes_itself_alike():
    for p in json.loads(tool("--describe").stdout)["probes"]:
        out = subprocess.run([BUILD / f"check_{p['name']}", "--describe"], capture_output=True, text=True, timeout=60)
        if not (BUILD / f"check_{p['name']}").exists():
            continue
        assert out.returncode == 0, p["name"]
        assert json.loads(out.stdout)["options"] == p["options"]


def test_validate():
    lines = [{"probe": "load", "options": {"warning": "5"}}, {"probe": "load", "options": {"warning": "5,x", "percpu": "perhaps"}},
             {"probe": "loda"}, {"probe": "load", "options": {"warnin": "5"}},
             {"probe": "exec", "options": {"command": ["true"]}}]
    out = tool("--validate", stdin="".join(json.dumps(x) + "\n" for x in lines) + "no json\n")
    v = [json.loads(x) for x in out.stdout.splitlines()]
    assert out.returncode == 0 and len(v) == 6
    assert v[0] == {"ok": True}
    assert [x["ok"] for x in v[1:]] == [False] * 5
    assert v[1]["complaints"][0]["item"] == "percpu" and v[1]["complaints"][0]["value"] == "perhaps"
    assert v[2]["complaints"][0]["item"] == "probe"
    assert "warning" in v[3]["complaints"][0]["reason"]
    assert v[4]["complaints"][0]["item"] == "command"
    assert all(c["reason"] for x in v[1:] for c in x["complaints"])


def test_usage():
    assert tool("--help").returncode == 0 and "--listen" in tool("--help").stdout
    assert tool("--version").stdout.startswith("prober (monitord)")
    bad = tool("--treads", "5")
    assert bad.returncode == 2 and "--threads" in bad.stderr


def test_a_job_and_its_result():
    with Prober("--threads", "5") as p:
        version = tool("--version").stdout.split()[-1]
        assert p.hello == {"v": 1, "version": version, "hello": "prober", "place": "all", "pid": p.process.pid, "threads": 5}
        p.run("j1", "load", **LOAD)
        done = p.wait("j1")
        assert done["state"] == "OK" and done["measured"] is True and done["layer"] == ""
        assert {x["label"] for x in done["perf"]} >= {"load1", "load5", "load15"}
        assert done["run_ms"] >= 0 and done["cpu_ms"] >= 0
        assert p.finish() == 0


def test_a_state_goes_in_and_comes_out(tmp_path):
    with Prober() as p:
        p.run("first", "disk", path=[str(tmp_path)])
        blob = p.wait("first")["state_blob"]
        assert json.loads(blob)["fs"]
        p.send(run="second", probe="disk", options={"path": [str(tmp_path)]}, state=blob)
        assert "state_blob" not in p.wait("second")  # nothing new to remember
        assert p.finish() == 0


def test_what_makes_no_sense_is_answered_or_logged():
    with Prober("--place", "local") as p:
        for raw in (b"junk\n", b"{}\n", b"[" * 100 + b"\n", b"\n", b"\xff\xfe\n", b"x" * 600000 + b"\n"):
            p.process.stdin.write(raw)
        p.send(run="nope", probe="nope")
        p.send(run="place", probe="exec", options={"command": ["/bin/true"]})
        p.send(run="options", probe="load", options={"warning": "lots"})
        p.send(stored="nobody", ok=True)
        p.send(cancel="nobody")
        p.run("good", "load", **LOAD)
        assert p.wait("good")["state"] == "OK"
        for job, word in (("nope", "no probe"), ("place", "place"), ("options", "warning")):
            done = p.wait(job)
            assert done["state"] == "UNKNOWN" and done["measured"] is False and word in done["text"]
        assert p.finish() == 0
        assert b"524288" in p.log and b"no job" in p.log


def test_end_of_input_answers_what_runs():
    with Prober() as p:
        p.run("slow", "exec", command=["/bin/sh", "-c", "sleep 1; echo done; exit 1"])
        for i in range(20):
            p.run(f"q{i}", "load", **LOAD)
        assert p.finish() == 0
        assert p.answers["slow"]["state"] == "WARNING" and p.answers["slow"]["text"] == "done"
        assert len(p.answers) == 21


def test_thousands_of_jobs():
    with Prober("--threads", "20") as p:
        for i in range(3000):
            p.run(f"j{i}", "load", timeout_ms=60000, **LOAD)
        assert p.finish() == 0
        assert sorted(p.answers) == sorted(f"j{i}" for i in range(3000))
        assert {d["state"] for d in p.answers.values()} == {"OK"}


def test_waiting_for_a_thread_counts():
    with Prober("--threads", "1") as p:
        p.run("long", "exec", command=["/bin/sleep", "3"], timeout_ms=20000)
        p.run("short", "load", timeout_ms=500, **LOAD)
        done = p.wait("short")
        assert "long" not in p.answers
        assert done["state"] == "UNKNOWN" and done["measured"] is False and "waited" in done["text"]
        assert p.wait("long")["state"] == "OK"
        assert p.finish() == 0


def test_cancel_ends_a_plugin_and_answers_nothing():
    word = f"98.{uuid.uuid4().int % 10**12}"
    with Prober() as p:
        p.run("c", "exec", command=["/bin/sleep", word])
        until(lambda: processes_with(word), what="the plugin's start")
        p.send(cancel="c")
        until(lambda: not processes_with(word), what="the plugin's end")
        assert p.finish() == 0
        assert p.answers == {}


def hanging_job(word):
    """Two processes, one with a session of its own, both deaf."""
    script = f"(setsid sleep {word} &); trap '' TERM HUP; sleep {word}"
    return {"run": "c", "probe": "exec", "options": {"command": ["/bin/sh", "-c", script]}, "timeout_ms": 600000}


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_plugins_die_with_the_prober(how):
    word = f"99.{uuid.uuid4().int % 10**12}"
    with Prober() as p:
        p.send(**hanging_job(word))
        until(lambda: len(processes_with("sleep\0" + word)) == 2, what="the plugin's start")
        p.process.send_signal(getattr(signal, how))
        assert p.process.wait(30) == (-signal.SIGKILL if how == "SIGKILL" else 0)
        until(lambda: not processes_with(word), what="the plugin's end")


def test_a_dead_output_ends_it():
    word = f"99.{uuid.uuid4().int % 10**12}"
    r, w = os.pipe()
    p = subprocess.Popen([PROBER], stdin=subprocess.PIPE, stdout=w)
    os.close(w)
    assert os.read(r, 4096).startswith(b'{"v":1')
    p.stdin.write(json.dumps(hanging_job(word)).encode() + b"\n")
    p.stdin.flush()
    until(lambda: len(processes_with("sleep\0" + word)) == 2, what="the plugin's start")
    os.close(r)
    assert p.wait(30) == 1
    until(lambda: not processes_with(word), what="the plugin's end")
    p.stdin.close()


def test_a_reader_that_stops_blocks_nobody():
    """The other side reads nothing for a while: results wait, and the prober goes on reading and running."""
    p = subprocess.Popen([PROBER, "--threads", "4"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    jobs = 5000
    for i in range(jobs):  # far more than a pipe holds
        p.stdin.write(json.dumps({"run": f"j{i}", "probe": "load", "options": LOAD, "timeout_ms": 60000}).encode() + b"\n")
    p.stdin.close()  # all were taken although no result was read
    answers = [json.loads(x) for x in p.stdout][1:]
    assert p.wait(30) == 0
    assert len(answers) == jobs and len({a["done"] for a in answers}) == jobs
    assert {a["state"] for a in answers} == {"OK"}


def test_another_nursery_when_it_was_killed():
    with Prober() as p:
        p.run("a", "exec", command=["/bin/echo", "one"])
        assert p.wait("a")["text"] == "one"
        first = until(p.nursery, what="the nursery")
        os.kill(first, signal.SIGKILL)
        until(lambda: p.nursery() is None, what="the nursery's end")
        p.run("b", "exec", command=["/bin/echo", "two"])
        assert p.wait("b")["text"] == "two"
        assert p.nursery() not in (None, first)
        assert p.finish() == 0


@needs_fuse
def test_a_hung_file_system_blocks_one_run_only(tmp_path):
    with Prober(prefix=hung_prefix(tmp_path)) as p:
        p.run("hung", "disk", path=[str(tmp_path)], timeout_ms=300)
        p.run("other", "load", **LOAD)
        assert p.wait("other")["state"] == "OK"
        assert "hung" not in p.answers
        done = p.wait("hung")
        assert done["state"] == "UNKNOWN" and done["measured"] is False and done["layer"] == "blocked"
        assert f"blocked in statvfs {tmp_path}" in done["text"]
        assert 5300 <= done["run_ms"] < 30000
        p.run("after", "load", **LOAD)
        assert p.wait("after")["state"] == "OK"
        assert p.finish(20) == 0  # nothing waits for the thread that hangs
        assert p.others == [{"retire": True, "why": f"blocked in statvfs {tmp_path}"}]


class Connection:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(30)
        self.s.connect(str(path))
        self.f = self.s.makefile("rb")
        self.hello = json.loads(self.f.readline())

    def run(self, job, probe, **options):
        self.s.sendall(json.dumps({"run": job, "probe": probe, "options": options, "timeout_ms": 20000}).encode() + b"\n")

    def line(self):
        line = self.f.readline()
        return json.loads(line) if line else None

    def close(self):
        self.f.close()
        self.s.close()


@pytest.fixture
def listening(tmp_path):
    path = tmp_path / "prober.sock"
    p = subprocess.Popen([PROBER, "--listen", path, "--place", "all"], stdin=subprocess.DEVNULL)
    until(path.exists, what="the socket")
    yield path, p
    if p.poll() is None:
        p.kill()
    p.wait()


def test_several_connections_at_a_socket(listening):
    path, p = listening
    a, b = Connection(path), Connection(path)
    assert a.hello["hello"] == b.hello["hello"] == "prober" and a.hello["pid"] == p.pid
    a.run("same-id", "load", warning="10000")
    b.run("same-id", "exec", command=["/bin/echo", "from b"])
    assert "load average" in a.line()["text"]
    assert b.line()["text"] == "from b"
    # half closed: what runs is still answered, then the prober closes
    b.run("last", "exec", command=["/bin/sh", "-c", "sleep 0.3; echo late"])
    b.s.shutdown(socket.SHUT_WR)
    assert b.line()["text"] == "late"
    assert b.line() is None
    # gone altogether: its runs are nobody's business
    word = f"97.{uuid.uuid4().int % 10**12}"
    c = Connection(path)
    c.run("x", "exec", command=["/bin/sleep", word])
    until(lambda: processes_with(word), what="the plugin's start")
    c.close()
    until(lambda: not processes_with(word), what="the plugin's end")
    a.run("still", "load", warning="10000")
    assert a.line()["done"] == "still"
    p.send_signal(signal.SIGTERM)
    assert p.wait(30) == 0
    assert not path.exists()


def test_a_socket_is_taken_over_only_when_dead(listening):
    path, p = listening
    second = subprocess.run([PROBER, "--listen", path], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert second.returncode == 1 and "another prober" in second.stderr
    Connection(path).close()
    p.kill()
    p.wait()
    assert path.exists()
    third = subprocess.Popen([PROBER, "--listen", path], stdin=subprocess.DEVNULL)
    try:
        def connect():
            try:
                return Connection(path)
            except OSError:
                return None
        c = until(connect, what="a connection")
        assert c.hello["pid"] == third.pid
        c.close()
    finally:
        third.terminate()
        assert third.wait(30) == 0


@needs_fuse
def test_at_a_socket_a_stuck_prober_ends_itself(tmp_path):
    hung, path = tmp_path / "hung", tmp_path / "prober.sock"
    hung.mkdir()
    p = subprocess.Popen([*hung_prefix(hung), str(PROBER), "--listen", str(path)], stdin=subprocess.DEVNULL)
    try:
        until(path.exists, what="the socket")
        c = Connection(path)
        c.s.sendall(json.dumps({"run": "h", "probe": "disk", "options": {"path": [str(hung)]}, "timeout_ms": 200}).encode() + b"\n")
        assert c.line()["layer"] == "blocked"
        assert c.line()["retire"] is True
        assert c.line() is None
        assert p.wait(30) == 1  # so its unit starts another
    finally:
        p.kill()
        p.wait()


def test_as_ssh_starts_it():
    """Beats are answered whatever runs; what is left out is not run; it ends at once when the other side is gone, and what it started with it."""
    with Prober("--stdio", "--without", "exec", "--without", "nrpe") as p:
        p.send(beat=7)
        assert p.next_line(60) == {"beat": 7}
        p.run("j1", "exec", command=["/bin/true"])
        done = p.wait("j1")
        assert done["state"] == "UNKNOWN" and not done["measured"] and "does not allow that probe" in done["text"]
        p.run("j2", "load", **LOAD)
        assert p.wait("j2")["measured"]
    with Prober("--stdio") as p:
        p.run("j1", "exec", command=["/bin/sleep", "1000"], timeout_ms=600000)
        p.send(beat=1)
        assert p.next_line(60) == {"beat": 1}
        p.process.stdin.close()
        assert p.process.wait(60) == 0
