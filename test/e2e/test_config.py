"""`monitord -t` and the examples of conf.d, with the real prober and the real notifiers; with programs that misbehave where
the real ones do not; and doc/configuration.md against the tables it describes."""
import re
import shutil
import subprocess
import time

import pytest

from conftest import BUILD, ROOT

EXAMPLES = sorted((ROOT / "conf.d").glob("*.yaml"))
MINIMAL = """\
checks:
  a: {probe: load, warning: 4}
lines:
  m: {notifier: sms, device: simulated}
contacts:
  op: {routes: [{line: m, to: "+819012345678"}]}
"""


def needs(*programs):
    missing = [p for p in programs if not (BUILD / p).exists()]
    return pytest.mark.skipif(bool(missing), reason=f"not built: {', '.join(missing)}")


def check(config, timeout=120):
    return subprocess.run([str(BUILD / "monitord"), "-t", "-c", str(config)], capture_output=True, text=True, timeout=timeout)


def write(tmp_path, main, **files):
    config = tmp_path / "monitord.yaml"
    config.write_text(main)
    for name, text in files.items():
        (tmp_path / "conf.d").mkdir(exist_ok=True)
        (tmp_path / "conf.d" / f"{name}.yaml").write_text(text)
    return config


# --- the examples -------------------------------------------------------------------------------------------

def test_every_probe_and_notifier_has_an_example():
    text = "\n".join(p.read_text() for p in EXAMPLES)
    probes = [p.stem[len("check_"):] for p in (ROOT / "probes").glob("check_*.c")]
    notifiers = [p.stem[len("notify_"):] for p in (ROOT / "notifiers").glob("notify_*.c")]
    assert probes and notifiers
    for name in probes:
        assert re.search(rf"^\s+probe: {name}$", text, re.M), f"no example of probe {name} in conf.d"
    for name in notifiers:
        assert re.search(rf"^\s+notifier: {name}$", text, re.M), f"no example of notifier {name} in conf.d"


@needs("monitord", "prober")
def test_main_example_alone(tmp_path):
    shutil.copy(ROOT / "conf.d" / "monitord.yaml", tmp_path)
    r = check(tmp_path / "monitord.yaml")
    assert (r.returncode, r.stdout) == (0, ""), r.stderr
    assert "warning" not in r.stderr.lower()
    assert len(r.stderr.splitlines()) == 1, r.stderr
    assert re.search(r"monitord\.yaml: test is successful \(1 checks?, digest [0-9a-f]{16}\)", r.stderr)


@needs("monitord", "prober")
@pytest.mark.parametrize("example", [p for p in EXAMPLES if p.name != "monitord.yaml"], ids=lambda p: p.name)
def test_example_beside_main(tmp_path, example):
    """Each alone beside the main file: an administrator copies the ones he needs."""
    (tmp_path / "conf.d").mkdir()
    shutil.copy(ROOT / "conf.d" / "monitord.yaml", tmp_path)
    shutil.copy(example, tmp_path / "conf.d")
    r = check(tmp_path / "monitord.yaml")
    assert r.returncode == 0, r.stderr


@needs("monitord", "prober")
def test_all_examples_together(tmp_path):
    (tmp_path / "conf.d").mkdir()
    for p in EXAMPLES:
        shutil.copy(p, tmp_path if p.name == "monitord.yaml" else tmp_path / "conf.d")
    r = check(tmp_path / "monitord.yaml")
    assert r.returncode == 0, r.stderr


# --- complaints, with the real programs -------------------------------------------------------------------------------

@needs("monitord", "prober", "notify_sms")
def test_all_complaints_with_their_places(tmp_path):
    config = write(tmp_path, """\
checks:
  disk: {probe: disk, pth: [/var]}
  load: {probe: laod}
  bad threshold: {probe: load, warning: low}
  dup: {probe: load, warning: 4}
lines:
  m: {notifier: sms, device: simulated, baud: fast}
  n: {notifier: smss}
  o: {notifier: sms, device: simulated}
contacts:
  op: {routes: [{line: o, to: "not a number"}]}
deadman: {limit: 5 minutes}
""", more="checks:\n  dup: {probe: load}\n  loop: {probe: load, warning: 4, parents: [loop]}\n")
    r = check(config)
    assert r.returncode == 1
    assert r.stdout == ""
    lines = [line.replace(str(tmp_path), "DIR") for line in r.stderr.splitlines()]
    expected = [
        'DIR/monitord.yaml:2:23: checks.disk.pth: unknown to probe "disk"; did you mean "path"?',
        'DIR/monitord.yaml:3:17: checks.load.probe "laod": there is no such probe; did you mean "load"?',
        'DIR/monitord.yaml:4:41: checks.bad threshold.warning "low": ',
        'DIR/monitord.yaml:7:47: lines.m.baud "fast": not a whole number',
        'DIR/monitord.yaml:8:17: lines.n.notifier "smss": there is no such notifier (no ',
        'DIR/monitord.yaml:11:17: contacts.op.routes[1].to "not a number": ',
        'DIR/monitord.yaml:12:18: deadman.limit "5 minutes": not a duration',
        'DIR/conf.d/more.yaml:2:3: checks.dup: is given twice; the first is at DIR/monitord.yaml:5:3',
        'DIR/conf.d/more.yaml:3:3: checks.loop.parents: make a loop: loop -> loop',
        'monitord: DIR/monitord.yaml: test failed, 9 complaints',
    ]
    assert len(lines) == len(expected), "\n".join(lines)
    for line, start in zip(lines, expected):  # from the top of each file to its end
        assert line.startswith(start), f"{start}\nis not the start of\n{line}"


