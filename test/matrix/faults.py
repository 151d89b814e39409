"""The table: every fault of a modem, a line or a disk that the product is held against, a row each.

kind      the far end (lines.py)
arm       what makes the fault; early: made before the notifier starts, not when the page comes
mend      what ends it beside "clear"; a row with mends=False never ends in the columns that have a second route only
doubles   whether one and the same page may reach a person twice without anybody's having been killed (it is marked then)
refused   the line will not take it: it rests a minute before it is asked again, so most such rows have the columns with a second route only
within    seconds in which somebody must have it, counted from the event (generous: the machine may be busy)
"""
from smtpfake import CLOSE, RESET, SILENT


def sms(name, *arm, **more):
    return {"name": name, "kind": "sms", "arm": arm, **more}


UNPLUGGED = [sms(f"unplugged at {step}", f"fault unplug={step}:1500*1", early=step in ("e0", "cmee", "cpin", "cmgf", "cnmi"),
                 doubles=step in ("sub", "sent"))
             for step in ("e0", "cmee", "cpin", "creg", "csq", "cmgf", "cnmi", "cmgs", "prompt", "half", "sub", "sent")]

SMS = [
    sms("no answer", "fault hang"),
    sms("no answer until CFUN", "fault hang=cfun"),
    sms("no answer until ESC", "fault hang=esc"),
    sms("garbage", "fault garbage*4"),
    sms("echoes by halves", "fault halfecho"),
    sms("slow bytes", "fault slowbytes=2"),
    sms("slow answers", "fault slow=300"),
    sms("no prompt", "fault noprompt*1"),
    sms("prompt lost", "fault lostprompt*1"),
    sms("hangs after 0x1A, not sent", "fault hang_cmgs=cfun*1", doubles=True),
    sms("hangs after 0x1A, sent", "fault hang_sent=cfun*1", doubles=True),
    sms("+CMGS late, within the wait", "fault late=800*1"),
    sms("+CMGS late, beyond the wait", "fault late=2500*1"),
    sms("+CMGS lost", "fault lost*1", doubles=True),
    sms("page swallowed", "fault swallow*1", doubles=True),
    sms("RING, +CMTI between lines", "fault urc"),
    sms("restarts by itself", "power", early=False),
    sms("back under another name", "fault newname*1", "fault vanish=800*1"),
    sms("unplugged at rest", "fault vanish=1500*1"),
    sms("port locked by another program", "fault locked", early=True),
    sms("no network", "set creg 2", "set cereg 2", mend=("set creg 1", "set cereg 1"), early=True),
    sms("network lost when the page comes", "set creg 3", "set cereg 3", mend=("set creg 1", "set cereg 1")),
    sms("storage full", "fill 20", "fault full"),
    sms("wrong PIN", args=("--pin", "1234", "--tries", "3"), pin="9999", good_pin="1234", early=True),
    sms("PUK wanted", args=("--pin", "1234", "--tries", "0"), pin="1234", mends=False, early=True),
    *[sms(f"+CMS {code} {why}", f"fault cms={code}*{count}") for code, why, count in (
        (38, "network out of order", 2), (41, "temporary failure", 1), (42, "congestion", 1), (47, "no resources", 1),
        (500, "unknown", 3), (512, "maker's own", 2), (331, "no network service", 1), (332, "network time-out", 1),
        (192, "centre busy", 1), (194, "centre congested", 1), (314, "SIM busy", 2), (310, "no SIM", 1), (311, "PIN needed", 1),
        (313, "SIM failure", 1), (320, "memory failure", 1), (322, "memory full", 1), (330, "no service centre", 1),
        (208, "SIM storage full", 1), (302, "not allowed", 1))],
    *[sms(f"+CMS {code} {why}", f"fault cms={code}*1") for code, why in ((21, "rejected"), (27, "out of order"))],
    # refused: the line rests a minute, which only the first of them is to show
    *[sms(f"+CMS {code} {why}", f"fault cms={code}*1", refused=True, patient=code == 8, within=90) for code, why in (
        (8, "barred"), (10, "call barred"), (50, "not subscribed"), (69, "not implemented"),
        (1, "unassigned number"), (28, "unidentified subscriber"), (30, "unknown subscriber"), (96, "wrong PDU, they say"),
        (304, "invalid PDU mode"))],
    sms("+CMS 197 duplicate: sent", "fault cms=197*1", sent_elsewhere=True),
    sms("+CMS instead of the prompt", "fault cms_cmd=500*2"),
    sms("+CME 100 unknown", "fault cme=100*2"),
    sms("+CME 14 SIM busy", "fault cme=14*1"),
    *UNPLUGGED,
]

EXEC = [{"name": f"script: {name}", "kind": "exec", "arm": arm, "doubles": doubles} for name, arm, doubles in (
    ("temporary failure (75)", "exit75", False), ("killed", "signal", True),
    ("killed after it paged", "signalafter", True), ("hangs", "hang", True), ("hangs after it paged", "hangafter", True),
    ("not found (127)", "exit127", False))] + [
    {"name": "script: refuses (1)", "kind": "exec", "arm": "exit1", "refused": True, "within": 90}]

