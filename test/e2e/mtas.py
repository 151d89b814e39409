"""Other mail transport agents than Postfix, for tests: unpacked into build/mtas by dist/deps, each run in namespaces of its own.

    missing("sendmail")            why there can be none here, or an empty string
    private(argv, ...)             the command that runs argv where users exist for them and paths are theirs
    Server                         what sendmail.py, exim.py, opensmtpd.py and nullmailer.py share

Nothing of the host is touched: users stand in a copy of /etc/passwd that only the server sees, what is compiled in as a path
is mounted for it alone, and syslog goes to a file. Needs root.
"""
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from postfix import reachable_by_daemons
from waiting import wait_for

TREE = Path(__file__).resolve().parents[2] / "build" / "mtas"
PROGRAMS = {"sendmail": "usr/libexec/sendmail/sendmail", "exim": "usr/sbin/exim4", "opensmtpd": "usr/sbin/smtpd",
            "nullmailer": "usr/sbin/nullmailer-send"}
# numbers that no distribution gives out
USERS = {"Debian-exim": 31101, "opensmtpd": 31102, "opensmtpq": 31103, "smmta": 31104, "smmsp": 31105}


def program(name):
    return TREE / PROGRAMS[name]


def missing(name):
    if os.geteuid() != 0:
        return f"{name} starts only as root"
    if not program(name).exists():
        return f"{name} is not unpacked (dist/deps mtas)"
    if subprocess.run(["unshare", "-m", "-u", "true"], stderr=subprocess.DEVNULL).returncode:
        return "no namespaces here"
    return ""


def give(path, user):
    os.chown(path, USERS[user], USERS[user])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    """Whether somebody greets there."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            return s.recv(3) == b"220"
    except OSError:
        return False


def _accounts(folder):
    """Copies of passwd and group that know the users of the unpacked servers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n")):
        have = Path("/etc", name).read_text()
        known = {x.split(":")[0] for x in have.splitlines()}
        (folder / name).write_text(have + "".join(line.format(u, n) for u, n in USERS.items() if u not in known))


def private(argv, folder, script="", hostname="", syslog=None):
    """The argv that runs argv in a mount namespace (and, with a hostname, a UTS one) of its own. script: shell lines before
    it, for more mounts; syslog: the socket that /dev/log shall be. folder: for the copies of passwd and group."""
    _accounts(Path(folder))
    lines = ["set -e", f"mount --bind {folder}/passwd /etc/passwd", f"mount --bind {folder}/group /etc/group"]
    if hostname:
        lines.append(f"hostname {hostname}")
    if syslog:
        lines += ["d=$(mktemp -d); mount -t tmpfs none $d",
                  "for n in null zero full random urandom; do : > $d/$n; mount --bind /dev/$n $d/$n; done",
                  "mkdir $d/shm; mount --bind /dev/shm $d/shm; ln -s /proc/self/fd $d/fd", f"ln -s {syslog} $d/log",
                  "mount --move $d /dev; rmdir $d"]
    lines += [script, 'exec "$@"']
    flags = ["-m", "--propagation", "private"] + (["-u"] if hostname else [])
    return ["unshare", *flags, "sh", "-c", "\n".join(lines), "sh", *map(str, argv)]


class Syslog:
    """A /dev/log that appends to a file as a syslogd does: "Nov 25 07:58:29 host sendmail[1]: ..." """

    def __init__(self, path, hostname):
        self.hostname = hostname.split(".")[0].encode()
        self.path = Path(path)
        self.path.touch()
        self.folder = tempfile.mkdtemp(prefix="log-", dir="/tmp")  # a socket's path may have 107 bytes
        os.chmod(self.folder, 0o755)
        self.socket = os.path.join(self.folder, "s")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.bind(self.socket)
        os.chmod(self.socket, 0o666)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with open(self.path, "ab", 0) as out:
            while True:
                try:
                    data = self._listener.recv(65536)
                except OSError:
                    return
                # "<22>Nov 25 07:58:29 sendmail[1]: ..."
                data = data.rstrip(b"\0\n").partition(b">")[2]
                out.write(data[:16] + self.hostname + b" " + data[16:] + b"\n")

    def close(self):
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """Processes that belong to one server; all end with it, whatever happened."""

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        reachable_by_daemons(self.root)
        self.processes = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def spawn(self, name, argv):
        with open(self.root / f"{name}.out", "ab") as out:
            self.processes[name] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                    start_new_session=True)

    def ready(self, name, condition, timeout=60):
        """Waits until the server does what it shall; tells what it wrote when it dies instead."""
        def state():
            if self.processes[name].poll() is not None:
                raise RuntimeError(f"{name} ended:\n" + self.output(name))
            return condition()
        wait_for(state, timeout, f"{name} to start")

    def output(self, name):
        return (self.root / f"{name}.out").read_text(errors="replace")

    def end(self, name):
        process = self.processes.pop(name, None)
        if not process:
            return
        for sig in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sig)
            except ProcessLookupError:
                break
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        process.wait()

    def stop(self):
        for name in list(self.processes):
            self.end(name)


def kill_and_wait(pid):
    """Ends a daemon that is no child of ours."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sig)
            wait_for(lambda: not os.path.exists(f"/proc/{pid}"), 10, f"process {pid} to end")
        except ProcessLookupError:
            return
        except AssertionError:
            continue
        return


def run(argv, **kwargs):
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=120, **{"stderr": subprocess.STDOUT, **kwargs})
    if done.returncode:
        raise RuntimeError(f"{shlex.join(map(str, argv[-6:]))}: {done.returncode}: {done.stdout}")
    return done.stdout
