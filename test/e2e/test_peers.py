"""Two ops hosts: two whole houses on loopback whose datagrams go through a relay that can cut, record and replay them."""
import hashlib
import hmac
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from house import House
from waiting import wait_for

KEY = "correct horse battery staple"


class Relay:
    """Both directions between two ports; keeps what passed."""

    def __init__(self):
        self.doors = {}  # name: the socket that this house sends to
        self.homes = {}  # name: where it listens
        self.passed = {"a": [], "b": []}  # datagrams by their sender
        self.cut = False
        self.over = False
        for name in "ab":
            door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            door.bind(("127.0.0.1", 0))
            door.settimeout(0.2)
            self.doors[name] = door
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            probe.bind(("127.0.0.1", 0))
            self.homes[name] = probe.getsockname()
            probe.close()
        self.threads = [threading.Thread(target=self.carry, args=(n, o)) for n, o in ("ab", "ba")]
        for t in self.threads:
            t.start()

    def carry(self, sender, receiver):
        while not self.over:
            try:
                data = self.doors[sender].recv(65536)
            except socket.timeout:
                continue
            if not self.cut:
                self.passed[sender].append(data)
                self.inject(receiver, data)

    def inject(self, receiver, data):
        self.doors[receiver].sendto(data, self.homes[receiver])

    def stop(self):
        self.over = True
        for t in self.threads:
            t.join()
        for door in self.doors.values():
            door.close()


class Ops:
    """One ops host."""

    def __init__(self, directory, name, other, relay, peer=None, **sections):
        self.dir = directory / name
        self.dir.mkdir()
        self.says = {}
        self.out = self.dir / "pages"
        script = self.dir / "note"
        script.write_text(f'#!/bin/sh\necho "$MONITORD_KIND $MONITORD_CHECK $MONITORD_INCIDENT" >> {self.out}\n')
        script.chmod(0o755)
        key = self.dir / "key"
        key.write_text(KEY + "\n")
        key.chmod(0o600)
        self.script = self.dir / "plugin"
        self.script.write_text("#!/bin/sh\nread code < $1\necho says $code\nexit $code\n")
        self.script.chmod(0o755)
        checks = {"mx1": self.check("mx1", shared="yes"), "disk": self.check("disk")}
        here, there = relay.homes[name], relay.doors[name].getsockname()
        section = {"name": name, "other": other, "listen": "%s:%d" % here, "address": "%s:%d" % there, "key": str(key),
                   "interval": "1s", "limit": "6s", "delay": "60s", **(peer or {})}
        self.house = House(self.dir / "h", checks, lines={"note": {"notifier": "exec", "command": [str(script)]}},
                           contacts={"oncall": {"routes": [{"line": "note", "to": "me"}], "repeat": "0ms"}},
                           peer=section, **sections)

    def check(self, name, **more):
        self.says[name] = self.dir / f"{name}.says"
        self.set(name, 0)
        return {"probe": "exec", "command": [str(self.script), str(self.says[name])], **more}

    def set(self, name, code):
        fresh = self.dir / "fresh"
        fresh.write_text(f"{code}\n")
        fresh.rename(self.says[name])

    def pages(self, check=None):
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        return [w for w in (line.split() for line in lines) if check in (None, w[1])]

    def wait_pages(self, check, *kinds, timeout=60):
        try:
            wait_for(lambda: [w[0] for w in self.pages(check)] == list(kinds), timeout)
        except AssertionError:
            raise AssertionError(f"{self.dir.name}: {self.pages()} instead of {kinds} of {check}") from None
        return self.pages(check)[-1][2]

    def peer(self):
        return self.house.status()["peer"]

    def change(self):
        return self.house.check("mx1")["change"]

    def kill(self):
        self.house.monitord.kill()
        self.house.pagerd.kill()


class Pair:
    def __init__(self, directory, **more):
        self.relay = Relay()
        try:
            self.a = Ops(directory, "a", "b", self.relay, **more)
            self.b = Ops(directory, "b", "a", self.relay, **more)
        except BaseException:
            self.relay.stop()
            raise

    def both(self):
        return self.a, self.b

    def set(self, name, code):
        for o in self.both():
            o.set(name, code)

    def __enter__(self):
        try:
            for o in self.both():
                o.house.start()
            self.wait_linked()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def wait_linked(self):
        """Both hear each other and count the shared check alike."""
        for o in self.both():
            o.house.wait_check("mx1", "OK")
        wait_for(lambda: all(o.peer()["verdict"] == "alive" for o in self.both()) and
                 all(o.house.check("mx1")["shared"] == "fine" for o in self.both()) and self.a.change() == self.b.change(),
                 60, "the two hear each other")

    def __exit__(self, kind, *rest):
        for o in self.both():
            if kind:
                for d in (o.house.monitord, o.house.pagerd):
                    print(f"--- {o.dir.name} {d.name}\n{d.log()[-3500:]}")
            o.house.monitord.stop()
            o.house.pagerd.stop()
        self.relay.stop()


