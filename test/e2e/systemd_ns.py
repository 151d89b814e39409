"""A real systemd as PID 1 of private namespaces, over an overlay of this machine's own root: nothing is written outside a
directory of ours, nothing of the host's own systemd is touched.

    with Systemd(tmp_path, install=tree) as sd:      # install: a DESTDIR tree laid over the root
        sd.run("systemctl", "start", "monitord")
        sd.shared                                     # a directory of the outside, seen inside at sd.inside(path)

The network is the host's loopback, so that servers started outside are reached from inside.
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

from house import wait_for

MASKED = """systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket
systemd-networkd.service systemd-timesyncd.service systemd-resolved.service apparmor.service systemd-remount-fs.service
systemd-modules-load.service systemd-sysctl.service systemd-random-seed.service kmod-static-nodes.service
systemd-binfmt.service proc-sys-fs-binfmt_misc.automount dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount
sys-kernel-tracing.mount sys-fs-fuse-connections.mount sys-kernel-config.mount getty.target systemd-pstore.service
systemd-journal-flush.service systemd-sysusers.service systemd-tmpfiles-setup-dev.service timers.target dbus.service
dbus.socket systemd-logind.service systemd-update-utmp.service systemd-machine-id-commit.service""".split()

INSIDE = r"""set -e
W=$1; R=$W/t/root; S=$2
mount -t tmpfs -o mode=755 none "$W/t"; mkdir "$W/t/up" "$W/t/wk" "$W/t/root"
mount -t overlay -o lowerdir=/,upperdir=$W/t/up,workdir=$W/t/wk none "$R"
rm -rf "$R"/etc/systemd/system/*.wants "$R"/etc/systemd/system/*.requires
for u in $MASKED; do ln -sf /dev/null "$R/etc/systemd/system/$u"; done
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' > "$R/etc/systemd/system/lab.target"
: > "$R/etc/fstab"; od -An -N16 -tx1 /dev/urandom | tr -d ' \n' > "$R/etc/machine-id"; echo >> "$R/etc/machine-id"
[ ! -d "$W/install" ] || cp -a "$W/install/." "$R/"
mount -t proc proc "$R/proc"; mount -t sysfs -o ro sysfs "$R/sys"
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$R/run"; mount -t tmpfs -o mode=1777 tmpfs "$R/tmp"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
for n in null zero full random urandom tty; do : > "$R/dev/$n"; mount --bind /dev/$n "$R/dev/$n"; done
mkdir "$R/dev/pts" "$R/dev/shm"; mount -t devpts -o newinstance,ptmxmode=0666 devpts "$R/dev/pts"; ln -s pts/ptmx "$R/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$R/dev/shm"; ln -s /proc/self/fd "$R/dev/fd"
mkdir -p "$R/srv/shared"; mount --bind "$S" "$R/srv/shared"
hostname labsd
cd "$R"; mkdir -p .old; pivot_root . .old; cd /
umount -l /.old; rmdir /.old
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin /lib/systemd/systemd --system \
  --unit=lab.target --log-level=info --show-status=no
"""

# an own cgroup first, then a cgroup namespace rooted there
OUTSIDE = r"""set -e
W=$1; mkdir -p "$W/cg"; mount -t cgroup2 cgroup2 "$W/cg"; mkdir -p "$W/cg/lab-$$"; echo $$ > "$W/cg/lab-$$/cgroup.procs"
echo lab-$$ > "$W/cgname"; umount "$W/cg"
exec unshare --cgroup --pid --fork --kill-child --uts --ipc --propagation private sh "$W/inside.sh" "$W" "$2"
"""


def missing():
    """Why there can be no systemd here, or an empty string."""
    if os.geteuid() != 0:
        return "systemd in namespaces needs root"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    for fs in ("overlay", "cgroup2"):
        if fs not in Path("/proc/filesystems").read_text():
            return f"this kernel has no {fs}"
    if subprocess.run(["unshare", "-m", "--propagation", "private", "true"], capture_output=True).returncode:
        return "no mount namespaces here"
    here = os.stat("/")
    seen = subprocess.run(["nsenter", "-m", "-t", str(os.getpid()), "stat", "-c", "%d:%i", "/"], capture_output=True, text=True)
    if seen.stdout.strip() != f"{here.st_dev}:{here.st_ino}":
        return "in a chroot systemctl does not talk to systemd"
    return ""


class Systemd:
    def __init__(self, directory, install=None):
        self.dir = Path(directory)
        self.shared = self.dir / "shared"
        for d in ("t", "shared"):
            (self.dir / d).mkdir(parents=True)
        self.shared.chmod(0o755)
        if install:
            shutil.copytree(install, self.dir / "install", symlinks=True)
            (self.dir / "install").chmod(0o755)     # it lends its mode to the root directory
        (self.dir / "inside.sh").write_text(f"MASKED='{' '.join(MASKED)}'\n" + INSIDE)
        (self.dir / "outside.sh").write_text(OUTSIDE)
        self.outer, self.pid = None, 0

    def __enter__(self):
        with open(self.dir / "console", "wb") as console:
            self.outer = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", str(self.dir / "outside.sh"),
                                           str(self.dir), str(self.shared)], stdin=subprocess.DEVNULL, stdout=console,
                                          stderr=console)
        children = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")

        def inner():
            assert self.outer.poll() is None, (self.dir / "console").read_text()
            # unshare's own setup children come first: PID 1 of the namespace is the one that runs systemd
            for pid in children.read_text().split():
                try:
                    if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                        return int(pid)
                except OSError:
                    pass
            return 0
        self.pid = wait_for(inner, 60, "systemd started")
        try:
            wait_for(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                     90, "systemd up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.run("systemctl", "--no-block", "exit", check=False)
        until = time.monotonic() + 30
        while self.outer.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        if self.outer.poll() is None:
            self.outer.kill()
        self.outer.wait()
        name = self.dir / "cgname"
        if name.exists():
            subprocess.run(["unshare", "-m", "sh", "-c", 'mkdir -p "$1"; mount -t cgroup2 none "$1" && '
                            'find "$1/$2" -depth -type d -exec rmdir {} +', "sh", str(self.dir / "cg"),
                            name.read_text().strip()], capture_output=True)

    def inside(self, path):
        """Where a path below shared is inside; not below /tmp, which the units' PrivateTmp hides."""
        return "/srv/shared/" + str(Path(path).relative_to(self.shared))

    def run(self, *command, check=True, timeout=120, text=None):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-a", *map(str, command)], capture_output=True, text=True,
                              timeout=timeout, input=text)
        assert not check or done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
        return done

    def show(self, unit, key):
        return self.run("systemctl", "show", "-p", key, "--value", unit).stdout.strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False).stdout
