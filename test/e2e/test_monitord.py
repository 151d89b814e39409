"""monitord end to end: real processes, plugins and probers that say what the test told them."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import pytest

from supervisor import BUILD, FAKES, FakePager, Supervisor, alive, wait_for


def now_ms():
    return int(time.time() * 1000)


def block(directory):
    """Puts a file where the directory was, though somebody keeps making it."""
    def done():
        try:
            shutil.rmtree(directory, ignore_errors=True)
            directory.write_text("in the way")
            return directory.is_file()
        except OSError:
            return False
    wait_for(done, what=f"{directory} is out of order")


def ask_aside(sup, **request):
    """Asks without waiting for the answer."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(sup.run / "monitord.sock"))
    s.sendall(json.dumps({"v": 1, **request}).encode() + b"\n")
    return s


def downtime(sup, name, seconds, **more):
    return sup.ask(do="downtime", name=name, until_wall_ms=now_ms() + int(seconds * 1000), by="alice", comment="disks", **more)


class Told:
    """A check of the scripted prober."""

    def __init__(self, directory, name):
        self.script = directory / f"{name}.told"
        self.does("done OK fine")

    def does(self, what):
        fresh = self.script.with_suffix(".fresh")
        fresh.write_text(what + "\n")
        fresh.rename(self.script)

    def jobs(self):
        log = self.script.with_name(self.script.name + ".jobs")
        return [json.loads(x) for x in log.read_text().splitlines()] if log.exists() else []

    def check(self, **more):
        return {"probe": "told", "script": str(self.script), **more}


@pytest.fixture
def told(tmp_path):
    """A supervisor whose prober is scripted; told(names) gives it, not started, and the scripts."""
    libexec = tmp_path / "libexec"
    libexec.mkdir()
    (libexec / "prober").symlink_to(FAKES / "prober_fake")
    (libexec / "notify_exec").symlink_to(BUILD / "notify_exec")

    def make(*names, settings=None, **sections):
        scripts = {n: Told(tmp_path, n) for n in names}
        sup = Supervisor(tmp_path / "sup", checks={n: scripts[n].check(**(settings or {})) for n in names}, **sections)
        sup.libexec = libexec
        return sup, scripts
    return make


# --- the story ---------------------------------------------------------------------------------------


def test_soft_hard_event_recovery(tmp_path):
    with Supervisor(tmp_path, checks={"mx1": {"max_check_attempts": 3, "interval": "1s", "retry_interval": "300ms", "host": "relay.example",
                                              "contacts": ["oncall"]}}) as sup:
        sup.wait_ok()
        sup.plugin("mx1").says(2, "SMTP CRITICAL - refused | time=0.1s;1;2;0\nline two")
        soft = sup.wait_check("mx1", state="CRITICAL", attempt=1)
        assert not soft["hard"] and soft["max"] == 3 and not soft["problem"] and soft["hard_state"] == "OK"
        event = sup.wait_said("mx1", "problem CRITICAL")
        assert event["text"].endswith("refused") and "line two" in event["more"] and event["host"] == "relay.example"
        assert event["contacts"] == ["oncall"] and event["previous"] == "OK" and event["measured"]
        assert event["opened"] == event["change"] and not event["suppressed"]
        # since is the first soft failure: two retry intervals before the decision, give or take how late a result comes
        assert 350 <= event["at"]["boot_ms"] - event["since"]["boot_ms"] < 20000
        hard = sup.check("mx1")
        assert hard["hard"] and hard["problem"] and hard["attempt"] == 3 and hard["change"] == event["change"]
        assert hard["perf"][0]["label"] == "time" and hard["perf"][0]["value"] == 0.1
        assert len(hard["incident"]) == 5
        sup.plugin("mx1").says(0, "SMTP OK")
        back = sup.wait_said("mx1", "problem CRITICAL", "recovery OK")
        assert back["opened"] == event["change"] and back["change"] == event["change"] + 1
        assert back["since"] == event["since"] and back["text"].endswith("OK")
        history = sup.ask(do="history", name="mx1", limit=10)["events"]
        assert [e["kind"] for e in history] == ["recovery", "problem"]
        assert sup.ask(do="history", name="nobody")["events"] == []
    # the status file is complete JSON and says the same
    status = json.loads((sup.run / "status.json").read_text())
    assert status["daemon"] == "monitord" and {c["name"] for c in status["checks"]} >= {"mx1", "self", "self.config"}


def test_status_file_is_written_before_the_event(tmp_path):
    with Supervisor(tmp_path, deadman={"interval": "60s", "limit": "600s"}) as sup:
        sup.wait_ok()
        sup.plugin("mx1").says(2, "dead")
        sup.wait_said("mx1", "problem CRITICAL")
        mx1 = next(c for c in json.loads((sup.run / "status.json").read_text())["checks"] if c["name"] == "mx1")
        assert mx1["problem"] and mx1["state"] == "CRITICAL"


def test_check_now_runs_afresh(tmp_path):
    with Supervisor(tmp_path, checks={"mx1": {"interval": "1h"}}) as sup:
        first = sup.check_now("mx1")
        assert first["state"] == "OK"
        sup.plugin("mx1").says(1, "slow")
        assert sup.check_now("mx1")["state"] == "WARNING"
        # asked while a run is under way: the answer is of the one after it, for that one may have begun too early
        sup.plugin("mx1").hang()
        before = sup.plugin("mx1").runs()
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(sup.run / "monitord.sock"))
            s.settimeout(60)
            s.sendall(b'{"v":1,"do":"check","name":"mx1"}\n')
            wait_for(lambda: sup.plugin("mx1").runs() == before + 1, what="the run has begun")
            s.sendall(b'{"v":1,"do":"check","name":"mx1"}\n')
            sup.plugin("mx1").says(0, "fast again")
            sup.plugin("mx1").hang(False)
            answers = b""
            while answers.count(b"\n") < 2:
                answers += s.recv(65536)
        assert sup.plugin("mx1").runs() == before + 2
        assert sup.ask(do="check", name="nothing")["error"] == 'there is no check "nothing"'


