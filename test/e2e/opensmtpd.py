"""A private OpenSMTPD for the tests: loopback only, a port from the kernel. Its spool, socket and helpers are compiled in as
paths, so it runs in a mount namespace in which they are ours.

    with OpenSmtpd(root) as mta:
        mta.port                  # SMTP; user@lab.test goes to a Maildir, all else to a relay at 127.0.0.1:relay_port (a dead port)
        mta.spool                 # Path of what it knows as /var/spool/smtpd
        mta.smtpctl("show", "queue")
"""
import re

import mtas

CONF = """listen on 127.0.0.1 port @PORT@ hostname osmtpd.lab.test
table vdom { lab.test }
table users { "user@lab.test" = "vmail" }
table vuser { "vmail" = "@UID@:@UID@:@W@/mail" }
action "md" maildir "@W@/mail/Maildir" virtual <users> userbase <vuser>
action "relay" relay host "smtp://127.0.0.1:@RELAY@"
smtp limit max-mails 1000000
match from any for domain <vdom> action "md"
match from any for any action "relay"
"""
# @ROOT@ the server's folder, @TREE@ the unpacked packages
MOUNTS = """mount -t tmpfs none /var/spool; mkdir /var/spool/smtpd; mount --bind @ROOT@/spool /var/spool/smtpd
mount -t tmpfs none /usr/libexec; cp -a @TREE@/usr/libexec/opensmtpd /usr/libexec/
mount --bind @ROOT@/run /run
mkdir -p /var/lib 2>/dev/null; mount -t tmpfs none /var/lib; mkdir -p /var/lib/opensmtpd/empty; chmod 711 /var/lib/opensmtpd/empty
cp @TREE@/usr/sbin/smtpctl @ROOT@/smtpctl; chgrp opensmtpq @ROOT@/smtpctl; chmod 2755 @ROOT@/smtpctl
echo $$ > @ROOT@/pid"""


def missing():
    return mtas.missing("opensmtpd")


class OpenSmtpd(mtas.Server):
    def __init__(self, root, relay_port=9):
        super().__init__(root)
        self.relay_port, self.port = relay_port, 0
        self.spool = self.root / "spool"
        for name in ("spool", "run", "mail"):
            (self.root / name).mkdir(exist_ok=True)
        self.spool.chmod(0o711)
        mtas.give(self.root / "mail", "opensmtpd")

    def start(self):
        self.port = mtas.free_port()
        text, mounts = CONF, MOUNTS
        for key, value in (("PORT", self.port), ("UID", mtas.USERS["opensmtpd"]), ("W", self.root), ("RELAY", self.relay_port)):
            text = text.replace(f"@{key}@", str(value))
        for key, value in (("ROOT", self.root), ("TREE", mtas.TREE)):
            mounts = mounts.replace(f"@{key}@", str(value))
        (self.root / "smtpd.conf").write_text(text)
        self.spawn("smtpd", mtas.private([mtas.program("opensmtpd"), "-d", "-f", self.root / "smtpd.conf"],
                                         self.root / "accounts", mounts))
        self.ready("smtpd", lambda: mtas.answers(self.port))

    def inside(self, *argv):
        """The argv that runs where the server's paths are."""
        return ["nsenter", "-m", "-t", (self.root / "pid").read_text().strip(), *map(str, argv)]

    def smtpctl(self, *args):
        return mtas.run(self.inside(self.root / "smtpctl", *args))

    def envelopes(self):
        """The files of the queue, one for each recipient."""
        return [p for p in (self.spool / "queue").rglob("*") if re.fullmatch("[0-9a-f]{16}", p.name)]

    def log(self):
        return self.output("smtpd")
