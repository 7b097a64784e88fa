"""Records of heads: written and read, told, drawn, and opened as a page in a real browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seqloom.errors import SeqloomError
from seqloom.inspection.head_roles import Evidence, Head, Measure
from seqloom.inspection.heads_record import HeadsRecord
from seqloom.inspection.palette import COLOURS


def head(part: str, layer: int, number: int, *evidence: Evidence, losses: bool = True) -> Head:
    path = {
        "encoder": f"encoder.layers.{layer}.self_attention",
        "cross": f"decoder.layers.{layer}.cross_attention",
    }[part]
    mean, spread = Measure(0.4, 0.38, 0.42, 900), Measure(0.7, 0.65, 0.75, 900)
    importance = {"BLEU": Measure(1.5 + layer - number, 1.0, 2.0, 40)} if losses else {}
    return Head(path, part, layer, number, mean, spread, mean, list(evidence), importance)


def evidence(role: str, name: str, value: float, bar: float, **against: float) -> Evidence:
    floor = value - 0.05
    beside = {what: Measure(x, x - 0.03, x + 0.03, 480) for what, x in against.items()}
    return Evidence(role, name, value, value - 0.02, value + 0.02, 500, floor, bar, True, beside)


PREVIOUS = evidence("positional", "offset -1", 0.97, 0.9)
ALMOST = evidence("positional", "offset +1", 0.93, 0.9)
SUBJECT = evidence("syntactic", "nsubj, to the head", 0.6, 0.45, chance=0.35)
OBJECT = evidence("syntactic", "<b>obj</b>, to the dependent", 0.3, 0.45)
RARE = evidence("rare token", "the rarest token", 0.8, 0.5, chance=0.1)


@pytest.fixture
def record() -> HeadsRecord:
    heads = [
        head("encoder", 0, 0, ALMOST),
        head("encoder", 0, 1, PREVIOUS, OBJECT),
        head("encoder", 1, 0, SUBJECT, RARE),
        head("encoder", 1, 1, OBJECT),
        head("cross", 0, 0, RARE),
    ]
    return HeadsRecord(heads, 40, "Heads of <x>", ["2 of 42 texts are left out: empty"])


def test_roles_follow_from_the_floor(record: HeadsRecord) -> None:
    assert [each.roles for each in record.heads] == [
        [],
        ["positional"],
        ["syntactic", "rare token"],
        [],
        ["rare token"],
    ]
    assert record.heads[2].accepted[0] == RARE  # the clearest


def test_a_round_trip(record: HeadsRecord, tmp_path: Path) -> None:
    record.save(tmp_path / "a.json")
    values = json.loads((tmp_path / "a.json").read_text())
    assert (values["kind"], values["version"]) == ("heads", 2)
    assert values["heads"][2]["roles"] == ["syntactic", "rare token"]
    again = HeadsRecord.load(tmp_path / "a.json")
    assert again.heads == record.heads
    assert again.as_dict() == record.as_dict()
    del values["heads"][0]["confidence"]
    with pytest.raises(SeqloomError, match=r"heads\[0\]: the field 'confidence' is missing"):
        HeadsRecord.from_dict(values)


def test_the_table(record: HeadsRecord) -> None:
    lines = record.text().splitlines()
    assert "95 % intervals" in lines[0]
    assert lines[2].split()[:5] == ["head", "confidence", "entropy/log", "length", "tokens"]
    assert lines[3].split()[12:15] == ["–", "offset", "+1"]  # the nearest
    assert lines[4].startswith("encoder layer 0 head 1")
    assert lines[4].split()[5:] == [
        "0.40", "[.38,", ".42]", "0.70", "[.65,", ".75]", "900",
        "positional", "offset", "-1", "0.97", "[.95,", ".99]", "500",
    ]  # fmt: skip
    assert "chance 0.35 [.32, .38] of 480" in record.text()
    top, *losses = lines[lines.index("") + 1 :][len(record.heads) + 3 :]
    assert top.split() == ["lost", "without", "the", "head", "BLEU", "texts"]
    assert losses[0].startswith("encoder layer 1 head 0")
    assert losses[0].split()[5:] == ["2.5000", "[1.0000,", "2.0000]", "40"]
    plain = replace(record, heads=[replace(each, importance={}) for each in record.heads])
    assert "lost" not in plain.text()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((0, 0, "text"), "no part 'text'; the model has: cross, encoder"),
        ((2, 0, "encoder"), "no layer 2: attention of the part 'encoder' has layers 0 to 1"),
        ((1, 2, "encoder"), r"no head 2; encoder.layers.1.self_attention has heads 0 to 1"),
        ((0, 1, None), r"no head 1; decoder.layers.0.cross_attention has head 0 alone"),
    ],
)
def test_heads_that_do_not_exist(record: HeadsRecord, place: Any, message: str) -> None:
    with pytest.raises(SeqloomError, match=message):
        record.head(*place)
    assert record.head(1, 0, "encoder") is record.heads[2]


def test_pictures(record: HeadsRecord, tmp_path: Path) -> None:
    for suffix, begin in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        record.save(tmp_path / f"map{suffix}")
        assert (tmp_path / f"map{suffix}").read_bytes().startswith(begin)
        assert record.picture_of(record.heads[2], suffix).startswith(begin)
    svg = (tmp_path / "map.svg").read_text()
    assert COLOURS[0] in svg  # the positional head
    assert COLOURS[1] in svg
    one = record.picture_of(record.heads[2], ".svg").decode()
    for figure in (
        "0.40 [.38, .42]  n = 900",
        "0.70 [.65, .75]  n = 900",
        "0.60 [.58, .62]  n = 500",
        "lost without it of BLEU: 2.500 [1.000, 2.000], n = 40 texts",
    ):
        assert figure in one
    assert COLOURS[2] in one
    assert COLOURS[0] not in one


def text_of(page: Any, selector: str) -> str:
    return page.locator(selector).inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(
    record: HeadsRecord, tmp_path: Path, open_page: Any, scheme: str
) -> None:
    record.save(tmp_path / "heads.html")
    opened = open_page(tmp_path / "heads.html", scheme)
    page = opened.page
    assert text_of(page, "h1") == "Heads of <x>"
    assert "positional: 1, syntactic: 1, rare token: 2" in text_of(page, "body")
    assert "2 of 42 texts are left out" in text_of(page, "body")
    assert page.locator(".cell").count() == 5
    assert page.locator(".cell.role").count() == 3
    assert "encoder, layer 0, head 1: positional" in text_of(page, "#card")  # the first of a role
    page.locator('.cell[data-index="2"]').hover()
    card = text_of(page, "#card")
    assert "encoder, layer 1, head 0: syntactic, rare token" in card
    assert "✓ nsubj, to the head" in card
    assert "60.0 % [58.0 %, 62.0 %], n = 500; chance 35.0 % [32.0 %, 38.0 %], n = 480" in card
    assert "Lost without it of BLEU: 2.500 [1.000, 2.000], n = 40 texts" in card
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    assert "encoder, layer 1, head 1: no role" in text_of(page, "#card")
    assert "<b>obj</b>, to the dependent" in text_of(page, "#card")
    page.keyboard.press("ArrowDown")
    assert "encoder, layer 0, head 1: positional" in text_of(page, "#card")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert "cross, layer 0, head 0: rare token" in text_of(page, "#card")
    page.locator('.cell[data-index="3"]').click()
    assert page.locator(".cell.chosen").get_attribute("data-index") == "3"
    assert page.locator("#all tbody tr").count() == 5
    names = page.locator("#all thead th").all_inner_texts()
    row = page.locator("#all tbody tr").nth(2).locator("td").all_inner_texts()
    cells = dict(zip(names[1:], row, strict=True))
    assert cells["confidence"] == "0.40 [.38, .42]"
    assert (cells["entropy / log length"], cells["tokens"]) == ("0.70 [.65, .75]", "900")
    assert (cells["lost BLEU"], cells["texts"]) == ("2.500 [1.000, 2.000]", "40")
    background = page.evaluate("getComputedStyle(document.body).color")
    assert background == ("rgb(255, 255, 255)" if scheme == "dark" else "rgb(0, 0, 0)")
    opened.check()
