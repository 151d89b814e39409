"""`make install` and `make uninstall` into a DESTDIR: every file at its place with its mode, nothing of an administrator's touched,
and nothing left but what is his. What was built is installed as it is; nothing is built here."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from house import BUILD, ROOT

BIN = {"monitord", "pagerd", "monitorctl", "monitord-run", "monitord-page", "notify-by-monitord", "monitord-prober"}
FRONTS = {"nagios/monitord.cfg", "icinga2/monitord.conf"}
LIBEXEC = {"prober", "monitord-policy", "simmodem", "modem-reset", "monitord-peer"} | {f.stem for f in ROOT.glob("probes/check_*.c")} | {f.stem for f in ROOT.glob("notifiers/notify_*.c")}
UNITS = {"monitord.service", "monitord-pagerd.service", "monitord-prober-local.service", "monitord-policy.service", "monitord-modem-reset.socket",
         "monitord-modem-reset.service"}


def make(target, destdir, *variables):
    """PROGRAMS= : what is in BUILD is taken; for another PREFIX it would be built again."""
    done = subprocess.run(["make", "-C", str(ROOT), target, f"B={BUILD}", "PROGRAMS=", f"DESTDIR={destdir}", *variables],
                          capture_output=True, text=True, timeout=120, env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert done.returncode == 0, done
    return done.stdout


# names of monitoring-plugins for checks of ours
ALIASES = {"check_pop": "check_pop3", "check_procs": "check_process", "check_file_age": "check_file"}


def files(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir()}


@pytest.fixture(scope="module", params=[(), ("PREFIX=/usr",)], ids=["default", "usr"])
def installed(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("dest dir".replace(" ", "_"))
    old = os.umask(0o077)  # a strict administrator
    try:
        make("install", root, *request.param)
    finally:
        os.umask(old)
    usr = "PREFIX=/usr" in request.param
    return root, ("usr" if usr else "usr/local"), ("usr/lib" if usr else "etc"), request.param


def test_every_file_at_its_place(installed):
    root, prefix, system, _ = installed
    docs = {f"doc/{f.name}" for f in ROOT.glob("doc/*.md")} | {f"conf.d/{f.name}" for f in ROOT.glob("conf.d/*.yaml")} | {"README.md"} | FRONTS
    wanted = {f"{prefix}/bin/{f}" for f in BIN} | {f"{prefix}/lib/monitord/{f}" for f in LIBEXEC} | \
        {f"{prefix}/share/doc/monitord/{f}" for f in docs} | {f"{system}/systemd/system/{u}" for u in UNITS} | \
        {f"{system}/udev/rules.d/60-monitord-modem.rules", f"{prefix}/lib/sysusers.d/monitord.conf",
         f"{prefix}/lib/tmpfiles.d/monitord.conf"}
    names = {p: os.readlink(p) for p in (root / prefix / "lib/monitord").iterdir() if p.is_symlink()}
    assert {p.name: to for p, to in names.items()} == ALIASES
    assert files(root) == wanted | {str(p.relative_to(root)) for p in names}
    assert (root / "etc/monitord/conf.d").is_dir()


def test_modes(installed):
    root, _, _, _ = installed
    for f in files(root):
        mode = (root / f).stat().st_mode & 0o7777
        assert mode == (0o755 if "/bin/" in f or "/lib/monitord/" in f else 0o644), (f, oct(mode))


def test_units_name_what_was_installed(installed):
    root, prefix, system, _ = installed
    for unit in UNITS:
        text = (root / system / "systemd/system" / unit).read_text()
        assert "@" not in re.sub(r"@[a-z-]+:\w|SystemCallFilter=.*|~?@[a-z-]+", "", text), unit
        programs = re.findall(r"^Exec\w+=[-+!]*(/\S+)", text, re.M)
        assert programs or unit.endswith(".socket")
        for program in programs:
            ours = root / program.lstrip("/")
            assert ours.exists() or not re.search(r"monitor|pagerd|prober", program), (unit, program)
        for doc in re.findall(r"^Documentation=file:(\S+)", text, re.M):
            assert (root / doc.lstrip("/")).exists(), (unit, doc)
        assert f"/{prefix}/" in text, unit


def test_links_of_the_documentation_lead_somewhere(installed):
    root, prefix, _, _ = installed
    docs = root / prefix / "share/doc/monitord"
    links = 0
    for f in docs.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", f.read_text()):
            assert (f.parent / link).exists(), (f, link)
            links += 1
    assert links > 5


def test_what_is_installed_runs(installed, tmp_path):
    root, prefix, _, _ = installed
    done = subprocess.run([str(root / prefix / "bin/monitorctl"), "-V"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("monitorctl ")
    done = subprocess.run([str(root / prefix / "lib/monitord/check_load"), "-w", "9999,9999,9999", "-c", "9999,9999,9999"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    config = tmp_path / "m.yaml"
    config.write_text(f"""
