"""What every end-to-end test shares: where the build is, and what is missing to run a test here."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
os.environ["BUILD"] = str(BUILD)
# leaks of the long-lived daemons are found by their own exits; an aborting child must be visible, not retried silently
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=1")
os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")


@pytest.fixture(scope="session")
def build():
    return BUILD


@pytest.fixture(scope="session")
def root():
    return ROOT
