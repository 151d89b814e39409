#!/usr/bin/python3
"""Fills a queue of a Postfix that is not running with messages made from a real queue file of it.

    mkqueue.py TEMPLATE SPOOL N [--queue deferred] [--long-share 0.5] [--null-share 0.2] [--seed 1]

or, from a test, fill(...), which returns what it made: the truth that a probe is measured against.

Each message is the template with its own sender, recipients, client and arrival: the records of the envelope
are replaced and the sizes in the first record recomputed, so Postfix' own tools read them as what they
are. Names are real queue ids (short: microseconds and inode in hex; long: time and inode in base 52 and
51), files are complete (mode 0700), owned by postfix, their mtime is the next retry. Templates that a
milter edited hold absolute offsets and are refused.
"""
import argparse
import collections
import dataclasses
import os
import pwd
import random
import time

DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"


@dataclasses.dataclass
class Message:
    sender: str
    recipients: list
    client: str  # "" for mail made on the host itself
    arrival: int
    account: str = ""
    long_id: bool = False
    id: str = ""


def records(data):
    """(type, data, end offset) of each record, front to back."""
    at = 0
    while at < len(data):
        kind, length, shift, at = data[at:at + 1], 0, 0, at + 1
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind, data[at:at + length], at + length
        at += length


def record(kind, text):
    data = text if isinstance(text, bytes) else text.encode()
    n, length = len(data), b""
    while n >= 0x80:
        length += bytes([n & 0x7f | 0x80])
        n >>= 7
    return kind + length + bytes([n]) + data


class Template:
    """The parts of a real queue file that stay."""

    def __init__(self, path):
        data = open(path, "rb").read()
        self.sizes = next(records(data))[1].split()
        size, offset = int(self.sizes[0]), int(self.sizes[1])
        self.content = data[offset:offset + size]
        self.attributes = []
        for kind, text, end in records(data[:offset]):
            if kind == b"p" and text.strip() != b"0":
                raise ValueError(f"{path}: holds pointers; take a message that no milter changed")
            if kind == b"A" and not text.split(b"=")[0] in (b"log_client_address", b"client_address", b"create_time",
                                                            b"sasl_username", b"dsn_orig_rcpt", b"log_ident"):
                self.attributes.append(record(kind, text))
        self.attributes = b"".join(self.attributes)

    def build(self, m):
        head = record(b"T", f"{m.arrival} 123456") + record(b"A", f"create_time={m.arrival}")
        head += record(b"S", m.sender) + self.attributes
        if m.client:
            head += record(b"A", f"log_client_address={m.client}") + record(b"A", f"client_address={m.client}")
        if m.account:
            head += record(b"A", f"sasl_username={m.account}")
        to = b"".join(record(b"O", r) + record(b"R", r) for r in m.recipients)
        # mail of the host itself has its recipients behind the content, as sendmail -t leaves it
        front, behind = (to, b"") if m.client else (b"", to)
        first = len(record(b"C", b" " * 95))
        offset = first + len(head) + len(front) + 2
        numbers = [len(self.content), offset, len(m.recipients), 0, len(self.content), 0]
        sizes = record(b"C", " ".join(f"{n:15d}" for n in numbers))
        return sizes + head + front + b"M\0" + self.content + b"X\0" + behind + b"E\0"


def base(number, radix, least=1):
    text = ""
    while number or len(text) < least:
        number, digit = divmod(number, radix)
        text = DIGITS[digit] + text
    return text


def queue_id(m, inode, usec):
    if m.long_id:
        return base(m.arrival, 52, 6) + base(usec, 52, 4) + "z" + base(inode, 51)
    return f"{usec:05X}{inode:X}"


def hash_folder(m, name, usec):
    """Postfix hashes long ids by their microseconds, so that they spread as well as short ones."""
    return f"{usec:05X}"[0] if m.long_id else name[0]


def write(template, spool, queue, messages):
    owner = pwd.getpwnam("postfix")
    top, retry = os.path.join(spool, queue), time.time() + 86400
    for digit in "0123456789ABCDEF":
        folder = os.path.join(top, digit)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chown(folder, owner.pw_uid, -1)
    scratch = os.path.join(top, "scratch")
    for n, m in enumerate(messages):
        fd = os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o700)
        os.fchmod(fd, 0o700)
        os.write(fd, template.build(m))
        os.fchown(fd, owner.pw_uid, owner.pw_gid)
        os.utime(fd, (retry, retry))
        inode = os.fstat(fd).st_ino
        os.close(fd)
        usec = n * 7919 % 1000000
        m.id = queue_id(m, inode, usec)
        os.rename(scratch, os.path.join(top, hash_folder(m, m.id, usec), m.id))


def logs(log, spool, made):
    """Gives each message the log in defer/ that says why it is deferred: the same for all, a copy of `log`."""
    owner, data = pwd.getpwnam("postfix"), open(log, "rb").read()
    for n, m in enumerate(made):
        folder = os.path.join(spool, "defer", hash_folder(m, m.id, n * 7919 % 1000000))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, m.id)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o600)
        os.chown(path, owner.pw_uid, owner.pw_gid)
        if n < 256:
            os.chown(folder, owner.pw_uid, -1)


def varied(n, rng, null_share=0.2, long_share=0.5, bad_client_share=0.3, now=None):
    """Messages as a relay under backscatter and one busy client has them, in no order."""
    now = int(now or time.time())
    for _ in range(n):
        null = rng.random() < null_share
        busy = not null and rng.random() < bad_client_share / max(1e-9, 1 - null_share)
        local = not busy and rng.random() < 0.05
        sender = "" if null else f"news@bulk{rng.randrange(3)}.example" if busy else f"u{rng.randrange(5000)}@lab.test"
        client = "" if local else "192.0.2.7" if busy else f"198.51.100.{rng.randrange(1, 250)}"
        domain = rng.choice(["mobile.example"] * 4 + [f"d{rng.randrange(800)}.example"] * 6)
        to = [f"r{rng.randrange(100000)}@{domain}" for _ in range(1 if rng.random() < 0.9 else rng.randrange(2, 6))]
        yield Message(sender, to, client, now - int(rng.expovariate(1 / 40000)), "bob" if busy else "",
                      rng.random() < long_share)


def fill(template, spool, n, queue="deferred", seed=1, messages=None, **kinds):
    """Returns the list of messages made."""
    made = list(messages if messages is not None else varied(n, random.Random(seed), **kinds))
    write(Template(template), spool, queue, made)
    return made


def truth(made):
    """Shares in percent, as the probe words them."""
    n = len(made)
    to = [r for m in made for r in m.recipients]

    def shares(values, of):
        return {k: 100 * v / of for k, v in collections.Counter(values).items()}
    return {
        "null": 100 * sum(not m.sender for m in made) / n,
        "senders": shares((m.sender or "<>" for m in made), n),
        "recipients": shares(to, len(to)),
        "domains": shares((r.split("@")[1] for r in to), len(to)),
        "clients": shares((m.client for m in made if m.client), n),
        "oldest": min(m.arrival for m in made),
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("template")
    p.add_argument("spool")
    p.add_argument("n", type=int)
    p.add_argument("--queue", default="deferred")
    p.add_argument("--long-share", type=float, default=0.5)
    p.add_argument("--null-share", type=float, default=0.2)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    made = fill(a.template, a.spool, a.n, a.queue, a.seed, null_share=a.null_share, long_share=a.long_share)
    t = truth(made)
    print(f"{len(made)} messages, {t['null']:.1f} % null senders")


if __name__ == "__main__":
    main()
