"""Nothing is lost: each program of the paging path is killed at each of its writes, renames and fsyncs during an alert.

The page must arrive, at most twice, and a second one must be marked. The programs run without sanitizers here, because their
runtime wants to be the first preloaded library; the other tests run the same code with them.
"""
import itertools
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import house as house_module
from house import ROOT, House, wait_for

PLAIN = Path(os.environ.get("BUILD_PLAIN", ROOT / "build")).resolve()
PARALLEL = 4


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if not (PLAIN / "monitord").exists():
        pytest.skip(f"no build without sanitizers in {PLAIN}")
    so = tmp_path_factory.mktemp("shim") / "faultshim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", str(so),
                    str(ROOT / "test/fake/faultshim.c"), "-ldl"], check=True)
    return so


class Shimmed(House):
    """A house whose daemons and their children run with the shim; one check that a file decides."""

    def __init__(self, directory, shim, **settings):
        self.flag = directory / "down"
        plugin = directory / "plugin"
        directory.mkdir(parents=True)
        plugin.write_text(f"#!/bin/sh\nif [ -e {self.flag} ]; then echo 'DOWN CRITICAL: it is down'; exit 2; fi\n"
                          "echo 'UP OK: fine'\n")
        plugin.chmod(0o755)
        super().__init__(directory, {"thing": {"probe": "exec", "command": [str(plugin)], "interval": "2s"}},
                         deadman={"interval": "200ms", "limit": "30s"})
        self.armed, self.fired = directory / "armed", directory / "fired"
        shutil.copy(shim, directory / "faultshim.so")
        lines = {"armed": self.armed, "fired": self.fired, **settings}
        (directory / "faultshim.conf").write_text("".join(f"{k}={v}\n" for k, v in lines.items()))
        env = {"LD_PRELOAD": str(directory / "faultshim.so"), "ASAN_OPTIONS": ""}
        for d in (self.monitord, self.pagerd):
            plain_start = d.start
            d.start = lambda plain_start=plain_start: plain_start(env)

    def revive(self):
        """What systemd does: start again what died."""
        for d in (self.pagerd, self.monitord):
            if not d.alive():
                d.process.wait()
                d.start()

    def wait_reviving(self, condition, timeout, what):
        def step():
            self.revive()
            try:
                return condition()
            except (OSError, AssertionError, StopIteration, ValueError):
                return None
        return wait_for(step, timeout, what)

    def texts(self, state):
        return [m["text"] for m in self.phone.messages() if state in m["text"].split("thing")[0]]


@pytest.fixture(autouse=True)
def plain_build(monkeypatch):
    monkeypatch.setattr(house_module, "BUILD", PLAIN)


def settle(h, state, what):
    """Until the page is known to be sent it may come again; then: at most twice, the second one marked."""
    h.wait_reviving(lambda: h.texts(state), 90, f"{what}: the page")
    h.wait_reviving(lambda: all(p["phase"] == "sent" for i in h.incidents() for p in i["pages"]) and h.incidents(), 90,
                    f"{what}: the page is marked as sent")
    pages = h.texts(state)
    assert len(pages) <= 2, (what, pages)
    if len(pages) == 2:
        assert "again" in pages[1].lower(), (what, pages)
    return pages


def one_kill(directory, shim, prog, n, during="the alert", with_it=None, **settings):
    """True when the shim fired; fails when the pages did not arrive as they must."""
    what = f"{prog} killed at call {n} of {during} {settings or ''}"
    if with_it:
        settings["also"] = directory / "other.pid"
    with Shimmed(directory, shim, prog=prog, n=n, mode="kill", **settings) as h:
        h.wait_check("thing", "OK")
        if with_it:
            settings["also"].write_text(str(getattr(h, with_it).process.pid))
        if during == "the alert":
            h.armed.touch()
        h.flag.touch()
        settle(h, "CRITICAL", what)
        fired = h.fired.exists()
        if during == "the alert":
            h.fired.touch()
        else:
            h.armed.touch()
        h.flag.unlink()
        settle(h, "OK", what)
        fired = fired or during == "the recovery" and h.fired.exists()
        h.fired.touch()
        assert len(h.texts("CRITICAL")) <= 2, (what, h.texts("CRITICAL"))
        h.revive()
        h.wait_up()
    shutil.rmtree(directory)
    return fired


@pytest.mark.parametrize("prog,settings", [
    ("monitord", {}), ("prober", {}), ("pagerd", {}), ("notify_sms", {}),
    ("pagerd", {"when": "after"}),
    ("monitord", {"during": "the recovery"}), ("pagerd", {"during": "the recovery"}),
    ("monitord", {"with_it": "pagerd"}), ("pagerd", {"with_it": "monitord"}),
], ids=lambda v: v if isinstance(v, str) else " ".join(v.values()) or "alone")
def test_killed_at_every_call(tmp_path, shim, prog, settings):
    reached = 0
    with ThreadPoolExecutor(PARALLEL) as pool:
        for first in itertools.count(1, PARALLEL):
            batch = range(first, first + PARALLEL)
            fired = list(pool.map(lambda n: one_kill(tmp_path / f"{prog}-{n}", shim, prog, n, **settings), batch))
            reached += sum(fired)
            # the first run in which it was over before call N: every call was covered
            if not all(fired):
                break
            assert first < 400, "it never ends"
    print(f"{prog} {settings}: killed at {reached} calls")
    assert reached >= (1 if prog == "prober" else 2)  # a result is one write


@pytest.mark.parametrize("mode", ["enospc", "eio", "hang"])
def test_the_spool_fails_and_the_page_goes_by_its_twin(tmp_path, shim, mode):
    with Shimmed(tmp_path / "h", shim, prog="monitord", mode=mode, path=tmp_path / "h" / "spool") as h:
        h.wait_check("thing", "OK")
        h.armed.touch()
        h.flag.touch()
        h.wait_reviving(lambda: h.texts("CRITICAL"), 90, "the page")
        assert len(h.texts("CRITICAL")) == 1
        assert "twin" in h.monitord.log() or h.status()["spool"]["trouble"]
        h.armed.unlink()
        h.flag.unlink()
        h.wait_reviving(lambda: h.texts("OK"), 90, "the recovery")


@pytest.mark.parametrize("mode", ["enospc", "eio"])
def test_pagerds_own_disk_fails_and_the_page_goes_out(tmp_path, shim, mode):
    with Shimmed(tmp_path / "h", shim, prog="pagerd", mode=mode, path=tmp_path / "h" / "pagerd") as h:
        h.wait_check("thing", "OK")
        h.armed.touch()
        h.flag.touch()
        h.wait_reviving(lambda: h.texts("CRITICAL"), 90, "the page")
        h.armed.unlink()
        h.flag.unlink()
        h.wait_reviving(lambda: h.texts("OK"), 90, "the recovery")
        assert len(h.texts("CRITICAL")) <= 2