def test_subscribers_see_changes_and_events(tmp_path):
    with Supervisor(tmp_path) as sup, socket.socket(socket.AF_UNIX) as s:
        sup.wait_ok()
        s.connect(str(sup.run / "monitord.sock"))
        s.settimeout(60)
        s.sendall(b'{"v":1,"do":"subscribe"}\n')
        stream = s.makefile()
        assert json.loads(stream.readline())["ok"]
        sup.plugin("mx1").says(2, "dead")
        seen = []
        while not any("event" in x for x in seen) or not any("change" in x for x in seen):
            seen.append(json.loads(stream.readline()))
        assert next(x for x in seen if "event" in x)["event"]["check"] == "mx1"
        assert next(x for x in seen if "change" in x)["change"]["state"] == "CRITICAL"


# --- parents and downtime ------------------------------------------------------------------------------


def test_children_of_a_down_parent_are_quiet_until_it_is_back(tmp_path):
    with Supervisor(tmp_path, checks={"gw": {}, "mx1": {"parents": ["gw"]}, "mx2": {"parents": ["gw"]}}) as sup:
        sup.wait_ok()
        for name in ("gw", "mx1", "mx2"):
            sup.plugin(name).says(2, "dead")
        sup.wait_said("gw", "problem CRITICAL")
        event = sup.wait_said("mx1", "(problem CRITICAL)")
        assert event["why_suppressed"] == "below gw, which is down"
        assert sup.wait_check("mx2", problem=True, suppressed=True)["why"] == "below gw, which is down"
        sup.plugin("mx2").says(0, "back")
        sup.wait_said("mx2", "(problem CRITICAL)", "(recovery OK)")
        # the parent is back, the child is not: now it pages
        sup.plugin("gw").says(0, "back")
        sup.wait_said("gw", "problem CRITICAL", "recovery OK")
        event = sup.wait_said("mx1", "(problem CRITICAL)", "problem CRITICAL")
        assert event["opened"] == event["change"] - 1
        sup.plugin("mx1").says(0, "back")
        sup.wait_said("mx1", "(problem CRITICAL)", "problem CRITICAL", "recovery OK")


def test_a_parent_is_asked_before_its_child_pages(tmp_path):
    """The parent's own turn comes only in an hour; without asking, the child would page."""
    checks = {"gw": {"interval": "1h"}, "mx1": {"parents": ["gw"]}}
    with Supervisor(tmp_path, checks=checks) as sup:
        sup.check_now("gw")
        sup.wait_ok("mx1")
        sup.plugin("gw").says(2, "dead")
        sup.plugin("mx1").says(2, "unreachable")
        sup.wait_said("mx1", "(problem CRITICAL)")
        sup.wait_said("gw", "problem CRITICAL")
        # and when the parent is well, the child's page leaves
        sup.plugin("gw").says(0, "well")
        sup.check_now("gw")
        sup.wait_said("mx1", "(problem CRITICAL)", "problem CRITICAL")


def test_with_two_parents_both_must_be_down(tmp_path):
    with Supervisor(tmp_path, checks={"gw1": {}, "gw2": {}, "mx1": {"parents": ["gw1", "gw2"]}}) as sup:
        sup.wait_ok()
        sup.plugin("gw1").says(2, "dead")
        sup.wait_said("gw1", "problem CRITICAL")
        sup.plugin("mx1").says(2, "dead")
        sup.wait_said("mx1", "problem CRITICAL")


def test_downtime(tmp_path):
    with Supervisor(tmp_path, checks=["mx1", "mx2", "mx3"]) as sup:
        sup.wait_ok()
        shown = downtime(sup, "mx1", 3)["check"]["downtime"]
        assert shown["by"] == "alice" and shown["comment"] == "disks" and shown["active"]
        assert downtime(sup, "mx2", 3600)["ok"]
        sup.plugin("mx1").says(2, "dead")
        sup.plugin("mx2").says(2, "dead")
        event = sup.wait_said("mx1", "(problem CRITICAL)")
        assert "in downtime until" in event["why_suppressed"] and "alice: disks" in event["why_suppressed"]
        # begins and ends in downtime: nobody hears of it
        sup.wait_said("mx2", "(problem CRITICAL)")
        sup.plugin("mx2").says(0, "back")
        sup.wait_said("mx2", "(problem CRITICAL)", "(recovery OK)")
        # outlives its downtime: pages at its end
        event = sup.wait_said("mx1", "(problem CRITICAL)", "problem CRITICAL")
        assert sup.check("mx1")["downtime"] is None
        # paged before the downtime: its recovery is told even in it
        sup.plugin("mx3").says(2, "dead")
        sup.wait_said("mx3", "problem CRITICAL")
        downtime(sup, "mx3", 3600)
        sup.wait_said("mx3", "problem CRITICAL", "(problem CRITICAL)")
        sup.plugin("mx3").says(0, "back")
        sup.wait_said("mx3", "problem CRITICAL", "(problem CRITICAL)", "recovery OK")
        assert sup.ask(do="downtime", name="mx3", cancel=True)["check"]["downtime"] is None
        assert "in no downtime" in sup.ask(do="downtime", name="mx3", cancel=True)["error"]
        assert "not in the future" in downtime(sup, "mx3", -5)["error"]
        assert "366 days" in downtime(sup, "mx3", 400 * 86400)["error"]
        assert "by" in sup.ask(do="downtime", name="mx3", until_wall_ms=now_ms() + 9999)["error"]


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30)


