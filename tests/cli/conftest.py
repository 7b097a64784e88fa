"""A tiny model, trained once through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import seqloom, small, write_pairs


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, valid and test files and a trained model in ``model``."""
    folder = tmp_path_factory.mktemp("work")
    write_pairs(folder, "train", 1200, 1)
    write_pairs(folder, "valid", 60, 2)
    write_pairs(folder, "test", 20, 3)
    done = seqloom(
        "train", "--source", "train.en", "--target", "train.de",
        "--validation-source", "valid.en", "--validation-target", "valid.de",
        "--out", "model", *small(), cwd=folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.out == ""
    return folder
