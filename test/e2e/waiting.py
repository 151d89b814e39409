"""Waiting for a condition, never for a time: what every end-to-end test uses instead of a sleep."""
import time


def wait_for(condition, timeout=30.0, what="condition"):
    """Polls until condition() is true and returns what it gave; fails after the time-out."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.01)
