"""Pages' texts end to end: a contact's language and template reach the line; preview shows what the phone would."""
import json
import subprocess

import pytest

from house import BUILD, NUMBER, House
from pager import Pager

JA = "障害 mx1 smtp(192.0.2.1): 接続拒否 "


def test_language_and_template_of_the_contact_reach_the_line(tmp_path):
    p = Pager(tmp_path, contacts={"oncall": [("m1", "1")], "boss": [("m2", "2")]})
    p.settings["oncall"] = "language: ja"
    p.settings["boss"] = 'template: "{state} {check}: {text} #{id}"'
    with p:
        p.drop_problem("mx1", contacts=["oncall", "boss"])
        first, second = p.line("m1").wait(1)[0], p.line("m2").wait(1)[0]
        assert first["lang"] == "ja" and "template" not in first
        assert second["lang"] == "en" and second["template"] == "{state} {check}: {text} #{id}"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Never started: preview asks no daemon."""
    d = tmp_path_factory.mktemp("preview")
    lines = {"modem": {"notifier": "sms", "device": "simulated"},
             "mail": {"notifier": "email", "host": "192.0.2.25", "from": "m@example.org"},
             "chat": {"notifier": "exec", "command": ["/bin/true"]}}
    contacts = {"oncall": {"language": "ja", "routes": [{"line": "modem", "to": NUMBER}, {"line": "mail", "to": "a@example.net"}]},
                "room": {"template": "{state} {check}@{host}: {text} {since} #{id}", "routes": [{"line": "chat", "to": "ops"}]}}
    h = House(d, {"mx1 smtp": {"probe": "smtp", "host": "192.0.2.1"}}, lines, contacts)
    h.write_config()
    return h


def shown(house, *args):
    done = house.ctl("preview", "--json", *args)
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)


def test_preview_shows_each_line_of_each_contact(house):
    out = house.ctl("preview", "mx1 smtp").stdout
    assert out.startswith(f"oncall\n  modem (sms) to {NUMBER}: ") and " of 70 characters of UCS-2, 1 message\n" in out
    assert JA in out and "room" not in out  # whom the check does not concern
    sms, mail, chat = shown(house)
    assert sms["shows"].startswith(JA) and sms["units"] == len(sms["shows"]) <= 70 == sms["max"]
    assert mail["shows"] == sms["shows"] and mail["units"] == len(mail["shows"].encode())
    assert sms["shows"].endswith(" 返信 ACK 4711") and "4711" not in chat["shows"]  # who cannot answer has no code
    assert "4711" not in shown(house, "--contact", "oncall", "--kind", "recovery")[0]["shows"]
    assert chat["shows"].startswith("CRITICAL mx1 smtp@192.0.2.1: refuses the connection since ")


def test_preview_shortens_what_is_wrong_and_nothing_else(house):
    sms = shown(house, "--contact", "oncall", "--state", "WARNING", "--text", "あ" * 100)[0]
    assert sms["shows"].startswith("警告 mx1 smtp(192.0.2.1): あ") and "あ… " in sms["shows"] and sms["shows"].endswith(" #K7Q2M 返信 ACK 4711")
    assert sms["units"] == 70 and sms["parts"] == 1


@pytest.mark.parametrize("args,code,said", [
    (["mx1"], 1, 'there is no check "mx1"; did you mean "mx1 smtp"?'),
    (["--contact", "oncal"], 1, 'there is no contact "oncal"; did you mean "oncall"?'),
    (["--state", "BAD"], 2, '--state "BAD": must be OK, WARNING, CRITICAL or UNKNOWN'),
    (["--kind", "x"], 2, '--kind "x": must be new, repeat'),
])
def test_preview_says_what_it_cannot_show(house, args, code, said):
    done = house.ctl("preview", *args)
    assert done.returncode == code and said in done.stderr and done.stdout == "", done


def test_a_notifier_refuses_a_preview_it_cannot_make():
    asked = [{"options": {"command": ["/bin/true"]}, "page": {"id": "1"}}, {"options": {"nonsense": "x"}, "page": {"id": "1", "to": "x"}}, 4]
    done = subprocess.run([str(BUILD / "notify_exec"), "--preview"], input="".join(json.dumps(a) + "\n" for a in asked),
                          capture_output=True, text=True, timeout=60)
    first, second, third = [json.loads(x)["error"] for x in done.stdout.splitlines()]
    assert first == 'page without "to"' and "nonsense" in second and third


def test_touch_tones_are_shown_as_they_are_dialled():
    def dialled(form):
        asked = {"options": {"device": "/dev/ttyS9", "state_dir": "/nowhere", "format": form, "dial": "{to},,{code}#"},
                 "page": {"id": "1", "to": "0312345678", "state": "CRITICAL", "check": "mx1", "incident": "K7Q2M", "number": 12,
                          "text": "refuses the connection"}}
        done = subprocess.run([str(BUILD / "notify_dtmf"), "--preview"], input=json.dumps(asked) + "\n", capture_output=True, text=True,
                              timeout=60)
        return json.loads(done.stdout)
    digits = dialled("numeric")
    assert digits["shows"].startswith("0312345678,,0122") and digits["shows"].endswith("#") and digits["note"] == "digits, dialled"
    text = dialled("freeword")
    assert text["shows"].startswith("0312345678,,*2*2") and "; shown: CRITICAL mx1: " in text["note"]
