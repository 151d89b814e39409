"""check_queue against the queues of a real Postfix: depth, shape and ages beside what `postqueue -j` and the makers of
the queue know, permissions, several instances, growth between runs."""
import collections
import json
import os
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fake")]
import milter  # noqa: E402
import mkqueue  # noqa: E402
import postfix  # noqa: E402

CHECK = Path(os.environ.get("BUILD", "build")).resolve() / "check_queue"
MAILQ = Path("/usr/lib/nagios/plugins/check_mailq")
STATES = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
MANY = 20000

pytestmark = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing() or "-")

Answer = collections.namedtuple("Answer", "state text perf more")


def parse(out, code):
    first, *more = out.splitlines()
    text, _, perf = first.partition(" | ")
    values = {}
    for item in perf.split():
        label, _, value = item.partition("=")
        number = re.match(r"[-0-9.]+|U", value).group()
        values[label] = None if number == "U" else float(number)
    assert text.startswith(f"QUEUE {STATES[code]}: "), out
    words = text.split(": ", 1)[1]
    # whose queue it is stands first
    return Answer(STATES[code], words[9:] if words.startswith("Postfix: ") else words, values, more)


def check(*args, prefix=(), env=None):
    done = subprocess.run([*prefix, CHECK, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, env=env)
    assert done.stderr == "", done.stderr
    return parse(done.stdout, done.returncode)


def line(answer, title):
    """{name: percent} of a line such as "senders: 20 % <>, 11 % a@b (±3)"."""
    found = [x for x in answer.more if x.startswith(title + ": ")]
    assert len(found) == 1, (title, answer.more)
    return {name: int(share) for share, name in re.findall(r"(\d+) % ([^,( ]+)", found[0].split(": ", 1)[1])}


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain for " + what)


@pytest.fixture
def folder():
    """Where Postfix' users may go, on tmpfs where there is one: 20,000 files."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="test-queue-", dir=where))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


def deferring(root, **main):
    """A Postfix that defers all that is not local, and does not retry."""
    return postfix.Postfix(root, tls=False, main={"defer_transports": "smtp", "queue_run_delay": "1d",
                                                  "minimal_backoff_time": "1d", "maximal_backoff_time": "1d", **main})


def deferred(relay):
    return [p for p in (relay.queue / "deferred").rglob("*") if p.is_file()]


def send(relay, sender, to, times=1):
    with smtplib.SMTP("127.0.0.1", relay.port) as s:
        for n in range(times):
            s.sendmail(sender, to, f"Subject: test {n}\r\n\r\ntext\r\n")


def mould(relay):
    """One real deferred message, taken out of the queue."""
    send(relay, "a@lab.test", ["b@elsewhere.example"])
    until(lambda: len(deferred(relay)) == 1 and not list((relay.queue / "active").rglob("*/*")), "a deferred message")
    return shutil.move(deferred(relay)[0], relay.root / "mould")


def postqueue(relay):
    out = relay.command("postqueue", "-j").stdout
    return {m["queue_id"]: m for m in map(json.loads, out.splitlines())}


def fake_spool(root, counts):
    """A queue of empty directories, with so many (empty) files; enough where only depth matters."""
    for q in ("maildrop", "incoming", "active", "deferred", "hold", "corrupt"):
        (root / q).mkdir(parents=True)
        for n in range(counts.get(q, 0)):
            name = f"{n:05X}ABC{n:X}"
            (root / q / name).touch(mode=0o700)
    return root


# --- the shape ---

def test_shape_of_20000_beside_the_truth(folder):
    relay = deferring(folder / "pf")
    with relay:
        template = mould(relay)
    made = mkqueue.fill(template, relay.queue, MANY, null_share=0.6, bad_client_share=0.3, seed=11)
    truth = mkqueue.truth(made)
    with relay:
        relay.sendmail("t@lab.test", [], "From: t@lab.test\nTo: t1@elsewhere.example\nSubject: t\n\ntext\n", True)
        until(lambda: len(deferred(relay)) == MANY + 1, "the message of sendmail -t")
        listed = postqueue(relay)
    a = check("--queue-directory", relay.queue)
    assert len(listed) == MANY + 1 == a.perf["deferred"] == a.perf["unsent"]
    assert a.perf["read"] == 1068

    # what postqueue reads of the same files is what was meant to be made
    assert 100 * sum(m["sender"] == "MAILER-DAEMON" for m in listed.values()) / len(listed) == pytest.approx(truth["null"], abs=.1)

    # 60 % of null senders are certainly more than 50 %
    assert a.state == "WARNING"
    assert 2 < a.perf["null_margin"] < 3.1
    # the margin holds 95 times in 100; a test that must not fail once in 20 runs takes twice as much
    near = 2 * a.perf["null_margin"]
    assert a.perf["null_share"] == pytest.approx(truth["null"], abs=near)
    assert re.search(r"\d+ % null sender \(±3\)", a.text) and "top client 192.0.2.7" in a.text
    assert any("reject unknown users at RCPT" in x for x in a.more)

    for title, kind in (("senders", "senders"), ("clients", "clients"), ("recipient domains", "domains")):
        shown = line(a, title)
        best = sorted(truth[kind].items(), key=lambda kv: -kv[1])
        assert next(iter(shown)) == best[0][0]
        for name, share in shown.items():
            assert share == pytest.approx(truth[kind].get(name, 0), abs=near), (title, name)
    # half of the ids are short ones, so the oldest is only known to be at least that of the long ones
    oldest_long = min(m.arrival for m in made if m.long_id)
    assert time.time() - oldest_long - 5 <= a.perf["deferred_oldest"] <= time.time() - truth["oldest"] + 5


def test_real_messages_read_to_the_last_record(folder):
    """sendmail -t (recipients behind the content) and a milter's edits (pointers): all that postqueue sees, we see."""
    edits = [milter.change_sender("new@milter.example"), milter.add_recipient("added@milter.example"),
             milter.remove_recipient("gone@elsewhere.example"), milter.add_header("X-Long", "x" * 200),
             milter.replace_body("another body\r\n" * 500)]
    filter_ = milter.Milter(lambda rcpts: edits if "gone@elsewhere.example" in rcpts else [])
    headers = "From: t@lab.test\nTo: t1@elsewhere.example, t2@other.example\nCc: t3@third.example\n\ntext\n"
    try:
        for long_ids in ("no", "yes"):
            relay = deferring(folder / long_ids, enable_long_queue_ids=long_ids, smtpd_milters=filter_.address)
            with relay:
                relay.sendmail("t@lab.test", [], headers, True)
                send(relay, "a@lab.test", ["x@elsewhere.example", "gone@elsewhere.example"])
                send(relay, "", ["y@elsewhere.example"])
                until(lambda r=relay: len(deferred(r)) == 3, "three deferred messages")
                listed = postqueue(relay).values()
            a = check("--config-directory", relay.etc, "--top", 20)
            assert a.state == "OK" and a.perf["deferred"] == a.perf["read"] == 3
            assert line(a, "senders").keys() == {"<>", "t@lab.test", "new@milter.example"}
            want = collections.Counter(r["address"] for m in listed for r in m["recipients"])
            assert "added@milter.example" in want and "gone@elsewhere.example" not in want and "t3@third.example" in want
            shown = line(a, "recipients")
            assert shown.keys() == want.keys()
            for name, n in want.items():
                assert shown[name] == pytest.approx(100 * n / sum(want.values()), abs=0.51)
            assert line(a, "clients") == {"127.0.0.1": 67}
            oldest = min(m["arrival_time"] for m in listed)
            assert a.perf["deferred_oldest"] == pytest.approx(time.time() - oldest, abs=10)
            assert filter_.seen
    finally:
        filter_.close()


def test_files_that_vanish_or_are_no_queue_files(folder):
    relay = deferring(folder / "pf")
    with relay:
        template = mould(relay)
    made = mkqueue.fill(template, relay.queue, 3000, seed=5)
    files = deferred(relay)
    files[0].chmod(0o600)  # being written
    files[1].write_bytes(b"no queue file at all")
    a = check("--queue-directory", relay.queue, "--sample", 4000)
    assert a.state == "OK" and a.perf["deferred"] == 3000 and a.perf["read"] == 2998
    assert any("1 still being written" in x and "1 not readable as queue files" in x for x in a.more)

    stop = threading.Event()

    def drain():
        for f in files:
            if stop.is_set():
                return
            f.unlink()
    t = threading.Thread(target=drain)
    t.start()
    answers = []
    while t.is_alive():
        answers.append(check("--queue-directory", relay.queue, "--sample", 4000))
    stop.set()
    t.join()
    answers.append(check("--queue-directory", relay.queue))
    assert {a.state for a in answers} == {"OK"}
    assert answers[-1].perf["deferred"] == 0 and answers[-1].text == "all queues are empty"
    assert len(made) == 3000


# --- thresholds ---

@pytest.mark.parametrize("counts, args, state, text", [
    ({}, [], "OK", "all queues are empty"),
    ({"deferred": 30000}, ["--sample=0"], "OK", "30000 deferred"),
    ({"deferred": 7}, ["-w", "7", "-c", "8"], "WARNING", "7 deferred"),
    ({"deferred": 7}, ["-w", "8", "-c", "9"], "OK", "7 deferred"),
    ({"deferred": 7, "hold": 2}, ["-w", "5", "-c", "9", "-M", "postfix"], "CRITICAL", "9 queued, 7 deferred, 2 hold"),
    ({"corrupt": 1}, [], "WARNING", "1 corrupt"),
    ({"corrupt": 1}, ["--corrupt-critical=0"], "CRITICAL", "1 corrupt"),
    ({"incoming": 1001}, ["--sample=0"], "WARNING", "1001 incoming"),
    ({"incoming": 5001, "deferred": 9}, ["--sample=0"], "CRITICAL", "5001 incoming, 9 deferred"),
    ({"active": 2001}, ["--sample=0"], "WARNING", "2001 active"),
    ({"deferred": 9, "hold": 12}, ["--hold-warning=10"], "WARNING", "12 hold, 9 deferred"),
    ({"deferred": 3}, ["--deferred-warning=5:"], "WARNING", "3 deferred"),
    ({"deferred": 3}, ["--deferred-critical=@1:3"], "CRITICAL", "3 deferred"),
])
def test_depth_thresholds(tmp_path, counts, args, state, text):
    a = check("--queue-directory", fake_spool(tmp_path / "spool", counts), *args)
    assert (a.state, a.text) == (state, text)
    for q, n in counts.items():
        assert a.perf[q] == n


@pytest.mark.skipif(not MAILQ.exists(), reason="monitoring-plugins' check_mailq is not installed")
def test_same_states_as_check_mailq(folder):
    relay = deferring(folder / "pf")
    with relay:
        send(relay, "a@lab.test", ["x@elsewhere.example"], 5)
        until(lambda: len(deferred(relay)) == 5, "five deferred messages")
        for w, c in ((4, 5), (5, 6), (6, 7), (1, 100)):
            flags = ["-M", "postfix", "-w", str(w), "-c", str(c)]
            peer = subprocess.run([MAILQ, *flags], env=dict(os.environ, MAIL_CONFIG=str(relay.etc)), text=True,
                                  stdout=subprocess.PIPE)
            if "mailq (" not in peer.stdout and "mailq is " not in peer.stdout:
                pytest.skip("check_mailq does not work here: " + peer.stdout)
            a = check(*flags, "-d", relay.etc)
            assert STATES[peer.returncode] == a.state, (w, c, peer.stdout)


def test_oldest_in_incoming_is_told_from_the_files(folder):
    relay = deferring(folder / "pf")
    with relay:
        template = mould(relay)
    now = int(time.time())
    for arrival, state in ((now - 60, "OK"), (now - 1200, "WARNING"), (now - 7200, "CRITICAL")):
        message = mkqueue.Message("a@lab.test", ["b@c.example"], "192.0.2.1", arrival)
        mkqueue.fill(template, relay.queue, 1, queue="incoming", messages=[message])
        a = check("--queue-directory", relay.queue)
        assert a.state == state
        assert a.perf["oldest"] == pytest.approx(time.time() - arrival, abs=10)
    assert re.fullmatch(r"mail waits in incoming for (2 h|1 h 59 min), 3 incoming", a.text)
    # the retry time of a deferred file (its mtime) is a day ahead, and that is not its age
    old = mkqueue.Message("a@lab.test", ["b@c.example"], "192.0.2.1", now - 4 * 86400 - 1800)
    mkqueue.fill(template, relay.queue, 1, messages=[old])
    a = check("--queue-directory", relay.queue, "--oldest-warning=0", "--oldest-critical=0", "--deferred-oldest-warning=3d")
    assert a.state == "WARNING" and a.text == "oldest deferred 4 d, 3 incoming, 1 deferred"


def test_growth_between_runs(folder):
    spool = fake_spool(folder / "spool", {"deferred": 100})
    state = folder / "state"
    state.mkdir()
    args = ["--queue-directory", spool, "--state-dir", state, "--sample", 0]
    assert check(*args).perf["growth"] is None
    # as if that run had been a minute ago
    kept = [f for f in state.iterdir() if f.is_file()]
    assert len(kept) == 1
    text = kept[0].read_text()
    for name in ("wall_ms", "boot_ms"):
        text = re.sub(rf'"{name}":(\d+)', lambda m, n=name: f'"{n}":{int(m.group(1)) - 60000}', text)
    kept[0].write_text(text)
    for n in range(100, 1600):
        (spool / "deferred" / f"{n:05X}ABC{n:X}").touch()
    a = check(*args)
    assert a.state == "CRITICAL"
    assert a.perf["growth"] == pytest.approx(1500, rel=0.2)
    assert re.fullmatch(r"1600 deferred \(\+1[0-9]{3}/min\)", a.text)
    # another directory's readings are of no use to this one
    other = fake_spool(folder / "other", {"deferred": 5000})
    assert check("--queue-directory", other, "--state-dir", state, "--sample", 0).perf["growth"] is None


# --- where, and with what rights ---

def nobody(*more):
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *more]


