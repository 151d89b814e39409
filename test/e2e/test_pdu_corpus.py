"""Every PDU of a generated corpus, as tshark and python3-gammu read it: each character of GSM-7, escapes at the boundary of 153
septets, surrogates at that of 67 units, one to ten parts, Japanese. What they should become is worked out here, apart from
the product. The PDUs are made by drivers/gsm/pdu.c through its unit test's program; a sample of the texts goes through
notify_sms and the simulated modem too, and must come out as the same PDUs."""
import json
import os
import random
import struct
import subprocess

import pytest

from phone import _DLT, BUILD, TSHARK, Phone, tpdu_of
from smsline import Notifier

gammu = pytest.importorskip("gammu", reason="python3-gammu is not installed")
MAKER = BUILD / "unit" / "pdu"
pytestmark = pytest.mark.skipif(TSHARK is None or not MAKER.exists(), reason="tshark is not installed, or make unit has not been run")
BASIC = "@£$¥èéùìòÇ\n\rØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
ESCAPED = "\f^{}\\[~]|€"
JAPANESE = "中継サーバーの待ち行列が滞留しています。ｶﾀｶﾅ「髙﨑」①"
EMOJI = "😀🚨"


def units(text):
    """What each character takes, and what one message and one part hold."""
    if all(c in BASIC or c in ESCAPED for c in text):
        return [2 if c in ESCAPED else 1 for c in text], 160, 153, "gsm7"
    return [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67, "ucs2"


def split(text):
    """The parts a text takes: as full as they go, no character broken."""
    sizes, single, part, _ = units(text)
    if sum(sizes) <= single:
        return [text]
    parts, room = [""], part
    for c, n in zip(text, sizes):
        if n > room:
            parts.append("")
            room = part
        parts[-1] += c
        room -= n
    return parts


def corpus():
    texts = ["x" + c + "y" for c in BASIC + ESCAPED]
    texts += [BASIC + "12345678", ESCAPED * 8, JAPANESE, JAPANESE * 2, EMOJI * 17, "a" + EMOJI * 17]
    for k in range(1, 11):
        texts += ["g" * (153 * k + d) for d in (-1, 0, 1) if 153 * k + d <= 1530]
        texts += ["待" * (67 * k + d) for d in (-1, 0, 1) if 67 * k + d <= 670]
    texts += ["g" * n for n in (1, 159, 160, 161)] + ["待" * n for n in (1, 69, 70, 71)]
    for at in range(148, 158):  # the escape before, on and behind the boundary
        texts += ["g" * at + "€" + "h" * 60, "g" * at + "€{}" + "h" * (306 - at)]
    for at in range(62, 72):
        texts += ["待" * at + "😀" + "機" * 30, "待" * at + "😀🚨😀" + "機" * (134 - at)]
    dice = random.Random(2026)
    for _ in range(60):
        pool = dice.choice([BASIC, BASIC + ESCAPED, BASIC + ESCAPED * 12, JAPANESE + BASIC, JAPANESE + EMOJI * 4])
        text = "".join(dice.choice(pool) for _ in range(dice.randint(1, 500))).strip(" ") or "x"
        texts.append(text)
    return texts


def tshark_all(pdus):
    """One run for all: [{"text", "part", "parts", "ref", "malformed", "to"}]."""
    pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147)
    for pdu in pdus:
        tpdu = tpdu_of(pdu)
        frame = bytes.fromhex("00010007911809440400F1") + bytes([len(tpdu)]) + tpdu
        pcap += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    fields = {"text": "gsm_sms.sms_text", "part": "gsm_sms.udh.mm.msg_part", "parts": "gsm_sms.udh.mm.msg_parts",
              "ref": "gsm_sms.udh.mm.msg_id", "malformed": "_ws.malformed", "to": "gsm_sms.tp-da", "dcs": "gsm_sms.tp-dcs"}
    command = [TSHARK, "-r", "-", "-o", _DLT, "-o", "gsm_sms.reassemble:FALSE", "-T", "json"]
    for f in fields.values():
        command += ["-e", f]
    run = subprocess.run(command, input=pcap, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8"})
    return [{k: (p["_source"]["layers"].get(f) or [None])[0] for k, f in fields.items()} for p in json.loads(run.stdout)]


def make_pdus(texts):
    """For each text its PDUs."""
    out = subprocess.run([MAKER, "--lines"], input=b"".join(t.encode() + b"\0" for t in texts), stdout=subprocess.PIPE, check=True, timeout=60)
    lines = out.stdout.decode().split("\n")[:-1]
    assert len(lines) == len(texts)
    return [line.split(" ") for line in lines]


def test_corpus_as_others_read_it():
    texts = corpus()
    assert {len(split(t)) for t in texts} >= set(range(1, 11))
    made = make_pdus(texts)
    for text, pdus in zip(texts, made):
        assert len(pdus) == len(split(text)), text
    pdus = [p for ps in made for p in ps]
    wanted = [(text, part, k + 1, len(split(text))) for text in texts for k, part in enumerate(split(text))]
    assert len(wanted) > 500
    refs = {}
    for (text, part, number, of), pdu, s in zip(wanted, pdus, tshark_all(pdus)):
        assert s["malformed"] is None, (text, pdu)
        assert s["text"] == part, (number, of, text)
        assert s["to"] == "819012345678"
        theirs = gammu.DecodePDU(bytes.fromhex(pdu), True)
        # gammu counts an escaped character twice and then reads on behind the text
        assert theirs["Text"][:len(part)] == part, (number, of, text)
        if of == 1:
            assert s["parts"] is None
            continue
        assert (int(s["part"]), int(s["parts"])) == (number, of)
        assert (theirs["UDH"]["PartNumber"], theirs["UDH"]["AllParts"]) == (number, of)
        assert refs.setdefault(text, s["ref"]) == s["ref"]
    print(f"{len(texts)} texts, {len(wanted)} PDUs read alike by tshark and gammu")


def test_what_the_modem_got_is_what_was_made(tmp_path):
    """One line of at most 900 bytes is what a page can hold."""
    texts = [t for t in corpus() if not set(t) & set("\n\r\f") and t == t.strip() and len(t.encode()) < 900]
    assert len(texts) > 150
    options = {"max_parts": "10", "check_interval": "1h", "status_report": "no", "validity": "0"}
    with Phone(tmp_path) as phone, Notifier("sms", {"device": phone.device, **options}, log=str(tmp_path / "log")) as n:
        n.wait_up()
        for i, text in enumerate(texts):
            n.page(f"p{i}", kind="info", incident="", check="", host="", text=text, deadline=120000)
        for i, text in enumerate(texts):
            assert n.outcome(f"p{i}", timeout=120)["result"] == "sent", text
        got = phone.messages()
        assert phone.state()["refused"] == 0 and phone.state()["violations"] == 0
    made = [tpdu_of(p) for ps in make_pdus(texts) for p in ps]
    assert len(got) == len(made)
    for m, ours in zip(got, made):
        theirs = tpdu_of(m["pdu"])
        at = 16 if m["parts"] > 1 else len(theirs)  # the reference of a long message counts on
        assert theirs[2:at] == ours[2:at] and (m["parts"] == 1 or theirs[at + 1:] == ours[at + 1:]), m
