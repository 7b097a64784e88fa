"""SIGKILL at random moments does not change what a run ends with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights(repository: Path) -> None:
    program = repository / "benchmarks" / "kill_test.py"
    command = [sys.executable, program, "--kills", "2", "--updates", "40", "--seed", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("2 kills of a run of 40 updates, after updates [")
    assert done.stdout.endswith("weights identical bit for bit\n")
