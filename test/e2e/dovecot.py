"""A private Dovecot for the tests: IMAP, IMAPS, LMTP and a SASL socket on loopback, ports from the kernel.

    with Dovecot(tmp_path / "dc") as dovecot:
        dovecot.imap_port, dovecot.imaps_port, dovecot.lmtp_port     # 127.0.0.1
        dovecot.pop3_port, dovecot.pop3s_port                        # 0 unless pop3 was asked for
        dovecot.lmtp_socket      # the same LMTP by a unix socket
        dovecot.auth_socket      # for Postfix: smtpd_sasl_type=dovecot, smtpd_sasl_path=this path
        dovecot.ca               # PEM of the CA that signed its certificate (localhost, 127.0.0.1)
        dovecot.password(user)   # "secret" by default
        dovecot.maildir(user)    # Path of the Maildir (cur new tmp exist), for looking and for planting mail
        dovecot.lmtp             # "lmtp:inet:127.0.0.1:PORT", for Postfix' virtual_transport
        dovecot.plant(bytes)     # puts one message into new/ of a user's Maildir
        dovecot.stop(); dovecot.start(); dovecot.pause(); dovecot.resume()

Nothing of the host's own Dovecot is read or touched. As root its processes run as dovecot, dovenull and
nobody; otherwise everything runs as the present user.
"""
import grp
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

DEFAULT_USERS = {"user@lab.test": "secret"}


def missing():
    """Why there can be no Dovecot here, or an empty string."""
    if not program("dovecot"):
        return "dovecot is not installed"
    for part, package in (("imap", "dovecot-imapd"), ("lmtp", "dovecot-lmtpd"), ("pop3", "dovecot-pop3d")):
        if not Path("/usr/lib/dovecot", part).exists():
            return f"{package} is not installed"
    return ""


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin")


def free_ports(n):
    """n ports that the kernel just gave out; all held until all are known, so they differ."""
    holders = [socket.socket() for _ in range(n)]
    for s in holders:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in holders]
    for s in holders:
        s.close()
    return ports


def make_ca(where, names="DNS:localhost,IP:127.0.0.1"):
    """ca.pem, server.pem and server.key in a directory."""
    where.mkdir(parents=True, exist_ok=True)

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=where, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *ec, "-days", "30", "-subj", "/CN=test CA", "-addext",
            "basicConstraints=critical,CA:TRUE", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *ec, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (where / "ext").write_text(f"subjectAltName={names}\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-extfile", "ext", "-out", "server.pem")
    (where / "server.key").chmod(0o600)


