"""One cell of the fault matrix: a fault of the line, and what becomes meanwhile of the process that holds the page.

The columns:
  alone     the only route; the fault is mended once it has struck
  second    a good second route; the fault is never mended
  notifier  as alone, and the notifier is killed -9 while it has the page
  pagerd    as alone, and pagerd is killed -9 meanwhile and started again; its notifiers end by themselves
  host      pagerd and its notifiers are killed -9 at once, as when the power goes; a second route, nothing is mended
  resort    pagerd is gone for good: monitord pages by itself on its last-resort line

A cell is good when the page arrived in time at somebody, and every copy but the first says that it may be one; a second copy is
allowed where somebody was killed, where the row says so, or by another route than the first.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import lines as far_ends
import softmodem
from faults import ROWS
from house import ROOT, House
from pager import BUILD, Line, Pager, Supervisor
from waiting import wait_for

COLUMNS = ("alone", "second", "notifier", "pagerd", "host", "resort")
KINDS = {"sms": far_ends.Sms, "exec": far_ends.Script, "mail": far_ends.Mail, "webhook": far_ends.Webhook,
         "tones": far_ends.Tones, "tap": far_ends.Tap, "siren": far_ends.Siren}
DEADLINE, WITHIN, SETTLE = 6, 60.0, 60.0
WORD = "matrixpage"


class Bad(Exception):
    pass


def in_cells(row, column):
    """Whether that cell exists."""
    if row["kind"] == "house":
        return column in ("alone", "pagerd")
    if not row.get("mends", True):
        return column in ("second", "host")
    if row.get("refused") and column in ("alone", "notifier", "pagerd"):
        return column == "alone" and bool(row.get("patient"))
    if column == "resort":
        return not row.get("doubles") and row["kind"] in ("sms", "exec")
    return True


def cells():
    return [(row, column) for row in ROWS for column in COLUMNS if in_cells(row, column)]


def missing(row):
    """Why it cannot be tried here; None when it can."""
    return softmodem.missing() if row["kind"] == "tones" else None


# --- processes ---

def children(pid):
    try:
        return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def notifiers(pager):
    return [c for c in children(pager.process.pid) if "notify_" in Path(f"/proc/{c}/comm").read_text()]


# --- a pagerd with the line in question, and a good one ---

class Rig:
    def __init__(self, directory, row, column):
        self.dir, self.row, self.column = directory, row, column
        self.two = column in ("second", "host")
        kind = KINDS.get(row["kind"])
        self.end = kind(directory, row) if kind else None
        self.pager = Pager(directory, "-d", f"{DEADLINE}s", lines=("spare",), env=self.environment())
        routes = [("main", self.end.to)] if self.end else [("spare", "spare@phone")]
        if self.two:
            routes.append(("spare", "spare@phone"))
        self.pager.contacts = {"oncall": [(line, json.dumps(to)) for line, to in routes]}

    def environment(self):
        if "shim" not in self.row and "clock" not in self.row:
            return None
        name = "faultshim" if "shim" in self.row else "clockshim"
        so = shim(name)
        shutil.copy(so, self.dir / so.name)
        if "shim" in self.row:
            (self.dir / "faultshim.conf").write_text(f"prog=pagerd\nmode={self.row['shim']}\narmed={self.dir}/armed\n"
                                                     f"fired={self.dir}/fired\npath={self.dir}/{self.row['where']}\n")
        return {"LD_PRELOAD": str(self.dir / so.name), "ASAN_OPTIONS": ""}

    def start(self):
        text = self.pager.text()
        if self.end:
            main = json.dumps({"notifier": self.end.notifier, **self.end.options})
            text = text.replace("lines:\n", f"lines:\n  main: {main}\n", 1)
        self.pager.write_conf(text)
        self.pager.start()

    def line(self, name):
        return next((x for x in self.pager.ask("status")["lines"] if x["name"] == name), None)

    def wait_line(self):
        """The line says that it is good, or what is wrong with it."""
        known = lambda: (x := self.line("main")) and x["up"] and (x["text"] not in ("starting", "ready") or self.row["kind"] != "sms")  # noqa: E731
        wait_for(known, 60, "the line's state")

    def strike(self):
        if self.end:
            self.end.arm()
        elif "shim" in self.row:
            (self.dir / "armed").touch()
        elif "clock" in self.row:
            (self.dir / "clockshim.offset").write_text(str(self.row["clock"]))
        else:
            self.pager.drop(b"this is no event", name="broken.json")

    def mend(self):
        if self.end:
            self.end.mend()
        (self.dir / "armed").unlink(missing_ok=True)

    def drop(self):
        self.event = self.pager.drop_problem("thing", text=WORD)

    def page(self):
        """The page's record as pagerd shows it; None before there is one."""
        answer = self.pager.try_ask("status")
        found = [p for i in (answer or {}).get("incidents", []) if i["check"] == "thing" for p in i["pages"]]
        return found[0] if found else None

    def struck(self):
        """The page was tried, or is in a notifier's hands."""
        p = self.page()
        return p and (p["attempts"] > 0 or p["phase"] != "waiting")

    def copies(self):
        """(where, says that it may be a repetition), in the order of arrival as far as that is known."""
        main = [("main", marked) for _, marked in (self.end.copies(WORD) if self.end else [])]
        spare = [("spare", p["resend"] or "again" in p["text"]) for p in Line(self.dir, "spare").pages() if p["text"].find(WORD) >= 0]
        return main + spare


