"""Command definitions of monitoring-plugins, run with theirs and with ours: the same exit code and the same performance
labels, or one line that says why not (exit 3)."""
import os
import shutil
import subprocess

import pytest
from postfix import Postfix
from prober import BUILD, PLUGINS, in_namespace, needs_namespaces, perfdata

OURS = {"check_swap": "check_pressure"}  # no name of its own: it judges more than swap space
pytestmark = pytest.mark.skipif(not (PLUGINS / "check_procs").exists(), reason="monitoring-plugins are not installed")


def both(name, args, run=None):
    run = run or (lambda *a: subprocess.run([str(x) for x in a], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60))
    return run(BUILD / OURS.get(name, name), *args), run(PLUGINS / name, *args)


def same(name, args, code=None, run=None):
    ours, theirs = both(name, args, run)
    if code is not None:
        assert theirs.returncode == code, theirs.stdout
    assert ours.returncode == theirs.returncode, ours.stdout + theirs.stdout
    if theirs.returncode != 3:
        assert set(perfdata(theirs.stdout)) <= set(perfdata(ours.stdout)), ours.stdout + theirs.stdout
    return ours, theirs


@pytest.fixture(scope="module")
def sleeper(tmp_path_factory):
    """A process of a name of its own, so that others do not come and go between the two counts."""
    program = tmp_path_factory.mktemp("bin") / f"dropin{os.getpid()}"
    shutil.copy("/bin/sleep", program)
    two = [subprocess.Popen([program, "600"]) for _ in range(2)]
    yield program.name
    for p in two:
        p.kill()
        p.wait()


@pytest.mark.parametrize("args,code", [
    (["-w", "2:2", "-c", "2:1024", "-C", "NAME"], 0),
    (["-c", "1:", "-C", "NAME"], 0),
    (["-w", "1024", "-c", "1:", "-C", "nosuchname"], 2),
    (["-w", "1", "-C", "NAME"], 1),
    (["-w", "10", "-a", "/usr/local/bin/perl", "-u", "root"], 0),
    (["-w", "1:1", "-a", "NAME 600"], 1),
    (["-c", "1:1", "--ereg-argument-array=NAME [0-9]+$"], 2),
    (["-w", "5", "-c", "10", "-C", "NAME", "-s", "Z"], 0),
    (["-c", "2:2", "-C", "NAME", "-s", "S"], 0),
    (["-c", ":1", "-C", "NAME"], 2),
    (["-w", "50000", "-c", "100000", "-m", "VSZ", "-C", "NAME"], 0),
    (["-w", "1", "-c", "100000000", "-m", "VSZ", "-C", "NAME"], 1),
    (["-w", "1", "-c", "2", "-m", "RSS", "-C", "NAME"], 2),
    (["-w", "10", "-c", "20", "--metric=CPU", "-C", "NAME"], 0),
    (["-w", "100000", "-c", "200000", "-m", "ELAPSED", "-C", "NAME"], 0),
    (["-c", "1:", "-C", "NAME", "-u", "0"], 0),
    (["-c", "1:", "-C", "NAME", "-r", "1"], 0),
    (["-c", "1:", "-C", "NAME", "-z", "100000000"], 2),
    (["-c", "1:", "-C", "NAME", "-P", "99.9"], 2),
    (["-c", "1:", "-C", "NAME", "-p", "PPID"], 0),
    (["-c", "1:", "-C", "NAME", "-k", "-T", "-t", "20", "-v"], 0),
    (["-w", "10", "-u", "nosuchuser"], 3),
    (["-w", "10", "-m", "FOO"], 3),
])
def test_check_procs(sleeper, args, code):
    args = [a.replace("NAME", sleeper).replace("PPID", str(os.getpid())) for a in args]
    ours, theirs = same("check_procs", args, code)
    a, b = (perfdata(o.stdout) if code != 3 else {} for o in (ours, theirs))
    for label in b:
        assert a[label][:3] == b[label][:3] or ":1" in args, (a, b)  # ":1" is written "~:1"


@pytest.mark.parametrize("args,code", [
    (["-f", "FILE"], 1), (["-w", "200", "-c", "250", "-f", "FILE"], 2), (["-w", "1000", "-c", "2000", "-f", "FILE"], 0),
    (["-w", "1000", "-c", "2000", "-W", "6", "-f", "FILE"], 1), (["-w", "1000", "-c", "2000", "-C", "6", "-W", "6", "-f", "FILE"], 2),
    (["-w", "1000", "-c", "2000", "-C", "5", "-W", "5", "-f", "FILE"], 0), (["-f", "FILE.none"], 2), (["-i", "-f", "FILE.none"], 0),
    (["--warning-age=1000", "--critical-age=2000", "--warning-size=6", "-f", "FILE"], 1), ([], 3),
])
def test_check_file_age(tmp_path, args, code):
    f = tmp_path / "file"
    f.write_text("12345")
    os.utime(f, (f.stat().st_mtime - 300,) * 2)
    same("check_file_age", [a.replace("FILE", str(f)) for a in args], code)


