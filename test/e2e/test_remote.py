"""Checks that run on another host, behind a real sshd with a forced command: that they run there, and what becomes of them when any part
of the way breaks. One incident, not one for each check; and back by itself."""
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

import sshd
from supervisor import BUILD, Supervisor, alive
from waiting import wait_for

pytestmark = pytest.mark.skipif(bool(sshd.missing()), reason=sshd.missing())
SELF = "self.remote.relay1"
HOSTNAME = "/proc/sys/kernel/hostname"


@pytest.fixture
def far():
    with sshd.Sshd() as s:
        yield s


def where(text):
    """A plugin that tells on which host it runs."""
    return {"probe": "exec", "command": ["/bin/sh", "-c", f"read h < {HOSTNAME}; echo \"{text} $h\""], "on": "relay1", "interval": "500ms"}


def supervisor(tmp_path, far, checks, **remote):
    return Supervisor(tmp_path / "sup", checks, remotes={"relay1": far.remote(**remote)})


@pytest.fixture
def fars():
    """So many as are asked for, by name: what takes time happens to all of them at once."""
    with contextlib.ExitStack() as stack:
        yield lambda names: {n: stack.enter_context(sshd.Sshd()) for n in names}


def place(sup, name="relay1"):
    return next(p for p in sup.status()["probers"] if p["place"] == name)


def ssh_pid(sup, port=None):
    return next(p for p in sshd.descendants(sup.process.pid) if sshd.comm(p) == "ssh" and
                port is None or f"\0{port}\0" in Path(f"/proc/{p}/cmdline").read_text())


def up(sup, names):
    for name in names:
        sup.wait_check(name, state="OK", hard=True)
    sup.wait_check(SELF, state="OK", hard=True)


def test_it_runs_there(far, tmp_path):
    """Built-in probes and foreign plugins, over one connection; what a probe keeps between its runs comes along."""
    checks = {"there": where("at"), "here": {"probe": "exec", "command": ["/bin/sh", "-c", f"read h < {HOSTNAME}; echo \"at $h\""]},
              "load": {"probe": "load", "warning": "10000", "on": "relay1"}, "disk": {"probe": "disk", "path": ["/run"], "on": "relay1"}}
    with supervisor(tmp_path, far, checks) as sup:
        up(sup, checks)
        assert sup.check("there")["text"] == "at relay1.example" and sup.check("there")["on"] == "relay1"
        assert sup.check("there")["host"] == "127.0.0.1"
        assert "relay1.example" not in sup.check("here")["text"] and "on" not in sup.check("here")
        assert "/run" in sup.check("disk")["text"] or sup.check("disk")["perf"][0]["label"] == "/run", sup.check("disk")
        assert far.accepted == 1
        shown = subprocess.run([BUILD / "monitorctl", "-c", sup.conf_file, "status", "there"], capture_output=True, text=True, timeout=60).stdout
        assert "probe exec at 127.0.0.1, run on relay1" in shown, shown
        p = place(sup)
        assert p["up"] and p["remote"] and p["version"] and p["host"] == "127.0.0.1", p
        assert sup.check(SELF)["text"] == f"remote relay1 (127.0.0.1): prober {p['version']} runs there"
        # the prober there is nobody's who could do harm, and ends with the connection
        there = far.pids("monitord-prober")[0]
        assert os.stat(f"/proc/{there}").st_uid == 64991
        argv = Path(f"/proc/{ssh_pid(sup)}/cmdline").read_text().split("\0")
        assert "StrictHostKeyChecking=yes" in argv and "BatchMode=yes" in argv and "ForwardAgent=no" in argv and argv[argv.index("--") + 1] == "127.0.0.1"
        sup.stop()
        wait_for(lambda: not alive(there), 30, "the prober there ends")


def sleepers(far):
    """The foreign plugin of a test, wherever in the tree of processes it hangs."""
    found = []
    for p in Path("/proc").glob("[0-9]*"):
        try:
            if (p / "cmdline").read_text() == f"/bin/sleep\x001000.{far.port}\0":
                found.append(int(p.name))
        except OSError:
            pass
    return found


