"""What all tests share: few threads, no display, real corpora only where they are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# Small tensors on many threads wait more than they compute; set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real corpora; tests that ask for it are skipped where it is not set."""
    folder = os.environ.get("SEQLOOM_DATA")
    if not folder:
        pytest.skip("real corpora are not here: set SEQLOOM_DATA to their folder")
    return Path(folder)


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """A background job ignores Ctrl-C, and so would every process that the tests start."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
