"""The page of a search in a browser: what is shown is what the record says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from beam_toys import by_hand

from seqloom.inspection.beam_recording import Asked
from seqloom.inspection.beam_tree import BeamTree
from seqloom.inspector.beam import beam_of_continuation
from seqloom.language_model import LanguageModel
from seqloom.recipe import DecodingRecipe
from tiny_writers import never_ends, tiny_gpt

EVERYTHING = Asked(8, greedy=True, sample=True)


def said(page: Any) -> str:
    return " ".join(page.inner_text("#card").split())


def nodes(page: Any) -> set[int]:
    """The nodes that are drawn, once the page has drawn."""
    page.wait_for_timeout(60)
    found = page.eval_on_selector_all("g.node", "all => all.map((each) => each.dataset.node)")
    return {int(number) for number in found}


def where(tree: BeamTree, *tokens: str) -> int:
    node = 0
    for token in tokens:
        node = next(n for n in tree.children[node] if tree.nodes[n].token == token)
    return node


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keys_go_through_the_tree(open_page: Any, tmp_path: Path, scheme: str) -> None:
    record = by_hand([4, 6], EVERYTHING)
    record.save(tmp_path / "b.html")
    opened = open_page(tmp_path / "b.html", scheme)
    page = opened.page
    assert page.inner_text("h1") == "a title with <b>"
    assert "Point at a token" in said(page)
    page.focus("#frame")
    page.keyboard.press("ArrowRight")
    assert said(page).startswith(
        "▁<b> Step 1: log-probability -0.916 (40.0 %), so far -0.916, score -0.916. "
        "Kept: number 2 of this step's continuations; sampling draws it with 40 %."
    )
    assert "On the way of beam 1" in said(page)
    page.keyboard.press("End")
    assert said(page).startswith("</s> Step 3:")
    assert "Finished: number 1 of the n-best, score -1.022" in said(page)
    assert "<b> D</s>" in said(page)
    page.keyboard.press("Home")
    assert said(page).startswith("the beginning")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert said(page).startswith("▁A Step 1:")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert said(page).startswith("▁<b> Step 1:")
    page.keyboard.press("Escape")
    assert "Point at a token" in said(page)
    colour = page.evaluate("getComputedStyle(document.querySelector('#tree text')).fill")
    assert colour == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")
    assert page.screenshot()
    opened.check()


def test_what_was_pruned_opens_and_closes(open_page: Any, tmp_path: Path) -> None:
    record = by_hand([4, 6], Asked(8))
    record.save(tmp_path / "b.html")
    opened = open_page(tmp_path / "b.html")
    page, tree = opened.page, record.tree
    page.set_viewport_size({"width": 1400, "height": 2400})
    paths = {0, *tree.path(tree.winner.node), *tree.path(tree.outputs[-1].node)}
    assert nodes(page) == paths
    first = where(tree, "▁A")
    page.focus("#frame")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert nodes(page) == paths | set(tree.children[first])
    page.click("#card button")
    assert nodes(page) == paths
    page.select_option("#level", "kept")
    kept = {n for n, node in enumerate(tree.nodes) if node.fate in ("kept", "cut", "finished")}
    assert nodes(page) == paths | kept
    page.select_option("#level", "all")
    assert nodes(page) == set(range(len(tree.nodes)))
    beginning = tree.nodes[where(tree, "<pad>")]
    assert beginning.fate == "forbidden"
    assert page.locator("g.node.forbidden").count() > 0
    assert page.locator("g.node.pruned").count() > 0
    opened.check()


def test_pointing_and_clicking(open_page: Any, tmp_path: Path) -> None:
    record = by_hand([4, 6], Asked(8))
    record.save(tmp_path / "b.html")
    opened = open_page(tmp_path / "b.html")
    page, tree = opened.page, record.tree
    page.select_option("#level", "all")
    pruned, other = where(tree, "▁A", "▁A"), where(tree, "▁A", "▁D")
    page.wait_for_selector(f"g.node[data-node='{pruned}']")
    page.hover(f"g.node[data-node='{pruned}'] rect.back")
    assert said(page).startswith("▁A Step 2:")
    missed = tree.nodes[pruned].missed
    assert f"{missed:.3f} below the last that was taken" in said(page)
    page.wait_for_timeout(60)
    page.click(f"g.node[data-node='{other}'] rect.back")
    page.mouse.move(0, 0)
    assert said(page).startswith("▁D Step 2:")
    page.wait_for_timeout(60)
    assert page.get_attribute("g.node.chosen", "data-node") == str(other)
    page.click("#outputs button >> nth=1")
    assert said(page).startswith("</s> Step 3:") and "On the way of forced." in said(page)
    opened.check()


def test_ways_differ_in_form_and_can_be_switched_off(open_page: Any, tmp_path: Path) -> None:
    record = by_hand([5, 6], Asked(8, greedy=True, sample=True), nbest=1, seed=3)
    record.save(tmp_path / "b.html")
    opened = open_page(tmp_path / "b.html")
    page, tree = opened.page, record.tree
    page.wait_for_selector("path.greedy")
    dashes = page.evaluate(
        "['beam', 'greedy', 'sample', 'forced'].map((way) => "
        "getComputedStyle(document.querySelector(`path.${way}`)).strokeDasharray)"
    )
    assert len(set(dashes)) == 4
    assert page.locator("path.greedy").count() == 3
    assert {"G", "F"} <= set(page.locator("g.tag text").all_text_contents())
    page.uncheck("input.way[value=forced]")
    page.uncheck("input.way[value=greedy]")
    drawn = nodes(page)
    assert page.locator("path.greedy, path.forced").count() == 0
    assert where(tree, "▁<b>", "▁C") not in drawn
    page.click("#outputs tr:last-child button")
    assert where(tree, "▁<b>", "▁C") in nodes(page)
    opened.check()


def test_the_verdict_stands_on_the_page(open_page: Any, tmp_path: Path) -> None:
    record = by_hand([4, 6], Asked(8))
    record.save(tmp_path / "b.html")
    page = open_page(tmp_path / "b.html").page
    assert page.inner_text("h2 >> nth=0") == "Why not A C?"
    assert " ".join(page.inner_text("#verdict").split()) == record.verdict()
    page.click("summary")
    rows = page.locator("#pairs tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["1", "▁<b>", "-0.916", "▁A", "-0.511", "+0.405"],
        ["2", "▁D", "-0.105", "▁C", "-1.204", "-0.693"],
        ["3", "</s>", "0.000", "</s>", "0.000", "-0.693"],
    ]


def test_long_outputs_stay_legible_and_quick(open_page: Any, tmp_path: Path) -> None:
    gpt = LanguageModel.load(tiny_gpt(tmp_path / "gpt", context=130), device="cpu")
    never_ends(gpt.writer())
    options = DecodingRecipe(beam=10, nbest=2, max_tokens=120)
    record = beam_of_continuation(gpt, "a cat", options, Asked(4))
    record.save(tmp_path / "long.html")
    assert len(record.tree.nodes) > 3000
    opened = open_page(tmp_path / "long.html")
    page = opened.page
    page.focus("#frame")
    assert len(nodes(page)) < 60
    begun = time.monotonic()
    page.select_option("#level", "all")
    shown = nodes(page)
    assert time.monotonic() - begun < 10
    assert 60 < len(shown) < 1000  # only what is seen is drawn
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    assert said(page).split(" Step ")[1].startswith("120:")
    assert page.evaluate("frame.scrollLeft") > 5000
    assert record.tree.winner.node in nodes(page)
    for _ in range(3):
        page.keyboard.press("-")
    assert page.evaluate("document.getElementById('tree').getAttribute('width') < 4000")
    opened.check()
