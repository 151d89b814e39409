"""Mail that a host took and does not hand on, with real servers: its content filter is dead, or the mail is simply gone."""
import pytest

import postfix as postfix_module
from postfix import Postfix, free_ports
from rows import ONE_TRY, Sink, Watched, log_check, logged, queue_check, send
from waiting import wait_for

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")


def test_the_content_filter_is_dead(tmp_path):
    """All mail goes through a filter on this host, and comes by one gateway as fast as a bomb."""
    port = free_ports(1)[0]
    with Postfix(tmp_path / "mta", tls=False, main={**ONE_TRY, "content_filter": f"smtp:[127.0.0.1]:{port}"}) as mta:
        filter_ = Sink(port=port)
        with Watched(tmp_path / "m", {"front": {"probe": "smtp", "host": "127.0.0.1", "port": mta.port}, "log": log_check(mta),
                                      "queue": queue_check(mta, critical=100)}) as house:
            send(mta.port, 10, source="127.0.0.8")
            logged(mta, "status=sent", 10)
            house.look("front", "log", "queue")
            house.names_nothing()
            filter_.stop()
            send(mta.port, 200, source="127.0.0.8")
            logged(mta, "status=deferred", 200)
            house.let_pass(5)
            house.look("front", "log", "queue")
            assert house.check("front")["state"] == "OK"
            assert f"takes no mail: 127.0.0.1:{port}" in str(house.check("log")), house.check("log")
            house.names("stage_down", f"stage of this host stuck: 127.0.0.1:{port} takes no mail, ", "a minute wait for it", "restart")


@pytest.fixture
def mta(tmp_path):
    with Postfix(tmp_path / "mta", tls=False) as server:
        server.make_maildir()
        yield server


def trip_check(mta, tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    key.chmod(0o600)
    return {"probe": "roundtrip", "smtp_host": "127.0.0.1", "smtp_port": mta.port, "maildir": str(mta.maildir()), "from": "probe@lab.test",
            "to": "user@lab.test", "key_file": str(key), "warning": "1s", "critical": "2s", "lost_after": "3s"}


def test_mail_is_lost_behind_a_relay_that_takes_it(mta, tmp_path):
    """The relay answers as ever and throws the mail away."""
    checks = {"front": {"probe": "smtp", "host": "127.0.0.1", "port": mta.port}, "trip": trip_check(mta, tmp_path)}
    with Watched(tmp_path / "m", checks) as house:
        assert house.check("front")["state"] == "OK" and " lost" not in house.check("trip")["text"], house.check("trip")
        house.names_nothing()
        mta.set("transport_maps", "inline:{ { user@lab.test = discard: } }")

        def lost():
            house.look("trip")
            return " lost" in house.check("trip")["text"]
        wait_for(lost, 90, "a test mail that counts as lost")
        house.look("front")
        house.names("mail_lost", "mail is lost: ", "127.0.0.1 took it, it never came", "follow one through", alone=True)


def test_the_relay_is_down_and_only_the_round_trip_looks(mta, tmp_path):
    with Watched(tmp_path / "m", {"trip": trip_check(mta, tmp_path)}) as house:
        house.names_nothing()
        mta.stop()
        house.look("trip")
        house.names("relay_down_trip", "relay down: 127.0.0.1 (refused) takes no test mail", "route around")
