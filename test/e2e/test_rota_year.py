"""A year of rota with ladders, quiet hours, daylight saving, downtimes and acknowledgements, in simulated time: the pure cores (through
test/fake/rota_year.c) against a model that was written from doc/paging.md and doc/configuration.md alone, with Python's own calendar and zones.
And every time zone of the system's database against Python's reader. Seeds are random and printed; ROTA_SEED repeats one."""
import datetime
import os
import random
import subprocess
import zoneinfo

import pytest

from pager import BUILD, ROOT

UTC = datetime.timezone.utc
DAY = 86400
RANK = {"OK": 0, "UNKNOWN": 1, "WARNING": 2, "CRITICAL": 3}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONES = ["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "America/Sao_Paulo", "Africa/Cairo"]


@pytest.fixture(scope="module")
def driver():
    b = BUILD.relative_to(ROOT)
    san = "address,undefined" if "asan" in b.name else ""
    subprocess.run(["make", "-s", "--no-print-directory", f"B={b}", f"SAN={san}", "CC=gcc", f"{b}/fake/rota_year"], cwd=ROOT, check=True,
                   env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")})
    return BUILD / "fake" / "rota_year"


def ask(driver, text, *args):
    r = subprocess.run([driver, *args], input=text, capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, r.stderr[-3000:]
    return r.stdout.splitlines()


# --- zones


def wall_of(t, zone):
    """Seconds that the wall shows, counted as if there were no zones."""
    d = datetime.datetime.fromtimestamp(t, zone)
    return int(d.replace(tzinfo=UTC).timestamp())


def utc_of(wall, zone, last=False):
    """When the wall shows that; a reading that never comes: the moment of the change."""
    d = datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone, fold=int(last))
    t = int(d.timestamp())
    if wall_of(t, zone) == wall:
        return t
    low, high = t - DAY, t + DAY
    before = wall_of(low, zone) - low
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (mid, high) if wall_of(mid, zone) - mid == before else (low, mid)
    return high


def test_every_zone_of_the_database(driver):
    rng = random.Random(4)
    names = [n for n in sorted(zoneinfo.available_timezones()) if not n.startswith("right/")]
    asked, expect = [], []
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        for _ in range(30):
            t = rng.randrange(-1_500_000_000, 4_200_000_000)
            asked.append(f"{name} {t}")
            expect.append(str(int(datetime.datetime.fromtimestamp(t, zone).utcoffset().total_seconds())))
    got = ask(driver, "\n".join(asked) + "\n", "zones")
    wrong = [(a, g, e) for a, g, e in zip(asked, got, expect) if g != e]
    assert len(got) == len(expect) and not wrong, wrong[:10]


@pytest.mark.parametrize("name", ZONES)
def test_what_the_wall_shows_around_each_change(driver, name):
    zone = zoneinfo.ZoneInfo(name)
    asked, expect = [], []
    for year in (2024, 2026, 2045):
        start = int(datetime.datetime(year, 1, 1, tzinfo=UTC).timestamp())
        for t in range(start, start + 366 * DAY, 1800):
            if wall_of(t, zone) - t != wall_of(t + 1800, zone) - t - 1800:
                for w in range(wall_of(t, zone) - 3 * 3600, wall_of(t, zone) + 3 * 3600, 900):
                    asked.append(f"{name} wall {w}")
                    expect.append(f"{utc_of(w, zone)} {utc_of(w, zone, True)}")
    if asked:
        assert ask(driver, "\n".join(asked) + "\n", "zones") == expect


# --- a configuration at random


def clock(minute):
    return f"{minute // 60:02d}:{minute % 60:02d}"


class World:
    """Everything about one seed: the configuration as text, and as the model sees it."""

    def __init__(self, rng):
        self.rng = rng
        self.zone_name = rng.choice(ZONES)
        self.zone = zoneinfo.ZoneInfo(self.zone_name)
        self.start = int(datetime.datetime(2026, 1, 1, tzinfo=UTC).timestamp())
        self.end = self.start + 365 * DAY
        self.handovers = {}
        self.holidays = {rng.randrange(365) for _ in range(12)}
        self.people = list("abcdef")
        self.repeat = {p: rng.choice([0, 10, 30, 120]) for p in self.people}
        self.recovery = {p: rng.random() < 0.8 for p in self.people}
        self.quiet = {p: self.random_quiet() if rng.random() < 0.6 else None for p in self.people}
        self.groups = {"g": rng.sample(self.people, 3), "h": rng.sample(self.people, 2)}
        self.rotas = {"r": self.random_rota(), "s": self.random_rota()}
        steps = [(0, [rng.choice(["r", "s"])])] + [(rng.choice([5, 15, 45]), rng.sample(["r", "s", "g", "h", "a", "b"], rng.choice([1, 2])))
                                                   for _ in range(rng.choice([1, 2, 3]))]
        self.all_last = rng.random() < 0.4
        if self.all_last:
            steps.append((20, []))
        self.steps, self.again = steps, rng.choice([0, 30, 90])
        self.names = rng.choice([["l"], ["l", "c"], ["r"], ["g", "s"], ["l", "s"]])

    def random_when(self):
        """(days, holidays, workdays, start, length)"""
        rng = self.rng
        kind = rng.randrange(4)
        days = set(rng.sample(range(7), rng.randrange(1, 5))) if kind < 2 else set(range(7)) if kind == 2 else set()
        start, length = rng.randrange(0, 1440, 15), rng.randrange(60, 1440, 15)
        return days, kind == 0 and rng.random() < 0.5, kind == 3, start, length

    @staticmethod
    def when_text(w):
        days, hol, work, start, length = w
        words = [DAYS[d] for d in sorted(days)] + ["holidays"] * hol + ["workdays"] * work
        return f"{','.join(words)} {clock(start)}-{clock((start + length) % 1440)}"

    def random_quiet(self):
        start, length = self.rng.choice([(22 * 60, 540), (0, 390), (20 * 60, 720)])
        return {"when": (set(range(7)), False, False, start, length), "drop": self.rng.random() < 0.4}

    def random_rota(self):
        rng = self.rng
        shifts = [{"when": self.random_when(), "who": rng.sample(self.people, rng.choice([1, 2])), "rotate": 0, "first": 0}
                  for _ in range(rng.randrange(3))]
        first = 1767225600 + rng.randrange(-40, 40) * DAY + rng.choice([0, 9 * 3600, 9000, 7200])
        shifts.append({"when": (set(range(7)), False, False, 0, 1440), "who": rng.sample(self.people, 4), "rotate": rng.choice([1, 7, 7, 10]),
                       "first": first})
        overrides = []
        for _ in range(rng.randrange(6)):
            a = 1767225600 + rng.randrange(0, 365 * 24) * 3600
            overrides.append({"from": a, "until": a + rng.randrange(1, 72) * 3600, "who": [rng.choice(self.people)]})
        return {"shifts": shifts, "overrides": overrides}

    def text(self):
        def stamp(w):
            return f"{datetime.datetime.fromtimestamp(w, UTC):%Y-%m-%d %H:%M}"
        days = [f"{datetime.date(2026, 1, 1) + datetime.timedelta(d)}" for d in sorted(self.holidays)]
        out = [f"oncall: {{timezone: {self.zone_name}, holidays: [{', '.join(days)}]}}", "lines: {l: {notifier: x}, z: {notifier: x}}",
               "last_resort: {line: z, to: z}", "contacts:"]
        for p in self.people:
            q = self.quiet[p]
            quiet = f", quiet: {{hours: \"{self.when_text(q['when'])[28:]}\", recovered: {'drop' if q['drop'] else 'tell'}}}" if q else ""
            out.append(f"  {p}: {{routes: [{{line: l, to: {p}}}], repeat: {self.repeat[p]}m, recovery: {'yes' if self.recovery[p] else 'no'}{quiet}}}")
        out += ["groups:"] + [f"  {n}: [{', '.join(v)}]" for n, v in self.groups.items()] + ["rotas:"]
        for n, r in self.rotas.items():
            out += [f"  {n}:", "    shifts:"]
            for s in r["shifts"]:
                when = "always" if s["rotate"] else self.when_text(s["when"])
                turn = f", rotate: {s['rotate']}d, from: {stamp(s['first'])}" if s["rotate"] else ""
                out.append(f"      - {{when: \"{when}\", who: [{', '.join(s['who'])}]{turn}}}")
            if r["overrides"]:
                out.append("    overrides:")
            out += [f"      - {{from: {stamp(o['from'])}, until: {stamp(o['until'])}, who: [{', '.join(o['who'])}]}}" for o in r["overrides"]]
        out += ["ladders:", "  l:", f"    again: {self.again}m", "    steps:"]
        for k, (after, who) in enumerate(self.steps):
            last = self.all_last and k == len(self.steps) - 1
            out.append("      - {" + (f"after: {after}m, " if k else "") + ("all: yes" if last else f"tell: [{', '.join(who)}]") + "}")
        out += [f"checks: {{k: {{probe: load, contacts: [{', '.join(self.names)}]}}}}", "defaults: {contacts: [a]}", ""]
        return "\n".join(out)

    # --- who is meant

    def covers(self, w, wall):
        days, hol, work, start, length = w
        for back in (0, 1):
            day = wall // DAY - back
            weekday = (day + 3) % 7
            holiday = day - 1767225600 // DAY in self.holidays
            if weekday in days or (hol and holiday) or (work and weekday < 5 and not holiday):
                if 0 <= wall - day * DAY - start * 60 < length * 60:
                    return True
        return False

    def turn(self, s, t):
        """How many handovers lie at or before t."""
        n = (wall_of(t, self.zone) - s["first"]) // (s["rotate"] * DAY) - 2
        while self.handover(s["first"] + (n + 1) * s["rotate"] * DAY) <= t:
            n += 1
        return n

    def handover(self, wall):
        if wall not in self.handovers:
            self.handovers[wall] = utc_of(wall, self.zone)
        return self.handovers[wall]

    def on_duty(self, rota, t):
        for o in rota["overrides"]:
            if self.handover(o["from"]) <= t < self.handover(o["until"]):
                return o["who"]
        wall = wall_of(t, self.zone)
        for s in rota["shifts"]:
            if self.covers(s["when"], wall):
                return [s["who"][self.turn(s, t) % len(s["who"])]] if s["rotate"] else s["who"]
        raise AssertionError("a hole")

    def meant(self, name, t):
        return self.groups[name] if name in self.groups else self.on_duty(self.rotas[name], t) if name in self.rotas else [name]

    def sleeps(self, person, state, t):
        q = self.quiet[person]
        return bool(q) and state in ("WARNING", "UNKNOWN") and self.covers(q["when"], wall_of(t, self.zone))


# --- the model


class Incident:
    def __init__(self, world, n, out):
        self.w, self.n, self.out = world, n, out
        self.phase, self.state, self.worst, self.suppressed, self.hushed = "none", "OK", "OK", False, False
        self.acked_state, self.step, self.round, self.since = None, 0, 0, 0
        self.known = {}    # who was to be told: what of it
        self.waiting = []  # pages: [contact, kind, state, ever held]
        self.made = {}     # of each contact: every problem page, as it then read

    def page(self, who, kind, state):
        page = [who, kind, state, False]
        self.waiting.append(page)
        if kind in ("new", "repeat"):
            self.made.setdefault(who, []).append(page)

    def problems_waiting(self, who):
        return [p for p in self.waiting if p[0] == who and p[1] in ("new", "repeat")]

    def audience(self, t, begins=False):
        """[(person, told again)]"""
        out = {}
        for name in self.w.names:
            if name != "l":
                for p in self.w.meant(name, t):
                    out.setdefault(p, False)
                continue
            begun = len(self.w.steps) if self.round else self.step + 1
            is_all = self.w.all_last and begun == len(self.w.steps)
            now_all = self.w.all_last and self.step == len(self.w.steps) - 1
            for k, (_, who) in enumerate(self.w.steps):
                if k >= begun and not is_all:
                    break
                for x in who:
                    for p in self.w.meant(x, t):
                        out[p] = out.get(p, False) or (begins and (now_all or k == self.step))
        return out

    def news(self, who):
        k = self.known.setdefault(who, {"paged": None, "told": False, "away": False, "excused": False, "last": None})
        if k["paged"] == self.state and not k["excused"]:
            return False
        mine = self.problems_waiting(who)
        if mine:
            mine[0][1], mine[0][2] = "new", self.state
        else:
            self.page(who, "new", self.state)
        k["paged"], k["excused"] = self.state, False
        return True

    # --- what comes

    def problem(self, t, state, suppressed):
        before, lifted = self.phase, self.suppressed and not suppressed
        self.state = self.worst = state
        self.suppressed = suppressed
        if suppressed:
            self.phase = "quiet" if before == "none" else before
            return
        if before == "acked" and RANK[state] <= RANK[self.acked_state]:
            self.since = t if lifted else self.since
            return
        if before != "open":
            self.step = self.round = 0
        if before != "open" or lifted:
            self.since = t
        self.phase = "open"
        for who in self.audience(t):
            self.news(who)

    def recover(self, t, hushed):
        was, self.phase, self.state = self.phase, "over", "OK"
        if was == "quiet":
            return
        dropped = {p[0]: p for p in self.waiting if p[1] in ("new", "repeat")}
        self.waiting = [p for p in self.waiting if p[1] not in ("new", "repeat")]
        for who, k in self.known.items():
            if k["paged"] is None or k["excused"]:
                continue
            q = self.w.quiet[who]
            if q and q["drop"] and not k["told"] and who in dropped and dropped[who][3]:
                continue
            if (self.w.recovery[who] and not hushed) or not k["told"]:
                self.page(who, "recovered", "OK")

    def ack(self, by):
        if self.phase not in ("open", "quiet", "acked"):
            return
        again, self.phase, self.acked_state = self.phase == "acked", "acked", self.state
        self.waiting = [p for p in self.waiting if p[1] not in ("new", "repeat")]
        for k in self.known.values():
            k["excused"] = not k["told"]
        told = [w for w, k in self.known.items() if k["told"]]
        for who in told if len(told) > 1 and not again else []:
            if who != by:
                self.page(who, "ack", self.state)

    # --- what time does

    def severity(self, page):
        if page[1] in ("new", "repeat"):
            return page[2]
        return max([p[2] for p in self.made.get(page[0], [])] or [self.worst], key=RANK.get)

    def held(self, page, t):
        return self.w.sleeps(page[0], self.severity(page), t)

    def everybody_sleeps(self, t):
        mine = [p for p in self.waiting if p[1] in ("new", "repeat")]
        return bool(mine) and all(self.held(p, t) for p in mine) and not any(k["told"] and not k["away"] for k in self.known.values())

    def climb(self, t):
        if "l" not in self.w.names:
            return False
        if self.everybody_sleeps(t):
            self.since = t
            return False
        last = self.step == len(self.w.steps) - 1
        lasts = self.w.again if last else self.w.steps[self.step + 1][0]
        if not lasts or t - self.since < lasts * 60:
            return False
        self.step, self.round, self.since = (0, self.round + 1, t) if last else (self.step + 1, self.round, t)
        return True

    def escalate(self, t):
        begins = self.climb(t)
        meant = self.audience(t, begins)
        for who, again in meant.items():
            k = self.known.get(who)
            back = bool(k and k["away"])
            if k:
                k["away"] = False
            if not self.news(who) and (back or again) and not self.problems_waiting(who):
                self.page(who, "repeat", self.state)
        for who, k in self.known.items():
            if who in meant or k["away"]:
                continue
            k["away"] = True
            for p in [p for p in self.problems_waiting(who) if self.held(p, t)]:
                self.waiting.remove(p)
                k["paged"] = k["paged"] if k["told"] else None

    def tick(self, t):
        if self.phase == "open" and not self.suppressed:
            self.escalate(t)
            for who, k in self.known.items():
                if not k["away"] and self.w.repeat[who] and k["last"] is not None and not self.problems_waiting(who):
                    if t - k["last"] >= self.w.repeat[who] * 60:
                        self.page(who, "repeat", self.state)
        for p in list(self.waiting):
            if self.held(p, t):
                p[3] = True
                continue
            self.waiting.remove(p)
            self.out.append((t, self.n, p[0], p[1], p[2]))
            if p[1] in ("new", "repeat"):
                self.known[p[0]]["told"], self.known[p[0]]["last"] = True, t

    def over(self):
        return self.phase in ("none", "over") and not self.waiting


def random_events(world, rng):
    """(time, kind, incident, word, suppressed), some hundred and fifty incidents in a year."""
    events, t, n = [], world.start + 60, 0
    while t < world.end - 3 * DAY:
        t += rng.randrange(1, 5 * 1440) * 60
        state = rng.choice(["WARNING", "WARNING", "CRITICAL", "UNKNOWN"])
        at = t
        events.append((at, "problem", n, state, int(rng.random() < 0.1)))
        for _ in range(rng.randrange(4)):
            at += rng.randrange(1, 300) * 60
            kind = rng.choice(["problem", "problem", "ack"])
            word = rng.choice(["WARNING", "CRITICAL", "UNKNOWN"]) if kind == "problem" else rng.choice(world.people)
            events.append((at, kind, n, word, int(kind == "problem" and rng.random() < 0.25)))
        at += rng.randrange(1, 900) * 60
        events.append((at, "recovery", n, "OK", int(rng.random() < 0.1)))
        t, n = (at if rng.random() < 0.5 else t), n + 1
    events.sort(key=lambda e: e[0])
    return events


def model(world, events):
    out, incidents, t = [], {}, events[0][0]
    for when, kind, n, word, suppressed in events:
        while t < when and any(not i.over() for i in incidents.values()):
            for i in incidents.values():
                i.tick(t)
            t += 60
        t = when
        i = incidents.setdefault(n, Incident(world, n, out))
        if kind == "problem":
            i.problem(t, word, bool(suppressed))
        elif kind == "ack":
            i.ack(word)
        else:
            i.recover(t, bool(suppressed))
        for k in incidents.values():
            k.tick(t)
        t += 60
        incidents = {k: v for k, v in incidents.items() if not v.over()}
    return out


@pytest.mark.parametrize("number", range(2))
def test_a_year(driver, tmp_path, number):
    seed = int(os.environ.get("ROTA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"ROTA_SEED={seed}")
    rng = random.Random(seed)
    world = World(rng)
    (tmp_path / "m.yaml").write_text(world.text())
    events = random_events(world, rng)
    text = "".join(" ".join(map(str, e)) + "\n" for e in events) + f"{events[-1][0] + 60} end 0 x 0\n"
    got = sorted((int(a), int(b), c, d, e) for a, b, c, d, e in (x.split() for x in ask(driver, text, "year", tmp_path / "m.yaml")))
    expect = sorted(model(world, events))
    last = events[-1][0]
    got, expect = [x for x in got if x[0] < last], [x for x in expect if x[0] < last]
    if got != expect:
        extra, missing = [x for x in got if x not in expect], [x for x in expect if x not in got]
        first = min(extra + missing)
        print(world.text())
        print([e for e in events if e[2] == first[1]])
        print("missing:", [x for x in missing if x[1] == first[1]])
        print("too much:", [x for x in extra if x[1] == first[1]])
        print("before:", [x for x in expect if x[1] == first[1] and x[0] <= first[0]][-20:])
        raise AssertionError(f"seed {seed}: {first} is {'too much' if first in extra else 'missing'}; {len(extra)} too much, {len(missing)} missing")
    assert len(expect) > 100