@needs("monitord", "prober", "notify_sms")
def test_secret_is_never_shown(tmp_path):
    config = write(tmp_path, MINIMAL.replace("device: simulated", "device: simulated, pin_file: hunter2, passwort: hunter3"))
    r = check(config)
    assert r.returncode == 1
    assert "lines.m.pin_file" in r.stderr and "lines.m.passwort" in r.stderr
    assert "hunter" not in r.stderr + r.stdout


@needs("monitord", "prober", "notify_sms")
def test_warnings_do_not_fail(tmp_path):
    r = check(write(tmp_path, MINIMAL))
    assert r.returncode == 0, r.stderr
    assert "last_resort: is not given" in r.stderr


@needs("monitord", "prober", "notify_sms", "notify_dtmf")
def test_what_stands_behind_a_line_that_confirms_nothing_is_warned_of(tmp_path):
    text = MINIMAL.replace("contacts:", f"  tones: {{notifier: dtmf, device: /dev/ttyS0, state_dir: {tmp_path}}}\ncontacts:")
    behind = text.replace("routes: [", 'routes: [{line: tones, to: "0312345678"}, ')
    r = check(write(tmp_path, behind))
    assert r.returncode == 0 and ':7:' in r.stderr and 'contacts.op.routes[1]: nobody knows whether a page over line "tones"' in r.stderr, r.stderr
    for fine in (behind.replace("op: {", "op: {confirm: yes, "), text.replace("}]}", '}, {line: tones, to: "0312345678"}]}')):
        r = check(write(tmp_path, fine))
        assert r.returncode == 0 and "nobody knows" not in r.stderr, r.stderr


@needs("monitord")
def test_missing_file(tmp_path):
    r = check(tmp_path / "none.yaml")
    assert r.returncode == 1
    assert f"{tmp_path}/none.yaml: cannot be read: No such file or directory" in r.stderr


# --- programs that misbehave ------------------------------------------------------------------------------------------

def fake(tmp_path, name, body):
    d = tmp_path / "libexec"
    d.mkdir(exist_ok=True)
    (d / name).write_text("#!/bin/sh\n" + body)
    (d / name).chmod(0o755)


def fakes(tmp_path, prober="", sms=""):
    default = f'exec {ROOT}/test/fake/describer "$@"'
    fake(tmp_path, "prober", prober or default)
    fake(tmp_path, "notify_sms", sms or default)
    return write(tmp_path, f"paths: {{libexec: {tmp_path}/libexec}}\n" + MINIMAL)


@needs("monitord")
def test_fake_programs_are_enough(tmp_path):
    r = check(fakes(tmp_path))
    assert r.returncode == 0, r.stderr


@needs("monitord")
@pytest.mark.parametrize("body, reason", [
    ("echo broken library >&2; exit 127", "could not be started: broken library"),
    ("kill -SEGV $$", "was killed by signal 11"),
    ("yes", "said more than 1024 KiB"),
    ("echo '{}'", "its description cannot be used: its version is not 1"),
    ("sleep 1000 & echo '{}'; exit 5", "exited 5"),
])
def test_misbehaving_prober(tmp_path, body, reason):
    r = check(fakes(tmp_path, prober=body))
    assert r.returncode == 1
    assert f"prober --describe: {tmp_path}/libexec/prober: {reason}; the options of no check were looked at" in r.stderr


@needs("monitord")
def test_hanging_notifier_ends_in_time(tmp_path):
    config = fakes(tmp_path, sms="sleep 1000")
    start = time.monotonic()
    r = check(config)
    assert r.returncode == 1
    assert f'lines.m.notifier "sms": {tmp_path}/libexec/notify_sms: did not end within 10 s' in r.stderr
    assert 9 < time.monotonic() - start < 60


# --- size -------------------------------------------------------------------------------------------------------------

@needs("monitord", "prober", "notify_sms")
def test_ten_thousand_checks(tmp_path):
    checks = "".join(f"  load {i}: {{probe: load, warning: '{i + 1}'}}\n" for i in range(1, 10000))
    r = check(write(tmp_path, MINIMAL, more="checks:\n" + checks), timeout=300)
    assert r.returncode == 0, r.stderr
    assert "(10000 checks" in r.stderr


# --- the reference ------------------------------------------------------------------------------------------------------

def tables():
    """The settings of the loader's tables: (name, default or None)."""
    text = "".join((ROOT / "lib/config" / f).read_text() for f in ("schema.c", "lines.c"))
    for table in re.finditer(r"const struct conf_setting (\w+)\[\] = \{(.*?)\n\};", text, re.S):
        for key, dflt in re.findall(r'\{"(\w+)", SET_\w+, .*?, (NULL|"[^"]*")\},', table[2]):
            yield table[1], key, None if dflt == "NULL" else dflt.strip('"')


def test_reference_names_every_setting_and_its_default():
    rows = [[c.strip().strip("`") for c in line.split("|")[1:-1]]
            for line in (ROOT / "doc/configuration.md").read_text().splitlines() if line.startswith("| `")]
    documented = {r[0]: r[1] for r in rows}
    found = list(tables())
    assert len(found) >= 18
    for table, key, dflt in found:
        name = f"{table}.{key}" if table in ("paths", "deadman", "history") else key
        assert name in documented, f"{table}.{key} is not in doc/configuration.md"
        if dflt is not None:
            assert documented[name] == dflt, f"{name}: the default is {dflt}"


def test_reference_example_loads(tmp_path):
    if not (BUILD / "monitord").exists() or not (BUILD / "check_smtp").exists():
        pytest.skip("not built: monitord, check_smtp")
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "doc/configuration.md").read_text(), re.S)[1]
    r = check(write(tmp_path, example))
    assert r.returncode == 0, r.stderr
