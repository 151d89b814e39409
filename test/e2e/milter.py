"""A small milter for the tests, speaking the protocol of libmilter (version 6) over TCP.

At the end of each message it edits what it was told to edit, which makes Postfix write pointer
records into the queue file: exactly what a reader of queue files must follow.
"""
import socket
import struct
import threading

# what we ask leave for: add headers, change the body, add and remove recipients, change headers, the sender
ACTIONS = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x40


class Milter:
    """edits: a function of the list of recipients that returns a list of (command letter, payload)."""

    def __init__(self, edits):
        self.edits = edits
        self.seen = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self):
        return f"inet:127.0.0.1:{self.port}"

    def close(self):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(conn,), daemon=True).start()

    def _session(self, conn):
        with conn, conn.makefile("rwb") as f:
            rcpts = []
            while True:
                head = f.read(4)
                if len(head) < 4:
                    return
                packet = f.read(struct.unpack(">I", head)[0])
                if not self._command(f, packet[:1], packet[1:], rcpts):
                    return
                f.flush()

    def _command(self, f, cmd, data, rcpts):
        if cmd == b"O":
            _send(f, b"O", struct.pack(">III", 6, ACTIONS, 0))
        elif cmd == b"Q":
            return False
        elif cmd == b"A":
            rcpts.clear()
        elif cmd == b"D":  # macros: no answer
            pass
        elif cmd == b"E":
            self.seen += 1
            for letter, payload in self.edits(list(rcpts)):
                _send(f, letter, payload)
            rcpts.clear()
            _send(f, b"c", b"")
        else:
            if cmd == b"R":
                rcpts.append(data.split(b"\0")[0].strip(b"<>").decode())
            _send(f, b"c", b"")
        return True


def _send(f, cmd, payload):
    f.write(struct.pack(">I", len(payload) + 1) + cmd + payload)


def _z(*words):
    return b"".join(w.encode() + b"\0" for w in words)


def change_sender(address):
    return b"e", _z(f"<{address}>")


def add_recipient(address):
    return b"+", _z(f"<{address}>")


def remove_recipient(address):
    return b"-", _z(f"<{address}>")


def add_header(name, value):
    return b"h", _z(name, value)


def replace_body(text):
    return b"b", text.encode()
