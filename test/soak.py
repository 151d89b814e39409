"""`make soak`: the whole product under trouble for a while. usage: soak.py MINUTES

About 50 checks; a real Postfix that is stopped, killed and paused at random; a modem with every kind of fault; daemons, probers and
notifiers killed -9 or held, and revived; reloads and questions in between. Each break of a check lasts until the phone has
shown it, each repair until the phone has shown that, so a page that is lost ends the soak. At the end, besides: every
incident of the history was paged, no page came twice without saying so, memory and descriptors did not grow, no process and no
event was left. SOAK_SEED in the environment repeats a run's choices.
"""
import collections
import ctypes
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "e2e"))
import postfix  # noqa: E402
from house import BUILD, House, ask  # noqa: E402

TOGGLED, STEADY, VISITORS = 20, 18, 10  # checks broken by us; never broken; sessions with the relay
SHOWN_WITHIN = 420.0  # seconds from a break to its page, whatever else is broken; a message whose fate the modem never tells
                      # is sent again after two minutes, and that may happen to it twice
QUIET_TAIL = 30.0     # no more faults: what is under way ends, and leaks are measured
RSS_GROWTH_KB, FD_GROWTH = 6144, 12
POOL_FDS = 4 * VISITORS  # the prober keeps the handles of as many sessions as ever ran at once
MODEM_FAULTS = ["cms=500*2", "cms=38*1", "cme=100*1", "slow=400*6", "late=4000*1", "hang=esc*1", "hang=atz*1", "hang=cfun*1",
                "vanish=3000*1", "noprompt*1", "garbage*2", "urc*3", "swallow*1"]
START = time.monotonic()


def say(text):
    print(f"{time.monotonic() - START:7.1f} s  {text}", flush=True)


class Failed(Exception):
    pass


# --- processes -------------------------------------------------------------------------------------------------