@pytest.fixture
def netns():
    """A network namespace with a default route over a veth pair; its far end is unplugged by `ip link set NAMEp down`."""
    name = f"mon{os.getpid()}"
    if os.geteuid() != 0 or shutil.which("ip") is None or ip("netns", "add", name).returncode != 0:
        pytest.skip("network namespaces cannot be made here")
    try:
        inside = ("netns", "exec", name, "ip")
        for words in ((*inside, "link", "add", "v0", "type", "veth", "peer", "name", "v0p"), (*inside, "link", "set", "lo", "up"),
                      (*inside, "addr", "add", "192.0.2.2/24", "dev", "v0"), (*inside, "link", "set", "v0", "up"),
                      (*inside, "link", "set", "v0p", "up"),
                      (*inside, "route", "add", "default", "via", "192.0.2.1", "dev", "v0")):
            done = ip(*words)
            if done.returncode != 0:
                pytest.skip(f"no veth pair here: {done.stderr.strip()}")
        yield lambda *words: ip(*inside, *words)
    finally:
        ip("netns", "del", name)


def test_an_unplugged_host_pages_once(tmp_path, netns):
    names = [f"mx{i}" for i in range(5)]
    sup = Supervisor(tmp_path, checks={n: {"host": f"198.51.100.{i}"} for i, n in enumerate(names)})
    sup.wrapper = ["ip", "netns", "exec", f"mon{os.getpid()}"]
    with sup:
        sup.wait_ok()
        assert "gateway 192.0.2.1" in sup.wait_check("self", state="OK")["text"]
        assert netns("link", "set", "v0p", "down").returncode == 0
        for n in names:
            sup.plugin(n).says(2, "unreachable")
        for n in names:
            event = sup.wait_said(n, "(problem CRITICAL)")
            assert event["why_suppressed"] == "below self, which is down"
        event = sup.wait_said("self", "problem CRITICAL")
        assert "own link v0 is down" in event["text"]
        # plugged in again; one of them is really down
        netns("link", "set", "v0p", "up")
        for n in names[1:]:
            sup.plugin(n).says(0, "fine")
        sup.wait_said("self", "problem CRITICAL", "recovery OK")
        sup.wait_said(names[0], "(problem CRITICAL)", "problem CRITICAL")
        for n in names[1:]:
            sup.wait_said(n, "(problem CRITICAL)", "(recovery OK)")


# --- what survives -------------------------------------------------------------------------------------


def test_kill_at_random_keeps_attempts_downtime_and_numbers(tmp_path):
    checks = {"long": {"max_check_attempts": 100, "retry_interval": "100ms"}, "flip": {"retry_interval": "100ms", "interval": "100ms"},
              "rest": {}}
    rng = random.Random(7)
    sup = Supervisor(tmp_path, checks=checks)
    seen = {}
    with sup:
        sup.wait_ok()
        assert downtime(sup, "rest", 3600)["ok"]
        sup.plugin("long").says(2, "dead")
        attempt = 0
        for i in range(12):
            sup.plugin("flip").says(rng.choice([0, 2]), f"round {i}")
            time.sleep(rng.random() * 0.6)
            attempt = sup.check("long")["attempt"] if i % 3 == 0 else attempt
            sup.kill()
            for e in sup.events():
                key = (e["check"], e["change"])
                # a number is used once, whatever was rewritten
                assert seen.setdefault(key, e) == e
            sup.start()
            now = sup.check("long")
            # the write of the very last attempts may have been under way
            assert now["attempt"] >= attempt - 3 and now["state"] == "CRITICAL" and not now["hard"], (attempt, now)
            assert sup.check("rest")["downtime"]["by"] == "alice"
        # what is true in the end is what was said last
        for code, word in ((2, "problem"), (0, "recovery")):
            sup.plugin("flip").says(code, "end")
            wait_for(lambda w=word: (sup.events("flip") or [{}])[-1].get("kind") == w, what=word)
        flips = sup.events("flip")
        assert [e["change"] for e in flips] == list(range(flips[0]["change"], flips[0]["change"] + len(flips)))
        kinds = [e["kind"] for e in flips]
        assert all(a != b for a, b in zip(kinds, kinds[1:])), kinds
        for problem, recovery in zip(flips[::2], flips[1::2]):
            assert recovery["opened"] == problem["opened"] == problem["change"]


def test_an_event_that_did_not_reach_the_spool_is_written_again(tmp_path):
    sup = Supervisor(tmp_path, checks={"mx1": {"interval": "1h"}})
    with sup:
        sup.plugin("mx1").says(2, "dead")
        sup.check_now("mx1")
        event = sup.wait_said("mx1", "problem CRITICAL")
        sup.kill()
        # as after a crash between the record and the spool
        record = sup.state / "checks" / "mx1.json"
        content = json.loads(record.read_text())
        content["out"] = [event]
        record.write_text(json.dumps(content))
        for f in (sup.spool / "new").glob("mx1@*"):
            f.unlink()
        sup.start()
        assert sup.wait_said("mx1", "problem CRITICAL") == event


def test_a_change_that_was_never_said_is_said_after_the_restart(tmp_path):
    """Killed after the record of the state but before anything was decided about an event."""
    sup = Supervisor(tmp_path, checks={"mx1": {"interval": "1h"}})
    with sup:
        sup.plugin("mx1").says(2, "dead")
        sup.check_now("mx1")
        event = sup.wait_said("mx1", "problem CRITICAL")
        sup.kill()
        record = sup.state / "checks" / "mx1.json"
        content = json.loads(record.read_text())
        content.pop("out", None)
        content["judge"].update(said=False, paged=False, change=event["change"] - 1, opened=0)
        record.write_text(json.dumps(content))
        for f in (sup.spool / "new").glob("mx1@*"):
            f.unlink()
        sup.start()
        again = sup.wait_said("mx1", "problem CRITICAL")
        assert again["change"] == event["change"] and again["text"] == event["text"]


