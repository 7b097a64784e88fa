"""The benchmark of word alignment as modules."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace

import pytest

NAMES = ("alignment", "text", "models", "figures", "peer")


@pytest.fixture
def bench(repository, monkeypatch, tmp_path):
    """The modules of the benchmark, which writes below a temporary folder."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    parts = [name if name == "alignment" else f"alignment_{name}" for name in NAMES]
    found = SimpleNamespace(**dict(zip(NAMES, map(importlib.import_module, parts), strict=True)))
    results = tmp_path / "results.json"
    monkeypatch.setattr(found.alignment, "WORK", tmp_path / "work")
    monkeypatch.setattr(found.alignment, "RESULTS", results)
    monkeypatch.setattr(
        found.alignment, "write_results", lambda _, values: results.write_text(json.dumps(values))
    )
    monkeypatch.setattr(found.peer, "FOLDER", tmp_path)
    monkeypatch.setattr(found.models, "VALIDATIONS", 1)
    monkeypatch.setattr(found.models, "VOCABULARY", None)  # as many as so small a text gives
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda _: None)  # slow
    return found
