"""Under a real systemd: what `make install` puts there starts, is watched, restarts and reloads; probes and a pty line work inside
the sandbox. A real modem's device node cannot be had here: that DeviceAllow lets it through is not shown by these tests."""
import json
import os
import re
import smtplib
import subprocess
from pathlib import Path

import pytest

import dovecot
import postfix
import sshd
import systemd_ns
from house import ROOT, wait_for

PLAIN = Path(os.environ.get("BUILD_PLAIN", ROOT / "build")).resolve()
pytestmark = pytest.mark.skipif(bool(systemd_ns.missing()), reason=systemd_ns.missing())
UNITS = ("monitord-pagerd", "monitord-prober-local", "monitord")
NUMBER = "+819012345678"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """What `make install` installs."""
    if not (PLAIN / "monitord").exists():
        pytest.skip(f"no build without sanitizers in {PLAIN}")
    d = tmp_path_factory.mktemp("install")
    done = subprocess.run(["make", "-s", f"B={PLAIN}", "install", f"DESTDIR={d}", "SYSCONFDIR=/etc"], cwd=ROOT,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return d


def configuration(sd, relay, store, keys):
    checks = {
        "relay": {"probe": "smtp", "host": "127.0.0.1", "port": relay.port},
        "load": {"probe": "load", "warning": "1000"},
        "disk": {"probe": "disk", "path": ["/var/spool/monitord"], "warning": "1%"},
        "queue": {"probe": "queue", "queue_directory": [sd.inside(relay.queue)]},
        "journal": {"probe": "log", "journal": True},
        "foreign": {"probe": "exec", "command": ["/usr/lib/nagios/plugins/check_dummy", "0", "fine"]},
        "round trip": {"probe": "roundtrip", "smtp_host": "127.0.0.1", "smtp_port": relay.port, "imap_host": "127.0.0.1",
                       "imap_port": store.imap_port, "imap_user": "user@lab.test", "imap_tls": "none",
                       "imap_password_file": str(keys / "password"), "key_file": str(keys / "key"),
                       "from": "probe@lab.test", "to": "user@lab.test"},
        "round trip by Maildir": {"probe": "roundtrip", "smtp_host": "127.0.0.1", "smtp_port": relay.port, "from": "probe@lab.test",
                                  "to": "back@lab.test", "maildir": sd.inside(relay.maildir("back@lab.test")), "key_file": str(keys / "key")},
    }
    return {
        "probers": {"local": {"socket": "/run/monitord-prober/local.sock"}},
        "defaults": {"interval": "1s", "retry_interval": "1s", "max_check_attempts": 1, "contacts": ["oncall"]},
        "checks": checks,
        "lines": {"modem": {"notifier": "sms", "device": "simulated", "phone_file": "/var/lib/monitord-pagerd/phone"},
                  "spare": {"notifier": "sms", "device": "simulated", "phone_file": "/var/lib/monitord/spare"}},
        "contacts": {"oncall": {"routes": [{"line": "modem", "to": NUMBER}]}},
        "last_resort": {"line": "spare", "to": NUMBER},
    }


class Host:
    """The installed product under systemd, with a relay and a store outside."""

    def __init__(self, sd, relay, store):
        self.sd, self.relay, self.store = sd, relay, store

    def write_config(self, config):
        (self.sd.shared / "monitord.yaml").write_text(json.dumps(config, indent=1))
        self.sd.run("cp", self.sd.inside(self.sd.shared / "monitord.yaml"), "/etc/monitord/monitord.yaml")

    def status(self):
        done = self.sd.run("monitorctl", "status", "--json", check=False)
        return json.loads(done.stdout) if done.stdout.startswith("{") else {"monitord": None, "pagerd": None}

    def check(self, name):
        m = self.status()["monitord"] or {"checks": []}
        return next((c for c in m["checks"] if c["name"] == name and c["last_run"]), None)

    def wait_check(self, name, state):
        def there():
            c = self.check(name)
            return c if c and c["state"] == state else None
        try:
            return wait_for(there, 60, f"{name} {state}")
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.check(name)}\n" + "\n".join(self.sd.journal(u)[-3000:] for u in UNITS)) from None

    def phone(self, path="/var/lib/monitord-pagerd/phone"):
        return self.sd.run("cat", path, check=False).stdout

    def pid(self, unit):
        return int(self.sd.show(unit, "MainPID"))


