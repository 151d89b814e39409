"""check_disk: beside monitoring-plugins' check_disk, and what that one cannot tell: read-only, hung, filling up."""
import json
import os
import subprocess
import tempfile
import time

import pytest
from prober import BUILD, PLUGINS, hung_prefix, in_namespace, needs_fuse, needs_namespaces, perfdata

OURS = BUILD / "check_disk"
THEIRS = PLUGINS / "check_disk"
MB = 1048576
theirs_is_here = pytest.mark.skipif(not THEIRS.exists(), reason="monitoring-plugins' check_disk is not installed")

# a file system of 64 MiB with 512 inodes; the first argument is how many MiB are used
FILLED = """
mount -t tmpfs -o size=64m,nr_inodes=512 tmpfs "$1"
[ "$2" = 0 ] || head -c "$2"M /dev/zero > "$1/file"
[ "$3" = 0 ] || (cd "$1" && seq "$3" | xargs touch)
shift 3
exec "$@"
"""


@pytest.fixture
def short():
    """A mount point whose name fits into a performance label."""
    d = tempfile.mkdtemp(prefix="disk-", dir="/tmp")
    yield d
    os.rmdir(d)


def plugin(*args, **more):
    return subprocess.run([OURS, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **more)


@theirs_is_here
@needs_namespaces
@pytest.mark.parametrize("used,files,args,code", [
    (8, 0, ["-w", "10%", "-c", "5%"], 0),
    (58, 0, ["-w", "10%", "-c", "5%"], 1),
    (62, 0, ["-w", "10%", "-c", "5%"], 2),
    (48, 0, ["-w", "16", "-c", "10"], 1),
    (47, 0, ["-w", "16", "-c", "10"], 0),
    (55, 0, ["-w", "16", "-c", "10"], 2),
    (48, 0, ["-w", "16384", "-c", "1", "-k"], 1),
    (48, 0, ["-w", "16384", "-c", "1", "-u", "kB"], 1),
    (48, 0, ["-w", "17000000", "-c", "1", "-u", "bytes"], 1),
    (48, 0, ["-m", "-w", "15", "-c", "1"], 0),
    (8, 300, ["-W", "50%", "-K", "20%"], 1),
    (8, 450, ["-W", "50%", "-K", "20%"], 2),
    (8, 100, ["-W", "50%", "-K", "20%"], 0),
    (8, 300, ["-w", "10%", "-c", "5%", "-W", "50%", "-K", "20%", "-P"], 1),
    (8, 0, ["-w", "10%", "-c", "5%", "-E"], 0),
    (58, 0, ["-w", "10%", "-c", "5%", "-e"], 1),
    (8, 0, ["-w", "10%", "-c", "5%", "-e"], 0),
    (8, 0, ["-w", "10%", "-c", "5%", "-l"], 0),
    (8, 0, ["-w", "50:60", "-c", "5"], 1),
])
def test_same_verdict_and_figures(short, used, files, args, code):
    ours, theirs = (in_namespace(FILLED, short, used, files, p, *args, "-p", short) for p in (OURS, THEIRS))
    assert theirs.returncode == code, theirs.stdout
    assert ours.returncode == code, ours.stdout
    a, b = perfdata(ours.stdout), perfdata(theirs.stdout)
    assert set(a) == set(b)
    unit = {"-k": 1024, "kB": 1024, "bytes": 1}.get(next((x for x in args if x in ("-k", "kB", "bytes")), ""), MB)
    for label in a:
        assert a[label][0].endswith("B") == b[label][0].endswith("B")
        for x, y in zip(a[label], b[label]):
            # the other one cuts each figure down to whole units first
            assert (x == "") == (y == "") and (x == y or abs(float(x.rstrip("B")) - float(y.rstrip("B"))) <= unit), (label, a, b)
    if "-e" not in args:
        assert f"{short} " in ours.stdout
    elif code == 0:
        assert short not in ours.stdout.split("|")[0]


@theirs_is_here
@pytest.mark.parametrize("args", [["-w", "0", "-c", "0", "-p", "/"], ["-w", "100%", "-c", "0%", "-p", "/"], ["-w", "1", "-c", "100%", "-p", "/"],
                                  ["-w", "0", "-c", "0", "-p", "/etc/passwd"], ["-w", "1", "-c", "1", "-p", "/nonexistent/x"],
                                  ["-w", "1", "-c", "1", "-E", "-p", "/etc"], ["-w", "0", "-c", "0", "-p", "/", "-p", "/etc"],
                                  ["-w", "0", "-c", "0", "-p", "/", "-M"], ["-w", "0", "-c", "0", "-p", "/", "-u", "GB"]])
def test_same_verdict_here(args):
    ours, theirs = (subprocess.run([p, *args], capture_output=True, text=True, timeout=60) for p in (OURS, THEIRS))
    assert ours.returncode == theirs.returncode, ours.stdout + theirs.stdout
    assert set(perfdata(ours.stdout)) == set(perfdata(theirs.stdout))


@theirs_is_here
@needs_namespaces
def test_same_choice_of_file_systems(tmp_path):
    for d in ("a", "b"):
        (tmp_path / d).mkdir()
    script = 'mount -t tmpfs -o size=1m one "$1/a"; mount -t tmpfs -o size=1m two "$1/b"; shift; exec "$@"'
    for more in ([], ["-x", tmp_path / "a"], ["-x", "two"], ["-X", "tmpfs"], ["-N", "tmpfs"], ["-X", "tmpfs", "-X", "ext4"]):
        ours, theirs = (in_namespace(script, tmp_path, p, "-w", "0", "-c", "0", *more) for p in (OURS, THEIRS))
        a, b = (sorted(x for x in perfdata(o.stdout) if x.startswith(str(tmp_path))) for o in (ours, theirs))
        assert a == b, more
    only = in_namespace(script, tmp_path, OURS, "-w", "0", "-c", "0", "-r", f"^{tmp_path}", "-i", "/b$")
    assert list(perfdata(only.stdout)) == [str(tmp_path / "a")]


def test_one_line_says_what_is_wrong_first():
    out = plugin("-w", "100%", "-p", "/")
    assert out.returncode == 1
    assert out.stdout.startswith("DISK WARNING: /: ") and "% free, not above 100%; free space: / " in out.stdout


@pytest.mark.parametrize("args,word", [(["-w", "x"], "warning"), (["-w", "10%", "-w", "20%"], "at most one"), (["-K", "101%"], "100"),
                                       (["-u", "furlongs"], "units"), (["-r", "("], "ereg"), (["--full-warning", "soon"], "full"),
                                       (["-w", "1", "-p", "/", "-g", "late"], "before its paths")])
def test_bad_usage(args, word):
    out = plugin(*args)
    assert out.returncode == 3 and word in out.stdout and "Usage: check_disk" in out.stdout


# ROOT of the namespace's own: $1 the mount point, $2 what to do with it, then the command
READONLY = """
mount -t tmpfs -o size=1m tmpfs "$1"
case $2 in
remounted) mount -o remount,ro "$1" ;;
kernel) mount -o remount,ro "$1"; mount -o remount,bind,rw "$1" ;;
sandbox) mount -o remount,bind,ro "$1" ;;
esac
shift 2
exec "$@"
"""


@needs_namespaces
@pytest.mark.parametrize("how,args,code,word", [
    ("writable", [], 0, ""),
    ("sandbox", [], 0, ""),  # ProtectSystem=strict and the like: the file system itself takes writes
    ("kernel", [], 2, "is read-only, though mounted for writing"),
    ("remounted", [], 2, "is read-only"),
    ("remounted", ["--readonly", "ok"], 0, ""),
    ("kernel", ["--readonly", "ok"], 0, ""),
])
def test_read_only_is_judged_by_the_superblock(tmp_path, how, args, code, word):
    out = in_namespace(READONLY, tmp_path, how, OURS, "-p", tmp_path, *args)
    assert out.returncode == code, out.stdout + out.stderr
    assert word in out.stdout


@needs_namespaces
def test_what_was_writable_and_is_not_any_more(tmp_path):
    mnt, state = tmp_path / "mnt", tmp_path / "state"
    mnt.mkdir()
    script = """
mount -t tmpfs -o size=1m tmpfs "$1"; m=$1; shift
"$@" || exit 10
mount -o remount,ro "$m"
"$@" && exit 11
"$@" | grep -q 'has become read-only' || exit 12
mount -o remount,rw "$m"
"$@" || exit 13
"""
    # found by pattern, not asked for by path: then read-only alone is no alarm
    args = [OURS, "-r", f"^{mnt}$", "--state-dir", state]
    assert in_namespace(script, mnt, *args).returncode == 0
    assert in_namespace(READONLY, mnt, "remounted", OURS, "-r", f"^{mnt}$").returncode == 0


@needs_fuse
@pytest.mark.parametrize("timeout,code,name", [("1", 3, "UNKNOWN"), ("1:CRITICAL", 2, "CRITICAL"), ("1:1", 1, "WARNING")])
def test_a_hung_file_system(tmp_path, timeout, code, name):
    out = subprocess.run([*hung_prefix(tmp_path), OURS, "-p", tmp_path, "-t", timeout], capture_output=True, text=True, timeout=60)
    assert out.returncode == code
    assert out.stdout == f"DISK {name}: timed out after 1 s, blocked in statvfs {tmp_path}\n"


@needs_namespaces
def test_reserved_blocks_are_not_free(tmp_path, short):
    """As check_disk has it: what only root may use is not free, and the percentage is of what others may have."""
    image, mnt = tmp_path / "image", short
    with open(image, "wb") as f:
        f.truncate(16 * MB)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "20", image], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip("no mkfs.ext4")
    script = 'mount -o loop "$1" "$2"; shift 2; exec "$@"'
    probe = in_namespace(script, image, mnt, "true")
    if probe.returncode != 0:
        pytest.skip("no loop devices")
    for args in (["-w", "0", "-c", "0"], ["-w", "0", "-c", "0", "-f"]):
        ours, theirs = (in_namespace(script, image, mnt, p, *args, "-p", mnt) for p in (OURS, PLUGINS / "check_disk"))
        assert ours.returncode == theirs.returncode == 0
        a, b = perfdata(ours.stdout)[mnt], perfdata(theirs.stdout)[mnt]
        assert abs(float(a[4]) - float(b[4])) <= MB and abs(float(a[0][:-1]) - float(b[0][:-1])) <= MB
        assert ours.stdout.split("MiB")[0].split()[-1] == theirs.stdout.split("MiB")[0].split()[-1]


