"""A private Postfix for the tests: loopback only, ports from the kernel, nothing of the host's own is touched.

    with Postfix(tmp_path / "pf") as relay:
        relay.port                        # SMTP on 127.0.0.1 (and [::1] with ipv6=True)
        relay.maildir("user@lab.test")    # Path of the Maildir that mail for that user is delivered to
        relay.queue                       # Path of the queue directory
        relay.log()                       # the mail log so far
        relay.sendmail(sender, to, text)  # hands a message in, as sendmail -t or with recipients
        relay.stop(); relay.start()       # the port stays the same; stopped, it refuses
        relay.kill()                      # SIGKILL to all of it
        relay.pause(); relay.resume()     # SIGSTOP: connects are taken by the kernel, nobody speaks
        relay.set("relayhost", "[127.0.0.1]:9")   # main.cf, while it runs too

More listeners of the same instance, each with a port of its own, known after start():

        relay = Postfix(root)
        relay.service("slow", sleep_before_greeting(20))
        relay.service("traps", postscreen(4), kind="postscreen")
        relay.service("wrapped", "smtpd -o smtpd_tls_wrappermode=yes")
        with relay:
            relay.ports["slow"]

Delivery: Maildirs below relay.mail_root (mail_root=dovecot.mail_root joins a Dovecot's), or transport=dovecot.lmtp.
All addresses in `users` are local; anything else goes to relayhost, by default where no network leads (an address that is not this host's).
TLS: relay.ca signed a certificate for localhost, mx.lab.test, 127.0.0.1, ::1; Authority makes other ones.
Needs root, because Postfix does: missing() says why there can be none.
"""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from waiting import wait_for

DAEMONS = Path("/usr/lib/postfix/sbin")
MAIL_USER = "nobody"


def missing():
    """Why there can be no Postfix here, or an empty string."""
    if os.geteuid() != 0:
        return "Postfix starts only as root"
    if not (DAEMONS / "master").exists():
        return "postfix is not installed"
    return ""


def sleep_before_greeting(seconds):
    """The command of a service that says nothing at all for so long, then greets."""
    return f"smtpd -o smtpd_delay_reject=no -o {{ smtpd_client_restrictions = sleep {seconds}, permit }}"


def postscreen(seconds, banner="wait, please"):
    """The command of a service that says 220-BANNER at once and the rest after so many seconds (kind="postscreen")."""
    return ("postscreen -o postscreen_access_list= -o postscreen_greet_action=enforce -o postscreen_greet_ttl=1s"
            f" -o postscreen_greet_wait={seconds}s -o {{ postscreen_greet_banner = {banner} }}"
            " -o postscreen_cache_map=@CACHE@")


def free_ports(n):
    """n ports that the kernel just gave out, free on 127.0.0.1 and ::1; all held until all are known."""
    holders, ports = [], []
    while len(ports) < n:
        four = socket.socket()
        four.bind(("127.0.0.1", 0))
        holders.append(four)
        port = four.getsockname()[1]
        try:
            six = socket.socket(socket.AF_INET6)
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            holders.append(six)
            six.bind(("::1", port))
        except OSError:
            if has_ipv6():
                continue
        ports.append(port)
    for s in holders:
        s.close()
    return ports


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def reachable_by_daemons(folder):
    """Lets the users that Postfix runs as pass through every folder of ours above this one; pytest makes them 0700."""
    temporary = Path(tempfile.gettempdir())
    for f in (folder, *folder.parents):
        if temporary in f.parents and f.stat().st_mode & 0o011 != 0o011:
            f.chmod(f.stat().st_mode & 0o7777 | 0o011)


