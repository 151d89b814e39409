"""A private sendmail 8 for the tests, one or two stages: loopback only, a port from the kernel.

    with Sendmail(root) as mta:
        mta.port                   # SMTP; mail is taken and sent on
        mta.queue                  # Path of mqueue (or, with queues=N, its N directories are mqueue/q1 ...)
        mta.mailq()                # what `mailq` says
        mta.log()                  # the mail log so far
    with Sendmail(root, two_stage=True) as mta:
        mta.port                   # the receiver: takes mail and leaves it in mta.rx (mqueue-rx)
        mta.scan()                 # what stands between: moves all that came to mta.queue; how many
        mta.flush()                # one run of the sender over mta.queue
        mta.end("receiver"); mta.end("sender")

Mail for user@lab.test goes into Maildirs below mta.mail_root, all else to a relay at 127.0.0.1:relay_port, by default a dead
port. The sender runs its queue only when asked, unless queue_interval says otherwise ("1s").
"""
import os
import re
import shutil
import subprocess

import mtas
from waiting import wait_for

HOSTNAME = "sm.lab.test"
SPLIT = ("df", "qf", "xf")

MC = r"""divert(-1)
include(`@CF@/m4/cf.m4')
divert(0)dnl
VERSIONID(`test')
OSTYPE(`linux')
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,TrustStickyBit')dnl
define(`ALIAS_FILE', `@W@/aliases')dnl
define(`QUEUE_DIR', `@QUEUE@')dnl
define(`confCW_FILE', `@W@/names')dnl
define(`STATUS_FILE', `@W@/statistics')dnl
define(`confPID_FILE', `@W@/sendmail.pid')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confDOMAIN_NAME', `sm.lab.test')dnl
define(`confTO_IDENT', `0')dnl
define(`confMAX_DAEMON_CHILDREN', `0')dnl
define(`confREFUSE_LA', `100000')dnl
define(`confQUEUE_LA', `100000')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confTRUSTED_USER', `smmta')dnl
define(`confSERVICE_SWITCH_FILE', `@W@/service.switch')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h @RELAY@')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
@FEATURES@
DAEMON_OPTIONS(`Name=MTA,Addr=127.0.0.1,Port=@PORT@,Family=inet')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_RULE_0
R$* < @ lab.test . > $*	$#testmd $@ lab.test $: $1
R$* < @ lab.test > $*	$#testmd $@ lab.test $: $1
MAILER_DEFINITIONS
Mtestmd,	P=@W@/deliver, F=lsDFMPhnu9, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL,
	T=DNS/RFC822/X-Unix, U=root, A=deliver @W@/mail/$u
LOCAL_RULESETS
SLocal_check_rcpt
@TAKES@
"""
DELIVER = """#!/bin/sh
mkdir -p "$1/tmp" "$1/new" "$1/cur"; n=$(date +%s%N).$$.test; cat > "$1/tmp/$n" && mv "$1/tmp/$n" "$1/new/$n"
"""


def missing():
    return mtas.missing("sendmail") or ("" if shutil.which("m4") else "m4 is not installed")


