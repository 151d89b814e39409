"""modem-reset, the helper that may switch a modem's USB device or power: against a sysfs of its own and scripts. And the SMS line
that asks it, on the simulated modem. A real USB device cannot be had here."""
import os
import pwd
import re
import shutil
import socket
import subprocess

import pytest

from phone import BUILD, Phone, wait_for
from smsline import Notifier


class Helper:
    def __init__(self, directory, rules, *args):
        self.dir = directory
        self.conf, self.socket, self.sys = directory / "modem-reset.conf", directory / "reset.sock", directory / "sys"
        self.flag = self.sys / "bus/usb/devices/1-1.2/authorized"
        self.flag.parent.mkdir(parents=True)
        self.flag.write_text("1")
        self.conf.write_text(rules)
        self.args = args if "--off" in args else (*args, "--off", "0")

    def __enter__(self):
        self.log = open(self.dir / "helper.log", "wb")
        self.process = subprocess.Popen([BUILD / "modem-reset", "--conf", self.conf, "--listen", self.socket, "--sys", self.sys, *self.args],
                                        stdin=subprocess.DEVNULL, stderr=self.log)
        wait_for(self.listens, what="the helper's socket")
        return self

    def listens(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(self.socket)) == 0

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()

    def ask(self, text, end="\n"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(self.socket))
            s.sendall((text + end).encode())
            if not end:
                s.shutdown(socket.SHUT_WR)
            return s.makefile().read().strip()


def test_usb_is_switched_off_and_on(tmp_path):
    with Helper(tmp_path, "usb 1-1.2\n# a comment\nevery 60\n", "--off", "300") as h:
        assert h.ask("usb 1-1.2") == "ok"
        assert h.flag.read_text().startswith("1")
        log = (tmp_path / "helper.log").read_text()
        assert "usb 1-1.2: done" in log
        assert re.match(r"was reset \d+ s ago; at most every 60 s", h.ask("usb 1-1.2"))
        (tmp_path / "modem-reset.conf").write_text("usb 1-1.2\nevery 1\nusb 1-9\n")
        wait_for(lambda: h.ask("usb 1-1.2") == "ok", what="allowed again")
        assert "1-9/authorized: No such file" in h.ask("usb 1-9")


def test_off_is_seen_before_on(tmp_path):
    with Helper(tmp_path, "usb 1-1.2\n", "--off", "1500") as h:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(h.socket))
            s.sendall(b"usb 1-1.2\n")
            wait_for(lambda: h.flag.read_text().startswith("0"), what="switched off")
            assert s.recv(100) == b"ok\n"
        assert h.flag.read_text().startswith("1")


def test_power_command(tmp_path):
    script, out = tmp_path / "relay", tmp_path / "out"
    script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {out}; echo "$NOTIFY_SOCKET$HOME" >> {out}; [ "$2" != bad ] || exit 3\n')
    script.chmod(0o755)
    rules = f'power gsm1 {script} "two words" $HOME\npower gsm2 {script} x bad\npower gone /none/such\nevery 1\n'
    with Helper(tmp_path, rules) as h:
        assert h.ask("power gsm1") == "ok"
        assert out.read_text() == "two words|$HOME|\n"
        assert "exited with 3" in h.ask("power gsm2")
        assert "No such file" in h.ask("power gone")


@pytest.mark.parametrize("request_line", ["usb 1-1", "usb ../../1-1.2", "power 1-1.2", "usb", "reboot", "", "usb 1-1.2 x", "usb\t1-1.2", "x" * 500])
def test_nothing_else(tmp_path, request_line):
    with Helper(tmp_path, "usb 1-1.2\n") as h:
        assert h.ask(request_line) in ("not allowed", "not understood")
        assert h.ask("usb 1-1.2", end="") == "not understood"
        assert h.flag.read_text() == "1"
        assert h.ask("usb 1-1.2") == "ok"


@pytest.mark.parametrize("rules,word", [("usb ../x\n", "line 1"), ("\npower a relative\n", "line 2"), ("power a\n", "line 1"), ("every 0\n", "every"),
                                        ('power a /x "open\n', "quote"), ("what 1\n", "none of")])
def test_a_bad_list_allows_nothing(tmp_path, rules, word):
    with Helper(tmp_path, "usb 1-1.2\n" + rules) as h:
        said = h.ask("usb 1-1.2")
        assert "line " in said and h.flag.read_text() == "1"
        if not word.startswith("line"):
            assert word in said


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can be somebody else")
def test_only_who_may(tmp_path):
    ask = ("import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'usb 1-1.2\\n'); "
           "print(s.makefile().read().strip())")
    tmp_path.chmod(0o755)
    for p in tmp_path.parents:
        if p.stat().st_uid == 0 and str(p).startswith("/tmp/"):
            p.chmod(p.stat().st_mode | 0o055)
    nobody, daemon = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")

    def as_who(*ids):
        return subprocess.run(["setpriv", *ids, "/usr/bin/python3", "-c", ask, str(h.socket)], capture_output=True, text=True, timeout=30)
    with Helper(tmp_path, "usb 1-1.2\nevery 1\n", "--who", "daemon") as h:
        h.socket.chmod(0o666)
        done = as_who(f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
        assert done.stdout.strip() == "not for you", done
        assert h.flag.read_text() == "1"
        for ids in ((f"--reuid={daemon.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
                    (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", f"--groups={daemon.pw_gid}"),
                    (f"--reuid={nobody.pw_uid}", f"--regid={daemon.pw_gid}", "--clear-groups")):
            wait_for(lambda ids=ids: as_who(*ids).stdout.strip() == "ok", what=f"allowed {ids}")


def test_a_wedged_modem_is_reset_by_the_helper(tmp_path):
    """The last rungs: nothing that goes over the line helps, and the helper refuses the USB device; the power command (here it
    clears the simulated hang) does."""
    with Phone(tmp_path) as phone:
        script = tmp_path / "relay"
        script.write_text(f'#!/usr/bin/python3\nimport socket\ns = socket.socket(socket.AF_UNIX)\ns.connect("{phone.socket}")\n'
                          's.sendall(b"clear hang\\npower\\n")\ns.recv(100)\n')
        script.chmod(0o755)
        with Helper(tmp_path, f"power gsm1 {script}\n") as h:
            options = {"device": phone.device, "check_interval": "1s", "reset_socket": str(h.socket), "reset_usb": "1-1.2", "reset_power": "gsm1"}
            with Notifier("sms", options, log=str(tmp_path / "log")) as n:
                n.wait_up()
                phone.control("fault hang")
                n.wait("health", lambda x: not x["ok"])
                before = len(n.of("health"))
                wait_for(lambda: any(x["ok"] for x in n.of("health")[before:]), 150, "reset by the helper")
                assert n.send("p")["result"] == "sent"
        log = (tmp_path / "helper.log").read_text()
        assert log.index("usb 1-1.2: not allowed") < log.index("power gsm1: done")
        assert "the helper did not reset it (usb 1-1.2): not allowed" in (tmp_path / "log").read_text()
