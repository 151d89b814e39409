"""The relay probe against a real Exim and a real sendmail, each closed, and open in just one way of writing a recipient; what they say to
VRFY and EXPN; the facts that the diagnosis reads."""
import json
import subprocess

import pytest

import exim as exim_module
import sendmail as sendmail_module
from exim import Exim
from sendmail import Sendmail
from test_check_relay import CHECK, FORMS

need_exim = pytest.mark.skipif(bool(exim_module.missing()), reason=exim_module.missing() or "-")
need_sendmail = pytest.mark.skipif(bool(sendmail_module.missing()), reason=sendmail_module.missing() or "-")

OWN = ("lab.test", "closed.test", "percent.test", "bang.test", "quoted.test", "route.test")
# whoever asks is a stranger: a user of its own must exist, nothing else is taken
ACL = "  require verify = recipient\n  accept domains = @MAIN@ : @[]\n  deny message = relay not permitted".replace("@MAIN@", " : ".join(OWN))
# at one domain a local part that holds an address in another way of writing is taken for that address
ROUTER = """{name}:
  driver = redirect
  domains = {domains}
  local_parts = {pattern}
  data = ${{sg{{$local_part}}{{{pattern}}}{{{address}}}}}
"""
WAYS = {"percent": (r"^([^%]+)%([^%]+)\$", r"\$1@\$2"), "bang": (r"^([^!]+)!([^!]+)\$", r"\$2@\$1"), "quoted": (r"^([^@]+)@([^@]+)\$", r"\$1@\$2")}


def routers(domains=None):
    return "".join(ROUTER.format(name=n, domains=(domains or {}).get(n, f"{n}.test"), pattern=p, address=a) for n, (p, a) in WAYS.items())


def ask(port, domain):
    """The result of the prober, facts included."""
    job = {"v": 1, "run": "1", "check": "r", "probe": "relay", "state": "", "timeout_ms": 60000,
           "options": {"host": "127.0.0.1", "port": str(port), "domain": domain}}
    done = subprocess.run([CHECK.parent / "prober", "--place", "net"], input=json.dumps(job) + "\n", stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)
    assert "ERROR: " not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def opened(result, forms):
    """Open in these forms and no other; the first is named in line 1 with the recipient that was taken."""
    taken = [line.split(": ")[1] for line in result["more"].splitlines() if line.startswith("  taken: ")]
    assert result["state"] == "CRITICAL" and taken == forms, result
    assert f"({forms[0]})" in result["text"] and "is an open relay" in result["text"], result
    assert result["facts"]["open_relay"] == 1 and result["facts"]["open_relay_form"] == forms[0], result


def closed(result):
    assert "relays nothing" in result["text"] and result["facts"]["open_relay"] == 0 and "open_relay_form" not in result["facts"], result
    assert next(p["value"] for p in result["perf"] if p["label"] == "forms") == len(FORMS), result


# --- Exim ---

def nothing_was_sent(mta):
    assert "<=" not in mta.log() and mta.messages() == []


@pytest.fixture(scope="module")
def exim(tmp_path_factory):
    with Exim(tmp_path_factory.mktemp("relay") / "exim", acl=ACL, routers=routers(), own=OWN, main="acl_smtp_vrfy = accept") as mta:
        yield mta
        nothing_was_sent(mta)


@need_exim
@pytest.mark.parametrize("domain, forms", [
    ("percent.test", ["percent at own domain", "own sender and percent"]),
    ("bang.test", ["bang at own domain"]),
    ("quoted.test", ["quoted at own domain"]),
])
def test_open_exim(exim, domain, forms):
    opened(ask(exim.port, domain), forms)


@need_exim
def test_closed_exim_that_tells_names(exim):
    result = ask(exim.port, "lab.test")
    assert result["state"] == "WARNING" and "tells users by VRFY" in result["text"], result
    assert result["facts"]["vrfy"] == 1 and result["facts"]["expn"] == 0, result
    closed(result)


@need_exim
def test_exim_that_takes_addresses_without_a_domain_and_in_brackets(tmp_path):
    """Nobody may use VRFY here: it says 252 for anybody, and complains of a name without a domain, which tells nothing."""
    main = "qualify_domain = lab.test\nrecipient_unqualified_hosts = *\nallow_domain_literals"
    ours = {"bang": "lab.test : @[]", "quoted": "@[]"}
    with Exim(tmp_path / "exim", acl=ACL, routers=routers(ours), own=OWN, main=main) as mta:
        result = ask(mta.port, "lab.test")
        opened(result, ["quoted at own address", "bang", "bang at own domain", "bang at own address"])
        assert result["facts"]["vrfy"] == result["facts"]["expn"] == 0, result
        nothing_was_sent(mta)


# --- sendmail ---

GOAWAY = "define(`confPRIVACY_FLAGS',`goaway')dnl"


def sendmail(root, *takes, features=(GOAWAY,)):
    return Sendmail(root, features=features, own=OWN, stranger=True, takes=takes)


@pytest.fixture(scope="module")
def one_way_each(tmp_path_factory):
    takes = ("<$+ % $+ @ percent.test>", "<$+ ! $+ @ bang.test>", "<$- @ quoted.test>", "< @ route.test : $+ >")
    with sendmail(tmp_path_factory.mktemp("relay") / "sm", *takes) as mta:
        yield mta
        assert mta.messages() == []


@need_sendmail
@pytest.mark.parametrize("domain, forms", [
    ("closed.test", []),
    ("percent.test", ["percent at own domain", "own sender and percent"]),
    ("bang.test", ["bang at own domain"]),
    ("quoted.test", ["quoted at own domain"]),
    ("route.test", ["source route by own domain"]),
])
def test_open_sendmail(one_way_each, domain, forms):
    result = ask(one_way_each.port, domain)
    if forms:
        opened(result, forms)
    else:
        closed(result)
        assert result["state"] == "OK", result
    assert result["facts"]["vrfy"] == result["facts"]["expn"] == 0, result


@need_sendmail
@pytest.mark.parametrize("takes, forms", [
    ("<$->", ["quoted", "quoted percent"]),
    ("<$+ ! $+>", ["bang", "bang at own domain", "bang at own address"]),
    ("< @ $+ : $+ >", ["source route by own domain", "source route by own address"]),
])
def test_open_sendmail_without_a_domain(tmp_path, takes, forms):
    with sendmail(tmp_path / "sm", takes) as mta:
        opened(ask(mta.port, "route.test"), forms)  # at lab.test this sendmail takes any user


@need_sendmail
@pytest.mark.parametrize("privacy, words", [("authwarnings", "VRFY"), ("novrfy", "EXPN")])
def test_sendmail_that_tells_names(tmp_path, privacy, words):
    with sendmail(tmp_path / "sm", features=(f"define(`confPRIVACY_FLAGS',`{privacy}')dnl",)) as mta:
        result = ask(mta.port, "lab.test")
        assert result["state"] == "WARNING" and f"tells users by {words}" in result["text"], result
        assert result["facts"]["vrfy"] == (words == "VRFY") and result["facts"]["expn"] == 1, result
        closed(result)
