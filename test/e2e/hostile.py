"""Servers that misbehave after a greeting of their protocol (or instead of one), for probes that speak to any."""
import socket
import time

from smtpfake import Server

KINDS = ["silent", "drips", "endless line", "nuls", "eight bit", "huge", "closes"]


class Hostile(Server):
    """first: what is said before it misbehaves; the misbehaviour goes on until the client leaves."""

    def __init__(self, kind, first=b""):
        super().__init__()
        self.kind, self.first = kind, first
        self.sent = 0

    def serve(self, client):
        client.sendall(self.first)
        if self.kind == "closes":
            # reads what still comes: closing on unread bytes would be a reset
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
            return
        if self.kind == "silent":
            self.silence()
        while not self.over.is_set():
            chunk = {"drips": b"2", "endless line": b"x" * 65536, "nuls": b"\0" * 512 + b"\r\n", "eight bit": b"\xff\x80\xfe 220 \xc3\r\n",
                     "huge": b"250-" + b"y" * 70 + b"\r\n"}[self.kind]
            if self.kind == "huge":
                chunk *= 1000
            client.sendall(chunk)
            self.sent += len(chunk)
            if self.sent > 100e6:
                return
            if self.kind == "drips":
                time.sleep(1)
