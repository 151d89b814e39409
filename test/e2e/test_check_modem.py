"""check_modem: of a line's modem through a real pagerd's status, and of a modem that no line uses; the manners of every built-in plugin."""
import json
import subprocess
import threading

import pytest

from pager import Pager
from phone import BUILD, Phone, wait_for
from prober import perfdata


def check(*args):
    return subprocess.run([BUILD / "check_modem", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)


@pytest.fixture
def phone(tmp_path):
    with Phone(tmp_path, "--set", "ussd=Balance 980 JPY valid until 2099/01/31", "--set", "ussd_form=text") as p:
        yield p


def test_of_a_line(tmp_path, phone):
    pager = Pager(tmp_path, lines=("m1",), contacts={"oncall": [("gsm", "+819012345678"), ("m1", "x")]})
    pager.write_conf(pager.text().replace("lines:\n", f"""lines:
  gsm: {{notifier: sms, device: {phone.device}, check_interval: 1s, ussd: '*100#', ussd_balance: 'Balance ([0-9]+)',
        ussd_validity: 'until ([0-9]+)/([0-9]+)/([0-9]+)'}}
""", 1))
    with pager:
        def ask(*args):
            return check("--line", "gsm", "--status", pager.run / "status.json", *args)
        wait_for(lambda: ask("--balance-low", "500").returncode == 0, 30, "the modem and its balance are known")
        out = ask("--balance-low", "500", "--validity-low", "14d").stdout
        assert out.startswith("MODEM OK: registered at SIMNET, signal -79 dBm, 0/20 messages stored | ")
        p = perfdata(out)
        assert p["signal"][0] == "-79" and p["signal"][1:3] == ["-97:0", "-107:0"]
        assert p["csq"][0] == "17" and p["storage"][0] == "0%" and p["messages"][0] == "0" and p["balance"][0] == "980"
        assert ask("--balance-low", "1000").returncode == 1
        assert ask("-w", "-70:0").returncode == 1 and ask("-c", "-70:0").returncode == 2
        assert ask("--proof-warning", "1h").stdout.startswith("MODEM WARNING: no page has gone over it yet; registered")
        pager.drop_problem("mx1")
        phone.wait_message()
        wait_for(lambda: ask("--proof-warning", "1h").returncode == 0, what="proven")
        assert float(perfdata(ask("--proof-warning", "1h").stdout)["proof_age"][0].rstrip("s")) < 60
        assert next(x for x in pager.status()["lines"] if x["name"] == "gsm")["values"]["balance"] == 980
        phone.control("set creg 3")
        wait_for(lambda: ask().returncode == 2, what="not registered")
        assert "denied" in ask().stdout
        phone.control("fault hang")
        wait_for(lambda: "does not answer" in ask().stdout, what="silent")
        out = check("-l", "m1", "--status", pager.run / "status.json")
        assert out.returncode == 3 and "tells nothing of a modem" in out.stdout
        assert check("-l", "none", "--status", pager.run / "status.json").returncode == 3
    out = check("-l", "gsm", "--status", tmp_path / "missing.json")
    assert out.returncode == 3 and "No such file" in out.stdout
    stale = json.loads((pager.run / "status.json").read_text()) if (pager.run / "status.json").exists() else None
    if stale:
        stale["at"]["wall_ms"] -= 3600000
        (tmp_path / "stale.json").write_text(json.dumps(stale))
        out = check("-l", "gsm", "--status", tmp_path / "stale.json")
        assert out.returncode == 3 and "does pagerd run?" in out.stdout


def test_of_a_device(phone):
    out = check("--device", phone.device)
    assert out.returncode == 0 and out.stdout.startswith("MODEM OK: registered at SIMNET, signal -79 dBm, 0/20 messages stored | "), out
    assert phone.state()["violations"] == 0
    phone.control("fill 17")
    assert check("--device", phone.device).returncode == 1
    phone.control("set csq 2")
    assert check("--device", phone.device).returncode == 2
    phone.control("set csq 99")
    out = check("--device", phone.device)
    assert out.returncode == 1 and "signal unknown" in out.stdout and "signal" not in perfdata(out.stdout)
    phone.control("set creg 2")
    out = check("--device", phone.device)
    assert out.returncode == 2 and "searching" in out.stdout
    phone.control("fault hang")
    out = check("--device", phone.device)
    assert out.returncode == 2 and "does not answer" in out.stdout
    phone.control("clear")
    phone.control("fault locked")
    out = check("--device", phone.device)
    assert out.returncode == 3 and "in use" in out.stdout
    out = check("--device", "/dev/none")
    assert out.returncode == 3 and "No such file" in out.stdout


def test_noise_and_a_locked_sim(tmp_path):
    with Phone(tmp_path, "--fault", "urc", "--fault", "garbage", "--fault", "slowbytes=1") as phone:
        assert check("--device", phone.device).returncode == 0
    with Phone(tmp_path, "--pin", "1234", name="other") as phone:
        out = check("--device", phone.device)
        assert out.returncode == 2 and "wants its PIN" in out.stdout and phone.state()["pins"] == 0


@pytest.mark.parametrize("args,word", [
    ([], "either line or device"), (["-l", "a", "-d", "/dev/x"], "either line or device"), (["-d", "ttyUSB0"], "absolute path"),
    (["-d", "usb:12d1"], "usb:VID:PID"), (["-l", "a", "--balance-low", "much"], "number"),
    (["-d", "/dev/x", "--proof-warning", "1h"], "need line"), (["-l", "a", "-w", "5:1"], "")])
def test_bad_usage(args, word):
    out = check(*args)
    assert out.returncode == 3 and word in out.stdout + out.stderr and out.stdout.strip()


def test_help_and_version():
    for flag in ("-h", "-V"):
        out = check(flag)
        assert out.returncode == 3
        assert "check_modem" in out.stdout
