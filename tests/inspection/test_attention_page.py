"""The page of attention in a browser: what is shown is what the record says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqloom.inspection.attention import AttentionRecord, AttentionRecords
from seqloom.inspection.attention_map import AttentionMap

HEADS, KEY = 2, 4


def shares(seed: int, *shape: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return chance.dirichlet(np.full(shape[-1], 0.3), shape[:-1]).astype(np.float32)


def made(source: int, target: int, layers: int = 2, details: bool = False) -> AttentionRecord:
    """A record of a translation; the word ``<b>`` would show if tokens were taken for HTML."""
    tokens = {
        "source": [f"▁s{n}" for n in range(source - 1)] + ["<b>x</b>"],
        "read": ["<s>"] + [f"▁t{n}" for n in range(target - 1)],
        "written": [f"▁t{n}" for n in range(target - 1)] + ["</s>"],
    }
    maps = []
    sides = {
        "encoder": ("source", "source"), "decoder": ("written", "read"),
        "cross": ("written", "source"),
    }  # fmt: skip
    for layer in range(layers):
        for seed, (part, (rows, columns)) in enumerate(sides.items()):
            shape = len(tokens[rows]), len(tokens[columns])
            kept = {}
            if details:
                chance = np.random.default_rng(seed)
                kept = {
                    name: chance.normal(size=(HEADS, size, KEY)).astype(np.float32)
                    for name, size in zip(
                        ("query", "key", "value"), (shape[0], shape[1], shape[1]), strict=True
                    )
                }
                kept["scores"] = np.einsum("hrk,hck->hrc", kept["query"], kept["key"]) / 2
            maps.append(
                AttentionMap(
                    f"{part}.{layer}", part, rows, columns,
                    shares(10 * layer + seed, HEADS, *shape),
                    np.float32(1 + np.arange(HEADS * shape[1]).reshape(HEADS, -1)), kept,
                )
            )  # fmt: skip
    words = {"source": list(range(0, source, 2)), "written": list(range(target)), "read": [0]}
    return AttentionRecord(tokens, maps, words, "a title with <b>")


def said(page: Any) -> str:
    return " ".join(page.inner_text("#card").split())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_choosing_cells_heads_parts_and_views(open_page: Any, tmp_path: Any, scheme: str) -> None:
    record = made(6, 5)
    record.save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html", scheme)
    page = opened.page
    assert page.inner_text("h1") == "a title with <b>"
    page.focus("#frame")
    page.keyboard.press("ArrowRight")
    share = 100 * record.weights()[0, 0]
    assert said(page).startswith(
        f"layer 1, mean ▁t0 looks at ▁s0: {share:.{2 if share < 9.95 else 1}f} %"
    )
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    assert "▁t1 looks at <b>x</b>:" in said(page)
    assert page.inner_text("#text").count("<b>x</b>") == 1

    page.click("#heads button[data-layer='0'][data-head='1']")
    share = 100 * record.weights(0, 1)[1, 5]
    assert said(page).startswith("layer 0, head 1 ▁t1 looks at <b>x</b>:")
    assert f"{share:.{2 if share < 9.95 else 1}f} %" in said(page)
    best = record.tokens["source"][int(record.weights(0, 1)[1].argmax())]
    assert page.inner_text("#card li >> nth=0").startswith(best)

    page.select_option("#view", "by value")
    share = 100 * record.by_value().weights(0, 1)[1, 5]
    assert f"looks at <b>x</b>: {share:.{2 if share < 9.95 else 1}f} %" in said(page)
    page.select_option("#unit", "words")
    page.focus("#frame")
    page.keyboard.press("ArrowRight")
    assert "▁t0 looks at ▁s0▁s1" in said(page)

    page.select_option("#part", "encoder")
    page.select_option("#unit", "pieces")
    page.select_option("#view", "weights")
    page.focus("#heads")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.click("#text span >> nth=2")
    share = 100 * record.weights(0, 0, "encoder")[2, 2]
    shown = f"{share:.{2 if share < 9.95 else 1}f} %"
    assert said(page).startswith(f"layer 0, head 0 ▁s2 looks at ▁s2: {shown}")
    assert page.screenshot()
    opened.check()


def test_pointing_at_a_cell(open_page: Any, tmp_path: Any) -> None:
    record = made(6, 5, details=True)
    record.save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html")
    page = opened.page
    page.click("#heads button[data-layer='1'][data-head='0']")
    box = page.locator("#frame").bounding_box()
    found = None
    for x in range(20, 300, 10):  # from the labels on, until a cell is met
        page.mouse.move(box["x"] + x, box["y"] + 120)
        if "looks at" in said(page):
            found = said(page)
            break
    assert found is not None
    row, column = (
        found.split(" looks at ")[0].split()[-1],
        found.split(" looks at ")[1].split(":")[0],
    )
    r, c = record.tokens["written"].index(row), record.tokens["source"].index(column)
    assert f"score {record.map().details['scores'][0, r, c]:.3f}" in found
    bars = page.locator("#card canvas")
    assert bars.count() == 4
    query = record.map().details["query"][0, r]
    assert bars.nth(0).get_attribute("title") == ", ".join(f"{number:.2f}" for number in query)
    page.mouse.click(box["x"] + x, box["y"] + 120)
    page.mouse.move(0, 0)
    assert said(page) == found
    page.focus("#frame")
    page.keyboard.press("Escape")
    assert "Point at a cell" in said(page)
    opened.check()


def test_long_texts_stay_legible(open_page: Any, tmp_path: Any) -> None:
    record = made(500, 500)
    record.save(tmp_path / "long.html")
    opened = open_page(tmp_path / "long.html")
    page = opened.page
    page.focus("#frame")
    page.keyboard.press("End")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    assert "▁t12 looks at <b>x</b>" in said(page)
    for _ in range(9):
        page.keyboard.press("+")
    page.wait_for_timeout(100)
    size = page.evaluate("[frame.scrollWidth, document.getElementById('map').width]")
    assert size[0] > 500 * 20
    assert size[1] < 4000  # only what is seen is drawn
    assert "in the record" not in said(page)  # there are no details
    opened.check()


def test_a_page_says_that_it_leaves_details_out(open_page: Any, tmp_path: Any) -> None:
    made(5, 70, layers=1, details=True).save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html")
    page = opened.page
    page.click("#heads button[data-layer='0'][data-head='0']")
    page.focus("#frame")
    page.keyboard.press("End")
    assert "are in the record (.json): a page holds those of up to 64 tokens" in said(page)
    page.select_option("#part", "encoder")  # five tokens
    page.click("#heads button[data-layer='0'][data-head='0']")
    page.focus("#frame")
    page.keyboard.press("End")
    assert "in the record" not in said(page) and "score" in said(page)
    opened.check()


def test_several_texts_on_one_page(open_page: Any, tmp_path: Any) -> None:
    records = AttentionRecords([made(6, 5), made(4, 3, layers=1)])
    records.save(tmp_path / "several.html")
    opened = open_page(tmp_path / "several.html")
    page = opened.page
    assert page.inner_text("h1") == "Attention of 2 texts"
    assert page.locator("#heads button").count() == 2 * (HEADS + 1)
    page.select_option("#which", "1")
    assert page.locator("#heads button").count() == HEADS + 1
    assert page.locator("#text span").count() == 4
    opened.check()


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    html = made(3, 3)._repr_html_()
    assert html.startswith("<iframe")
    assert 'title="attention record"' in html