MAIL = [{"name": f"bypass mail: {name}", "kind": "mail", "arm": arm, "doubles": doubles, "refused": name.startswith("55"), "within": 90} for name, arm, doubles in (
    ("silent greeting", {"greeting": SILENT}, False), ("421 greeting", {"greeting": "421 4.3.2 busy\r\n"}, False),
    ("554 greeting", {"greeting": "554 5.7.1 no\r\n"}, False), ("closes at EHLO", {"EHLO": CLOSE}, False),
    ("451 MAIL", {"MAIL": "451 4.3.0 later\r\n"}, False), ("450 RCPT", {"RCPT": "450 4.2.0 grey\r\n"}, False),
    ("550 RCPT", {"RCPT": "550 5.1.1 who?\r\n"}, False), ("452 DATA", {"DATA": "452 4.3.1 full\r\n"}, False),
    ("reset at the end", {".": RESET}, True), ("reset at the end, taken", {".": RESET, "taken": True}, True),
    ("silent at the end, taken", {".": SILENT, "taken": True}, True))]

WEBHOOK = [{"name": f"webhook: {name}", "kind": "webhook", "arm": arm, "doubles": doubles,
            "refused": name in ("404", "redirect"), "within": 90} for name, arm, doubles in (
    ("500", {"code": 500}, False), ("503, Retry-After", {"code": 503, "headers": {"Retry-After": "1"}}, False),
    ("429", {"code": 429}, False), ("404", {"code": 404}, False), ("redirect", {"code": 302, "headers": {"Location": "/x"}}, False),
    ("closes without an answer", {"drop": True}, True), ("taken, no answer", {"drop": True, "after": True}, True),
    ("time-out", {"hang": 30}, True), ("taken, time-out", {"hang": 30, "after": True}, True))]

# digits: what the far end of the line answers. Not told apart from a success: nobody confirms tones
TONES = [{"name": f"tones: {name}", "kind": "tones", **how, "within": 90} for name, how in (
    ("busy", {"script": "busy"}), ("no dial tone", {"script": "no-dialtone"}), ("no answer", {"script": "no-answer"}),
    ("no carrier", {"script": "no-carrier"}), ("delayed", {"script": "delayed"}), ("blacklisted", {"script": "blacklisted"}),
    ("the modem is silent", {"script": "silent", "doubles": True}), ("noise and half an echo", {"script": "noise answer"}),
    ("unplugged", {}))]

TAP = [{"name": f"TAP: {name}", "kind": "tap", "arm": arm, "doubles": doubles, "refused": refused, "within": 90}
       for name, arm, doubles, refused in (
    ("no ID=", {"silent": True}, False, False), ("NAK to the log-on", {"logon": "nak"}, False, False),
    ("forced off at the log-on", {"logon": "off"}, False, False), ("logged on, takes no page", {"nogo": True}, False, False),
    ("NAK, NAK, NAK", {"answer": ["nak"] * 3}, False, False), ("RS, temporary", {"answer": ["rs"], "code": b"516 Later"}, False, False),
    ("RS, no such pager", {"answer": ["rs"]}, False, True), ("forced off at the block", {"answer": ["off"], "code": b"503 Enough"}, False, False),
    ("silent after the block", {"answer": ["silent"]}, True, False), ("hangs up after the block", {"answer": ["hangup"]}, True, False),
    ("taken, RS at the end", {"final_rs": True}, True, False), ("no farewell", {"no_farewell": True}, False, False))]
TAP += [{"name": f"TAP: {said}", "kind": "tap", "said": said, "within": 90} for said in ("BUSY", "NO CARRIER", "NO ANSWER")]

SIREN = [{"name": f"siren: {name}", "kind": "siren", "arm": arm, "within": 90} for name, arm in (
    ("exception 2, illegal address", 2), ("exception 4, device failure", 4), ("exception 6, busy", 6), ("silent", SILENT),
    ("closes", CLOSE), ("garbage", "garbage"))]

# what is wrong is the pager's own disk, or the clock; the line is well
HOUSE = [{"name": name, "kind": "house", **more} for name, more in (
    ("ENOSPC in the pager's state", {"shim": "enospc", "where": "state"}),
    ("EIO in the pager's state", {"shim": "eio", "where": "state"}), ("ENOSPC in the spool", {"shim": "enospc", "where": "spool"}),
    ("the clock jumps a day ahead", {"clock": 86400}), ("the clock jumps a day back", {"clock": -86400}),
    ("the clock jumps a year back", {"clock": -31536000}), ("the spool's file is no event", {"bad": True}))]

ROWS = SMS + EXEC + MAIL + WEBHOOK + TONES + TAP + SIREN + HOUSE
