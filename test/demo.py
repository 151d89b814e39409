"""`make demo`: the story in about a minute. A private Postfix relay and a Dovecot store on loopback ports are watched;
the relay dies, the page appears on a simulated phone, a reply from it ends the repeats; it returns, so does the message;
the first modem is pulled out, the second tells. No port 25, nothing of the host's own
mail is touched, and everything is removed at the end."""
import os
import re
import sys
import tempfile
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "e2e"))
import dovecot  # noqa: E402
import postfix  # noqa: E402
import softmodem  # noqa: E402
from house import NUMBER, House, wait_for  # noqa: E402
from phone import Phone  # noqa: E402
from smsline import Notifier  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
START = time.monotonic()
REPEAT_S = 4


def say(text, colour=""):
    """A line with the time, broken at 80 columns."""
    room, stamp = 80 - 9, f"{time.monotonic() - START:5.1f} s  "
    for line in textwrap.wrap(text, room, break_on_hyphens=False) or [""]:
        print(stamp + (f"\033[{colour}m{line}\033[0m" if COLOUR and colour else line), flush=True)
        stamp = " " * 9


def title(text):
    print(flush=True)
    say(text, "1")


def let_read(seconds):
    """For who watches; nothing else waits."""
    if sys.stdout.isatty():
        time.sleep(seconds)


def show_phone(message):
    width = 42
    say("+" + "-" * (width + 2) + "+", "36")
    for text in [f"to {message['to']}"] + textwrap.wrap(message["text"], width, break_on_hyphens=False):
        say("| " + text.ljust(width) + " |", "36")
    say("+" + "-" * (width + 2) + "+", "36")


def checks(relay, store, keys):
    return {
        "relay": {"probe": "smtp", "host": "127.0.0.1", "port": relay.port, "interval": "2s"},
        "queue": {"probe": "queue", "queue_directory": [str(relay.queue)], "interval": "2s"},
        "round trip": {"probe": "roundtrip", "smtp_host": "127.0.0.1", "smtp_port": relay.port, "imap_host": "127.0.0.1",
                       "imap_port": store.imap_port, "imap_user": "user@lab.test", "imap_tls": "none",
                       "imap_password_file": str(keys / "password"), "key_file": str(keys / "key"),
                       "from": "probe@lab.test", "to": "user@lab.test", "interval": "5s", "parents": ["relay"]},
    }


def secrets(directory):
    directory.mkdir(mode=0o755)
    for name, text in (("password", "secret"), ("key", os.urandom(16).hex())):
        (directory / name).write_text(text + "\n")
        (directory / name).chmod(0o640)
    return directory


def show_check(house, name, state, colour):
    c = house.wait_check(name, state)
    say(f"{state:9} {name}: {c['text']}", colour)
    return c


def green(house):
    for name in ("relay", "queue", "round trip"):
        c = show_check(house, name, "OK", "32")
    for line in c.get("more", "").splitlines():
        say(" " * 10 + line)
    let_read(5)


def dead(house, relay):
    relay.stop()
    died = time.monotonic()
    show_check(house, "relay", "CRITICAL", "31")
    say("the phone rings:")
    show_phone(house.phone.wait_message(60))
    say(f"{time.monotonic() - died:.1f} s after its end, with a check every 2 s; no mail was needed for that")
    let_read(5)
    title("what monitorctl status says now")
    print("\n" + house.ctl("status").stdout.rstrip("\n"), flush=True)
    let_read(7)


def phone_says(house, pattern, what):
    return wait_for(lambda: next((m for m in house.phone.messages() if re.search(pattern, m["text"])), None), 60, what)


def reply(house):
    """Somebody answers from the phone."""
    show_phone(phone_says(house, "again", "the repeat"))
    code = re.search(r"ACK (\d+)", house.phone.messages()[0]["text"])[1]
    say(f"the phone answers: ACK {code} on my way", "33")
    house.phone.control(f"receive {NUMBER} ACK {code} on my way")
    show_phone(phone_says(house, "you have it", "the confirmation"))
    n = len(house.phone.messages())
    time.sleep(2 * REPEAT_S)
    assert len(house.phone.messages()) == n, house.phone.messages()
    say(f"{2 * REPEAT_S} s later there was no further repeat")
    let_read(3)