class Authority:
    """A certificate authority in a folder: .ca is its certificate, certificate() makes server certificates."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        if not self.ca.exists():
            self._openssl("req", "-x509", *self.EC, "-days", "30", "-subj", "/CN=test CA", "-addext",
                          "basicConstraints=critical,CA:TRUE", "-keyout", "ca.key", "-out", "ca.pem")

    EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    NAMES = "DNS:localhost,DNS:mx.lab.test,IP:127.0.0.1,IP:::1"

    def certificate(self, name, days=30, names=NAMES, common_name="localhost"):
        """(certificate, key) paths. It ends a little before so many days are over; negative: it expired so long ago."""
        pem, key, request, config = (f"{name}.{x}" for x in ("pem", "key", "csr", "cnf"))
        self._openssl("req", *self.EC, "-subj", f"/CN={common_name}", "-keyout", key, "-out", request)
        # `x509 -days` takes no past; `ca` takes any two dates
        now = time.time()
        begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t))
                      for t in (now - 86400 * (2 + max(0, -days)), now + 86400 * days - 600))
        (self.folder / f"{name}.index").write_text("")
        (self.folder / config).write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={name}.index\nnew_certs_dir=.\nrand_serial=yes\n"
            f"default_md=sha256\npolicy=p\ncertificate=ca.pem\nprivate_key=ca.key\n[p]\ncommonName=supplied\n"
            f"[e]\nsubjectAltName={names}\n")
        self._openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "e", "-startdate", begin,
                      "-enddate", end, "-in", request, "-out", pem)
        (self.folder / key).chmod(0o600)
        return self.folder / pem, self.folder / key

    def _openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"openssl {args[0]}: {done.stdout.decode(errors='replace')}")


class Postfix:
    def __init__(self, root, users=("user@lab.test",), main=None, master=(), mail_root=None, transport=None,
                 relayhost="[255.255.255.255]:9", ipv6=False, tls=True, smtpd="smtpd", prefix=(), address="127.0.0.1"):
        """main: more main.cf settings; master: more master.cf lines, whole; smtpd: the command of the main listener; prefix: what starts
        its master, for a place of its own; address: where it listens, and when several share a port it is set before start()."""
        self.root = Path(root)
        self.users = list(users)
        self.extra_master = list(master)
        self.prefix = list(prefix)
        self.ipv6 = ipv6
        self.address = address
        self.port = 0
        self.ports = {}
        self.etc, self.queue = self.root / "etc", self.root / "spool"
        self.data, self.log_file = self.root / "lib", self.root / "mail.log"
        self.mail_root = Path(mail_root) if mail_root else self.root / "mail"
        self.authority = Authority(self.root / "tls") if tls else None
        self.ca = self.authority.ca if tls else None
        self.services = {"main": (smtpd, "smtpd")}
        self.settings = self._defaults(relayhost, transport)
        self.settings.update(main or {})
        self.pid = 0
        self._make()

    # --- what tests ask ---

    def maildir(self, user="user@lab.test"):
        return self.mail_root / user.split("@")[0] / "Maildir"

    def make_maildir(self, user="user@lab.test"):
        """As virtual(8) makes it with the first mail, for who looks into it before."""
        for folder in ("new", "cur", "tmp"):
            (self.maildir(user) / folder).mkdir(parents=True, exist_ok=True)
        for folder in (self.maildir(user).parent, self.maildir(user), *self.maildir(user).iterdir()):
            os.chown(folder, 65534, 65534)

    def messages(self, user="user@lab.test"):
        """Paths of all messages that were delivered to a user's Maildir."""
        return [p for sub in ("new", "cur") if (self.maildir(user) / sub).is_dir()
                for p in sorted((self.maildir(user) / sub).iterdir())]

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def sendmail(self, sender, to, text, from_headers=False):
        """Hands in a message; to: a list. With from_headers the recipients stand in the text (sendmail -t)."""
        command = ["/usr/sbin/sendmail", "-C", str(self.etc), "-i", "-f", sender]
        command += ["-t"] if from_headers else ["--", *to]
        env = dict(os.environ, MAIL_CONFIG=str(self.etc))
        return subprocess.run(command, input=text if isinstance(text, bytes) else text.encode(), env=env, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def command(self, name, *args, check=True):
        """postqueue, postsuper, postconf ... on this instance; returns the completed process with text output."""
        return subprocess.run([f"/usr/sbin/{name}", "-c", str(self.etc), *args], check=check, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def service(self, name, command, kind="smtpd"):
        """One more listener, before start(); its port is ports[name] then."""
        self.services[name] = (command, kind)
        return self

    def set(self, name, value):
        """A main.cf setting; a running instance takes it over."""
        self.settings[name] = value
        self._write_main()
        if self.running():
            os.kill(self.pid, signal.SIGHUP)

    # --- life ---

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def running(self):
        """A zombie does not run; who reaps it, and when, is init's affair."""
        try:
            return bool(self.pid) and Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def start(self):
        """Ready when every port listens. Ports taken by someone else meanwhile are replaced, but only the first time."""
        for last in (False, False, False, True):
            fresh = not self.port
            if fresh:
                self._choose_ports()
            self._write_main()
            self._write_master()
            done = subprocess.run([*self.prefix, str(DAEMONS / "master"), "-w", "-c", str(self.etc)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            if done.returncode == 0:
                self.pid = int((self.queue / "pid" / "master.pid").read_text())
                return self
            if last or not fresh:
                break
            self.port = 0
        raise RuntimeError("postfix does not start:\n" + done.stdout.decode(errors="replace") + self.log())

    def wait_greetings(self, timeout=150):
        """Until every listener greets: master holds a service back for a minute whose first process ended badly on a busy machine."""
        def greets(port):
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as s:
                    s.settimeout(10)
                    return s.recv(100).startswith(b"220 ")
            except OSError:
                return False
        for port in (self.port, *self.ports.values()):
            wait_for(lambda p=port: greets(p), timeout, f"a greeting at port {port}:\n{self.log()}")

    def stop(self):
        if not self.running():
            return
        os.kill(self.pid, signal.SIGCONT)
        os.kill(self.pid, signal.SIGTERM)
        self._wait_gone()

    def kill(self):
        """All of it at once, as an out-of-memory killer or a power cut would."""
        self._signal_group(signal.SIGKILL)
        self._wait_gone()

    def pause(self):
        self._signal_group(signal.SIGSTOP)

    def resume(self):
        self._signal_group(signal.SIGCONT)

    def _processes(self):
        """master and its children: they share its process group."""
        found = []
        for p in Path("/proc").iterdir():
            if not p.name.isdigit():
                continue
            try:
                fields = (p / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(p.name) == self.pid or int(fields[1]) == self.pid or int(fields[2]) == self.pid:
                found.append(int(p.name))
        return found

    def _signal_group(self, number):
        for pid in sorted(self._processes()):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def _wait_gone(self):
        until = time.monotonic() + 10
        while self.running() or any(self._listens(p) for p in [self.port, *self.ports.values()]):
            if time.monotonic() > until:
                self._signal_group(signal.SIGKILL)
            if time.monotonic() > until + 5:
                raise RuntimeError(f"postfix {self.pid} does not end")
            time.sleep(0.01)
        self.pid = 0

    def _listens(self, port):
        """Asks the kernel's table, because a connect would be one more visitor in the log."""
        four = socket.inet_aton(self.address)[::-1].hex().upper()
        return any(re.search(rf"^\s*\d+: {address}:{port:04X} [0-9A-F:]+ 0A ", Path(f).read_text(), re.M)
                   for f, address in (("/proc/net/tcp", four), ("/proc/net/tcp6", "[0-9A-F]+")) if os.path.exists(f))

    # --- files ---

    def _defaults(self, relayhost, transport):
        owner = pwd.getpwnam(MAIL_USER)
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.queue,
            "data_directory": self.data,
            "maillog_file": self.log_file,
            "maillog_file_prefixes": self.root,
            "inet_interfaces": "loopback-only",
            "inet_protocols": "all" if self.ipv6 else "ipv4",
            "myhostname": "mx.lab.test",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8 [::1]/128",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
            "smtpd_peername_lookup": "no",
            "alias_maps": "",
            "alias_database": "",
            "default_database_type": "texthash",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "relayhost": relayhost,
            "virtual_mailbox_domains": ", ".join(sorted({u.split("@")[1] for u in self.users})),
            "virtual_mailbox_base": self.mail_root,
            "virtual_mailbox_maps": "inline:{ "
            + ", ".join(f"{{ {u} = {u.split('@')[0]}/Maildir/ }}" for u in self.users) + " }",
            "virtual_uid_maps": f"static:{owner.pw_uid}",
            "virtual_gid_maps": f"static:{owner.pw_gid}",
            "virtual_mailbox_limit": "0",
            "import_environment": f"MAIL_CONFIG={self.etc} TZ MAIL_DEBUG MAIL_LOGTAG LANG=C",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
        }
        if transport:
            settings["virtual_transport"] = transport
        if self.authority:
            pem, key = self.authority.certificate("server")
            settings.update({"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": pem, "smtpd_tls_key_file": key})
        return settings

    def _make(self):
        """What `postfix start` would make: master alone, which starts in a fiftieth of the time, does not."""
        postfix, postdrop = pwd.getpwnam("postfix").pw_uid, shutil._get_gid("postdrop")
        for folder in (self.root, self.etc, self.queue, self.data, self.mail_root):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self.queue):
            folder.chmod(0o755)
        os.chown(self.data, postfix, -1)
        owner = pwd.getpwnam(MAIL_USER)
        os.chown(self.mail_root, owner.pw_uid, owner.pw_gid)
        for names, mode, gid in ((("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
                                   "private", "saved", "trace"), 0o700, -1),
                                 (("maildrop",), 0o1730, postdrop), (("public",), 0o710, postdrop)):
            for name in names:
                (self.queue / name).mkdir(exist_ok=True)
                (self.queue / name).chmod(mode)
                os.chown(self.queue / name, postfix, gid)
        (self.queue / "pid").mkdir(exist_ok=True)
        self.log_file.touch()
        os.chown(self.log_file, postfix, -1)  # postlogd writes it, and may not create it here
        reachable_by_daemons(self.root)
        reachable_by_daemons(self.mail_root)

    def _choose_ports(self):
        ports = free_ports(len(self.services))
        self.ports = dict(zip(self.services, ports))
        self.port = self.ports.pop("main")

    def _write_main(self):
        """Backdated, because every Postfix program waits until main.cf is two seconds old."""
        text = "".join(f"{k} = {v}\n" for k, v in self.settings.items())
        self._replace(self.etc / "main.cf", text)
        maps = Path("/etc/postfix/dynamicmaps.cf")
        self._replace(self.etc / "dynamicmaps.cf", maps.read_text() if maps.exists() else "")

    def _write_master(self):
        text = re.sub(r"\n[ \t]+", " ", Path("/usr/share/postfix/master.cf.dist").read_text())
        services = [x.split() for x in text.splitlines() if x and x[0] != "#"]
        # the fifth field: no chroot, so there are no files to copy into the queue directory
        lines = [" ".join([*x[:4], "n", *x[5:]]) for x in services if x[1] != "inet" and x[7] != "pipe"]
        if any(kind == "postscreen" for _, kind in self.services.values()):
            lines.append("smtpd pass - - n - - smtpd")
        for name, (command, kind) in self.services.items():
            port = self.ports.get(name, self.port)
            limit = "1" if kind == "postscreen" else "-"
            command = command.replace("@CACHE@", f"{self._cache_type()}:{self.data}/postscreen-{name}")
            lines.append(f"{self.address}:{port} inet n - n - {limit} {command}")
            if self.ipv6 and kind != "postscreen":
                lines.append(f"[::1]:{port} inet n - n - {limit} {command}")
        self._replace(self.etc / "master.cf", "\n".join(lines + self.extra_master) + "\n")

    def _cache_type(self):
        kinds = subprocess.run(["/usr/sbin/postconf", "-c", str(self.etc), "-m"], stdout=subprocess.PIPE, text=True).stdout.split()
        return next(k for k in ("lmdb", "btree", "hash", "dbm") if k in kinds)

    @staticmethod
    def _replace(path, text):
        """A running Postfix reads it at any moment: never half written, never too young."""
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.utime(fresh, (time.time() - 60,) * 2)
        fresh.rename(path)