def test_growth_foretells_when_it_will_be_full(tmp_path):
    state = tmp_path / "state"
    args = ["-p", "/", "--state-dir", state, "--full-warning", "10d", "--full-critical", "1h"]
    first = plugin(*args)
    assert first.returncode == 0, first.stdout
    (file,) = state.iterdir()
    assert file.name.startswith("check_disk-") and file.stat().st_mode & 0o777 == 0o600
    st = os.statvfs("/")
    used, free = (st.f_blocks - st.f_bfree) * st.f_frsize, st.f_bavail * st.f_frsize
    now = time.time() * 1000

    def remember(hours_left):
        """As if it had grown for 50 minutes so that the rest lasts that long."""
        rate = free / (hours_left * 3600e3)
        samples = [[int(now - m * 60000), int(used - rate * m * 60000)] for m in range(50, 4, -5)]
        file.write_text(json.dumps({"fs": [{"dir": "/", "rw": True, "used": samples}]}))

    remember(100)
    out = plugin(*args)
    assert out.returncode == 1 and "/: will be full in 4 d" in out.stdout and "MiB a minute" in out.stdout
    remember(0.5)
    out = plugin(*args)
    assert out.returncode == 2 and "/: will be full in " in out.stdout
    remember(24)
    out = plugin("-p", "/", "--state-dir", state)  # other options: another state, so nothing is known
    assert out.returncode == 0 and "will be full" not in out.stdout
    assert len(list(state.iterdir())) == 2


