#!/usr/bin/python3
"""The policy service: requests a second on one core, and how long one waits for its answer.

    BUILD=build test/bench/run policy
"""
import os
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from benchlib import BUILD, Figure, cpu_seconds, memory_kib, percentile

CLIENTS, REQUESTS, GOAL = 20, 100_000, 5000


def request(i):
    """As long as what Postfix 3.7 sends, from many addresses."""
    return (f"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nhelo_name=client.example\nqueue_id=\nsender=sender{i}@example.org\n"
            f"recipient=user@example.net\nrecipient_count=0\nclient_address=198.{i % 7}.{i // 256 % 256}.{i % 256}\nclient_name=client.example\n"
            f"reverse_client_name=client.example\ninstance=1a2b.{i:x}.0\nsasl_method=plain\nsasl_username=user{i % 3000}\nsasl_sender=\nsize=1234\n"
            "ccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\nencryption_protocol=\nencryption_cipher=\n"
            "encryption_keysize=0\netrn_domain=\nstress=\nclient_port=1234\npolicy_context=\nserver_address=192.0.2.1\nserver_port=25\n"
            "compatibility_level=3.6\nmail_version=3.7.11\n\n").encode()


def ask(port, total, pace=None):
    """Sends, one in flight for each client; seconds of each answer. pace: requests a second."""
    poll, began, waits, sent = select.epoll(), {}, [], 0
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(CLIENTS)]
    by_fd = {s.fileno(): s for s in socks}
    texts = [request(i) for i in range(20000)]
    idle, start = list(socks), time.monotonic()
    for s in socks:
        poll.register(s, select.EPOLLIN)
    while len(waits) < total:
        while idle and sent < total and (pace is None or sent < (time.monotonic() - start) * pace):
            s = idle.pop()
            began[s.fileno()] = time.monotonic()
            s.sendall(texts[sent % len(texts)])
            sent += 1
        for fd, _ in poll.poll(0.0005):
            if by_fd[fd].recv(100) != b"action=DUNNO\n\n":
                raise RuntimeError("not DUNNO")
            waits.append(time.monotonic() - began.pop(fd))
            idle.append(by_fd[fd])
    return waits, time.monotonic() - start


def figures():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        before = os.sched_getaffinity(0)
        cores = sorted(before)
        os.sched_setaffinity(0, {cores[0]})
        p = subprocess.Popen([str(BUILD / "monitord-policy"), "--listen", f"inet:127.0.0.1:{port}", "--counts", str(Path(folder) / "counts")])
        os.sched_setaffinity(0, {cores[-1]})
        try:
            while not (Path(folder) / "counts").exists():
                time.sleep(0.01)
            ask(port, 1000)
            cpu = cpu_seconds(p.pid)
            waits, took = ask(port, 5 * GOAL, GOAL)
            share = (cpu_seconds(p.pid) - cpu) / took * 100
            yield Figure("policy service on one core, asked 5,000 times a second", f"{len(waits) / took:.0f}/s with {share:.0f} % of the core", "5,000/s",
                         f"{len(waits) / took / GOAL:.2f}x", len(waits) / took >= GOAL * 0.98)
            late = percentile(waits, 99) * 1e3
            yield Figure("… from request to DUNNO", f"99 % within {late:.1f} ms, worst {max(waits) * 1e3:.1f} ms", "100 ms", "", max(waits) < 0.1)
            waits, took = ask(port, REQUESTS)
            yield Figure("… the most that one client program gets out of it", f"{REQUESTS / took:.0f}/s", "5,000/s", f"{REQUESTS / took / GOAL:.1f}x",
                         REQUESTS / took >= GOAL)
            yield Figure("… resident memory after 20,000 addresses", f"{memory_kib(p.pid)[0] / 1024:.1f} MB")
        finally:
            os.sched_setaffinity(0, before)
            p.terminate()
            p.wait()
