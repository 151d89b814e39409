"""A private nullmailer for the tests: nullmailer-queue with a spool of its own (a compiled-in path, so in a mount namespace). No
nullmailer-send runs: what is queued stays.

    mta = Nullmailer(root)
    mta.inject("a@lab.test", ["x@else.example"])      # real queue files
    mta.spool, mta.messages()
"""
import subprocess

import mtas


def missing():
    return mtas.missing("nullmailer")


class Nullmailer(mtas.Server):
    def __init__(self, root):
        super().__init__(root)
        self.spool = self.root / "spool"
        for name in ("queue", "tmp", "failed"):
            (self.spool / name).mkdir(parents=True, exist_ok=True)
            (self.spool / name).chmod(0o777)
        subprocess.run(["mkfifo", "-m", "0622", self.spool / "trigger"], check=True)

    def start(self):
        pass

    def inject(self, sender, to):
        script = f"mount -t tmpfs none /var/spool; mkdir /var/spool/nullmailer; mount --bind {self.spool} /var/spool/nullmailer"
        text = "\n".join([sender, *to, "", "Subject: test", "", "text", ""])
        mtas.run(mtas.private([mtas.TREE / "usr/sbin/nullmailer-queue"], self.root / "accounts", script), input=text)

    def messages(self):
        return [p for p in (self.spool / "queue").iterdir() if p.name[0].isdigit()]