def back(house, relay):
    relay.start()
    show_check(house, "relay", "OK", "32")
    show_phone(phone_says(house, "^OK", "the recovery"))
    show_check(house, "round trip", "OK", "32")
    let_read(3)


def second_route(house, relay, second):
    """The line that should tell it is gone: the next one does."""
    house.phone.control("fault vanish=86400000")
    gone = wait_for(lambda: next((x for x in house.ask("pagerd", do="status")["lines"] if x["name"] == "modem" and not x["ok"]), None),
                    60, "the first modem's end is known")
    say(f"line modem: {gone['text']}", "31")
    relay.stop()
    show_check(house, "relay", "CRITICAL", "31")
    say("the same phone rings, through the second modem:")
    told = second.wait_message(60)
    show_phone(told)
    assert "relay down: 127.0.0.1" in str(told), told
    say("a page is never lost: it takes the next route")
    let_read(4)


def tones(modem, n, to, what, page):
    """One page by touch tones: what the modem was told, and what multimon-ng heard of it."""
    before = modem.calls()
    n.tell({"page": page})
    outcome = n.outcome(page["id"])
    modem.wait_hung_up()
    heard = modem.heard(before + 1)
    say(f"{what}: {outcome['detail']}")
    say(f"  called {heard[:len(to)]}, then heard: {heard[len(to):]}", "36")


def touch_tones(work):
    title("an analog modem dials touch tones; multimon-ng listens on the line")
    if softmodem.missing():
        say(f"left out: {softmodem.missing()}")
        return
    to = "0312345678"
    page = {"id": "d1", "to": to, "kind": "new", "resend": False, "incident": "K7Q2M", "check": "relay", "host": "relay", "number": 12,
            "state": "CRITICAL", "text": "connection refused", "since_wall_ms": 0, "at_wall_ms": 0, "deadline_ms": 60000}
    with softmodem.SoftModem(work) as modem, \
            Notifier("dtmf", {"device": modem.device, "state_dir": str(work / "dials"), "dial": "{to},{code}#", "pause": "1s",
                              "listen_interval": "0"}) as n:
        tones(modem, n, to, "check 12 is CRITICAL (2), incident K7Q2M, check digit", page)
        tones(modem, n, to, "the same on a Japanese pocket bell, two touches a character",
              {**page, "id": "d2", "to": to + "/freeword", "kind": "test", "text": "リレーが とまった"})
    let_read(4)


def story(work):
    title("two servers of its own: a relay and a store")
    with dovecot.Dovecot(work / "store") as store, \
            postfix.Postfix(work / "relay", transport=store.lmtp) as relay:
        say(f"Postfix answers at 127.0.0.1:{relay.port}, Dovecot at 127.0.0.1:{store.imap_port}")
        person = {"oncall": {"routes": [{"line": "modem", "to": NUMBER}, {"line": "second modem", "to": NUMBER}], "repeat": f"{REPEAT_S}s"}}
        house = House(work / "house", checks(relay, store, secrets(work / "keys")), contacts=person)
        second = Phone(work / "house", name="second")
        house.sections["lines"] = {"second modem": {"notifier": "sms", "device": second.device}}
        with second, house:
            title("monitord watches them: a greeting, the queue, a message out and back")
            green(house)
            title("now the relay is stopped")
            dead(house, relay)
            title("it repeats until somebody answers")
            reply(house)
            title("the relay is started again")
            back(house, relay)
            title("the first modem is pulled out, and the relay dies again")
            second_route(house, relay, second)
    touch_tones(work)
    title("all is stopped and removed")


def main():
    why = postfix.missing() or dovecot.missing()
    if why:
        print(f"demo: {why}; it needs root for a private Postfix (sudo make demo)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="monitord-demo.") as d:
        Path(d).chmod(0o755)
        story(Path(d))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