def test_a_corrupt_record_is_set_aside_and_said(tmp_path):
    sup = Supervisor(tmp_path, checks=["mx1", "mx2"])
    with sup:
        sup.wait_ok()
        for name in ("mx1", "mx2"):
            sup.plugin(name).says(2, "dead")
            sup.wait_said(name, "problem CRITICAL")
        last = sup.events("mx1")[-1]["change"]
        sup.kill()
        (sup.state / "checks" / "mx1.json").write_text('{"v":1,"name":"mx1","judge":{"cha')
        sup.plugin("mx1").says(0, "back")
        sup.start()
        # the history still knew that a problem was open: it gets its end; a number is never used twice
        wait_for(lambda: [e["kind"] for e in sup.events("mx1")] == ["problem", "notice", "recovery"], what="notice and recovery")
        problem, notice, recovery = sup.events("mx1")
        assert "cannot be read" in notice["text"] and str(sup.state / "bad") in notice["text"]
        assert recovery["opened"] == problem["change"] == last and notice["change"] > last
        assert len(list((sup.state / "bad").iterdir())) == 1
        # nothing else is lost
        assert sup.check("mx2")["problem"] and sup.said("mx2") == ["problem CRITICAL"]


def test_history_is_bounded_and_survives_a_torn_line(tmp_path):
    with Supervisor(tmp_path, history={"lines": 10}, checks={"mx1": {"interval": "1h"}}) as sup:
        for i in range(30):
            sup.plugin("mx1").says(2 if i % 2 == 0 else 0, f"round {i}")
            sup.check_now("mx1")
        sup.wait_check("mx1", state="OK")
        wait_for(lambda: len(sup.ask(do="history", name="mx1", limit=100)["events"]) >= 10, what="history")
        log = sup.state / "events.jsonl"
        assert 10 <= len(log.read_text().splitlines()) <= 13
        assert sup.ask(do="history", limit=5000)["ok"] is False
        sup.kill()
        with open(log, "a") as f:
            f.write('{"v":1,"check":"mx1","chan')
        sup.start()
        sup.plugin("mx1").says(2, "after the crash")
        sup.check_now("mx1")
        newest = wait_for(lambda: [e for e in sup.ask(do="history", name="mx1", limit=2)["events"]
                                   if e["text"] == "after the crash"], what="the new event")
        assert newest[0]["kind"] == "problem"
        assert all(json.loads(x) for x in log.read_text().splitlines() if not x.startswith('{"v":1,"check":"mx1","chan'))


# --- disks in trouble ----------------------------------------------------------------------------------


def test_spool_in_trouble_twin_in_use(tmp_path):
    with Supervisor(tmp_path) as sup:
        sup.wait_ok()
        block(sup.spool)
        sup.plugin("mx1").says(2, "dead")
        sup.wait_said("mx1", "problem CRITICAL")
        assert list((sup.twin / "new").glob("mx1@*"))
        sup.wait_said("self.spool", "problem CRITICAL")
        assert sup.status()["spool"]["twin"] >= 1 and "spool" in sup.status()["spool"]["trouble"]
        sup.spool.unlink()
        sup.plugin("mx1").says(0, "back")
        sup.wait_said("mx1", "problem CRITICAL", "recovery OK")
        sup.wait_said("self.spool", "problem CRITICAL", "recovery OK")
        assert list((sup.spool / "new").glob("mx1@*"))


def test_records_disk_in_trouble_pages_leave_and_a_crash_loses_nothing(tmp_path):
    sup = Supervisor(tmp_path, checks={"mx1": {"interval": "1h"}})
    with sup:
        sup.check_now("mx1")
        wait_for(lambda: list((sup.state / "checks").glob("mx1.json")), what="record")
        block(sup.state / "checks")
        sup.plugin("mx1").says(2, "dead")
        sup.check_now("mx1")
        event = sup.wait_said("mx1", "problem CRITICAL")
        assert "not on disk" in downtime(sup, "mx1", 3600)["note"]
        sup.wait_said("self.spool", "problem CRITICAL")
        sup.kill()
        sup.start()
        kept = sup.check("mx1")
        assert kept["problem"] and kept["change"] > event["change"] and kept["downtime"]["by"] == "alice"
        (sup.state / "checks").unlink()
        sup.ask(do="downtime", name="mx1", cancel=True)
        wait_for(lambda: (sup.state / "checks" / "mx1.json").exists(), what="the record is on disk again")
        sup.wait_check("self.spool", problem=False)


# --- configuration -------------------------------------------------------------------------------------


def test_reload_keeps_adds_and_removes(tmp_path):
    with Supervisor(tmp_path, checks=["keep", "gone"]) as sup:
        sup.wait_ok()
        for name in ("keep", "gone"):
            sup.plugin(name).says(2, "dead")
            sup.wait_said(name, "problem CRITICAL")
        prober = sup.status()["probers"][0]["pid"]
        keep = sup.check("keep")
        del sup.checks["gone"]
        sup.checks["new"] = {}
        sup.write_config()
        answer = sup.ask(do="reload")
        assert answer["ok"] and answer["complaints"] == [] and answer["digest"] == sup.status()["digest"]
        sup.wait_ok("new")
        assert {k: sup.check("keep")[k] for k in ("change", "problem", "since", "incident")} == \
            {k: keep[k] for k in ("change", "problem", "since", "incident")}
        event = sup.wait_said("gone", "problem CRITICAL", "recovery OK")
        assert "taken out of the configuration" in event["text"]
        assert "gone" not in [c["name"] for c in sup.status()["checks"]]
        assert sup.status()["probers"][0]["pid"] == prober
        wait_for(lambda: not (sup.state / "checks" / "gone.json").exists(), what="its record is forgotten")
        # and a check that is put back never uses a number again
        sup.checks["gone"] = {}
        sup.write_config()
        assert sup.ask(do="reload")["ok"]
        sup.wait_check("gone", problem=True)
        sup.wait_said("gone", "problem CRITICAL", "recovery OK", "problem CRITICAL")


