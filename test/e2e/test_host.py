"""The probes process, memory, pressure and file on this host, and on texts of /proc that it would not give."""
import json
import os
import signal
import subprocess

import pytest
from prober import BUILD, in_namespace, needs_namespaces, perfdata
from waiting import wait_for


def plugin(name, *args):
    return subprocess.run([BUILD / f"check_{name}", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def facts(out):
    return json.loads(next(x for x in out.stdout.splitlines() if x.startswith("facts: "))[7:])


def test_a_daemon_that_dies_is_missed_and_a_young_one_is_seen():
    p = subprocess.Popen(["/usr/bin/python3", "-c", "import time; time.sleep(600)  # hosttest-daemon"])
    try:
        wait_for(lambda: plugin("process", "-a", "hosttest-daemon", "-c", "1:1").returncode == 0, what="the daemon")
        young = plugin("process", "-a", "hosttest-daemon", "--age-warning", "3600:", "-vvv")
        assert young.returncode == 1 and "the youngest is" in young.stdout and facts(young)["procs"] == 1
        large = plugin("process", "-a", "hosttest-daemon", "--rss-critical", "1")
        assert large.returncode == 2 and f"the largest ({p.pid}) has" in large.stdout
    finally:
        p.send_signal(signal.SIGKILL)
    # killed and not reaped: its command line is gone, it is counted among the stuck of its parent
    zombie = wait_for(lambda: (o := plugin("process", "-p", os.getpid(), "-s", "Z", "--stuck-warning", "0")).returncode == 1 and o, what="the zombie")
    assert "not reaped" in zombie.stdout
    p.wait()
    assert plugin("process", "-a", "hosttest-daemon", "-c", "1:1").returncode == 2


@pytest.mark.parametrize("args,word", [([], "give a limit"), (["-w", "x"], "warning"), (["-c", "1:", "--ereg-argument-array", "("], "ereg")])
def test_process_bad_usage(args, word):
    out = plugin("process", *args)
    assert out.returncode == 3 and word in out.stdout


@needs_namespaces
@pytest.mark.parametrize("text,code,word", [
    ("MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n", 0, "(50 %)"), ("MemTotal: 1000000 kB\nMemAvailable: 80000 kB\n", 1, "(8 %)"),
    ("MemTotal: 1000000 kB\nMemAvailable: 20000 kB\n", 2, " MiB resident"), ("", 3, "does not say"), ("MemTotal: 0 kB\nMemAvailable: 0 kB\n", 3, "does not say"),
])
def test_memory(tmp_path, text, code, word):
    f = tmp_path / "meminfo"
    f.write_text(text)
    out = in_namespace('mount --bind "$1" /proc/meminfo; shift; exec "$@"', f, BUILD / "check_memory")
    assert out.returncode == code and word in out.stdout, out.stdout


@needs_namespaces
def test_pressure_counts_from_run_to_run(tmp_path):
    vmstat, psi, nr = (tmp_path / n for n in ("vmstat", "psi", "nr"))
    psi.write_text("some avg10=0.00 avg60=55.50 avg300=0.00 total=0\nfull avg10=0.00 avg60=20.00 avg300=0.00 total=0\n")
    nr.write_text("990\t0\t1000\n")
    script = 'mount --bind "$1/vmstat" /proc/vmstat; mount --bind "$1/psi" /proc/pressure/memory; mount --bind "$1/nr" /proc/sys/fs/file-nr; shift; exec "$@"'

    def run(oom, pages, *args):
        vmstat.write_text(f"pswpin {pages}\npswpout {pages}\noom_kill {oom}\n")
        return in_namespace(script, tmp_path, BUILD / "check_pressure", "--state-dir", tmp_path / "state", "-vvv", *args)
    calm = ("--memory-critical", "100", "--memory-warning", "100", "--fd-warning", "100", "--fd-critical", "100")
    assert run(5, 100, *calm).returncode == 0  # kills before the first run are not news
    killed = run(7, 100000000, *calm)
    assert killed.returncode == 1 and "2 killed for want of memory" in killed.stdout and facts(killed)["oom_kills"] == 2
    assert facts(killed)["swap_in_per_min"] > 1e6 and perfdata(killed.stdout)["swap_rate"]
    assert run(7, 100000000, *calm).returncode == 1  # it counts for a while
    tight = run(7, 100)
    assert tight.returncode == 2 and "memory pressure 55.5 %" in tight.stdout and "990 of 1000 file descriptors" in tight.stdout


def test_file(tmp_path):
    f = tmp_path / "f"
    assert plugin("file", "-f", f, "--absent").returncode == 0
    f.write_bytes(b"x" * 100)
    f.chmod(0o644)
    assert "must not be" in (out := plugin("file", "-f", f, "--absent")).stdout and out.returncode == 2
    assert plugin("file", "-f", f, "--mode", "644", "--owner", os.getuid(), "--group", os.getgid(), "--kind", "file").returncode == 0
    for args, word in ((["--mode", "640"], "mode 0644"), (["--owner", os.getuid() + 1], "belongs to"), (["--kind", "socket"], "is not a socket"),
                       (["--group", os.getgid() + 1], "is of group")):
        out = plugin("file", "-f", f, *args)
        assert out.returncode == 2 and word in out.stdout
    assert plugin("file", "-f", f / "below").returncode == 2


def test_file_growth(tmp_path):
    f = tmp_path / "log"
    f.write_bytes(b"")
    args = ["-f", f, "--growth-warning", "100000", "--state-dir", tmp_path / "state", "-vvv"]
    assert plugin("file", *args).returncode == 0
    f.write_bytes(b"x" * 50_000_000)
    out = plugin("file", *args)
    assert out.returncode == 1 and "bytes a minute" in out.stdout and facts(out)["growth_per_min"] > 100000