def own_mailbox(sd, relay):
    """A Maildir that belongs to the check, outside its state directory: as doc/probes.md says."""
    uid, gid = (int(sd.run("id", flag, "monitord").stdout) for flag in ("-u", "-g"))
    folder = relay.maildir("back@lab.test").parent
    folder.mkdir(parents=True)
    os.chown(folder, uid, gid)
    relay.set("virtual_uid_maps", f"inline:{{back@lab.test={uid}}}")
    relay.set("virtual_gid_maps", f"inline:{{back@lab.test={gid}}}")
    sd.run("mkdir", "-p", "/etc/systemd/system/monitord.service.d")
    sd.run("sh", "-c", "cat > /etc/systemd/system/monitord.service.d/maildir.conf", text=f"[Service]\nReadWritePaths={sd.inside(folder)}\n")


@pytest.fixture(scope="module")
def host(tmp_path_factory, tree):
    why = postfix.missing() or dovecot.missing()
    if why:
        pytest.skip(why)
    work = tmp_path_factory.mktemp("sd")
    postfix.reachable_by_daemons(work)
    with systemd_ns.Systemd(work / "ns", install=tree) as sd, dovecot.Dovecot(sd.shared / "dc") as store, \
            postfix.Postfix(sd.shared / "pf", users=("user@lab.test", "back@lab.test"), transport=store.lmtp,
                            main={"transport_maps": "inline:{back@lab.test=virtual:}"}) as relay:
        postfix.reachable_by_daemons(sd.shared / "pf")
        sd.run("systemd-sysusers", "/usr/local/lib/sysusers.d/monitord.conf")
        sd.run("systemd-tmpfiles", "--create", "/usr/local/lib/tmpfiles.d/monitord.conf")
        sd.run("mkdir", "-p", "/etc/monitord/keys")
        for name, text in (("password", "secret\n"), ("key", "0123456789abcdef0123456789abcdef\n")):
            sd.run("sh", "-c", f"cat > /etc/monitord/keys/{name}; chgrp monitord /etc/monitord/keys/{name}; "
                   f"chmod 640 /etc/monitord/keys/{name}", text=text)
        own_mailbox(sd, relay)
        h = Host(sd, relay, store)
        h.config = configuration(sd, relay, store, Path("/etc/monitord/keys"))
        h.write_config(h.config)
        sd.run("systemctl", "daemon-reload")
        done = sd.run("monitord", "-t", "-c", "/etc/monitord/monitord.yaml", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        done = sd.run("systemctl", "start", *UNITS, check=False)
        assert done.returncode == 0, done.stderr + "\n".join(sd.journal(u)[-3000:] for u in UNITS)
        yield h
        for u in reversed(UNITS):
            sd.run("systemctl", "stop", u)


def test_units_are_sound(tree):
    for unit in UNITS:
        f = tree / "etc/systemd/system" / f"{unit}.service"
        text = f.read_text()
        assert not re.search(r"@[A-Z]+@", text)
        for key in ("Restart=always", "RestartSec=1s", "StartLimitIntervalSec=0", "OOMPolicy=continue", "ProtectSystem=strict"):
            assert key in text, (unit, key)
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=35", "--no-pager", str(f)],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-1500:]


def test_the_policy_service_is_sound(tree):
    f = tree / "etc/systemd/system/monitord-policy.service"
    assert not re.search(r"@[A-Z]+@", f.read_text())
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=35", "--no-pager", str(f)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:]


def test_the_policy_service_counts_and_comes_back(host):
    """As its unit starts it: in its sandbox, its counts readable by the local prober and by nobody outside; killed, mail flows and it is back."""
    sd, unit, (port,) = host.sd, "monitord-policy", postfix.free_ports(1)
    command = re.search(r"^ExecStart=(.*)$", sd.run("cat", f"/etc/systemd/system/{unit}.service").stdout, re.M)[1]
    assert "inet:127.0.0.1:10045" in command
    sd.run("mkdir", "-p", f"/etc/systemd/system/{unit}.service.d")  # the network is the host's: another port than the documented one
    sd.run("sh", "-c", f"cat > /etc/systemd/system/{unit}.service.d/port.conf",
           text=f"[Service]\nExecStart=\nExecStart={command.replace('10045', str(port))}\n")
    sd.run("systemctl", "daemon-reload")
    host.relay.set("smtpd_recipient_restrictions", f"check_policy_service {{ inet:127.0.0.1:{port}, timeout=1s, try_limit=1, default_action=DUNNO }}, permit_mynetworks, reject")
    sd.run("systemctl", "start", unit)
    try:
        def send(subject):
            with smtplib.SMTP("127.0.0.1", host.relay.port, timeout=60) as s:
                s.sendmail("probe@lab.test", ["user@lab.test"], f"Subject: {subject}\n\nx\n")

        def counts():
            ask = "import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect('/run/monitord-policy/counts.sock'); print(s.makefile().read())"
            done = sd.run("setpriv", "--reuid=monitord-prober", "--regid=monitord", "--clear-groups", "/usr/bin/python3", "-c", ask, check=False)
            return json.loads(done.stdout)["requests"] if done.stdout.startswith("{") else -1
        wait_for(lambda: counts() >= 0, 60, "the policy service")
        wait_for(lambda: (send("counted"), counts())[1] > 0, 60, "a count")
        assert sd.run("stat", "-c", "%a %U %G", "/run/monitord-policy").stdout.strip() == "750 monitord-prober monitord"
        assert sd.run("ps", "-o", "user:32=", "-p", host.pid(unit)).stdout.strip() == "monitord-prober"
        host.config["checks"]["rate"] = {"probe": "rate"}
        host.write_config(host.config)
        sd.run("systemctl", "reload", "monitord")
        host.wait_check("rate", "OK")
        old = host.pid(unit)
        sd.run("kill", "-9", old)
        send("nobody counts")  # refused at once or hanging for a second: taken all the same
        wait_for(lambda: host.pid(unit) not in (0, old) and sd.show(unit, "ActiveState") == "active", 60, "its return")
        wait_for(lambda: (send("again"), counts())[1] > 0, 60, "a count")
        host.wait_check("rate", "OK")
    finally:
        host.relay.set("smtpd_recipient_restrictions", "")
        host.config["checks"].pop("rate", None)
        host.write_config(host.config)
        sd.run("systemctl", "reload", "monitord", check=False)
        sd.run("systemctl", "stop", unit)


@pytest.mark.skipif(bool(sshd.missing()), reason=sshd.missing())
def test_ssh_to_a_remote_runs_in_the_sandbox(host):
    """With its key and its known hosts where doc/remote.md puts them, readable by monitord alone."""
    sd = host.sd
    with sshd.Sshd() as far:
        sd.run("install", "-d", "-m", "750", "-g", "monitord", "/etc/monitord/ssh")
        for name, source in (("id_ed25519", far.identity), ("known_hosts", far.dir / "known_hosts")):
            sd.run("sh", "-c", f"umask 077; cat > /etc/monitord/ssh/{name}; chown monitord /etc/monitord/ssh/{name}", text=source.read_text())
        host.config["remotes"] = {"relay1": {"host": "127.0.0.1", "port": far.port, "user": "probe"}}
        host.config["checks"]["far"] = {"probe": "exec", "command": ["/bin/cat", "/proc/sys/kernel/hostname"], "on": "relay1"}
        host.write_config(host.config)
        try:
            sd.run("systemctl", "reload", "monitord")
            assert host.wait_check("far", "OK")["text"] == "relay1.example"
            assert host.wait_check("self.remote.relay1", "OK")["text"].endswith(" runs there")
        finally:
            del host.config["remotes"], host.config["checks"]["far"]
            host.write_config(host.config)
            sd.run("systemctl", "reload", "monitord", check=False)


def test_the_reset_helper_is_sound(tree):
    """Root it must be, to write a USB device's "authorized"; all else is taken from it."""
    where = tree / "etc/systemd/system"
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=55", "--no-pager",
                           str(where / "monitord-modem-reset.service")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:]
    text = (where / "monitord-modem-reset.socket").read_text()
    assert "SocketUser=monitord-pager" in text and "SocketMode=0600" in text