@pytest.fixture
def pair(tmp_path):
    with Pair(tmp_path) as p:
        yield p


def test_one_pages_and_the_other_takes_over_when_it_dies(pair):
    a, b = pair.both()
    assert a.peer()["primary"] and not b.peer()["primary"]  # by the order of their names
    pair.set("mx1", 2)
    incident = a.wait_pages("mx1", "new")
    muted = wait_for(lambda: b.house.check("mx1")["why"], 60, "the stand-in follows")
    assert muted == f"paged by a ({incident})" and b.house.check("mx1")["incident"] == incident
    # a restart is no death: what it paged stays its own
    a.house.monitord.stop()
    wait_for(lambda: b.peer()["verdict"] == "planned", 30, "it said that it stops")
    a.house.monitord.start()
    a.house.wait_up()
    wait_for(lambda: b.peer()["verdict"] == "alive", 60, "it is back")
    wait_for(lambda: a.house.check("mx1")["problem"] and b.house.check("mx1")["shared"] == "pages", 60, "it pages it still")
    assert not b.pages()
    a.kill()
    assert b.wait_pages("mx1", "new") == incident
    assert b.wait_pages("self.peer", "new")
    # it comes back: it goes on with what it began, the other stops to
    a.house.pagerd.start()
    a.house.monitord.start()
    a.house.wait_up()
    b.wait_pages("self.peer", "new", "recovered")
    wait_for(lambda: b.house.check("mx1")["why"] == f"paged by a ({incident})", 60, "the stand-in yields")
    assert [w[0] for w in a.pages("mx1")] == ["new"]
    pair.set("mx1", 0)
    assert a.wait_pages("mx1", "new", "recovered") == incident
    assert b.wait_pages("mx1", "new", "recovered") == incident  # whom it had told


def test_a_dead_stand_in_is_paged_and_holds_nothing_back(pair):
    a, b = pair.both()
    b.kill()
    a.wait_pages("self.peer", "new")
    pair.set("mx1", 2)
    a.wait_pages("mx1", "new")


def test_link_cut_both_page_the_same_incident(pair):
    a, b = pair.both()
    pair.relay.cut = True
    for o in pair.both():
        o.wait_pages("self.peer", "new")
    pair.set("mx1", 2)
    incident = a.wait_pages("mx1", "new")
    assert b.wait_pages("mx1", "new") == incident
    pair.relay.cut = False
    for o in pair.both():
        o.wait_pages("self.peer", "new", "recovered")
    wait_for(lambda: b.house.check("mx1")["why"] == f"paged by a ({incident})", 60, "the stand-in yields")
    assert a.house.check("mx1")["why"] == ""
    # and the next time, with the link whole, one page
    pair.set("mx1", 0)
    for o in pair.both():
        o.wait_pages("mx1", "new", "recovered")
    pair.wait_linked()
    pair.set("mx1", 2)
    again = a.wait_pages("mx1", "new", "recovered", "new")
    wait_for(lambda: b.house.check("mx1")["why"] == f"paged by a ({again})", 60, "the stand-in follows")
    assert again != incident and len(b.pages("mx1")) == 2


def test_what_only_the_stand_in_sees_is_paged_after_the_delay(tmp_path):
    with Pair(tmp_path, peer={"delay": "3s"}) as pair:
        a, b = pair.both()
        b.set("mx1", 2)
        began = time.monotonic()
        # it says so before it does; the other, which sees it just then, leaves it to it
        wait_for(lambda: a.house.check("mx1")["shared"] == "pages", 60, "the stand-in gives notice")
        a.set("mx1", 2)
        incident = b.wait_pages("mx1", "new")
        assert time.monotonic() - began > 2.5
        wait_for(lambda: a.house.check("mx1")["why"] == f"paged by b ({incident})", 60, "the primary follows")
        assert a.house.check("mx1")["incident"] == incident and not a.pages("mx1")


def test_a_downtime_at_the_primary_counts_at_the_stand_in(pair):
    a, b = pair.both()
    until = int(time.time() * 1000) + 3600000
    assert a.house.ask("monitord", do="downtime", name="mx1", until_wall_ms=until, by="alice", comment="disks")["ok"]
    pair.set("mx1", 2)
    why = wait_for(lambda: b.house.check("mx1")["why"], 60, "the stand-in follows")
    assert why.startswith("a: in downtime until") and "alice: disks" in why
    assert not a.pages() and not b.pages()