def test_bad_reload_leaves_the_old_one_and_pages(tmp_path):
    with Supervisor(tmp_path) as sup:
        sup.wait_ok()
        digest = sup.status()["digest"]
        sup.checks["mx1"] = {"intervall": "5s"}
        sup.write_config()
        answer = sup.ask(do="reload")
        assert not answer["ok"] and "did you mean" in answer["complaints"][0] and answer["digest"] == digest
        status = sup.status()
        assert status["digest"] == digest and "intervall" in status["config_error"]
        event = sup.wait_said("self.config", "problem CRITICAL")
        assert "monitord.yaml" in event["text"] and "intervall" in event["text"]
        assert "intervall" in sup.log()
        sup.plugin("mx1").says(2, "dead")  # the old one still works
        sup.wait_said("mx1", "problem CRITICAL")
        sup.checks["mx1"] = {"interval": "500ms"}
        sup.write_config()
        sup.process.send_signal(signal.SIGHUP)
        sup.wait_said("self.config", "problem CRITICAL", "recovery OK")
        assert sup.status()["config_error"] == "" and sup.status()["digest"] != digest


def test_start_on_a_bad_file_runs_the_last_good_copy(tmp_path):
    sup = Supervisor(tmp_path)
    with sup:
        sup.wait_ok()
        digest = sup.status()["digest"]
        sup.stop()
        good = sup.conf_file.read_text()
        sup.conf_file.write_text(good.replace('"interval": "300ms"', '"intervall": "300ms"'))
        sup.start()
        assert sup.status()["from_copy"] and sup.status()["digest"] == digest and "intervall" in sup.status()["config_error"]
        sup.wait_said("self.config", "problem CRITICAL")
        sup.plugin("mx1").says(2, "dead")
        sup.wait_said("mx1", "problem CRITICAL")
        # not even YAML, and the place of the copy is told by the option
        sup.stop()
        sup.conf_file.write_text("}{")
        sup.start(args=["-s", str(sup.state)])
        assert sup.status()["from_copy"]
        sup.conf_file.write_text(good)
        assert sup.ask(do="reload")["ok"] and not sup.status()["from_copy"]
        sup.wait_said("self.config", "problem CRITICAL", "recovery OK")


def test_start_on_a_bad_file_without_a_copy_fails(tmp_path):
    sup = Supervisor(tmp_path)
    sup.conf_file.write_text("checks: {mx1: {probe: nothing}}\npaths: {monitord_state: %s}\n" % sup.state)
    sup.start(wait=False)
    assert sup.process.wait(60) == 1
    assert "no last good copy" in sup.log() and "nothing" in sup.log()


def test_the_option_t(tmp_path):
    sup = Supervisor(tmp_path)
    sup.write_config()
    command = [str(BUILD / "monitord"), "-t", "-c", str(sup.conf_file)]
    good = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert good.returncode == 0 and "test is successful" in good.stderr.splitlines()[-1]
    sup.checks = {"mx1": {"intervall": "5s"}, "mx2": {"parents": ["nobody"]}}
    sup.write_config()
    bad = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = bad.stderr.splitlines()
    assert bad.returncode == 1 and "test failed, 2 complaints" in lines[-1]
    assert sum(str(sup.conf_file) + ":" in x for x in lines) >= 3 and not bad.stdout
    assert subprocess.run(command[:1] + ["-V"], capture_output=True, text=True).stdout.startswith("monitord ")
    assert subprocess.run(command[:1] + ["-h"], capture_output=True, text=True).stdout.startswith("usage: ")
    assert subprocess.run(command[:1] + ["-x"], capture_output=True, text=True).returncode == 2


def test_only_one_runs(tmp_path):
    with Supervisor(tmp_path) as sup:
        second = subprocess.run([str(BUILD / "monitord"), "-c", str(sup.conf_file)], capture_output=True, text=True, timeout=60)
        assert second.returncode == 1 and "another monitord runs here" in second.stderr
        assert sup.answers()


def test_systemd_is_told(tmp_path):
    sup = Supervisor(tmp_path)
    sup.write_config()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(60)
        said = []

        def hear(word):
            while not any(word in x for x in said):
                said.append(s.recv(4096).decode())
            return next(x for x in said if word in x)
        sup.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"})
        try:
            hear("READY=1")
            said.clear()
            for _ in range(3):
                hear("WATCHDOG=1")
                said.clear()
            sup.process.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in hear("RELOADING=1")
            said.clear()
            hear("READY=1")
        finally:
            code = sup.stop()
        hear("STOPPING=1")
        assert code == 0, sup.log()


# --- probers -------------------------------------------------------------------------------------------


def test_a_stopped_prober_is_replaced(tmp_path):
    with Supervisor(tmp_path, checks={"mx1": {"timeout": "1s"}}) as sup:
        sup.wait_ok()
        pid = sup.status()["probers"][0]["pid"]
        sup.stopped = [pid]
        os.kill(pid, signal.SIGSTOP)
        lost = sup.wait_check("mx1", text="prober does not answer", timeout=60)
        assert lost["state"] == "UNKNOWN" and not lost["measured"] and lost["layer"] == "prober"
        sup.wait_check("mx1", state="OK", timeout=60)
        prober = sup.status()["probers"][0]
        assert prober["pid"] != pid and prober["restarts"] == 1
        wait_for(lambda: not alive(pid), what="the old one is gone")
        assert sup.events("mx1") == []  # one run that could not be measured is no problem yet


def test_runs_of_a_dead_prober_are_made_again_at_once(tmp_path):
    with Supervisor(tmp_path, checks={"mx1": {"interval": "1h", "retry_interval": "1h"}}) as sup:
        sup.plugin("mx1").hang()
        asking = ask_aside(sup, do="check", name="mx1")
        wait_for(lambda: sup.plugin("mx1").runs() == 1, 90, "the run has begun")
        os.kill(sup.status()["probers"][0]["pid"], signal.SIGKILL)
        sup.wait_check("mx1", measured=False, state="UNKNOWN")
        assert "prober died: killed by signal 9" in sup.check("mx1")["text"]
        sup.plugin("mx1").hang(False)
        sup.wait_check("mx1", state="OK", measured=True)
        assert sup.plugin("mx1").runs() == 2
        # who asked gets the answer of the run that could be made
        assert json.loads(asking.makefile().readline())["check"]["state"] == "OK"
        asking.close()