def proc(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def parent_of(pid):
    stat = proc(pid, "stat")
    return int(stat[stat.rindex(")") + 2:].split()[1]) if ")" in stat else -1


def state_of(pid):
    stat = proc(pid, "stat")
    return stat[stat.rindex(")") + 2] if ")" in stat else "X"


def children(pid):
    return [int(p.name) for p in Path("/proc").glob("[0-9]*") if parent_of(int(p.name)) == pid]


def daemons_and_below(house):
    """{pid: name} of the daemons, their probers and notifiers; not of plugins."""
    found = {}
    for daemon in (house.monitord, house.pagerd):
        if daemon.alive():
            pid = daemon.process.pid
            found[pid] = daemon.name
            for child in children(pid):
                argv = proc(child, "cmdline").split("\0")
                name = Path(argv[0]).name
                if name == "prober" or name.startswith("notify_"):
                    found[child] = " ".join([name] + [a for a in argv[1:] if a in ("net", "local")])
    return found


def sanitized():
    return "libasan" in subprocess.run(["ldd", str(BUILD / "monitord")], capture_output=True, text=True).stdout


class Watch:
    """Resident memory and open descriptors of each process, over its life."""

    def __init__(self):
        self.samples = collections.defaultdict(list)  # (name, pid): [(seconds, rss kB, fds)]

    def look(self, house):
        now = time.monotonic()
        for pid, name in daemons_and_below(house).items():
            rss = re.search(r"VmRSS:\s+(\d+)", proc(pid, "status"))
            try:
                fds = len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue
            if rss:
                self.samples[name, pid].append((now, int(rss[1]), fds))

    def growth(self):
        """Of each name's longest life: (name, seconds, rss growth kB, fd growth). The least of the first third after 15 s against
        the least of the last third: what a burst needs for a moment is no leak."""
        longest = {}
        for (name, _), s in self.samples.items():
            s = [x for x in s if x[0] - s[0][0] >= 15]
            if len(s) >= 15 and len(s) > len(longest.get(name, [])):
                longest[name] = s
        for name, s in sorted(longest.items()):
            third = len(s) // 3
            first, last = s[:third], s[-third:]
            yield (name, s[-1][0] - s[0][0], min(x[1] for x in last) - min(x[1] for x in first),
                   min(x[2] for x in last) - min(x[2] for x in first))

    def most(self):
        """The most that all processes of one moment held together, in kB."""
        moments = collections.Counter()
        for s in self.samples.values():
            for t, rss, _ in s:
                moments[round(t)] += rss
        return max(moments.values(), default=0)


# --- what breaks -----------------------------------------------------------------------------------------------

class Toggled:
    """A check that is broken by a file: broken until the phone shows it, mended until the phone shows that."""

    def __init__(self, directory, number):
        self.name = f"service {number:02d}"
        self.flag = directory / f"broken-{number:02d}"
        self.state, self.since, self.seen, self.due = "fine", 0.0, 0, time.monotonic() + random.uniform(3, 15)
        self.latencies = []

    def check(self, script):
        return {"probe": "exec", "command": [str(script), str(self.flag)], "interval": "1s"}

    def step(self, texts, calm):
        now = time.monotonic()
        word = {"broken": "CRITICAL", "mended": "OK"}.get(self.state)
        if word:
            new = [t for t in texts[self.seen:] if f"{word} {self.name}" in t]
            if new:
                self.latencies.append(now - self.since)
                self.state = "known" if self.state == "broken" else "fine"
                self.due = now + random.uniform(1, 8)
            elif now - self.since > SHOWN_WITHIN:
                raise Failed(f"{self.name}: {self.state} for {SHOWN_WITHIN:.0f} s, and the phone shows nothing of it")
        elif now >= self.due and self.state == "known":
            self.flag.unlink()
            self.become("mended", texts)
        elif now >= self.due and not calm:
            self.flag.touch()
            self.become("broken", texts)

    def become(self, state, texts):
        self.state, self.since, self.seen = state, time.monotonic(), len(texts)


class Troubles:
    """Random faults, each with its mean pause; count tells how many of each there were."""

    def __init__(self, house, relay):
        self.house, self.relay, self.later = house, relay, []
        self.relay_is_away, self.asked = False, []
        self.count = collections.Counter()
        self.kinds = {"kill": (self.kill, 12), "hold": (self.hold, 20), "modem": (self.modem, 8), "relay": (self.relay_trouble, 10),
                      "reload": (self.reload, 15), "ask": (self.question, 5)}
        self.due = {k: time.monotonic() + random.expovariate(1 / mean) for k, (_, mean) in self.kinds.items()}

    def step(self, calm):
        self.answers()
        now = time.monotonic()
        for when, action in [x for x in self.later if now >= x[0]]:
            self.later.remove((when, action))
            action()
        for daemon in (self.house.pagerd, self.house.monitord):
            if not daemon.alive():
                daemon.start()
        if calm:
            return
        for kind, (action, mean) in self.kinds.items():
            if now >= self.due[kind]:
                self.due[kind] = now + random.expovariate(1 / mean) + 0.5
                action()

    def after(self, seconds, action):
        self.later.append((time.monotonic() + seconds, action))

    def kill(self):
        pids = daemons_and_below(self.house)
        pid = random.choice(sorted(pids))
        self.count["kill -9 " + pids[pid].split()[0]] += 1
        for daemon in (self.house.pagerd, self.house.monitord):
            if daemon.process is not None and daemon.process.pid == pid:
                daemon.kill()
                return
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass

    def hold(self):
        """Stopped for a moment, as by a machine that swaps."""
        pids = daemons_and_below(self.house)
        pid = random.choice(sorted(pids))
        self.count["held"] += 1

        def signal(number):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        signal(19)
        self.after(random.uniform(0.2, 4), lambda: signal(18))

    def modem(self):
        try:
            self.house.phone.control("fault " + random.choice(MODEM_FAULTS))
            self.count["modem fault"] += 1
        except OSError:
            pass  # it has vanished just now

    def relay_trouble(self):
        if self.relay is None or self.relay_is_away:
            return
        kind = random.choice(["stop", "kill", "pause"])
        self.count["relay " + kind] += 1
        if kind == "pause":
            self.relay.pause()
            back = self.relay.resume
        else:
            (self.relay.stop if kind == "stop" else self.relay.kill)()
            back = self.relay.start
        self.relay_is_away = True
        self.after(random.uniform(1, 6), lambda: self.relay_back(back))

    def relay_back(self, back):
        back()
        self.relay_is_away = False

    def ask_ctl(self, *args):
        """Not waited for: the daemon may be held, and it is we who let it go."""
        self.asked.append((args, time.monotonic(), subprocess.Popen(
            [str(BUILD / "monitorctl"), "-c", str(self.house.config_file), *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))

    def reload(self):
        self.count["reload"] += 1
        self.ask_ctl("reload")

    def question(self):
        self.count["question"] += 1
        self.ask_ctl("--json", "status", "steady 00")

    def answers(self, patience=60):
        """Reloads are taken, or a daemon is dead or held just now (3); never refused. Statuses are whole."""
        for item in list(self.asked):
            args, since, process = item
            if process.poll() is None:
                if time.monotonic() - since > patience:
                    process.kill()
                    raise Failed(f"monitorctl {' '.join(args)}: no end after {patience} s")
                continue
            self.asked.remove(item)
            out, err = process.communicate()
            if "reload" in args and process.returncode not in (0, 3):
                raise Failed(f"reload: {process.returncode} {err}")
            if "status" in args and (process.returncode not in (0, 1, 3) or set(json.loads(out)) != {"monitord", "pagerd"}):
                raise Failed(f"status: {process.returncode} {out} {err}")

    def end(self):
        for _, action in self.later:
            action()
        self.later = []
        while self.asked:
            self.answers()
            time.sleep(0.05)


# --- the house -------------------------------------------------------------------------------------------------

def make_checks(work, toggled, relay):
    script = work / "judge"
    script.write_text("#!/bin/sh\nif [ -e \"$1\" ]; then echo \"CRITICAL - broken on purpose\"; exit 2; fi\necho 'OK - fine'\n")
    script.chmod(0o755)
    checks = {t.name: t.check(script) for t in toggled}
    for i in range(STEADY):
        checks[f"steady {i:02d}"] = [{"probe": "load", "warning": "9999,9999,9999", "critical": "9999,9999,9999"},
                                     {"probe": "disk", "path": ["/"], "warning": "0", "critical": "0"},
                                     {"probe": "exec", "command": [str(script), "/nonexistent"]}][i % 3] | {"interval": "2s"}
    if relay:
        base = {"probe": "smtp", "host": "127.0.0.1", "port": relay.port, "interval": "2s", "greeting_timeout": "3s"}
        checks["relay"] = base
        for i in range(1, VISITORS):
            checks[f"visitor {i:02d}"] = {**base, "parents": ["relay"]}
        checks["queue"] = {"probe": "queue", "queue_directory": [str(relay.queue)], "interval": "2s"}
    return checks


def texts_of(house):
    return [m["text"] for m in house.phone.messages()]


def patiently(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except (OSError, AssertionError):
            value = None
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def reap_orphans(house, troubles):
    """We adopt what killed daemons leave (as monitord-run does); their ends are ours to collect."""
    ours = {d.process.pid for d in (house.monitord, house.pagerd) if d.process} | {house.phone.process.pid} | \
        {process.pid for _, _, process in troubles.asked}
    for pid in children(os.getpid()):
        if pid not in ours and state_of(pid) == "Z":
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def storm(house, relay, toggled, seconds, watch):
    troubles = Troubles(house, relay)
    end, told, looked = time.monotonic() + seconds, time.monotonic(), 0.0
    while True:
        now = time.monotonic()
        calm = now >= end - min(QUIET_TAIL, seconds / 3)
        texts = texts_of(house)
        troubles.step(calm)
        for t in toggled:
            t.step(texts, calm)
        if now - looked >= 1:
            looked = now
            watch.look(house)
            reap_orphans(house, troubles)
        if now - told >= 60:
            told = now
            say(f"{sum(len(t.latencies) for t in toggled)} breaks and repairs shown, {len(texts)} messages, {sum(troubles.count.values())} troubles")
        if now >= end and all(t.state == "fine" for t in toggled):
            break
        time.sleep(0.05)
    troubles.end()
    house.phone.control("clear")
    return troubles


# --- the reckoning ---------------------------------------------------------------------------------------------

def every_incident_was_paged(house, texts):
    """By monitord's own history: each problem that was not suppressed. Its id is on the phone."""
    events = []
    for check in ask(house.socket("monitord"), {"do": "status"})["checks"]:
        events += ask(house.socket("monitord"), {"do": "history", "name": check["name"], "limit": 1000})["events"]
    shown = set(re.findall(r"#([2-9A-Z]{5})", " ".join(texts)))
    known = {i["id"]: i for i in ask(house.socket("pagerd"), {"do": "history", "limit": 1000})["incidents"]}
    paged = [i for i in known.values() if i["pages"]]
    lost = [i for i in paged if i["id"] not in shown]
    if lost:
        raise Failed(f"{len(lost)} incidents never reached the phone: {json.dumps(lost[:3])}")
    problems = {(e["check"], e["opened"]) for e in events if e["kind"] == "problem" and not e["suppressed"]}
    by_check = collections.Counter(check for check, _ in problems)
    for check, n in by_check.items():
        # what pagerd no longer remembers (the newest 200 are kept) the phone still does
        ids = {m for t in texts if re.search(rf"\b(CRITICAL|WARNING|UNKNOWN|OK) {re.escape(check)}\b", t)
               for m in re.findall(r"#([2-9A-Z]{5})", t)}
        if len(ids) < n:
            raise Failed(f"{check}: {n} incidents in the history, {len(ids)} on the phone")
    return len(problems)


def no_unmarked_twin(texts):
    """The same page twice must say that it is a repetition."""
    twins = [t for t, n in collections.Counter(t for t in texts if not t.startswith("(again) ")).items() if n > 1]
    if twins:
        raise Failed(f"shown twice without a mark: {twins[:3]}")


def nothing_is_left(house):
    def settled():
        p = ask(house.socket("pagerd"), {"do": "status"})
        m = ask(house.socket("monitord"), {"do": "status"})
        return p["spool"]["new"] == 0 and m["spool"]["pending"] == 0 and m["spool"]["twin"] == 0 and \
            not any(page["phase"] in ("waiting", "trying", "unsure") for i in p["incidents"] for page in i["pages"]) and \
            not any(c["problem"] for c in m["checks"])
    patiently("all pages sent, all checks fine", settled, 180)
    bad = ask(house.socket("pagerd"), {"do": "status"})["spool"]["bad"]
    if bad:
        raise Failed(f"{bad} event files could not be read")


def no_growth(watch):
    said = []
    for name, seconds, rss, fds in watch.growth():
        said.append(f"{name} {rss / 1024:+.1f} MiB {fds:+d} fd in {seconds:.0f} s")
        if fds > FD_GROWTH + (POOL_FDS if "prober" in name else 0) or (rss > RSS_GROWTH_KB and not sanitized()):
            raise Failed(f"it grows: {said[-1]}")
    return said


def no_process_is_left():
    def gone():
        for pid in children(os.getpid()):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        return not children(os.getpid())
    try:
        patiently("the end of all processes", gone, 30)
    except Failed:
        left = {pid: proc(pid, "cmdline").replace("\0", " ") for pid in children(os.getpid())}
        raise Failed(f"left behind: {left}")


def soak(work, minutes, relay):
    toggled = [Toggled(work, i) for i in range(TOGGLED)]
    checks = make_checks(work, toggled, relay)
    watch = Watch()
    house = House(work / "house", checks, contacts={"oncall": {"repeat": "0s", "digest": False, "routes": [{"line": "modem", "to": "+819012345678"}]}},
                  defaults={"host_gap": "1ms"})
    # a modem that never tells what became of a message is waited for; here not for minutes
    house.lines = {"modem": {"notifier": "sms", "device": house.phone.device, "wait_cmgs": "6s", "wait_late": "8s", "budget": "none"}}
    house.start()
    try:
        say(f"{len(checks)} checks are watched; the storm begins")
        troubles = storm(house, relay, toggled, minutes * 60, watch)
        say("the storm is over")
        nothing_is_left(house)
        texts = texts_of(house)
        incidents = every_incident_was_paged(house, texts)
        no_unmarked_twin(texts)
        growth = no_growth(watch)
    except BaseException:
        for d in (house.monitord, house.pagerd):
            print(f"--- {d.name}\n{d.log()[-8000:]}", file=sys.stderr)
        raise
    finally:
        for d in (house.monitord, house.pagerd):
            if d.alive():
                d.signal(18)
        codes = house.stop()
    if codes != [0, 0]:
        raise Failed(f"exit codes {codes}")
    latencies = sorted(x for t in toggled for x in t.latencies)
    say(", ".join(f"{n} {what}" for what, n in sorted(troubles.count.items())))
    say("growth: " + "; ".join(growth) if growth else "growth: nothing lived long enough to tell")
    repeats = sum(t.startswith("(again) ") for t in texts)
    return (f"{minutes:g} min, {len(checks)} checks: {len(latencies)} breaks and repairs all shown (median {statistics.median(latencies):.1f} s, "
            f"longest {latencies[-1]:.1f} s); {incidents} incidents all paged; {len(texts)} messages, {repeats} marked as repeats; "
            f"{sum(troubles.count.values())} troubles; at most {watch.most() / 1024:.0f} MiB resident together")


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = os.environ.get("SOAK_SEED") or str(random.randrange(10**6))
    random.seed(seed)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    why = postfix.missing()
    say(f"soak: {minutes:g} min, SOAK_SEED={seed}" + (f"; no relay: {why}" if why else ""))
    with tempfile.TemporaryDirectory(prefix="monitord-soak.") as d:
        work = Path(d)
        work.chmod(0o755)
        try:
            if why:
                summary = soak(work, minutes, None)
            else:
                with postfix.Postfix(work / "relay") as relay:
                    summary = soak(work, minutes, relay)
                    if not relay.running():
                        relay.start()
            no_process_is_left()
        except (Failed, AssertionError) as e:
            say(f"soak FAILED: {e}")
            return 1
    say(f"soak passed: {summary}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