@needs_namespaces
@pytest.mark.parametrize("free,args,code", [
    (0, ["-w", "10%", "-c", "5%"], 2), (0, ["-w", "10%", "-c", "5%", "-n", "ok"], 0), (0, ["-w", "1", "-c", "1", "-n", "warning"], 1),
    (500000, ["-w", "10%", "-c", "5%"], 0), (80000, ["-w", "10%", "-c", "5%"], 1), (30000, ["-w", "10%", "-c", "5%"], 2),
    (500000, ["-w", "600000000", "-c", "1000"], 1), (500000, ["-w", "700000000", "-c", "600000000"], 2), (500000, ["-a", "-w", "10%", "-c", "5%"], 0),
])
def test_check_swap(tmp_path, free, args, code):
    total = 1000000 if free else 0
    (tmp_path / "meminfo").write_text(f"MemTotal: 1000000 kB\nMemFree: 500000 kB\nMemAvailable: 600000 kB\nSwapCached: 0 kB\n"
                                      f"SwapTotal: {total} kB\nSwapFree: {free} kB\n")
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n" + (f"/swap file {total} {total - free} -2\n" if total else ""))
    script = 'mount --bind "$1/meminfo" /proc/meminfo; mount --bind "$1/swaps" /proc/swaps; shift; exec "$@"'
    # pressure of the machine the test runs on is not what is compared
    more = ["--memory-warning", "100", "--memory-critical", "100", "--fd-critical", "100", "--oom-warning", "1000000"]
    ours, theirs = both("check_swap", args, lambda p, *a: in_namespace(script, tmp_path, p, *a, *(more if p.parent == BUILD else ())))
    assert theirs.returncode == code, theirs.stdout
    assert ours.returncode == code, ours.stdout
    assert set(perfdata(theirs.stdout)) <= set(perfdata(ours.stdout))
    a, b = (int(perfdata(o.stdout)["swap"][0].rstrip("B")) for o in (ours, theirs))
    assert abs(a - b) < 1048576  # the other one cuts down to whole MiB


@pytest.mark.parametrize("args,code", [(["-w", "15,10,5", "-c", "30,25,20"], None), (["-w", "9999", "-c", "9999", "-n", "3"], 0),
                                       (["-r", "-w", "9999", "-c", "9999"], 0), (["-r", "-w", "9999,9999,9999", "-c", "9999,9999,9999", "-n", "2"], 0)])
def test_check_load(args, code):
    ours, _ = same("check_load", args, code)
    if "-n" in args:
        lines = ours.stdout.splitlines()
        assert lines[1].startswith("STAT UID PID") and len(lines) == 2 + int(args[-1])
        shares = [float(x.split()[6]) for x in lines[2:]]
        assert shares == sorted(shares, reverse=True)


# three file systems, of which 53, 25 and 6 per cent are free
THREE = """
d=$1; shift
for m in a b c; do mkdir -p "$d/$m"; done
mount -t tmpfs -o size=64m one "$d/a"; head -c 30M /dev/zero > "$d/a/f"
mount -t tmpfs -o size=32m two "$d/b"; head -c 24M /dev/zero > "$d/b/f"
mount -t tmpfs -o size=16m,nr_inodes=100 three "$d/c"; head -c 15M /dev/zero > "$d/c/f"
exec "$@"
"""