def test_a_check_that_kills_its_prober_does_not_page_for_all(told):
    sup, scripts = told("poison", "mx1", settings={"interval": "200ms"})
    with sup:
        sup.wait_ok()
        scripts["poison"].does("die")
        event = sup.wait_said("self.prober", "problem CRITICAL", timeout=60)
        assert "died 3 times" in event["text"] and "exited 7" in event["text"]
        sup.wait_check("poison", problem=True, suppressed=True, timeout=60)
        assert sup.check("poison")["why"] == "below self.prober, which is in trouble"
        assert [e for e in sup.events("poison") + sup.events("mx1") if not e["suppressed"]] == []


def test_states_are_on_disk_before_they_are_confirmed(told):
    sup, scripts = told("mx1", settings={"interval": "1h"})
    with sup:
        scripts["mx1"].does("store token-1")
        assert sup.check_now("mx1")["text"] == "stored yes"
        assert json.loads((sup.state / "checks" / "mx1.json").read_text())["blob"] == "token-1"
        sup.kill()
        sup.start()
        scripts["mx1"].does("state token-2")
        assert sup.check_now("mx1")["text"] == "state token-1"
        assert sup.check_now("mx1")["text"] == "state token-2"
        scripts["mx1"].does("store " + "x" * 65537)
        assert sup.check_now("mx1")["text"] == "stored no"
        # what a sick disk did not take is not confirmed
        block(sup.state / "checks")
        scripts["mx1"].does("store token-3")
        assert sup.check_now("mx1")["text"] == "stored no"
        (sup.state / "checks").unlink()
        wait_for(lambda: (sup.state / "checks" / "mx1.json").exists(), what="the record is on disk again")


def test_retire_starts_another_and_waits_for_nothing(told):
    sup, scripts = told("stuck", "slow", "mx1", settings={"interval": "200ms", "timeout": "4s"})
    with sup:
        sup.wait_ok()
        scripts["slow"].does("hang")
        wait_for(lambda: sup.check("slow")["running"], what="a run hangs")
        time.sleep(0.3)
        first = sup.status()["probers"][0]["pid"]
        scripts["stuck"].does("retire")
        wait_for(lambda: sup.status()["probers"][0]["pid"] not in (first, -1), what="another prober")
        scripts["stuck"].does("done OK fine")
        assert alive(first)  # it has a run of "slow"
        sup.wait_ok("mx1", "stuck")
        assert sup.status()["probers"][0]["lingering"] >= 1
        wait_for(lambda: not alive(first), 60, "the old one is gone")
        assert any(job["pid"] != first for job in scripts["mx1"].jobs())


def test_a_check_that_blocks_its_prober_is_tried_more_rarely(told):
    """A prober that is blocked in the kernel cannot even be killed: one more a minute for a weekend would fill the host."""
    sup, scripts = told("stuck", "mx1", settings={"interval": "500ms", "retry_interval": "200ms"})
    with sup:
        sup.wait_ok()
        scripts["stuck"].does("retire")
        event = sup.wait_said("stuck", "problem UNKNOWN", timeout=60)
        assert event["text"] == "could not be measured: blocked in statvfs"
        wait_for(lambda: sup.check("stuck")["next_in_ms"] > 3000, 90, "long pauses")
        runs = [job for job in scripts["stuck"].jobs()]
        assert len({job["pid"] for job in runs}) <= 9
        assert not sup.check("stuck")["stale"] and sup.check("mx1")["state"] == "OK"
        scripts["stuck"].does("done OK free again")
        assert sup.check_now("stuck")["state"] == "OK"
        sup.wait_said("stuck", "problem UNKNOWN", "recovery OK")
        assert sup.check("stuck")["next_in_ms"] <= 500


def test_nonsense_from_a_prober(told):
    sup, scripts = told("mx1", settings={"interval": "200ms"})
    with sup:
        sup.wait_ok()
        scripts["mx1"].does("result")
        c = sup.wait_check("mx1", state="UNKNOWN")
        assert "no result" in c["text"] and not c["measured"]
        scripts["mx1"].does("nonsense")
        wait_for(lambda: "spoke nonsense" in sup.check("mx1")["text"], what="it is said")
        scripts["mx1"].does("done OK fine")
        sup.wait_ok("mx1")


def test_failures_to_measure_are_other_than_failures_measured(told):
    sup, scripts = told("mx1", "mx2", settings={"interval": "300ms", "retry_interval": "200ms"})
    with sup:
        sup.wait_ok()
        scripts["mx1"].does("unmeasured plugin missing")
        scripts["mx2"].does("done UNKNOWN who knows")
        event = sup.wait_said("mx2", "problem UNKNOWN")
        assert event["text"] == "who knows" and event["measured"]
        event = sup.wait_said("mx1", "problem UNKNOWN")
        assert event["text"] == "could not be measured: plugin missing" and not event["measured"]
        # though max_check_attempts is 1, it took three runs
        assert sup.check("mx1")["max"] == 3
        assert event["at"]["boot_ms"] - event["since"]["boot_ms"] >= 390


def test_stale_results_of_a_dead_prober_page_once(told):
    sup, scripts = told("mx1", "mx2", settings={"interval": "300ms", "timeout": "1s"})
    with sup:
        sup.wait_ok()
        (sup.libexec / "FAKE_MUTE").touch()
        os.kill(sup.status()["probers"][0]["pid"], signal.SIGKILL)
        event = sup.wait_said("self.prober", "problem CRITICAL", timeout=90)
        assert "prober net is down" in event["text"]
        for name in ("mx1", "mx2"):
            event = sup.wait_said(name, "(problem UNKNOWN)")
            assert event["text"].startswith("stale: no result for") and event["layer"] == "stale" and not event["measured"]
            assert sup.check(name)["stale"] and event["why_suppressed"] == "below self.prober, which is in trouble"
        (sup.libexec / "FAKE_MUTE").unlink()
        sup.wait_said("mx1", "(problem UNKNOWN)", "(recovery OK)", timeout=120)
        assert not sup.check("mx1")["stale"]


