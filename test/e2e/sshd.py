"""A real sshd for remotes, on a port of the kernel's choosing: each connection gets `sshd -i` in mount and UTS namespaces of its own,
in which the host is called relay1, a user "probe" exists and monitord-prober stands in /usr/local/bin. The host sees nothing of it."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
SSHD = next((p for p in ("/usr/sbin/sshd", str(ROOT / "build/ssh/usr/sbin/sshd")) if os.path.exists(p)), None)
NAME = "relay1.example"
FORCED = "monitord-prober --stdio"

INSIDE = """set -e
mount -t tmpfs -o mode=755 none /run
mkdir -m 755 /run/sshd
mount --bind "$1/passwd" /etc/passwd
mount -t tmpfs -o mode=755 none /usr/local/bin
touch /usr/local/bin/monitord-prober
mount --bind "$2/prober" /usr/local/bin/monitord-prober
hostname relay1.example
exec "$3" -i -e -f "$1/sshd_config"
"""


def missing():
    if os.geteuid() != 0:
        return "needs root: sshd changes the user, and namespaces"
    if not shutil.which("ssh") or not SSHD:
        return "no OpenSSH"
    return ""


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True, stdin=subprocess.DEVNULL, timeout=60)
    return path


def descendants(pid):
    """It and all below it, the youngest last."""
    found = [pid]
    for p in found:
        for task in Path(f"/proc/{p}/task").glob("*"):
            try:
                found += [int(c) for c in (task / "children").read_text().split() if int(c) not in found]
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def comm(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Sshd:
    def __init__(self):
        # not below pytest's own directory, which each session closes again for others: sshd reads here as another user
        self.dir = Path(tempfile.mkdtemp(prefix="sshd"))
        self.dir.chmod(0o755)
        self.host_key, self.identity, self.stranger = (keygen(self.dir / n) for n in ("host_key", "identity", "stranger"))
        passwd = [line for line in Path("/etc/passwd").read_text().splitlines() if line.split(":")[0] not in ("sshd", "probe")]
        passwd += ["sshd:*:64990:65534::/run/sshd:/usr/sbin/nologin", "probe:*:64991:65534::/:/bin/sh"]
        (self.dir / "passwd").write_text("\n".join(passwd) + "\n")
        self.allow()
        (self.dir / "sshd_config").write_text(
            f"HostKey {self.host_key}\nAuthorizedKeysFile {self.dir}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPidFile none\nPrintMotd no\nLogLevel ERROR\nUseDNS no\nAllowUsers probe\n")
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.know(self.host_key)
        self.connections, self.accepted, self.refusing, self.hole = [], 0, False, []
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def allow(self, command=FORCED, key=None):
        """Who may come in, and what is run then."""
        public = Path(f"{key or self.identity}.pub").read_text()
        (self.dir / "authorized_keys").write_text(f'command="{command}",restrict {public}')
        (self.dir / "authorized_keys").chmod(0o644)

    def know(self, key):
        (self.dir / "known_hosts").write_text(f"[127.0.0.1]:{self.port} " + Path(f"{key}.pub").read_text())

    def remote(self, **more):
        """For the section remotes: quick, yet with patience for a machine that is busy."""
        return {"host": "127.0.0.1", "port": self.port, "user": "probe", "identity": str(self.identity),
                "known_hosts": str(self.dir / "known_hosts"), "interval": "1s", "limit": "10s", "delay": "1s", "connect_timeout": "60s", **more}

    def serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.accepted += 1
            if self.refusing == "silent":
                self.hole.append(conn)
                continue
            if self.refusing:
                conn.close()
                continue
            with conn, open(self.dir / "log", "ab") as log:
                self.connections.append(subprocess.Popen(
                    ["unshare", "-m", "-u", "--propagation", "private", "sh", "-c", INSIDE, "sh", str(self.dir), str(BUILD), SSHD],
                    stdin=conn, stdout=conn, stderr=log, start_new_session=True))

    def log(self):
        return (self.dir / "log").read_text(errors="replace") if (self.dir / "log").exists() else ""

    def alive(self):
        return [c for c in self.connections if c.poll() is None]

    def pids(self, name=None):
        """Of all connections: sshd itself, or what it runs."""
        return [p for c in self.alive() for p in descendants(c.pid) if name in (None, comm(p))]

    def signal(self, sig, name=None):
        hit = self.pids(name)
        for pid in hit:
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
        return hit

    def __enter__(self):
        self.sock.listen(64)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(10)
        for conn in self.hole:
            conn.close()
        self.signal(signal.SIGKILL)
        for c in self.connections:
            c.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)
