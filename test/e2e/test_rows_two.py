"""Two at once, with real servers: what follows from an incident must not be told before it."""
import pytest

import postfix as postfix_module
from postfix import Postfix
from rows import ONE_TRY, Watched, log_check, logged, queue_check, send

pytestmark = pytest.mark.skipif(bool(postfix_module.missing()), reason=postfix_module.missing() or "-")


def test_the_relay_is_down_while_a_gateway_sends_as_every_day(tmp_path):
    """All mail comes by one gateway, at more than a thousand a minute. When the relay behind stops, the queue grows as a bomb's does."""
    with Postfix(tmp_path / "relay", tls=False) as relay:
        with Postfix(tmp_path / "mta", tls=False, relayhost=f"[127.0.0.1]:{relay.port}", main=ONE_TRY) as mta:
            checks = {"relay": {"probe": "smtp", "host": "127.0.0.1", "port": relay.port}, "queue": queue_check(mta, critical=100), "log": log_check(mta)}
            with Watched(tmp_path / "m", checks) as house:
                send(mta.port, 10, source="127.0.0.8")
                logged(mta, "status=sent", 10)
                house.look("log", "queue", "relay")
                house.names_nothing()
                relay.stop()
                send(mta.port, 200, source="127.0.0.8")
                logged(mta, "status=deferred", 200)
                house.let_pass(5)
                house.look("relay", "log", "queue")
                house.names("relay_down_queued", "relay down: 127.0.0.1 (refused)", "mails a minute find nobody", "route around")