def test_never_two_runs_at_once_and_skips_are_counted(tmp_path):
    with Supervisor(tmp_path) as sup:
        sup.wait_ok()
        sup.plugin("mx1").hang()
        runs = sup.plugin("mx1").runs()
        # one may have been past looking at the flag, the next one hangs
        wait_for(lambda: sup.plugin("mx1").runs() > runs and sup.check("mx1")["running"], what="a run hangs")
        time.sleep(2)
        assert sup.plugin("mx1").runs() <= runs + 2
        sup.plugin("mx1").hang(False)
        sup.wait_check("mx1", state="OK")
        assert wait_for(lambda: sup.check("mx1")["skipped"], what="skips") >= 3


def test_ten_checks_at_one_host_are_spread(told):
    names = [f"c{i}" for i in range(10)]
    sup, scripts = told(*names, settings={"interval": "1h", "host": "relay.example"}, defaults={"host_gap": "150ms"})
    with sup:
        for n in names:  # all at the same instant
            ask_aside(sup, do="check", name=n)
        wait_for(lambda: all(sup.check(n)["last_run"] for n in names), 90, "all ran")
        starts = sorted(sup.check(n)["last_run"]["boot_ms"] for n in names)
        assert min(b - a for a, b in zip(starts, starts[1:])) >= 149


# --- the dead-man --------------------------------------------------------------------------------------


class Pages:
    """What the last resort's script was given, one JSON text a page."""

    SCRIPT = """#!/usr/bin/python3
import json, os, sys
page = {k[9:].lower(): v for k, v in os.environ.items() if k.startswith("MONITORD_")}
page["stdin"] = sys.stdin.read()
with open("FILE", "a") as f:
    f.write(json.dumps(page) + "\\n")
sys.exit(int(open("FILE.exit").read()) if os.path.exists("FILE.exit") else 0)
"""

    def __init__(self, directory):
        self.file = directory / "pages"
        self.script = directory / "script"
        self.script.write_text(self.SCRIPT.replace("FILE", str(self.file)))
        self.script.chmod(0o755)

    def all(self):
        return [json.loads(x) for x in self.file.read_text().splitlines()] if self.file.exists() else []

    def wait(self, n, timeout=60.0):
        try:
            wait_for(lambda: len(self.all()) >= n, timeout)
        except AssertionError:
            raise AssertionError(f"{len(self.all())} pages instead of {n}: {self.all()}") from None
        return self.all()


def last_resort(tmp_path, **more):
    pages = Pages(tmp_path)
    sup = Supervisor(tmp_path / "sup", deadman={"interval": "300ms", "limit": "1500ms"},
                     lines={"emergency": {"notifier": "exec", "command": [str(pages.script)]}},
                     last_resort={"line": "emergency", "to": "boss"}, **more)
    return sup, pages


def keep_beating(pager, sup, until, **members):
    """Beats with the right digest until the condition holds; returns it."""
    def beat():
        pager.beat(digest=sup.status()["digest"], **members)
        return until()
    return wait_for(beat, 60)


def test_last_resort_pages_when_pagerd_is_gone(tmp_path):
    sup, pages = last_resort(tmp_path, checks=["mx1", "mx2", "mx3"])
    with sup:
        sup.wait_ok()
        pager = FakePager(sup).accept()
        assert pager.hear()["from"] == "monitord"
        keep_beating(pager, sup, lambda: sup.status()["pager"]["connected"])
        assert pages.all() == []
        sup.plugin("mx1").says(2, "dead")  # pagerd is gone, but nobody knows yet
        first = pages.wait(1)[0]
        assert first["to"] == "boss" and first["check"] == "self.pagerd" and "pagerd is gone" in first["text"]
        second = pages.wait(2)[1]
        assert second["check"] == "mx1" and second["kind"] == "new"
        assert second["incident"] == sup.check("mx1")["incident"]
        sup.plugin("mx2").says(2, "dead")
        assert pages.wait(3)[2]["check"] == "mx2"
        sup.plugin("mx2").says(0, "back")
        assert (pages.wait(4)[3]["check"], pages.all()[3]["kind"]) == ("mx2", "recovered")
        assert sup.said("self.pagerd") == ["(problem CRITICAL)"]
        # a restart of ours does not tell it again
        sup.kill()
        pager.close()
        sup.start()
        wait_for(lambda: sup.status()["pager"]["verdict"] == "silent", what="gone still")
        time.sleep(1)
        assert len(pages.all()) == 4
        pager = FakePager(sup).accept()
        keep_beating(pager, sup, lambda: len(pages.all()) > 4)
        last = pages.all()[-1]
        assert last["check"] == "self.pagerd" and last["kind"] == "recovered" and len(pages.all()) == 5
        keep_beating(pager, sup, lambda: sup.said("self.pagerd") == ["(problem CRITICAL)", "(recovery OK)"])
        sup.plugin("mx3").says(2, "dead")
        keep_beating(pager, sup, lambda: sup.said("mx3") == ["problem CRITICAL"])
        assert len(pages.all()) == 5  # it is pagerd's to say again
        pager.close()


def test_last_resort_tries_again(tmp_path):
    sup, pages = last_resort(tmp_path)
    (tmp_path / "pages.exit").write_text("75")
    with sup:
        pages.wait(1)
        (tmp_path / "pages.exit").unlink()
        assert pages.wait(2)[1]["check"] == "self.pagerd"
        assert pages.all()[0]["id"] == pages.all()[1]["id"]
        wait_for(lambda: json.loads((sup.state / "checks" / "self.pagerd.json").read_text()).get("blob") == "told",
                 what="it is remembered that people know")


