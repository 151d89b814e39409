"""The far phone of the end-to-end tests: the simulated modem, what it showed, and tshark as the judge of the PDUs.

    with Phone(tmp_path) as phone:
        ... a line with device: phone.device ...
        message = phone.wait_message()          # a dict: at, from, to, text, pdu, part, parts, ...
        assert judge(message["pdu"])["text"] == message["text"]
        phone.control("fault cms=500*1")        # see build/simmodem --help
"""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess

from waiting import wait_for

BUILD = pathlib.Path(os.environ.get("BUILD", pathlib.Path(__file__).resolve().parents[2] / "build")).resolve()


class Phone:
    """Runs build/simmodem; arguments of __init__ beyond the directory go to its command line."""

    def __init__(self, directory, *args, name="phone"):
        self.dir = pathlib.Path(directory)
        self.device = str(self.dir / f"{name}.tty")
        self.json = self.dir / f"{name}.json"
        self.shown_file = self.dir / f"{name}.txt"
        self.socket = str(self.dir / f"{name}.sock")
        self.log = self.dir / f"{name}.log"
        self.args = [str(a) for a in args]
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(BUILD / "simmodem"), "--link", self.device, "--json", str(self.json), "--phone", str(self.shown_file),
                 "--control", self.socket, "--quiet", *self.args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: os.path.exists(self.device) or self.process.poll() is not None, what="simulated modem")
        assert self.process.poll() is None, self.log.read_text()
        return self

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def messages(self):
        """All messages (PDUs) so far, oldest first."""
        try:
            text = self.json.read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def shown(self):
        """The lines the phone showed: long messages joined."""
        try:
            return self.shown_file.read_text().splitlines()
        except FileNotFoundError:
            return []

    def wait_messages(self, n=1, timeout=20.0):
        return wait_for(lambda: len(self.messages()) >= n and self.messages(), timeout, f"{n} messages at the phone")

    def wait_message(self, timeout=20.0):
        """The newest message, once there is any."""
        return self.wait_messages(1, timeout)[-1]

    def control(self, line):
        """One control line; its answer as a dict. Fails when the modem did not understand it."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.socket)
            s.sendall(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                got = s.recv(4096)
                assert got, "the simulated modem closed its control socket"
                answer += got
        answer = json.loads(answer)
        assert answer["ok"], (line, answer)
        return answer

    def state(self):
        return self.control("state")


TSHARK = shutil.which("tshark")
_DLT = 'uat:user_dlts:"User 0 (DLT=147)","gsm_a_rp","0","","0",""'
_FIELDS = {
    "text": "gsm_sms.sms_text", "to": "gsm_sms.tp-da", "mti": "gsm_sms.tp-mti", "report": "gsm_sms.tp-srr",
    "header": "gsm_sms.tp-udhi", "validity_format": "gsm_sms.tp-vpf", "reject_duplicates": "gsm_sms.tp-rd",
    "part": "gsm_sms.udh.mm.msg_part", "parts": "gsm_sms.udh.mm.msg_parts", "ref": "gsm_sms.udh.mm.msg_id",
    "malformed": "_ws.malformed",
}


def tpdu_of(pdu_hex):
    """The TPDU without the service centre's address before it."""
    pdu = bytes.fromhex(pdu_hex)
    return pdu[1 + pdu[0]:]


def judge(pdu_hex, directory=None):
    """Decodes a SUBMIT (hex, as AT+CMGS takes it) with tshark: a dict of strings, see _FIELDS."""
    tpdu = tpdu_of(pdu_hex)
    frame = bytes.fromhex("0001000791" + "1809440400F1") + bytes([len(tpdu)]) + tpdu
    pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147) + struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    command = [TSHARK, "-r", "-", "-o", _DLT, "-T", "json"]
    for field in _FIELDS.values():
        command += ["-e", field]
    run = subprocess.run(command, input=pcap, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8"})
    layers = json.loads(run.stdout)[0]["_source"]["layers"]
    result = {}
    for key, field in _FIELDS.items():
        values = layers.get(field)
        result[key] = values[0] if values else None
    return result