paths: {{libexec: {root / prefix / 'lib/monitord'}}}
defaults: {{contacts: [a]}}
checks: {{load: {{probe: load, warning: "9,9,9"}}}}
lines: {{modem: {{notifier: sms, device: simulated}}}}
contacts: {{a: {{routes: [{{line: modem, to: "+8190"}}]}}}}
""")
    done = subprocess.run([str(root / prefix / "bin/monitord"), "-t", "-c", str(config)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done


def test_an_administrators_files_are_left_alone_and_all_else_goes(installed, tmp_path):
    root, _, _, variables = installed
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    mine = {"etc/monitord/monitord.yaml": "checks: {}\n", "etc/monitord/conf.d/mine.yaml": "checks: {}\n",
            "var/lib/monitord/events.jsonl": "{}\n", "var/spool/monitord/new/a.json": "{}\n"}
    if not any("PREFIX=/usr" == v for v in variables):
        mine["usr/local/lib/monitord/site_plugin"] = "#!/bin/sh\n"
    for name, text in mine.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text)
    before = files(copy)
    out = make("install", copy, *variables)  # again, over it
    assert files(copy) == before
    assert "systemctl" not in out and "next:" not in out  # not a live system
    out = make("uninstall", copy, *variables)
    assert files(copy) == set(mine)
    assert all((copy / name).read_text() == text for name, text in mine.items())
    assert "left in place: /etc/monitord /var/lib/monitord" in out
    assert not [p for p in copy.rglob("*monitord*") if p.is_dir() and not list(p.iterdir())], "empty directories of ours"


def readme_yaml():
    text = (ROOT / "README.md").read_text()
    block = text[text.index("A small configuration:"):]
    lines = []
    for line in block.splitlines()[2:]:
        if line.strip() and not line.startswith("    "):
            break
        lines.append(line[4:])
    return "\n".join(lines)


def test_the_readmes_configuration_is_good(tmp_path):
    config = tmp_path / "monitord.yaml"
    text = readme_yaml()
    assert "checks:" in text and "contacts:" in text
    config.write_text(text)
    done = subprocess.run([str(BUILD / "monitord"), "-t", "-c", str(config)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    # and it is really read: a slip in it is found
    config.write_text(text.replace("probe: smtp", "probe: smpt"))
    done = subprocess.run([str(BUILD / "monitord"), "-t", "-c", str(config)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and 'did you mean "smtp"?' in done.stderr


def test_the_readme_names_only_what_there_is():
    text = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text() + (ROOT / "dist/targets.mk").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)\b", text)):
        assert re.search(rf"^{target}:|\.PHONY:.*\b{target}\b", makefile, re.M), target
    usage = subprocess.run([str(BUILD / "monitorctl"), "-h"], capture_output=True, text=True, timeout=60).stdout
    for command in set(re.findall(r"monitorctl ([a-z-]+)", text)) - {"asks"}:
        assert re.search(rf"^  {command}\b", usage, re.M), command
    for program in set(re.findall(r"`(check_\w+)`", text)):
        assert (BUILD / program).exists(), program
    for path in re.findall(r"\]\(([^)]+)\)", text):
        assert (ROOT / path).exists(), path
    assert pathlib.Path(ROOT / "conf.d/monitord.yaml").exists()