def facts(out):
    return json.loads(next(x for x in out.stdout.splitlines() if x.startswith("facts: "))[7:])


@needs_namespaces
def test_facts_of_what_is_in_most_trouble(tmp_path):
    for d in ("half", "full", "many"):
        (tmp_path / d).mkdir()
    script = """
mount -t tmpfs -o size=16m one "$1/half"; head -c 8M /dev/zero > "$1/half/file"
mount -t tmpfs -o size=16m two "$1/full"; head -c 14M /dev/zero > "$1/full/file"
mount -t tmpfs -o size=16m,nr_inodes=100 three "$1/many"; (cd "$1/many"; seq 98 | xargs touch)
shift; exec "$@"
"""

    def ask(*names):
        return facts(in_namespace(script, tmp_path, OURS, "-vvv", *[x for n in names for x in ("-p", tmp_path / n)]))
    found = ask("half", "full")
    assert found["path"] == str(tmp_path / "full") and found["used_share"] == 0.875 and found["inode_used_share"] < 0.01
    assert "growth_per_min" not in found and "full_in_s" not in found
    found = ask("half", "full", "many")  # 98 files and the directory itself
    assert found["path"] == str(tmp_path / "many") and found["inode_used_share"] == 0.99 and found["used_share"] == 0


# Fills a file system of 64 MiB by 8 MiB a run; between runs what the state remembers is made a minute older.
FILLS = """
import json, pathlib, subprocess, sys
mnt, state, program, *args = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mnt], check=True)
for i in range(5):
    with open(mnt + "/file", "ab") as f:
        f.write(bytes(8 << 20))
    done = subprocess.run([program, *args, "-vvv"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    (file,) = pathlib.Path(state).iterdir()
    kept = json.loads(file.read_text())
    kept["fs"][0]["used"] = [[at - 60000, used] for at, used in kept["fs"][0]["used"]]
    file.write_text(json.dumps(kept))
print(done.stdout)
"""


