#!/usr/bin/python3
"""The dnsbl probe over 60 lists and 4 addresses, with their test entries 360 questions: the time beside that of the slowest answer.

    BUILD=build test/bench/bench_dnsbl.py
"""
import heapq
import select
import socket
import struct
import subprocess
import threading
import time

from benchlib import BUILD, Figure, median, table

LISTS, ADDRESSES, FASTEST, SLOWEST = 60, 4, 0.02, 1.0


class Resolver(threading.Thread):
    """Answers each list's questions after that list's own time: from FASTEST to SLOWEST."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.asked = 0

    def answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question, number = query[12:at + 5], int(labels[4][4:])
        listed = labels[:4] == ["2", "0", "0", "127"]
        record = b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 5, 4, b"\x7f\0\0\2") if listed else b""
        head = query[:2] + struct.pack(">HHHHH", 0x8180 if listed else 0x8183, 1, int(listed), 0, 0)
        return FASTEST + (SLOWEST - FASTEST) * number / (LISTS - 1), head + question + record

    def run(self):
        waiting = []
        while True:
            left = max(0, waiting[0][0] - time.monotonic()) if waiting else 1
            if select.select([self.socket], [], [], left)[0]:
                query, peer = self.socket.recvfrom(2048)
                delay, answer = self.answer(query)
                self.asked += 1
                heapq.heappush(waiting, (time.monotonic() + delay, self.asked, answer, peer))
            while waiting and waiting[0][0] <= time.monotonic():
                self.socket.sendto(*heapq.heappop(waiting)[2:])


def figures():
    resolver = Resolver()
    resolver.start()
    command = [BUILD / "check_dnsbl", "-s", resolver.server]
    command += [x for i in range(LISTS) for x in ("-l", f"list{i}.test")]
    command += [x for i in range(ADDRESSES) for x in ("-H", f"192.0.2.{i + 1}")]
    times = []
    for _ in range(3):
        begin = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        times.append(time.monotonic() - begin)
        if done.returncode or f"none of {LISTS} lists" not in done.stdout:
            raise RuntimeError(done.stdout)
    seconds = median(times)
    yield Figure(f"dnsbl: {LISTS} lists x {ADDRESSES} addresses, {resolver.asked // 3} questions, beside the slowest answer",
                 f"{seconds:.3f} s beside {SLOWEST:.3f} s", "its time", f"{seconds / SLOWEST:.3f}x", seconds <= 1.1 * SLOWEST)


if __name__ == "__main__":
    print(table(list(figures())))
