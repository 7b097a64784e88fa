"""Work shared out among processes: the same results in the same order, and nothing left running."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from seqloom.corpus.pool import pooled


def double(number: int) -> int:
    return 2 * number


def where(number: int) -> int:
    return os.getpid()


def fail_at_twenty(number: int) -> int:
    if number == 20:
        raise ValueError("twenty")
    return number


@pytest.mark.parametrize("count", [0, 1, 8, 9, 40])
@pytest.mark.parametrize("workers", [1, 2])
def test_like_map(count: int, workers: int) -> None:
    assert list(pooled(double, range(count), workers)) == [2 * n for n in range(count)]


def test_little_work_stays_here_and_much_is_shared_out() -> None:
    assert set(pooled(where, range(8), 2)) == {os.getpid()}
    assert os.getpid() not in list(pooled(where, range(20), 2))[8:]
    assert set(pooled(where, range(20), 1)) == {os.getpid()}


def test_only_a_few_items_are_read_ahead() -> None:
    read = 0

    def items():
        nonlocal read
        for number in range(200):
            read += 1
            yield number

    results = pooled(double, items(), 2)
    for _ in range(20):
        next(results)
    assert read <= 20 + 6
    results.close()


def test_an_error_of_a_process_is_raised_here() -> None:
    results = pooled(fail_at_twenty, range(100), 2)
    with pytest.raises(ValueError, match="twenty"):
        list(results)


def test_a_script_needs_no_guard(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from seqloom.corpus.pool import pooled\n"
        "print('begun')\n"
        "print(sum(pooled(abs, range(-30, 0), 2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "begun\n465\n"
