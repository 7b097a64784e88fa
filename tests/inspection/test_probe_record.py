"""The record of probes, its figures, and its page in a browser."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from seqloom.errors import SeqloomError
from seqloom.inspection.probe_record import CONTROL, RANDOM, TASK, TRAINED, ProbeRecord, Run

LAYERS = ["embeddings", "layer 0", "layer <1>"]


def run(states: str, labels: str, probe: str, first: float, update: int | None = None) -> Run:
    """Accuracy rises by 5 a layer, and by 1 a seed; the code gets shorter."""
    accuracy = [[first + 5 * layer + seed for seed in range(3)] for layer in range(3)]
    bits = [[2000 - 10 * share for share in row] for row in accuracy]
    return Run(states, labels, probe, accuracy, bits, update)


def made(*more: Run) -> ProbeRecord:
    runs = [
        run(states, labels, probe, first)
        for probe in ("linear", "hidden")
        for states, labels, first in
        ((TRAINED, TASK, 80.0), (TRAINED, CONTROL, 50.0), (RANDOM, TASK, 60.0))
    ]  # fmt: skip
    return ProbeRecord(
        "upos", "runs/<b>", ["A", "B", "C", "D"], LAYERS,
        {"train": 1000, "validation": 200, "test": 500},
        {"most frequent label": 25.0, "the word's most frequent label": 75.0}, [*runs, *more],
    )  # fmt: skip


def test_figures() -> None:
    record = made()
    assert record.uniform == 1000 * 2
    found = record.accuracy(1, TRAINED, TASK, "linear")
    assert found == (86.0, pytest.approx(statistics.stdev([85, 86, 87])))
    assert record.selectivity(2, "hidden") == (30.0, 0.0)
    assert record.selectivity(2, "hidden", "update 5") is None
    more = (run("update 5", labels, "linear", first, 5) for labels, first in
            ((TASK, 40.0), (CONTROL, 35.0)))  # fmt: skip
    later = made(*more)
    assert later.selectivity(0, "linear", "update 5") == (5.0, 0.0)
    compression = record.compression(0, RANDOM, TASK, "linear")
    assert compression is not None
    assert compression.mean == pytest.approx(
        statistics.mean(2000 / (1400 - 10 * s) for s in (0, 1, 2))
    )
    assert record.accuracy(0, "update 5", TASK, "linear") is None
    text = record.text()
    assert "upos: 4 classes; examples: 1,000 train, 200 validation, 500 test" in text
    assert "the word's most frequent label: 75.0 % right" in text
    row = next(line for line in text.splitlines() if line.startswith("layer 0"))
    assert row.split()[2:8] == ["86.0", "±", "1.0", "66.0", "±", "1.0"]


def test_there_and_back(tmp_path: Path) -> None:
    record = made()
    record.save(tmp_path / "a.json")
    again = ProbeRecord.load(tmp_path / "a.json")
    assert again.as_dict() == record.as_dict()
    for suffix, start in {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}.items():
        record.save(tmp_path / f"a.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes().startswith(start)
    damaged = json.loads((tmp_path / "a.json").read_text())
    damaged["runs"][0]["bits"].pop()
    (tmp_path / "b.json").write_text(json.dumps(damaged))
    with pytest.raises(SeqloomError, match="damaged probe record: bits of 2 layers, expected 3"):
        ProbeRecord.load(tmp_path / "b.json")


def said(page: Any) -> str:
    return " ".join(page.inner_text("#card").split())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page(open_page: Any, tmp_path: Path, scheme: str) -> None:
    made(
        run("update 500", TASK, "linear", 40.0, 500),
        run("update 500", CONTROL, "linear", 35.0, 500),
        run("update 1,000", TASK, "linear", 70.0, 1000),
        run("update 1,000", CONTROL, "linear", 50.0, 1000),
    ).save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html", scheme)
    page = opened.page
    assert page.inner_text("h1") == "What the layers of runs/<b> know of upos"
    assert page.locator("#chart .mark").count() == 7 * 3
    page.focus("#chart")
    page.keyboard.press("ArrowRight")
    assert said(page).startswith("embeddings, trained model, task: 81.00 ± 1.00 (accuracy, %; 3")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert said(page).startswith("layer <1>, trained model, control: 61.00")
    page.locator("#chart .mark").nth(6).hover()
    assert said(page).startswith("embeddings, random model, task: 61.00")
    page.select_option("#measure", "selectivity")
    page.locator("#chart .mark").nth(1).click()
    assert said(page).startswith("layer 0, trained model, task: 30.00 ± 0.00 (selectivity")
    page.select_option("#measure", "compression")
    page.locator("#chart .mark").nth(0).click()
    value = statistics.mean(2000 / (1200 - 10 * seed) for seed in range(3))
    assert said(page).startswith(f"embeddings, trained model, task: {value:.2f}")
    page.select_option("#axis", "updates")
    legend = page.locator("#legend li")
    assert legend.all_inner_texts() == [
        f"{layer}, {labels}" for labels in (TASK, CONTROL) for layer in LAYERS
    ]
    page.focus("#chart")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert said(page).startswith("update 1,000, embeddings, task:")
    page.select_option("#measure", "selectivity")  # of the checkpoints, a line a layer
    assert legend.all_inner_texts() == LAYERS
    page.locator("#chart .mark").nth(4).click()
    assert said(page).startswith("update 500, layer <1>: 5.00 ± 0.00")
    page.locator("#chart .mark").nth(5).click()
    assert said(page).startswith("update 1,000, layer <1>: 20.00 ± 0.00")
    page.select_option("#probe", "hidden")
    assert said(page) == "This figure has no meaning along this axis."
    page.click("summary")
    assert page.locator("table tr").count() == 1 + 10 * 3
    opened.check()


def test_a_page_without_checkpoints_has_no_axis_of_updates(open_page: Any, tmp_path: Path) -> None:
    made().save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html")
    assert not opened.page.is_visible("#axis")
    opened.check()
