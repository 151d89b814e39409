"""`make demo`: the story in about a minute. A private Postfix relay and a Dovecot store on loopback ports are watched;
the relay dies, the page appears on a simulated phone; it returns, so does the message. No port 25, nothing of the host's own
mail is touched, and everything is removed at the end."""
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "e2e"))
import dovecot  # noqa: E402
import postfix  # noqa: E402
from house import House, wait_for  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
START = time.monotonic()


def say(text, colour=""):
    stamp = f"{time.monotonic() - START:5.1f} s  "
    print(stamp + (f"\033[{colour}m{text}\033[0m" if COLOUR and colour else text), flush=True)


def show_phone(message):
    width = 42
    say("+" + "-" * (width + 2) + "+", "36")
    words, line = message["text"].split(" "), ""
    lines = [f"to {message['to']}"]
    for w in words:
        while len(w) > width:
            lines.append(w[:width])
            w = w[width:]
        if len(line) + len(w) + 1 > width:
            lines.append(line)
            line = w
        else:
            line = (line + " " + w).strip()
    for text in lines + [line]:
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


def story(work):
    with dovecot.Dovecot(work / "store") as store, \
            postfix.Postfix(work / "relay", transport=store.lmtp) as relay:
        say(f"a Postfix relay answers at 127.0.0.1:{relay.port}, a Dovecot store at 127.0.0.1:{store.imap_port}")
        with House(work / "house", checks(relay, store, secrets(work / "keys"))) as house:
            say("monitord and pagerd are up; three checks, pages go to a simulated GSM modem")
            for name in ("relay", "queue", "round trip"):
                c = house.wait_check(name, "OK")
                say(f"OK        {name}: {c['text']}", "32")
            say("now the relay is stopped", "1")
            relay.stop()
            died = time.monotonic()
            c = house.wait_check("relay", "CRITICAL")
            say(f"CRITICAL  relay: {c['text']}", "31")
            show_phone(house.phone.wait_message(60))
            say(f"that took {time.monotonic() - died:.1f} s (the check runs every 2 s); no mail was needed for it")
            print()
            print(house.ctl("status").stdout)
            say("now the relay is started again", "1")
            relay.start()
            wait_for(lambda: len(house.phone.messages()) >= 2, 60, "the recovery")
            c = house.wait_check("relay", "OK")
            say(f"OK        relay: {c['text']}", "32")
            show_phone(house.phone.messages()[1])
            c = house.wait_check("round trip", "OK")
            say(f"OK        round trip: {c['text']}", "32")
    say("everything is stopped and removed")


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
