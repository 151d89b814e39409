"""What the benchmarks share: a figure and its table, the small C programs beside them, clocks of other processes."""
import dataclasses
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
os.environ["BUILD"] = str(BUILD)
for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # a daemon has none: the system's own places count
    os.environ.pop(name, None)
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "fake")]
median = statistics.median


@dataclasses.dataclass
class Figure:
    """One line of the table. ratio: measured against the goal's measure; met: None where there is no goal."""
    what: str
    measured: str
    goal: str = ""
    ratio: str = ""
    met: bool = None

    def verdict(self):
        return {None: "", True: "met", False: "NOT met"}[self.met]


def table(figures):
    """The figures in columns; what is too long for its column gets a line of its own."""
    rows = [(f.what, f.measured, f.goal, f.ratio, f.verdict()) for f in figures]
    head = ("figure", "measured", "goal", "ratio", "")
    wide = [max(len(r[i]) for r in (head, *rows)) for i in range(5)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, wide)).rstrip() for r in (head, *rows))


def tool(name):
    """The path of a C program of this folder, compiled if need be."""
    source, out = HERE / f"{name}.c", BUILD / "bench" / name
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-o", str(out),
                        str(source)], check=True)
    return str(out)


def numbers(*command):
    """Runs a program that prints numbers on one line."""
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                          text=True, timeout=180)
    return [float(x) for x in done.stdout.split()]


class Responder:
    """responder.c: an SMTP server that costs next to nothing. `cpu` keeps it off the core that is measured."""

    def __init__(self, mode="talk", cpu=None):
        before = os.sched_getaffinity(0)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        try:
            self.process = subprocess.Popen([tool("responder"), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                            bufsize=1)
        finally:
            os.sched_setaffinity(0, before)
        self.port = int(self.line())

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise RuntimeError("the responder ended")
        return text.strip()

    def say(self, order):
        self.process.stdin.write(order + "\n")

    def counts(self):
        """accepted, finished, open"""
        self.say("count")
        return [int(x) for x in self.line().split()[1::2]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


# --- other processes ---

def cpu_seconds(pid):
    """CPU time of a whole process, to the nanosecond: the clock that clock_getcpuclockid(3) would give."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_kib(pid):
    """(resident, proportional) set of a process."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        found[name.rstrip(":")] = int(value)
    return found["Rss"], found["Pss"]


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def descendants(*roots):
    """{pid: name} of these processes and of all below them."""
    parents, names = {}, {}
    for p in Path("/proc").iterdir():
        if p.name.isdigit():
            try:
                stat = (p / "stat").read_text()
            except OSError:
                continue
            names[int(p.name)] = stat[stat.index("(") + 1:stat.rindex(")")]
            parents[int(p.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    found = set(roots)
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return {p: names[p] for p in sorted(found) if p in names}


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def machine():
    """One line that says where the figures are from."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    return (f"{os.cpu_count()} x {model}, {memory} GiB, Linux {platform.release()}, "
            f"load {os.getloadavg()[0]:.1f} at the start")


def filesystem(path):
    """The kind of file system a path is on."""
    done = subprocess.run(["stat", "-f", "-c", "%T", str(path)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
