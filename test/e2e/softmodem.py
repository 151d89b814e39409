"""The soft modem of test/fake as the far side of an analog line, and multimon-ng as the ear that hears what it dialled."""
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "fake" / "softmodem"


def missing():
    """Why the tests cannot run here, or None."""
    for tool in ("multimon-ng", "sox"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None if Path("/usr/include/spandsp/v22bis.h").exists() else "libspandsp-dev is not installed"


def build():
    """Once for all workers; without sanitizers: it is not what is tested."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with open(PROGRAM.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # not a part of the make that may have started the tests
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        subprocess.run(["make", "-s", "--no-print-directory", "B=build", "SAN=", "CC=gcc", "build/fake/softmodem"], cwd=ROOT, env=env,
                       check=True)


def hear(raw):
    """The digits in a recording (8000 Hz, 16 bit, mono), as multimon-ng hears them."""
    sound = subprocess.run(["sox", "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", str(raw),
                            "-t", "raw", "-r", "22050", "-e", "signed", "-b", "16", "-c", "1", "-"],
                           check=True, stdout=subprocess.PIPE).stdout
    heard = subprocess.run(["multimon-ng", "-q", "-a", "DTMF", "-t", "raw", "-"], input=sound, check=True, stdout=subprocess.PIPE).stdout
    return "".join(x.split(": ")[1] for x in heard.decode().splitlines() if x.startswith("DTMF: "))


class SoftModem:
    """with SoftModem(tmp_path) as m: a modem at m.device. speed: how much shorter its waits are than real ones."""

    def __init__(self, directory, speed=50, terminal=None, script=()):
        self.dir = Path(directory) / "softmodem"
        self.dir.mkdir()
        self.device = str(self.dir / "tty")
        self.terminal = terminal
        self.speed = speed
        self.process = None
        self.script(*script)
        build()
        self.plug_in()

    def plug_in(self):
        command = [PROGRAM, "--link", self.device, "--log", self.dir / "log", "--audio", self.dir, "--script", self.dir / "script",
                   "--speed", self.speed]
        if self.terminal:
            command += ["--terminal", self.terminal]
        self.process = subprocess.Popen([str(x) for x in command])
        wait_for(lambda: os.path.lexists(self.device), 30, "the modem's device")

    def unplug(self):
        """The device is gone, as after a tug at the cable; the receiver falls."""
        self.process.kill()
        self.process.wait(10)
        if os.path.lexists(self.device):
            os.unlink(self.device)

    def script(self, *lines):
        """How the next dials are answered, from the first of this modem's life on: see softmodem.c."""
        (self.dir / "script.new").write_text("".join(x + "\n" for x in lines) or "answer\n")
        os.rename(self.dir / "script.new", self.dir / "script")

    def log(self):
        return (self.dir / "log").read_text(errors="replace").splitlines()

    def commands(self):
        return [x[2:] for x in self.log() if x.startswith("> ")]

    def dialled(self):
        return [x for x in self.commands() if x.startswith("ATD") and x != "ATDW;"]

    def calls(self):
        return sum(x.startswith("off-hook") for x in self.log())

    def off_hook(self):
        moves = [x for x in self.log() if x.split()[0] in ("off-hook", "on-hook")]
        return bool(moves) and moves[-1] != "on-hook"

    def heard(self, call=1):
        return hear(self.dir / f"{call}.raw")

    def wait_hung_up(self):
        wait_for(lambda: self.calls() > 0 and not self.off_hook(), 30, "the receiver to be hung up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unplug()
