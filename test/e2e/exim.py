"""A private Exim for the tests: loopback only, a port from the kernel.

    with Exim(root) as mta:
        mta.port                  # SMTP; user@lab.test goes to a Maildir, all else to a relay at 127.0.0.1:relay_port (a dead port)
        mta.input                 # Path of its queue
        mta.command("-bpc")       # what that prints
        mta.log()                 # mainlog so far
"""
import mtas
from waiting import wait_for

CONF = """primary_hostname = exim.lab.test
spool_directory = @W@/spool
log_file_path = @W@/log/%slog
pid_file_path = @W@/spool/exim.pid
local_interfaces = <; 127.0.0.1
daemon_smtp_ports = @PORT@
disable_ipv6
keep_environment =
never_users =
exim_path = @EXIM@
split_spool_directory = @SPLIT@
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
queue_list_requires_admin = false
@MAIN@
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
begin acl
acl_rcpt:
@ACL@
begin routers
@ROUTERS@
virt:
  driver = accept
  domains = lab.test
  local_parts = user : postmaster
  transport = maildir
dead:
  driver = manualroute
  domains = @FOREIGN@ : ! @[]
  route_list = * 127.0.0.1
  self = send
  transport = relay
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = @W@/mail/$local_part_data
  create_directory
  user = Debian-exim
relay:
  driver = smtp
  port = @RELAY@
  hosts_try_fastopen =
  allow_localhost
begin retry
* * F,2d,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
  server_advertise_condition = yes
"""


def missing():
    return mtas.missing("exim")


class Exim(mtas.Server):
    def __init__(self, root, split=False, relay_port=9, main="", acl="  accept", routers="", own=("lab.test",)):
        """main: more lines of the main section; acl: of what is asked at RCPT; routers: in front of the
        others; own: domains that are not sent on."""
        super().__init__(root)
        self.more = {"MAIN": main, "ACL": acl, "ROUTERS": routers, "FOREIGN": " : ".join(f"! {d}" for d in own)}
        self.split, self.relay_port, self.port = split, relay_port, 0
        self.conf, self.input = self.root / "exim.conf", self.root / "spool" / "input"
        for name in ("spool", "log", "mail"):
            (self.root / name).mkdir(exist_ok=True)
            mtas.give(self.root / name, "Debian-exim")

    def argv(self, *args):
        return mtas.private([mtas.program("exim"), "-C", self.conf, *args], self.root / "accounts")

    def command(self, *args):
        return mtas.run(self.argv(*args))

    def start(self):
        self.port = mtas.free_port()
        text = CONF
        for key, value in (("W", self.root), ("PORT", self.port), ("EXIM", mtas.program("exim")), ("RELAY", self.relay_port),
                           ("SPLIT", "true" if self.split else "false"), *self.more.items()):
            text = text.replace(f"@{key}@", str(value))
        self.conf.write_text(text)
        self.command("-bd", "-q30m")
        wait_for(lambda: mtas.answers(self.port), 60, "exim to start")

    def stop(self):
        super().stop()
        pid = self.root / "spool" / "exim.pid"
        if pid.exists():
            mtas.kill_and_wait(int(pid.read_text()))
            pid.unlink(missing_ok=True)

    def messages(self):
        return [p for p in self.input.rglob("*-H")] if self.input.is_dir() else []

    def log(self):
        file = self.root / "log" / "mainlog"
        return file.read_text(errors="replace") if file.exists() else ""