def test_the_reset_helper_answers_the_pager_and_nobody_else(host):
    sd = host.sd
    sd.run("sh", "-c", "cat > /etc/monitord/modem-reset.conf", text="power lamp /bin/true\nusb 9-9\n")
    done = sd.run("systemctl", "start", "monitord-modem-reset.socket", check=False)
    assert done.returncode == 0, done.stderr
    ask = ("import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect('/run/monitord-modem-reset.sock'); "
           "s.sendall(sys.argv[1].encode() + b'\\n'); print(s.makefile().read().strip())")

    def as_user(user, what):
        return sd.run("setpriv", f"--reuid={user}", "--regid=monitord", "--clear-groups", "/usr/bin/python3", "-c", ask, what, check=False)
    done = as_user("monitord-pager", "power lamp")
    assert done.stdout.strip() == "ok", done.stderr + sd.journal("monitord-modem-reset")[-2000:]
    assert "9-9/authorized: No such file" in as_user("monitord-pager", "usb 9-9").stdout
    done = as_user("monitord", "power lamp")
    assert done.returncode != 0 and "PermissionError" in done.stderr
    sd.run("systemctl", "stop", "monitord-modem-reset.socket", "monitord-modem-reset.service", check=False)


def test_a_member_of_the_drop_group_may_queue_a_page_and_nobody_else(host):
    """As installed: the modes of the spool and of its twin, with users that have nothing else."""
    sd = host.sd

    def page(group, *args):
        return sd.run("setpriv", "--reuid=nobody", "--regid=nogroup", *(["--groups=" + group] if group else ["--clear-groups"]),
                      "monitord-page", "--check", "backup", *args, check=False)
    done = page("monitord-drop", "dropped by a member")
    assert done.returncode == 0 and done.stderr == "", done
    i = wait_for(lambda: next((i for i in host.status()["pagerd"]["incidents"] if i["check"] == "backup"), None), 30, "the page")
    assert i["text"] == "dropped by a member" and i["source"] == "nobody"
    assert page(None, "from outside").returncode == 77
    # neither takes away nor changes what another has put there
    sd.run("sh", "-c", "touch /var/spool/monitord/tmp/root.1")
    done = sd.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=monitord-drop", "rm", "-f", "/var/spool/monitord/tmp/root.1",
                  check=False)
    assert done.returncode != 0
    for spool in ("/var/spool/monitord", "/run/monitord/spool"):
        for room, mode in (("tmp", "3770 monitord-pager monitord-drop"), ("new", "3770 monitord-pager monitord-drop"),
                           ("done", "2770 monitord-pager monitord")):
            assert sd.run("stat", "-c", "%a %U %G", f"{spool}/{room}").stdout.strip() == mode, (spool, room)


