"""The row of full disks, with real servers on real small file systems: a spool that a bomb fills, by bytes and by inodes, and a log partition on which a
verbose Postfix leaves an hour, told before it is full."""
import ctypes
import os
import re
import subprocess

import pytest

import postfix as postfix_module
from postfix import Postfix
from rows import SOURCE, Watched, log_check, logged, queue_check, send

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")


@pytest.fixture
def mount(tmp_path):
    """mount(where, options): a small file system, which really fills; gone with the test."""
    libc, mounted = ctypes.CDLL(None, use_errno=True), []

    def one(where, options):
        where.mkdir(parents=True)
        if libc.mount(b"tmpfs", str(where).encode(), b"tmpfs", 0, options.encode()) != 0:
            pytest.skip("no file system can be mounted here: " + os.strerror(ctypes.get_errno()))
        mounted.append(where)
        return where
    yield one
    for where in mounted:
        libc.umount2(str(where).encode(), 2)


PATIENT = {"smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "5000", "smtpd_soft_error_limit": "5000"}


def test_a_bomb_fills_the_spool(tmp_path, mount):
    """Postfix refuses what finds no room. The bomb is the cause and stands first; without it in sight, the disk does."""
    spool = mount(tmp_path / "mta" / "spool", "size=40m,mode=755")
    with Postfix(tmp_path / "mta", tls=False, main={"message_size_limit": "1000000", **PATIENT}) as mta:
        checks = {"log": log_check(mta), "queue": queue_check(mta), "disk": {"probe": "disk", "path": [str(spool)], "critical": "5%"}}
        with Watched(tmp_path / "m", checks) as house:
            house.let_pass(5)
            send(mta.port, 440, "bomber@big.example", size=100000, source="127.0.0.66")
            logged(mta, "452 4.3.1 Insufficient system storage", 1)
            house.look("queue", "log", "disk")
            assert house.check("disk")["state"] == "CRITICAL"
            house.names("mail_bomb", "bomber@big.example", "127.0.0.66")
            assert house.named()[1] == "disk_full", house.named()
        mta.mark = len(mta.log())
        with Watched(tmp_path / "n", {"log": checks["log"]}) as house:
            send(mta.port, 5, size=1000)
            logged(mta, "452 4.3.1 Insufficient system storage", 5)
            house.look("log")
            house.names("disk_full", "mails a minute find no room", "find what grows, make room", alone=True)
            assert house.check("log")["state"] == "CRITICAL"
        with Watched(tmp_path / "o", {"disk": checks["disk"]}) as house:
            house.names("disk_full", f"disk or log full: {spool}, 9", "% used", alone=True)


def test_inodes_run_out(tmp_path, mount):
    """Many small mails: there is room for bytes, and Postfix can make no file."""
    spool = mount(tmp_path / "mta" / "spool", "size=64m,nr_inodes=400,mode=755")
    with Postfix(tmp_path / "mta", tls=False, main=PATIENT) as mta:
        checks = {"disk": {"probe": "disk", "path": [str(spool)], "icritical": "4%"}}
        with Watched(tmp_path / "m", checks) as house:
            house.names_nothing()
            endless = subprocess.Popen([SOURCE, "-s", "2", "-m", "5000", "-f", "a@lab.test", "-t", "b@far.example", f"127.0.0.1:{mta.port}"])
            try:  # Postfix makes it wait, and tries again
                logged(mta, "create file incoming/.*: No space left on device", 1)
            finally:
                endless.kill()
                endless.wait()
            house.look("disk")
            house.names("inodes_full", f"no inodes left: {spool}, 100 % used", "remove them", alone=True)


def test_a_log_that_fills_its_partition_soon(tmp_path, mount):
    """smtpd -v, as somebody left it after a search: 40 KB of log a session. The disk is half empty yet."""
    logs = mount(tmp_path / "logs", "size=200m,mode=755")
    mta = Postfix(tmp_path / "mta", tls=False, smtpd="smtpd -v", main={**PATIENT, "maillog_file": logs / "mail.log", "maillog_file_prefixes": logs})
    mta.log_file = logs / "mail.log"
    mta.log_file.touch()
    with mta:
        disk = {"probe": "disk", "path": [str(logs)], "growth_window": "1m", "full_critical": "4h"}
        with Watched(tmp_path / "m", {"disk": disk, "log": log_check(mta)}) as house:
            for _ in range(2):
                house.let_pass(5.2)
                send(mta.port, 40, to="user@lab.test")
                house.look("disk", "log")
            assert re.search(r"full in", house.check("disk")["text"]), house.check("disk")
            house.names("disk_full", f"disk or log full: {logs}", "full in", "find what grows", alone=True)