def lose(far, sup, how):
    if how == "sshd":
        far.signal(signal.SIGKILL, "sshd")
    elif how == "ssh":
        os.kill(ssh_pid(sup, far.port), signal.SIGKILL)
    elif how == "prober":
        far.signal(signal.SIGKILL, "monitord-prober")
    elif how == "prober hangs":
        return far.signal(signal.SIGSTOP, "monitord-prober")
    elif how == "sshd hangs":
        return far.signal(signal.SIGSTOP, "sshd")
    return []


def test_each_way_to_lose_it_and_back(fars, tmp_path):
    """Whatever dies or hangs: known within a bounded time, a run in flight is told of as not measured, and the connection comes back."""
    far = fars(["sshd", "ssh", "prober", "prober hangs", "sshd hangs"])
    checks = {}
    for how in far:
        checks[how] = {**where("at"), "on": how}
        checks[f"slow {how}"] = {"probe": "exec", "command": ["/bin/sleep", f"1000.{far[how].port}"], "on": how, "timeout": "300s", "interval": "1s"}
    # the alarm waits so long that this is none
    with Supervisor(tmp_path / "sup", checks, remotes={how: f.remote(delay="5m", limit="8s") for how, f in far.items()}) as sup:
        plugins, before = [], {}
        for how, f in far.items():
            sup.wait_check(how, state="OK")
            sup.wait_check(f"slow {how}", running=True)
            plugins += wait_for(lambda: sleepers(f), 60, "the plugin runs")
            before[how] = sup.check(how)["last_run"]["boot_ms"]
        stopped = [pid for how, f in far.items() for pid in lose(f, sup, how) if how.endswith("hangs")]
        sup.stopped = stopped
        for how, f in far.items():
            c = sup.wait_check(f"slow {how}", layer="prober")
            assert c["state"] == "UNKNOWN" and not c["measured"] and c["text"].startswith("connection lost: "), c
            if how.endswith("hangs"):
                assert "does not answer for" in c["text"] or "not responding" in c["text"], c
        for how, f in far.items():
            wait_for(lambda: sup.check(how)["last_run"]["boot_ms"] > before[how] and sup.check(how)["state"] == "OK", 60, "back")
            sup.wait_check(f"slow {how}", running=True)
            assert f.accepted == 2 and place(sup, how)["restarts"] == 1
        for pid in stopped:
            if alive(pid):
                os.kill(pid, signal.SIGCONT)
        wait_for(lambda: not any(alive(p) for p in plugins), 60, "what ran there for the lost connection ends")
        assert not sup.events()


def test_lost_again_and_again(far, tmp_path):
    """Each time it came back before it was worth an alarm; three times within five minutes are worth a word."""
    with supervisor(tmp_path, far, {"there": where("at")}, delay="5m") as sup:
        for n in range(3):
            wait_for(lambda: far.accepted == n + 1 and place(sup)["up"], 60, "connected")
            far.signal(signal.SIGKILL)
            wait_for(lambda: not place(sup)["up"], 60, "lost")
        assert "was lost 3 times within 5 min" in sup.wait_check(SELF, state="WARNING")["text"]
        sup.wait_said(SELF, "problem WARNING")
        assert not [w for w in sup.said("there") if not w.startswith("(")], "and the check itself pages nobody"


