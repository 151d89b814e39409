"""check_load: beside monitoring-plugins' check_load on the same load averages, and the manners of every built-in plugin."""
import subprocess

import pytest
from prober import BUILD, PLUGINS, in_namespace, needs_namespaces, perfdata

OURS = BUILD / "check_load"
THEIRS = PLUGINS / "check_load"


def plugin(*args):
    return subprocess.run([OURS, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


# load averages, arguments, exit code (None: whatever the other one says is right)
ROWS = [
    ("0.50 0.40 0.30 1/100 5", ["-w", "5", "-c", "10"], 0),
    ("7.50 0.40 0.30 1/100 5", ["-w", "5", "-c", "10"], 1),
    ("7.50 11.40 0.30 1/100 5", ["-w", "5", "-c", "10"], 2),
    ("5.00 5.00 5.00 1/100 5", ["-w", "5", "-c", "10"], 0),
    ("5.01 5.00 5.00 1/100 5", ["-w", "5", "-c", "10"], 1),
    ("4.00 4.50 2.00 1/100 5", ["-w", "5,4,3", "-c", "10,9,8"], 1),
    ("4.00 3.50 8.50 1/100 5", ["-w", "5,4,3", "-c", "10,9,8"], 2),
    ("120.00 99.00 80.00 130/999 5", ["--warning=150,150,150", "--critical=200,200,200"], 0),
    ("120.00 99.00 80.00 130/999 5", ["-c", "100,100,70", "-w", "90,90,60"], 2),
    ("0.00 0.00 0.00 1/100 5", ["-w", "0", "-c", "0"], 0),
    ("1.30 1.20 1.10 1/100 5", ["-r", "-w", "100", "-c", "200"], 0),
    ("1300.00 1.20 1.10 1/100 5", ["-r", "-w", "0.5", "-c", "2000"], None),
]


@needs_namespaces
@pytest.mark.parametrize("loadavg,args,code", ROWS)
def test_same_verdict_and_figures(tmp_path, loadavg, args, code):
    if not THEIRS.exists():
        pytest.skip("monitoring-plugins' check_load is not installed")
    f = tmp_path / "loadavg"
    f.write_text(loadavg + "\n")
    script = 'mount --bind "$1" /proc/loadavg; shift; exec "$@"'
    ours, theirs = (in_namespace(script, f, p, *args) for p in (OURS, THEIRS))
    if code is not None:
        assert theirs.returncode == code, theirs.stdout
    assert ours.returncode == theirs.returncode, ours.stdout + theirs.stdout
    a, b = perfdata(ours.stdout), perfdata(theirs.stdout)
    assert set(b) <= set(a)

    def same(x, y):
        return x == y or (x and y and float(x) == pytest.approx(float(y), abs=0.001))
    for label, fields in b.items():
        assert all(same(x, y) for x, y in zip(a[label], fields)), (label, a[label], fields)
    assert float(a["procs"][0]) == float(loadavg.split()[3].split("/")[1])


@needs_namespaces
@pytest.mark.parametrize("content,word", [("", "three numbers"), ("a b c d\n", "three numbers"), ("0.1 0.2\n", "three numbers")])
def test_a_loadavg_without_sense(tmp_path, content, word):
    f = tmp_path / "loadavg"
    f.write_text(content)
    out = in_namespace('mount --bind "$1" /proc/loadavg; shift; exec "$@"', f, OURS, "-w", "1")
    assert out.returncode == 3 and word in out.stdout


def test_raw_and_per_cpu_are_both_told():
    out = plugin("-w", "100000", "-r")
    assert out.returncode == 0
    assert out.stdout.startswith("LOAD OK: load average: ") and "per CPU: " in out.stdout
    assert {"load1", "scaled_load1"} <= set(perfdata(out.stdout))
    raw = plugin("-c", "100000")
    assert raw.returncode == 0 and "per CPU: " in raw.stdout and "scaled_load1" not in perfdata(raw.stdout)


def test_help_and_version_exit_3():
    for args in (["--help"], ["-h"]):
        out = plugin(*args)
        assert out.returncode == 3 and "--warning" in out.stdout and "--timeout" in out.stdout and "--state-dir" in out.stdout
    for args in (["--version"], ["-V"]):
        out = plugin(*args)
        assert out.returncode == 3 and out.stdout.startswith("check_load (monitord ")


@pytest.mark.parametrize("args,word", [
    ([], "warning or critical"), (["-w", "x"], "warning"), (["-w", "10", "-c", "5"], "above critical"), (["-z"], "unknown"),
    (["--warnin", "5"], "did you mean --warning"), (["-w", "5", "stray"], "stray"), (["-w"], "needs a value"),
    (["-w", "5", "-t", "0"], "timeout"), (["-w", "5", "-t", "5:MAYBE"], "state"), (["-w", "5", "-t", ":CRITICAL"], "timeout"),
])
def test_bad_usage_is_short_and_unknown(args, word):
    out = plugin(*args)
    assert out.returncode == 3 and word in out.stdout and "Usage: check_load" in out.stdout
    assert out.stderr == "" and len(out.stdout.splitlines()) <= 6


def test_options_in_any_order_and_spelling():
    outs = [plugin(*a) for a in (["-w", "100000", "-c", "200000", "-r"], ["-r", "--critical=200000", "--warning", "100000"],
                                 ["-rw100000", "-c200000", "-v", "-vv"], ["-t", "10", "--percpu", "-c", "200000", "-w", "100000"])]
    assert {o.returncode for o in outs} == {0}
    assert len({tuple(perfdata(o.stdout)["scaled_load1"][1:3]) for o in outs}) == 1


def test_output_fits_nrpe():
    out = plugin("-w", "5")
    assert len(out.stdout.encode()) <= 1024 and out.stdout.count("\n") == 1