def shim(name):
    so = BUILD / "fake" / f"{name}.so"
    source = ROOT / f"test/fake/{name}.c"
    if not so.exists() or so.stat().st_mtime < source.stat().st_mtime:
        so.parent.mkdir(exist_ok=True)
        part = so.with_suffix(f".{os.getpid()}.{time.monotonic_ns()}")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", str(part), str(source), "-ldl"], check=True)
        part.rename(so)
    return so


def judge(row, column, copies, begun):
    """What the cell shows; raises Bad."""
    if not copies and not row.get("sent_elsewhere"):
        raise Bad("LOST")
    unmarked = [where for where, marked in copies if not marked]
    if len(unmarked) > 1:
        raise Bad(f"{len(unmarked)} copies that do not say so: {copies}")
    may = row.get("doubles") or column in ("notifier", "pagerd", "host")
    if len(copies) > 1 and not may:
        raise Bad(f"{len(copies)} copies: {copies}")
    if len(copies) > 3:
        raise Bad(f"{len(copies)} copies")
    return f"{time.monotonic() - begun:.1f}" + (f" x{len(copies)}" if len(copies) > 1 else "")


def interfere(rig, column):
    """Kills what the column says, once the page is under way."""
    if column in ("alone", "second"):
        return
    if column == "notifier":
        for pid in notifiers(rig.pager):
            kill(pid)
        return
    below = notifiers(rig.pager) if column == "host" else []
    rig.pager.kill()
    for pid in below:
        kill(pid)


def paged(row, column, directory):
    rig = Rig(directory, row, column)
    with (rig.end or contextlib.nullcontext()):
        if row.get("early"):
            rig.strike()
        rig.start()
        watch = Supervisor(rig.pager)
        try:
            if rig.end and not row.get("early"):
                rig.wait_line()
            begun = time.monotonic()
            if not row.get("early"):
                rig.strike()
            rig.drop()
            wait_for(rig.struck, 30, "the page under way")
            interfere(rig, column)
            if column in ("pagerd", "host"):
                rig.pager.start()
            if not rig.two:
                rig.mend()
            wait_for(lambda: rig.copies() or row.get("sent_elsewhere"), row.get("within", WITHIN), "the page at somebody")
            shown = f"{time.monotonic() - begun:.1f}"
            wait_for(lambda: (p := rig.page()) and p["phase"] == "sent", SETTLE, "the page known as sent")
            copies = rig.copies()
            judge(row, column, copies, begun)
            rig.mend()
            return shown + (f" x{len(copies)}" if len(copies) > 1 else "")
        except AssertionError as e:
            log = rig.pager.log_text()[-3000:]
            raise Bad(f"{e}; copies {rig.copies()}; page {rig.page()}\n{log}") from None
        finally:
            del watch
            end_pager(rig.pager)


def end_pager(pager):
    below = children(pager.process.pid) if pager.process else []
    if pager.process and pager.process.poll() is None:
        pager.process.send_signal(signal.SIGTERM)
        try:
            pager.process.wait(12)
        except subprocess.TimeoutExpired:
            pager.kill()
    for pid in below:
        kill(pid)


def by_last_resort(row, directory):
    """monitord alone, with a check that is broken and no pagerd."""
    kind = KINDS[row["kind"]]
    plugin, flag = directory / "plugin", directory / "down"
    plugin.write_text(f"#!/bin/sh\n[ -e {flag} ] || {{ echo fine; exit 0; }}\necho '{WORD}'; exit 2\n")
    plugin.chmod(0o755)
    with kind(directory, row) as end, open(os.devnull) as _:
        h = House(directory / "h", {"thing": {"probe": "exec", "command": [str(plugin)], "interval": "300ms"}},
                  lines={"main": {"notifier": end.notifier, **end.options}, "other": {"notifier": "exec", "command": ["/bin/true"]}},
                  contacts={"oncall": {"routes": [{"line": "other", "to": "x"}]}}, deadman={"interval": "200ms", "limit": "1s"},
                  last_resort={"line": "main", "to": end.to})
        h.write_config()
        h.monitord.start()
        try:
            wait_for(lambda: h.socket("monitord").exists() and h.answers(h.monitord), 60, "monitord")
            h.wait_check("thing", "OK")
            begun = time.monotonic()
            end.arm()
            flag.touch()
            wait_for(lambda: end.copies(WORD) or "last resort" in h.monitord.log(), 60, "the last resort at work")
            h.wait_check("thing", "CRITICAL")
            end.mend()
            wait_for(lambda: end.copies(WORD) or row.get("sent_elsewhere"), 90, "the page")
            copies = [("main", marked) for _, marked in end.copies(WORD)]
            return judge(row, "alone", copies, begun)
        except AssertionError as e:
            raise Bad(f"{e}; copies {end.copies(WORD)}\n{h.monitord.log()[-3000:]}") from None
        finally:
            h.monitord.stop()


def run(row, column, directory):
    """The cell's text for the table. Raises Bad with the reason."""
    directory.mkdir(parents=True)
    try:
        return by_last_resort(row, directory) if column == "resort" else paged(row, column, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