def test_one_incident_not_fifty(far, tmp_path):
    checks = {f"c{i}": where(f"{i} at") for i in range(50)}
    with supervisor(tmp_path, far, checks) as sup:
        up(sup, checks)
        far.refusing = True
        far.signal(signal.SIGKILL)
        lost = sup.wait_check(SELF, state="CRITICAL", problem=True)
        assert lost["text"].startswith("remote relay1 (127.0.0.1) is not reached: ") and not lost["suppressed"]
        shown = subprocess.run([BUILD / "monitorctl", "-c", sup.conf_file, "status"], capture_output=True, text=True, timeout=60).stdout
        assert "REMOTE relay1 is down: " in shown, shown
        for name in checks:
            c = sup.wait_check(name, state="UNKNOWN", problem=True, suppressed=True)
            assert c["why"] == f"below {SELF}, which is down" and not c["measured"], c
        sup.wait_said(SELF, "problem CRITICAL")
        assert all(e["suppressed"] for name in checks for e in sup.events(name) if e["kind"] == "problem")
        # a monitord that starts meanwhile says nothing new
        sup.kill()
        sup.start()
        sup.wait_check("c0", state="UNKNOWN", suppressed=True)
        sup.wait_check(SELF, state="CRITICAL")
        assert sup.said(SELF) == ["problem CRITICAL"]
        far.refusing = False
        up(sup, checks)
        sup.wait_said(SELF, "problem CRITICAL", "recovery OK")
        assert {e["state"] for name in checks for e in sup.events(name) if not e["suppressed"]} <= {"OK"}
        assert all(w.startswith("(problem") or w.startswith("(recovery") for name in checks for w in sup.said(name))


def wrong_host_key(far):
    far.know(far.stranger)
    return "Host key verification failed."


def wrong_key(far):
    far.allow(key=far.stranger)
    return "Permission denied (publickey)"


def no_command(far):
    far.allow(command="monitord-probr --stdio")
    return "exited 127"


def motd(far):
    far.allow(command="echo Welcome to relay1; monitord-prober --stdio")
    return "spoke nonsense (not JSON): Welcome to relay1"


def flood(far):
    far.allow(command="head -c 100000000 /dev/zero | tr '\\\\000' x")
    return "spoke nonsense (a line longer than allowed)"


def nuls(far):
    far.allow(command="head -c 1000 /dev/zero; echo; exec cat >/dev/null")
    return "spoke nonsense"


def complains(far):
    far.allow(command="yes complaint | head -c 20000000 >&2; exit 3")
    return ": complaint"


def silent(far):
    far.allow(command="exec cat >/dev/null")
    return "no prober said hello"


def other_version(far):
    hello = '{\\"v\\":2,\\"hello\\":\\"prober\\",\\"version\\":\\"9.9\\"}'
    far.allow(command=f"echo '{hello}'; exec cat >/dev/null")
    return "prober 9.9 there speaks version 2 of the contract"


def black_hole(far):
    far.refusing = "silent"
    return "timed out"


def test_says_what_is_wrong_and_is_back_when_mended(fars, tmp_path):
    broken = {f.__name__: f for f in (wrong_host_key, wrong_key, no_command, motd, flood, nuls, complains, silent, other_version, black_hole)}
    far = fars(broken)
    want = {name: broken[name](f) for name, f in far.items()}
    checks = {name: {**where("at"), "on": name} for name in broken}
    remotes = {name: f.remote(delay="0s", **{"black_hole": {"connect_timeout": "4s"}, "silent": {"connect_timeout": "1s", "limit": "3s"}}.get(name, {})) for name, f in far.items()}
    with Supervisor(tmp_path / "sup", checks, remotes=remotes) as sup:
        mended = ("wrong_host_key", "flood", "black_hole")
        for name in [*mended, *(n for n in broken if n not in mended)]:
            def said():
                c = sup.check(f"self.remote.{name}")
                return c["state"] == "CRITICAL" and want[name] in c["text"]
            wait_for(said, 60, f"{name}: {want[name]!r} is said")
            if name in mended:
                far[name].refusing = False
                far[name].allow()
                far[name].know(far[name].host_key)
        assert len(sup.log()) < 100000
        for name in mended:
            sup.wait_check(name, state="OK")
            sup.wait_said(f"self.remote.{name}", "problem CRITICAL", "recovery OK")