def test_last_resort_is_bounded(tmp_path):
    names = [f"mx{i}" for i in range(30)]
    sup, pages = last_resort(tmp_path, checks=names)
    with sup:
        pages.wait(1)
        for n in names:
            sup.plugin(n).says(2, "dead")
        for n in names:
            sup.wait_said(n, "problem CRITICAL", timeout=90)
        got = pages.wait(22, 120)
        assert "no more are paged" in got[21]["text"]
        time.sleep(1.5)
        assert len(pages.all()) == 22


def test_wedged_pagerd_counts_as_gone_and_a_planned_stop_does_not(tmp_path):
    sup, pages = last_resort(tmp_path)
    with sup:
        pager = FakePager(sup).accept()
        digest = sup.status()["digest"]
        pager.beat(digest=digest, back_ms=600000)
        wait_for(lambda: sup.status()["pager"]["verdict"] == "planned", what="planned")
        time.sleep(3)
        assert pages.all() == [] and sup.status()["pager"]["verdict"] == "planned"

        def wedged():
            pager.beat(digest=digest, overdue_ms=5000, overdue="mx7")
            return pages.all()
        got = wait_for(wedged, 30, "wedged")
        assert "mx7" in got[0]["text"] and "stuck" in got[0]["text"]
        pager.close()


def test_what_a_wedged_pagerd_kept_for_itself_is_paged(tmp_path):
    sup, pages = last_resort(tmp_path)
    with sup:
        sup.wait_ok()
        pager = FakePager(sup).accept()
        keep_beating(pager, sup, lambda: sup.status()["pager"]["connected"])
        sup.plugin("mx1").says(2, "dead")
        keep_beating(pager, sup, lambda: sup.said("mx1") == ["problem CRITICAL"])
        digest, began = sup.status()["digest"], time.monotonic()

        def stuck():
            pager.beat(digest=digest, overdue_ms=int((time.monotonic() - began) * 1000), overdue="mx1")
            return len(pages.all()) >= 2
        wait_for(stuck, 30, "the problem that pagerd did not try to tell")
        assert [x["check"] for x in pages.all()] == ["self.pagerd", "mx1"]
        pager.close()


def test_different_configurations_page(tmp_path):
    sup = Supervisor(tmp_path, deadman={"interval": "200ms", "limit": "60s"})
    with sup:
        pager = FakePager(sup).accept()

        def other():
            pager.beat(digest="0123456789abcdef")
            return sup.said("self.pagerd")
        assert wait_for(other, 60) == ["problem CRITICAL"]
        assert "0123456789abcdef" in sup.events("self.pagerd")[0]["text"]
        keep_beating(pager, sup, lambda: sup.said("self.pagerd") == ["problem CRITICAL", "recovery OK"])
        pager.close()


def test_our_beats_tell_what_is_overdue_and_what_is_planned(told):
    sup, scripts = told("mx1", settings={"interval": "200ms"}, deadman={"interval": "200ms", "limit": "600s", "planned_stop": "7m"})
    with sup:
        sup.wait_ok()
        pager = FakePager(sup).accept()
        beat = pager.hear()
        assert beat["digest"] == sup.status()["digest"] and beat["back_ms"] == 0 and beat["pid"] == sup.process.pid
        (sup.libexec / "FAKE_MUTE").touch()
        os.kill(sup.status()["probers"][0]["pid"], signal.SIGKILL)
        # the age of the start that is owed, though later ones are skipped
        wait_for(lambda: pager.hear()["overdue_ms"] > 2000, what="overdue")
        assert pager.heard[-1]["overdue"] == "mx1"
        sup.process.terminate()
        wait_for(lambda: pager.hear()["back_ms"] == 420000, what="goodbye")
        assert sup.process.wait(60) == 0
        pager.close()


def test_real_pagerd_stopped_with_sigstop(tmp_path):
    if not (BUILD / "pagerd").exists():
        pytest.skip("pagerd is not built")
    sup, pages = last_resort(tmp_path)
    sup.sections["lines"]["normal"] = {"notifier": "exec", "command": ["/bin/true"]}
    sup.sections["contacts"] = {"oncall": {"routes": [{"line": "normal", "to": "me"}]}}
    sup.write_config()
    with open(tmp_path / "pagerd.log", "wb") as log:
        pagerd = subprocess.Popen([str(BUILD / "pagerd"), "-c", str(sup.conf_file)], stdout=log, stderr=log)
    try:
        with sup:
            wait_for(lambda: sup.status()["pager"]["connected"], 60, "pagerd beats")
            assert pages.all() == []
            pagerd.send_signal(signal.SIGSTOP)
            assert "pagerd is gone" in pages.wait(1)[0]["text"]
            pagerd.send_signal(signal.SIGCONT)
            assert pages.wait(2)[1]["kind"] == "recovered"
    finally:
        pagerd.send_signal(signal.SIGCONT)
        pagerd.terminate()
        pagerd.wait(60)


def test_our_own_sleep_is_nobodys_fault(tmp_path):
    sup, pages = last_resort(tmp_path)
    with sup:
        pager = FakePager(sup).accept()
        keep_beating(pager, sup, lambda: sup.status()["pager"]["connected"])
        sup.wait_ok()
        sup.process.send_signal(signal.SIGSTOP)
        time.sleep(8)
        sup.process.send_signal(signal.SIGCONT)
        wait_for(lambda: "did not run for" in sup.log(), what="it notices")
        before = len(sup.plugin("mx1").file.with_name("mx1.says.runs").read_bytes())
        pager.accept()
        keep_beating(pager, sup, lambda: sup.plugin("mx1").runs() > before + 2)
        assert pages.all() == [] and sup.events() == []
        pager.close()