class Sendmail(mtas.Server):
    def __init__(self, root, two_stage=False, queues=0, split=False, relay_port=9, queue_interval="1h",
                 features=("promiscuous_relay",), own=(), stranger=False, takes=()):
        """queues: so many directories below mqueue instead of one; split: each with df/ qf/ xf/. features: of its configuration, by
        default an open relay; own: domains that it is at home with; stranger: this host is one, and nothing is relayed for it; takes: left
        sides of rules, recipients that are taken from anybody."""
        super().__init__(root)
        self.two_stage, self.queues, self.split = two_stage, queues, split
        self.relay_port, self.queue_interval = relay_port, queue_interval
        self.features = "\n".join(f if "(" in f else f"FEATURE(`{f}')dnl" for f in features)
        self.own = "".join(f"{name}\n" for name in own)
        self.takes = "\n".join(f"R{left}\t$#OK" for left in takes)
        if own:
            self.features += "\nFEATURE(`use_cw_file')dnl"
        self.stranger = stranger
        self.port, self.syslog = 0, None
        self.queue, self.rx, self.mail_root = self.root / "mqueue", self.root / "mqueue-rx", self.root / "mail"
        self.cf, self.log_file = self.root / "sendmail.cf", self.root / "mail.log"
        self._make()

    def folders(self):
        """The directories of the sending queue."""
        return [self.queue / f"q{n + 1}" for n in range(self.queues)] or [self.queue]

    def _make(self):
        for folder in (*self.folders(), self.rx, self.mail_root):
            for part in SPLIT if self.split and folder not in (self.rx, self.mail_root) else ("",):
                (folder / part).mkdir(parents=True, exist_ok=True)
                (folder / part).chmod(0o700)
        for name, text in (("names", self.own), ("aliases", "postmaster: root\n"), ("service.switch", "hosts files\naliases files\n"),
                           ("deliver", DELIVER)):
            (self.root / name).write_text(text)
        (self.root / "deliver").chmod(0o755)

    def configure(self):
        """Writes sendmail.cf; each start does."""
        tree = mtas.TREE / "usr/share/sendmail/cf"
        text = MC
        for key, value in (("CF", tree), ("W", self.root), ("QUEUE", f"{self.queue}/q*" if self.queues else self.queue),
                           ("RELAY", self.relay_port), ("PORT", self.port), ("FEATURES", self.features),
                           ("TAKES", self.takes)):
            text = text.replace(f"@{key}@", str(value))
        (self.root / "sendmail.mc").write_text(text)
        text = mtas.run(["m4", f"-D_CF_DIR_={tree}/", self.root / "sendmail.mc"], stderr=subprocess.DEVNULL)  # it warns of the open relay
        if self.stranger:
            text, n = re.subn(r"^SRelay_ok\n", '\\g<0>R$*\t$#error $@ 5.7.1 $: "550 Relaying denied"\n', text, flags=re.M)
            assert n == 1
        self.cf.write_text(text)

    def command(self, *args):
        """The argv of a sendmail with this configuration. The qualified name spares it its waits of 60 s for one."""
        return mtas.private([mtas.program("sendmail"), "-C", self.cf, *args], self.root / "accounts", hostname=HOSTNAME,
                            syslog=self.syslog.socket)

    # --- life ---

    def start(self):
        self.syslog = mtas.Syslog(self.log_file, HOSTNAME)
        self.port = mtas.free_port()
        self.configure()
        mtas.run(self.command("-bi"))
        if self.two_stage:
            self.start_receiver()
        self.start_sender()

    def start_receiver(self):
        """Takes mail, and leaves it in mqueue-rx."""
        self.spawn("receiver", self.command("-bD", "-ODeliveryMode=queueonly", f"-OQueueDirectory={self.rx}",
                                            f"-OPidFile={self.root}/rx.pid"))
        self.ready("receiver", lambda: mtas.answers(self.port))

    def start_sender(self):
        if self.two_stage:
            # goes to the background by itself
            mtas.run(self.command(f"-q{self.queue_interval}", "-OPidFile=" + str(self.root / "tx.pid")))
            wait_for((self.root / "tx.pid").exists, what="the sender's pid file")
            return
        self.spawn("sender", self.command("-bD", f"-q{self.queue_interval}"))
        self.ready("sender", lambda: mtas.answers(self.port))

    def stop(self):
        for name in ("sender", "receiver"):
            self.end(name)
        if self.syslog:
            self.syslog.close()

    def end(self, name):
        """"receiver" or "sender"; start_receiver() and start_sender() bring them back."""
        super().end(name)
        for file in {"receiver": ["rx.pid"], "sender": ["tx.pid", "sendmail.pid"]}[name]:
            file = self.root / file
            if file.exists():
                mtas.kill_and_wait(int(file.read_text().split()[0]))
                file.unlink(missing_ok=True)

    # --- what tests ask ---

    def log(self):
        return self.log_file.read_text(errors="replace")

    def messages(self, folder=None):
        """The queued envelopes of a folder, or of the whole sending queue."""
        folders = [folder] if folder else self.folders()
        return [p for f in folders for g in (f, f / "qf") if g.is_dir() for p in g.iterdir() if p.name.startswith("qf") and p.is_file()]

    def mailq(self, folder=None):
        return mtas.run(self.command("-bp", *([f"-OQueueDirectory={folder}"] if folder else [])))

    def flush(self):
        """One run over the sending queue, waited for."""
        return mtas.run(self.command("-q", "-OPidFile=/dev/null"))

    def scan(self):
        """The stage between: moves every message that is whole from mqueue-rx to mqueue."""
        done = 0
        for envelope in self.messages(self.rx):
            for kind in ("df", "qf"):  # the envelope last: from then on it counts
                file = envelope.with_name(kind + envelope.name[2:])
                if file.exists():
                    os.rename(file, self.folders()[0] / (kind if self.split else "") / file.name)
            done += 1
        return done

    def maildir(self, user="user"):
        return self.mail_root / user / "new"