LIAR = r"""
import json, sys
print(json.dumps({"v": 1, "hello": "prober", "place": "all", "version": "9.9", "pid": 1, "threads": 1000000}), flush=True)
good = {"state": "OK", "measured": True, "layer": "", "text": "lied"}
for line in sys.stdin:
    job = json.loads(line)
    if "beat" in job:
        print(json.dumps(job), flush=True)
    elif "run" in job:
        # for others, by every number they may have; then too many stores; then its own
        for n in range(1, 20):
            for place in ("net", "local", "remote"):
                if f"{place}-{n}" != job["run"]:
                    print(json.dumps({"done": f"{place}-{n}", **good}))
        for n in range(25):
            print(json.dumps({"store": job["run"], "state": "s" * 60000}))
        print(json.dumps({"done": job["run"], **good, "text": "own\u0007\u001b[2J | x", "more": "m\n" * 10000, "state_blob": "b" * 200000,
                          "perf": [{"label": "l" * 500, "value": n} for n in range(100)], "facts": {"f%d" % n: "t" * 500 for n in range(100)}}), flush=True)
"""


def test_a_liar_answers_only_for_its_own(far, tmp_path):
    (far.dir / "liar.py").write_text(LIAR)
    far.allow(command=f"/usr/bin/python3 {far.dir}/liar.py")
    checks = {"there": {**where("at"), "interval": "2s"}, "here": {"probe": "exec", "command": ["/bin/sh", "-c", "sleep 0.3; echo true"], "interval": "300ms"}}
    with supervisor(tmp_path, far, checks) as sup:
        c = sup.wait_check("there", state="OK")
        assert c["text"].startswith("own ") and "\x1b" not in c["text"] and "|" not in c["text"] and len(c["more"]) <= 6144 and len(c["perf"]) <= 64
        assert sup.wait_check(SELF, state="OK")["text"].endswith(f"prober 9.9 runs there, another version than this ({sup.status()['version']})")
        for _ in range(5):
            before = sup.check("here")["last_run"]
            wait_for(lambda: sup.check("here")["last_run"] != before and sup.check("here")["text"] != "not checked yet", 60, "the other check runs")
            assert sup.check("here")["text"] == "true", "nobody else's answer counts"
        record = next(f for f in (sup.state / "checks").glob("*.json") if '"there"' in f.read_text())
        assert record.stat().st_size < 100000


def test_who_floods_is_cut_off(far, tmp_path):
    flooder = LIAR.split("good =")[0] + "while True:\n    print('{}')\n"
    (far.dir / "liar.py").write_text(flooder)
    far.allow(command=f"/usr/bin/python3 {far.dir}/liar.py")
    with supervisor(tmp_path, far, {"there": where("at"), "here": {}}, delay="0s") as sup:
        wait_for(lambda: "floods us" in sup.check(SELF)["text"] and sup.check(SELF)["state"] != "OK", 60, "cut off")
        sup.wait_check("here", state="OK")
        far.allow()
        up(sup, ["there"])


def test_a_reload_moves_checks(far, tmp_path):
    """From here to there, to another remote, and away: runs in flight are nobody's, and what a probe kept of one host is not shown another."""
    with supervisor(tmp_path, far, {"mover": where("at")}) as sup:
        up(sup, ["mover"])
        sup.sections["remotes"] = {"relay1": far.remote(limit="11s"), "second": far.remote()}
        sup.checks["mover"]["on"] = "second"
        sup.write_config()
        assert sup.ask(do="reload")["ok"]
        wait_for(lambda: sup.check("mover").get("on") == "second" and sup.check("mover")["text"] == "at relay1.example", 60, "moved")
        sup.wait_check("self.remote.second", state="OK")
        wait_for(lambda: far.accepted >= 3, 60, "a changed remote is connected to anew")
        del sup.checks["mover"]["on"]
        sup.sections["remotes"] = {}
        sup.write_config()
        assert sup.ask(do="reload")["ok"]
        wait_for(lambda: "on" not in sup.check("mover") and "relay1" not in sup.check("mover")["text"], 60, "moved back")
        assert not [c for c in sup.status()["checks"] if c["name"].startswith("self.remote")]
        wait_for(lambda: not far.pids("monitord-prober"), 60, "nothing is left there")


def test_what_the_other_side_does_not_allow(far, tmp_path):
    far.allow(command="monitord-prober --stdio --without exec")
    with supervisor(tmp_path, far, {"there": where("at"), "load": {"probe": "load", "warning": "10000", "on": "relay1"}}) as sup:
        sup.wait_check("load", state="OK")
        c = sup.wait_check("there", state="UNKNOWN", measured=False)
        assert "this host does not allow that probe" in c["text"], c


