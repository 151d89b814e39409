"""A mail by each MX of a domain: a real NSD names three real Postfixes on loopback, of which one brings mail to its Maildir, one
swallows it, and one only defers it."""
import os
import tempfile
from pathlib import Path

import pytest

import nsd as nsd_module
import postfix as postfix_module
from nsd import Nsd
from postfix import Postfix
from trip import Trip, poll

why_not = postfix_module.missing() or nsd_module.missing()
pytestmark = pytest.mark.skipif(bool(why_not), reason=why_not or "-")

HOSTS = {"mx1": "127.0.0.1", "mx2": "127.0.0.2", "mx3": "127.0.0.3"}
ADDRESSES = "\n".join(f"{n} A {a}" for n, a in HOSTS.items()) + "\n"
ALL = "@ MX 10 mx1\n@ MX 20 mx2\n@ MX 30 mx3\n" + ADDRESSES


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory(prefix="roundtrip-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def hosts(place):
    """Postfixes by name, one port, one mail root; each delivers until a test says otherwise."""
    port, made = nsd_module.free_port(tuple(HOSTS.values())), {}
    try:
        for name, address in HOSTS.items():
            made[name] = Postfix(place / name, address=address, mail_root=place / "mail", tls=False, main={"myhostname": f"{name}.lab.test"})
            made[name].port = port
        made["mx1"].make_maildir()
        os.chown(made["mx1"].mail_root, 65534, 65534)
        for host in made.values():
            host.start()
        yield made
    finally:
        for host in made.values():
            host.stop()


@pytest.fixture(scope="module")
def dns(place):
    with Nsd(place / "nsd", {"lab.test": ALL}) as server:
        yield server


@pytest.fixture
def trip(tmp_path, hosts, dns):
    for p in hosts["mx1"].messages():
        p.unlink()
    for host in hosts.values():
        if not host.running():
            host.start()
        behave(host)
        host.command("postsuper", "-d", "ALL", check=False)
    if dns.zones["lab.test"] and "mx3" not in (dns.root / "lab.test.zone").read_text().split("A 127")[0]:
        dns.change("lab.test", ALL)
    t = Trip(tmp_path, hosts["mx1"].port, maildir=hosts["mx1"].maildir(), each_mx="lab.test", dns_servers=dns.server)
    del t.options["smtp_host"]
    return t


def behave(host, transport="virtual", defers=""):
    """A setting is in force when the queue manager that knows it has started."""
    want = {"virtual_transport": transport, "defer_transports": defers}
    if all(host.settings.get(k, "virtual" if k == "virtual_transport" else "") == v for k, v in want.items()):
        return
    before = host.log().count("refresh") + host.log().count("reload")
    host.settings["virtual_transport"] = transport
    host.set("defer_transports", defers)
    poll(lambda: host.log().count("refresh") + host.log().count("reload") > before)


def of(result, name):
    return next(line for line in result.more.splitlines() if line.startswith(f"{name}.lab.test "))


def test_all_bring_mail(trip, hosts):
    result = trip.run()
    assert result.code == 0, result.printed
    assert result.text.startswith("lab.test: mail by 3 MX, slowest mx"), result.text
    assert "(primary, preference 10): OK " in of(result, "mx1") and "(backup, preference 30): OK " in of(result, "mx3")
    assert all(0 < result.perf[f"{n}.lab.test"] < 20 for n in HOSTS), result.perf
    assert result.facts.items() >= {"addresses": 3, "lost": 0, "pending": 0, "backup_dead": 0, "store_failed": 0}.items(), result.facts
    assert hosts["mx1"].messages() == [] and trip.phases() == ["arrived"] * 3
    assert [w["name"] for w in trip.state()["ways"]] == ["mx1.lab.test", "mx2.lab.test", "mx3.lab.test"]
    assert trip.run().code == 0 and trip.phases() == ["arrived"] * 6


def brought_by(hosts, name):
    return len([p for p in hosts["mx1"].messages() if f"by {name}.lab.test".encode() in p.read_bytes()])


def test_one_swallows_and_one_defers(trip, hosts):
    """Each is told by name; what the good one brings does not hide it, and the good one is not blamed."""
    behave(hosts["mx2"], transport="discard")
    behave(hosts["mx3"], defers="virtual")
    first = trip.run(wait="2s")
    assert first.code == 0 and "OK 1 on the way" in of(first, "mx2") and "OK 1 on the way" in of(first, "mx3"), first.printed
    assert first.facts["pending"] >= 2
    poll(lambda: "arrived" in trip.phases() or brought_by(hosts, "mx1"))
    # from now on only the good one gets more, so that a run has nothing to wait for but its mail
    assert trip.run(max_outstanding="1").code == 0
    trip.age(90)
    late = trip.run(max_outstanding="1")
    assert late.code == 1 and late.layer == "delay" and "trouble by 2 of 3 MX" in late.text, late.printed
    assert "WARNING 1 late" in of(late, "mx2") and ": OK " in of(late, "mx1")
    trip.age(1900)
    lost = trip.run(wait="1s", max_outstanding="1")
    assert lost.code == 2 and lost.layer == "lost", lost.printed
    assert "mx2.lab.test: 1 lost" in lost.text and "mx3.lab.test: 1 lost" in lost.text and "mx1" not in lost.text
    assert "CRITICAL 1 lost" in of(lost, "mx2") and ": OK " in of(lost, "mx1")
    assert lost.facts.items() >= {"lost": 2, "backup_dead": 1, "backup_host": "mx2.lab.test", "lost_list": "mx2.lab.test, mx3.lab.test"}.items()
    # the one that deferred is let go, its mail comes; the other's is gone for ever
    behave(hosts["mx3"])

    def delivered():
        hosts["mx3"].command("postqueue", "-f", check=False)
        return brought_by(hosts, "mx3") == 2
    poll(delivered)
    back = trip.run(max_outstanding="1")
    assert back.code == 2 and "mx2.lab.test: 1 lost" in back.text and "counted lost" in of(back, "mx3"), back.printed
    assert back.facts["lost_list"] == "mx2.lab.test" and brought_by(hosts, "mx3") == 0
    behave(hosts["mx2"])
    again = trip.run()
    assert again.code == 1 and "1 lost, later mail arrives" in again.text, again.printed
    trip.age(1900)  # the last one that was swallowed is lost, too
    assert "1 lost, later mail arrives" in trip.run().text
    trip.age(1900)
    assert trip.run().code == 0


def test_one_is_down(trip, hosts):
    hosts["mx3"].stop()
    result = trip.run()
    assert result.code == 2 and result.layer == "refused", result.printed
    assert "trouble by 1 of 3 MX: mx3.lab.test: mx3.lab.test port" in result.text and "refuses the connection" in result.text
    assert result.facts["backup_dead"] == 1 and result.facts["backup_host"] == "mx3.lab.test" and trip.phases() == ["arrived"] * 2
    hosts["mx3"].start()
    hosts["mx1"].stop()
    result = trip.run()
    assert result.code == 2 and "mx1.lab.test" in result.text and result.facts["backup_dead"] == 0, result.printed


def test_one_doubles(trip, hosts):
    trip.run(wait="0")
    poll(lambda: len(hosts["mx1"].messages()) == 3)
    mail = next(p for p in hosts["mx1"].messages() if b"by mx2.lab.test" in p.read_bytes())
    mail.with_name("copy").write_bytes(mail.read_bytes())
    result = trip.run()
    assert result.code == 1 and "mx2.lab.test: 1 arrived more than once" in result.text and "1 of 3" in result.text, result.printed
    assert result.facts["duplicates"] == 1


def test_an_mx_that_is_one_no_more(trip, hosts, dns):
    behave(hosts["mx3"], defers="virtual")
    trip.run(wait="1s")
    dns.change("lab.test", "@ MX 10 mx1\n@ MX 20 mx2\n" + ADDRESSES)
    result = trip.run()
    assert result.code == 0 and "(no MX any more): OK 1 on the way" in of(result, "mx3"), result.printed
    trip.age(1900)
    assert "mx3.lab.test: 1 lost" in trip.run().text  # it was under way, and is told once
    gone = trip.run()
    assert gone.code == 0 and "mx3" not in gone.more and len(trip.state()["ways"]) == 2, gone.printed


def test_no_mx_to_be_had(trip, dns):
    result = trip.run(each_mx="no.lab.test")
    assert result.code == 2 and "no such domain" in result.text, result.printed
    result = trip.run(each_mx="elsewhere.test")
    assert result.code == 3 and "cannot be looked up" in result.text, result.printed
    assert trip.phases() == []


def test_the_store_is_gone(trip, hosts):
    result = trip.run(maildir="/nonexistent")
    assert result.code == 2 and result.text.startswith("lab.test: store failed: Maildir /nonexistent") and "late" not in result.text, result.text
    assert result.layer.startswith("store-") and result.facts["store_failed"] == 1 and "lost" not in result.facts
    assert trip.phases() == ["pending"] * 3
    assert trip.run().code == 0


def test_bad_options(trip):
    assert "one of smtp_host and each_mx" in trip.plugin(smtp_host="x").printed
    assert "not a domain name" in trip.plugin(each_mx="a..b").printed
