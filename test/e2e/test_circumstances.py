"""What keeps a problem from paging, end to end: dependencies beyond parents, flexible downtimes."""
import subprocess
import time

from supervisor import BUILD, Supervisor, wait_for


def now_ms():
    return int(time.time() * 1000)


# --- dependencies ------------------------------------------------------------------------------------


def test_a_dependency_says_who_suppressed_it(tmp_path):
    checks = {"ldap": {}, "disk": {},
              "imap": {"depends_on": [{"check": "ldap", "when": ["WARNING", "CRITICAL"]}, "disk"]}}
    with Supervisor(tmp_path, checks=checks) as sup:
        sup.wait_ok()
        # one of the two is enough, in a state that it names
        sup.plugin("ldap").says(1, "slow")
        sup.wait_said("ldap", "problem WARNING")
        sup.plugin("imap").says(2, "no logins")
        event = sup.wait_said("imap", "(problem CRITICAL)")
        assert event["why_suppressed"] == "depends on ldap, which is WARNING"
        # it is well again, its dependent is not: asked once more, then paged
        sup.plugin("ldap").says(0, "well")
        sup.wait_said("imap", "(problem CRITICAL)", "problem CRITICAL")
        sup.plugin("imap").says(0, "well")
        sup.wait_said("imap", "(problem CRITICAL)", "problem CRITICAL", "recovery OK")
        # a state that is not named explains nothing
        sup.plugin("disk").says(1, "filling")
        sup.wait_said("disk", "problem WARNING")
        sup.plugin("imap").says(2, "no logins")
        sup.wait_said("imap", "(problem CRITICAL)", "problem CRITICAL", "recovery OK", "problem CRITICAL")


def test_a_dependency_is_asked_before_a_page_leaves(tmp_path):
    """Its own turn comes only in an hour."""
    checks = {"ldap": {"interval": "1h"}, "imap": {"depends_on": ["ldap"]}}
    with Supervisor(tmp_path, checks=checks) as sup:
        sup.check_now("ldap")
        sup.wait_ok("imap")
        sup.plugin("ldap").says(2, "dead")
        sup.plugin("imap").says(2, "no logins")
        sup.wait_said("imap", "(problem CRITICAL)")
        sup.wait_said("ldap", "problem CRITICAL")


def test_what_is_not_to_run_does_not_run_and_is_not_stale(tmp_path):
    checks = {"ldap": {}, "logins": {"interval": "200ms", "timeout": "300ms",
                                     "depends_on": [{"check": "ldap", "suppress": "execution"}]}}
    with Supervisor(tmp_path, checks=checks) as sup:
        sup.wait_ok()
        sup.plugin("ldap").says(2, "dead")
        sup.wait_check("ldap", problem=True)
        shown = sup.wait_check("logins", running=False, not_run="depends on ldap, which is CRITICAL")
        before, skipped = sup.plugin("logins").runs(), shown["skipped"]
        # far beyond three intervals and a time limit (0.9 s) without a result
        wait_for(lambda: sup.check("logins")["skipped"] >= skipped + 10, 60, "turns pass")
        c = sup.check("logins")
        assert sup.plugin("logins").runs() <= before + 1 and c["state"] == "OK" and not c["stale"]  # + 1: it was about to
        # somebody asks: it runs all the same
        runs = sup.plugin("logins").runs()
        sup.check_now("logins")
        assert sup.plugin("logins").runs() == runs + 1
        sup.plugin("ldap").says(0, "well")
        wait_for(lambda: sup.plugin("logins").runs() > runs + 2, 60, "it runs again")
        assert "not_run" not in sup.check("logins") and not sup.events("logins")


# --- flexible downtime -------------------------------------------------------------------------------


def ctl(sup, *args):
    return subprocess.run([str(BUILD / "monitorctl"), "--run", str(sup.run), *args], capture_output=True, text=True, timeout=60)