def test_over_a_host_in_between(far, tmp_path):
    with sshd.Sshd() as jump:
        public = Path(f"{far.identity}.pub").read_text()
        (jump.dir / "authorized_keys").write_text(f'restrict,port-forwarding,permitopen="127.0.0.1:{far.port}",command="/bin/false" {public}')
        with open(far.dir / "known_hosts", "a") as known:
            known.write(f"[127.0.0.1]:{jump.port} " + Path(f"{jump.host_key}.pub").read_text())
        with supervisor(tmp_path, far, {"there": where("at")}, jump=f"probe@127.0.0.1:{jump.port}") as sup:
            up(sup, ["there"])
            assert jump.accepted == 1 and sup.check("there")["text"] == "at relay1.example"


BAD = {
    "dash": ({"host": "-oProxyCommand=touch /tmp/x"}, 'host "-oProxyCommand=touch /tmp/x": a host begins with a letter or a digit'),
    "user": ({"host": "h", "user": "-l"}, 'user "-l": is no user name'),
    "jump": ({"host": "h", "jump": "a@-oX"}, 'jump "a@-oX": is no jump host'),
    "jumps": ({"host": "h", "jump": "a;b"}, 'jump "a;b": is no jump host'),
    "key": ({"host": "h", "identity": "id"}, "identity: must be an absolute path"),
    "token": ({"host": "h", "known_hosts": "/etc/%h"}, "known_hosts: holds what ssh would expand or split"),
    "blank": ({"host": "h", "identity": "/etc/a b"}, "identity: holds what ssh would expand or split"),
    "command": ({"host": "h", "command": "-x"}, 'command "-x": must name a program'),
    "beats": ({"host": "h", "interval": "10s", "limit": "20s"}, "limit: must be at least three times its interval"),
    "typo": ({"host": "h", "prot": "22"}, 'prot: unknown; did you mean "port"?'),
    "no host!": ({}, "host: is missing, and the remote's name is no host"),
}


def test_what_is_refused_and_where(tmp_path):
    sup = Supervisor(tmp_path, {"a": {"on": "dahs", "probe": "load"}, "b": {"on": "dash", "probe": "passive", "freshness_threshold": "1h"}},
                     remotes={name: r for name, (r, _) in BAD.items()})
    sup.write_config()
    done = subprocess.run([BUILD / "monitord", "-t", "-c", sup.conf_file], capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    for name, (_, want) in BAD.items():
        assert any(f"remotes.{name}.{want}" in line and "monitord.yaml:" in line for line in said.splitlines()), (name, said)
    assert 'checks.a.on "dahs": there is no such remote; did you mean "dash"?' in said
    assert "checks.b.on: is for what is run" in said


def test_routes_are_proved_against_its_loss(tmp_path):
    """A route that needs a check on a remote is lost with that remote: none left is an error; with another one, coverage shows what is left."""
    sup = Supervisor(tmp_path, {"gate": {"on": "far", "probe": "load", "warning": "9999"}}, remotes={"far": {"host": "far.example"}},
                     contacts={"oncall": {"routes": [{"line": "script", "to": "me", "needs": ["gate"]}]}})
    sup.write_config()
    done = subprocess.run([BUILD / "monitord", "-t", "-c", sup.conf_file], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and 'remotes.far: no route of contact "oncall" remains when this remote is lost' in done.stdout + done.stderr
    sup.sections["contacts"]["oncall"]["routes"].append({"line": "script", "to": "other"})
    sup.write_config()
    done = subprocess.run([BUILD / "monitorctl", "-c", sup.conf_file, "coverage", "--json"], capture_output=True, text=True, timeout=120)
    lost = {c["check"]: [r["to"] for r in c["routes"] if not r["remains"]] for c in json.loads(done.stdout)}
    assert lost == {"gate": ["me"], "self.remote.far": ["me"], "self": ["me"]}, done
