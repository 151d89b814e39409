"""Under a real systemd: what `make install` puts there starts, is watched, restarts and reloads; probes and a pty line work inside
the sandbox. A real modem's device node cannot be had here: that DeviceAllow lets it through is not shown by these tests."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import dovecot
import postfix
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
        "foreign": {"probe": "exec", "command": ["/usr/lib/nagios/plugins/check_dummy", "0", "fine"]},
        "round trip": {"probe": "roundtrip", "smtp_host": "127.0.0.1", "smtp_port": relay.port, "imap_host": "127.0.0.1",
                       "imap_port": store.imap_port, "imap_user": "user@lab.test", "imap_tls": "none",
                       "imap_password_file": str(keys / "password"), "key_file": str(keys / "key"),
                       "from": "probe@lab.test", "to": "user@lab.test"},
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


@pytest.fixture(scope="module")
def host(tmp_path_factory, tree):
    why = postfix.missing() or dovecot.missing()
    if why:
        pytest.skip(why)
    work = tmp_path_factory.mktemp("sd")
    postfix.reachable_by_daemons(work)
    with systemd_ns.Systemd(work / "ns", install=tree) as sd, dovecot.Dovecot(sd.shared / "dc") as store, \
            postfix.Postfix(sd.shared / "pf", transport=store.lmtp) as relay:
        postfix.reachable_by_daemons(sd.shared / "pf")
        sd.run("systemd-sysusers", "/usr/local/lib/sysusers.d/monitord.conf")
        sd.run("systemd-tmpfiles", "--create", "/usr/local/lib/tmpfiles.d/monitord.conf")
        sd.run("mkdir", "-p", "/etc/monitord/keys")
        for name, text in (("password", "secret\n"), ("key", "0123456789abcdef0123456789abcdef\n")):
            sd.run("sh", "-c", f"cat > /etc/monitord/keys/{name}; chgrp monitord /etc/monitord/keys/{name}; "
                   f"chmod 640 /etc/monitord/keys/{name}", text=text)
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


def test_all_run_as_their_own_users(host):
    users = {u: host.sd.run("ps", "-o", "user:32=", "-p", host.pid(u)).stdout.strip() for u in UNITS}
    assert users == {"monitord": "monitord", "monitord-pagerd": "monitord-pager", "monitord-prober-local": "monitord-prober"}
    assert host.sd.show("monitord", "Type") == "notify"
    assert host.sd.show("monitord", "WatchdogUSec") == "20s"


@pytest.mark.parametrize("name", ["relay", "load", "disk", "queue", "foreign", "round trip"])
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