class Dovecot:
    counter = itertools.count(1)

    def __init__(self, root, users=None, capability=None, extra="", pop3=False):
        """capability: the whole IMAP capability text after login, to take one away; extra: more configuration."""
        self.root = Path(root)
        self.users = dict(users or DEFAULT_USERS)
        self.capability = capability
        self.extra = extra
        self.process = None
        self.pop3 = pop3
        self.imap_port = self.imaps_port = self.lmtp_port = self.pop3_port = self.pop3s_port = 0
        self.lmtp_socket = self.root / "lmtp"
        self.auth_socket = self.root / "auth-client"
        self.log_file = self.root / "dovecot.log"
        self.ca = self.root / "tls" / "ca.pem"
        self.mail_root = self.root / "mail"
        if os.geteuid() == 0:
            self.owner = pwd.getpwnam("nobody")
        else:
            self.owner = pwd.getpwuid(os.geteuid())
        self._make()

    # --- what tests ask ---

    def password(self, user="user@lab.test"):
        return self.users[user]

    def maildir(self, user="user@lab.test"):
        return self.mail_root / user.split("@")[0] / "Maildir"

    @property
    def lmtp(self):
        return f"lmtp:inet:127.0.0.1:{self.lmtp_port}"

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def plant(self, message, user="user@lab.test", folder="new"):
        """Puts one message into the Maildir as a delivery would; returns its path."""
        name = f"{time.time_ns()}.{next(self.counter)}.planted"
        if folder == "cur":
            name += ":2,"
        temporary, final = self.maildir(user) / "tmp" / name, self.maildir(user) / folder / name
        temporary.write_bytes(message)
        os.chown(temporary, self.owner.pw_uid, self.owner.pw_gid)
        temporary.rename(final)
        return final

    def messages(self, user="user@lab.test"):
        """Paths of all messages of the inbox."""
        return [p for sub in ("new", "cur") for p in sorted((self.maildir(user) / sub).iterdir())]

    # --- life ---

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Ready when all ports answer. A port taken by someone else meanwhile is replaced by another one."""
        for _ in range(5):
            if not self.imap_port:
                self.imap_port, self.imaps_port, self.lmtp_port, self.pop3_port, self.pop3s_port = free_ports(5)
                if not self.pop3:
                    self.pop3_port = self.pop3s_port = 0
            self._configure()
            shutil.rmtree(self.root / "run", ignore_errors=True)
            self.auth_socket.unlink(missing_ok=True)
            (self.root / "run").mkdir()
            with open(self.root / "stdout", "ab") as out:
                self.process = subprocess.Popen(
                    [program("dovecot"), "-F", "-c", str(self.root / "dovecot.conf")], stdin=subprocess.DEVNULL,
                    stdout=out, stderr=out, start_new_session=True)
            if self._wait_ready():
                return self
            self.stop()
            self.imap_port = 0
        raise RuntimeError("dovecot does not start:\n" + self.log() + (self.root / "stdout").read_text())

    def stop(self):
        """At once: a polite stop takes Dovecot seconds, and it starts cleanly after a kill."""
        if not self.process:
            return
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def pause(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        """The session's own group, and the processes that made groups of their own inside it."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def _wait_ready(self):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            if self.auth_socket.exists() and all(
                    self._answers(p) for p in (self.imap_port, self.imaps_port, self.lmtp_port, self.pop3_port, self.pop3s_port) if p):
                return True
            time.sleep(0.02)
        return False

    @staticmethod
    def _answers(port):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False

    # --- files ---

    def _make(self):
        for sub in ("", "state", "mail"):
            (self.root / sub).mkdir(parents=True, exist_ok=True)
        # every parent must be passable for the users that Dovecot and Postfix run as; pytest makes its own 0700
        if os.geteuid() == 0:
            temporary = Path(tempfile.gettempdir())
            for folder in (self.root, *self.root.parents):
                if temporary in folder.parents and folder.stat().st_mode & 0o011 != 0o011:
                    folder.chmod(folder.stat().st_mode & 0o7777 | 0o011)
        if not self.ca.exists():
            make_ca(self.root / "tls")
        lines = [f"{user}:{{PLAIN}}{password}:::::\n" for user, password in self.users.items()]
        (self.root / "users").write_text("".join(lines))
        for user in self.users:
            for folder in (self.maildir(user).parent, self.maildir(user),
                           *(self.maildir(user) / s for s in ("cur", "new", "tmp"))):
                folder.mkdir(parents=True, exist_ok=True)
                os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)

    def _configure(self):
        text = CONFIGURATION.format(root=self.root, imap=self.imap_port, imaps=self.imaps_port, lmtp=self.lmtp_port,
                                    uid=self.owner.pw_uid, gid=self.owner.pw_gid)
        if self.capability:
            text += f"protocol imap {{\n  imap_capability = {self.capability}\n}}\n"
        if self.pop3:
            text = text.replace("protocols = imap lmtp", "protocols = imap lmtp pop3")
            text += (f"service pop3-login {{\n  inet_listener pop3 {{\n    port = {self.pop3_port}\n  }}\n"
                     f"  inet_listener pop3s {{\n    port = {self.pop3s_port}\n  }}\n}}\n")
        if os.geteuid() != 0:
            group = grp.getgrgid(self.owner.pw_gid).gr_name
            text += (f"default_internal_user = {self.owner.pw_name}\ndefault_login_user = {self.owner.pw_name}\n"
                     f"default_internal_group = {group}\n"
                     "service imap-login {\n  chroot =\n}\nservice anvil {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n")
        (self.root / "dovecot.conf").write_text(text + self.extra)


# The penalty of anvil would make the next good login after a bad one wait for seconds. An address-space
# limit below 512 MB is too small for some builds.
CONFIGURATION = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/tls/server.pem
ssl_key = <{root}/tls/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{root}/mail/%n/Maildir
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
default_vsz_limit = 512M
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service lmtp {{
  unix_listener {root}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  unix_listener {root}/auth-client {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
