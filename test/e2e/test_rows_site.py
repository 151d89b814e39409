"""Rows of the incident table that come from around the mail system, with real servers: SPF drift, a dead way back-up, mail
alone slow, a stopped resolver, a bomb seen by the policy service and by the log; two at once, the cause first."""
import http.server
import os
import socket
import socketserver
import threading

import pytest

import nsd as nsd_module
import postfix as postfix_module
from nsd import Nsd
from postfix import Postfix, free_ports, sleep_before_greeting
from prober import needs_namespaces
from rows import Island, Sink, Watched, at_once, flood, log_check, logged, over, queue_check, send
from test_policy import Policy

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")
need_nsd = pytest.mark.skipif(bool(nsd_module.missing()), reason=nsd_module.missing() or "-")


# --- SPF ---

class SpfPolicy(socketserver.ThreadingTCPServer):
    """A policy service for a receiving Postfix: python3-spf asks the test's name server and refuses what fails."""
    allow_reuse_address, daemon_threads = True, True

    class handler(socketserver.StreamRequestHandler):
        def handle(self):
            spf, asked = self.server.spf, {}
            for line in self.rfile:
                key, eq, value = line.decode().strip().partition("=")
                if eq:
                    asked[key] = value
                    continue
                client = asked.get("client_address", "")
                result, _ = spf.check2(i=client, s=asked.get("sender", ""), h=asked.get("helo_name", ""))
                said = f"550 5.7.23 Message rejected due to: SPF {result}. Please see http://openspf.example/Why?ip={client}"
                self.wfile.write(f"action={said if result == 'fail' else 'DUNNO'}\n\n".encode())
                asked = {}

    def __init__(self, server):
        self.spf = pytest.importorskip("spf")
        import DNS
        DNS.defaults["server"], DNS.defaults["port"] = ["127.0.0.1"], int(server.rsplit(":", 1)[1])
        super().__init__(("127.0.0.1", 0), self.handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@need_nsd
def test_spf_drift(tmp_path):
    """A relay sends from a new address, which the record lacks; one receiver of two minds."""
    pytest.importorskip("spf")
    with Nsd(tmp_path / "nsd", {"lab.test": '@ TXT "v=spf1 ip4:127.0.0.1 ip4:192.0.2.0/24 -all"'}) as dns, SpfPolicy(dns.server) as policy, Sink() as easy:
        asks = f"check_policy_service inet:127.0.0.1:{policy.server_address[1]}, permit"
        with Postfix(tmp_path / "strict", tls=False, users=("user@strict.test",), main={"smtpd_recipient_restrictions": asks}) as strict:
            maps = f"inline:{{ {{ strict.test = smtp:[127.0.0.1]:{strict.port} }}, {{ easy.test = smtp:[127.0.0.1]:{easy.port} }} }}"
            with Postfix(tmp_path / "mta", tls=False, main={"transport_maps": maps}) as mta:
                log = {"log": log_check(mta, bounced_critical="2")}
                spf = {"spf": {"probe": "spf", "domain": "lab.test", "address": ["127.0.0.1", "127.0.0.42"], "resolver": dns.server}}
                with Watched(tmp_path / "m", log) as house:
                    send(mta.port, 5, "user@lab.test", "user@strict.test")
                    logged(mta, "status=sent", 5)
                    house.look("log")
                    house.names_nothing()
                    mta.stop()
                    mta.set("smtp_bind_address", "127.0.0.42")
                    mta.start()
                    at_once(lambda: send(mta.port, 4, "user@lab.test", "user@strict.test"), lambda: send(mta.port, 4, "user@lab.test", "user%d@easy.test"))
                    logged(mta, "status=bounced", 4)
                    logged(mta, "status=sent", 9)
                    house.look("log")
                    assert "127.0.0.42" in house.names("spf_drift", "127.0.0.42", "add the address to the record")
                with Watched(tmp_path / "n", spf) as house:
                    house.names("spf_drift", "127.0.0.42", "fail by -all", "v=spf1 ip4:127.0.0.1", alone=True)


# --- ways ---

@need_nsd
def test_backup_path_dead(tmp_path):
    """The best MX is well; the second refuses; then it takes the connection and says nothing; then the fallback smarthost."""
    zone = "@ MX 10 mx1\n@ MX 20 mx2\nmx1 A 127.0.0.1\nmx2 A 127.0.0.2\nsmart A 127.0.0.3\none MX 10 mx1\n"
    # the same address twice: each host of one.lab.test is well, whatever its backup is
    with Nsd(tmp_path / "nsd", {"lab.test": zone}) as dns, Postfix(tmp_path / "mx1", tls=False, users=("user@lab.test", "postmaster@lab.test",
                                                                                                 "postmaster@one.lab.test")) as mx1:
        mx = {"probe": "mx", "port": mx1.port, "dns_servers": [dns.server], "timeout": "6s"}
        checks = {"mx": {**mx, "domain": "lab.test"},
                  "front": {"probe": "smtp", "host": "127.0.0.1", "port": mx1.port}}
        with Watched(tmp_path / "m", checks) as house:
            assert house.check("front")["state"] == "OK"
            house.names("backup_dead", "mx2.lab.test takes no mail", "before it is needed", alone=True)
            with socket.create_server(("127.0.0.2", mx1.port)):
                house.look("mx")
                house.names("backup_dead", "mx2.lab.test takes no mail", alone=True)
            second = Sink(host="127.0.0.2", port=mx1.port)
            house.look("mx")
            house.names_nothing()
            second.stop()
        smart = {"mx": {**mx, "domain": "one.lab.test", "fallback": ["smart.lab.test"]}}
        with Watched(tmp_path / "n", smart) as house:
            house.names("backup_dead", "smart.lab.test takes no mail", alone=True)


# --- load ---

@needs_namespaces
def test_only_mail_is_slow(tmp_path):
    """The load is high (as this monitord's kernel has it), the greeting comes late, the web server and the network are as ever."""
    busy = tmp_path / "loadavg"
    busy.write_text(f"{6 * os.cpu_count()}.50 {5 * os.cpu_count()}.00 3.00 40/400 4711\n")
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    mta = Postfix(tmp_path / "mta", tls=False).service("slow", sleep_before_greeting(3))
    with mta:
        checks = {"web": {"probe": "http", "host": "127.0.0.1", "port": web.server_address[1]},
                  "net": {"probe": "ping", "host": "127.0.0.1", "port": web.server_address[1]},
                  "load": {"probe": "load", "percpu": "yes", "warning": "4"},
                  "mail": {"probe": "smtp", "host": "127.0.0.1", "port": mta.ports["slow"], "warning": "2.5"}}
        with Watched(tmp_path / "m", checks, prefix=over("/proc/loadavg", busy)) as house:
            assert [house.check(c)["state"] for c in ("mail", "web", "net")] == ["WARNING", "OK", "OK"]
            house.names("only_mail_slow", "127.0.0.1 takes ", "most for greeting", f"load {6 * os.cpu_count()}", "web is fine", alone=True)
    web.shutdown()


# --- names ---

@need_nsd
@needs_namespaces
def test_dns_down_and_thereby_everything_deferred(tmp_path):
    """Postfix asks a real name server for each MX, then that one is stopped. The queue grows by one client: it is not the cause."""
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    island = Island()
    mta = Postfix(tmp_path / "mta", tls=False, relayhost="", prefix=over("/etc/resolv.conf", resolv),
                  main={"smtp_dns_support_level": "enabled", "smtp_host_lookup": "dns", "default_process_limit": "30"})
    with island:
        dns = Nsd(tmp_path / "nsd", {"far.test": "*.far.test. MX 10 mx.far.test.\nmx A 127.0.0.3"}, port=53)
        dns.start()
        sink = Sink(host="127.0.0.3", port=25)
        mta.start()
    try:
        checks = {"log": log_check(mta, deferred_critical="30"), "queue": queue_check(mta, critical=100)}
        with Watched(tmp_path / "m", checks) as house:
            with island:
                send(mta.port, 10, to="r%d@d%d.far.test")
            logged(mta, "status=sent", 10)
            with island:
                dns.stop()
                send(mta.port, 200, to="r%d@d%d.far.test")
            logged(mta, "Host or domain name not found", 200)
            house.let_pass(5)
            house.look("log", "queue")
            sms = house.names("dns_down", "mails a minute fail for it", "mend the resolver")
            assert "DNS down" in sms
            assert set(house.named()[1:]) <= {"mail_bomb"}, house.named()
    finally:
        with island:
            mta.stop()
        sink.stop()
        dns.stop()


# --- bombs ---

def test_mail_bomb_by_the_policy_service_and_by_the_log(tmp_path):
    port = free_ports(1)[0]
    ask = f"check_policy_service {{ inet:127.0.0.1:{port}, timeout=1s, try_limit=1, default_action=DUNNO }}, permit_mynetworks, reject"
    with Postfix(tmp_path / "mta", tls=False, main={"smtpd_recipient_restrictions": ask}) as mta, Policy(tmp_path, port=port) as policy:
        checks = {"rate": {"probe": "rate", "socket": str(policy.counts), "client_critical": "600"},
                  "log": log_check(mta, received_critical="600")}
        with Watched(tmp_path / "m", checks) as house:
            send(mta.port, 3, source="127.0.0.5")
            flood(mta.port, 900, to="victims@far.example", sender="bomber@lab.test")
            logged(mta, "status=deferred", 900)
            house.look("log", "rate")
            house.names("mail_bomb", "bomber@lab.test", "from 127.0.0.1", "block that client, hold its mail", alone=True)
            assert all("mail bomb from inside: bomber@lab.test" in house.check(c)["diagnosis"] for c in checks)
