"""Who runs our plugins elsewhere: a real Nagios 4 and a real NRPE, as user nagios, with files in a directory of their own.

    with Front(tmp_path, {"smtp": ["check_smtp", "-H", ...]}) as front:
        front.service("smtp")             # Nagios ran it itself: the members of status.dat
        front.service("smtp", nrpe=True)  # Nagios ran check_nrpe, and a remote NRPE ran it
        front.nrpe("smtp", "-2")          # check_nrpe by hand: exit code and output

In an argument @STATE@ is a directory that each of the two ways has for itself. Every service is run once.
"""
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
NRPE = ROOT / "build/nrpe"  # where dist/deps unpacks it
USER = "nagios"


def missing():
    """Why there can be none here, or an empty string."""
    if os.geteuid() != 0:
        return "needs root to run Nagios as user nagios"
    if not shutil.which("nagios4") or USER not in [u.pw_name for u in pwd.getpwall()]:
        return "nagios4 is not here"
    if not (NRPE / "usr/sbin/nrpe").exists():
        return "NRPE is not unpacked (dist/deps nrpe)"
    return ""


MAIN = """log_file={d}/var/nagios.log
cfg_file={d}/objects.cfg
object_cache_file={d}/var/objects.cache
precached_object_file={d}/var/objects.precache
resource_file={d}/resource.cfg
status_file={d}/var/status.dat
status_update_interval=1
nagios_user=nagios
nagios_group={group}
check_external_commands=0
command_file={d}/var/nagios.cmd
lock_file={d}/var/nagios.lock
temp_file={d}/var/nagios.tmp
temp_path={d}/var
log_archive_path={d}/var
use_syslog=0
state_retention_file={d}/var/retention.dat
check_result_path={d}/var
check_result_reaper_frequency=1
query_socket={d}/var/nagios.qh
service_inter_check_delay_method=0.1
service_interleave_factor=1
max_concurrent_checks=0
service_check_timeout={limit}
check_for_updates=0
bare_update_check=1
retain_state_information=0
illegal_macro_output_chars=`~$&|'<>
"""
HOST = """define timeperiod {
  timeperiod_name always
  alias always
  sunday 00:00-24:00
  monday 00:00-24:00
  tuesday 00:00-24:00
  wednesday 00:00-24:00
  thursday 00:00-24:00
  friday 00:00-24:00
  saturday 00:00-24:00
}
define command {
  command_name nothing
  command_line /bin/true
}
define contact {
  contact_name nobody
  service_notification_period always
  host_notification_period always
  service_notification_options n
  host_notification_options n
  service_notification_commands nothing
  host_notification_commands nothing
}
define host {
  host_name mx
  address 127.0.0.1
  max_check_attempts 1
  check_period always
  notification_period always
  contacts nobody
}
"""
SERVICE = """define command {{
  command_name {name}
  command_line {line}
}}
define service {{
  host_name mx
  service_description {name}
  check_command {name}
  max_check_attempts 1
  check_interval 1000
  retry_interval 1000
  check_period always
  notification_interval 0
  notification_period always
  contacts nobody
}}
"""
REMOTE = """pid_file={d}/var/nrpe.pid
log_file={d}/var/nrpe.log
server_port={port}
server_address=127.0.0.1
nrpe_user=nagios
nrpe_group={group}
allowed_hosts=127.0.0.1
command_timeout={limit}
connection_timeout=300
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Front:
    def __init__(self, commands, group="nagios", limit=60):
        """commands: {name: [our program or an absolute path, argument...]}; group: which theirs is; limit: how long a check may take."""
        self.commands, self.group, self.limit = commands, group, limit
        self.dir = Path(tempfile.mkdtemp(prefix="front"))
        self.dir.chmod(0o755)
        self.bin, self.port, self.processes = self.dir / "bin", free_port(), []
        self.bin.mkdir()
        for program in BUILD.glob("check_*"):
            shutil.copy(program, self.bin / program.name)
        for room in ("var", "state", "state-nrpe"):
            (self.dir / room).mkdir()
            shutil.chown(self.dir / room, USER, group)

    def line(self, name, state):
        program, *args = self.commands[name]
        return shlex.join([str(self.bin / program), *(str(a).replace("@STATE@", str(self.dir / state)) for a in args)])

    def check_nrpe(self, name, *more):
        return [NRPE / "usr/lib/nagios/plugins/check_nrpe", "-H", "127.0.0.1", "-p", str(self.port), "-t", str(self.limit), *more, "-c", name]

    def nrpe(self, name, *more):
        done = subprocess.run(self.check_nrpe(name, *more), stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        return done.returncode, done.stdout

    def configure(self):
        objects = HOST
        for name in self.commands:
            remote = shlex.join(map(str, self.check_nrpe(name)))
            for service, line in ((name, self.line(name, "state")), (name + " by NRPE", remote)):
                objects += SERVICE.format(name=service, line=line.replace("$", "$$").replace(";", "\\;"))
        (self.dir / "objects.cfg").write_text(objects)
        (self.dir / "resource.cfg").write_text("")
        (self.dir / "nagios.cfg").write_text(MAIN.format(d=self.dir, group=self.group, limit=self.limit))
        (self.dir / "nrpe.cfg").write_text(REMOTE.format(d=self.dir, port=self.port, group=self.group, limit=self.limit) +
                                           "".join(f"command[{n}]={self.line(n, 'state-nrpe')}\n" for n in self.commands))

    def spawn(self, *argv):
        with open(self.dir / "out", "a") as out:
            self.processes.append(subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True))
        return self.processes[-1]

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def __enter__(self):
        self.configure()
        nrpe = self.spawn(NRPE / "usr/sbin/nrpe", "-c", self.dir / "nrpe.cfg", "-f")
        wait_for(lambda: nrpe.poll() is not None or self.listens(), 60, "NRPE")
        assert nrpe.poll() is None, (self.dir / "out").read_text()
        self.spawn("nagios4", self.dir / "nagios.cfg")
        return self

    def __exit__(self, *_):
        for p in self.processes:
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def services(self):
        """{service: members} as status.dat has them now."""
        try:
            text = (self.dir / "var/status.dat").read_text(errors="replace")
        except FileNotFoundError:
            return {}
        found = {}
        for block in text.split("servicestatus {\n")[1:]:
            members = dict(x.strip().split("=", 1) for x in block.split("\t}")[0].splitlines() if "=" in x)
            found[members["service_description"]] = members
        return found

    def service(self, name, nrpe=False, timeout=120):
        """What Nagios knows of it, once it has run."""
        name += " by NRPE" if nrpe else ""

        def run_once():
            assert self.processes[-1].poll() is None, (self.dir / "out").read_text()[-3000:]
            found = self.services().get(name)
            return found if found and found["has_been_checked"] == "1" else None
        return wait_for(run_once, timeout, f"Nagios ran {name}")