@needs_namespaces
def test_growth_of_a_file_system_that_really_fills(tmp_path, short):
    state = tmp_path / "state"
    out = in_namespace('exec /usr/bin/python3 -c "$@"', FILLS, short, state, OURS, "-p", short, "--state-dir", state, "--growth-window", "10m")
    assert out.returncode == 0, out.stdout + out.stderr
    found = facts(out)
    # 8 MiB a minute, and 24 MiB are left
    assert 6 * MB < found["growth_per_min"] < 10 * MB and 120 < found["full_in_s"] < 260 and found["used_share"] == 0.625, found
    assert found["path"] == short and "will be full in " in out.stdout


def test_a_state_that_cannot_be_kept_is_said(tmp_path):
    f = tmp_path / "file"
    f.write_text("")
    out = plugin("-p", "/", "--state-dir", f / "below")
    assert "state" in out.stdout and "Not a directory" in out.stdout


@needs_namespaces
def test_hundreds_of_file_systems_stay_within_nagios_limits(tmp_path):
    script = """
d=$1; shift
for i in $(seq 150); do m="$d/a-rather-long-name-for-a-mount-point-$i"; mkdir "$m"; mount -t tmpfs -o size=1m t "$m"; done
exec "$@"
"""
    out = in_namespace(script, tmp_path, OURS, "-w", "100%", "-X", "ext4")
    assert out.returncode == 1 and len(out.stdout.encode()) <= 8192
    assert len(out.stdout.splitlines()[0].split("|")[0]) <= 1024