def test_a_primary_that_cannot_page_leaves_it_to_the_other(tmp_path):
    """Its pagerd is gone; the problem comes then."""
    with Pair(tmp_path, deadman={"interval": "1s", "limit": "6s"}) as pair:
        a, b = pair.both()
        a.house.pagerd.kill()
        wait_for(lambda: not b.peer()["pager"], 90, "it says so")
        pair.set("mx1", 2)
        b.wait_pages("mx1", "new")


def test_a_planned_stop_is_no_alarm_until_it_lasts_too_long(tmp_path):
    with Pair(tmp_path, deadman={"planned_stop": "9s"}) as pair:
        a, b = pair.both()
        assert a.house.monitord.stop() == 0
        wait_for(lambda: b.peer()["verdict"] == "planned", 30, "it said that it stops")
        stopped = time.monotonic()
        # nobody else pages now: at once, though the delay is a minute
        b.set("mx1", 2)
        b.wait_pages("mx1", "new", timeout=30)
        b.wait_pages("self.peer", "new")
        assert time.monotonic() - stopped > 8


def socket_owner(ops):
    """The monitord-peer of that house."""
    for task in Path(f"/proc/{ops.house.monitord.process.pid}/task").iterdir():
        for pid in (task / "children").read_text().split():
            try:
                if os.readlink(f"/proc/{pid}/exe").endswith("/monitord-peer"):
                    return int(pid)
            except OSError:
                pass
    return None


def sealed(body, key=KEY):
    text = json.dumps(body).encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().encode() + b" " + text


def test_what_is_forged_or_recorded_is_refused_and_counted(pair):
    a, b = pair.both()
    wait_for(lambda: len(pair.relay.passed["a"]) > 5, 60, "datagrams pass")
    recorded = list(pair.relay.passed["a"])
    before = b.peer()
    for data in recorded:
        pair.relay.inject("b", data)
    counted = wait_for(lambda: (p := b.peer())["replayed"] >= before["replayed"] + len(recorded) and p, 30, "replays are counted")
    pair.relay.inject("b", recorded[-1][:-9] + b"x" + recorded[-1][-8:])
    pair.relay.inject("b", sealed({"v": 1, "from": "a", "to": "b"}, key="another key of theirs"))
    pair.relay.inject("b", b"\x00" * 2000)
    pair.relay.inject("b", sealed({"v": 1, "from": "c", "to": "b"}))
    wait_for(lambda: (p := b.peer())["forged"] >= counted["forged"] + 2 and p["bad"] >= counted["bad"] + 2, 30, "forgeries are counted")
    assert b.peer()["verdict"] == "alive"
    # what was recorded keeps no dead one alive, whichever session it is of
    a.kill()
    deadline = time.monotonic() + 60
    while not b.pages("self.peer"):
        assert time.monotonic() < deadline, "the replays keep it alive"
        for data in recorded:
            pair.relay.inject("b", data)
        time.sleep(0.2)
    # nor does it after a restart of the one that hears, when nothing is known of sessions
    b.house.monitord.stop()
    b.house.monitord.start()
    b.house.wait_up()
    for _ in range(3):
        for data in recorded:
            pair.relay.inject("b", data)
    wait_for(lambda: b.peer()["verdict"] == "silent", 60, "it is still dead")
    assert b.peer()["last_ms"] == -1


def test_each_shows_the_others_problems(pair):
    a, b = pair.both()
    a.set("disk", 1)  # only a watches this one
    a.wait_pages("disk", "new")
    there = wait_for(lambda: b.peer()["problems"], 60, "it is told")
    assert [(p["check"], p["state"], p["text"], p["suppressed"]) for p in there] == [("disk", "WARNING", "says 1", False)]
    status = b.house.ctl("status").stdout
    assert "peer      a, we are its stand-in: it is there\n" in status
    assert " disk  " in status and a.pages("disk")[0][2] in status
    assert "peer      b, we are primary: it is there\n" in a.house.ctl("status").stdout
    # the process between them dies: it is started again, and proves itself again, before anybody misses it
    pid = socket_owner(b)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: socket_owner(b) not in (None, pid), 60, "it is started again")
    passed = len(pair.relay.passed["b"])
    wait_for(lambda: len(pair.relay.passed["b"]) > passed + 3 and b.peer()["last_ms"] < 2500 and a.peer()["last_ms"] < 2500,
             60, "both hear each other again")
    assert not a.pages("self.peer") and not b.pages("self.peer")
    a.set("disk", 0)
    wait_for(lambda: not b.peer()["problems"], 60, "it is over")