@needs_namespaces
@pytest.mark.parametrize("args,code", [
    # as its --help has them
    ("-w 10% -c 5% -p D/a -p D/b -C -w 3 -c 2 -p D/c", 2),
    # limits by path
    ("-w 10% -c 5% -p D/c -C -w 3 -c 2 -p D/a", 1), ("-w 10% -c 5% -p D/a -w 50% -p D/b", 1), ("-w 10% -c 5% -p D/a -p D/b", 0),
    ("-w 10 -c 5 -p D/a -C -w 1 -c 0 -p D/c", 1), ("-w 10% -c 5% -W 7% -K 5% -p D/a -C -w 1% -c 0% -p D/b -P", 0),
    ("-w 50% -c 10% -p D/a -C -W 99% -c 1 -p D/c -P", 2), ("-w 10% -c 5% -p D/a -p D/a -C -w 60% -c 5% -p D/a", 1),
    # groups
    ("-w 10% -c 5% -g grp -p D/a -p D/b", 0), ("-w 10% -c 5% -g grp -p D/a -p D/b -p D/c", 0), ("-w 45% -c 5% -g grp -p D/a -p D/b", 1),
    ("-w 43 -c 5 -g grp -p D/a -p D/b -P", 1), ("-w 10% -c 5% -g grp -p D/a -p D/b -C -w 3 -c 1 -p D/c", 2),
    ("-w 50000 -c 43010 -u kB -g x -p D/a -p D/b", 2), ("-w 60% -c 5% -e -g grp -p D/a -p D/b", 1),
    ("-w 10% -c 5% -g one -p D/a -C -w 30% -c 5% -g two -r D/[bc]$", 1), ("-w 1 -c 1 -p D/a -g late -p D/b", 3),
    # what is looked at
    ("-w 10% -c 5% -r ^D/", 1), ("-w 10% -c 5% -R ^D/[AB]", 0), ("-w 10% -c 5% -r ^D/ -i c$", 0), ("-w 10% -c 5% -r ^D/ -I C$", 0),
    ("-w 10% -c 5% -A -i ^/", 3), ("-w 1% -c 1% -A -X ext4 -X overlay -X fuse -i ^/[^t] -i ^/$", 0), ("-w 1 -c 1 -N tmpfs -p D/a -p D/b -M", 0),
    ("-w 10% -c 5% -l -p D/a", 0), ("-w 10% -c 5% -L -p D/c", 1), ("-w 10% -c 5% -E -p D/a/f", 2), ("-w 10% -c 5% -p D/c/f", 1),
    ("-w 10% -c 5% --exact-match --path=D/a --clear --warning=2 --critical=1 --path=D/c", 2),
    ("-m -w 34 -c 1 -p D/a", 1), ("-k -w 8192 -c 1 -p D/b", 1), ("-f -w 1% -c 1% -p D/a", 0), ("-t 20 -v -w 1% -c 1% -p D/a", 0),
])
def test_check_disk(tmp_path, args, code):
    words = args.replace("D/", f"{tmp_path}/").split()
    same("check_disk", words, code, lambda *a: in_namespace(THREE, tmp_path, *a))


@needs_namespaces
@pytest.mark.parametrize("args", ["-w 100 -c 50 -C -w 1000 -c 500 -g sidDATA -r ^D/[ab]", "-w 100 -c 50 -C -w 3 -c 2 -p D/a -C -w 5% -c 3% -p D/b",
                                  "-w 0 -c 0 -C -w 5% -c 3% -p D/c"])
def test_check_disk_of_all(tmp_path, args):
    """All remaining file systems, whatever this host has: compared are those that the test made."""
    words = args.replace("D/", f"{tmp_path}/").split()
    found = [{k: v for k, v in perfdata(o.stdout).items() if str(tmp_path) in k or k == "sidDATA"}
             for o in both("check_disk", words, lambda *a: in_namespace(THREE, tmp_path, *a))]
    assert len(found[0]) >= 2 and set(found[0]) == set(found[1])
    for label in found[0]:  # a limit beyond the size: theirs goes below zero and turns huge
        assert all(a == b or len(b) > 17 for a, b in zip(found[0][label][1:], found[1][label][1:])), (label, found)


@pytest.mark.parametrize("args,words", [
    (["check_http", "-H", "h", "-C", "14"], "check_cert"), (["check_http", "-H", "h", "-r", "x"], "-s TEXT"), (["check_http", "-H", "h", "-P", "x"], "only asks"),
    (["check_http", "-H", "h", "-j", "PUT"], "GET"), (["check_disk", "--extra-opts=x"], "write out what that file says"),
])
def test_what_is_not_taken_says_why_in_one_line(args, words):
    done = subprocess.run([BUILD / args[0], *args[1:]], stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 3 and words in done.stdout.splitlines()[0], done.stdout


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    if os.geteuid() or not os.path.exists("/usr/sbin/postconf"):
        pytest.skip("needs root and Postfix")
    with Postfix(tmp_path_factory.mktemp("drop-in")) as p:
        yield p


@pytest.mark.parametrize("args,code", [
    ([], 0), (["-w", "10", "-c", "20"], 0), (["-e", "220 "], 0), (["-e", "220 mx.lab"], 0), (["-e", "nothing"], 1),
    (["-C", "NOOP", "-R", "250"], 0), (["-f", "a@lab.test"], 0), (["-F", "client.lab.test"], 0), (["-4", "-t", "20"], 0),
    ([""], 0), (["-w", "10", ""], 0),  # an argument of the definition that a service does not use
    (["-S"], 0), (["-S", "-D", "10"], 0), (["-S", "-D", "60,40"], 2), (["-p", "1"], 2),
])
def test_check_smtp(relay, args, code):
    ours, theirs = both("check_smtp", ["-H", "127.0.0.1", *([] if "-p" in args else ["-p", str(relay.port)]), *args])
    assert (ours.returncode, theirs.returncode) == (code, code), ours.stdout + theirs.stdout
    if code == 0:
        assert set(perfdata(theirs.stdout)) <= set(perfdata(ours.stdout)), ours.stdout + theirs.stdout