def test_without_the_right_it_names_the_setting(folder):
    relay = deferring(folder / "pf")
    with relay:
        send(relay, "a@lab.test", ["x@elsewhere.example"])
        until(lambda: len(deferred(relay)) == 1, "a deferred message")
    program = shutil.copy(CHECK, folder / "check_queue")  # where nobody may go
    done = subprocess.run([*nobody(), program, "-d", relay.etc], stdout=subprocess.PIPE, text=True)
    a = parse(done.stdout, done.returncode)
    assert a.state == "UNKNOWN" and a.perf == {}
    assert "AmbientCapabilities=CAP_DAC_READ_SEARCH in monitord-prober-local.service" in a.text
    cap = nobody("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    done = subprocess.run([*cap, program, "-d", relay.etc], stdout=subprocess.PIPE, text=True)
    a = parse(done.stdout, done.returncode)
    assert (a.state, a.perf["deferred"], a.perf["read"]) == ("OK", 1, 1)


def test_several_instances_are_summed(folder):
    one, two = (fake_spool(folder / n, {"deferred": k}) for n, k in (("one", 3), ("two", 4)))
    etc = folder / "etc"
    etc.mkdir()
    (etc / "main.cf").write_text(f"# an instance\ntop = {folder}\nqueue_directory =\n    ${{top}}/two\n")
    a = check("--queue-directory", one, "--config-directory", etc)
    assert a.perf["deferred"] == 7, a
    assert f"{one}: maildrop 0, incoming 0, active 0, deferred 3, hold 0, corrupt 0" in a.more
    # the same twice counts once
    assert check("--queue-directory", one, "--queue-directory", one).perf["deferred"] == 3
    # one of two missing: what is there is not all
    a = check("--queue-directory", one, "--queue-directory", folder / "none")
    assert (a.state, a.text) == ("UNKNOWN", f"no Postfix queue at {folder / 'none'}")
    a = check("--queue-directory", one, "--queue-directory", folder / "none", "-w1", "-c2")
    assert a.state == "CRITICAL" and "1 of 2 spools could not be read" in a.more


def test_default_instances_from_main_cf(folder):
    """/etc/postfix/main.cf and its multi_instance_directories, in a mount namespace."""
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no mount namespaces here")
    one, two = (fake_spool(folder / n, {"deferred": k}) for n, k in (("one", 3), ("two", 4)))
    for name, text in (("etc", f"queue_directory = {one}\nmulti_instance_directories = {folder}/etc2\n"),
                       ("etc2", f"queue_directory = {two}\n")):
        (folder / name).mkdir()
        (folder / name / "main.cf").write_text(text)
    script = f"mount --bind {folder}/etc /etc/postfix && exec {CHECK}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
    assert parse(done.stdout, done.returncode).perf["deferred"] == 7


def test_no_queue_there(tmp_path):
    a = check("--queue-directory", tmp_path / "none")
    assert (a.state, a.text) == ("UNKNOWN", f"no Postfix queue at {tmp_path / 'none'}")
    # a directory that is no queue is not an empty queue
    assert check("--queue-directory", tmp_path).text == f"no Postfix queue at {tmp_path}"
    (tmp_path / "main.cf").write_text("queue_directory = ${a?b}\n")
    assert "set the option queue_directory" in check("-d", tmp_path).text


@pytest.mark.parametrize("args, reason", [
    (["-w", "9", "-c", "5"], "warning"),
    (["--shape-queues", "corrupt"], "shape_queues"),
    (["--sample", "99999999"], "sample"),
    (["-M", "mailenable"], "mta"),
    (["--stages", "/var/spool/mqueue"], "stages"),
    (["--stages", "deferred w=9:1"], "stages"),
    (["--stages", "deferred many"], "stages"),
    (["-M", "exim", "--stages", "rx /var/spool/rx"], "stages"),
    (["--deferred-warning", "9:1"], "deferred_warning"),
])
def test_bad_usage(args, reason):
    done = subprocess.run([CHECK, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 3 and reason.replace("_", "-") in done.stdout.replace("_", "-")
