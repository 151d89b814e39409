"""`make demo`: the story in about a minute. A private Postfix relay and a Dovecot store on loopback ports are watched;
the relay dies, the page appears on a simulated phone; it returns, so does the message. No port 25, nothing of the host's own
mail is touched, and everything is removed at the end."""
import os
import sys
import tempfile
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "e2e"))
import dovecot  # noqa: E402
import postfix  # noqa: E402
from house import House, wait_for  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
START = time.monotonic()


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


def back(house, relay):
    relay.start()
    show_check(house, "relay", "OK", "32")
    show_phone(wait_for(lambda: len(house.phone.messages()) >= 2 and house.phone.messages(), 60, "the recovery")[1])
    show_check(house, "round trip", "OK", "32")
    let_read(3)


def story(work):
    title("two servers of its own: a relay and a store")
    with dovecot.Dovecot(work / "store") as store, \
            postfix.Postfix(work / "relay", transport=store.lmtp) as relay:
        say(f"Postfix answers at 127.0.0.1:{relay.port}, Dovecot at 127.0.0.1:{store.imap_port}")
        with House(work / "house", checks(relay, store, secrets(work / "keys"))) as house:
            title("monitord watches them: a greeting, the queue, a message out and back")
            green(house)
            title("now the relay is stopped")
            dead(house, relay)
            title("the relay is started again")
            back(house, relay)
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