def test_all_run_as_their_own_users(host):
    users = {u: host.sd.run("ps", "-o", "user:32=", "-p", host.pid(u)).stdout.strip() for u in UNITS}
    assert users == {"monitord": "monitord", "monitord-pagerd": "monitord-pager", "monitord-prober-local": "monitord-prober"}
    assert host.sd.show("monitord", "Type") == "notify"
    assert host.sd.show("monitord", "WatchdogUSec") == "20s"


@pytest.mark.parametrize("name", ["relay", "load", "disk", "queue", "journal", "foreign", "round trip", "round trip by Maildir"])
def test_each_probe_works_in_the_sandbox(host, name):
    c = host.wait_check(name, "OK")
    assert c["measured"]


def test_a_page_leaves_through_a_pty_line_in_the_sandbox(host):
    host.wait_check("relay", "OK")
    host.relay.stop()
    wait_for(lambda: "CRITICAL relay" in host.phone(), 60, "the page")
    host.relay.start()
    wait_for(lambda: re.search(r"OK relay", host.phone()), 60, "the recovery")


def test_killed_it_is_back_within_seconds(host):
    for unit in UNITS:
        old = host.pid(unit)
        host.sd.run("kill", "-9", old)
        wait_for(lambda u=unit, o=old: host.pid(u) not in (0, o) and host.sd.show(u, "ActiveState") == "active", 60, f"{unit} back")
    host.wait_check("queue", "OK")
    host.wait_check("relay", "OK")


def test_a_wedged_monitord_is_restarted_by_the_watchdog(host):
    old = host.pid("monitord")
    host.sd.run("kill", "-STOP", old)
    wait_for(lambda: host.pid("monitord") not in (0, old) and host.sd.show("monitord", "ActiveState") == "active", 90,
             "restart by the watchdog")


def test_reload_and_restart_of_monitord_never_touch_pagerd(host):
    wait_for(lambda: host.status()["pagerd"], 60, "pagerd up")
    pagerd = host.pid("monitord-pagerd")
    host.config["checks"]["another"] = {"probe": "load", "warning": "1000"}
    host.write_config(host.config)
    host.sd.run("systemctl", "reload", "monitord")
    host.wait_check("another", "OK")
    s = host.status()
    assert s["monitord"]["digest"] == s["pagerd"]["digest"]
    host.sd.run("systemctl", "restart", "monitord")
    host.wait_check("another", "OK")
    assert host.pid("monitord-pagerd") == pagerd


def test_a_bad_configuration_is_refused_by_reload(host):
    good = host.status()["monitord"]["digest"]
    host.sd.run("sh", "-c", "echo 'checks: {x: {probe: nonsense}}' > /etc/monitord/conf.d/bad.yaml")
    done = host.sd.run("systemctl", "reload", "monitord", check=False)
    assert done.returncode != 0
    assert host.status()["monitord"]["digest"] == good
    assert "bad.yaml:1" in host.status()["monitord"]["config_error"]
    host.sd.run("rm", "/etc/monitord/conf.d/bad.yaml")
    host.sd.run("systemctl", "reload", "monitord")
    assert host.status()["monitord"]["config_error"] == ""
