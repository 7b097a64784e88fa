"""A tiny encoder for all tests of fine-tuning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiny_encoder import tiny_encoder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "bert")