def test_a_flexible_downtime_begins_with_the_problem(tmp_path):
    with Supervisor(tmp_path, checks=["mx1", "mx2"]) as sup:
        sup.wait_ok()
        done = ctl(sup, "downtime", "mx1", "--flexible", "--duration", "2h", "--for", "1h", "-m", "new disks", "--by", "alice")
        assert done.returncode == 0 and "a problem sets off a downtime of 2h, if it begins before" in done.stdout, done
        for bad in (["--flexible"], ["--duration", "1h"], ["--flexible", "--duration", "0"]):
            assert ctl(sup, "downtime", "mx2", "--for", "1h", *bad).returncode == 2
        waiting = sup.check("mx1")["downtime"]
        assert not waiting["active"] and waiting["duration_ms"] == 7200000 and waiting["began_wall_ms"] == 0
        # it waits over a crash
        sup.kill()
        sup.start()
        assert sup.check("mx1")["downtime"] == waiting
        sup.plugin("mx1").says(2, "dead")
        event = sup.wait_said("mx1", "(problem CRITICAL)")
        assert "in downtime until" in event["why_suppressed"] and "alice: new disks" in event["why_suppressed"]
        holds = sup.check("mx1")["downtime"]
        assert holds["active"] and holds["until_wall_ms"] == holds["began_wall_ms"] + 7200000
        assert abs(holds["began_wall_ms"] - event["at"]["wall_ms"]) < 1000
        # and over another, from the same moment on
        sup.kill()
        sup.start()
        assert sup.check("mx1")["downtime"] == holds


def test_a_problem_that_outlives_a_flexible_downtime_pages(tmp_path):
    with Supervisor(tmp_path, checks=["mx1"]) as sup:
        sup.wait_ok()
        sup.plugin("mx1").says(2, "dead")
        sup.wait_said("mx1", "problem CRITICAL")
        # a problem that stands when the window begins sets it off too
        given = sup.ask(do="downtime", name="mx1", until_wall_ms=now_ms() + 3600000, duration_ms=2000, by="alice")
        assert given["check"]["downtime"]["active"]
        sup.wait_said("mx1", "problem CRITICAL", "(problem CRITICAL)", "problem CRITICAL")
        assert sup.check("mx1")["downtime"] is None


# --- downtimes of the week ---------------------------------------------------------------------------


def test_downtimes_that_come_again(tmp_path):
    tomorrow = time.strftime("%a", time.gmtime(time.time() + 86400)).lower()
    downtimes = {"patches": {"checks": "mx*", "when": "always", "timezone": "Asia/Tokyo", "comment": "every night"},
                 "short": {"hosts": "*.example.org", "when": "always", "timezone": "UTC", "duration": "2s"},
                 "another day": {"checks": ["*"], "when": f"{tomorrow} 03:00-04:00", "timezone": "UTC"}}
    checks = {"mx1": {}, "disk": {}, "web": {"host": "www.example.org"}}
    with Supervisor(tmp_path, checks=checks, downtimes=downtimes) as sup:
        sup.wait_ok()
        shown = sup.check("mx1")["downtime"]
        assert shown["active"] and shown["recurring"] and shown["by"] == "patches" and shown["comment"] == "every night"
        assert sup.check("disk")["downtime"] is None
        listed = {d["name"]: d for d in sup.status()["downtimes"]}
        assert listed["patches"]["active"] and not listed["another day"]["active"]
        begins = time.gmtime(listed["another day"]["next_wall_ms"] / 1000)
        assert (time.strftime("%a", begins).lower(), begins.tm_hour, begins.tm_min) == (tomorrow, 3, 0)
        for name in checks:
            sup.plugin(name).says(2, "dead")
        sup.wait_said("disk", "problem CRITICAL")
        event = sup.wait_said("mx1", "(problem CRITICAL)")
        assert event["why_suppressed"].startswith("in downtime until") and event["why_suppressed"].endswith("(patches: every night)")
        # a flexible one, set off once by a problem
        sup.wait_said("web", "(problem CRITICAL)", "problem CRITICAL")
        sup.plugin("web").says(0, "back")
        sup.wait_said("web", "(problem CRITICAL)", "problem CRITICAL", "recovery OK")
        # taken out: what outlives it pages
        del sup.sections["downtimes"]["patches"]
        sup.write_config()
        assert sup.ask(do="reload")["ok"]
        sup.wait_said("mx1", "(problem CRITICAL)", "problem CRITICAL")
        assert sup.check("mx1")["downtime"] is None
