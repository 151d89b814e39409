#!/usr/bin/python3
"""A Modbus board for tests: python3-pymodbus serves it, so that nobody here wrote the other end; over TCP or a serial port, with a
watchdog of its own as relay boards have it: once its register was written, it must be written again in time, else coil 15 is set.

    with Board(tmp_path) as board:            # TCP; Board(tmp_path, tty=True): a pty pair, ours is board.device
        board.coil(3); board.holding(0)       # what mbpoll reads
"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from waiting import wait_for  # noqa: E402

WATCHDOG, SIREN = 10, 15    # holding register, coil


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Board:
    def __init__(self, directory, tty=False, watchdog=0.0):
        self.dir, self.tty, self.watchdog = pathlib.Path(directory), tty, watchdog
        self.port = free_port()
        self.device, self.far = str(self.dir / "bus"), str(self.dir / "bus.far")
        self.socat = self.server = None
        self.log = self.dir / "board.log"

    def start(self):
        if self.tty and self.socat is None:
            self.socat = subprocess.Popen(["socat", f"pty,raw,echo=0,link={self.device}", f"pty,raw,echo=0,link={self.far}"])
            wait_for(lambda: os.path.exists(self.device) and os.path.exists(self.far), what="pty pair")
        ready = self.dir / "board.ready"
        ready.unlink(missing_ok=True)
        where = ["rtu", self.far] if self.tty else ["tcp", str(self.port)]
        with open(self.log, "ab") as log:
            self.server = subprocess.Popen(["/usr/bin/python3", __file__, *where, str(self.watchdog), str(ready)], stdout=log,
                                           stderr=log)

        def answers():
            assert self.server.poll() is None, self.log.read_text()
            try:
                return ready.exists() and self.coil(0) in (0, 1)
            except (AssertionError, subprocess.TimeoutExpired):
                return False
        wait_for(answers, 60, "the board")
        return self

    def stop(self):
        if self.server is not None:
            self.server.kill()
            self.server.wait()
            self.server = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        if self.socat is not None:
            self.socat.kill()
            self.socat.wait()

    def options(self):
        return {"device": self.device} if self.tty else {"host": "127.0.0.1", "port": str(self.port)}

    # --- mbpoll, the judge

    def _mbpoll(self, *args, values=()):
        if self.tty:
            where = ["-m", "rtu", "-b", "9600", "-P", "none", self.device]
        else:
            where = ["-m", "tcp", "-p", str(self.port), "127.0.0.1"]
        done = subprocess.run(["mbpoll", "-q", "-a", "1", "-0", *(["-1"] if not values else []), "-o", "2", *args, *where,
                               *map(str, values)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _read(self, table, address):
        found = re.search(r"\[%d\]:\s+(-?\d+)" % address, self._mbpoll("-t", table, "-r", str(address), "-c", "1"))
        return int(found.group(1))

    def coil(self, address):
        return self._read("0", address)

    def holding(self, address):
        return self._read("4", address)

    def write_coil(self, address, value):
        self._mbpoll("-t", "0", "-r", str(address), values=[value])

    def write_holding(self, address, value):
        self._mbpoll("-t", "4", "-r", str(address), values=[value])


def serve(kind, where, watchdog, ready):
    import asyncio
    from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
    from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
    from pymodbus.transaction import ModbusRtuFramer

    fed = [None]

    class Holding(ModbusSequentialDataBlock):
        def setValues(self, address, values):
            super().setValues(address, values)
            if address <= WATCHDOG < address + len(values):
                fed[0] = time.monotonic()
                print("fed", values, flush=True)

    block = ModbusSequentialDataBlock
    coils = block(0, [0] * 16)
    # 16: 1.5 as f32, high word first; 18: the same, low word first; 20: -70000; 22: 4294967295; 24: NaN
    words = [100, 65436, 0, 7] + [0] * 12 + [0x3FC0, 0, 0, 0x3FC0, 0xFFFE, 0xEE90, 0xFFFF, 0xFFFF, 0x7FC0, 0]
    context = ModbusServerContext(single=False, slaves={1: ModbusSlaveContext(
        co=coils, di=block(0, [1, 0] * 8), hr=Holding(0, words), ir=block(0, [230, 501, 87, 65436] + [0] * 12), zero_mode=True)})

    async def guard():
        pathlib.Path(ready).touch()
        while True:
            await asyncio.sleep(0.02)
            if watchdog and fed[0] and time.monotonic() - fed[0] > watchdog:
                coils.setValues(SIREN, [1])

    async def main():
        asyncio.ensure_future(guard())
        if kind == "tcp":
            await StartAsyncTcpServer(context=context, address=("127.0.0.1", int(where)))
        else:
            await StartAsyncSerialServer(context=context, framer=ModbusRtuFramer, port=where, baudrate=9600, parity="N",
                                         stopbits=1, timeout=0.05)
            await asyncio.Event().wait()
    asyncio.run(main())


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
